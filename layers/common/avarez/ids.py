"""Identifiers that sort by the time they were made and cannot be guessed."""

from __future__ import annotations

import re
import secrets
from datetime import datetime

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u
_TIME_BITS = 48
_RANDOM_BITS = 132  # 128 are promised; 180 bits in all make 36 whole characters
_LENGTH = (_TIME_BITS + _RANDOM_BITS) // 5
_BODY = re.compile(f"[{_ALPHABET}]{{{_LENGTH}}}")


def new_id(prefix: str, now: datetime, randomness: int | None = None) -> str:
    """`{prefix}_` and 36 characters: 48 bits of milliseconds, then 132 random bits.

    Ids of different milliseconds sort by time. `randomness` is for tests and the simulator.
    """
    milliseconds = int(now.timestamp() * 1000) & ((1 << _TIME_BITS) - 1)
    noise = secrets.randbits(_RANDOM_BITS) if randomness is None else randomness & ((1 << _RANDOM_BITS) - 1)
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
