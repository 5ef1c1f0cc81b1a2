"""Years that are paid by instalments, from the agreement to its end: cases that a law officer can check.

The car: domestic, base 2,400,000,000: 2,400,000 a year (1400 law, art. 29(a)); late 2 % a month, simple (art. 37).
On 1404-02-10 it owes 1403 (2 months late: 2,400,000 × 2 × 2 % = 96,000) and 1404, in 4 parts: 4,896,000 in all.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
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
    Vehicle,
    VehicleClass,
    assess,
    load_tariff,
    tariff_from_document,
)
from avarez.assessment.model import Agreement
from avarez.assessment.replay import differences
from avarez.jalali import parse_jalali

TARIFF = load_tariff(Path(__file__).resolve().parents[2] / "demo" / "tariffs")
CAR = Vehicle(
    vehicle_class=VehicleClass.PASSENGER,
    origin=Origin.DOMESTIC,
    fuel=Fuel.PETROL,
    model_year=1403,
    model_calendar=ModelCalendar.JALALI,
    make="",
    model="",
    base_price_rial=2_400_000_000,
)
AGREED = Agreement(
    "ag_example", parse_jalali("1404-02-10"), None, frozenset({1403, 1404}), frozenset({1403, 1404})
)
SELLER = Residence("TABRIZ", parse_jalali("1403-01-01"))
BUYER = Residence("SHIRAZ", parse_jalali("1404-05-20"))


def on(
    day: str,
    agreement: Agreement,
    city: str = "TABRIZ",
    *,
    through: int = 1405,
    paid: tuple[PaidYear, ...] = (),
    residences: tuple[Residence, ...] = (SELLER,),
) -> Assessment:
    return assess(CAR, residences, paid, TARIFF, parse_jalali(day), through, city, agreements=[agreement])


def lines(answer: Assessment) -> list[tuple[int | None, str, int]]:
    return [(line.year, line.kind.value, line.amount_rial) for line in answer.lines]


def replayed(answer: Assessment) -> list[object]:
    return list(differences(answer.to_json(), TARIFF))


def test_years_under_an_agreement_are_not_charged_and_not_paid() -> None:
    answer = on("1405-01-20", AGREED)
    # 1405 alone: 2,400,000.
    assert lines(answer) == [(1405, "principal", 2_400_000)]
    assert (answer.by_instalments, answer.paid_through_year) == ((1403, 1404), None)
    (note,) = (note for note in answer.notes if note.code.value == "paid_by_instalments")
    assert (note.years, note.place) == ((1403, 1404), "ag_example")
    assert replayed(answer) == []


def test_a_year_paid_in_parts_is_settled_and_bore_no_penalty_meanwhile() -> None:
    # 1403 was paid whole by the third part, on 1404-03-10: 2,400,000 + 2 months 96,000, nothing since then.
    running = replace(AGREED, open_years=frozenset({1404}))
    paid = PaidYear(1403, 2_496_000, parse_jalali("1404-03-10"), "py_2", "TABRIZ")
    answer = on("1404-03-11", running, through=1404, paid=(paid,))
    assert lines(answer) == [
        (1403, "principal", 2_400_000),
        (1403, "penalty", 96_000),
        (1403, "paid", -2_496_000),
    ]
    assert answer.lines[1].inputs["paused_months"] == 1
    assert "without 1 in which it was paid by instalments" in answer.lines[1].text_en
    assert (answer.owed_rial, answer.paid_through_year) == (0, 1403)
    assert replayed(answer) == []


def test_broken_agreement_owes_the_rest_and_the_penalty_resumes_on_it() -> None:
    # Only part 1 was paid: 1,224,000 of 1403. Part 2, due on 1404-03-10, stayed unpaid.
    broken = replace(
        AGREED, until=parse_jalali("1404-03-10"), open_years=frozenset(), credits=((1403, 1_224_000),)
    )
    answer = on("1404-06-05", broken, through=1404)
    assert lines(answer) == [
        (1403, "principal", 2_400_000),
        (1403, "penalty", 96_000),  # Farvardin and Ordibehesht on 2,400,000; Khordad rested
        (1403, "penalty", 70_560),  # Tir to Shahrivar, 3 months, on 2,400,000 - 1,224,000 = 1,176,000
        (1403, "credit", -1_224_000),
        (1404, "principal", 2_400_000),
        (None, "rounding", 440),  # 3,742,560 up to the next 1,000
    ]
    assert answer.owed_rial == 3_743_000
    credit = next(line for line in answer.lines if line.kind is LineKind.CREDIT)
    assert "ag_example, broken on 1404-03-10, 1,224,000" in credit.text_en
    assert "۱٬۲۲۴٬۰۰۰" in credit.text_fa
    assert replayed(answer) == []


@pytest.mark.parametrize(
    ("cap", "before", "after"),
    [
        # Of 2,400,000: 5 % is 120,000 for the year in all, of which Farvardin and Ordibehesht took 96,000.
        ("5/100", 96_000, 24_000),
        # 4 % is 96,000: nothing is left for Tir to Shahrivar.
        ("4/100", 96_000, 0),
        # 3 % is 72,000, less than the two months before.
        ("3/100", 72_000, 0),
        # 7 % is 168,000 and would leave 72,000: the 70,560 are below it.
        ("7/100", 96_000, 70_560),
    ],
)
def test_cap_of_the_penalty_is_the_years_before_and_after_an_agreement_that_broke(
    cap: str, before: int, after: int
) -> None:
    rows = [
        {**row, "penalty_cap": cap} if row["id"] == "setting-national" else row for row in TARIFF.document["rows"]
    ]
    tariff = tariff_from_document({**TARIFF.document, "rows": rows})
    broken = replace(
        AGREED, until=parse_jalali("1404-03-10"), open_years=frozenset(), credits=((1403, 1_224_000),)
    )
    answer = assess(CAR, (SELLER,), (), tariff, parse_jalali("1404-06-05"), 1403, "TABRIZ", agreements=[broken])
    penalties = [amount for _, kind, amount in lines(answer) if kind == "penalty"]
    assert penalties == [amount for amount in (before, after) if amount]
    assert list(differences(answer.to_json(), tariff)) == []


def test_year_that_a_broken_agreement_left_is_settled_by_its_payment() -> None:
    broken = replace(
        AGREED, until=parse_jalali("1404-03-10"), open_years=frozenset(), credits=((1403, 1_224_000),)
    )
    rest = PaidYear(1403, 1_342_560, parse_jalali("1404-06-05"), "py_9", "TABRIZ")
    answer = on("1404-09-01", broken, through=1403, paid=(rest,))
    assert (answer.owed_rial, answer.paid_through_year) == (0, 1403)
    assert [line.kind.value for line in answer.lines] == ["principal", "penalty", "penalty", "credit", "paid"]


@pytest.mark.parametrize("city", ["TABRIZ", "SHIRAZ"])
def test_sold_between_instalments_nobody_charges_the_years_twice(city: str) -> None:
    # Sold on 1404-05-20 to somebody in Shiraz, when 1403 was paid and 1404 was not. 1404 stays with the seller's
    # city, whose residence held on 1 Farvardin 1404 (art. 41), and under the agreement; 1405 is the buyer's.
    running = replace(AGREED, open_years=frozenset({1404}))
    paid = PaidYear(1403, 2_496_000, parse_jalali("1404-03-10"), "py_2", "TABRIZ")
    answer = on("1405-02-01", running, city, paid=(paid,), residences=(SELLER, BUYER))
    charged = {line.year: line.amount_rial for line in answer.lines if line.kind is LineKind.PRINCIPAL}
    if city == "SHIRAZ":
        assert charged == {1405: 2_400_000}
        assert answer.elsewhere == ((1403, "TABRIZ"), (1404, "TABRIZ"))
    else:
        assert (answer.owed_rial, answer.by_instalments, answer.elsewhere) == (0, (1404,), ((1405, "SHIRAZ"),))
        assert answer.paid_through_year == 1403, "no clearance for the deed before the last part is paid"


def test_sold_between_instalments_and_broken_the_buyers_city_is_not_touched() -> None:
    # The seller paid three of four parts (3,672,000: 1403 whole, 1,176,000 of 1404) and stopped; part 4 was due on
    # 1404-05-10. On 1405-02-01 Tabriz is owed the rest of 1404; months of 1405 count, on 1,224,000 alone.
    broken = replace(
        AGREED, until=parse_jalali("1404-05-10"), open_years=frozenset(), credits=((1404, 1_176_000),)
    )
    paid = PaidYear(1403, 2_496_000, parse_jalali("1404-04-10"), "py_3", "TABRIZ")
    both = (SELLER, BUYER)
    tabriz = on("1405-02-01", broken, "TABRIZ", paid=(paid,), residences=both)
    assert [line for line in lines(tabriz) if line[0] != 1403] == [
        (1404, "principal", 2_400_000),
        (1404, "penalty", 48_960),  # 2 months × 2 % of 2,400,000 - 1,176,000
        (1404, "credit", -1_176_000),
        (None, "rounding", 40),
    ]
    shiraz = on("1405-02-01", broken, "SHIRAZ", paid=(paid,), residences=both)
    assert lines(shiraz) == [(1405, "principal", 2_400_000)]


def test_agreement_of_another_year_changes_nothing() -> None:
    other = Agreement("ag_other", date(2020, 1, 1), date(2020, 2, 1), frozenset({1398}), frozenset())
    plain = assess(CAR, (SELLER,), (), TARIFF, parse_jalali("1404-06-05"), 1404, "TABRIZ")
    assert on("1404-06-05", other, through=1404).lines == plain.lines
