"""What holds for every vehicle, payment and day: totals, purity, exactness, order, independence of place."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
)
from avarez.assessment.rules import divide_half_up, penalty_months
from avarez.jalali import (
    format_jalali,
    read_jalali,
    to_gregorian,
    to_jalali,
)

ROOT = Path(__file__).resolve().parents[2]
TARIFF = load_tariff(ROOT / "demo" / "tariffs")
CITIES = ("TEHRAN", "SHIRAZ", "TABRIZ")
FIRST_DAY, LAST_DAY = date(2016, 3, 20), date(2027, 3, 20)  # 1395-01-01 to 1405-12-29, which the tariff covers

days = st.dates(FIRST_DAY, LAST_DAY)
vehicles = st.builds(
    Vehicle,
    vehicle_class=st.sampled_from(VehicleClass),
    origin=st.sampled_from(Origin),
    fuel=st.sampled_from(Fuel),
    model_year=st.integers(1350, 1405),
    model_calendar=st.just(ModelCalendar.JALALI),
    make=st.just(""),
    model=st.just(""),
    base_price_rial=st.integers(1, 10**15),
    sale_date=st.none() | st.dates(date(1980, 1, 1), LAST_DAY),
)
residences = st.lists(
    st.builds(
        Residence,
        municipality=st.sampled_from(CITIES),
        since=st.none() | st.dates(date(1990, 1, 1), LAST_DAY),
        until=st.none() | st.dates(date(2005, 1, 1), LAST_DAY),
    ),
    max_size=4,
)
payments = st.lists(
    st.builds(
        PaidYear,
        year=st.integers(1393, 1407),
        amount_rial=st.integers(0, 10**13),
        paid_on=days,
        payment_id=st.just("py_1"),
        municipality=st.none() | st.sampled_from(CITIES),
    ),
    max_size=5,
)


def every_value(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for member in value.values() for leaf in every_value(member)]
    if isinstance(value, list | tuple):
        return [leaf for member in value for leaf in every_value(member)]
    return [value]


@given(vehicles, residences, payments, days)
def test_lines_sum_to_what_is_owed_and_years_to_their_lines(
    vehicle: Vehicle, lived: list[Residence], paid: list[PaidYear], as_of: date
) -> None:
    answer = assess(vehicle, lived, paid, TARIFF, as_of, None, "TEHRAN")
    assert sum(line.amount_rial for line in answer.lines) == answer.owed_rial
    assert sum(total.amount_rial for total in answer.years) + answer.rounding_rial == answer.owed_rial
    for total in answer.years:
        of_year = [line for line in answer.lines if line.year == total.year]
        assert sum(line.amount_rial for line in of_year) == total.amount_rial
        assert total.amount_rial >= 0
        if total.paid:
            assert total.amount_rial == 0
    assert answer.owed_rial % 1_000 == 0
    assert 0 <= answer.rounding_rial < 1_000


@given(vehicles, residences, payments, days)
def test_no_float_and_no_decimal_anywhere(
    vehicle: Vehicle, lived: list[Residence], paid: list[PaidYear], as_of: date
) -> None:
    answer = assess(vehicle, lived, paid, TARIFF, as_of, None, "TEHRAN")
    assert all(type(line.amount_rial) is int for line in answer.lines)
    for leaf in every_value(answer.to_json()):
        assert leaf is None or type(leaf) in {str, int, bool}


@given(vehicles, residences, payments, days)
def test_same_inputs_give_the_same_hash_in_any_order_of_facts(
    vehicle: Vehicle, lived: list[Residence], paid: list[PaidYear], as_of: date
) -> None:
    first = assess(vehicle, lived, paid, TARIFF, as_of, None, "TEHRAN")
    again = assess(
        Vehicle.from_json(vehicle.to_json()), lived[::-1], tuple(paid), load_again(), as_of, None, "TEHRAN"
    )
    assert first.trace_hash == again.trace_hash
    assert first.to_json() == again.to_json()


_loaded: list[Any] = []


def load_again() -> Any:
    """A tariff read a second time from its files, once for the whole module."""
    if not _loaded:
        _loaded.append(load_tariff(ROOT / "demo" / "tariffs"))
    return _loaded[0]


@given(vehicles, residences, days)
def test_no_year_is_owed_to_two_cities(vehicle: Vehicle, lived: list[Residence], as_of: date) -> None:
    """But for a dispute, each assessed year of a vehicle belongs to one city exactly."""
    if not lived:
        return
    answers = [assess(vehicle, lived, (), TARIFF, as_of, None, city) for city in CITIES]
    if any(answer.residence_disputed for answer in answers):
        return
    owned = [total.year for answer in answers for total in answer.years]
    assert len(owned) == len(set(owned))
    start = max(to_jalali(vehicle.duty_starts).year, 1395)
    assert sorted(owned) == list(range(start, to_jalali(as_of).year + 1))


@given(vehicles, days, st.integers(0, 400))
def test_what_is_owed_never_falls_with_time(vehicle: Vehicle, as_of: date, later_days: int) -> None:
    later = min(as_of + timedelta(days=later_days), LAST_DAY)
    now = assess(vehicle, (), (), TARIFF, as_of, None, "TEHRAN")
    then = assess(vehicle, (), (), TARIFF, later, None, "TEHRAN")
    assert then.owed_rial >= now.owed_rial


@given(vehicles, days)
def test_paying_what_is_owed_leaves_nothing_owed_that_day(vehicle: Vehicle, as_of: date) -> None:
    quote = assess(vehicle, (), (), TARIFF, as_of, None, "TEHRAN")
    paid = [PaidYear(total.year, total.amount_rial, as_of, "py_1", "TEHRAN") for total in quote.owed_years]
    after = assess(vehicle, (), paid, TARIFF, as_of, None, "TEHRAN")
    assert after.owed_rial == 0
    assert LineKind.ADJUSTMENT not in {line.kind for line in after.lines}


@given(vehicles, days, st.lists(st.tuples(st.integers(0, 10), days), min_size=1, max_size=5), st.randoms())
def test_the_order_of_payments_does_not_matter(
    vehicle: Vehicle, as_of: date, paid_on: list[tuple[int, date]], chance: Any
) -> None:
    """Years paid one by one on any days, told in any order: the same lines in the same order."""
    quote = assess(vehicle, (), (), TARIFF, as_of, None, "TEHRAN")
    if not quote.owed_years:
        return
    payments = [
        PaidYear(total.year, total.amount_rial, day, f"py_{number}", "TEHRAN")
        for number, (chosen, day) in enumerate(paid_on)
        for total in [quote.owed_years[chosen % len(quote.owed_years)]]
    ]
    told = list(payments)
    chance.shuffle(told)
    first = assess(vehicle, (), payments, TARIFF, as_of, None, "TEHRAN")
    second = assess(vehicle, (), told, TARIFF, as_of, None, "TEHRAN")
    assert first.to_json() == second.to_json()
    years = {payment.year for payment in payments}
    unpaid = [total.amount_rial for total in quote.years if total.year not in years]
    assert first.owed_rial - first.rounding_rial == sum(unpaid)


@given(vehicles, days)
def test_paying_the_years_one_after_the_other_ends_where_paying_at_once_ends(
    vehicle: Vehicle, as_of: date
) -> None:
    quote = assess(vehicle, (), (), TARIFF, as_of, None, "TEHRAN")
    paid: list[PaidYear] = []
    for total in reversed(quote.owed_years):
        paid.append(PaidYear(total.year, total.amount_rial, as_of, "py_1", "TEHRAN"))
        left = assess(vehicle, (), paid, TARIFF, as_of, None, "TEHRAN")
        years = {payment.year for payment in paid}
        assert left.owed_rial - left.rounding_rial == sum(
            one.amount_rial for one in quote.owed_years if one.year not in years
        )


@given(vehicles, days)
def test_one_quote_for_two_years_is_the_sum_of_the_two_before_rounding(vehicle: Vehicle, as_of: date) -> None:
    whole = assess(vehicle, (), (), TARIFF, as_of, None, "TEHRAN")
    shorter = assess(vehicle, (), (), TARIFF, as_of, whole.through_year - 1, "TEHRAN")
    assert whole.years[: len(shorter.years)] == shorter.years


@given(st.integers(-(10**18), 10**18), st.integers(1, 1200))
def test_divide_half_up_agrees_with_the_decimal_rounding(numerator: int, denominator: int) -> None:
    doubled = abs(divide_half_up(numerator, denominator)) * 2 * denominator
    assert abs(doubled - 2 * abs(numerator)) <= denominator
    if 100 % denominator == 0:
        exact = Decimal(numerator) / denominator
        assert divide_half_up(numerator, denominator) == int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))


@given(st.integers(1300, 1450), st.integers(1300, 1450), st.integers(1, 12))
def test_penalty_months_are_those_that_begin_after_the_duty_year(duty_year: int, year: int, month: int) -> None:
    begun = [(y, m) for y in range(duty_year + 1, year + 1) for m in range(1, 13) if (y, m) <= (year, month)]
    assert penalty_months(duty_year, year, month) == len(begun)


@given(st.dates(date(1825, 1, 1), date(2120, 1, 1)))
def test_jalali_dates_survive_their_text(day: date) -> None:
    assert read_jalali(format_jalali(day)) == day
    assert to_gregorian(to_jalali(day)) == day


_IN_A_ZONE = """
import json, sys
from datetime import date
from pathlib import Path
from avarez.assessment import Assessment, Vehicle, assess, load_tariff
tariff = load_tariff(Path(sys.argv[1]))
answer = []
for facts in json.loads(sys.argv[2]):
    for as_of in ("2026-03-20", "2026-03-21", "2026-11-23"):
        answer.append(
            assess(Vehicle.from_json(facts), (), (), tariff, date.fromisoformat(as_of), None, "TEHRAN").to_json()
        )
