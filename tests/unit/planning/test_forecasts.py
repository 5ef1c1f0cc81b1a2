"""Forecasts and comparisons over made-up histories of which the right answer is known."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import date, timedelta
from random import Random

import pytest

from avarez.figures.cells import CellKey
from avarez.figures.files import CityFigures, StepEnd, city_files, city_from
from avarez.jalali import is_leap, year_end, year_start
from avarez.planning.curves import DayTotal, curves_of, day_of_year, month_ends, whole_years, year_before
from avarez.planning.document import planning_document, planning_files
from avarez.planning.effects import compare, windows
from avarez.planning.forecasts import Forecast, backtest, errors_on, forecast, past_curves

Weight = Callable[[int], int]


def rush(day: int) -> int:
    """Few payments through the year, and most in its last thirty days."""
    return 1_000 if day <= 335 else 40_000


def of_year(year: int, scale: int, weight: Weight = rush, upto: int = 366) -> list[DayTotal]:
    """A year in which each day brings its weight, so many times over."""
    days = (year_end(year) - year_start(year)).days + 1
    start = year_start(year)
    return [
        DayTotal(start + timedelta(days=day - 1), scale * weight(day), scale)
        for day in range(1, min(days, upto) + 1)
    ]


def made(days: list[DayTotal]) -> Forecast | None:
    curves, last = curves_of(days), days[-1].day
    place = day_of_year(last)
    year = max(curves)
    return forecast(curves[year].at(place), place, past_curves(curves, whole_years(days)))


@pytest.mark.parametrize("upto", [20, 180, 334, 336, 350])
def test_years_of_one_shape_are_forecast_to_the_rial(upto: int) -> None:
    past = [*of_year(1401, 3), *of_year(1402, 5), *of_year(1404, 4)]
    days = [*past, *of_year(1405, 7, upto=upto)]
    whole = sum(of.rial for of in of_year(1405, 7))
    found = made(days)
    assert found is not None
    assert found.rial == found.low_rial == found.high_rial == whole
    assert [of.year for of in found.alike] == [1401, 1402, 1404]
    curves = curves_of(days)
    for of in backtest(1405, past_curves(curves, whole_years(days))):
        assert (of.tested, of.inside, of.median_error_ppm, of.worst_error_ppm) == (3, 3, 0, 0)


def test_years_that_differ_give_an_interval_and_the_error_that_they_have() -> None:
    """By day 100 a quarter, a third and a half of three years' totals had come."""

    def shape(share: int) -> Weight:
        return lambda day: 12_000 // share // 100 if day <= 100 else 0 if day < 365 else 12_000 - 12_000 // share

    days = [
        *of_year(1401, 10, shape(4)),
        *of_year(1402, 10, shape(3)),
        *of_year(1404, 10, shape(2)),
        *of_year(1405, 10, shape(3), upto=100),
    ]
    found = made(days)
    assert found is not None
    so_far = 10 * 4_000
    assert (found.low_rial, found.rial, found.high_rial) == (2 * so_far, 3 * so_far, 4 * so_far)
    assert [of.share_ppm for of in found.alike] == [250_000, 333_333, 500_000]
    # Left out in turn: a quarter taken for a third or a half gives 3/4 and 1/2 of the total, a third for a quarter
    # or a half 4/3 and 2/3, a half for a quarter or a third 2 and 3/2; of each pair the mean.
    curves = curves_of(days)
    error = errors_on(100, past_curves(curves, whole_years(days)))
    assert error is not None
    assert (error.tested, error.inside) == (3, 1)
    assert (error.median_error_ppm, error.worst_error_ppm) == (375_000, 750_000)


