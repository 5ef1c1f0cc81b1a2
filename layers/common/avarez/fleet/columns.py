"""The file of a roll's facts as columns: what an assessment rests on, and nothing of any owner.

A header line of JSON (schema, rows, names, columns with their types), then the columns' bytes one after the
other, little-endian. A million vehicles take some 80 MB and are read in a fraction of a second. Standard
library only.
"""

from __future__ import annotations

import hashlib
import json
import sys
from array import array
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import IO, Any, Final

from avarez.assessment.model import Fuel, ModelCalendar, Origin, Vehicle, VehicleClass
from avarez.jalali import read_jalali
from avarez.plates import PlateKind, parse_plate
from avarez.roll.rows import RollRow

SCHEMA: Final = 1
UNKNOWN: Final = -1
"""Stands for a figure that the roll does not give."""
KEY_BYTES: Final = 16
PLATE_BYTES: Final = 32
"""Longer than any plate's key: `X-` and a chassis number of 25."""
COLUMN_TYPES: Final[Mapping[str, str]] = {
    "vehicle_class": "b",
    "origin": "b",
    "fuel": "b",
    "plate_kind": "b",
    "gregorian": "b",
    "ended": "b",
    "model_year": "h",
    "cylinders": "h",
    "displacement_cc": "i",
    "name": "i",
    "sale_day": "i",
    "residence_day": "i",
    "base_price_rial": "q",
}
"""Type codes of `array`: b 1 byte, h 2, i 4, q 8. Days are proleptic Gregorian ordinals, 0 unknown."""

CLASSES: Final = tuple(VehicleClass)
ORIGINS: Final = tuple(Origin)
FUELS: Final = tuple(Fuel)
PLATE_KINDS: Final = tuple(PlateKind)


class ColumnWriter:
    """Gathers vehicles row by row, about 70 bytes each, and writes them as one file."""

    def __init__(self) -> None:
        self._columns: dict[str, array[int]] = {name: array(code) for name, code in COLUMN_TYPES.items()}
        self._keys = bytearray()
        self._plates = bytearray()
        self._names: dict[tuple[str, str], int] = {}
        self._codes: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._columns["name"])

    def add(self, vehicle: Vehicle) -> None:
        """One vehicle without plate or numbers; no other replaces it."""
        self._add(
            vehicle,
            vehicle.vehicle_class,
            UNKNOWN if vehicle.plate_kind is None else PLATE_KINDS.index(vehicle.plate_kind),
            _ordinal(vehicle.sale_date),
            _ordinal(vehicle.residence_from),
            ended=False,
            plate="",
            identity=str(len(self)),
        )

    def add_row(self, row: RollRow) -> None:
        """One row of a roll; a later roll's row of the same plate and vehicle will replace it."""
        self._add(
            row,
            row.vehicle_class,
            PLATE_KINDS.index(parse_plate(row.plate).kind),
            _day_of(row.sale_date_jalali),
            _day_of(row.residence_from_jalali),
            ended=row.ended,
            plate=row.plate,
            identity=row.vin or f"{row.chassis}\x1f{row.engine}",
        )

    def _add(
        self,
        facts: Vehicle | RollRow,
        vehicle_class: str,
        plate_kind: int,
        sale_day: int,
        residence_day: int,
        *,
        ended: bool,
        plate: str,
        identity: str,
    ) -> None:
        columns = self._columns
        columns["vehicle_class"].append(self._code(vehicle_class, CLASSES))
        columns["origin"].append(self._code(facts.origin, ORIGINS))
        columns["fuel"].append(self._code(facts.fuel, FUELS))
        columns["plate_kind"].append(plate_kind)
        columns["gregorian"].append(facts.model_calendar == ModelCalendar.GREGORIAN)
        columns["ended"].append(ended)
        columns["model_year"].append(facts.model_year)
        columns["cylinders"].append(UNKNOWN if facts.cylinders is None else facts.cylinders)
        columns["displacement_cc"].append(UNKNOWN if facts.displacement_cc is None else facts.displacement_cc)
        columns["name"].append(self._names.setdefault((facts.make, facts.model), len(self._names)))
        columns["sale_day"].append(sale_day)
        columns["residence_day"].append(residence_day)
        columns["base_price_rial"].append(facts.base_price_rial)
        self._keys += hashlib.blake2b(f"{plate}\x1e{identity}".encode(), digest_size=KEY_BYTES).digest()
        self._plates += plate.encode()[:PLATE_BYTES].ljust(PLATE_BYTES, b"\0")

    def _code(self, value: str, known: tuple[str, ...]) -> int:
        code = self._codes.get(value)
        if code is None:
            code = self._codes[value] = known.index(value)
        return code

    def write(self, file: IO[bytes]) -> None:
        """Writes the file."""
        header = {
            "schema": SCHEMA,
            "rows": len(self),
            "columns": dict(COLUMN_TYPES),
            "names": [list(name) for name in self._names],
        }
        file.write(json.dumps(header, ensure_ascii=False).encode() + b"\n")
        for column in self._columns.values():
            if sys.byteorder == "big":
                column.byteswap()
            file.write(column.tobytes())
        file.write(self._keys)
        file.write(self._plates)


def _ordinal(day: date | None) -> int:
    return 0 if day is None else day.toordinal()


@lru_cache(maxsize=65_536)
def _day_of(jalali: str) -> int:
    return _ordinal(read_jalali(jalali)) if jalali else 0


def read_header(file: IO[bytes]) -> dict[str, Any]:
    """The header; the file then stands at the first column.

    Raises:
        ValueError: no such file, or one of another schema.
    """
    header = json.loads(file.readline())
    if not isinstance(header, dict) or header.get("schema") != SCHEMA or header.get("columns") != COLUMN_TYPES:
        raise ValueError("no column file of this schema")
    return header
