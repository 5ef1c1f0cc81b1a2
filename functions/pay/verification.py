"""From "the gateway says it was paid" to settled: the only way a payment becomes paid.

Obligations, in this order, whoever found out that money was taken (a callback, the queue, the sweep):
1. The gateway's reference is stored as this payment's alone, and the leases are confirmed, in one transaction.
   Whoever cannot do so does not verify, and the gateway returns the money by itself.
2. Verify is asked with our own stored amount. No answer is no failure: it is asked again.
3. Confirmed with our reference and our amount: one transaction settles. Anything else never makes a certificate.
"""

from __future__ import annotations

from datetime import timedelta
from typing import assert_never

from avarez.errors import DutyLocked, DutyPaid, OutcomeUnknown, ReferenceReused, TransactionRefused
from avarez.ids import new_id
from functions.pay.gateways.port import AmountRefused, Gateway, NotPaid, Returned, Verified
from functions.pay.ledger import settled_entry, suspense_entry
from functions.pay.payment import INQUIRY_EVERY
from functions.pay.ports import Desk
from functions.pay.records import Event, JournalEntry, Payment
from functions.pay.states import Occurrence, Status

VERIFY_AGAIN = timedelta(seconds=30)
VERIFY_STARTS_MAX = 20
"""A page of lies cannot keep us asking for ever: after this many starts only the sweep's inquiry begins one."""
SETTLE_ATTEMPTS_MAX = 4
AMOUNT_IN_CALLBACK = "amount_in_callback"
AMOUNT_IN_INQUIRY = "amount_in_inquiry"


def begin(desk: Desk, payment: Payment, *, reference: str, suspicion: str, source: str) -> Payment:
    """The payment, verifying; or as it stands where obligation 1 could not be met.

    Raises:
        TransactionRefused: the payment moved on; read it again.
    """
    now = desk.clock.now()
    after = payment.next(
        Occurrence.PAID_AT_GATEWAY,
        open_due_at=now + VERIFY_AGAIN,
        reference=reference,
        suspicion=suspicion,
        verify_starts=payment.verify_starts + 1,
    )
    note = {"reference": reference, **({"suspicion": suspicion} if suspicion else {})}
    event = Event(Occurrence.PAID_AT_GATEWAY, source, now, payment.status, after.status, note)
    if suspicion:
        desk.report("amount_mismatch")
    try:
        desk.store.begin_verifying(payment, after, event)
    except ReferenceReused:
        desk.report("reference_reused")
        desk.store.record(
            payment,
            Event(
                Occurrence.REFERENCE_REUSED, source, now, payment.status, payment.status, {"reference": reference}
            ),
        )
        return payment
    except (DutyLocked, DutyPaid) as refusal:
        desk.report("lease_conflict")
        return _lease_lost(desk, payment, source, refusal.code)
    return after


def _lease_lost(desk: Desk, payment: Payment, source: str, reason: str) -> Payment:
    now = desk.clock.now()
    if payment.status is Status.EXPIRED:
        desk.store.record(
            payment,
            Event(Occurrence.LEASE_LOST, source, now, payment.status, payment.status, {"reason": reason}),
        )
        return payment
    return close(desk, payment, Occurrence.LEASE_LOST, source, note={"reason": reason})


def close(
    desk: Desk,
    payment: Payment,
    occurrence: Occurrence,
    source: str,
    *,
    note: dict[str, str] | None = None,
    confirmed_rial: int | None = None,
) -> Payment:
    """The payment, ended without a certificate; money that the gateway confirmed goes to suspense.

    Raises:
        TransactionRefused: the payment moved on; read it again.
    """
    now = desk.clock.now()
    after = payment.next(occurrence, open_due_at=None)
    entry: JournalEntry | None = None
    if confirmed_rial is not None:
        entry = suspense_entry(after, confirmed_rial, journal_id=new_id("je", now), now=now)
    event = Event(occurrence, source, now, payment.status, after.status, note or {})
    desk.store.close(payment, after, event, entry)
    desk.report(f"payment_{after.status.value}")
    return after


def resolve(desk: Desk, gateway: Gateway, payment: Payment, *, source: str) -> Payment:
    """The payment after the gateway was asked to verify: still `verifying` when the gateway gave no verdict.

    Idempotent: many may do this at once for one payment, and one of them settles it.
    """
    for _ in range(SETTLE_ATTEMPTS_MAX):
        if payment.status is not Status.VERIFYING:
            return payment
        try:
            result = gateway.verify(
                token=payment.token,
                reference=payment.reference,
                order_id=payment.payment_id,
                amount_rial=payment.amount_rial,
            )
        except OutcomeUnknown:
            desk.report("verify_unknown")
            return payment
        try:
            match result:
                case Verified():
                    return _confirmed(desk, payment, result, source)
                case AmountRefused():
                    desk.report("amount_mismatch")
                    note = {"confirmed": "no", "gateway_amount_rial": str(result.amount_rial)}
                    return close(desk, payment, Occurrence.AMOUNT_DIFFERS, source, note=note)
                case Returned():
                    return close(desk, payment, Occurrence.MONEY_RETURNED, source)
                case NotPaid():
                    return _resume_waiting(desk, payment, source)
                case _ as unreachable:
                    assert_never(unreachable)
        except TransactionRefused:
            payment = desk.store.payment(payment.payment_id) or payment
    return payment


def _confirmed(desk: Desk, payment: Payment, result: Verified, source: str) -> Payment:
    """Settled when reference and amount are ours; else the confirmed money stands in suspense."""
    if result.amount_rial != payment.amount_rial or payment.suspicion or result.reference != payment.reference:
        desk.report("suspense")
        note = {
            "confirmed": "yes",
            "gateway_amount_rial": str(result.amount_rial),
            **({"suspicion": payment.suspicion} if payment.suspicion else {}),
        }
        return close(
            desk, payment, Occurrence.AMOUNT_DIFFERS, source, note=note, confirmed_rial=result.amount_rial
        )
    now = desk.clock.now()
    after = payment.next(Occurrence.VERIFIED, open_due_at=None, settled_at=now, certificate_id=new_id("ce", now))
    entry = settled_entry(after, journal_id=new_id("je", now), now=now)
    note = {"reference": payment.reference, "already": "yes" if result.already else "no"}
    event = Event(Occurrence.VERIFIED, source, now, payment.status, after.status, note)
    desk.store.settle(payment, after, event, entry, new_id("ev", now))
    desk.report("payment_settled")
    return after


def _resume_waiting(desk: Desk, payment: Payment, source: str) -> Payment:
    """Nothing was paid under this reference: the payer may still pay, and the sweep ends it in time."""
    now = desk.clock.now()
    after = payment.next(Occurrence.NOT_PAID, open_due_at=now + INQUIRY_EVERY, reference="", suspicion="")
    event = Event(Occurrence.NOT_PAID, source, now, payment.status, after.status, {"reference": payment.reference})
    desk.store.resume_waiting(payment, after, event)
    return after
