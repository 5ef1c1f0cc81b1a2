"""Deterministic CBOR, in the few types a certificate uses; nothing else is written or read.

Types: integers of 64 bits, byte strings, text, lists, and maps with integer keys. Status lists also have maps with
keys of text, which are read only where they are asked for.
Source: RFC 8949, section 4.2.1 (core deterministic encoding): shortest heads, definite lengths, keys in the
order of their encoded bytes. Whatever could be written in two ways is refused, so that one certificate has one
spelling and a copy with other bytes is never "the same".
"""

from __future__ import annotations

from typing import Final, TypeAlias

CborValue: TypeAlias = "int | bytes | str | list[CborValue] | dict[int | str, CborValue]"

#: A certificate takes about 170 bytes; the largest lawful one (years in 32 separate ranges) stays below 500.
MAX_BYTES: Final = 1024
#: Message, then payload, then years, then a range: nothing lies deeper.
MAX_DEPTH: Final = 4

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _LIST, _MAP = range(6)


class CborError(ValueError):
    """The bytes are no deterministic CBOR of the types used here."""


def encode(value: CborValue) -> bytes:
    """The one deterministic encoding of `value`.

    Raises: CborError for a type that certificates do not use (bool, float, None among them).
    """
    if isinstance(value, bool):
        raise CborError("a truth value is not used in certificates")
    if isinstance(value, int):
        return _head(_UNSIGNED, value) if value >= 0 else _head(_NEGATIVE, -1 - value)
    if isinstance(value, bytes):
        return _head(_BYTES, len(value)) + value
    if isinstance(value, str):
        text = value.encode("utf-8")
        return _head(_TEXT, len(text)) + text
    if isinstance(value, list):
        return _head(_LIST, len(value)) + b"".join(encode(item) for item in value)
    if isinstance(value, dict):
        pairs = sorted((_encode_key(key), encode(item)) for key, item in value.items())
        return _head(_MAP, len(pairs)) + b"".join(key + item for key, item in pairs)
    raise CborError(f"{type(value).__name__} is not used in certificates")


def decode(encoded: bytes, *, bytes_max: int = MAX_BYTES, text_keys: bool = False) -> CborValue:
    """The value that `encoded`, and all of it, stands for; `encode` gives the same bytes back.

    Raises: CborError when the bytes end early, go on, are longer than `bytes_max`, are not deterministic, or hold
    a map with a key of text where `text_keys` is not said.
    """
    if len(encoded) > bytes_max:
        raise CborError("longer than what is read here")
    value, end = _item(encoded, 0, MAX_DEPTH, text_keys=text_keys)
    if end != len(encoded):
        raise CborError("bytes follow the value")
    return value


def _encode_key(key: object) -> bytes:
    if isinstance(key, bool) or not isinstance(key, int | str):
        raise CborError("map keys are integers or text")
    return encode(key)


def _head(major: int, argument: int) -> bytes:
    if argument < 24:
        return bytes([major << 5 | argument])
    for code, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if argument < 1 << (8 * size):
            return bytes([major << 5 | code]) + argument.to_bytes(size, "big")
    raise CborError("an integer is wider than 64 bits")


def _read_head(encoded: bytes, start: int) -> tuple[int, int, int]:
    if start >= len(encoded):
        raise CborError("the bytes end early")
    major, code = encoded[start] >> 5, encoded[start] & 31
    if major > _MAP:
        raise CborError("a tag, a float or a simple value is not used in certificates")
    if code < 24:
        return major, code, start + 1
    if code > 27:
        raise CborError("an indefinite or reserved length")
    size = 1 << (code - 24)
    end = start + 1 + size
    if end > len(encoded):
        raise CborError("the bytes end early")
    argument = int.from_bytes(encoded[start + 1 : end], "big")
    if argument < 24 or (size > 1 and argument < 1 << (4 * size)):
        raise CborError("a number is not written in its shortest form")
    return major, argument, end


def _item(encoded: bytes, start: int, depth: int, *, text_keys: bool) -> tuple[CborValue, int]:
    major, argument, position = _read_head(encoded, start)
    if major == _UNSIGNED:
        return argument, position
    if major == _NEGATIVE:
        return -1 - argument, position
    if major in (_BYTES, _TEXT):
        end = position + argument
        if end > len(encoded):
            raise CborError("the bytes end early")
        content = encoded[position:end]
        return (content if major == _BYTES else _text(content)), end
    if depth == 0:
        raise CborError("nested too deep")
    if argument > len(encoded) - position:  # each entry takes a byte at least: refuse before any loop
        raise CborError("the bytes end early")
    if major == _LIST:
        items: list[CborValue] = []
        for _ in range(argument):
            item, position = _item(encoded, position, depth - 1, text_keys=text_keys)
            items.append(item)
        return items, position
    return _map(encoded, position, argument, depth - 1, text_keys=text_keys)


def _map(encoded: bytes, position: int, length: int, depth: int, *, text_keys: bool) -> tuple[CborValue, int]:
    entries: dict[int | str, CborValue] = {}
    previous = b""
    for _ in range(length):
        start = position
        key, position = _item(encoded, start, 0, text_keys=text_keys)
        if not isinstance(key, int) and not (text_keys and isinstance(key, str)):
            raise CborError("map keys are integers")
        if encoded[start:position] <= previous:
            raise CborError("map keys are out of order or repeated")
        previous = encoded[start:position]
        entries[key], position = _item(encoded, position, depth, text_keys=text_keys)
    return entries, position


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CborError("text is not UTF-8") from error
