"""An attacker who has every file of every publication looks for one vehicle by adding and subtracting.

The first attack reads only what is published and looks for numbers that are one vehicle's. The second knows which
vehicle is in which row, and shows that no combination of rows is of fewer than five. Both find vehicles where the
rule is off, so they can find some. What is given back is minus what was paid, as an attacker who knows of the
refund would reckon, and who pays the same duty again pays the same.
"""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import combinations
from random import Random
from typing import Any

import pytest

from avarez.figures import cells, merging
from avarez.figures.cells import CERTIFIED, SUBJECTS_MIN, CellKey, Share
from avarez.figures.files import Rows
from avarez.figures.owed.rule import CityOwed
from avarez.figures.steps import Run, Watch
from avarez.journal import YearAmount
from functions.pay.rules.records import Payment
from tests.unit.figures.figures_desk import Desk
from tests.unit.figures.figures_events import BEGIN, CITY, City
from tests.unit.figures.unknowns import Line, eliminated, line_of, pared, unknown

LARGE = 10**13
"""Amounts by lot from so many that no two of them, or of their sums, are equal by chance."""


def published(days: int, every: int = 1) -> tuple[Desk, City]:
    """A city of a few payments a day, published every so many days; some days are too small to tell of.

    On some days all pay alike, so that they are one row; now and then all of them but one get it back on another
    day, and some of those pay again.
    """
    city = City()
    desk = Desk([city])
    alike: list[list[Payment]] = []
    for day in range(days):
        at = BEGIN + timedelta(days=day)
        same: dict[str, Any] = {"vehicle_class": "passenger", "channel": "pos"} if day % 3 == 0 else {}
        paid = []
        for number in range(city.random.choice((6, 9, 15) if same else (0, 2, 4, 9, 15))):
            years = tuple(YearAmount(year, LARGE + city.random.randrange(LARGE)) for year in (1404, 1405))
            paid.append(_paid(city, at, years, f"ve_{day}_{number}", same))
        if day % 3 == 1 and alike and city.random.random() < 0.7:
            for payment in alike.pop()[1:]:
                city.gives_back(payment, at + timedelta(hours=1))
                if city.random.random() < 0.3:
                    _paid(city, at + timedelta(hours=2), payment.years, payment.vehicle_id, same)
        alike += [paid] if same else []
        if day % every == every - 1:
            desk.publish(at)
    return desk, city


def _paid(
    city: City, at: datetime, years: tuple[YearAmount, ...], vehicle: str, same: Mapping[str, Any]
) -> Payment:
    rial = sum(part.amount_rial for part in years)
    return city.pays(at=at, years=years, rounding_rial=0, amount_rial=rial + 5_000, vehicle=vehicle, **same)


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
    seen |= {-number for number in seen}
    return {vehicle for rial, vehicle in ids.items() if any(number - rial in seen for number in seen)}


@pytest.mark.parametrize("every", [1, 10])
def test_differences_of_all_publications_find_no_vehicle(every: int) -> None:
    desk, city = published(40, every)
    assert len(desk.stood) > 15 // every
    assert len(desk.figures(CITY).steps) > 15, "a step a day, however seldom it is published"
    assert found(desk, city) == set()


