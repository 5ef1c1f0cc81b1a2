"""What gateways and browsers send back, and what of it counts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from avarez.errors import DutyPaid, GatewayUnavailable
from functions.pay.payments import reconciliation
from functions.pay.payments.arrival import receive
from functions.pay.payments.cancellation import cancel
from functions.pay.rules.records import Payment
from functions.pay.rules.states import Occurrence, Status
from tests.unit.payments.payments_fake import CLERK, Crash, World, world
from tests.unit.payments.payments_steps import callback, now_of, occurrences, open_one, sweep


def test_paid_callback_settles_with_one_entry_one_certificate_one_outbox_row() -> None:
    w = world()
    payment = open_one(w)
    w.gateway.pay(payment.token)
    after = callback(w, payment)
    assert after is not None
    assert after.status is Status.SETTLED
    assert after.certificate_id.startswith("ce_")
    assert len(w.store.journal) == len(w.store.certificates) == len(w.store.outbox) == 1
    assert {holder["status"] for holder in w.store.duties.values()} == {"paid"}
    assert w.store.opened == set()
    assert "payment_settled" in w.reports


def test_paid_duty_refuses_the_next_payment() -> None:
    w = world()
    payment = open_one(w)
    w.gateway.pay(payment.token)
    callback(w, payment)
    with pytest.raises(DutyPaid):
        open_one(w, key="k2", number=2)


def test_forged_paid_callback_before_paying_changes_nothing_and_the_true_one_settles() -> None:
    w = world()
    payment = open_one(w)
    forged = callback(w, payment, reference="stolen")
    assert forged is not None
    assert forged.status is Status.PENDING
    assert w.store.references == {}
    w.gateway.pay(payment.token)
    after = callback(w, now_of(w, payment))
    assert after is not None
    assert after.status is Status.SETTLED


def test_wrong_token_proves_nothing_and_is_kept() -> None:
    w = world()
    payment = open_one(w)
    w.gateway.pay(payment.token)
    assert callback(w, payment, token="other") is None
    assert now_of(w, payment).status is Status.PENDING
    assert occurrences(w, payment)[-1] is Occurrence.CALLBACK_REFUSED


@pytest.mark.parametrize("fields", [{}, {"order_id": "x"}, {"order_id": "py_" + "0" * 36, "token": "t"}])
def test_callback_about_nothing_of_ours_is_none(fields: dict[str, str]) -> None:
    assert receive(world().desk, gateway_name="sandbox", fields=fields) is None
    assert receive(world().desk, gateway_name="nowhere", fields=fields) is None


def test_silent_verify_leaves_verifying_tells_the_queue_and_settles_from_it() -> None:
    w = world()
    payment = open_one(w)
    w.gateway.pay(payment.token)
    w.gateway.silent = 1
    after = callback(w, payment)
    assert after is not None
    assert after.status is Status.VERIFYING
    assert w.queue.messages == [{"payment_id": payment.payment_id}]
    done = reconciliation.retry(w.desk, payment.payment_id)
    assert done is not None
    assert done.status is Status.SETTLED


def test_crash_after_verify_settles_once() -> None:
    w = world()
    payment = open_one(w)
    w.gateway.pay(payment.token)
    w.store.crash_after_writes = 0  # after pending → verifying
    with pytest.raises(Crash):
        callback(w, payment)
    w.clock.advance(timedelta(seconds=31))
    sweep(w)
    assert now_of(w, payment).status is Status.SETTLED


def test_late_callback_settles_while_the_window_lasts_and_the_duty_is_free() -> None:
    w = world()
    payment = open_one(w)
    w.clock.advance(timedelta(minutes=14, seconds=59))
    w.gateway.pay(payment.token)
    w.gateway.silent = 10_000  # nobody can ask
    w.clock.advance(timedelta(minutes=3))
    w.gateway.silent = 0
    after = callback(w, payment)
    assert after is not None
    assert after.status is Status.SETTLED


def test_callback_after_the_window_is_kept_and_changes_nothing() -> None:
    w = world()
    payment = open_one(w)
    w.gateway.pay(payment.token)
    w.clock.advance(timedelta(minutes=33))
    after = callback(w, payment)
    assert after is not None
    assert after.status is Status.PENDING
    assert w.gateway.verifies == 0
    assert occurrences(w, payment)[-1] is Occurrence.CALLBACK_LATE
    sweep(w)
    assert now_of(w, payment).status is Status.EXPIRED


def test_cancelled_callback_is_believed_when_the_gateway_says_so() -> None:
    w = world()
    payment = open_one(w)
    believed = callback(w, payment, "cancelled")
    assert believed is not None
    assert believed.status is Status.PENDING
    w.gateway.abandon(payment.token)
    after = callback(w, payment, "cancelled")
    assert after is not None
    assert after.status is Status.CANCELLED
    assert w.store.duties == {}


def test_lies_start_only_so_many_verifications() -> None:
    w = world()
    payment = open_one(w)
    for number in range(40):
        callback(w, payment, reference=f"lie{number}")
    assert w.gateway.verifies == 20
    w.gateway.pay(payment.token)
    w.clock.advance(timedelta(minutes=1))
    sweep(w)
    assert now_of(w, payment).status is Status.SETTLED


# --- several at once ------------------------------------------------------------------------------------


def test_verdict_is_written_although_the_sweep_moved_the_payment_and_the_gateway_is_asked_once() -> None:
    w = world()
    payment = open_one(w)
    w.gateway.pay(payment.token)

    def sweep_looks() -> None:
        before = now_of(w, payment)
        w.store.postpone(before, before.postponed(w.clock.now() + timedelta(seconds=45)))

    w.gateway.before_verdict = sweep_looks
    calls = w.gateway.calls
    after = callback(w, payment)
    assert after is not None
    assert after.status is Status.SETTLED
    assert w.gateway.calls - calls == 1


def not_paid_to_the_twin(w: World, payment: Payment, then: Callable[[], object] = lambda: None) -> None:
    """While one callback is told "paid", its twin is told "not paid" by a copy of the gateway that lags."""

    def twin() -> None:
        w.gateway.lagging = 1
        after = callback(w, payment)
        assert after is not None
        assert after.status is Status.PENDING
        then()

    w.gateway.before_verdict = twin


def test_confirmed_money_settles_although_the_twin_was_told_not_paid() -> None:
    w = world()
    w.gateway.can_inquire_without_callback = False  # nobody would find the money later
    payment = open_one(w)
    w.gateway.pay(payment.token)
    not_paid_to_the_twin(w, payment)
    after = callback(w, payment)
    assert after is not None
    assert after.status is Status.SETTLED
    assert len(w.store.journal) == len(w.store.certificates) == 1


def test_confirmed_money_whose_duty_is_gone_stands_in_suspense() -> None:
    w = world()
    payment = open_one(w)
    w.gateway.pay(payment.token)
    taken: list[Payment] = []

    def another_takes_the_duty() -> None:
        w.clock.advance(timedelta(minutes=18))
        taken.append(open_one(w, key="k2", number=2))

    not_paid_to_the_twin(w, payment, another_takes_the_duty)
    after = callback(w, payment)
    assert after is not None
    assert after.status is Status.SUSPENSE
    (entry,) = w.store.journal
    assert (entry.kind, entry.reference) == ("payment_suspense", w.gateway.slips[payment.token].reference)
    assert w.store.certificates == {}
    assert {holder["payment_id"] for holder in w.store.duties.values()} == {taken[0].payment_id}
    assert "suspense" in w.reports


def test_confirmed_money_of_a_cancelled_payment_stands_in_suspense() -> None:
    w = world()
    payment = open_one(w)
    w.gateway.pay(payment.token)

    def cancelled() -> None:
        w.gateway.slips[payment.token].state = "open"  # the same lagging copy
        cancel(w.desk, now_of(w, payment), CLERK)
        w.gateway.slips[payment.token].state = "verified"

    not_paid_to_the_twin(w, payment, cancelled)
    after = callback(w, payment)
    assert after is not None
    assert after.status is Status.SUSPENSE
    assert [p.account for p in w.store.journal[0].postings] == ["gateway_clearing:sandbox", "suspense"]


def test_invented_reference_told_to_a_silent_gateway_does_not_deafen_us_to_the_true_one() -> None:
    w = world()
    w.gateway.can_inquire_without_callback = False
    payment = open_one(w)
    w.gateway.silent = 1
    callback(w, payment, reference="lie")
    assert now_of(w, payment).reference == "lie"
    w.gateway.pay(payment.token)
    calls = w.gateway.calls
    callback(w, payment)
    assert w.gateway.calls - calls == 1
    after = reconciliation.retry(w.desk, payment.payment_id)
    assert after is not None
    assert after.status is Status.SETTLED


def test_payment_that_never_had_a_page_is_not_revived() -> None:
    w = world()
    w.gateway.silent = 1
    with pytest.raises(GatewayUnavailable):
        open_one(w)
    w.clock.advance(timedelta(minutes=3))
    sweep(w)
    (payment,) = w.store.payments.values()
    fields = {"order_id": payment.payment_id, "token": "guess", "state": "paid", "reference": "r"}
    after = receive(w.desk, gateway_name="sandbox", fields=fields)
    assert after is not None
    assert after.status is Status.EXPIRED
    assert w.gateway.verifies == 0
    assert w.store.duties == {}


def test_busy_store_leaves_the_payer_with_an_open_outcome_and_the_sweep_with_the_rest() -> None:
    w = world()
    payment = open_one(w)
    w.gateway.pay(payment.token)
    w.store.busy = 1
    after = callback(w, payment)
    assert after is not None
    assert after.status is Status.PENDING
    assert "callback_unfinished" in w.reports
    w.clock.advance(timedelta(minutes=1))
    sweep(w)
    assert now_of(w, payment).status is Status.SETTLED
