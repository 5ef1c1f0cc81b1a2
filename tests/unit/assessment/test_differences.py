"""Why a year costs something else than the one before it: each cause by itself, with its words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from avarez.assessment import Assessment, assess, load_tariff
from avarez.assessment.differences import Cause, changes_between, year_comparisons
from avarez.assessment.model import Vehicle
from avarez.jalali import parse_jalali

TARIFF = load_tariff(Path(__file__).resolve().parents[3] / "demo" / "tariffs")
FACTS = {
    "vehicle_class": "passenger", "origin": "imported", "fuel": "petrol", "model_year": 1387,
    "model_calendar": "jalali", "base_price_rial": "9000000000",
}  # fmt: skip


def assessed(as_of: str, through_year: int, **facts: Any) -> Assessment:
    vehicle = Vehicle.from_json({**FACTS, **facts})
    return assess(vehicle, (), (), TARIFF, parse_jalali(as_of), through_year, "TEHRAN")


def causes(answer: Assessment, year: int) -> dict[Cause, int]:
    (compared,) = (one for one in year_comparisons(answer.lines) if one.year == year)
    return {change.cause: change.amount_rial for change in compared.changes}


def test_a_year_older_pays_more_for_age_and_less_for_lateness() -> None:
    """1399 is its 12th year: 20 % against 10 %. As of 1400-06, 1398 is 18 months late and 1399 is 6."""
    found = causes(assessed("1400-06-01", 1400), 1399)
    assert found[Cause.AGE] == 900_000
    assert found[Cause.PENALTY] == 10_800_000 * 6 * 2 // 100 - 9_900_000 * 18 * 2 // 100
    assert set(found) == {Cause.AGE, Cause.PENALTY}


def test_the_new_law_raises_the_rate_of_imported_cars_and_ends_the_surcharge() -> None:
    """1401 beside 1400: 1.5/1000 for 1/1000, also on what 30 % for age had added, which then falls away."""
    found = causes(assessed("1401-06-01", 1401), 1401)
    assert found[Cause.RATE] == 4_500_000 + 1_350_000
    assert found[Cause.AGE] == -(13_500_000 * 30 // 100)
    assert found[Cause.PENALTY] == -(11_700_000 * 12 // 100)


def test_an_assessment_of_last_year_beside_this_years_is_explained_with_numbers_in_both_languages() -> None:
    before, after = assessed("1404-06-01", 1404), assessed("1405-06-01", 1405, base_price_rial="10000000000")
    changes = {change.cause: change for change in changes_between(before.lines, after.lines)}
    assert changes[Cause.YEARS_ADDED].amount_rial == 15_000_000
    assert changes[Cause.YEARS_ADDED].text_en == "years added 0 → 1405: 15,000,000 rial"
    assert changes[Cause.YEARS_ADDED].text_fa == "سال‌های تازه ۰ → ۱۴۰۵: ۱۵٬۰۰۰٬۰۰۰ ریال"
    assert changes[Cause.PRICE].amount_rial > 0
    assert sum(change.amount_rial for change in changes.values()) == after.owed_rial - before.owed_rial
    (compared,) = (one for one in year_comparisons(assessed("1401-06-01", 1401).lines) if one.year == 1401)
    said = [change.to_json() for change in compared.changes]
    assert "rate 1/1000 → 1.5/1000: 5,850,000 rial" in [part["text_en"] for part in said]
    assert "نرخ ۱ در هزار → ۱٫۵ در هزار: ۵٬۸۵۰٬۰۰۰ ریال" in [part["text_fa"] for part in said]
