"""What a year will come to, from the share of the year that had been paid by this day in past years. Pure.

The method, in full (also `docs/planning.md`):
1. In each past whole year, by the same day of the year, some share of that year's total had been collected.
2. What is collected so far, divided by that share, is what the year comes to if it goes on like that year.
3. The forecast is the median of these; the interval reaches from the least to the largest of them.
4. The error is found by doing the same for each past year from the other ones alone, at the end of each month: the
   forecast that would have been made is set beside what the year then came to. The median of these absolute errors
   in per cent of the year's total is shown, the worst of them, and how many years ended inside their interval.
Whole rial and parts per million throughout; nothing is fitted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from avarez.planning.curves import Curve, month_ends

PPM: Final = 1_000_000
TESTED_MIN: Final = 2
"""With one past year alone there is nothing to test a forecast by."""


@dataclass(frozen=True, slots=True)
class Alike:
    """What the year comes to if it goes on like `year`, whose share by the same day was `share_ppm`."""

    year: int
    total_rial: int
    share_ppm: int
    forecast_rial: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """The forecast with the interval of its past years."""

    rial: int
    low_rial: int
    high_rial: int
    alike: tuple[Alike, ...]


@dataclass(frozen=True, slots=True)
class Tested:
    """How forecasts on this day of past years would have done."""

    day_of_year: int
    tested: int
    inside: int
    median_error_ppm: int
    worst_error_ppm: int


def forecast(so_far_rial: int, day_of_year: int, past: Sequence[Curve]) -> Forecast | None:
    """The forecast; None where no past year had collected anything by this day."""
    alike = tuple(
        Alike(
            curve.year,
            curve.total_rial,
            ratio(curve.at(day_of_year), curve.total_rial, PPM),
            ratio(so_far_rial, curve.at(day_of_year), curve.total_rial),
        )
        for curve in past
        if curve.at(day_of_year) > 0 and curve.total_rial > 0
    )
    if not alike:
        return None
    found = sorted(of.forecast_rial for of in alike)
    return Forecast(median(found), found[0], found[-1], alike)


def errors_on(day_of_year: int, past: Sequence[Curve]) -> Tested | None:
    """Each past year forecast from the others on this day; None where fewer than two can be."""
    errors, inside = [], 0
    for curve in past:
        others = [other for other in past if other.year != curve.year]
        made = forecast(curve.at(day_of_year), day_of_year, others)
        if made is None or curve.at(day_of_year) <= 0 or curve.total_rial <= 0:
            continue
        errors.append(ratio(abs(made.rial - curve.total_rial), curve.total_rial, PPM))
        inside += made.low_rial <= curve.total_rial <= made.high_rial
    if len(errors) < TESTED_MIN:
        return None
    errors.sort()
    return Tested(day_of_year, len(errors), inside, median(errors), errors[-1])


def backtest(year: int, past: Sequence[Curve]) -> tuple[Tested, ...]:
    """The test at the end of each month but the last, when the year is known."""
    found = (errors_on(end, past) for end in month_ends(year)[:-1])
    return tuple(of for of in found if of is not None)


def past_curves(curves: Mapping[int, Curve], whole: Sequence[int]) -> list[Curve]:
    """The curves of the whole years, the oldest first."""
    return [curves[year] for year in whole]


def median(ordered: Sequence[int]) -> int:
    """The middle of what is in order; of an even number the mean of the two, half up."""
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle] + 1) // 2


def ratio(part: int, whole: int, unit: int) -> int:
    """`part` of `whole` in units, half up; `whole` above 0."""
    return (2 * part * unit + whole) // (2 * whole)
