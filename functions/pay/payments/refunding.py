"""Refunds: asked for by one person, approved by another, sent back through the gateway or owed until transferred.

Obligations, by number:
1. Nothing is approved twice, and never more than a payment still holds: the payment's own version decides.
2. With the approval, in one transaction: the money leaves where it stood and is owed to the payer, duties that are
   given back whole are free again, and the certificate is revoked or gives way to one of what remains.
3. The gateway is asked until it gives a verdict; "already sent back" is success, silence is not. Before a refusal
   counts, it must say that it still holds the money.
4. What no gateway can send back stays `payable`, with a name and an age, until a bank transfer is entered.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import assert_never

from avarez.errors import (
    ChannelUnavailable,
    DutyPaid,
    FieldError,
    InvalidInput,
    OutcomeUnknown,
    PaymentNotRefundable,
    RefundConflict,
    SecondPersonRequired,
    TransactionRefused,
)
from avarez.ids import new_id
from avarez.journal import YearAmount
from functions.pay.gateways.port import Gateway, NotReversible, Returned, Reversed, Verified
from functions.pay.payments.ports import Desk
from functions.pay.rules.ledger import refund_entry, refund_paid_entry
from functions.pay.rules.records import Event, Payment, Replay
from functions.pay.rules.refunds import (
    SYSTEM,
    Refund,
    RefundStatus,
    Wanted,
    after_refund,
    is_whole,
    wanted_of,
)
from functions.pay.rules.states import Occurrence, Status

REVERSE_EVERY = timedelta(minutes=2)
ATTEMPTS_MAX = 4
REFUND_SUSPENSE = "money in suspense"


def request(
    desk: Desk,
    payment: Payment,
    *,
    years: Sequence[YearAmount],
    reason: str,
    requested_by: str,
    replay: Replay,
    task_id: str = "",
) -> Refund:
    """A refund that waits for its second person; no years means all that the payment still holds.

    Raises:
        PaymentNotRefundable: the payment holds no money, or another refund of it is under way.
        InvalidInput: a year holds less than is asked for.
    """
    wanted = _wanted(payment, years)
    if payment.agreement_id and not _last_part(desk, payment):
        raise PaymentNotRefundable()
    now = desk.clock.now()
    refund = _refund_of(payment, wanted, reason=reason, requested_by=requested_by, now=now, task_id=task_id)
    desk.refunds.request(refund, dataclasses.replace(replay, payment_id=refund.refund_id))
    desk.report("refund_requested")
    return refund


def of_suspense(payment: Payment, now: datetime) -> Refund:
    """The refund that the system itself asks for when money goes to suspense; written in the same transaction."""
    wanted = Wanted((), 0, 0)
    return _refund_of(payment, wanted, reason=REFUND_SUSPENSE, requested_by=SYSTEM, now=now, task_id="")


def _refund_of(
    payment: Payment, wanted: Wanted, *, reason: str, requested_by: str, now: datetime, task_id: str
) -> Refund:
    of_suspense = payment.status is Status.SUSPENSE
    return Refund(
        refund_id=new_id("rf", now),
        payment_id=payment.payment_id,
        municipality=payment.municipality,
        plate=payment.plate,
        gateway=payment.gateway,
        reference=payment.reference,
        of_suspense=of_suspense,
        years=wanted.years,
        rounding_rial=wanted.rounding_rial,
        fee_rial=wanted.fee_rial,
        amount_rial=payment.confirmed_rial if of_suspense else wanted.amount_rial,
        reason=reason,
        requested_by=requested_by,
        requested_at=now,
        task_id=task_id,
        in_joint=bool(payment.parent_id),
        open_due_at=now if requested_by == SYSTEM else None,
    )


def _wanted(payment: Payment, years: Sequence[YearAmount]) -> Wanted:
    if payment.status is Status.SUSPENSE:
        if not payment.confirmed_rial or years:
            raise PaymentNotRefundable()
        return Wanted((), 0, 0)
    if payment.status is not Status.SETTLED or payment.parts or (payment.agreement_id and years):
        raise PaymentNotRefundable()
    try:
        wanted = wanted_of(payment, years)
    except ValueError as error:
        message = (
            f"The payment does not hold that much for the year: {error}.",
            "پرداخت برای این سال چنین مبلغی ندارد.",
        )
        raise InvalidInput(errors=[FieldError("/years", "more_than_paid", *message)]) from error
    if wanted.amount_rial <= 0:
        raise PaymentNotRefundable()
    return wanted


def approve(desk: Desk, refund: Refund, *, approved_by: str) -> Refund:
    """The refund, approved and on its way, or back already.

    Raises:
        SecondPersonRequired: whoever asked for it cannot approve it.
        RefundConflict: it is decided, or the payment holds less by now.
        CertificateInPreparation: the certificate is being made at this moment; try again shortly.
    """
    if approved_by == refund.requested_by:
        raise SecondPersonRequired()
    return proceed(desk, _approved(desk, refund, approved_by))


def reject(desk: Desk, refund: Refund, *, rejected_by: str, reason: str) -> Refund:
    """The refund, turned down; nothing else changes.

    Raises:
        SecondPersonRequired, RefundConflict.
    """
    if rejected_by == refund.requested_by:
        raise SecondPersonRequired()
    if refund.status is not RefundStatus.REQUESTED:
        raise RefundConflict()
    after = refund.next(
        RefundStatus.REJECTED,
        decided_by=rejected_by,
        decided_at=desk.clock.now(),
        reason=f"{refund.reason} / {reason}",
    )
    _move(desk, refund, after)
    return after


def transferred(desk: Desk, refund: Refund, *, bank_reference: str, entered_by: str) -> Refund:
    """The refund, done: the bank has transferred it under this reference.

    Raises:
        RefundConflict: it is not payable.
        SecondPersonRequired: whoever asked for the refund cannot enter its transfer.
    """
    if entered_by == refund.requested_by:
        raise SecondPersonRequired()
    if refund.status is not RefundStatus.PAYABLE:
        raise RefundConflict()
    return _done(desk, refund, through_gateway=False, bank_reference=bank_reference)


def proceed(desk: Desk, refund: Refund) -> Refund:
    """The refund, one step on where that needs no person: the system's own approval, and the gateway.

    Raises:
        TransactionRefused: somebody else moved it; read it again.
    """
    if refund.status is RefundStatus.REQUESTED and refund.requested_by == SYSTEM:
        refund = _approved(desk, refund, "rule:suspense")
    if refund.status is not RefundStatus.APPROVED:
        return refund
    payment = desk.store.payment(refund.payment_id)
    if payment is None or not _through_gateway(refund, payment):
        return _payable(desk, refund)
    try:
        gateway = desk.gateways.get(refund.gateway)
        answer = gateway.reverse(
            token=payment.token,
            reference=refund.reference,
            order_id=payment.payment_id,
            amount_rial=refund.amount_rial,
        )
    except (OutcomeUnknown, ChannelUnavailable):
        desk.report("reverse_unknown")
        return refund
    match answer:
        case Reversed():
            return _done(desk, refund, through_gateway=True)
        case NotReversible():
            return _refused(desk, refund, payment, gateway)
        case _ as unreachable:
            assert_never(unreachable)


def _refused(desk: Desk, refund: Refund, payment: Payment, gateway: Gateway) -> Refund:
    """The refund after the gateway would not send it back, unless it did so at an earlier call of ours.

    An answer may have been lost on the way, and some gateways call money that has gone back "not reversible": to
    transfer it as well would be to pay twice. So the gateway must still say that it holds the money.
    """
    held_rial = payment.confirmed_rial if refund.of_suspense else payment.amount_rial
    try:
        verdict = gateway.verify(
            token=payment.token,
            reference=refund.reference,
            order_id=payment.payment_id,
            amount_rial=held_rial,
        )
    except OutcomeUnknown:
        desk.report("reverse_unknown")
        return refund
    match verdict:
        case Returned():
            return _done(desk, refund, through_gateway=True)
        case Verified():
            return _payable(desk, refund)
        case _:
            desk.report("reverse_unknown")
            return refund


def next_look(now: datetime) -> datetime:
    """When a refund whose gateway gave no verdict is looked at again."""
    return now + REVERSE_EVERY


def _through_gateway(refund: Refund, payment: Payment) -> bool:
    """A gateway sends a payment back as a whole, or not at all."""
    whole_rial = payment.confirmed_rial if refund.of_suspense else payment.amount_rial
    return payment.channel == "gateway" and not refund.in_joint and refund.amount_rial == whole_rial


def _approved(desk: Desk, refund: Refund, by: str) -> Refund:
    for _ in range(ATTEMPTS_MAX):
        payment = desk.store.payment(refund.payment_id)
        if payment is None or refund.status is not RefundStatus.REQUESTED:
            raise RefundConflict()
        _check_still_there(payment, refund)
        now = desk.clock.now()
        whole = is_whole(payment, refund)
        occurrence = Occurrence.REFUND_BEGUN if whole else Occurrence.PARTLY_REFUNDED
        after = refund.next(RefundStatus.APPROVED, open_due_at=now, decided_by=by, decided_at=now)
        payment_after = payment.next(
            occurrence,
            open_due_at=payment.open_due_at,
            refunded=after_refund(payment, refund),
            refunded_rial=payment.refunded_rial + refund.amount_rial,
        )
        entry = refund_entry(payment, refund, whole=whole, journal_id=new_id("je", now), now=now)
        note = {"refund_id": refund.refund_id, "amount_rial": str(refund.amount_rial)}
        event = Event(occurrence, "person", now, payment.status, payment_after.status, note)
        try:
            desk.refunds.approve(refund, after, payment, payment_after, event, entry)
        except DutyPaid as later_part:
            raise RefundConflict() from later_part
        except TransactionRefused:
            refund = desk.refunds.refund(refund.refund_id) or refund
            continue
        desk.report("refund_approved")
        return after
    raise RefundConflict()


def _last_part(desk: Desk, payment: Payment) -> bool:
    """Whether no later part of the agreement is paid: parts go back whole, the last one first."""
    agreement = desk.store.agreement(payment.agreement_id)
    return agreement is not None and agreement.paid_parts == payment.instalment


def _check_still_there(payment: Payment, refund: Refund) -> None:
    """Raises `RefundConflict` where the payment no longer holds what was asked for."""
    if refund.of_suspense:
        if payment.status is not Status.SUSPENSE or payment.refunded_rial:
            raise RefundConflict()
        return
    try:
        wanted = wanted_of(payment, refund.years)
    except ValueError as error:
        raise RefundConflict() from error
    if payment.status is not Status.SETTLED or wanted.amount_rial != refund.amount_rial:
        raise RefundConflict()


def _payable(desk: Desk, refund: Refund) -> Refund:
    after = refund.next(RefundStatus.PAYABLE)
    _move(desk, refund, after)
    desk.report("refund_payable")
    return after


def _done(desk: Desk, refund: Refund, *, through_gateway: bool, bank_reference: str = "") -> Refund:
    for _ in range(ATTEMPTS_MAX):
        payment = desk.store.payment(refund.payment_id)
        if payment is None:
            raise RefundConflict()
        now = desk.clock.now()
        after = refund.next(RefundStatus.DONE, done_at=now, bank_reference=bank_reference)
        entry = refund_paid_entry(
            payment, refund, through_gateway=through_gateway, journal_id=new_id("je", now), now=now
        )
        payment_after, event = payment, None
        if payment.status is Status.REFUNDING:
            payment_after = payment.next(Occurrence.REFUND_DONE, open_due_at=payment.open_due_at)
            note = {"refund_id": refund.refund_id}
            event = Event(Occurrence.REFUND_DONE, "refund", now, payment.status, payment_after.status, note)
        try:
            desk.refunds.finish(refund, after, payment, payment_after, event, entry)
        except TransactionRefused:
            current = desk.refunds.refund(refund.refund_id)
            if current is None or current.status is RefundStatus.DONE:
                return current or refund
            refund = current
            continue
        desk.report("refund_done")
        return after
    raise RefundConflict()


def _move(desk: Desk, before: Refund, after: Refund) -> None:
    try:
        desk.refunds.move(before, after)
    except TransactionRefused as refused:
        raise RefundConflict() from refused
