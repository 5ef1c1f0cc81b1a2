"""Identifiers that sort by the time they were made and cannot be guessed."""

from __future__ import annotations

import contextlib
import re
import secrets
from collections.abc import Callable, Iterator
from datetime import datetime

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u
_TIME_BITS = 48
_RANDOM_BITS = 132  # 128 are promised; 180 bits in all make 36 whole characters
_LENGTH = (_TIME_BITS + _RANDOM_BITS) // 5
_BODY = re.compile(f"[{_ALPHABET}]{{{_LENGTH}}}")
_random_bits: Callable[[int], int] = secrets.randbits


@contextlib.contextmanager
def drawn_from(random_bits: Callable[[int], int]) -> Iterator[None]:
    """Ids and lots come from this source meanwhile: for the simulator, whose runs repeat."""
    global _random_bits
    before, _random_bits = _random_bits, random_bits
    try:
        yield
    finally:
        _random_bits = before


def lot(choices: int) -> int:
    """A number from 0 to below `choices` that nobody can guess."""
    return _random_bits(choices.bit_length() + 64) % choices


def new_id(prefix: str, now: datetime, randomness: int | None = None) -> str:
    """`{prefix}_` and 36 characters: 48 bits of milliseconds, then 132 random bits.

    Ids of different milliseconds sort by time. `randomness` is for tests.
    """
    milliseconds = int(now.timestamp() * 1000) & ((1 << _TIME_BITS) - 1)
    noise = _random_bits(_RANDOM_BITS) if randomness is None else randomness & ((1 << _RANDOM_BITS) - 1)
    value = (milliseconds << _RANDOM_BITS) | noise
    return f"{prefix}_" + "".join(_ALPHABET[(value >> shift) & 31] for shift in range(5 * (_LENGTH - 1), -1, -5))


def is_id(prefix: str, text: str) -> bool:
    """Whether `text` has the form of an id of this kind; nothing is said of its existence."""
    head, _, body = text.partition("_")
    return head == prefix and _BODY.fullmatch(body) is not None


def id_bytes(identifier: str) -> bytes:
    """The 180 bits behind the prefix as 23 bytes, big-endian, for compact payloads."""
    value = 0
    for character in identifier.partition("_")[2]:
        value = value << 5 | _ALPHABET.index(character)
    return value.to_bytes((_TIME_BITS + _RANDOM_BITS + 7) // 8, "big")


def id_from_bytes(prefix: str, raw: bytes) -> str:
    """The id whose `id_bytes` are `raw`.

    Raises:
        ValueError: `raw` is not 23 bytes holding at most 180 bits.
    """
    value = int.from_bytes(raw, "big")
    if len(raw) != (_TIME_BITS + _RANDOM_BITS + 7) // 8 or value >> (_TIME_BITS + _RANDOM_BITS):
        raise ValueError("not the bytes of an id")
    return f"{prefix}_" + "".join(_ALPHABET[(value >> shift) & 31] for shift in range(5 * (_LENGTH - 1), -1, -5))
