"""Rial: whole integers inside, decimal strings at the edges (RFC 8785 refuses integers above 2^53-1)."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal

_RIAL = re.compile(r"-?(0|[1-9][0-9]{0,17})", re.ASCII)
PARTS_PER_MILLION = 1_000_000


def format_rial(amount_rial: int) -> str:
    """The amount as the contract's decimal string, without separators."""
    return str(amount_rial)


def parse_rial(text: str) -> int:
    """The whole rial that `text` says; ASCII digits only, no sign but a minus, no leading zero.

    Raises:
        ValueError: anything else, `1e3` and Persian digits included.
    """
    if not _RIAL.fullmatch(text):
        raise ValueError(f"not a whole number of rial: {text!r}")
    return int(text)


def round_half_up(amount: Decimal) -> int:
    """The nearest whole rial, halves away from zero. The only place where money is not an integer."""
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def apply_ppm(base_rial: int, rate_ppm: int) -> int:
    """`base_rial` times a rate in parts per million, half up to the whole rial, once."""
    return round_half_up(Decimal(base_rial) * rate_ppm / PARTS_PER_MILLION)


def ceil_to(amount_rial: int, unit_rial: int) -> int:
    """The smallest multiple of `unit_rial` that is at least `amount_rial` (both not negative)."""
    return -(-amount_rial // unit_rial) * unit_rial
