"""What may be told of a city's charges, and what keeps it safe beside the collected figures. Pure.

The rule, in full (also `docs/open-data.md`):
1. What a roll is charged for a duty year is told once, after the year has ended, and never again: no two numbers
   of it can be subtracted from each other. It holds those who paid as well as those who did not.
2. Each class is a row if five of its vehicles or more have not paid; the others of the year are one row together,
   which takes in the smallest class where it would be too small itself. A year with fewer is not told yet.
3. The collected figures know of it: once a step would leave fewer than five of a row unpaid, the row is closed.
   Its payments, of that step and for good, go into rows of five other vehicles or more; where there is none, the
   step waits.

So whoever subtracts what was collected from what is owed is left with five vehicles or more: those that have not
paid, or with them those that paid since the row was closed, which come with five others.

How many have not paid is never told. It is at least the row's vehicles less all payments of its duties so far,
which whoever has the events can count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from avarez.events.chain import GENESIS
from avarez.figures.cells import COLLECTED, MERGED, SUBJECTS_MIN, UNKNOWN, CellKey, Share
from avarez.jalali import to_jalali

Payers = dict[tuple[str, str], int]
"""Payments of each duty year and class since the chain's first event, as the collected figures' rows name them."""


class Owed(NamedTuple):
    """A row: rial before penalty and rounding, and vehicles."""

    rial: int
    vehicles: int


@dataclass(frozen=True, slots=True)
class Basis:
    """What a year's charges were computed from. `sequence` and `hash` are the place of the chain at the time, on
    which no rial of them depends."""

    as_of: date = date.min
    roll_versions: tuple[int, ...] = ()
    tariff_version: str = ""
    sequence: int = 0
    hash: str = GENESIS


@dataclass(frozen=True, slots=True)
class Charges:
    """What a city's roll is charged: by duty year and class."""

    basis: Basis
    cells: Mapping[tuple[int, str], Owed]


@dataclass(frozen=True, slots=True)
class YearOwed:
    """A duty year, told for good when the city's collected figures had taken so many `steps`."""

    year: int
    basis: Basis
    steps: int
    rows: Mapping[str, Owed]

    def row_of(self, vehicle_class: str) -> str:
        """The row that holds the class's vehicles; nothing where no row does."""
        if vehicle_class in self.rows:
            return vehicle_class
        return MERGED if MERGED in self.rows else ""


@dataclass(frozen=True, slots=True)
class CityOwed:
    """All that is told of a city's charges, the oldest duty year first."""

    municipality: str
    years: tuple[YearOwed, ...] = ()


def count_payers(payers: Payers, shares: Iterable[Share]) -> None:
    """Adds what these shares paid of duties."""
    for share in shares:
        if share.key.figure == COLLECTED and not share.gives_back:
            of = share.key.duty_year, share.key.vehicle_class
            payers[of] = payers.get(of, 0) + 1


def unpaid(of: YearOwed, payers: Mapping[tuple[str, str], int]) -> dict[str, int]:
    """At least so many vehicles of each row have not paid; below nothing where payments came twice.

    What does not say its year or its class may have been of any row.
    """
    untold = sum(count for (year, _), count in payers.items() if year == UNKNOWN)
    untold += payers.get((str(of.year), UNKNOWN), 0)
    left = {name: row.vehicles - untold for name, row in of.rows.items()}
    for (year, vehicle_class), count in payers.items():
        name = of.row_of(vehicle_class)
        if year == str(of.year) and vehicle_class != UNKNOWN and name:
            left[name] -= count
    return left


def told_year(
    charges: Charges, year: int, payers: Mapping[tuple[str, str], int], steps: int, *, least: int = SUBJECTS_MIN
) -> YearOwed | None:
    """The rows of a duty year; None where too few have not paid. `least` is for the test that attacks the rule."""
    rows = {name: of for (at, name), of in charges.cells.items() if at == year and of.vehicles}
    whole = YearOwed(year, charges.basis, steps, rows)
    left = unpaid(whole, payers)
    small = sorted((name for name in rows if left[name] < least), key=lambda name: (rows[name].vehicles, name))
    standing = {name: of for name, of in sorted(rows.items()) if name not in small}
    while small:
        pool = Owed(sum(rows[name].rial for name in small), sum(rows[name].vehicles for name in small))
        made = YearOwed(year, charges.basis, steps, {**standing, MERGED: pool})
        if unpaid(made, payers)[MERGED] >= least:
            return made
        if not standing:
            return None
        nearest = min(standing, key=lambda name: (standing[name].vehicles, name))
        del standing[nearest]
        small.append(nearest)
    return YearOwed(year, charges.basis, steps, standing) if standing else None


def told(city: CityOwed, charges: Charges, payers: Mapping[tuple[str, str], int], steps: int) -> CityOwed:
    """The city's years with those that have ended by the charges' day and were not told before."""
    known = {of.year for of in city.years}
    ended = {year for year, _ in charges.cells if year < to_jalali(charges.basis.as_of).year} - known
    made = (told_year(charges, year, payers, steps) for year in sorted(ended))
    years = sorted((*city.years, *(of for of in made if of is not None)), key=lambda of: of.year)
    return CityOwed(city.municipality, tuple(years))


def closed(city: CityOwed, payers: Mapping[tuple[str, str], int], steps: int) -> Callable[[CellKey], bool]:
    """Which cells may not be a row of the step after the first `steps`: after it `payers` will have paid."""
    shut: set[tuple[str, str]] = set()
    years = {str(of.year): of for of in city.years if of.steps <= steps}
    for year, of in years.items():
        shut |= {(year, name) for name, left in unpaid(of, payers).items() if left < SUBJECTS_MIN}
    if not shut:
        return _nothing
    shut_years = {year for year, _ in shut}

    def is_closed(key: CellKey) -> bool:
        if key.duty_year == UNKNOWN:
            return True
        if key.duty_year not in shut_years:
            return False
        row = years[key.duty_year].row_of(key.vehicle_class)
        return key.vehicle_class == UNKNOWN or (key.duty_year, row) in shut

    return is_closed


def _nothing(key: CellKey) -> bool:
    return False
