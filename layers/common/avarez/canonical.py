"""Canonical bytes of JSON values, for hashing and signing.

Source: RFC 8785 (JSON Canonicalization Scheme). For values without floats and with ASCII keys, which is all that
we hash, its form is that of the standard library's encoder with sorted keys, several times as fast as the
`rfc8785` package; everything else goes to the package. A property test holds the two against each other.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

import rfc8785

_INTEGER_MAX: Final = 2**53 - 1
_encode: Final = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False, check_circular=False
).encode
"""A value that contains itself never comes here: `_is_plain` goes through it first, and does not come back."""


def canonical_bytes(value: Any) -> bytes:
    """The RFC 8785 form of `value`, UTF-8.

    Raises:
        ValueError: a float, or an integer above 2^53-1 (amounts are decimal strings for this reason).
    """
    return _encode(value).encode() if _is_plain(value) else rfc8785.dumps(value)


def content_hash(value: Any) -> str:
    """Lower-case hexadecimal SHA-256 of the canonical bytes."""
    return hashlib.sha256(canonical_bytes(value)).hexdigest()


def _is_plain(value: Any) -> bool:
    """Whether both encoders give the same: known types, small integers, keys whose order is plain.

    Raises:
        ValueError: a float anywhere.
    """
    kind = type(value)
    if kind is dict:
        plain = True
        for key, member in value.items():
            if type(key) is not str or not key.isascii():
                plain = False
            if type(member) is not str and not _is_plain(member):  # most are
                plain = False
        return plain
    if kind is list or kind is tuple:
        plain = True
        for member in value:
            if type(member) is not str and not _is_plain(member):
                plain = False
        return plain
    if kind is int:
        return bool(-_INTEGER_MAX <= value <= _INTEGER_MAX)
    if kind is str or value is None or kind is bool:
        return True
    if isinstance(value, float):
        raise ValueError("a float has no place in signed data")
    return False
