"""An attacker who has all that is owed and was collected, and knows who is in which row, looks for a vehicle.

Both describe the same duties: a duty is one unknown, in the one row of what is owed and, once it is paid, in one
row of a step, or in several by thirds. What is given back is that unknown once more, and so is what is paid again
after it. What can be made of all rows by adding and subtracting multiples is searched by elimination over the
rationals in several orders, and by adding and subtracting other rows as long as that leaves fewer vehicles. Towns
pay until hardly anybody is left, which is where it would show.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations
from random import Random

import pytest

from avarez.figures import merging
from avarez.figures.cells import COLLECTED, SUBJECTS_MIN, CellKey, Share, Tally
from avarez.figures.owed import rule
from avarez.figures.owed.rule import Basis, Charges, CityOwed, Owed
from avarez.figures.steps import Run, Watch
from tests.unit.figures.unknowns import Line, eliminated, line_of, pared, unknown

YEARS = (1402, 1403, 1404)
RUNNING = 1405
STEPS = 16
PARTS = 3
CLASSES = ("passenger",) * 9 + ("truck",) * 4 + ("bus",) * 2 + ("motorcycle",) * 3 + ("van",)
TOWNS = 60 if os.environ.get("AVAREZ_PROVE") == "1" else 8
BASIS = Basis(date(2026, 11, 27), (1,), "a" * 64)
Duty = tuple[int, int]
"""A vehicle and a year."""


@dataclass
class Town:
    """Vehicles by lot; each duty's amount is an unknown of its own, so that a sum says which duties are in it."""

    random: Random
    guests: int = 0
    """Cars a day that pay the year that runs and owe nothing else."""
    refunds: bool = False
    """Whether payers of a row get their money back, all but one or two, and whether some pay by parts."""
    least: int = SUBJECTS_MIN
    """Of a row of what is owed."""
    closing: bool = True
    state: bool = False
    """Whether what is still open is published after every step, as nobody should."""
    watch: Watch = field(default_factory=lambda: Watch(CityOwed("TEHRAN")))
    run: Run = field(default_factory=Run)
    paid: dict[Duty, int] = field(default_factory=dict)
    """Thirds of each duty."""
    keys: dict[Duty, CellKey] = field(default_factory=dict)
    collected: list[int] = field(default_factory=list)
    """The sums of every row of a step."""
    told: list[int] = field(default_factory=list)
    """The sums of every row of what is owed."""

    def __post_init__(self) -> None:
        count = self.random.randrange(36, 44)
        self.classes = [self.random.choice(CLASSES) for _ in range(count)]
        since = [self.random.choice((*YEARS, YEARS[0])) for _ in range(count)]
        self.duties = [(vehicle, year) for vehicle in range(count) for year in YEARS if since[vehicle] <= year]
        self.classes += ["passenger"] * (STEPS * self.guests)
        self.coming = [(vehicle, RUNNING) for vehicle in range(count, len(self.classes))]
        self.duties += self.coming
        self.third = {duty: unknown(place) for place, duty in enumerate(self.duties)}

    @property
    def steps(self) -> int:
        return self.watch.steps

    @property
    def owed(self) -> CityOwed:
        return self.watch.city

    def lives(self) -> Town:
        """Steps until nearly everybody has paid; what is owed is told as soon as it may be."""
        for day in range(STEPS):
            for vehicle, year in self.coming[day * self.guests : (day + 1) * self.guests]:
                self._pay(vehicle, [year])
            self._pays(self.random.choice((4, 7, 10, 14)))
            if self.refunds and day % 3 == 2:
                self._gives_back()
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
            duty = vehicle, year
            key = CellKey(COLLECTED, "1405-08", str(year), self.classes[vehicle], channel, "")
            begun = self.paid.get(duty, 0)
            parts = 1 if begun or (self.refunds and self.random.random() < 0.15) else PARTS
            self.run.take([Share(key, str(vehicle), parts * self.third[duty], 1, first=parts == PARTS)])
            self.paid[duty], self.keys[duty] = begun + parts, key

    def _gives_back(self) -> None:
        """All but one or two of those who paid in one row are given it back."""
        rows = [[of for of in self._duties(rial) if self.paid.get(of) == PARTS] for rial in self.collected]
        rows = [row for row in rows if 5 <= len(row) <= 12]
        for duty in self.random.choice(rows)[self.random.choice((1, 1, 2)) :] if rows else ():
            rial = PARTS * self.third[duty]
            self.run.take([Share(self.keys[duty], str(duty[0]), -rial, 0, first=False, gives_back=True)])
            del self.paid[duty]

    def _unpaid(self, vehicle: int) -> list[int]:
        return [year for of, year in self.duties if of == vehicle and self.paid.get((of, year), 0) < PARTS]

    def _step(self) -> None:
        rows = self.watch.rows(self.run) if self.closing else merging.merged(self.run.tallies)
        if rows:
            self.collected += [rial for rial, _ in rows.values()]
            self.watch.took(self.run)
            self.run = Run()

    def _tells(self) -> None:
        cells: dict[tuple[int, str], Owed] = {}
        for vehicle, year in self.duties:
            if year == RUNNING or (self.state and self.paid.get((vehicle, year), 0) == PARTS):
                continue
            cell = cells.get((year, self.classes[vehicle]), Owed(0, 0))
            rial = cell.rial + PARTS * self.third[vehicle, year]
            cells[year, self.classes[vehicle]] = Owed(rial, cell.vehicles + 1)
        for year in sorted({year for year, _ in cells} - {of.year for of in self.owed.years}):
            payers = {} if self.state else self.watch.memory.payers
            of = rule.told_year(Charges(BASIS, cells), year, payers, self.steps, least=self.least)
            if of is not None:
                self.told += [row.rial for row in of.rows.values()]
                if not self.state:
                    self.watch.city = CityOwed(self.owed.municipality, (*self.owed.years, of))

    def _duties(self, rial: int) -> list[Duty]:
        return [
            duty for duty, value in zip(self.duties, line_of(rial, len(self.duties)), strict=True) if value > 0
        ]

    # -- the attack ----------------------------------------------------------------------------------

    def found(self) -> set[int]:
        """The vehicles of every sum that an attacker can make of fewer than five."""
        made = [*self._by_elimination(), *self._by_paring()]
        groups = [{of for (of, _), value in zip(self.duties, line, strict=True) if value} for line in made]
        return set().union(*(group for group in groups if 0 < len(group) < SUBJECTS_MIN))

    def _by_elimination(self) -> Iterator[Line]:
        matrix = [line_of(rial, len(self.duties)) for rial in (*self.collected, *self.told)]
        unpaid_last = sorted(range(len(self.duties)), key=lambda place: self.duties[place] not in self.paid)
        for order in (unpaid_last, self.random.sample(unpaid_last, len(unpaid_last))):
            back = sorted(range(len(order)), key=order.__getitem__)
            for line in eliminated([[line[place] for place in order] for line in matrix]):
                yield [line[place] for place in back]

    def _by_paring(self) -> Iterator[Line]:
        """Any few rows of what is owed, and each row of a step, with rows of steps added or taken off."""
        collected = [line_of(rial, len(self.duties)) for rial in self.collected]
        told = [line_of(rial, len(self.duties)) for rial in self.told]
        for size in (1, 2, len(told)):
            for chosen in combinations(told, size):
                yield pared([sum(column) for column in zip(*chosen, strict=True)], collected)
        for place, line in enumerate(collected):
            yield pared(line, collected[:place] + collected[place + 1 :])


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


