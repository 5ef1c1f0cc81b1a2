"""Whatever two assessments differ in, the parts that explain the difference sum to it exactly."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from avarez.assessment import PaidYear, Settings, assess
from avarez.assessment.differences import Cause, changes_between, year_comparisons
from avarez.assessment.tariff import FirstYear
from tests.properties.fleets import random_vehicles, tariff_with_everything

TARIFFS = (tariff_with_everything(), tariff_with_everything(penalty_cap="20/100", penalty_base=["principal"]))
AS_OF = date(2026, 11, 23)

seeds = st.integers(0, 10**9)
days = st.dates(date(2022, 3, 22), date(2027, 3, 19))
paid = st.lists(
    st.builds(
        PaidYear,
        year=st.integers(1395, 1405),
        amount_rial=st.integers(0, 10**9),
        paid_on=days,
        payment_id=st.just("py_1"),
    ),
    max_size=3,
)
whole_or_part = st.sampled_from([Settings(first_duty_year=1395), Settings(1395, first_year=FirstYear.MONTHS_LEFT)])


@given(seeds, seeds, days, days, paid, whole_or_part, st.integers(0, 1), st.integers(0, 1))
def test_changes_between_any_two_assessments_sum_to_their_difference(
    seed: int, other: int, first_day: date, second_day: date, payments: list[PaidYear], settings: Settings,
    first_tariff: int, second_tariff: int,
) -> None:  # fmt: skip
    vehicle, another = random_vehicles(1, seed)[0], random_vehicles(1, other)[0]
    before = assess(vehicle, (), (), TARIFFS[first_tariff], first_day, None, "SHIRAZ", settings=settings)
    after = assess(another, (), payments, TARIFFS[second_tariff], second_day, None, "SHIRAZ", settings=settings)
    changes = changes_between(before.lines, after.lines)
    assert sum(change.amount_rial for change in changes) == after.owed_rial - before.owed_rial
    assert len({change.cause for change in changes}) == len(changes)
    for change in changes:
        assert change.amount_rial != 0
        assert change.text_en
        assert change.text_fa


@given(seeds, days, paid)
def test_each_year_beside_the_one_before_it_is_explained_wholly(
    seed: int, as_of: date, payments: list[PaidYear]
) -> None:
    answer = assess(random_vehicles(1, seed)[0], (), payments, TARIFFS[0], as_of, 1405, "SHIRAZ")
    for compared in year_comparisons(answer.lines):
        total = sum(change.amount_rial for change in compared.changes)
        assert total == compared.after_rial - compared.before_rial


@given(seeds)
def test_a_dearer_base_price_alone_is_put_down_to_the_price_and_what_rests_on_it(seed: int) -> None:
    vehicle = random_vehicles(1, seed)[0]
    dearer = replace(vehicle, base_price_rial=min(vehicle.base_price_rial * 2, 10**15))
    before, after = (assess(v, (), (), TARIFFS[0], AS_OF, 1405, "SHIRAZ") for v in (vehicle, dearer))
    causes = {change.cause for change in changes_between(before.lines, after.lines)}
    assert causes <= {Cause.PRICE, Cause.PENALTY, Cause.EXEMPTION, Cause.DISCOUNT, Cause.ROUNDING}