def test_noise_of_a_tenth_is_forecast_within_it_from_autumn_on() -> None:
    random = Random("noise")
    days: list[DayTotal] = []
    for year in range(1396, 1405):
        days += of_year(year, 50 + random.randrange(100), lambda day: rush(day) * random.randrange(90, 111) // 100)
    whole = of_year(1405, 100)
    found = made([*days, *whole[:220]])
    assert found is not None
    total = sum(of.rial for of in whole)
    assert abs(found.rial - total) * 100 < 5 * total
    assert found.low_rial < total < found.high_rial
    curves = curves_of(days)
    errors = {of.day_of_year: of for of in backtest(1405, past_curves(curves, whole_years([*days, whole[0]])))}
    assert len(errors) == 11
    assert all(of.tested == 9 and of.median_error_ppm < 60_000 for of in errors.values())


def test_a_year_that_was_told_from_its_middle_on_is_no_past_year() -> None:
    late = [of for of in of_year(1403, 2) if day_of_year(of.day) > 90]
    days = [*late, *of_year(1404, 2), *of_year(1405, 2, upto=50)]
    assert whole_years(days) == (1404,)
    assert errors_on(50, past_curves(curves_of(days), (1404,))) is None, "one year alone tests nothing"
    assert made([*late, *of_year(1404, 2, upto=40)]) is None
    assert whole_years([]) == ()


def test_leap_days_and_month_ends() -> None:
    assert is_leap(1403)
    assert month_ends(1403)[-1] == 366
    assert month_ends(1404) == (31, 62, 93, 124, 155, 186, 216, 246, 276, 306, 336, 365)
    assert year_before(year_end(1403)) == year_end(1402)
    assert year_before(year_start(1405)) == year_start(1404)
    # A leap year's last day lies behind the end of every common year, where all of it had come.
    days = [*of_year(1401, 2), *of_year(1402, 2), *of_year(1403, 3)]
    found = made(days)
    assert found is not None
    assert found.rial == sum(of.rial for of in days[-366:])


# -- before and after ---------------------------------------------------------------------------------------


DAY = year_start(1405) + timedelta(days=150)


def flat(scale: int, year: int = 1405) -> list[DayTotal]:
    return of_year(year, scale, lambda _: 1_000)


def lifted(days: list[DayTotal], day: date, per_cent: int, length: int = 14) -> list[DayTotal]:
    """From `day` on each of so many days brings so much more."""
    return [
        of._replace(rial=of.rial * (100 + per_cent) // 100) if 0 <= (of.day - day).days < length else of
        for of in days
    ]


def test_a_lift_that_was_put_in_is_what_is_found() -> None:
    """The season gives 10 % everywhere and each year, the measure 25 % more: 1.10 x 1.25 is 37.5 %."""
    earlier = year_before(DAY)

    def history(scale: int) -> list[DayTotal]:
        seasons = [*lifted(flat(scale, 1404), earlier, 10), *lifted(flat(scale), DAY, 10)]
        return [*flat(scale, 1403), *seasons]

    city = lifted(history(4), DAY, 25)
    found = compare(city, {"B": history(2), "C": history(5)}, DAY, 14)
    assert found is not None
    assert (found.city.before_rial, found.city.after_rial) == (14 * 4_000, 14 * 4_000 * 1375 // 1000)
    assert found.city.change_ppm == 375_000
    assert found.against == ("B", "C")
    assert found.over_own_year_ppm == found.over_others_ppm == 275_000
    assert found.over_both_ppm == 275_000, "the others did no better than their own past"


def test_without_a_measure_nothing_is_found() -> None:
    history = [*flat(3, 1404), *flat(3)]
    found = compare(history, {"B": history}, DAY, 30)
    assert found is not None
    assert (found.over_own_year_ppm, found.over_others_ppm, found.over_both_ppm) == (0, 0, 0)


def test_windows_that_are_not_wholly_told_are_not_compared() -> None:
    days = flat(3)
    assert windows(days, days[-1].day, 14) is None
    assert windows(days, days[13].day, 14) is None, "the first step may hold older money"
    assert windows(days, days[15].day, 14) is not None
    found = compare(days, {"B": days[200:]}, DAY, 14)
    assert found is not None
    assert (found.city_year_before, found.others, found.against, found.over_both_ppm) == (None, None, (), None)
    assert compare([], {}, DAY, 14) is None


# -- the files ----------------------------------------------------------------------------------------------


def city_of(days: list[DayTotal]) -> CityFigures:
    """Published figures whose steps are these days."""
    steps = [StepEnd(n, "0" * 64, of.day.isoformat(), of.rial, of.payments) for n, of in enumerate(days, 1)]
    rows = {
        CellKey("collected", "1404-12", "1404", "passenger", "online", ""): (700, 7),
        CellKey("collected", "1404-merged", "1399", "merged", "merged", ""): (300, 9),
        CellKey("collected", "1405-01", "merged", "merged", "merged", ""): (50, 6),
        CellKey("certified", "1405-01", "", "", "", "1_minute"): (0, 20),
    }
    return CityFigures("QOM", tuple(steps), rows)


def test_files_say_the_same_as_each_other_and_survive_the_citys_own_file() -> None:
    city = city_of([*of_year(1402, 3), *of_year(1404, 4), *of_year(1405, 5, upto=200)])
    assert city_from(city_files(city)["json"]) == city
    files, document = planning_files(city), planning_document(city)
    assert json.loads(files["json"]) == document
    assert document["forecast"]["rial"] == str(sum(of.rial for of in of_year(1405, 5)))
    assert document["forecast"]["error"]["median_error_ppm"] == 0
    assert [len(of["by_month_rial"]) for of in document["curves"]] == [12, 12, 6]
    assert document["collected_by_age"] == [
        {"year": "1404", "ages": {"3_to_5_years": "300", "same_year": "700"}},
        {"year": "1405", "ages": {"untold": "50"}},
    ]
    rows = list(csv.DictReader(files["csv"].decode("utf-8-sig").splitlines()))
    table = {(row["section"], row["year"], row["name"]): row["value"] for row in rows}
    assert table["forecast", "1405", "low"] == document["forecast"]["low_rial"]
    assert table["curve", "1404", "collected_by_end_of_month_12"] == document["curves"][1]["by_month_rial"][-1]
    assert len(table) == len(rows), "each figure stands once"


def test_without_a_step_there_is_no_forecast() -> None:
    city = CityFigures("QOM", (), city_of([]).rows)
    assert city_from(city_files(city)["json"]) == city
    document = planning_document(city)
    assert (document["forecast"], document["curves"]) == (None, [])
    assert planning_files(city)["csv"].startswith(b"\xef\xbb\xbf")
