"""A Parquet file of text and whole numbers, and nothing else. Pure.

One row group, one plain page a column, no compression, no missing values: what every reader understands. The
library that writes the whole format is twenty times the size of everything else that the builder carries.

Source: Apache Parquet format 2.10 (`parquet.thrift`), Thrift compact protocol.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

MAGIC: Final = b"PAR1"
_INT64, _BYTE_ARRAY = 2, 6
_UTF8: Final = 0
_REQUIRED: Final = 0
_PLAIN, _RLE = 0, 3
_DATA_PAGE: Final = 0
_UNCOMPRESSED: Final = 0
# Types of the compact protocol.
_I32, _I64, _BINARY, _LIST, _STRUCT = 5, 6, 8, 9, 12


def parquet_bytes(columns: Sequence[tuple[str, Sequence[str] | Sequence[int]]], created_by: str) -> bytes:
    """The file: each column's name with its values, all of one length; text, or whole numbers of 64 bits.

    Raises:
        ValueError: columns of different lengths, or no column.
    """
    rows = {len(values) for _, values in columns}
    if len(rows) != 1:
        raise ValueError("the columns of a table are of one length")
    count = rows.pop()
    out = bytearray(MAGIC)
    chunks: list[bytes] = []
    for name, values in columns:
        offset = len(out)
        content, kind = _plain(values)
        page = _struct(
            (1, _I32, _varint(_DATA_PAGE)),
            (2, _I32, _varint(len(content))),
            (3, _I32, _varint(len(content))),
            (5, _STRUCT, _struct(*((place, _I32, _varint(value)) for place, value in
                                   ((1, count), (2, _PLAIN), (3, _RLE), (4, _RLE))))),
        )  # fmt: skip
        out += page + content
        chunks.append(_chunk(name, kind, count, offset, len(page) + len(content)))
    footer = _footer(columns, chunks, count, len(out) - len(MAGIC), created_by)
    return bytes(out + footer + struct.pack("<I", len(footer)) + MAGIC)


def _plain(values: Sequence[str] | Sequence[int]) -> tuple[bytes, int]:
    if values and isinstance(values[0], int):
        return struct.pack(f"<{len(values)}q", *values), _INT64
    encoded = [str(value).encode() for value in values]
    return b"".join(struct.pack("<I", len(text)) + text for text in encoded), _BYTE_ARRAY


def _chunk(name: str, kind: int, count: int, offset: int, size: int) -> bytes:
    metadata = _struct(
        (1, _I32, _varint(kind)),
        (2, _LIST, _list(_I32, [_varint(_PLAIN)])),
        (3, _LIST, _list(_BINARY, [_binary(name)])),
        (4, _I32, _varint(_UNCOMPRESSED)),
        (5, _I64, _varint(count)),
        (6, _I64, _varint(size)),
        (7, _I64, _varint(size)),
        (9, _I64, _varint(offset)),
    )
    return _struct((2, _I64, _varint(offset)), (3, _STRUCT, metadata))


def _footer(
    columns: Sequence[tuple[str, Sequence[str] | Sequence[int]]],
    chunks: Sequence[bytes],
    count: int,
    size: int,
    created_by: str,
) -> bytes:
    elements = [_struct((4, _BINARY, _binary("row")), (5, _I32, _varint(len(columns))))]
    for name, values in columns:
        kind = _plain(values[:1])[1]
        members = [(1, _I32, _varint(kind)), (3, _I32, _varint(_REQUIRED)), (4, _BINARY, _binary(name))]
        if kind == _BYTE_ARRAY:
            members.append((6, _I32, _varint(_UTF8)))
        elements.append(_struct(*members))
    group = _struct(
        (1, _LIST, _list(_STRUCT, chunks)),
        (2, _I64, _varint(size)),
        (3, _I64, _varint(count)),
    )
    return _struct(
        (1, _I32, _varint(1)),
        (2, _LIST, _list(_STRUCT, elements)),
        (3, _I64, _varint(count)),
        (4, _LIST, _list(_STRUCT, [group])),
        (6, _BINARY, _binary(created_by)),
    )


def _struct(*members: tuple[int, int, bytes]) -> bytes:
    out, last = bytearray(), 0
    for place, kind, content in members:
        out.append((place - last) << 4 | kind)
        out += content
        last = place
    return bytes(out + b"\0")


def _list(kind: int, members: Sequence[bytes]) -> bytes:
    head = (
        bytes([len(members) << 4 | kind]) if len(members) < 15 else bytes([0xF0 | kind]) + _unsigned(len(members))
    )
    return head + b"".join(members)


def _binary(text: str) -> bytes:
    encoded = text.encode()
    return _unsigned(len(encoded)) + encoded


def _varint(number: int) -> bytes:
    """Zigzag, as signed numbers go."""
    return _unsigned(number << 1 if number >= 0 else (-number << 1) - 1)


def _unsigned(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))
