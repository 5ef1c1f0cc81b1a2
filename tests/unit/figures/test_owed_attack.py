"""An attacker who has all that is owed and was collected, and knows who is in which row, looks for a vehicle.

Both describe the same duties: a duty is one unknown, in the one row of what is owed and, once it is paid, in one
row of a step. What can be made of all rows by adding and subtracting multiples is searched by elimination over the
rationals in several orders, and by subtracting from any few rows of what is owed whatever was collected of them.
Towns pay until hardly anybody is left, which is where it would show.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations
from random import Random

import pytest

from avarez.figures import merging
from avarez.figures.cells import COLLECTED, SUBJECTS_MIN, CellKey, Tally
from avarez.figures.merging import merged
from avarez.figures.owed import rule
from avarez.figures.owed.rule import Basis, Charges, CityOwed, Owed, Payers
from tests.unit.figures.test_figures_attack import eliminated

YEARS = (1402, 1403, 1404)
RUNNING = 1405
STEPS = 16
CLASSES = ("passenger",) * 9 + ("truck",) * 4 + ("bus",) * 2 + ("motorcycle",) * 3 + ("van",)
TOWNS = 60 if os.environ.get("AVAREZ_PROVE") == "1" else 8
BASIS = Basis(date(2026, 11, 27), (1,), "a" * 64)
Duty = tuple[int, int]
"""A vehicle and a year."""


@dataclass
class Town:
    """Vehicles by lot; each duty's amount is a bit of its own, so that a sum says which duties are in it."""

    random: Random
    guests: int = 0
    """Cars a day that pay the year that runs and owe nothing else."""
    least: int = SUBJECTS_MIN
    """Of a row of what is owed."""
    closing: bool = True
    state: bool = False
    """Whether what is still open is published after every step, as nobody should."""
    owed: CityOwed = field(default_factory=lambda: CityOwed("TEHRAN"))
    payers: Payers = field(default_factory=dict)
    pending: dict[CellKey, Tally] = field(default_factory=dict)
    paid: set[Duty] = field(default_factory=set)
    lines: list[int] = field(default_factory=list)
    """The bits of every number that was published."""
    steps: int = 0

    def __post_init__(self) -> None:
        count = self.random.randrange(36, 44)
        self.classes = [self.random.choice(CLASSES) for _ in range(count)]
        since = [self.random.choice((*YEARS, YEARS[0])) for _ in range(count)]
        self.duties = [(vehicle, year) for vehicle in range(count) for year in YEARS if since[vehicle] <= year]
        self.classes += ["passenger"] * (STEPS * self.guests)
        self.coming = [(vehicle, RUNNING) for vehicle in range(count, len(self.classes))]
        self.duties += self.coming
        self.bit = {duty: 1 << place for place, duty in enumerate(self.duties)}

    def lives(self) -> Town:
        """Steps until nearly everybody has paid; what is owed is told as soon as it may be."""
        for day in range(STEPS):
            for vehicle, year in self.coming[day * self.guests : (day + 1) * self.guests]:
                self._pay(vehicle, [year])
            self._pays(self.random.choice((4, 7, 10, 14)))
            self._step()
            self._tells()
        return self

    def _pays(self, most: int) -> None:
        owing = sorted({vehicle for vehicle, year in self.duties if year != RUNNING and self._unpaid(vehicle)})
        for vehicle in self.random.sample(owing, min(most, max(len(owing) - self.random.randrange(3), 0))):
            years = self._unpaid(vehicle)
            self._pay(vehicle, years[: self.random.choice((1, len(years), len(years)))])

    def _pay(self, vehicle: int, years: list[int]) -> None:
        channel = self.random.choice(("online", "online", "office"))
        for year in years:
            key = CellKey(COLLECTED, "1405-08", str(year), self.classes[vehicle], channel, "")
            self.pending.setdefault(key, Tally()).add(self.bit[vehicle, year], 1, str(vehicle))
            self.paid.add((vehicle, year))

    def _unpaid(self, vehicle: int) -> list[int]:
        return [year for of, year in self.duties if of == vehicle and (of, year) not in self.paid]

    def _step(self) -> None:
        payers = dict(self.payers)
        for key, tally in self.pending.items():
            duty = key.duty_year, key.vehicle_class
            payers[duty] = payers.get(duty, 0) + tally.count
        shut: Callable[[CellKey], bool] = rule.closed(self.owed, payers, self.steps)
        rows = merged(self.pending, closed=shut if self.closing else lambda key: False)
        if rows:
            self.lines += [row.rial for row in rows.values()]
            self.payers, self.pending, self.steps = payers, {}, self.steps + 1

    def _tells(self) -> None:
        cells: dict[tuple[int, str], Owed] = {}
        for vehicle, year in self.duties:
            if year == RUNNING or (self.state and (vehicle, year) in self.paid):
                continue
            cell = cells.get((year, self.classes[vehicle]), Owed(0, 0))
            cells[year, self.classes[vehicle]] = Owed(cell.rial | self.bit[vehicle, year], cell.vehicles + 1)
        for year in sorted({year for year, _ in cells} - {of.year for of in self.owed.years}):
            payers = {} if self.state else self.payers
            of = rule.told_year(Charges(BASIS, cells), year, payers, self.steps, least=self.least)
            if of is not None:
                self.lines += [row.rial for row in of.rows.values()]
                if not self.state:
                    self.owed = CityOwed(self.owed.municipality, (*self.owed.years, of))

    # -- the attack ----------------------------------------------------------------------------------

    def vehicles(self, values: int | list[int], order: list[int] | None = None) -> set[int]:
        """Whose duties are in a sum of bits, or in a line of coefficients in the order of the columns."""
        if isinstance(values, int):
            return {vehicle for place, (vehicle, _) in enumerate(self.duties) if values >> place & 1}
        assert order is not None
        return {self.duties[place][0] for place, value in zip(order, values, strict=True) if value}

    def found(self) -> set[int]:
        """The vehicles of every sum that an attacker can make of fewer than five."""
        few = [of for of in (*self._by_elimination(), *self._by_subtraction()) if 0 < len(of) < SUBJECTS_MIN]
        return set().union(*few)

    def _by_elimination(self) -> Iterator[set[int]]:
        unpaid_last = sorted(range(len(self.duties)), key=lambda place: self.duties[place] not in self.paid)
        for order in (unpaid_last, self.random.sample(unpaid_last, len(unpaid_last))):
            matrix = [[line >> place & 1 for place in order] for line in self.lines]
            yield from (self.vehicles(line, order) for line in eliminated(matrix))

    def _by_subtraction(self) -> Iterator[set[int]]:
        """Any few rows of what is owed, less each row of a step that takes away more than it brings in."""
        rows = [row.rial for of in self.owed.years for row in of.rows.values()]
        collected = [line for line in self.lines if line not in rows]
        for size in (1, 2, 3, len(rows)):
            for chosen in combinations(rows, size):
                whole = sum(chosen)
                left = whole
                for line in collected:
                    if len(self.vehicles(line & whole)) >= len(self.vehicles(line & ~whole)):
                        left = left & ~line | line & ~whole
                yield self.vehicles(left)