print(json.dumps(answer))
"""


def test_same_answers_in_two_time_zones_and_two_processes() -> None:
    facts = [
        {"vehicle_class": kind.value, "origin": "imported", "fuel": "dual", "model_year": 2004,
         "model_calendar": "gregorian", "make": "x", "model": "y", "base_price_rial": "9876543211"}
        for kind in VehicleClass
    ]  # fmt: skip
    answers = [
        subprocess.run(
            [sys.executable, "-c", _IN_A_ZONE, str(ROOT / "demo" / "tariffs"), json.dumps(facts)],
            env={"TZ": zone, "PYTHONHASHSEED": str(seed), "PYTHONPATH": str(ROOT / "layers" / "common")},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for zone, seed in (
            ("UTC", "1"),
            ("Asia/Tehran", "2"),
            ("Pacific/Kiritimati", "3"),
            ("Pacific/Pago_Pago", "4"),
        )
    ]
    assert len(set(answers)) == 1
    assert len(json.loads(answers[0])) == 3 * len(VehicleClass)


@pytest.mark.parametrize(
    "path",
    [
        *sorted((ROOT / "layers/common/avarez/assessment").rglob("*.py")),
        *sorted((ROOT / "layers/common/avarez/fleet").glob("*.py")),
    ],
    ids=lambda p: p.name,
)
def test_engine_has_no_float_no_clock_and_no_environment(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), f"line {node.lineno}"
        assert not (
            isinstance(node, ast.BinOp | ast.AugAssign)
            and isinstance(node.op, ast.Div)
            and path.name == "rules.py"
        )
        if isinstance(node, ast.Name):
            assert node.id not in {"float", "Decimal"}, f"line {node.lineno}"
        if isinstance(node, ast.Attribute):
            assert node.attr not in {"now", "today", "utcnow", "environ", "getenv", "random"}, (
                f"line {node.lineno}"
            )


@settings(max_examples=20)
@given(vehicles, days)
def test_assessment_is_an_assessment_of_its_own_inputs(vehicle: Vehicle, as_of: date) -> None:
    answer: Assessment = assess(vehicle, (), (), TARIFF, as_of, None, "SHIRAZ")
    assert (answer.vehicle, answer.as_of, answer.municipality) == (vehicle, as_of, "SHIRAZ")
    assert answer.tariff_version == TARIFF.content_hash
