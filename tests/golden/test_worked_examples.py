"""The worked examples of the law, one by one, with citation and arithmetic: a law officer can check each.

Every case runs on the demonstration tariff as it is shipped, and compares every line exactly. Amounts in rial.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest

from avarez.assessment import (
    Assessment,
    Fuel,
    LineKind,
    ModelCalendar,
    Origin,
    Tariff,
    Vehicle,
    VehicleClass,
    assess,
    load_tariff,
)
from avarez.assessment.rules import penalty_rial
from avarez.jalali import parse_jalali

TARIFFS = Path(__file__).resolve().parents[2] / "demo" / "tariffs"


@pytest.fixture(scope="module")
def tariff() -> Tariff:
    return load_tariff(TARIFFS)


def car(base_price_rial: int, *, model_year: int, origin: Origin, fuel: Fuel = Fuel.PETROL) -> Vehicle:
    return Vehicle(
        vehicle_class=VehicleClass.PASSENGER,
        origin=origin,
        fuel=fuel,
        model_year=model_year,
        model_calendar=ModelCalendar.JALALI,
        make="",
        model="",
        base_price_rial=base_price_rial,
    )


def one_year(vehicle: Vehicle, duty_year: int, as_of: date, tariff: Tariff) -> Assessment:
    """The assessment of one duty year alone: the vehicle's duty starts in it and nothing later is asked."""
    starting = replace(vehicle, sale_date=parse_jalali(f"{duty_year}-01-01"))
    return assess(starting, (), (), tariff, as_of, duty_year, "TEHRAN")


@dataclass(frozen=True)
class Case:
    """One row of the table: what is assessed, each line that the law gives; law and arithmetic of the last."""

    number: str
    law: str
    duty_year: int
    origin: Origin
    fuel: Fuel
    age: int
    base_price_rial: int
    principal_rial: int
    surcharge_rial: int
    arithmetic: str


CASES = (
    Case(
        "1", "Permanent VAT law of 1400/03/02, art. 29(a)", 1403, Origin.DOMESTIC, Fuel.PETROL, 3,
        2_400_000_000, 2_400_000, 0,
        "2,400,000,000 × 1/1000 = 2,400,000",
    ),
    Case(
        "2", "Permanent VAT law of 1400/03/02, art. 29(a)", 1403, Origin.IMPORTED, Fuel.PETROL, 3,
        9_000_000_000, 13_500_000, 0,
        "9,000,000,000 × 1.5/1000 = 13,500,000",
    ),
    Case(
        "3", "VAT law of 1387/02/17, art. 43(b)", 1398, Origin.IMPORTED, Fuel.PETROL, 3,
        9_000_000_000, 9_000_000, 0,
        "9,000,000,000 × 1/1000 = 9,000,000",
    ),
    Case(
        "4", "VAT law of 1387/02/17, art. 43(b)", 1398, Origin.DOMESTIC, Fuel.PETROL, 10,
        2_400_000_000, 2_400_000, 0,
        "2,400,000,000 × 1/1000 = 2,400,000",
    ),
    Case(
        "5", "VAT law of 1387/02/17, art. 43, note", 1398, Origin.DOMESTIC, Fuel.PETROL, 13,
        2_400_000_000, 2_400_000, 720_000,
        "2,400,000 × 30 % = 720,000",
    ),
    Case(
        "6, age 20", "VAT law of 1387/02/17, art. 43, note", 1398, Origin.DOMESTIC, Fuel.PETROL, 20,
        2_400_000_000, 2_400_000, 2_400_000,
        "2,400,000 × 100 % = 2,400,000",
    ),
    Case(
        "6, age 25", "VAT law of 1387/02/17, art. 43, note", 1398, Origin.DOMESTIC, Fuel.PETROL, 25,
        2_400_000_000, 2_400_000, 2_400_000,
        "age 25 years, 15 beyond 10 × 10 %, at most 100 %, is 100 %: 2,400,000 × 100 % = 2,400,000",
    ),
    Case(
        "7", "VAT law of 1387/02/17, art. 43(b)", 1398, Origin.DOMESTIC, Fuel.CNG, 13,
        2_400_000_000, 2_400_000, 0,
        "2,400,000,000 × 1/1000 = 2,400,000",
    ),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.number)
