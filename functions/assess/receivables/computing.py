"""The use case: each city's roll, the tariff in force and the city's chain become its table of receivables.

A car whose roll tells everything is counted in columns. One of which it does not (a refund, instalments, an
objection, a change that an office entered, a plate that passed on, another city's roll) is asked of its quote, one
by one. So the table's sum is the sum of the quotes of the day.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import IO, TYPE_CHECKING, Any, Final, Protocol

from avarez.assessment.trace import Assessment
from avarez.clock import tehran_today, to_rfc3339
from avarez.errors import ReceivablesNotFound, TariffMissing
from avarez.events.chain import Event, Head, faults
from avarez.jalali import to_jalali
from avarez.quotes.vehicles import VehicleRow, holder
from avarez.receivables.books import Books
from avarez.receivables.table import Commitment, Receivables, TableUnsound
from avarez.receivables.table_store import Standing

if TYPE_CHECKING:
    from avarez.assessment.tariff import Tariff
    from avarez.fleet.fleet import Fleet
    from avarez.receivables.counting import Marks, Numbers

PAGE: Final = 1_000
STEP_EVENTS_MAX: Final = 2_000_000
"""Of one city in one night; a city that is further behind takes several."""
APART_MAX: Final = 10_000
"""Cars of a city asked one by one in a night: some minutes. More are counted as their roll has them, and told."""


class Chains(Protocol):
    """The cities' chains of events, read."""

    def head(self, municipality: str) -> Head: ...

    def read(self, municipality: str, *, after: int, limit: int) -> Sequence[Event]: ...


class Facts(Protocol):
    """The columns of committed rolls."""

    def versions(self, municipalities: Sequence[str]) -> dict[str, list[int]]: ...

    def files(self, municipality: str, versions: Sequence[int]) -> Iterator[IO[bytes]]: ...


class Shelf(Protocol):
    """What was computed before."""

    def standing(self, municipality: str) -> Standing | None: ...

    def replace(self, municipality: str, before: Standing | None, after: Standing) -> bool: ...

    def books(self, standing: Standing) -> Books: ...

    def keep_books(self, municipality: str, books: Books) -> str: ...

    def keep_table(self, table: Receivables) -> str: ...

    def keep(self, content: bytes, municipality: str, form: str) -> str: ...

    def read(self, name: str) -> bytes: ...


class Cars(Protocol):
    """Single cars and their quotes."""

    def listed(self, municipality: str) -> set[str]: ...

    def on_plate(self, municipality: str, plate: str) -> Sequence[VehicleRow]: ...

    def everywhere(self, vehicle_id: str) -> Sequence[VehicleRow]: ...

    def assess(
        self, row: VehicleRow, everywhere: Sequence[VehicleRow], as_of: date, through_year: int
    ) -> Assessment: ...

    def tariff(self) -> Tariff: ...


@dataclass(slots=True)
class Outcome:
    """What a night came to. `broken` are cities whose chain does not hold; their table stays what it was."""

    done: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Desk:
    """What the computation works with."""

    chains: Chains
    facts: Facts
    shelf: Shelf
    cars: Cars


def compute(desk: Desk, cities: Sequence[str], now: datetime, time_left: Callable[[], bool]) -> Outcome:
    """The tables of these cities, whichever has waited longest first.

    A kill, a second computation and a repeated run change nothing: a table stands only after its files, and only
    in place of the one that it goes on from.
    """
    outcome = Outcome()
    versions = desk.facts.versions(cities)
    standing = {city: desk.shelf.standing(city) for city in versions}
    waited = sorted(versions, key=lambda city: of.computed_at if (of := standing[city]) else "")
    shared = _shared(desk.facts, versions)
    for city in waited:
        if not time_left():
            outcome.left.append(city)
            continue
        _city(desk, city, versions[city], standing[city], shared, now, outcome)
    return outcome


