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

from avarez.changed import changed
from avarez.errors import DutyLocked, DutyPaid, OutcomeUnknown, ReferenceReused, TransactionRefused
from avarez.ids import new_id
from avarez.journal import JournalEntry
from functions.pay.gateways.port import AmountRefused, Gateway, Inquiry, NotPaid, Returned, Verified, VerifyResult
from functions.pay.payments.opening import INQUIRY_EVERY
from functions.pay.payments.ports import Desk
from functions.pay.payments.refunding import of_suspense
from functions.pay.rules.ledger import settled_entry, suspense_entry
from functions.pay.rules.records import Event, Payment
from functions.pay.rules.refunds import Refund
from functions.pay.rules.states import Occurrence, Status

VERIFY_AGAIN = timedelta(seconds=20)
VERIFY_STARTS_MAX = 20
"""A page of lies cannot keep us asking for ever: after this many starts only the sweep's inquiry begins one."""
WRITE_ATTEMPTS_MAX = 4
"""A verdict is written at the next try when somebody moved the payment meanwhile; each try has read it anew."""
AMOUNT_IN_CALLBACK = "amount_in_callback"
AMOUNT_IN_INQUIRY = "amount_in_inquiry"


def begin(desk: Desk, payment: Payment, *, reference: str, suspicion: str, source: str) -> Payment:
    """The payment, verifying; or as it stands where obligation 1 could not be met.

    Raises:
        TransactionRefused: the payment moved on; read it again.
    """
    if suspicion:
        desk.report("amount_mismatch")
    try:
        return _take(desk, payment, reference=reference, suspicion=suspicion, source=source)
    except ReferenceReused:
        desk.report("reference_reused")
        event = Event(
            Occurrence.REFERENCE_REUSED,
            source,
            desk.clock.now(),
            payment.status,
            payment.status,
            {"reference": reference},
        )
        desk.store.record(payment, event)
        return payment
    except (DutyLocked, DutyPaid) as refusal:
        desk.report("lease_conflict")
        return _lease_lost(desk, payment, source, refusal.code)