def test_nor_do_they_where_money_goes_back_and_is_paid_by_parts() -> None:
    lived = towns(6, refunds=True)
    assert sum(len(town.watch.memory.returned) for town in lived) > 8 * TOWNS
    assert sum(town.steps for town in lived) > 12 * TOWNS
    assert [town.found() for town in lived] == [set()] * TOWNS


def test_the_same_attack_finds_dozens_where_every_cell_is_told() -> None:
    assert sum(len(town.found()) for town in towns(least=1, closing=False)) > 24


def test_the_same_attack_finds_vehicles_where_collected_knows_nothing_of_owed() -> None:
    assert sum(len(town.found()) for town in towns(closing=False)) > 10


def test_the_same_attack_finds_dozens_where_what_is_open_is_told_again_and_again() -> None:
    assert sum(len(town.found()) for town in towns(state=True, closing=False)) > 24


def test_the_same_attack_finds_vehicles_where_what_was_given_back_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    def counted(self: Run, shares: list[Share]) -> None:
        apart = {True: "refunded", False: "online"}
        keys = [share.key._replace(channel=apart[share.gives_back]) for share in shares]
        taken(self, [share._replace(first=True, key=key) for share, key in zip(shares, keys, strict=True)])
        self.memory.returned.clear()

    taken = Run.take
    monkeypatch.setattr(Run, "take", counted)
    assert sum(len(town.found()) for town in towns(6, refunds=True)) > 3


def test_a_step_whose_rows_are_all_closed_waits() -> None:
    of = rule.YearOwed(1404, BASIS, 0, {"bus": Owed(90, 12)})
    key = CellKey(COLLECTED, "1405-08", "1404", "bus", "online", "")
    tally = tally_of(range(5), 80, 11)
    shut = rule.closed(CityOwed("TEHRAN", (of,)), {("1404", "bus"): 11}, 0)
    assert merging.merged({key: tally}, closed=shut) is None
    other = key._replace(vehicle_class="truck")
    rows = merging.merged({key: tally, other: tally_of(range(5, 10), 70, 6)}, closed=shut)
    assert rows == {key._replace(vehicle_class="merged"): (150, 17)}, "whose five go with them"
    rows = merging.merged({key: tally, other: tally_of(range(5, 15), 70, 10)}, closed=shut)
    assert rows == {key._replace(vehicle_class="merged"): (85, 16), other: (65, 5)}, "or of whose ten five do"


def tally_of(vehicles: range, rial: int, count: int) -> Tally:
    """These vehicles with a rial and a payment each; the rest is of nobody who counts."""
    return Tally(rial, count, {str(number): (1, 1) for number in vehicles})
