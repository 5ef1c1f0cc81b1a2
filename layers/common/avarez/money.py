"""Rial: whole integers inside, decimal strings at the edges (RFC 8785 refuses integers above 2^53-1)."""

from __future__ import annotations

import re

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