def _take(desk: Desk, payment: Payment, *, reference: str, suspicion: str, source: str) -> Payment:
    """The payment, verifying, with the reference its own and its leases confirmed.

    Raises:
        ReferenceReused, DutyLocked, DutyPaid: obligation 1 cannot be met; nothing was written.
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
    desk.store.begin_verifying(payment, after, event)
    return after


def suspicion_of(inquiry: Inquiry, payment: Payment) -> str:
    """Why the money that an inquiry found must not settle the payment; empty when it may.

    A gateway that does not tell the amount gives no cause for suspicion: its verify compares it, or tells it then.
    """
    told = inquiry.amount_rial is not None
    return AMOUNT_IN_INQUIRY if told and inquiry.amount_rial != payment.amount_rial else ""


def may_begin(payment: Payment) -> bool:
    """Whether money that is found may still be verified; the parts of a joint payment are given up at its end."""
    return not (payment.parts and payment.status is Status.EXPIRED)


def _lease_lost(desk: Desk, payment: Payment, source: str, reason: str) -> Payment:
    now = desk.clock.now()
    if payment.status is Status.PENDING and payment.verify_starts:
        # We asked to verify once, and the answer may have been lost: `confirmed_without_duty` finds out.
        return payment
    if payment.status is Status.EXPIRED:
        desk.store.record(
            payment,
            Event(Occurrence.LEASE_LOST, source, now, payment.status, payment.status, {"reason": reason}),
        )
        return payment
    return close(desk, payment, Occurrence.LEASE_LOST, source, note={"reason": reason})


def confirmed_without_duty(desk: Desk, gateway: Gateway, payment: Payment, reference: str, source: str) -> Payment:
    """The end of a payment whose duty another has, and whose money an earlier verify of ours may have confirmed.

    Once the gateway's window is over, money that it still holds can only be there because it was confirmed: it
    goes to suspense, and from there back to the payer. Until then nothing is asked that could confirm it.

    Raises:
        TransactionRefused: the payment moved on; read it again.
    """
    if desk.clock.now() <= payment.verify_until_at:
        return payment
    try:
        verdict = gateway.verify(
            token=payment.token,
            reference=reference,
            order_id=payment.payment_id,
            amount_rial=payment.amount_rial,
        )
    except OutcomeUnknown:
        desk.report("verify_unknown")
        return payment
    if isinstance(verdict, Returned):
        return close(desk, payment, Occurrence.MONEY_RETURNED, source)
    if not isinstance(verdict, Verified):
        return payment
    desk.report("suspense")
    return close(
        desk,
        changed(payment, reference=verdict.reference),
        Occurrence.CONFIRMED_TOO_LATE,
        source,
        note={"confirmed": "yes", "gateway_amount_rial": str(verdict.amount_rial)},
        confirmed_rial=verdict.amount_rial,
    )


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
    after = payment.ended(occurrence, now, confirmed_rial=confirmed_rial or 0)
    entry: JournalEntry | None = None
    refund: Refund | None = None
    if confirmed_rial is not None:
        entry = suspense_entry(after, confirmed_rial, journal_id=new_id("je", now), now=now)
        refund = of_suspense(after, now)
    event = Event(occurrence, source, now, payment.status, after.status, note or {})
    desk.store.close(payment, after, event, entry, refund)
    desk.report(f"payment_{after.status.value}")
    if after.releasing:
        desk.queue.send({"payment_id": after.payment_id})
    return after


def resolve(desk: Desk, gateway: Gateway, payment: Payment, *, source: str) -> Payment:
    """The payment after the gateway was asked once to verify; still `verifying` when it gave no verdict.

    Idempotent: many may do this at once for one payment, and one of them settles it. The gateway is never asked
    twice in one call, so that the wait is bounded; a verdict is kept while others move the payment.
    """
    if payment.status is not Status.VERIFYING or payment.confirmed_at is not None:
        return payment
    try:
        verdict = gateway.verify(
            token=payment.token,
            reference=payment.reference,
            order_id=payment.payment_id,
            amount_rial=payment.amount_rial,
        )
    except OutcomeUnknown:
        desk.report("verify_unknown")
        return payment
    asked = payment
    for _ in range(WRITE_ATTEMPTS_MAX):
        try:
            return _conclude(desk, asked, payment, verdict, source)
        except TransactionRefused:
            payment = desk.store.payment(asked.payment_id) or payment
    if isinstance(verdict, Verified):
        desk.report("verdict_not_written")
    return payment


def _conclude(desk: Desk, asked: Payment, payment: Payment, verdict: VerifyResult, source: str) -> Payment:
    """What the verdict on `asked` means for the payment as it stands now.

    Raises:
        TransactionRefused: the payment moved on; read it again.
    """
    verifying = payment.status is Status.VERIFYING and payment.reference == asked.reference
    if isinstance(verdict, Verified):
        if verifying and payment.confirmed_at is not None:
            return payment
        if verifying:
            return confirmed(desk, payment, verdict, source)
        return _confirmed_meanwhile(desk, asked, payment, verdict, source)
    if not verifying or payment.verify_starts != asked.verify_starts:
        return payment  # a verdict on a verification that is over says nothing about the next
    match verdict:
        case AmountRefused():
            desk.report("amount_mismatch")
            told = {} if verdict.amount_rial is None else {"gateway_amount_rial": str(verdict.amount_rial)}
            note = {"confirmed": "no", **told}
            return close(desk, payment, Occurrence.AMOUNT_DIFFERS, source, note=note)
        case Returned():
            return close(desk, payment, Occurrence.MONEY_RETURNED, source)
        case NotPaid():
            return resume_waiting(desk, payment, source)
        case _ as unreachable:
            assert_never(unreachable)


def _confirmed_meanwhile(desk: Desk, asked: Payment, payment: Payment, verdict: Verified, source: str) -> Payment:
    """Money that is confirmed for a payment which somebody moved on in the meantime.

    A gateway may say "not paid" to one of two callbacks and "paid" to the other, when its own copies lag. The
    money is taken then: it settles the payment if the duties are still to be had, else it stands in suspense.
    """
    if payment.status not in (Status.PENDING, Status.EXPIRED, Status.CANCELLED):
        if payment.reference != verdict.reference:
            desk.report("confirmed_unplaced")
            _note_unplaced(desk, payment, verdict, source)
        return payment
    # The parts of a joint payment that ended are being given up, so its money has nowhere to go any more.
    if payment.status is not Status.CANCELLED and may_begin(payment):
        try:
            again = _take(desk, payment, reference=verdict.reference, suspicion=asked.suspicion, source=source)
        except (ReferenceReused, DutyLocked, DutyPaid):
            desk.report("lease_conflict")
        else:
            return confirmed(desk, again, verdict, source)
    desk.report("suspense")
    note = {"confirmed": "yes", "gateway_amount_rial": str(verdict.amount_rial)}
    return close(
        desk,
        changed(payment, reference=verdict.reference),
        Occurrence.CONFIRMED_TOO_LATE,
        source,
        note=note,
        confirmed_rial=verdict.amount_rial,
    )


def _note_unplaced(desk: Desk, payment: Payment, verdict: Verified, source: str) -> None:
    note = {"reference": verdict.reference, "gateway_amount_rial": str(verdict.amount_rial)}
    desk.store.record(
        payment,
        Event(Occurrence.CONFIRMED_TOO_LATE, source, desk.clock.now(), payment.status, payment.status, note),
    )


def confirmed(desk: Desk, payment: Payment, result: Verified, source: str) -> Payment:
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
    if payment.parts:
        return _parts_to_settle(desk, payment, result, source)
    after = payment.next(
        Occurrence.VERIFIED,
        open_due_at=None,
        settled_at=now,
        certificate_id=new_id("ce", now) if payment.certified else "",
        tracking=result.tracking,
    )
    entry = settled_entry(after, journal_id=new_id("je", now), now=now)
    note = {"reference": payment.reference, "already": "yes" if result.already else "no"}
    event = Event(Occurrence.VERIFIED, source, now, payment.status, after.status, note)
    desk.store.settle(payment, after, event, entry, new_id("ev", now))
    desk.report("payment_settled")
    return after


def _parts_to_settle(desk: Desk, payment: Payment, result: Verified, source: str) -> Payment:
    """A joint payment that is confirmed: whoever finds it so settles its parts, and so does the queue."""
    now = desk.clock.now()
    after = payment.next(
        Occurrence.CONFIRMED, open_due_at=now + VERIFY_AGAIN, confirmed_at=now, tracking=result.tracking
    )
    note = {"reference": payment.reference, "already": "yes" if result.already else "no"}
    desk.store.advance(
        payment, after, Event(Occurrence.CONFIRMED, source, now, payment.status, after.status, note)
    )
    desk.queue.send({"payment_id": after.payment_id})
    return after


def resume_waiting(desk: Desk, payment: Payment, source: str) -> Payment:
    """Nothing was paid under this reference: the payer may still pay, and the sweep ends it in time."""
    now = desk.clock.now()
    after = payment.next(Occurrence.NOT_PAID, open_due_at=now + INQUIRY_EVERY, reference="", suspicion="")
    event = Event(Occurrence.NOT_PAID, source, now, payment.status, after.status, {"reference": payment.reference})
    desk.store.resume_waiting(payment, after, event)
    return after
