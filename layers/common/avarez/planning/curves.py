"""How a year's collection grew, day by day, from the steps of a city's published figures. Pure.

A step's sum is a sum over five vehicles or more (`avarez.figures.merging`), and it is told by the last day of its
events; so a curve is known on the days on which a step ended, and is flat in between.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from avarez.jalali import JalaliDate, month_length, to_gregorian, to_jalali, year_start

FIRST_DAY_MAX = 31
"""A year of which the figures begin later than its first month is no whole year."""


class DayTotal(NamedTuple):
    """What the steps that ended on this day come to: what was left to the city, and payments."""

    day: date
    rial: int
    payments: int = 0


@dataclass(frozen=True, slots=True)
class Curve:
    """A Jalali year's collection so far, at the end of each day on which something was told."""

    year: int
    days: tuple[int, ...]
    cumulative_rial: tuple[int, ...]

    @property
    def total_rial(self) -> int:
        return self.cumulative_rial[-1] if self.cumulative_rial else 0

    def at(self, day_of_year: int) -> int:
        """What had been collected by the end of that day; 1 is 1 Farvardin."""
        place = bisect_right(self.days, day_of_year)
        return self.cumulative_rial[place - 1] if place else 0


def day_of_year(day: date) -> int:
    """1 for 1 Farvardin, 365 or 366 for the last of Esfand."""
    return (day - year_start(to_jalali(day).year)).days + 1


def month_ends(year: int) -> tuple[int, ...]:
    """The day of the year on which each of its twelve months ends."""
    ends, last = [], 0
    for month in range(1, 13):
        last += month_length(year, month)
        ends.append(last)
    return tuple(ends)


def year_before(day: date) -> date:
    """The same day of the Jalali calendar a year earlier; 29 Esfand for a 30th that was not there."""
    jalali = to_jalali(day)
    last = month_length(jalali.year - 1, jalali.month)
    return to_gregorian(JalaliDate(jalali.year - 1, jalali.month, min(jalali.day, last)))


def curves_of(days: Sequence[DayTotal]) -> dict[int, Curve]:
    """A curve for each year that has a day; `days` in the order of time."""
    by_year: dict[int, dict[int, int]] = {}
    for told in days:
        of_year = by_year.setdefault(to_jalali(told.day).year, {})
        place = day_of_year(told.day)
        of_year[place] = of_year.get(place, 0) + told.rial
    return {year: _curve(year, of_year) for year, of_year in sorted(by_year.items())}


def _curve(year: int, by_day: Mapping[int, int]) -> Curve:
    days = tuple(sorted(by_day))
    sums, total = [], 0
    for day in days:
        total += by_day[day]
        sums.append(total)
    return Curve(year, days, tuple(sums))


def whole_years(days: Sequence[DayTotal]) -> tuple[int, ...]:
    """The years that are over and were told from their beginning on."""
    if not days:
        return ()
    first, last = days[0].day, days[-1].day
    begun = to_jalali(first).year + (day_of_year(first) > FIRST_DAY_MAX)
    told = {to_jalali(of.day).year for of in days}
    return tuple(sorted(year for year in told if begun <= year < to_jalali(last).year))