def towns(guests: int = 0, **changes: bool | int) -> list[Town]:
    return [Town(Random(f"town {number}"), guests, **changes).lives() for number in range(TOWNS)]  # type: ignore[arg-type]


@pytest.mark.parametrize("guests", [0, 6])
def test_owed_and_collected_together_find_no_vehicle(guests: int) -> None:
    lived = towns(guests)
    assert sum(len(of.rows) for town in lived for of in town.owed.years) > 5 * TOWNS
    assert all(len(town.owed.years) == len(YEARS) for town in lived)
    assert all(len(town.duties) - len(town.paid) < SUBJECTS_MIN for town in lived), "the last ones are who shows"
    assert {town.steps == STEPS for town in lived} == {guests > 0}, "who would wait alone goes with others"
    assert [town.found() for town in lived] == [set()] * TOWNS


def test_the_same_attack_finds_dozens_where_every_cell_is_told() -> None:
    assert sum(len(town.found()) for town in towns(least=1, closing=False)) > 24


def test_the_same_attack_finds_vehicles_where_collected_knows_nothing_of_owed() -> None:
    assert sum(len(town.found()) for town in towns(closing=False)) > 10


def test_the_same_attack_finds_dozens_where_what_is_open_is_told_again_and_again() -> None:
    assert sum(len(town.found()) for town in towns(state=True, closing=False)) > 24


def test_a_step_whose_rows_are_all_closed_waits() -> None:
    of = rule.YearOwed(1404, BASIS, 0, {"bus": Owed(90, 12)})
    key = CellKey(COLLECTED, "1405-08", "1404", "bus", "online", "")
    tally = Tally(80, 11, {str(number) for number in range(5)})
    shut = rule.closed(CityOwed("TEHRAN", (of,)), {("1404", "bus"): 11}, 0)
    assert merging.merged({key: tally}, closed=shut) is None
    other = key._replace(vehicle_class="truck")
    rows = merging.merged({key: tally, other: Tally(70, 6, set("abcde"))}, closed=shut)
    assert rows is not None
    assert {(row.vehicle_class, of.rial) for row, of in rows.items()} == {("merged", 150)}
