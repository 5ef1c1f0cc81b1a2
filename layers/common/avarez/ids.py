"""Identifiers that sort by the time they were made and cannot be guessed."""

from __future__ import annotations

import contextlib
import re
import secrets
import threading
from collections.abc import Callable, Iterator
from datetime import datetime

OWNER_PREFIX = "owner:"
"""Begins the name under which an owner without an account acts; no account has a colon in its name."""

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_TIME_BITS = 48
_RANDOM_BITS = 132  # 128 are promised; 180 bits in all make 36 whole characters
_STEP_BITS = 128
"""Whoever knows an id has no better chance to guess the next one."""
_LENGTH = (_TIME_BITS + _RANDOM_BITS) // 5
_SHIFTS = range(5 * _LENGTH - 10, -1, -10)
_BODY = re.compile(f"[{_ALPHABET}]{{{_LENGTH}}}")
_random_bits: Callable[[int], int] = secrets.randbits
_latest = 0
"""The 180 bits of the last id of this process."""
_one_at_a_time = threading.Lock()


@contextlib.contextmanager
def drawn_from(random_bits: Callable[[int], int]) -> Iterator[None]:
    """Ids and lots come from this source meanwhile, in an order of their own: for the simulator, which repeats."""
    global _random_bits, _latest
    before = _random_bits, _latest
    _random_bits, _latest = random_bits, 0
    try:
        yield
    finally:
        _random_bits, _latest = before


def lot(choices: int) -> int:
    """A number from 0 to below `choices` that nobody can guess."""
    return _random_bits(choices.bit_length() + 64) % choices


def new_id(prefix: str, now: datetime, randomness: int | None = None) -> str:
    """`{prefix}_` and 36 characters: 48 bits of milliseconds, then 132 random bits.

    Ids of different milliseconds sort by time, and every id of a process comes after the one before it, though its
    clock was set back in between: the next one is then some random steps further on. `randomness` is for tests.
    """
    global _latest
    milliseconds = int(now.timestamp() * 1000) & ((1 << _TIME_BITS) - 1)
    if randomness is not None:
        return _text(prefix, (milliseconds << _RANDOM_BITS) | randomness & ((1 << _RANDOM_BITS) - 1))
    with _one_at_a_time:
        value = (milliseconds << _RANDOM_BITS) | _random_bits(_RANDOM_BITS)
        if value <= _latest:
            value = _latest + 1 + _random_bits(_STEP_BITS)
        _latest = value
    return _text(prefix, value)


def _text(prefix: str, value: int) -> str:
    return f"{prefix}_" + "".join([_PAIRS[(value >> shift) & 1023] for shift in _SHIFTS])


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
    return _text(prefix, value)
