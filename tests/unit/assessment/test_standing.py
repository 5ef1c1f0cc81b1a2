"""What a vehicle owes anywhere, across moves and sales: each year once, paid where it was paid, whose it was."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from avarez.assessment import PaidYear, assess, load_tariff
from avarez.jalali import parse_jalali
from avarez.quotes.standing import Standing, standing_of
from avarez.quotes.vehicles import VehicleRow

TARIFF = load_tariff(Path(__file__).resolve().parents[3] / "demo" / "tariffs")
TODAY = date(2026, 11, 23)  # 1405-09-02
FACTS = {
    "vehicle_class": "passenger", "origin": "domestic", "fuel": "petrol", "model_year": 1400,
    "model_calendar": "jalali", "base_price_rial": "2400000000", "sale_date_jalali": "1400-02-01",
}  # fmt: skip


def row(city: str, plate: str, since: str, owner: str, **more: Any) -> VehicleRow:
    return VehicleRow(city, plate, "ve_1", 1, FACTS, residence_from_jalali=since, owner_hash=owner, **more)


def standing(rows: Sequence[VehicleRow], paid: Sequence[PaidYear] = (), unknown: Sequence[str] = ()) -> Standing:
    residences = [one.residence for one in rows]
    assessments = {
        one.municipality: None
        if one.municipality in unknown
        else assess(one.vehicle, residences, paid, TARIFF, TODAY, 1405, one.municipality)
        for one in rows
    }
    return standing_of(assessments, rows, TODAY)


MOVED = [
    row("TEHRAN", "12B345-11", "1400-02-01", "first", residence_to_jalali="1403-05-09"),
    row("SHIRAZ", "45J678-63", "1403-05-10", "second"),
]


def test_each_year_is_told_once_by_the_city_that_charges_it_with_its_owner() -> None:
    told = [(y.year, y.municipality, y.owner) for y in standing(MOVED).years]
    assert told == [
        (1400, "TEHRAN", 1), (1401, "TEHRAN", 1), (1402, "TEHRAN", 1), (1403, "TEHRAN", 1),
        (1404, "SHIRAZ", 2), (1405, "SHIRAZ", 2),
    ]  # fmt: skip


def test_paid_through_year_counts_every_city_and_stops_at_the_first_open_year() -> None:
    def paid(years: Sequence[int], city: str) -> list[PaidYear]:
        return [PaidYear(year, 2_400_000, parse_jalali("1405-06-01"), "py_1", city) for year in years]

    assert standing(MOVED).paid_through_year is None
    assert standing(MOVED, paid([1400, 1401], "TEHRAN")).paid_through_year == 1401
    most = paid([1400, 1401, 1402, 1404], "TEHRAN")
    assert standing(MOVED, most).paid_through_year == 1402, "1403 is open although 1404 is paid"
    whole = paid([1400, 1401, 1402, 1403], "TEHRAN") + paid([1404, 1405], "SHIRAZ")
    assert standing(MOVED, whole).paid_through_year == 1405


def test_a_year_paid_to_another_city_counts_where_it_was_paid() -> None:
    paid = [PaidYear(1404, 2_400_000, parse_jalali("1404-06-01"), "py_1", "TEHRAN")]
    (year,) = [y for y in standing(MOVED, paid).years if y.year == 1404]
    assert (year.to_json()["status"], year.paid_to, year.owed_rial) == ("paid", "TEHRAN", 0)


def test_nothing_is_said_of_every_city_where_one_is_not_known() -> None:
    paid = [PaidYear(y, 2_400_000, parse_jalali("1405-06-01"), "py_1", "SHIRAZ") for y in range(1400, 1406)]
    assert standing(MOVED, paid).paid_through_year == 1405
    assert standing(MOVED, paid, unknown=["TEHRAN"]).paid_through_year is None


def test_owner_before_any_that_is_known_is_the_first_one_and_none_where_no_roll_tells() -> None:
    late = [row("TEHRAN", "12B345-11", "1402-06-01", "first")]
    assert {y.owner for y in standing(late).years} == {1}
    unknown = [row("TEHRAN", "12B345-11", "1402-06-01", "")]
    assert {y.owner for y in standing(unknown).years} == {None}
