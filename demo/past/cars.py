"""Who pays when, how much and by which channel: plausible, drawn by lot, and the same for the same day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Final

from avarez.clock import tehran_today
from avarez.jalali import JalaliDate, to_gregorian, to_jalali
from avarez.journal import YearAmount

CARS: Final[Mapping[str, int]] = {
    "TEHRAN": 7_900,
    "MASHHAD": 4_200,
    "ISFAHAN": 3_100,
    "SHIRAZ": 2_500,
    "TABRIZ": 2_100,
}
"""So many that the payments of three years are more than fifty thousand."""
REGION: Final[Mapping[str, int]] = {"TEHRAN": 99, "MASHHAD": 32, "ISFAHAN": 67, "SHIRAZ": 93, "TABRIZ": 35}
"""On the plates; no car of the rolls has one of these."""
WHOLE_YEARS: Final = 3
PAYS_A_YEAR: Final = 0.87
"""How many pay in a year; the others' year waits for their next visit."""
WEIGHT_OF_MONTH: Final = (6, 5, 5, 5, 5, 6, 7, 7, 8, 9, 12, 25)
"""From Farvardin to Esfand: most come before the year ends."""
CLASSES: Final = (
    ("passenger", 62, 4_200_000),
    ("motorcycle", 17, 520_000),
    ("pickup_single", 8, 3_600_000),
    ("taxi", 4, 2_100_000),
    ("truck", 4, 11_500_000),
    ("pickup_double", 2, 3_900_000),
    ("minibus", 2, 5_200_000),
    ("bus", 1, 9_800_000),
)
"""Class, how many in a hundred, and about what a year costs this year, in rial."""
DEARER_A_YEAR_PERCENT: Final = 24
LATE_PERCENT: Final = 24
"""Of a year's duty for each year that it is late: two per cent a month."""
ONLINE_OF: Final = (0.58, 0.66, 0.74, 0.79)
OFFICE_OF: Final = (0.27, 0.22, 0.17, 0.14)
"""By year, the oldest first; the rest pays a bill at a bank."""
REFUNDS: Final = 0.012
OPENS_AT: Final = timedelta(hours=4, minutes=30)
"""Of an office's day in UTC; it is eight hours long."""
OPEN_S: Final = 8 * 3600


@dataclass
class Car:
    """A car of the past, and the years that it has not paid."""

    number: int
    vehicle_class: str
    cost_rial: int
    owed: list[int]


@dataclass(frozen=True, slots=True)
class Visit:
    """A car comes to pay all that it owes; `lot` is for whatever else is drawn about it."""

    at: datetime
    car: Car
    channel: str
    years: tuple[YearAmount, ...]
    refund: bool


class Traffic:
    """The visits of one city up to a day."""

    def __init__(self, city: str, through: date, *, percent: int = 100) -> None:
        self.random = Random(f"avarez past {city}")  # noqa: S311 - repeatable on purpose
        self._through = through
        self._last_year = to_jalali(through).year
        names = [name for name, _, _ in CLASSES]
        abouts = {name: about_rial for name, _, about_rial in CLASSES}
        weights = [weight for _, weight, _ in CLASSES]
        self._cars: list[Car] = []
        for number in range(CARS[city] * percent // 100):
            name = self.random.choices(names, weights)[0]
            self._cars.append(Car(number, name, abouts[name] * self.random.randint(55, 190) // 100, []))

    def visits(self) -> Iterator[Visit]:
        """In their order."""
        first = self._last_year - WHOLE_YEARS
        for year in range(first, self._last_year + 1):
            comes = []
            for car in self._cars:
                car.owed.append(year)
                if self.random.random() < PAYS_A_YEAR:
                    comes.append((self._instant(year), car.number))
            for at, number in sorted(comes):
                if tehran_today(at) > self._through:
                    return
                yield self._visit(at, self._cars[number], year, year - first)

    def _visit(self, at: datetime, car: Car, year: int, place: int) -> Visit:
        years = tuple(YearAmount(of, self._cost(car, of, year)) for of in car.owed)
        car.owed.clear()
        draw = self.random.random()
        online, office = ONLINE_OF[place], ONLINE_OF[place] + OFFICE_OF[place]
        channel = "gateway" if draw < online else "pos" if draw < office else "bill"
        return Visit(at, car, channel, years, self.random.random() < REFUNDS)

    def _instant(self, year: int) -> datetime:
        """Some second of an office's day in the year."""
        month = self.random.choices(range(1, 13), WEIGHT_OF_MONTH)[0]
        day = to_gregorian(JalaliDate(year, month, self.random.randint(1, 29)))
        opening = datetime(day.year, day.month, day.day, tzinfo=UTC) + OPENS_AT
        return opening + timedelta(seconds=self.random.randrange(OPEN_S))

    def _cost(self, car: Car, of: int, in_year: int) -> int:
        """What the year costs, dearer each year, and late by whole years."""
        cost_rial = car.cost_rial
        for _ in range(self._last_year - of):
            cost_rial = cost_rial * 100 // (100 + DEARER_A_YEAR_PERCENT)
        return cost_rial + cost_rial * LATE_PERCENT * (in_year - of) // 100


def plate_of(city: str, car: Car) -> str:
    """The plate of a car of the past."""
    return f"{11 + car.number % 80}B{111 + car.number // 80}-{REGION[city]}"
