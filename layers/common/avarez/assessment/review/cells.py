"""The cells into which a tariff's rows cut the vehicles of a class: within one, all are alike to the rows.

Each dimension (origin, fuel, plate, model year, cylinders, displacement, node) is cut where some row begins or
ends; one vehicle of each cell stands for all of it, so that "for every vehicle" can be asked by trying them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from typing import Any, Final

from avarez.assessment.model import Fuel, ModelCalendar, Origin, Vehicle, VehicleClass
from avarez.assessment.tariff.catalogue import ancestry
from avarez.assessment.tariff.rows import Scope
from avarez.plates import PlateKind

CELLS_MAX: Final = 20_000
"""Cells of one class and year that are tried; a tariff that cuts finer is looked at in part."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One vehicle that stands for its cell, its catalogue nodes, and the cell in words."""

    vehicle: Vehicle
    path: tuple[str, ...]
    words: str


def cells(vehicle_class: VehicleClass, year: int, scopes: Iterable[Scope]) -> Iterator[Cell]:
    """One vehicle of each cell that the scopes cut out of a class in a duty year, at most `CELLS_MAX`.

    Model years go to the duty year: a vehicle cannot be charged before it is made.
    """
    scopes = list(scopes)
    model_years = [value for value in _numbers([s.model_years for s in scopes], year) if value <= year]
    dimensions: tuple[Sequence[Any], ...] = (
        _names([s.origins for s in scopes], list(Origin)),
        _names([s.fuels for s in scopes], list(Fuel)),
        _names([s.plate_kinds for s in scopes], list(PlateKind)),
        model_years or [year],
        _numbers([s.cylinders for s in scopes], 4),
        _numbers([s.displacement_cc for s in scopes], 1_600),
        sorted({s.node or "" for s in scopes} | {""}),
    )
    model = Vehicle(
        vehicle_class, Origin.DOMESTIC, Fuel.PETROL, year, ModelCalendar.JALALI, "", "", 1_000_000_000
    )  # fmt: skip
    for values in islice(product(*dimensions), CELLS_MAX):
        origin, fuel, plate_kind, model_year, cylinders, displacement, node = values
        vehicle = replace(
            model, origin=origin, fuel=fuel, plate_kind=plate_kind, model_year=model_year,
            cylinders=cylinders, displacement_cc=displacement,
        )  # fmt: skip
        yield Cell(vehicle, ancestry(node) if node else (), _words(values, dimensions))


def _names(sets: Sequence[frozenset[str] | None], every: list[Any]) -> list[Any]:
    """All names where some row looks at them, else the first alone."""
    return every if any(one is not None for one in sets) else every[:1]


def _numbers(ranges: Sequence[tuple[int, int] | None], usual: int) -> list[int]:
    """The first number of each piece into which the ranges cut the numbers; `usual` alone where none does."""
    cuts = {cut for bounds in ranges if bounds for cut in (bounds[0], bounds[1] + 1)}
    if not cuts:
        return [usual]
    return sorted(cuts | {min(cuts) - 1} if min(cuts) > 0 else cuts)


_NAMES: Final = ("origin", "fuel", "plate kind", "model year", "cylinders", "cc", "node")


def _words(values: Sequence[Any], dimensions: Sequence[Sequence[Any]]) -> str:
    said = [
        f"{name} {value}"
        for name, value, choices in zip(_NAMES, values, dimensions, strict=True)
        if len(choices) > 1 and value != ""
    ]
    return ", ".join(said) or "any vehicle"