def _city(
    desk: Desk,
    city: str,
    versions: Sequence[int],
    before: Standing | None,
    shared: Numbers,
    now: datetime,
    outcome: Outcome,
) -> None:
    from avarez.receivables.counting import Roll

    tariff, today = desk.cars.tariff(), tehran_today(now)
    found = _books_before(desk.shelf, before)
    if not _take_new(desk.chains, city, found[0]):
        outcome.broken.append(city)
        return
    books, marks = found[0], found[1].with_more(found[0].marks)
    commitment = Commitment(tuple(versions), tariff.content_hash, books.sequence, books.hash, today)
    if before is not None and before.commitment == commitment:
        outcome.unchanged.append(city)
        return
    roll = Roll.of(_fleet(desk.facts, city, versions), marks)
    table = Receivables(city, commitment)
    plates = sorted(roll.apart(shared) | books.apart | desk.cars.listed(city))
    table.as_rolled = max(len(plates) - APART_MAX, 0)
    _add(table, roll, desk.cars, plates[:APART_MAX], sorted(books.vehicles_apart))
    for (year, vehicle_class), rial in books.collected.items():
        table.row(year, vehicle_class).collected_rial += rial
    packed = io.BytesIO()
    marks.write(packed)
    after = Standing(
        table=desk.shelf.keep_table(table),
        books=desk.shelf.keep_books(city, books),
        marks=desk.shelf.keep(packed.getvalue(), city, "marks"),
        commitment=commitment,
        computed_at=to_rfc3339(now),
    )
    (outcome.done if desk.shelf.replace(city, before, after) else outcome.left).append(city)


def _add(table: Receivables, roll: Any, cars: Cars, plates: Sequence[str], vehicle_ids: Iterable[str]) -> None:
    """Cars one by one by their quotes, all others of the roll in columns."""
    from avarez.fleet.engine import Question
    from avarez.receivables.counting import add_charges, add_plain

    as_of = table.commitment.as_of
    through_year = to_jalali(as_of).year
    wanted = dict.fromkeys(vehicle_ids)
    for plate in plates:
        wanted |= dict.fromkeys(row.vehicle_id for row in cars.on_plate(table.municipality, plate))
    apart = set(plates)
    for vehicle_id in wanted:
        everywhere = cars.everywhere(vehicle_id)
        here = [row for row in everywhere if row.municipality == table.municipality]
        apart |= {row.plate for row in here}
        row = holder(here)
        if row is None or (row.ended and len(here) == len(everywhere)):
            continue
        try:
            table.add_assessment(cars.assess(row, everywhere, as_of, through_year))
        except TariffMissing:
            table.vehicles += 1
            table.one_by_one += 1
            table.not_assessed += 1
    question = Question.of(cars.tariff(), table.municipality, as_of, through_year)
    add_plain(table, roll, question, apart)
    add_charges(table, roll, question)


def _books_before(shelf: Shelf, before: Standing | None) -> tuple[Books, Marks]:
    """The books and marks to go on from; the chain from its beginning where they are gone or not sound."""
    from avarez.receivables.counting import Marks

    if before is not None:
        try:
            return shelf.books(before), Marks.read(shelf.read(before.marks))
        except (ReceivablesNotFound, TableUnsound, KeyError, ValueError):
            pass
    return Books(), Marks.none()


def _take_new(chains: Chains, city: str, books: Books) -> bool:
    """Takes the events behind the books' place, proved while they are read; whether they hold."""
    first = books.sequence
    while books.sequence - first < STEP_EVENTS_MAX:
        page = chains.read(city, after=books.sequence, limit=PAGE)
        if next(faults(city, page, after_sequence=books.sequence, after_hash=books.hash), None) is not None:
            return False
        try:
            books.take(page)
        except (KeyError, TypeError, ValueError):
            return False
        if len(page) < PAGE:
            break
    return True


def _fleet(facts: Facts, city: str, versions: Sequence[int]) -> Fleet:
    """The city's committed roll: each version's file after the one before it."""
    from avarez.fleet.fleet import Fleet

    fleet: Fleet | None = None
    for file in facts.files(city, versions):
        later = Fleet.read(file)
        fleet = later if fleet is None else fleet.after(later)
    return fleet or Fleet.of(())


def _shared(facts: Facts, versions: Mapping[str, Sequence[int]]) -> Numbers:
    """The cars that stand in more than one city's roll, eight bytes a car of the country in memory."""
    import numpy as np

    from avarez.receivables.counting import key_numbers

    every = [np.unique(key_numbers(_fleet(facts, city, of))) for city, of in versions.items()]
    numbers, counts = np.unique(np.concatenate(every or [np.empty(0, np.uint64)]), return_counts=True)
    return numbers[counts > 1]