def test_worked_example_gives_exactly_these_lines(case: Case, tariff: Tariff) -> None:
    vehicle = car(
        case.base_price_rial,
        model_year=case.duty_year - case.age,
        origin=case.origin,
        fuel=case.fuel,
    )
    within_the_year = parse_jalali(f"{case.duty_year}-07-15")
    answer = one_year(vehicle, case.duty_year, within_the_year, tariff)
    expected = [(case.duty_year, LineKind.PRINCIPAL, case.principal_rial)]
    if case.surcharge_rial:
        expected.append((case.duty_year, LineKind.SURCHARGE, case.surcharge_rial))
    assert [(line.year, line.kind, line.amount_rial) for line in answer.lines] == expected
    assert answer.owed_rial == case.principal_rial + case.surcharge_rial
    assert answer.lines[-1].law == case.law
    assert case.arithmetic in answer.lines[-1].text_en
    assert not any("demonstration" in line.inputs for line in answer.lines)


def test_worked_example_7_dual_counts_as_gas_fuelled_by_default(tariff: Tariff) -> None:
    vehicle = car(2_400_000_000, model_year=1385, origin=Origin.DOMESTIC, fuel=Fuel.DUAL)
    answer = one_year(vehicle, 1398, parse_jalali("1398-07-15"), tariff)
    assert answer.owed_rial == 2_400_000
    assert "gas_fuelled_no_surcharge" in [note.code for note in answer.notes]


# Worked example 8. Permanent VAT law of 1400/03/02, art. 37: 2 % a month, simple. The duty of 1403 is late from
# 1 Farvardin 1404; a month begun counts in full.
@pytest.mark.parametrize(
    ("as_of", "months", "penalty_amount_rial", "arithmetic"),
    [
        ("1404-01-01", 1, 48_000, "2,400,000 × 1 months × 2 % = 48,000"),
        ("1404-01-31", 1, 48_000, "2,400,000 × 1 months × 2 % = 48,000"),
        ("1404-07-01", 7, 336_000, "2,400,000 × 7 months × 2 % = 336,000"),
        ("1404-12-29", 12, 576_000, "2,400,000 × 12 months × 2 % = 576,000"),
        ("1405-08-30", 20, 960_000, "2,400,000 × 20 months × 2 % = 960,000"),
    ],
)
def test_worked_example_8_late_penalty(
    as_of: str, months: int, penalty_amount_rial: int, arithmetic: str, tariff: Tariff
) -> None:
    vehicle = car(2_400_000_000, model_year=1400, origin=Origin.DOMESTIC)
    answer = one_year(vehicle, 1403, parse_jalali(as_of), tariff)
    principal, penalty = answer.lines
    assert (principal.kind, principal.amount_rial) == (LineKind.PRINCIPAL, 2_400_000)
    assert (penalty.kind, penalty.amount_rial) == (LineKind.PENALTY, penalty_amount_rial)
    assert penalty.inputs["months"] == months
    assert penalty.law == "Permanent VAT law of 1400/03/02, art. 37"
    assert arithmetic in penalty.text_en
    assert answer.owed_rial == 2_400_000 + penalty_amount_rial


def test_worked_example_8_no_penalty_to_the_last_day_of_the_duty_year(tariff: Tariff) -> None:
    vehicle = car(2_400_000_000, model_year=1400, origin=Origin.DOMESTIC)
    answer = one_year(vehicle, 1403, parse_jalali("1403-12-30"), tariff)
    assert [line.kind for line in answer.lines] == [LineKind.PRINCIPAL]


def test_worked_example_9_the_quote_is_rounded_up_to_1000_rial(tariff: Tariff) -> None:
    """2,400,001 rial, to be billed in whole thousands: 2,401,000. The added 999 are a line of their own."""
    vehicle = car(2_400_001_000, model_year=1400, origin=Origin.DOMESTIC)
    answer = one_year(vehicle, 1403, parse_jalali("1403-07-15"), tariff)
    assert [(line.year, line.kind, line.amount_rial) for line in answer.lines] == [
        (1403, LineKind.PRINCIPAL, 2_400_001),
        (None, LineKind.ROUNDING, 999),
    ]
    assert answer.owed_rial == 2_401_000
    assert answer.rounding_rial == 999
    assert answer.years[0].amount_rial == 2_400_001


def test_year_1395_on_23_november_2026_is_117_months_and_234_per_cent(tariff: Tariff) -> None:
    """Months = (1405 - 1395 - 1) × 12 + 9 = 117; 117 × 2 % = 234 %."""
    vehicle = car(2_400_000_000, model_year=1390, origin=Origin.DOMESTIC)
    answer = one_year(vehicle, 1395, date(2026, 11, 23), tariff)
    penalty = answer.lines[1]
    assert penalty.inputs["months"] == 117
    assert penalty.inputs["periods"] == [{"months": 117, "rate_ppm": 20_000}]
    assert penalty.amount_rial == 5_616_000 == penalty_rial(2_400_000, [(117, 20_000)])
    assert "234 % in all" in penalty.text_en
    assert penalty.text_fa.startswith("جریمه دیرکرد سال ۱۳۹۵: ۱۱۷ ماه")


