"""A publication's files: the same rows as CSV, JSON and Parquet, and the manifest that names them by content.

Nothing here depends on when or where it runs: the same rows give the same bytes.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from avarez.canonical import canonical_bytes
from avarez.events.chain import GENESIS
from avarez.figures.cells import COLLECTED, COLUMNS, SUBJECTS_MIN, CellKey
from avarez.figures.parquet import parquet_bytes
from avarez.money import format_rial, parse_rial

SCHEMA: Final = 2
RULE: Final = 2
"""Of the rule of merging; another rule is another number, and begins a publication of its own."""
FORMATS: Final = ("csv", "json", "parquet")
BYTE_ORDER_MARK: Final = "\ufeff"
"""So that a spreadsheet reads UTF-8."""
Rows = dict[CellKey, tuple[int, int]]


class FiguresUnsound(ValueError):
    """A file of figures that is not what its name, or the manifest, says."""


@dataclass(frozen=True, slots=True)
class Commitment:
    """Up to where a city's chain is in the figures, and the hash of the event there."""

    sequence: int = 0
    hash: str = GENESIS

    def told(self) -> dict[str, Any]:
        return {"sequence": self.sequence, "hash": self.hash}


@dataclass(frozen=True, slots=True)
class StepEnd(Commitment):
    """Where a step of a city ended: the last day of its events in Tehran (`2026-11-27`), what its rows of money
    come to, and payments."""

    day: str = ""
    rial: int = 0
    payments: int = 0


@dataclass(frozen=True, slots=True)
class CityFigures:
    """All that is published of a city. `steps` are the commitments of its steps, the last one being its own."""

    municipality: str
    steps: tuple[StepEnd, ...]
    rows: Rows

    @property
    def commitment(self) -> Commitment:
        return self.steps[-1] if self.steps else Commitment()


def totals(rows: Mapping[CellKey, tuple[int, int]]) -> dict[str, Any]:
    """What the rows come to: what is left to the city, and how many payments brought it."""
    money = [of for key, of in rows.items() if key.figure == COLLECTED]
    return {
        "collected_rial": format_rial(sum(rial for rial, _ in money)),
        "payments": sum(count for _, count in money),
    }


def step_end(sequence: int, hash_: str, day: str, rows: Mapping[CellKey, tuple[int, int]]) -> StepEnd:
    """The end of the step that these rows are of."""
    money = [of for key, of in rows.items() if key.figure == COLLECTED]
    return StepEnd(sequence, hash_, day, sum(rial for rial, _ in money), sum(count for _, count in money))


def file_name(content: bytes, form: str) -> str:
    """The name under which a file is kept and asked for: its content's SHA-256."""
    return f"{hashlib.sha256(content).hexdigest()}.{form}"


def city_files(city: CityFigures) -> dict[str, bytes]:
    """The city's rows in each format, by format."""
    return {"csv": _csv(city), "json": _json(city), "parquet": _parquet(city)}


def _table(city: CityFigures) -> list[tuple[Any, ...]]:
    return [(city.municipality, *key, rial, count) for key, (rial, count) in city.rows.items()]


def _csv(city: CityFigures) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(("municipality", *COLUMNS))
    writer.writerows(_table(city))
    return (BYTE_ORDER_MARK + out.getvalue()).encode()


def _json(city: CityFigures) -> bytes:
    rows = [[*key, format_rial(rial), count] for key, (rial, count) in city.rows.items()]
    document = {
        "schema": SCHEMA,
        "rule": RULE,
        "municipality": city.municipality,
        "commitment": city.commitment.told(),
        "steps": [_step(step) for step in city.steps],
        "totals": totals(city.rows),
        "columns": list(COLUMNS),
        "rows": rows,
    }
    return canonical_bytes(document)


def _step(step: StepEnd) -> list[Any]:
    return [step.sequence, step.hash, step.day, format_rial(step.rial), step.payments]


def _step_from(row: Sequence[Any]) -> StepEnd:
    sequence, hash_, day, rial, payments = row
    return StepEnd(int(sequence), str(hash_), str(day), parse_rial(rial), int(payments))


def _parquet(city: CityFigures) -> bytes:
    rows = _table(city)
    names = ("municipality", *COLUMNS)
    columns = [(name, [row[place] for row in rows]) for place, name in enumerate(names)]
    return parquet_bytes(columns, f"avarez figures schema {SCHEMA}")


def city_from(content: bytes) -> CityFigures:
    """The figures in a city's JSON file.

    Raises:
        FiguresUnsound: it is none of ours, or its totals are not those of its rows.
    """
    try:
        document = json.loads(content)
        if document["schema"] != SCHEMA or document["rule"] != RULE or document["columns"] != list(COLUMNS):
            raise FiguresUnsound("a file of another form")
        rows = {CellKey(*row[:-2]): (parse_rial(row[-2]), int(row[-1])) for row in document["rows"]}
        steps = tuple(_step_from(row) for row in document["steps"])
        city = CityFigures(str(document["municipality"]), steps, rows)
        sound = document["totals"] == totals(rows) and document["commitment"] == city.commitment.told()
    except FiguresUnsound:
        raise
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise FiguresUnsound("a file that cannot be read") from error
    if not sound or len(rows) != len(document["rows"]):
        raise FiguresUnsound("a file whose totals are not those of its rows")
    return city


def rows_of_csv(content: bytes) -> Rows:
    """The rows in a city's CSV file.

    Raises:
        FiguresUnsound: it is none of ours.
    """
    lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    if not lines or lines[0] != ["municipality", *COLUMNS]:
        raise FiguresUnsound("a table with other columns")
    try:
        return {CellKey(*line[1:-2]): (parse_rial(line[-2]), int(line[-1])) for line in lines[1:]}
    except (TypeError, ValueError) as error:
        raise FiguresUnsound("a table that cannot be read") from error


def entry_of(
    city: CityFigures,
    files: Mapping[str, bytes],
    planning: Mapping[str, bytes] | None = None,
    owed: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What the manifest says of a city; `planning` are its files for planners, `owed` its charges' entry."""
    return {
        **({} if planning is None else {"planning": named(planning)}),
        **({} if owed is None else {"owed": dict(owed)}),
        "municipality": city.municipality,
        "commitment": city.commitment.told(),
        "steps": len(city.steps),
        "totals": totals(city.rows),
        "rows": len(city.rows),
        "files": named(files),
    }


def named(files: Mapping[str, bytes]) -> dict[str, Any]:
    """Each file's name and size, by its format."""
    return {form: {"name": file_name(of, form), "bytes": len(of)} for form, of in files.items()}


def manifest_bytes(number: int, previous: str, published_at: str, cities: Sequence[Mapping[str, Any]]) -> bytes:
    """The manifest of publication `number`, whose name is its content's hash; `previous` names the one before."""
    document = {
        "schema": SCHEMA,
        "rule": RULE,
        "vehicles_min": SUBJECTS_MIN,
        "number": number,
        "previous": previous,
        "published_at": published_at,
        "cities": sorted(cities, key=lambda entry: str(entry["municipality"])),
    }
    return canonical_bytes(document)
