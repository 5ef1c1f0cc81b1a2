"""A city's files for planners: a function of its published figures alone, so anybody can make them again. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from avarez.canonical import canonical_bytes
from avarez.csv_lines import BYTE_ORDER_MARK, csv_line
from avarez.figures.cells import CERTIFIED, CellKey
from avarez.figures.files import CityFigures
from avarez.jalali import format_jalali, to_jalali
from avarez.money import format_rial
from avarez.planning.curves import Curve, DayTotal, curves_of, day_of_year, month_ends, whole_years
from avarez.planning.forecasts import Forecast, Tested, backtest, errors_on, forecast, past_curves

SCHEMA: Final = 1
UNTOLD: Final = "untold"
AGES: Final = ((0, "same_year"), (1, "1_year"), (2, "2_years"), (5, "3_to_5_years"))
"""How old a duty was when it was paid, in duty years, up to and including; whatever is older is `older`."""
OLDER: Final = "older"


def days_of(city: CityFigures) -> list[DayTotal]:
    """What each step came to, by its day."""
    told = [DayTotal(date.fromisoformat(of.day), of.rial, of.payments) for of in city.steps]
    return sorted(told, key=lambda of: of.day)


def planning_files(city: CityFigures) -> dict[str, bytes]:
    """The city's forecast, its test, its curves and its arrears by age, as JSON and as CSV."""
    document = planning_document(city)
    return {"csv": _csv(document), "json": canonical_bytes(document)}


def planning_document(city: CityFigures) -> dict[str, Any]:
    """What the files hold; `forecast` is null until there is a whole past year."""
    days = days_of(city)
    told: dict[str, Any] = {
        "schema": SCHEMA,
        "municipality": city.municipality,
        "commitment": city.commitment.told(),
        "forecast": None,
        "backtest": [],
        "curves": [],
        "collected_by_age": _ages(city.rows),
    }
    if not days:
        return told
    as_of = days[-1].day
    year, place, curves = to_jalali(as_of).year, day_of_year(as_of), curves_of(days)
    past = past_curves(curves, whole_years(days))
    made = forecast(curves[year].at(place), place, past)
    told |= {
        "as_of": as_of.isoformat(),
        "as_of_jalali": format_jalali(as_of),
        "year": year,
        "day_of_year": place,
        "collected_rial": format_rial(curves[year].total_rial),
        "forecast": None if made is None else _forecast(made, errors_on(place, past)),
        "backtest": [_tested(of) for of in backtest(year, past)],
        "curves": [_curve(curve, place if curve.year == year else None) for curve in curves.values()],
    }
    return told


def _forecast(made: Forecast, error: Tested | None) -> dict[str, Any]:
    return {
        "rial": format_rial(made.rial),
        "low_rial": format_rial(made.low_rial),
        "high_rial": format_rial(made.high_rial),
        "error": None if error is None else _tested(error),
        "past": [
            {
                "year": of.year,
                "total_rial": format_rial(of.total_rial),
                "share_ppm": of.share_ppm,
                "forecast_rial": format_rial(of.forecast_rial),
            }
            for of in made.alike
        ],
    }


def _tested(of: Tested) -> dict[str, int]:
    return {
        "day_of_year": of.day_of_year,
        "tested": of.tested,
        "inside": of.inside,
        "median_error_ppm": of.median_error_ppm,
        "worst_error_ppm": of.worst_error_ppm,
    }


def _curve(curve: Curve, until: int | None) -> dict[str, Any]:
    """The year's collection by the end of each month; of a year that goes on, up to its last whole month."""
    ends = [end for end in month_ends(curve.year) if until is None or end <= until]
    return {"year": curve.year, "by_month_rial": [format_rial(curve.at(end)) for end in ends]}


def _ages(rows: Mapping[CellKey, tuple[int, int]]) -> list[dict[str, Any]]:
    """What came in each year, by how old the duty was that was paid."""
    sums: dict[str, dict[str, int]] = {}
    for key, (rial, _) in rows.items():
        if key.figure == CERTIFIED:
            continue
        year = key.month[:4] if key.month[:1].isdigit() else UNTOLD
        age = _age(year, key.duty_year)
        of_year = sums.setdefault(year, {})
        of_year[age] = of_year.get(age, 0) + rial
    return [
        {"year": year, "ages": {age: format_rial(rial) for age, rial in sorted(of_year.items())}}
        for year, of_year in sorted(sums.items())
    ]


def _age(year: str, duty_year: str) -> str:
    if year == UNTOLD or not duty_year.isdigit():
        return UNTOLD
    passed = max(0, int(year) - int(duty_year))
    return next((name for most, name in AGES if passed <= most), OLDER)


def _csv(document: Mapping[str, Any]) -> bytes:
    code = str(document["municipality"])
    lines = [csv_line(("municipality", "section", "year", "name", "unit", "value"))]

    def line(section: str, year: object, name: str, unit: str, value: object) -> None:
        lines.append(csv_line((code, section, str(year), name, unit, int(str(value)))))

    made = document["forecast"]
    if made is not None:
        for name in ("rial", "low_rial", "high_rial"):
            line("forecast", document["year"], name.removesuffix("_rial"), "rial", made[name])
        for of in made["past"]:
            line("past", of["year"], "total", "rial", of["total_rial"])
            line("past", of["year"], f"share_by_day_{document['day_of_year']}", "ppm", of["share_ppm"])
            line("past", of["year"], "forecast_if_alike", "rial", of["forecast_rial"])
    for of in document["backtest"]:
        for name in ("median_error_ppm", "worst_error_ppm"):
            line("backtest", "", f"{name.removesuffix('_ppm')}_by_day_{of['day_of_year']}", "ppm", of[name])
        for name in ("tested", "inside"):
            line("backtest", "", f"{name}_by_day_{of['day_of_year']}", "years", of[name])
    for of in document["curves"]:
        for month, rial in enumerate(of["by_month_rial"], 1):
            line("curve", of["year"], f"collected_by_end_of_month_{month:02d}", "rial", rial)
    for of in document["collected_by_age"]:
        for age, rial in of["ages"].items():
            line("collected_by_age", of["year"], age, "rial", rial)
    return (BYTE_ORDER_MARK + "".join(lines)).encode()
