"""A fleet: vehicles as NumPy columns, in blocks that fit the cache."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from avarez.assessment.model import ModelCalendar, Vehicle
from avarez.fleet.columns import (
    CLASSES,
    COLUMN_TYPES,
    FUELS,
    KEY_BYTES,
    ORIGINS,
    PLATE_BYTES,
    PLATE_KINDS,
    UNKNOWN,
    ColumnWriter,
    read_header,
)
from avarez.jalali import to_jalali, year_start

BLOCK_ROWS: Final = 65_536
"""Vehicles assessed together: the working arrays of a block stay within some tens of megabytes."""
_DTYPES: Final = {"b": "<i1", "h": "<i2", "i": "<i4", "q": "<i8"}

Column = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Fleet:
    """Vehicles as columns of equal length; `names` lists the makes and models that the column `name` counts."""

    columns: Mapping[str, Column]
    names: Sequence[tuple[str, str]]
    keys: Column
    plates: Column

    def __len__(self) -> int:
        return len(self.keys)

    @classmethod
    def read(cls, file: IO[bytes]) -> Fleet:
        """The fleet of a column file (`columns.ColumnWriter`).

        Raises:
            ValueError: another schema, or bytes are missing.
        """
        header = read_header(file)
        rows = int(header["rows"])

        def column(dtype: str) -> Column:
            wanted = np.dtype(dtype).itemsize * rows
            piece = file.read(wanted)
            if len(piece) != wanted:
                raise ValueError("the column file is cut short")
            return np.frombuffer(piece, dtype=dtype)

        columns = {name: column(_DTYPES[code]) for name, code in COLUMN_TYPES.items()}
        keys, plates = column(f"V{KEY_BYTES}"), column(f"S{PLATE_BYTES}")
        return cls(columns, [(str(make), str(model)) for make, model in header["names"]], keys, plates)

    @classmethod
    def of(cls, vehicles: Iterable[Vehicle]) -> Fleet:
        """The fleet of vehicles at hand, in their order."""
        writer, file = ColumnWriter(), io.BytesIO()
        for vehicle in vehicles:
            writer.add(vehicle)
        writer.write(file)
        file.seek(0)
        return cls.read(file)

    def take(self, chosen: Column | slice) -> Fleet:
        """The vehicles at these positions, or where a mask is true."""
        columns = {name: column[chosen] for name, column in self.columns.items()}
        return Fleet(columns, self.names, self.keys[chosen], self.plates[chosen])

    def blocks(self, rows: int = BLOCK_ROWS) -> Iterator[tuple[int, Fleet]]:
        """The fleet in pieces of at most so many rows, each with the position of its first."""
        for start in range(0, len(self), rows):
            yield start, self.take(slice(start, start + rows))

    def after(self, later: Fleet) -> Fleet:
        """This roll after a later one: its rows replace those of the same plate and vehicle, others are added."""
        kept = self.take(~np.isin(_as_numbers(self.keys), _as_numbers(later.keys)))
        shift = {name: number for number, name in enumerate(self.names)}
        names = list(self.names)
        moved = []
        for name in later.names:
            if name not in shift:
                shift[name] = len(names)
                names.append(name)
            moved.append(shift[name])
        columns = {name: np.concatenate([kept.columns[name], later.columns[name]]) for name in kept.columns}
        renamed = np.asarray(moved, dtype="<i4")[later.columns["name"]] if moved else later.columns["name"]
        columns["name"] = np.concatenate([kept.columns["name"], renamed])
        return Fleet(
            columns,
            names,
            np.concatenate([kept.keys, later.keys]),
            np.concatenate([kept.plates, later.plates]),
        )

    def in_use(self) -> Fleet:
        """The vehicles that still stand in the city."""
        return self.take(self.columns["ended"] == 0)

    def vehicle(self, position: int) -> Vehicle:
        """One vehicle as the scalar engine takes it."""
        at = {name: int(column[position]) for name, column in self.columns.items()}
        make, model = self.names[at["name"]]
        return Vehicle(
            vehicle_class=CLASSES[at["vehicle_class"]],
            origin=ORIGINS[at["origin"]],
            fuel=FUELS[at["fuel"]],
            model_year=at["model_year"],
            model_calendar=ModelCalendar.GREGORIAN if at["gregorian"] else ModelCalendar.JALALI,
            make=make,
            model=model,
            base_price_rial=at["base_price_rial"],
            cylinders=None if at["cylinders"] == UNKNOWN else at["cylinders"],
            displacement_cc=None if at["displacement_cc"] == UNKNOWN else at["displacement_cc"],
            sale_date=_day(at["sale_day"]),
            residence_from=_day(at["residence_day"]),
            plate_kind=None if at["plate_kind"] == UNKNOWN else PLATE_KINDS[at["plate_kind"]],
        )

    def plate(self, position: int) -> str:
        """The plate's key; empty where the fleet came without plates."""
        return bytes(self.plates[position]).decode()

    def model_years_jalali(self, offset: int) -> Column:
        """Model years in the Jalali calendar."""
        years = self.columns["model_year"].astype(np.int32)
        return np.where(self.columns["gregorian"] == 1, years - offset, years)

    def starts(self) -> tuple[Column, Column]:
        """The Jalali year and month in which each duty begins: the sale, else the model year's first day."""
        sale = self.columns["sale_day"]
        # The days that occur are few: each is converted once.
        coded = np.where(sale > 0, sale.astype(np.int64), 0)
        model = self.columns["model_year"].astype(np.int64) * 2 + self.columns["gregorian"]
        coded = np.where(sale > 0, coded, -model)
        values, back = np.unique(coded, return_inverse=True)
        pairs = np.asarray([_start(int(value)) for value in values], dtype=np.int32).reshape(-1, 2)
        return pairs[back, 0], pairs[back, 1]


def _day(ordinal: int) -> date | None:
    return date.fromordinal(ordinal) if ordinal else None


def _start(coded: int) -> tuple[int, int]:
    if coded > 0:
        day = date.fromordinal(coded)
    else:
        year, gregorian = divmod(-coded, 2)
        day = date(year, 1, 1) if gregorian else year_start(year)
    jalali = to_jalali(day)
    return jalali.year, jalali.month


def _as_numbers(keys: Column) -> Column:
    """Half of each key as a number: enough to tell a city's vehicles apart, and quick to compare."""
    return np.ascontiguousarray(keys).view("<u8").reshape(-1, 2)[:, 0] if len(keys) else np.empty(0, "<u8")
