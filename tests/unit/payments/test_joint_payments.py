"""One payment for many assessments: all or none, apportioned exactly, resumed after any interruption."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest

from avarez.errors import (
    AssessmentNotFound,
    DutyLocked,
    DutyPaid,
    InvalidInput,
    PaymentNotCancellable,
    PaymentNotFound,
)
from avarez.http.principal import Principal
from avarez.journal import YearAmount
from functions.pay.payments import reconciliation
from functions.pay.payments.arrival import receive
from functions.pay.payments.cancellation import cancel
from functions.pay.payments.joint import opening as joint
from functions.pay.payments.joint import parts
from functions.pay.payments.opening import Asked, find
from functions.pay.rules.fees import Fee
from functions.pay.rules.records import Payment
from functions.pay.rules.states import Status
from tests.unit.payments.payments_fake import CLERK, OTHER_CLERK, Crash, World, quote, world
from tests.unit.payments.payments_steps import now_of, open_one, sweep


def quotes(w: World, count: int, *, city: str = "TEHRAN") -> tuple[str, ...]:
    """Quotes of as many cars; car n owes n thousand rial."""
    ids = []
    for number in range(1, count + 1):
        made = quote(
            w.clock,
            1_000 + number,
            municipality=city,
            vehicle_id=f"ve_f{number}",
            years=(YearAmount(1404, number * 1_000),),
            rounding_rial=0,
            owed_rial=number * 1_000,
        )
        w.store.quotes[made.assessment_id] = made
        ids.append(made.assessment_id)
    return tuple(ids)


def open_joint(w: World, ids: tuple[str, ...], key: str = "j1", who: Principal = CLERK) -> Payment:
    opened = joint.create(w.desk, principal=who, key=key, asked=Asked(ids, "gateway", "", ""))
    payment = w.store.payment(opened.payment_id)
    assert payment is not None
    return payment


def come_back(w: World, payment: Payment) -> Payment:
    reference = w.gateway.pay(payment.token)
    fields = {
        "order_id": payment.payment_id,
        "token": payment.token,
        "state": "paid",
        "reference": reference,
        "amount": str(payment.amount_rial),
    }
    after = receive(w.desk, gateway_name="sandbox", fields=fields)
    assert after is not None
    return after


def parts_of(w: World, parent: Payment) -> list[Payment]:
    return [payment for payment in w.store.payments.values() if payment.parent_id == parent.payment_id]


def run_queue(w: World) -> None:
    for _ in range(20):
        messages, w.queue.messages = w.queue.messages, []
        for message in messages:
            chunk = int(message["chunk"]) if "chunk" in message else None
            reconciliation.retry(w.desk, message["payment_id"], chunk)


def test_small_joint_payment_is_paid_at_once_and_apportioned_exactly() -> None:
    w = world()
    w.store.fees["TEHRAN"] = Fee(500)
    parent = open_joint(w, quotes(w, 3))
    assert (parent.status, parent.amount_rial, parent.fee_rial) == (Status.PENDING, 7_500, 1_500)

    after = come_back(w, parent)

    assert after.status is Status.SETTLED
    own = parts_of(w, parent)
    assert sorted(part.amount_rial for part in own) == [1_500, 2_500, 3_500]
    assert {part.status for part in own} == {Status.SETTLED}
    assert len({part.certificate_id for part in own}) == 3
    assert {entry.reference for entry in w.store.journal} == {after.reference}
    assert sum(posting.debit_rial for entry in w.store.journal for posting in entry.postings) == 7_500


def test_large_joint_payment_is_prepared_and_settled_by_the_queue() -> None:
    w = world()
    parent = open_joint(w, quotes(w, 130))
    assert parent.status is Status.CREATED
    assert len(w.queue.messages) == 4  # seven chunks of twenty, three of them done at once
    run_queue(w)
    parent = now_of(w, parent)
    assert parent.status is Status.PENDING
    assert parent.amount_rial == sum(range(1, 131)) * 1_000

    assert come_back(w, parent).status is Status.VERIFYING
    run_queue(w)

    assert now_of(w, parent).status is Status.SETTLED
    assert {part.status for part in parts_of(w, parent)} == {Status.SETTLED}


def test_large_joint_payment_without_a_queue_is_finished_by_the_sweep() -> None:
    w = world()
    parent = open_joint(w, quotes(w, 130))
    for _ in range(10):
        w.queue.messages.clear()
        w.clock.advance(timedelta(minutes=1))
        sweep(w)
    assert now_of(w, parent).status is Status.PENDING


def test_one_duty_that_cannot_be_had_ends_the_whole_and_frees_the_rest() -> None:
    w = world()
    ids = quotes(w, 3)
    other = open_one(w, number=9, vehicle_id="ve_f2", years=(YearAmount(1404, 2_000),), owed_rial=2_500)
    with pytest.raises(DutyLocked) as refusal:
        open_joint(w, ids)
    assert refusal.value.extra["assessment_id"] == ids[1]
    assert {holder["payment_id"] for holder in w.store.duties.values()} == {other.payment_id}
    parent = next(payment for payment in w.store.payments.values() if payment.parts)
    assert (parent.status, parent.unfinished) == (Status.FAILED, False)


def test_one_car_named_by_two_quotes_is_refused() -> None:
    w = world()
    ids = quotes(w, 2)
    again = quote(w.clock, 5_000, vehicle_id="ve_f1", years=(YearAmount(1404, 1_000),), rounding_rial=0)
    w.store.quotes[again.assessment_id] = quote(
        w.clock,
        5_000,
        vehicle_id="ve_f1",
        years=(YearAmount(1404, 1_000),),
        rounding_rial=0,
        owed_rial=1_000,
    )
    with pytest.raises(DutyLocked):
        open_joint(w, (*ids, again.assessment_id))
    assert w.store.duties == {}


def test_a_paid_duty_and_a_foreign_quote_end_the_whole() -> None:
    w = world()
    ids = quotes(w, 2)
    come_back(w, open_joint(w, ids))
    with pytest.raises(DutyPaid):
        open_joint(w, ids, key="j2")
    with pytest.raises(AssessmentNotFound):
        open_joint(w, ids, key="j3", who=OTHER_CLERK)  # it serves Shiraz alone


def test_the_same_quote_twice_is_refused_before_anything_is_written() -> None:
    w = world()
    (one,) = quotes(w, 1)
    with pytest.raises(InvalidInput):
        open_joint(w, (one, one))
    assert w.store.payments == {}


def test_repeating_the_call_gives_the_same_payment() -> None:
    w = world()
    ids = quotes(w, 4)
    first = open_joint(w, ids)
    assert open_joint(w, ids).payment_id == first.payment_id
    assert len(w.gateway.slips) == 1


@pytest.mark.parametrize("writes", range(1, 14))
def test_a_crash_after_any_write_is_resumed_by_the_same_key(writes: int) -> None:
    w = world()
    ids = quotes(w, 25)[:6]
    w.store.crash_after_writes = writes
    with suppress(Crash):
        open_joint(w, ids)
    w.store.crash_after_writes = None
    parent = open_joint(w, ids)
    assert parent.status is Status.PENDING
    assert parent.amount_rial == 21_000
    assert come_back(w, parent).status is Status.SETTLED


@pytest.mark.parametrize("writes", range(1, 12))
def test_a_crash_between_the_parts_is_healed_by_the_sweep(writes: int) -> None:
    w = world()
    parent = open_joint(w, quotes(w, 6))
    w.store.crash_after_writes = writes
    with suppress(Crash):
        come_back(w, parent)
    w.store.crash_after_writes = None
    for _ in range(4):
        w.clock.advance(timedelta(minutes=1))
        sweep(w)
    assert now_of(w, parent).status is Status.SETTLED
    assert len(w.store.journal) == len(w.store.certificates) == 6


def test_nobody_pays_and_everything_is_given_up() -> None:
    w = world()
    parent = open_joint(w, quotes(w, 45))
    w.clock.advance(timedelta(minutes=40))
    for _ in range(6):
        w.clock.advance(timedelta(minutes=1))
        sweep(w)
    after = now_of(w, parent)
    assert (after.status, after.unfinished) == (Status.EXPIRED, False)
    assert w.store.duties == {}
    assert {part.status for part in parts_of(w, parent)} == {Status.CANCELLED}


def test_money_that_comes_after_the_end_is_not_verified() -> None:
    w = world()
    parent = open_joint(w, quotes(w, 2))
    token = parent.token
    w.gateway.pay(token)
    w.gateway.silent = 1_000
    w.clock.advance(timedelta(minutes=33))
    sweep(w)
    sweep(w)
    w.gateway.silent = 0
    assert now_of(w, parent).status is Status.EXPIRED
    assert come_back(w, parent).status is Status.EXPIRED
    assert w.store.journal == []


def test_another_amount_at_the_gateway_stands_in_suspense_and_frees_the_duties() -> None:
    w = world()
    parent = open_joint(w, quotes(w, 2))
    w.gateway.slips[parent.token].amount_rial += 1
    reference = w.gateway.pay(parent.token)
    w.gateway.slips[parent.token].state = "verified"
    fields = {"order_id": parent.payment_id, "token": parent.token, "state": "paid", "reference": reference}
    receive(w.desk, gateway_name="sandbox", fields={**fields, "amount": str(parent.amount_rial)})
    run_queue(w)
    assert now_of(w, parent).status is Status.SUSPENSE
    assert w.store.duties == {}
    (entry,) = w.store.journal
    assert (entry.municipality, entry.kind) == ("NATIONAL", "payment_suspense")


def test_a_part_whose_duty_is_gone_stands_in_suspense_alone() -> None:
    w = world()
    parent = open_joint(w, quotes(w, 2))
    w.store.duties["ve_f1", 1404]["payment_id"] = "py_somebody"
    assert come_back(w, parent).status is Status.SETTLED
    kinds = sorted(entry.kind for entry in w.store.journal)
    assert kinds == ["payment_settled", "payment_suspense"]
    assert "suspense" in w.reports


def test_cancelling_frees_every_part_and_a_part_alone_cannot_be_cancelled() -> None:
    w = world()
    parent = open_joint(w, quotes(w, 3))
    with pytest.raises(PaymentNotCancellable):
        cancel(w.desk, parts_of(w, parent)[0], CLERK)
    w.gateway.abandon(parent.token)
    assert cancel(w.desk, parent, CLERK).status is Status.CANCELLED
    run_queue(w)
    assert w.store.duties == {}
    assert not now_of(w, parent).unfinished


def test_duplicate_messages_in_every_order_settle_each_part_once() -> None:
    w = world()
    parent = open_joint(w, quotes(w, 50))
    w.gateway.pay(parent.token)
    come_back(w, parent)
    for chunk in (2, 0, 2, 1, 1, 0):
        reconciliation.retry(w.desk, parent.payment_id, chunk)
    assert now_of(w, parent).status is Status.SETTLED
    assert len(w.store.journal) == 50
    assert parts.goal_of(now_of(w, parent)) is None


def test_a_joint_payment_is_its_offices_alone() -> None:
    w = world()
    parent = open_joint(w, quotes(w, 2))
    assert find(w.desk, principal=CLERK, payment_id=parent.payment_id) == parent
    with pytest.raises(PaymentNotFound):
        find(w.desk, principal=OTHER_CLERK, payment_id=parent.payment_id)
