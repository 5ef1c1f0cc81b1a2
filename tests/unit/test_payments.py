"""Payments end to end over fakes: opening, callbacks, verification, the sweep, cancelling."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from avarez.errors import (
    AssessmentNotFound,
    AvarezError,
    ChannelUnavailable,
    DutyLocked,
    DutyPaid,
    GatewayUnavailable,
    IdempotencyMismatch,
    NothingOwed,
    OutcomeUnknown,
    PaymentNotCancellable,
    PaymentNotFound,
    QuoteExpired,
    QuoteNotPayable,
    ReturnUrlRefused,
)
from avarez.http.principal import Principal
from functions.pay import reconciliation
from functions.pay.arrival import receive
from functions.pay.payment import Asked, create, find
from functions.pay.records import Payment
from functions.pay.states import Occurrence, Status
from tests.unit.payments_fake import CLERK, NOON, OTHER_CLERK, Crash, World, quote, world

AMOUNT = "1235000"


def open_one(w: World, key: str = "k1", number: int = 1, who: Principal = CLERK, **changes: Any) -> Payment:
    made = quote(w.clock, number, **changes)
    w.store.quotes[made.assessment_id] = made
    opened = create(w.desk, principal=who, key=key, asked=Asked(made.assessment_id, "gateway", "", ""))
    payment = w.store.payment(opened.payment_id)
    assert payment is not None
    return payment


def callback(w: World, payment: Payment, state: str = "paid", **changes: str) -> Payment | None:
    fields = {
        "order_id": payment.payment_id,
        "token": payment.token,
        "state": state,
        "reference": w.gateway.slips[payment.token].reference,
        "amount": str(payment.amount_rial),
        **changes,
    }
    return receive(w.desk, gateway_name="sandbox", fields=fields)


def now_of(w: World, payment: Payment) -> Payment:
    current = w.store.payment(payment.payment_id)
    assert current is not None
    return current


def sweep(w: World) -> reconciliation.Summary:
    return reconciliation.sweep(w.desk, time_left=lambda: True)


def occurrences(w: World, payment: Payment) -> list[Occurrence]:
    return [event.occurrence for event in w.store.events(payment)]


# --- opening --------------------------------------------------------------------------------------------


def test_open_payment_is_pending_with_page_and_lease() -> None:
    w = world()
    payment = open_one(w)
    assert payment.status is Status.PENDING
    assert payment.expires_at == NOON + timedelta(minutes=17)
    assert payment.answer is not None
    assert payment.answer["amount_rial"] == AMOUNT
    assert payment.answer["fee_rial"] == "0"
    assert {holder["payment_id"] for holder in w.store.duties.values()} == {payment.payment_id}


def test_fee_comes_on_top() -> None:
    w = world()
    w.store.fees["TEHRAN"] = 12_000
    payment = open_one(w)
    assert payment.amount_rial == 1_247_000
    assert w.gateway.slips[payment.token].amount_rial == 1_247_000


def test_same_key_and_body_replays_the_first_answer() -> None:
    w = world()
    payment = open_one(w)
    again = create(w.desk, principal=CLERK, key="k1", asked=Asked(payment.assessment_id, "gateway", "", ""))
    assert again.replayed
    assert again.answer == payment.answer
    assert len(w.store.payments) == 1


def test_same_key_with_another_body_is_a_mismatch() -> None:
    w = world()
    payment = open_one(w)
    with pytest.raises(IdempotencyMismatch):
        create(w.desk, principal=CLERK, key="k1", asked=Asked(payment.assessment_id, "gateway", "sandbox", ""))


def test_key_of_another_caller_is_another_key() -> None:
    w = world()
    payment = open_one(w)
    with pytest.raises(DutyLocked):
        create(
            w.desk,
            principal=replace(OTHER_CLERK, serves=("*",)),
            key="k1",
            asked=Asked(payment.assessment_id, "gateway", "", ""),
        )


def test_crash_between_creation_and_page_is_resumed_by_the_same_key() -> None:
    w = world()
    w.store.crash_after_writes = 0
    with pytest.raises(Crash):
        open_one(w)
    payment = open_one(w)
    assert payment.status is Status.PENDING
    assert len(w.store.payments) == 1


def test_silent_gateway_leaves_a_payment_that_the_same_key_resumes() -> None:
    w = world()
    w.gateway.silent = 1
    with pytest.raises(GatewayUnavailable):
        open_one(w)
    assert open_one(w).status is Status.PENDING
    assert len(w.store.payments) == 1


def test_page_is_not_opened_when_it_would_outlive_the_lease() -> None:
    w = world()
    w.gateway.silent = 1
    with pytest.raises(GatewayUnavailable):
        open_one(w)
    w.clock.advance(timedelta(minutes=2, seconds=1))
    with pytest.raises(GatewayUnavailable):
        open_one(w)
    sweep(w)
    (payment,) = w.store.payments.values()
    assert payment.status is Status.EXPIRED
    assert w.store.duties == {}


def test_refused_token_fails_the_payment_and_frees_the_duties() -> None:
    w = world()
    w.gateway.refuse_tokens = True
    with pytest.raises(GatewayUnavailable):
        open_one(w)
    (payment,) = w.store.payments.values()
    assert payment.status is Status.FAILED
    assert w.store.duties == {}
    with pytest.raises(GatewayUnavailable):
        open_one(w)
    assert len(w.store.payments) == 1


def test_locked_duty_tells_until_when_and_to_its_owner_which_payment() -> None:
    w = world()
    first = open_one(w)
    with pytest.raises(DutyLocked) as refused:
        open_one(w, key="k2", number=2)
    assert refused.value.extra == {
        "locked_until_at": "2026-11-23T08:47:00.000Z",
        "payment_id": first.payment_id,
    }
    with pytest.raises(DutyLocked) as refused:
        open_one(w, key="k3", number=3, who=replace(OTHER_CLERK, serves=("*",)))
    assert "payment_id" not in refused.value.extra
    assert w.reports.count("lease_conflict") == 2


def test_lapsed_lease_may_be_taken() -> None:
    w = world()
    open_one(w)
    w.clock.advance(timedelta(minutes=17, seconds=1))
    assert open_one(w, key="k2", number=2).status is Status.PENDING


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"as_of": date(2026, 11, 22)}, QuoteNotPayable),
        ({"as_of": date(2026, 11, 22), "expires_at": datetime(2026, 11, 22, 20, 30, tzinfo=UTC)}, QuoteExpired),
        ({"owed_rial": 0, "years": (), "rounding_rial": 0}, NothingOwed),
    ],
)
def test_quote_that_cannot_be_paid_is_refused(changes: dict[str, Any], error: type[AvarezError]) -> None:
    w = world()
    with pytest.raises(error):
        open_one(w, **changes)
    assert w.store.payments == {}


def test_quote_expires_at_midnight_in_tehran_and_hands_out_a_fresh_one() -> None:
    w = world()
    w = replace(w, desk=replace(w.desk, reassess=lambda quote, now, username: {"assessment_id": "as_new"}))
    w.clock.instant = datetime(2026, 11, 23, 20, 30, tzinfo=UTC)
    with pytest.raises(QuoteExpired) as refused:
        open_one(w)
    assert refused.value.extra["assessment"] == {"assessment_id": "as_new"}
    w.clock.advance(timedelta(milliseconds=-1))
    assert open_one(w).status is Status.PENDING


def test_quote_of_a_city_out_of_reach_does_not_exist() -> None:
    w = world()
    with pytest.raises(AssessmentNotFound):
        open_one(w, who=OTHER_CLERK)


def test_payment_of_a_city_out_of_reach_does_not_exist() -> None:
    w = world()
    payment = open_one(w)
    with pytest.raises(PaymentNotFound):
        find(w.desk, principal=OTHER_CLERK, payment_id=payment.payment_id)


@pytest.mark.parametrize("channel", ["pos", "bill"])
def test_channels_to_come_are_unavailable(channel: str) -> None:
    w = world()
    with pytest.raises(ChannelUnavailable):
        create(w.desk, principal=CLERK, key="k", asked=Asked("as_x", channel, "", ""))


@pytest.mark.parametrize(
    "return_url",
    [
        "https://evil.example/",
        "https://avarez.example.evil.example/",
        "https://avarez.example@evil.example/",
        "https://evil.example\\@avarez.example/",
        "//avarez.example/x",
        "http://avarez.example/",
        "https://avarez.example:8443/",
        "https://avarez.example\t/",
        "javascript:alert(1)",
        "https://[",
    ],
)
def test_return_url_on_no_registered_origin_is_refused(return_url: str) -> None:
    w = world()
    with pytest.raises(ReturnUrlRefused):
        create(w.desk, principal=CLERK, key="k", asked=Asked("as_x", "gateway", "", return_url))


# --- callbacks ------------------------------------------------------------------------------------------


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


def test_hundred_duplicates_have_one_effect_and_one_outcome() -> None:
    w = world()
    payment = open_one(w)
    w.gateway.pay(payment.token)
    first, *others = [callback(w, payment) for _ in range(100)]
    assert all(other == first for other in others)
    assert len(w.store.journal) == 1
    assert occurrences(w, payment).count(Occurrence.CALLBACK_REPEATED) == 99


def test_paid_duty_refuses_the_next_payment() -> None:
    w = world()
    payment = open_one(w)
    w.gateway.pay(payment.token)
    callback(w, payment)
    with pytest.raises(DutyPaid):
        open_one(w, key="k2", number=2)


@pytest.mark.parametrize("amount", ["1234999", "1235001", "12350000", "-1235000", "0", "1e400", "۱۲۳۵۰۰۰", ""])
def test_tampered_amount_goes_to_suspense_and_never_to_a_certificate(amount: str) -> None:
    w = world()
    payment = open_one(w)
    w.gateway.pay(payment.token)
    after = callback(w, payment, amount=amount)
    assert after is not None
    assert after.status is Status.SUSPENSE
    assert w.store.certificates == {}
    assert [p.account for p in w.store.journal[0].postings] == ["gateway_clearing:sandbox", "suspense"]
    assert {"amount_mismatch", "suspense"} <= set(w.reports)
    assert w.store.duties == {}


def test_gateway_that_holds_another_amount_makes_no_certificate_and_no_entry() -> None:
    w = world()
    payment = open_one(w)
    w.gateway.slips[payment.token].amount_rial += 10
    w.gateway.pay(payment.token)
    after = callback(w, payment)
    assert after is not None
    assert after.status is Status.SUSPENSE
    assert w.store.certificates == {}
    assert w.store.journal == []


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


def test_reference_of_another_payment_is_not_verified() -> None:
    w = world()
    first = open_one(w)
    w.gateway.pay(first.token)
    callback(w, first)
    second = open_one(w, key="k2", number=2, vehicle_id="ve_2")
    verifies = w.gateway.verifies
    after = callback(w, second, reference=w.gateway.slips[first.token].reference)
    assert after is not None
    assert after.status is Status.PENDING
    assert w.gateway.verifies == verifies
    assert occurrences(w, second)[-1] is Occurrence.REFERENCE_REUSED
    assert "reference_reused" in w.reports


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


def test_lost_verify_answer_is_success_on_the_next_asking() -> None:
    w = world()
    payment = open_one(w)
    w.gateway.pay(payment.token)
    w.gateway.lost = 1
    callback(w, payment)
    w.clock.advance(timedelta(minutes=30))  # verified money never goes back
    sweep(w)
    assert now_of(w, payment).status is Status.SETTLED
    assert len(w.store.journal) == 1


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


def test_callback_after_expiry_settles_when_nobody_else_took_the_duty() -> None:
    w = world()
    w.gateway.can_inquire_without_callback = False
    payment = open_one(w)
    w.clock.advance(timedelta(minutes=14))
    w.gateway.pay(payment.token)
    w.clock.advance(timedelta(minutes=4))
    sweep(w)
    assert now_of(w, payment).status is Status.EXPIRED
    after = callback(w, payment)
    assert after is not None
    assert after.status is Status.SETTLED


def test_callback_after_expiry_is_not_verified_when_another_holds_the_duty() -> None:
    w = world()
    w.gateway.can_inquire_without_callback = False
    payment = open_one(w)
    w.clock.advance(timedelta(minutes=14))
    w.gateway.pay(payment.token)
    w.clock.advance(timedelta(minutes=4))
    other = open_one(w, key="k2", number=2)
    after = callback(w, payment)
    assert after is not None
    assert after.status is Status.EXPIRED
    assert w.gateway.verifies == 0
    assert now_of(w, other).status is Status.PENDING
    assert all(holder["payment_id"] == other.payment_id for holder in w.store.duties.values())


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


def test_cancelled_after_paid_changes_nothing() -> None:
    w = world()
    payment = open_one(w)
    w.gateway.pay(payment.token)
    settled = callback(w, payment)
    assert callback(w, payment, "cancelled") == settled
    assert occurrences(w, payment)[-1] is Occurrence.CALLBACK_LATE


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


# --- the sweep ------------------------------------------------------------------------------------------


def test_money_whose_callback_was_lost_is_settled_within_two_minutes() -> None:
    w = world()
    payment = open_one(w)
    for second in range(0, 600, 60):
        w.clock.instant = NOON + timedelta(seconds=second)
        if second == 300:
            w.clock.advance(timedelta(seconds=1))
            w.gateway.pay(payment.token)
            paid_at = w.clock.now()
        sweep(w)
        if now_of(w, payment).status is Status.SETTLED:
            break
    settled_at = now_of(w, payment).settled_at
    assert settled_at is not None
    assert settled_at - paid_at <= timedelta(minutes=2)


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
    assert w.gateway.silent == 1_000 - reconciliation.SILENCES_MAX


def test_sweep_stops_when_its_time_is_up() -> None:
    w = world()
    open_one(w)
    w.clock.advance(timedelta(minutes=1))
    summary = reconciliation.sweep(w.desk, time_left=lambda: False)
    assert (summary.looked_at, summary.left) == (0, 1)


# --- cancelling -----------------------------------------------------------------------------------------


def test_cancel_frees_the_duties_once_the_gateway_says_nothing_was_taken() -> None:
    w = world()
    payment = open_one(w)
    assert reconciliation.cancel(w.desk, payment).status is Status.CANCELLED
    assert w.store.duties == {}
    assert reconciliation.cancel(w.desk, now_of(w, payment)).status is Status.CANCELLED


def test_cancel_of_a_paid_payment_settles_it_instead() -> None:
    w = world()
    payment = open_one(w)
    w.gateway.pay(payment.token)
    with pytest.raises(PaymentNotCancellable):
        reconciliation.cancel(w.desk, payment)
    assert now_of(w, payment).status is Status.SETTLED


def test_cancel_with_a_silent_gateway_changes_nothing() -> None:
    w = world()
    payment = open_one(w)
    w.gateway.silent = 1
    with pytest.raises(OutcomeUnknown):
        reconciliation.cancel(w.desk, payment)
    assert now_of(w, payment).status is Status.PENDING


def test_cancel_where_the_gateway_cannot_tell_is_refused() -> None:
    w = world()
    payment = open_one(w)
    w.gateway.can_inquire_without_callback = False
    with pytest.raises(PaymentNotCancellable):
        reconciliation.cancel(w.desk, payment)


def test_money_paid_after_a_cancellation_is_not_verified() -> None:
    w = world()
    payment = open_one(w)
    reconciliation.cancel(w.desk, payment)
    w.gateway.pay(payment.token)
    after = callback(w, payment)
    assert after is not None
    assert after.status is Status.CANCELLED
    assert w.gateway.verifies == 0
