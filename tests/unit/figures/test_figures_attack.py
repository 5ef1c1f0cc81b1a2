"""An attacker who has every file of every publication looks for one vehicle by adding and subtracting.

The first attack reads only what is published and looks for numbers that are one vehicle's. The second knows which
vehicle is in which row, and shows that no combination of rows is of fewer than five. Both find vehicles where the
rule is off, so they can find some.
"""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import combinations
from random import Random

import pytest

from avarez.figures import merging
from avarez.figures.cells import CERTIFIED, SUBJECTS_MIN, CellKey, Tally
from avarez.figures.files import Rows
from avarez.journal import YearAmount
from tests.unit.figures.figures_desk import Desk
from tests.unit.figures.figures_events import BEGIN, CITY, City

LARGE = 10**13
"""Amounts by lot from so many that no two of them, or of their sums, are equal by chance."""


def published(days: int, every: int = 1) -> tuple[Desk, City]:
    """A city of a few payments a day, published every so many days; some days are too small to tell of."""
    city = City()
    desk = Desk([city])
    for day in range(days):
        at = BEGIN + timedelta(days=day)
        for _ in range(city.random.choice((0, 2, 4, 9, 15))):
            years = tuple(YearAmount(year, LARGE + city.random.randrange(LARGE)) for year in (1404, 1405))
            rial = sum(part.amount_rial for part in years)
            vehicle = f"ve_{city.random.randrange(60)}"  # the same vehicles come again
            payment = city.pays(at=at, years=years, rounding_rial=0, amount_rial=rial + 5_000, vehicle=vehicle)
            if city.random.random() < 0.15:
                city.gives_back(payment, at + timedelta(hours=1))
        if day % every == every - 1:
            desk.publish(at)
    return desk, city


def of_steps(desk: Desk, place: int) -> Iterator[int]:
    """What is told of each step, their sums so far, and every number of the files for planners."""
    so_far = 0
    for end in desk.figures(CITY, place).steps:
        so_far += end.rial
        yield from (end.rial, so_far)
    (entry,) = desk.manifest(place)["cities"]
    yield from map(int, re.findall(rb"\d{6,}", desk.files[entry["planning"]["json"]["name"]]))


def numbers(rows: Rows) -> Iterator[int]:
    """Every number that a reader of one file can make without thinking: rows, and their sums by any columns."""
    for size in range(len(CellKey._fields) + 1):
        for names in combinations(CellKey._fields, size):
            sums: defaultdict[tuple[str, ...], int] = defaultdict(int)
            for key, (rial, _) in rows.items():
                sums[tuple(getattr(key, name) for name in names)] += rial
            yield from sums.values()


def found(desk: Desk, city: City) -> set[str]:
    """Vehicles one of whose payments, or one year of it, is the difference of two published numbers, or is one."""
    places = range(len(desk.stood))
    seen = {0, *(number for place in places for number in numbers(desk.figures(CITY, place).rows))}
    seen |= {number for place in places for number in of_steps(desk, place)}
    ids: dict[int, str] = {}
    for payment in city.payments:
        for part in payment.years:
            ids[part.amount_rial] = payment.vehicle_id
        ids[sum(part.amount_rial for part in payment.years)] = payment.vehicle_id
    return {vehicle for rial, vehicle in ids.items() if any(number - rial in seen for number in seen)}


@pytest.mark.parametrize("every", [1, 10])
def test_differences_of_all_publications_find_no_vehicle(every: int) -> None:
    desk, city = published(40, every)
    assert len(desk.stood) > 15 // every
    assert len(desk.figures(CITY).steps) > 15, "a step a day, however seldom it is published"
    assert found(desk, city) == set()