ELEVEN_YEARS = """
1395 principal  2400000
1395 surcharge   480000
1395 penalty    6739200
1396 principal  2400000
1396 surcharge   720000
1396 penalty    6552000
1397 principal  2400000
1397 surcharge   960000
1397 penalty    6249600
1398 principal  2400000
1398 surcharge  1200000
1398 penalty    5832000
1399 principal  2400000
1399 surcharge  1440000
1399 penalty    5299200
1400 principal  2400000
1400 surcharge  1680000
1400 penalty    4651200
1401 principal  2400000
1401 penalty    2160000
1402 principal  2400000
1402 penalty    1584000
1403 principal  2400000
1403 penalty    1008000
1404 principal  2400000
1404 penalty     432000
1405 principal  2400000
"""


def test_eleven_years_of_a_car_of_1383_line_by_line(tariff: Tariff) -> None:
    """Both laws in one statement. The ten-year surcharge ends with duty year 1400; the penalty is on principal
    and surcharge; the current year is not late. 1383-1394 lie before the city's first duty year."""
    vehicle = car(2_400_000_000, model_year=1383, origin=Origin.DOMESTIC)
    answer = assess(vehicle, (), (), tariff, date(2026, 11, 23), None, "TEHRAN")
    expected = [line.split() for line in ELEVEN_YEARS.strip().splitlines()]
    assert [[str(line.year), line.kind.value, str(line.amount_rial)] for line in answer.lines[:-1]] == expected
    assert (answer.lines[-1].kind, answer.lines[-1].amount_rial) == (LineKind.ROUNDING, 800)
    assert answer.owed_rial == sum(int(amount) for _, _, amount in expected) + 800 == 73_388_000
    assert answer.not_assessed_before == 1395


CLASS_AMOUNTS = {
    # class: (duty year 1398, domestic), (1398, imported), (1403, domestic), (1403, imported); base 10 billion
    "passenger": (10_000_000, 10_000_000, 10_000_000, 15_000_000),
    "pickup_double": (10_000_000, 10_000_000, 10_000_000, 15_000_000),
    "pickup_single": (10_000_000, 10_000_000, 10_000_000, 15_000_000),
    "van": (10_000_000, 10_000_000, 10_000_000, 15_000_000),
    "minibus": (10_000_000, 10_000_000, 10_000_000, 15_000_000),
    "bus": (10_000_000, 10_000_000, 10_000_000, 15_000_000),
    "truck": (10_000_000, 10_000_000, 10_000_000, 15_000_000),
    "motorcycle": (250_000, 250_000, 10_000_000, 15_000_000),
    "taxi": (5_000_000, 5_000_000, 10_000_000, 15_000_000),
    "ambulance": (10_000_000, 10_000_000, 10_000_000, 15_000_000),
    "other": (10_000_000, 10_000_000, 10_000_000, 15_000_000),
}


@pytest.mark.parametrize("vehicle_class", list(VehicleClass))
def test_every_class_of_the_contract_has_its_principal_in_both_laws(
    vehicle_class: VehicleClass, tariff: Tariff
) -> None:
    found = []
    for duty_year in (1398, 1403):
        for origin in Origin:
            vehicle = replace(car(10_000_000_000, model_year=1395, origin=origin), vehicle_class=vehicle_class)
            answer = one_year(vehicle, duty_year, parse_jalali(f"{duty_year}-07-15"), tariff)
            found.append(answer.owed_rial)
    assert tuple(found) == CLASS_AMOUNTS[vehicle_class]


@pytest.mark.parametrize("vehicle_class", list(VehicleClass))
def test_the_demonstration_covers_1395_to_1405_and_no_year_more(
    vehicle_class: VehicleClass, tariff: Tariff
) -> None:
    assert tariff.principal_years(vehicle_class) == tuple(range(1395, 1406))


def test_only_values_of_the_law_are_not_marked_as_demonstration(tariff: Tariff) -> None:
    of_law = {row["id"] for row in tariff.document["rows"] if not row["demonstration"]}
    assert of_law == {
        "principal-1387-passenger",  # 1387 law, art. 43(b)
        "surcharge-1387",  # 1387 law, art. 43, note
        "principal-1400-domestic",  # 1400 law, art. 29(a)
        "principal-1400-imported",  # 1400 law, art. 29(a)
        "penalty-1400",  # 1400 law, art. 37
    }
