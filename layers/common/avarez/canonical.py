"""Canonical bytes of JSON values, for hashing and signing.

Source: RFC 8785 (JSON Canonicalization Scheme), through the `rfc8785` package.
"""

from __future__ import annotations

import hashlib
from typing import Any

import rfc8785


def canonical_bytes(value: Any) -> bytes:
    """The RFC 8785 form of `value`, UTF-8.

    Raises:
        ValueError: a float, or an integer above 2^53-1 (amounts are decimal strings for this reason).
    """
    _refuse_floats(value)
    return rfc8785.dumps(value)


def content_hash(value: Any) -> str:
    """Lower-case hexadecimal SHA-256 of the canonical bytes."""
    return hashlib.sha256(canonical_bytes(value)).hexdigest()


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise ValueError("a float has no place in signed data")
    if isinstance(value, dict):
        for member in value.values():
            _refuse_floats(member)
    elif isinstance(value, list | tuple):
        for member in value:
            _refuse_floats(member)
