"""The sweep, the queue and cancelling: payments that nobody tells us about."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from avarez.errors import DutyLocked, Forbidden, OutcomeUnknown, PaymentNotCancellable
from functions.pay.gateways.breaker import SILENCES_MAX
from functions.pay.payments import reconciliation
from functions.pay.payments.cancellation import cancel
from functions.pay.rules.records import Payment
from functions.pay.rules.states import Status
from tests.unit.payments.payments_fake import CLERK, world
from tests.unit.payments.payments_steps import callback, now_of, open_one, sweep


def test_unpaid_payment_expires_and_frees_its_duties() -> None:
    w = world()
    payment = open_one(w)
    w.clock.advance(timedelta(minutes=17))
    sweep(w)
    assert now_of(w, payment).status is Status.PENDING
    w.clock.advance(timedelta(minutes=1))
    sweep(w)
    assert now_of(w, payment).status is Status.EXPIRED
    assert w.store.duties == {}
    assert w.store.opened == set()


def test_silent_gateway_expires_nothing_that_may_be_paid() -> None:
    w = world()
    payment = open_one(w)
    w.gateway.pay(payment.token)
    w.gateway.silent = 10_000
    for _ in range(40):
        w.clock.advance(timedelta(seconds=45))
        sweep(w)
        if w.clock.now() <= payment.verify_until_at:
            assert now_of(w, payment).status is Status.PENDING
    w.clock.advance(timedelta(minutes=10))
    sweep(w)
    assert now_of(w, payment).status is Status.EXPIRED


def test_silent_gateway_never_ends_a_verification() -> None:
    w = world()
    payment = open_one(w)
    w.gateway.pay(payment.token)
    w.gateway.lost, w.gateway.silent = 1, 0
    callback(w, payment)
    w.gateway.silent = 10_000
    for _ in range(60):
        w.clock.advance(timedelta(minutes=10))
        sweep(w)
    assert now_of(w, payment).status is Status.VERIFYING
    with pytest.raises(DutyLocked):
        open_one(w, key="k2", number=2)
    w.gateway.silent = 0
    w.clock.advance(timedelta(minutes=10))
    sweep(w)
    assert now_of(w, payment).status is Status.SETTLED


def test_gateway_that_stays_silent_is_left_alone_for_the_rest_of_the_run() -> None:
    w = world()
    for number in range(1, 11):
        open_one(w, key=f"k{number}", number=number, vehicle_id=f"ve_{number}")
    w.clock.advance(timedelta(minutes=1))
    w.gateway.silent = 1_000
    sweep(w)
    assert w.gateway.silent == 1_000 - SILENCES_MAX


def test_sweep_stops_when_its_time_is_up() -> None:
    w = world()
    open_one(w)
    w.clock.advance(timedelta(minutes=1))
    summary = reconciliation.sweep(w.desk, time_left=lambda: False)
    assert (summary.looked_at, summary.left) == (0, 1)


def test_cancel_frees_the_duties_once_the_gateway_says_nothing_was_taken() -> None:
    w = world()
    payment = open_one(w)
    assert cancel(w.desk, payment, CLERK).status is Status.CANCELLED
    assert w.store.duties == {}
    assert cancel(w.desk, now_of(w, payment), CLERK).status is Status.CANCELLED


def test_cancel_of_a_paid_payment_settles_it_instead() -> None:
    w = world()
    payment = open_one(w)
    w.gateway.pay(payment.token)
    with pytest.raises(PaymentNotCancellable):
        cancel(w.desk, payment, CLERK)
    assert now_of(w, payment).status is Status.SETTLED


def test_cancel_with_a_silent_gateway_changes_nothing() -> None:
    w = world()
    payment = open_one(w)
    w.gateway.silent = 1
    with pytest.raises(OutcomeUnknown):
        cancel(w.desk, payment, CLERK)
    assert now_of(w, payment).status is Status.PENDING


def test_cancel_where_the_gateway_cannot_tell_is_refused() -> None:
    w = world()
    payment = open_one(w)
    w.gateway.can_inquire_without_callback = False
    with pytest.raises(PaymentNotCancellable):
        cancel(w.desk, payment, CLERK)


def test_money_paid_after_a_cancellation_is_not_verified() -> None:
    w = world()
    payment = open_one(w)
    cancel(w.desk, payment, CLERK)
    w.gateway.pay(payment.token)
    after = callback(w, payment)
    assert after is not None
    assert after.status is Status.CANCELLED
    assert w.gateway.verifies == 0


def test_cancel_is_for_the_office_that_opened_the_payment() -> None:
    w = world()
    payment = open_one(w)
    with pytest.raises(Forbidden):
        cancel(w.desk, payment, replace(CLERK, username="stranger", office="of2"))
    with pytest.raises(Forbidden):
        cancel(w.desk, replace(payment, office=""), replace(CLERK, username="stranger", office=None))
    assert now_of(w, payment).status is Status.PENDING
    assert cancel(w.desk, payment, replace(CLERK, username="colleague")).status is Status.CANCELLED


def test_payment_that_cannot_be_looked_at_does_not_keep_the_others_waiting() -> None:
    w = world()
    payments = [open_one(w, key=f"k{n}", number=n, vehicle_id=f"ve_{n}") for n in range(1, 6)]
    for payment in payments:
        w.gateway.pay(payment.token)
    broken = payments[2].payment_id
    w.clock.advance(timedelta(minutes=1))
    real = w.store.payment

    def payment_of(payment_id: str) -> Payment | None:
        if payment_id == broken:
            raise KeyError("an attribute that nobody wrote")
        return real(payment_id)

    w.store.payment = payment_of  # type: ignore[method-assign]
    summary = sweep(w)
    assert (summary.looked_at, summary.moved, summary.failed) == (5, 4, 1)
    assert "sweep_row_failed" in w.reports


def test_silence_ends_no_payment_that_we_once_asked_to_verify() -> None:
    """A lost answer, then a copy that lags, then silence: the gateway holds the money all the while."""
    w = world()
    payment = open_one(w)
    w.gateway.pay(payment.token)
    w.gateway.lost = 1
    callback(w, payment)
    w.gateway.lagging = 1
    w.clock.advance(timedelta(seconds=31))
    sweep(w)
    assert now_of(w, payment).status is Status.PENDING
    w.gateway.silent = 3
    for _ in range(3):
        w.clock.advance(timedelta(minutes=20))
        sweep(w)
    assert now_of(w, payment).status is Status.PENDING
    w.clock.advance(timedelta(minutes=1))
    sweep(w)
    assert now_of(w, payment).status is Status.SETTLED