def test_the_same_attack_finds_vehicles_where_small_cells_are_published(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = functools.partial(merging.merged, least=1)
    monkeypatch.setattr("functions.report.publishing.merged", rule)
    desk, city = published(12)
    assert len(found(desk, city)) > 20


def test_certificates_of_successive_publications_differ_by_none_or_by_five() -> None:
    desk, _ = published(40)
    for place in range(1, len(desk.stood)):
        before, after = desk.figures(CITY, place - 1).rows, desk.figures(CITY, place).rows
        assert before.keys() <= after.keys()
        for key, (_, count) in after.items():
            more = count - before.get(key, (0, 0))[1]
            assert more >= 0
            if key.figure == CERTIFIED:
                assert more == 0 or more >= SUBJECTS_MIN


# -- which vehicle is in which row --------------------------------------------------------------------------


def step(random: Random) -> tuple[dict[CellKey, Tally], dict[int, str]]:
    """A step's cells, each share a bit of its own: a sum of rial says which shares are in it."""
    tallies: dict[CellKey, Tally] = {}
    whose: dict[int, str] = {}
    for number in range(random.choice((1, 3, 6, 20, 80, 300))):
        key = CellKey(
            random.choice(("collected", "collected", "collected", "refunded")),
            f"140{random.randrange(4, 6)}-{random.randrange(1, 4):02d}",
            str(1402 + random.randrange(4)),
            random.choice(("passenger", "passenger", "bus", "truck")),
            random.choice(("online", "online_owner", "online_office", "office", "bank")),
            "",
        )
        whose[number] = f"ve_{random.randrange(100)}"
        tallies.setdefault(key, Tally()).add(1 << number, 1, whose[number])
    return tallies, whose


def vehicles(rial: int, whose: Mapping[int, str]) -> set[str]:
    return {vehicle for number, vehicle in whose.items() if rial >> number & 1}


def test_rows_of_a_step_divide_its_shares_into_groups_of_five_vehicles_or_more() -> None:
    random = Random("rows")
    told = waited = 0
    for _ in range(300):
        tallies, whose = step(random)
        rows = merging.merged(tallies)
        if rows is None:
            waited += 1
            assert len(set(whose.values())) < SUBJECTS_MIN or len(tallies) < 40
            continue
        told += 1
        whole = 0
        for row in rows.values():
            assert whole & row.rial == 0, "a share is in two rows"
            whole |= row.rial
            assert len(vehicles(row.rial, whose)) >= SUBJECTS_MIN
        assert whole == (1 << len(whose)) - 1, "a share is in no row"
    assert told > 150
    assert waited > 20


def test_no_combination_of_rows_of_any_publication_is_of_fewer_than_five_vehicles() -> None:
    """Shown by elimination over the rationals of all that four publications have together: their rows are sums of
    the steps' rows, which share nothing, so what a combination holds is a union of such groups."""
    random = Random("combinations")
    steps: list[dict[CellKey, Tally]] = []
    place = 0
    whose: dict[int, str] = {}
    while len(steps) < 4:
        tallies, told = step(random)
        moved = {key: Tally(tally.rial << place, tally.count, tally.subjects) for key, tally in tallies.items()}
        rows = merging.merged(moved)
        if rows is not None and len(told) < 100:
            steps.append(rows)
            whose |= {number + place: vehicle for number, vehicle in told.items()}
            place += len(told)
    rows_so_far: Rows = {}
    matrix: list[list[int]] = []
    for rows in steps:
        rows_so_far = merging.added(rows_so_far, rows)
        matrix += [[rial >> number & 1 for number in range(place)] for rial, _ in rows_so_far.values()]
        matrix.append([int(any(line[number] for line in matrix)) for number in range(place)])
    for line in eliminated(matrix):
        assert len({whose[number] for number, value in enumerate(line) if value}) >= SUBJECTS_MIN


def eliminated(matrix: list[list[int]]) -> list[list[int]]:
    """The reduced row echelon form, in whole numbers: of all that can be made of the lines, the shortest."""
    lines, done = [list(line) for line in matrix], 0
    for column in range(len(matrix[0])):
        pivot = next((place for place in range(done, len(lines)) if lines[place][column]), None)
        if pivot is None:
            continue
        lines[done], lines[pivot] = lines[pivot], lines[done]
        for place, line in enumerate(lines):
            if place != done and line[column]:
                by, of = line[column], lines[done][column]
                lines[place] = [of * mine - by * theirs for mine, theirs in zip(line, lines[done], strict=True)]
        done += 1
    return [line for line in lines[:done] if any(line)]
