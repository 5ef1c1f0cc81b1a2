"""The files of what a city is owed: the same rows as CSV, JSON and Parquet, each year with what it rests on."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from avarez.canonical import canonical_bytes
from avarez.figures.files import BYTE_ORDER_MARK, FiguresUnsound, named
from avarez.figures.owed.rule import Basis, CityOwed, Owed, YearOwed
from avarez.figures.parquet import parquet_bytes
from avarez.jalali import format_jalali
from avarez.money import format_rial, parse_rial

SCHEMA: Final = 1
RULE: Final = 1
COLUMNS: Final = ("duty_year", "vehicle_class", "rial", "vehicles")
TABLE: Final = ("municipality", "as_of", *COLUMNS)
"""Columns of CSV and Parquet; `as_of` is the day of the row's year, `1405-09-06`."""


def totals(city: CityOwed) -> dict[str, Any]:
    """What the rows come to; `duties` are one vehicle's of one year each."""
    rows = [row for of in city.years for row in of.rows.values()]
    return {
        "owed_rial": format_rial(sum(row.rial for row in rows)),
        "duties": sum(row.vehicles for row in rows),
    }


def owed_files(city: CityOwed) -> dict[str, bytes]:
    """The city's rows in each format, by format."""
    rows = _table(city)
    columns = [(name, [row[place] for row in rows]) for place, name in enumerate(TABLE)]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerows((TABLE, *rows))
    document = {
        "schema": SCHEMA,
        "rule": RULE,
        "municipality": city.municipality,
        "totals": totals(city),
        "years": [_year_told(of) for of in city.years],
        "columns": list(COLUMNS),
        "rows": [
            [str(of.year), name, format_rial(r.rial), r.vehicles] for of in city.years for name, r in _rows(of)
        ],
    }
    return {
        "csv": (BYTE_ORDER_MARK + out.getvalue()).encode(),
        "json": canonical_bytes(document),
        "parquet": parquet_bytes(columns, f"avarez owed schema {SCHEMA}"),
    }


def owed_entry(city: CityOwed, files: Mapping[str, bytes]) -> dict[str, Any]:
    """What the manifest says of it."""
    years = [of.year for of in city.years]
    return {"years": years, "totals": totals(city), "files": named(files)}


def owed_from(content: bytes) -> CityOwed:
    """What the JSON file says.

    Raises:
        FiguresUnsound: it is none of ours, its totals are not those of its rows, or a year does not say what it
            was computed from.
    """
    try:
        document = json.loads(content)
        if (document["schema"], document["rule"], document["columns"]) != (SCHEMA, RULE, list(COLUMNS)):
            raise FiguresUnsound("a file of another form")
        rows: dict[int, dict[str, Owed]] = {}
        for year, name, rial, vehicles in document["rows"]:
            rows.setdefault(int(year), {})[str(name)] = Owed(parse_rial(rial), int(vehicles))
        years = tuple(
            YearOwed(int(of["duty_year"]), _basis(of), int(of["steps"]), rows.pop(int(of["duty_year"]), {}))
            for of in document["years"]
        )
        city = CityOwed(str(document["municipality"]), years)
        sound = not rows and owed_files(city)["json"] == content
    except FiguresUnsound:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FiguresUnsound("a file that cannot be read") from error
    if not sound:
        raise FiguresUnsound("a file whose totals are not those of its rows")
    return city


def table_of_csv(content: bytes) -> list[tuple[Any, ...]]:
    """The rows of the CSV file. Raises: FiguresUnsound."""
    try:
        head, *lines = csv.reader(io.StringIO(content.decode("utf-8-sig")))
        if tuple(head) != TABLE:
            raise FiguresUnsound("a table with other columns")
        return [(*line[:-2], int(line[-2]), int(line[-1])) for line in lines]
    except FiguresUnsound:
        raise
    except (ValueError, IndexError) as error:
        raise FiguresUnsound("a table that cannot be read") from error


def same_table(city: CityOwed, content: bytes) -> bool:
    """Whether the CSV file has the document's rows. Raises: FiguresUnsound."""
    return table_of_csv(content) == _table(city)


def _table(city: CityOwed) -> list[tuple[Any, ...]]:
    return [
        (city.municipality, format_jalali(of.basis.as_of), str(of.year), name, row.rial, row.vehicles)
        for of in city.years
        for name, row in _rows(of)
    ]


def _rows(of: YearOwed) -> list[tuple[str, Owed]]:
    return sorted(of.rows.items())


def _year_told(of: YearOwed) -> dict[str, Any]:
    return {
        "duty_year": of.year,
        "as_of": of.basis.as_of.isoformat(),
        "as_of_jalali": format_jalali(of.basis.as_of),
        "roll_versions": list(of.basis.roll_versions),
        "tariff_version": of.basis.tariff_version,
        "commitment": {"sequence": of.basis.sequence, "hash": of.basis.hash},
        "steps": of.steps,
    }


def _basis(told: Mapping[str, Any]) -> Basis:
    """Raises: FiguresUnsound where a year does not say what it was computed from."""
    basis = Basis(
        date.fromisoformat(told["as_of"]),
        tuple(int(version) for version in told["roll_versions"]),
        str(told["tariff_version"]),
        int(told["commitment"]["sequence"]),
        str(told["commitment"]["hash"]),
    )
    if not basis.roll_versions or not basis.tariff_version or len(basis.hash) != len(Basis().hash):
        raise FiguresUnsound("a year that does not say what it was computed from")
    return basis
