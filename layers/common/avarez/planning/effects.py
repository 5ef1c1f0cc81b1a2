"""What followed a dated measure, such as a reminder or a discount, beside what happens anyway. Pure.

Two windows of equal length: the days before the measure's day, and the days from it on. The same two a Jalali year
earlier say what the season does by itself; the same windows of cities without such a measure say what the
country did. A difference in differences is the city's change less the change that would have been there anyway. It
is no proof: it holds as far as the city would otherwise have moved like its own past, or like the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from avarez.planning.curves import DayTotal, year_before
from avarez.planning.forecasts import PPM, ratio

DAYS_MIN: Final = 3
DAYS_MAX: Final = 120


@dataclass(frozen=True, slots=True)
class Windows:
    """What was left to the city, or to several together, in the two windows."""

    before_rial: int
    after_rial: int
    before_payments: int
    after_payments: int

    @property
    def change_ppm(self) -> int | None:
        """From the first window to the second, in parts per million of the first; None of nothing."""
        if self.before_rial <= 0:
            return None
        return ratio(self.after_rial, self.before_rial, PPM) - PPM


@dataclass(frozen=True, slots=True)
class Effect:
    """The four pairs of windows; those not wholly told are None. `against` are the cities that could be used."""

    city: Windows
    city_year_before: Windows | None
    others: Windows | None
    others_year_before: Windows | None
    against: tuple[str, ...]

    @property
    def over_own_year_ppm(self) -> int | None:
        """The city's change less its own change a year earlier."""
        return _less(self.city, self.city_year_before)

    @property
    def over_others_ppm(self) -> int | None:
        """The city's change less that of the others at the same time."""
        return _less(self.city, self.others)

    @property
    def over_both_ppm(self) -> int | None:
        """The city's change over its own past, less the same of the others."""
        mine, theirs = self.over_own_year_ppm, _less(self.others, self.others_year_before)
        return None if mine is None or theirs is None else mine - theirs


def windows(days: Sequence[DayTotal], day: date, length: int) -> Windows | None:
    """The two windows around `day`; None where the figures begin after the first or end before the second does.

    The first step of a city may hold older money than its day says, so the window begins after it.
    """
    begin, end = day - timedelta(days=length), day + timedelta(days=length)
    if not days or days[0].day >= begin or days[-1].day < end - timedelta(days=1):
        return None
    before = [of for of in days if begin <= of.day < day]
    after = [of for of in days if day <= of.day < end]
    return Windows(
        sum(of.rial for of in before),
        sum(of.rial for of in after),
        sum(of.payments for of in before),
        sum(of.payments for of in after),
    )


def compare(
    days: Sequence[DayTotal], others: Mapping[str, Sequence[DayTotal]], day: date, length: int
) -> Effect | None:
    """The comparison; None where the city's own windows are not wholly told.

    Where the city has its windows of a year earlier, only such others are used that have them too, so that both
    comparisons are with the same cities.
    """
    city = windows(days, day, length)
    if city is None:
        return None
    earlier = year_before(day)
    city_before = windows(days, earlier, length)
    now, then, against = [], [], []
    for code in sorted(others):
        here, past = windows(others[code], day, length), windows(others[code], earlier, length)
        if here is None or (city_before is not None and past is None):
            continue
        against.append(code)
        now.append(here)
        if past is not None:
            then.append(past)
    together_then = _together(then) if city_before is not None else None
    return Effect(city, city_before, _together(now), together_then, tuple(against))


def _together(found: Sequence[Windows]) -> Windows | None:
    if not found:
        return None
    return Windows(
        sum(of.before_rial for of in found),
        sum(of.after_rial for of in found),
        sum(of.before_payments for of in found),
        sum(of.after_payments for of in found),
    )


def _less(one: Windows | None, other: Windows | None) -> int | None:
    """The change of one less that of the other, in parts per million; ten thousand are a percentage point."""
    if one is None or other is None or one.change_ppm is None or other.change_ppm is None:
        return None
    return one.change_ppm - other.change_ppm
