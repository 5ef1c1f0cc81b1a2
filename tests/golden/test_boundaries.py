"""Each rule on each side of each boundary, with the arithmetic in words: a law officer can check every case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from avarez.assessment import (
    Assessment,
    Fuel,
    LineKind,
    ModelCalendar,
    Origin,
    PaidYear,
    Residence,
    Settings,
    Tariff,
    Vehicle,
    VehicleClass,
    assess,
    load_tariff,
    tariff_from_document,
)
from avarez.assessment.tariff import FirstYear
from avarez.jalali import format_jalali, is_leap, parse_jalali, year_end

TARIFF = load_tariff(Path(__file__).resolve().parents[2] / "demo" / "tariffs")
CAR = Vehicle(
    vehicle_class=VehicleClass.PASSENGER,
    origin=Origin.DOMESTIC,
    fuel=Fuel.PETROL,
    model_year=1401,
    model_calendar=ModelCalendar.JALALI,
    make="",
    model="",
    base_price_rial=2_400_000_000,
)


def until_1412() -> Tariff:
    """The demonstration with art. 29(a) going on to 1412, so that 1408 can be looked at."""
    rows = [
        {**row, "duty_years": [1401, 1412]} if row.get("duty_years") == [1401, 1405] else row
        for row in TARIFF.document["rows"]
    ]
    return tariff_from_document({**TARIFF.document, "rows": rows})


LONG = until_1412()


def on(
    day: str,
    vehicle: Vehicle = CAR,
    *,
    through: int | None = None,
    city: str = "TEHRAN",
    residences: Sequence[Residence] = (),
    payments: Sequence[PaidYear] = (),
    settings: Settings | None = None,
) -> Assessment:
    return assess(
        vehicle, residences, payments, LONG, parse_jalali(day), through, city, settings=settings
    )  # fmt: skip


def penalties(answer: Assessment) -> dict[int | None, tuple[int, int]]:
    """By year: months and amount."""
    return {
        line.year: (line.inputs["months"], line.amount_rial)
        for line in answer.lines
        if line.kind is LineKind.PENALTY
    }


@pytest.mark.parametrize(
    ("duty_year", "last_day", "leap"), [(1402, "1402-12-29", False), (1403, "1403-12-30", True),
                                        (1407, "1407-12-29", False), (1408, "1408-12-30", True)],
)  # fmt: skip
def test_last_day_of_esfand_has_no_penalty_and_1_farvardin_has_one_month(
    duty_year: int, last_day: str, leap: bool
) -> None:
    """Art. 37: 2 % of 2,400,000 for the month begun is 48,000. Leap years here: 1399, 1403, 1408."""
    assert is_leap(duty_year) is leap
    assert year_end(duty_year) == parse_jalali(last_day)
    sold = replace(CAR, sale_date=parse_jalali(f"{duty_year}-01-01"))
    assert penalties(on(last_day, sold)) == {}
    assert penalties(on(f"{duty_year + 1}-01-01", sold)) == {duty_year: (1, 48_000)}


def test_1408_comes_five_years_after_the_leap_year_before_it() -> None:
    """1403 and 1408 are leap, 1404 to 1407 are not: 30 Esfand 1407 does not exist."""
    assert [year for year in range(1399, 1413) if is_leap(year)] == [1399, 1403, 1408, 1412]
    with pytest.raises(Exception, match="date"):
        parse_jalali("1407-12-30")
    assert on("1408-12-30").through_year == 1408
    assert on("1409-01-01").through_year == 1409


@pytest.mark.parametrize(
    ("day", "months", "amount"),
    [
        ("1404-12-29", None, 0),  # the last day: month 0
        ("1405-01-01", 1, 48_000),
        ("1405-01-31", 1, 48_000),
        ("1405-02-01", 2, 96_000),
        ("1405-12-29", 12, 576_000),
        ("1406-01-01", 13, 624_000),
    ],
)
def test_months_of_lateness_begin_on_the_first_of_each(day: str, months: int | None, amount: int) -> None:
    """Year 1404, principal 2,400,000: 48,000 for each month begun since 1 Farvardin 1405."""
    sold = replace(CAR, sale_date=parse_jalali("1404-01-01"))
    found = penalties(on(day, sold, through=1404))
    assert found == ({} if months is None else {1404: (months, amount)})


@pytest.mark.parametrize(
    ("age", "percent"), [(0, 0), (9, 0), (10, 0), (11, 10), (12, 20), (19, 90), (20, 100), (21, 100), (40, 100)]
)
def test_surcharge_for_age_from_the_eleventh_year_to_the_twentieth(age: int, percent: int) -> None:
    """1387, art. 43, note: 10 % for each year beyond ten, at most 100 %. Duty year 1400, model year 1400 - age."""
    old = replace(CAR, model_year=1400 - age, sale_date=parse_jalali("1400-01-01"))
    lines = on("1400-06-01", old).lines
    assert [line.amount_rial for line in lines if line.kind is LineKind.SURCHARGE] == (
        [2_400_000 * percent // 100] if percent else []
    )


def test_a_gregorian_model_year_is_the_jalali_one_that_begins_in_it() -> None:
    """2010 less 621 is 1389: in 1400 it is 11 years old and pays 10 %; 2011 is 10 and pays nothing more."""
    imported = replace(CAR, origin=Origin.IMPORTED, model_calendar=ModelCalendar.GREGORIAN)
    for model_year, percent in ((2010, 10), (2011, 0)):
        vehicle = replace(imported, model_year=model_year, sale_date=parse_jalali("1400-01-01"))
        kinds = {line.kind: line for line in on("1400-06-01", vehicle).lines}
        assert (LineKind.SURCHARGE in kinds) is bool(percent)
    assert format_jalali(replace(imported, model_year=2011).duty_starts) == "1389-10-11"  # 1 January 2011
    assert format_jalali(replace(CAR, model_year=1389).duty_starts) == "1389-01-01"


def test_duty_year_1400_is_the_last_of_the_old_law_and_1401_the_first_of_the_new() -> None:
    """Imported, 9,000,000,000: 1/1000 in 1400, 1.5/1000 from 1401."""
    imported = replace(CAR, origin=Origin.IMPORTED, base_price_rial=9_000_000_000)
    sold = replace(imported, sale_date=parse_jalali("1400-12-29"))
    principal = {line.year: line.amount_rial for line in on("1401-05-01", sold).lines
                 if line.kind is LineKind.PRINCIPAL}  # fmt: skip
    assert principal == {1400: 9_000_000, 1401: 13_500_000}


def test_the_first_year_by_months_left_counts_the_month_of_the_sale() -> None:
    """2,400,000 × 12/12 for a sale in Farvardin, × 7/12 in Shahrivar (6th), × 1/12 in Esfand."""
    by_months = Settings(first_year=FirstYear.MONTHS_LEFT)
    for sale, amount in (("1404-01-31", 2_400_000), ("1404-06-01", 1_400_000), ("1404-12-29", 200_000)):
        sold = replace(CAR, sale_date=parse_jalali(sale))
        lines = on("1404-12-29", sold, settings=by_months).lines
        assert [line.amount_rial for line in lines if line.kind is LineKind.PRINCIPAL] == [amount]


def years_by_city(cities: Sequence[str], residences: Sequence[Residence], day: str) -> dict[str, list[int]]:
    """The years that each city charges."""
    return {city: [total.year for total in on(day, city=city, residences=residences).years] for city in cities}


def test_a_car_moved_twice_in_a_year_owes_each_year_where_it_was_on_1_farvardin() -> None:
    """Tehran; to Shiraz in Khordad 1403, on to Tabriz in Bahman 1403: 1403 is Tehran's, 1404 Tabriz's."""
    lived = [
        Residence("TEHRAN"),
        Residence("SHIRAZ", parse_jalali("1403-03-10")),
        Residence("TABRIZ", parse_jalali("1403-11-05")),
    ]
    assert years_by_city(("TEHRAN", "SHIRAZ", "TABRIZ"), lived, "1405-01-15") == {
        "TEHRAN": [1401, 1402, 1403],
        "SHIRAZ": [],
        "TABRIZ": [1404, 1405],
    }


@pytest.mark.parametrize(
    ("moved", "owed_to"), [("1403-12-30", "SHIRAZ"), ("1404-01-01", "SHIRAZ"), ("1404-01-02", "TEHRAN")]
)
def test_a_move_on_1_farvardin_counts_for_that_year_and_a_day_later_does_not(moved: str, owed_to: str) -> None:
    lived = [Residence("TEHRAN"), Residence("SHIRAZ", parse_jalali(moved))]
    by_city = years_by_city(("TEHRAN", "SHIRAZ"), lived, "1404-06-01")
    assert 1404 in by_city[owed_to]
    assert sum(1404 in years for years in by_city.values()) == 1


def test_a_car_sold_between_two_payments_keeps_what_was_paid_and_owes_the_rest() -> None:
    """1402 paid to Tehran by the seller; bought by somebody of Shiraz on 10 Tir 1403: Tehran is still owed 1401
    and 1403, Shiraz from 1404 on, and nobody 1402 again."""
    lived = [Residence("TEHRAN"), Residence("SHIRAZ", parse_jalali("1403-04-10"))]
    paid = [PaidYear(1402, 2_400_000, parse_jalali("1402-08-01"), "py_1", "TEHRAN")]
    tehran = on("1405-01-15", residences=lived, payments=paid)
    shiraz = on("1405-01-15", city="SHIRAZ", residences=lived, payments=paid)
    assert [total.year for total in tehran.owed_years] == [1401, 1403]
    assert [total.year for total in shiraz.owed_years] == [1404, 1405]
    assert tehran.paid_through_year is None, "1401 is open before the paid 1402"


@pytest.mark.parametrize(
    "base_price_rial", [2**31 - 1, 2**31, 2**31 + 1, 2**53 // 1_000, 2**53 // 1_000 + 1, 10**15]
)
def test_amounts_beyond_2_to_the_31_and_2_to_the_53_are_exact(base_price_rial: int) -> None:
    """1/1000 of the base and 46 months at 2 %, in Python's own whole numbers: nothing is lost at any size."""
    vehicle = replace(CAR, base_price_rial=base_price_rial, sale_date=parse_jalali("1401-01-01"))
    lines = on("1405-10-01", vehicle, through=1401).lines
    principal = (2 * base_price_rial + 1_000) // 2_000
    penalty = (principal * 92 * 2 + 100) // 200
    assert [line.amount_rial for line in lines[:2]] == [principal, penalty]