def test_the_same_attack_finds_vehicles_where_small_cells_are_published(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("avarez.figures.steps.merged", functools.partial(merging.merged, least=1))
    desk, city = published(40)
    assert len(found(desk, city)) > 20


def test_the_same_attack_finds_vehicles_where_refunds_have_rows_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def apart(data: Mapping[str, Any], books: cells.Books) -> Iterator[Share]:
        for share in cells.shares_of(data, books):
            of = share.key._replace(channel="refunded") if share.gives_back else share.key
            yield share._replace(key=of, first=True)

    monkeypatch.setattr("functions.report.publishing.shares_of", apart)
    monkeypatch.setattr("avarez.figures.steps.merged", _without_returned)
    desk, city = published(40)
    assert len(found(desk, city)) > 3


def _without_returned(tallies: Any, *, returned: Callable[[Any], bool], closed: Callable[[CellKey], bool]) -> Any:
    """The rule for those who think that a refund is a vehicle like any other."""
    return merging.merged(tallies, closed=closed)


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


def key_by_lot(random: Random) -> CellKey:
    return CellKey(
        "collected",
        f"140{random.randrange(4, 6)}-{random.randrange(1, 4):02d}",
        str(1402 + random.randrange(4)),
        random.choice(("passenger", "passenger", "bus", "truck")),
        random.choice(("online", "online_owner", "online_office", "office", "bank")),
        "",
    )


def test_rows_of_a_step_divide_its_shares_into_groups_of_five_vehicles_or_more() -> None:
    random = Random("rows")
    told = waited = 0
    for _ in range(300):
        shares = []
        for place in range(random.choice((1, 3, 6, 20, 80, 300))):
            first, back = random.choice(((True, False),) * 6 + ((False, False), (False, True)))
            rial = -unknown(place) if back else unknown(place)
            shares.append(Share(key_by_lot(random), f"ve_{random.randrange(100)}", rial, 1, first, back))
        run, watch = Run(), Watch(CityOwed("TEHRAN"))
        run.take(shares)
        rows = watch.rows(run)
        counting = [of.first and of.duty not in run.memory.returned for of in shares]
        if rows is None:
            waited += 1
            assert sum(counting) < 40
            continue
        told += 1
        whole = [0] * len(shares)
        for rial, _ in rows.values():
            line = line_of(rial, len(shares))
            assert not any(mine and theirs for mine, theirs in zip(whole, line, strict=True)), "in two rows"
            whole = [mine + theirs for mine, theirs in zip(whole, line, strict=True)]
            of_row = [
                share for share, value, counts in zip(shares, line, counting, strict=True) if value and counts
            ]
            assert len({share.subject for share in of_row}) >= SUBJECTS_MIN
        assert whole == [-1 if share.gives_back else 1 for share in shares], "a share is in no row"
    assert told > 150
    assert waited > 20


@dataclass
class Life:
    """All that some publications have of a city, in which each vehicle owes one unknown: its place."""

    numbers: list[int] = field(default_factory=list)
    """Every row of every publication."""
    steps: list[list[int]] = field(default_factory=list)
    """The rows of each step."""
    vehicles: int = 0

    def lines(self, numbers: Sequence[int]) -> list[Line]:
        return [line_of(rial, self.vehicles) for rial in numbers]


def lived(random: Random, steps: int, *, refunds_count: bool = False) -> Life:
    """Steps of which some give all but one of a row's vehicles their money back, which is where one would show;
    some pay again then or later. `refunds_count` is for who thinks that a refund is a vehicle like any other.
    """
    watch, run = Watch(CityOwed("TEHRAN")), Run()
    keys: list[CellKey] = []
    held: set[int] = set()
    told: list[list[int]] = []
    rows_so_far: Rows = {}
    life = Life()
    while watch.steps < steps:
        again = [place for place in range(len(keys)) if place not in held and random.random() < 0.2]
        new = list(range(len(keys), len(keys) + random.choice((6, 8, 14))))
        keys += [key_by_lot(random)._replace(month="1405-01", vehicle_class="passenger") for _ in new]
        back = (
            [place for place in random.choice(told) if place in held][1:] if told and random.random() < 0.6 else []
        )
        held = (held | {*again, *new}) - {*back}
        shares = [Share(keys[place], f"ve_{place}", unknown(place), 1) for place in (*again, *new)]
        for place in back:
            key = keys[place]._replace(channel="refunded") if refunds_count else keys[place]
            shares.append(Share(key, f"ve_{place}", -unknown(place), 0, first=refunds_count, gives_back=True))
        run.take(shares)
        rows = merging.merged(run.tallies) if refunds_count else watch.rows(run)
        if rows:
            watch.took(run)
            run = Run()
            rows_so_far = merging.added(rows_so_far, rows)
            life.steps.append([rial for rial, _ in rows.values()])
            life.numbers += [rial for rial, _ in rows_so_far.values()]
            lines = [line_of(rial, len(keys)) for rial, _ in rows.values()]
            told += [[place for place, value in enumerate(line) if value > 0] for line in lines]
    life.vehicles = len(keys)
    return life


def few(life: Life, random: Random) -> set[int]:
    """The vehicles of every sum of fewer than five that elimination, in some orders, or paring comes upon."""
    matrix = life.lines(life.numbers)
    made = [pared(line, matrix[:place] + matrix[place + 1 :]) for place, line in enumerate(matrix)]
    for _ in range(3):
        order = random.sample(range(life.vehicles), life.vehicles)
        back = sorted(range(len(order)), key=order.__getitem__)
        for line in eliminated([[line[place] for place in order] for line in matrix]):
            made.append([line[place] for place in back])
    groups = [{place for place, value in enumerate(line) if value} for line in made]
    return set().union(*(group for group in groups if 0 < len(group) < SUBJECTS_MIN))


def test_no_combination_of_rows_of_any_publication_is_of_fewer_than_five_vehicles() -> None:
    random = Random("combinations")
    for _ in range(6):
        life = lived(random, 10)
        assert len(life.numbers) > 12
        assert few(life, random) == set()


def test_each_row_has_five_vehicles_whose_amounts_are_in_no_row_before_and_in_no_other_of_its_step() -> None:
    """From which the rest follows: in a sum of multiples of rows, those of one of the last step stay."""
    random = Random("proof")
    for _ in range(20):
        life = lived(random, 10)
        before: set[int] = set()
        for rows in life.steps:
            of_rows = [{place for place, value in enumerate(line) if value} for line in life.lines(rows)]
            for number, of_row in enumerate(of_rows):
                others = set().union(*of_rows[:number], *of_rows[number + 1 :])
                assert len(of_row - before - others) >= SUBJECTS_MIN
            before |= set().union(*of_rows)


def test_the_same_attack_finds_vehicles_where_refunds_count() -> None:
    random = Random("combinations")
    assert sum(len(few(lived(random, 10, refunds_count=True), random)) for _ in range(6)) > 3
