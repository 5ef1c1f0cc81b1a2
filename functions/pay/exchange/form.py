"""The files of a batch; which field stands in which column is data. Pure but for reading `columns.json`."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib import resources
from typing import Any, Final

from avarez.canonical import canonical_bytes
from avarez.csv_lines import BYTE_ORDER_MARK, csv_line
from functions.pay.exchange.records import Record

_NEGATIVE: Final = re.compile(r"-[1-9][0-9]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the files, and the record's field that stands in it."""

    column: str
    field: str
    name_fa: str


@dataclass(frozen=True, slots=True)
class File:
    """A file of a batch, or its manifest."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        return sha256(self.content).hexdigest()


@functools.cache
def columns() -> tuple[Column, ...]:
    """The columns in their order.

    Raises:
        ValueError: a column stands twice, or its field is none of a record's.
    """
    text = resources.files(__package__).joinpath("columns.json").read_text(encoding="utf-8")
    return read_columns(json.loads(text))


def read_columns(told: Any) -> tuple[Column, ...]:
    """The columns in a document. Raises ValueError as `columns` does."""
    found = tuple(Column(one["column"], one["field"], one["fa"]) for one in told["columns"])
    if len({one.column for one in found}) != len(found):
        raise ValueError("a column stands twice")
    unknown = {one.field for one in found} - set(Record.__dataclass_fields__)
    if unknown:
        raise ValueError(f"no field of a record: {', '.join(sorted(unknown))}")
    return found


def file_name(number: int, ending: str) -> str:
    """`exchange-000000000007.csv`; numbers have as many digits as their keys, so that names sort."""
    return f"exchange-{number:012d}.{ending}"


def files_of(number: int, records: Sequence[Record], form: Sequence[Column]) -> tuple[File, ...]:
    """The records as JSON Lines and as CSV; their bytes follow from the records alone."""
    rows = [record.told() for record in records]
    lines = b"".join(canonical_bytes({one.column: row[one.field] for one in form}) + b"\n" for row in rows)
    table = csv_line([one.column for one in form])
    table += "".join(_line([str(row[one.field]) for one in form]) for row in rows)
    return (
        File(file_name(number, "jsonl"), lines),
        File(file_name(number, "csv"), (BYTE_ORDER_MARK + table).encode()),
    )


def _line(cells: Sequence[str]) -> str:
    """A line of the table. A negative amount stays the number that it is."""
    return csv_line([int(cell) if _NEGATIVE.fullmatch(cell) else cell for cell in cells])
