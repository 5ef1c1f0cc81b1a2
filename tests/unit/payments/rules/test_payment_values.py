"""A payment as a value: what adds up, what a change carries, who holds a duty, what a fee may be."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from avarez.clock import to_rfc3339
from avarez.journal import YearAmount
from functions.pay.payments.billing import found_money
from functions.pay.rules.fees import Bearer, Fee, split
from functions.pay.rules.leases import holds, may_take
from functions.pay.rules.refunds import (
    Wanted,
    after_refund,
    certified_claims,
    held_claims,
    is_whole,
    left_of,
    wanted_of,
)
from functions.pay.rules.states import Occurrence, Status
from functions.pay.rules.terminals import Closing, ClosingLine, Terminal
from tests.unit.payments.payments_fake import NOON, a_payment, a_refund

LATER = NOON + timedelta(minutes=3)
ONE_YEAR = (YearAmount(1404, 1),)
NO_FEES: dict[str, Any] = {"rounding_rial": 0, "fee_rial": 0, "office_fee_rial": 0}
JOINT: dict[str, Any] = {"years": (), "parts": 2, **NO_FEES}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"years": ONE_YEAR, **NO_FEES, "amount_rial": 1},  # the smallest payment
        {"years": ONE_YEAR, "rounding_rial": 2, "fee_rial": 4, "amount_rial": 7},
        {"years": (), **NO_FEES, "confirmed_rial": 900, "amount_rial": 900},  # money that was found
        {"years": (), "rounding_rial": 0, "fee_rial": 5, "confirmed_rial": 900, "amount_rial": 905},
        {**JOINT, "amount_rial": 0},  # its parts are not leased yet
        {**JOINT, "parts_rial": 70, "fee_rial": 5, "amount_rial": 75},
        {"confirmed_rial": 999},  # what stands in suspense is no part of a payment that has years
    ],
)
def test_amount_is_the_sum_of_its_parts(changes: dict[str, Any]) -> None:
    made = a_payment(**changes)
    found = made.confirmed_rial if not made.years and not made.parts else 0
    years_rial = sum(part.amount_rial for part in made.years)
    assert made.amount_rial == years_rial + made.rounding_rial + made.fee_rial + made.parts_rial + found


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_rial": 1_239_999},
        {"amount_rial": 1_240_001},
        {"years": (), **NO_FEES, "amount_rial": 0},  # nothing is no payment
        {"years": (YearAmount(1404, -5),), **NO_FEES, "amount_rial": -5},
        {"years": (), **NO_FEES, "confirmed_rial": 900, "amount_rial": 899},
        {**JOINT, "parts_rial": 70, "amount_rial": 71},
        {**JOINT, "confirmed_rial": 900, "amount_rial": 900},
        {**JOINT, "parts_rial": -1, "amount_rial": -1},
        {"parts": 2},  # a joint payment has no years of its own
    ],
)
def test_payment_that_does_not_add_up_cannot_exist_and_is_named(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="py_1"):
        a_payment(**changes)


def test_every_write_is_one_version_on() -> None:
    payment = a_payment(version=7, open_due_at=NOON, releasing=True)
    postponed, released = payment.postponed(LATER), payment.released()
    assert (postponed.version, postponed.open_due_at, postponed.releasing) == (8, LATER, True)
    assert (released.version, released.open_due_at, released.releasing) == (8, None, False)


@pytest.mark.parametrize(("parts", "due_at"), [(0, None), (2, NOON)])
def test_joint_payment_that_ended_is_looked_at_until_its_parts_are_free(parts: int, due_at: object) -> None:
    shape = {**JOINT, "parts_rial": 10, "amount_rial": 10} if parts else {}
    ended = a_payment(status=Status.PENDING, **shape).ended(Occurrence.WINDOW_PASSED, NOON, confirmed_rial=3)
    assert (ended.status, ended.open_due_at, ended.releasing) == (Status.EXPIRED, due_at, bool(parts))
    assert ended.confirmed_rial == 3


@pytest.mark.parametrize("status", list(Status))
def test_money_is_held_in_suspense_where_it_was_confirmed_and_is_nobodys(status: Status) -> None:
    assert a_payment(status=status, confirmed_rial=1).held_in_suspense == (status == "suspense")
    assert not a_payment(status=status, confirmed_rial=0).held_in_suspense


@pytest.mark.parametrize(
    ("changes", "good"), [({}, False), ({"parent_id": "py_0"}, True), ({"terminal": "T"}, True)]
)
def test_leases_of_parts_and_of_sales_end_by_no_time(changes: dict[str, str], good: bool) -> None:
    assert a_payment(**changes).holds_for_good is good


# --- who holds a duty -----------------------------------------------------------------------------------

BEFORE, AT, AFTER = (to_rfc3339(NOON + timedelta(seconds=step)) for step in (-1, 0, 1))


def lease(until: str = AT, **more: object) -> dict[str, object]:
    return {"status": "leased", "payment_id": "py_other", "lease_until_at": until, **more}


@pytest.mark.parametrize(
    ("holder", "taken"),
    [
        (None, True),
        (lease(AFTER), False),
        (lease(AT), False),  # the last instant is still the holder's
        (lease(BEFORE), True),
        (lease(BEFORE, confirmed=True), False),  # verify has begun: only a result ends it
        (lease(AFTER, payment_id="py_1"), True),
        (lease(AFTER, payment_id="py_1", confirmed=True), True),
        ({"status": "paid", "payment_id": "py_other"}, False),
        ({"status": "paid", "payment_id": "py_1"}, False),  # a paid duty is not paid again, by nobody
    ],
)
def test_duty_is_free_mine_or_lapsed_or_it_cannot_be_taken(holder: dict[str, object] | None, taken: bool) -> None:
    assert may_take(holder, "py_1", AT) is taken


@pytest.mark.parametrize(
    ("holder", "held"),
    [
        (None, False),
        (lease(payment_id="py_1"), True),
        (lease(), False),
        ({"status": "paid", "payment_id": "py_1"}, False),
    ],
)
def test_duty_is_held_by_the_payment_that_it_is_leased_to(holder: dict[str, object] | None, held: bool) -> None:
    assert holds(holder, "py_1") is held


# --- fees -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("amount_rial", "office_ppm"), [(-1, 0), (-1, 2_000_000), (0, -1), (0, 1_000_001)])
def test_fee_below_nothing_and_shares_beyond_all_are_refused(amount_rial: int, office_ppm: int) -> None:
    with pytest.raises(ValueError):
        Fee(amount_rial, office_ppm=office_ppm)


@pytest.mark.parametrize("bearer", list(Bearer))
@pytest.mark.parametrize("office_ppm", [0, 1, 333_333, 500_000, 999_999, 1_000_000])
@pytest.mark.parametrize("amount_rial", [0, 1, 3, 5_001, 999_999_999])
def test_fee_is_split_without_a_rial_lost(amount_rial: int, office_ppm: int, bearer: Bearer) -> None:
    for duty_rial in (1, 5_000, 10**12):
        made = split(Fee(amount_rial, bearer, office_ppm), duty_rial=duty_rial, has_office=True)
        borne = amount_rial if bearer is Bearer.PAYER else min(amount_rial, duty_rial)
        assert (made.payer_rial, made.city_rial)[bearer is Bearer.CITY] == borne
        assert made.payer_rial + made.city_rial == borne
        # The office's part to the rial below; what is over is the platform's.
        assert made.office_rial * 1_000_000 <= borne * office_ppm < (made.office_rial + 1) * 1_000_000
        assert split(Fee(amount_rial, bearer, office_ppm), duty_rial=duty_rial, has_office=False).office_rial == 0


# --- what a refund comes to -----------------------------------------------------------------------------

WHOLE = (YearAmount(1403, 1_000_000), YearAmount(1404, 234_500))
GONE = (YearAmount(1403, 1_000_000), YearAmount(1404, 234_499))


@pytest.mark.parametrize(
    ("refunded", "left"),
    [
        ((), WHOLE),
        ((YearAmount(1403, 1_000_000),), (YearAmount(1404, 234_500),)),
        (GONE, (YearAmount(1404, 1),)),  # the last rial is there until it is given back
        (WHOLE, ()),
    ],
)
def test_what_is_left_is_what_was_paid_less_what_went_back(
    refunded: tuple[YearAmount, ...], left: tuple[YearAmount, ...]
) -> None:
    payment = a_payment(refunded=refunded)
    assert left_of(payment) == left
    assert wanted_of(payment, ()) == Wanted(left, 500, 5_000)
    assert wanted_of(payment, ()).amount_rial == sum(part.amount_rial for part in left) + 5_500


def test_year_without_a_rial_has_nothing_left_and_one_with_a_single_rial_has() -> None:
    payment = a_payment(years=(YearAmount(1403, 0), YearAmount(1404, 1)), amount_rial=5_501)
    assert left_of(payment) == (YearAmount(1404, 1),)


@pytest.mark.parametrize(
    ("refunded", "asked", "extra"),
    [
        ((), ((1403, 1),), False),
        ((), ((1404, 234_500),), False),
        ((), ((1404, 234_500), (1403, 999_999)), False),
        ((), ((1404, 234_500), (1403, 1_000_000)), True),  # the whole, however it is asked for
        (GONE, ((1404, 1),), True),  # and the rest of it
    ],
)
def test_rounding_and_fee_go_back_with_the_last_of_a_payment(
    refunded: tuple[YearAmount, ...], asked: tuple[tuple[int, int], ...], extra: bool
) -> None:
    wanted = wanted_of(a_payment(refunded=refunded), [YearAmount(*part) for part in asked])
    assert wanted.years == tuple(YearAmount(*part) for part in sorted(asked))
    assert (wanted.rounding_rial, wanted.fee_rial) == ((500, 5_000) if extra else (0, 0))


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (((1404, 234_501),), "1404 holds 234500 rial"),
        (((1404, 0),), "1404 holds 234500 rial"),
        (((1404, -1),), "1404 holds 234500 rial"),
        (((1402, 1),), "1402 holds 0 rial"),
        (((1404, 1), (1404, 1)), "twice"),
    ],
)
def test_more_than_a_year_holds_cannot_be_asked_for(asked: tuple[tuple[int, int], ...], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        wanted_of(a_payment(), [YearAmount(*part) for part in asked])


def test_refunds_of_one_year_add_up() -> None:
    payment = a_payment(refunded=(YearAmount(1404, 4_500),))
    refund = a_refund(years=(YearAmount(1404, 30_000), YearAmount(1403, 1)), amount_rial=30_001)
    assert after_refund(payment, refund) == (YearAmount(1403, 1), YearAmount(1404, 34_500))
    assert not is_whole(payment, refund)


def test_refund_is_whole_when_nothing_is_left_and_always_in_suspense() -> None:
    assert is_whole(a_payment(), a_refund(years=WHOLE, amount_rial=1_234_500))
    assert is_whole(a_payment(refunded=GONE), a_refund(years=ONE_YEAR, amount_rial=1))
    assert not is_whole(a_payment(), a_refund())
    assert is_whole(a_payment(status=Status.SUSPENSE), a_refund())


# --- the end of a terminal's day ------------------------------------------------------------------------


def test_closing_says_which_day_it_closes_by_whom_and_after_which_sale() -> None:
    terminal = Terminal("T-1", "of1", "saman", last_payment_id="py_8")
    lines = [ClosingLine("1001", 700), ClosingLine("1002", 50, order_id="py_9")]
    begun = Closing.begun(terminal, date(2026, 11, 23), lines, "clerk", LATER)
    assert (begun.closing_id, begun.terminal_id, begun.day) == ("T-1-2026-11-23", "T-1", date(2026, 11, 23))
    assert (begun.lines, begun.counted_rial, begun.lines_hash) == (2, 750, Closing.hash_of(lines))
    assert (begun.closed_by, begun.closed_at, begun.after_payment_id) == ("clerk", LATER, "py_8")
    assert (begun.ours_rial, begun.variance_rial, begun.done) == (0, 0, False)


@pytest.mark.parametrize(
    "other",
    [ClosingLine("1003", 700), ClosingLine("1001", 701), ClosingLine("1001", 700, order_id="py_1")],
)
def test_list_of_a_closing_is_the_same_in_any_order_and_another_with_any_other_line(other: ClosingLine) -> None:
    first, second = ClosingLine("1001", 700), ClosingLine("1002", 50)
    assert Closing.hash_of([first, second]) == Closing.hash_of([second, first])
    assert Closing.hash_of([first, second]) != Closing.hash_of([other, second])


def test_a_payment_holds_the_years_that_were_not_given_back() -> None:
    made = a_payment()
    claims = [(made.vehicle_id, part.year) for part in made.years]
    assert len(claims) == 2
    assert held_claims(made) == certified_claims(made) == tuple(claims)
    rest = replace(made, refunded=made.years[:1])
    assert held_claims(rest) == certified_claims(rest) == tuple(claims[1:])
    nothing = replace(made, refunded=made.years)
    assert held_claims(nothing) == certified_claims(nothing) == ()


def test_a_part_holds_its_place_in_the_agreement_and_certifies_the_years_it_ended() -> None:
    made = a_payment(agreement_id="ag_1", instalment=2, completes=(YearAmount(1403, 900_000),))
    assert held_claims(made) == (("ag_1", 2),)
    assert certified_claims(made) == (("ag_1", 2), (made.vehicle_id, 1403))
    back = replace(made, refunded=made.years)
    assert held_claims(back) == certified_claims(back) == ()


def test_money_that_was_found_is_of_no_agreement() -> None:
    made = a_payment(agreement_id="ag_1", instalment=2, completes=(YearAmount(1403, 900_000),))
    found = found_money(made, 900, LATER)
    assert (found.agreement_id, found.instalment, found.completes, found.years) == ("", 0, (), ())
    assert (found.status, found.confirmed_rial, found.amount_rial) == (Status.SUSPENSE, 900, 900)