def test_owed_beyond_2_to_the_53_goes_through_json_as_a_string() -> None:
    """A hundred per cent of 10^15 for eleven years, with penalty: 2.4 × 10^16, more than a double can hold."""
    rows = [
        {**row, "rate": "100/100"} if row["kind"] == "principal" and "rate" in row else row
        for row in TARIFF.document["rows"]
    ]
    tariff = tariff_from_document({**TARIFF.document, "rows": rows})
    vehicle = replace(CAR, base_price_rial=10**15 - 1, model_year=1395)
    answer = assess(vehicle, (), (), tariff, parse_jalali("1405-09-02"), None, "TEHRAN")
    assert answer.owed_rial > 2**53
    assert answer.to_json()["owed_rial"] == str(answer.owed_rial)
    assert sum(line.amount_rial for line in answer.lines) == answer.owed_rial


@pytest.mark.parametrize(
    ("base_price_rial", "owed_rial"), [(1, 0), (499, 0), (500, 1_000), (1_000_000, 1_000), (1_000_499, 1_000),
                                       (1_000_500, 2_000)],
)  # fmt: skip
def test_half_a_rial_is_rounded_up_and_the_quote_to_the_next_thousand(
    base_price_rial: int, owed_rial: int
) -> None:
    """1/1000 of 499 is 0.499, nothing; of 500 it is 0.5, one rial, and the quote is 1,000."""
    vehicle = replace(CAR, base_price_rial=base_price_rial, sale_date=parse_jalali("1405-01-01"))
    assert on("1405-06-01", vehicle).owed_rial == owed_rial
