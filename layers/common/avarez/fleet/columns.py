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
from typing import IO, Any, Final, Protocol

from avarez.assessment.model import Fuel, ModelCalendar, Origin, Vehicle, VehicleClass
from avarez.plates import PlateKind, parse_plate

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


class Facts(Protocol):
    """What a row tells of itself besides its facts; a roll's row has all of it."""

    @property
    def plate(self) -> str: ...

    @property
    def vin(self) -> str: ...

    @property
    def chassis(self) -> str: ...

    @property
    def engine(self) -> str: ...

    @property
    def ended(self) -> bool: ...


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

    def add(self, vehicle: Vehicle, row: Facts | None = None) -> None:
        """One vehicle. `row` gives plate and identity, by which a later roll's row replaces an earlier one's."""
        columns = self._columns
        columns["vehicle_class"].append(self._code(vehicle.vehicle_class, CLASSES))
        columns["origin"].append(self._code(vehicle.origin, ORIGINS))
        columns["fuel"].append(self._code(vehicle.fuel, FUELS))
        columns["plate_kind"].append(_plate_kind(vehicle, row))
        columns["gregorian"].append(vehicle.model_calendar is ModelCalendar.GREGORIAN)
        columns["ended"].append(row is not None and row.ended)
        columns["model_year"].append(vehicle.model_year)
        columns["cylinders"].append(UNKNOWN if vehicle.cylinders is None else vehicle.cylinders)
        columns["displacement_cc"].append(UNKNOWN if vehicle.displacement_cc is None else vehicle.displacement_cc)
        columns["name"].append(self._names.setdefault((vehicle.make, vehicle.model), len(self._names)))
        columns["sale_day"].append(_ordinal(vehicle.sale_date))
        columns["residence_day"].append(_ordinal(vehicle.residence_from))
        columns["base_price_rial"].append(vehicle.base_price_rial)
        plate = row.plate if row else ""
        identity = (row.vin or f"{row.chassis}\x1f{row.engine}") if row else str(len(self))
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


def _plate_kind(vehicle: Vehicle, row: Facts | None) -> int:
    if vehicle.plate_kind is not None:
        return PLATE_KINDS.index(vehicle.plate_kind)
    return UNKNOWN if row is None else PLATE_KINDS.index(parse_plate(row.plate).kind)


def read_header(file: IO[bytes]) -> dict[str, Any]:
    """The header; the file then stands at the first column.

    Raises:
        ValueError: no such file, or one of another schema.
    """
    header = json.loads(file.readline())
    if not isinstance(header, dict) or header.get("schema") != SCHEMA or header.get("columns") != COLUMN_TYPES:
        raise ValueError("no column file of this schema")
    return header
