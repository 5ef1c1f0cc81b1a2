"""An agreement's steps, one by one: which states allow them, what each changes, what a surcharge comes to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from avarez.journal import YearAmount
from functions.pay.rules.instalments import Agreement, AgreementStatus, Part, with_surcharge

DUE = (date(2026, 11, 23), date(2026, 12, 23), date(2027, 1, 22))


def agreement(status: str = "in_force", paid_parts: int = 1, **changes: Any) -> Agreement:
    made = Agreement(
        agreement_id="ag_1",
        assessment_id="as_1",
        municipality="TEHRAN",
        plate="12B345-67",
        vehicle_id="ve_1",
        as_of=DUE[0],
        years=(YearAmount(1403, 2_000), YearAmount(1404, 1_500)),
        surcharge_rial=0,
        rounding_rial=500,
        parts=tuple(Part(number + 1, (2_000, 1_000, 1_000)[number], day) for number, day in enumerate(DUE)),
        grace_days=10,
        trace_hash="ab",
        tariff_version="t",
        requested_by="clerk",
        office="of1",
        version=5,
    )
    return replace(made, status=AgreementStatus(status), paid_parts=paid_parts, **changes)


@pytest.mark.parametrize("status", list(AgreementStatus))
def test_agreement_is_approved_while_it_is_asked_for_and_goes_on_while_it_is_in_force(status: str) -> None:
    stands = agreement(status)
    steps: tuple[tuple[Callable[[], Agreement], str, dict[str, Any]], ...] = (
        (lambda: stands.approved("officer"), "requested", {"status": "in_force", "approved_by": "officer"}),
        (
            lambda: stands.rejected("officer", "no"),
            "requested",
            {"status": "rejected", "rejected_by": "officer", "rejection_reason": "no"},
        ),
        (lambda: stands.with_paid(2), "in_force", {"status": "in_force", "paid_parts": 2}),
        (stands.broken, "in_force", {"status": "broken", "broken_on": DUE[1]}),
    )
    for step, allowed, changes in steps:
        if status != allowed:
            with pytest.raises(ValueError, match=f"ag_1.*{status}"):
                step()
            continue
        assert step() == replace(stands, version=6, **changes)


def test_last_part_completes_it_and_parts_are_paid_in_order() -> None:
    assert agreement(paid_parts=2).with_paid(3).status is AgreementStatus.COMPLETED
    for number in (1, 3):
        with pytest.raises(ValueError, match=f"part {number} of ag_1"):
            agreement(paid_parts=1).with_paid(number)
    with pytest.raises(ValueError, match="ag_1"):
        agreement(paid_parts=3).broken()


@pytest.mark.parametrize(
    ("status", "then"), [("in_force", "in_force"), ("completed", "in_force"), ("broken", "broken")]
)
def test_last_paid_part_is_given_back_and_no_other(status: str, then: str) -> None:
    stands = agreement(status, paid_parts=2)
    back = stands.without_paid(2)
    assert back == replace(stands, status=AgreementStatus(then), paid_parts=1, version=6)
    for number, state in ((1, status), (3, status), (2, "requested")):
        with pytest.raises(ValueError, match=f"part {number} of ag_1"):
            agreement(state, paid_parts=2).without_paid(number)


@pytest.mark.parametrize(
    "changes", [{"rounding_rial": 499}, {"parts": ()}, {"parts": (), "years": (), "rounding_rial": 0}]
)
def test_agreement_whose_parts_are_not_its_years_cannot_exist(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="ag_1"):
        agreement(**changes)


@pytest.mark.parametrize(
    ("amount_rial", "surcharge_ppm", "comes_to"),
    [
        (1_000_000, 0, 1_000_000),
        (1_000_000, 10_000, 1_010_000),
        (49, 10_000, 49),
        (50, 10_000, 51),
        (3, 333_333, 4),
    ],
)
def test_surcharge_is_rounded_half_up_once_for_each_year(
    amount_rial: int, surcharge_ppm: int, comes_to: int
) -> None:
    years = (YearAmount(1403, amount_rial), YearAmount(1404, 1_000_000))
    assert with_surcharge(years, surcharge_ppm) == (
        YearAmount(1403, comes_to),
        YearAmount(1404, 1_000_000 + surcharge_ppm),
    )


@pytest.mark.parametrize("status", list(AgreementStatus))
def test_agreement_lapses_on_the_day_after_it_was_asked_for_unless_it_is_decided(status: str) -> None:
    stands = agreement(status)
    waits = status == "requested"
    days = [stands.as_of + timedelta(days=step) for step in (-1, 0, 1)]
    assert [stands.lapsed(day) for day in days] == [False, False, waits]
