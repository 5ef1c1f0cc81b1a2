"""Cancelling: a person gives a payment up, and the gateway must say that nothing was taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from avarez.clock import to_rfc3339
from avarez.errors import Forbidden, OutcomeUnknown, PaymentNotCancellable, TransactionRefused
from functions.pay.payments import verification
from functions.pay.payments.ports import Desk
from functions.pay.payments.reconciliation import found_paid
from functions.pay.rules.records import Payment
from functions.pay.rules.states import Occurrence, Status

if TYPE_CHECKING:
    from avarez.http.principal import Principal

_CANCEL_ATTEMPTS_MAX = 2
"""Each may ask the gateway once, and once more to verify: the caller's 15 seconds hold three calls."""


def cancel(desk: Desk, payment: Payment, principal: Principal) -> Payment:
    """The payment, cancelled, once the gateway has said that nothing was taken.

    Raises:
        Forbidden: the payment is that of another office.
        PaymentNotCancellable: money was taken (it goes on to be verified), or the payment is over.
        OutcomeUnknown: the gateway did not say; nothing changed.
    """
    if principal.username != payment.created_by and (not payment.office or principal.office != payment.office):
        raise Forbidden(
            "Only the office that opened a payment may cancel it.",
            "پرداخت را تنها دفتری که آن را باز کرده است می‌تواند لغو کند.",
        )
    if payment.parent_id:
        raise PaymentNotCancellable(
            "This is a part of a joint payment; cancel the whole.",
            "این بخشی از یک پرداخت گروهی است؛ کل آن را لغو کنید.",
            extra={"payment_id": payment.parent_id},
        )
    for _ in range(_CANCEL_ATTEMPTS_MAX):
        try:
            return _cancel_once(desk, payment)
        except TransactionRefused:
            payment = desk.store.payment(payment.payment_id) or payment
    raise OutcomeUnknown(retry_after_s=2)


def _cancel_once(desk: Desk, payment: Payment) -> Payment:
    if payment.status is Status.CANCELLED:
        return payment
    if payment.status is Status.CREATED:
        # It has no page that anybody could know of. The parts of a joint one are given up by the queue.
        return verification.close(desk, payment, Occurrence.CANCELLED, "person")
    if payment.status is Status.PENDING and payment.channel == "bill":
        return verification.close(desk, payment, Occurrence.CANCELLED, "person")
    if payment.status is Status.PENDING:
        gateway = desk.gateways.get(payment.gateway)
        if not gateway.can_inquire_without_callback:
            raise PaymentNotCancellable(
                "This gateway cannot say whether money was taken; the payment ends by itself at expires_at.",
                "این درگاه نمی‌تواند بگوید پولی گرفته شده یا نه؛ پرداخت در زمان expires_at خودبه‌خود پایان می‌یابد.",
                extra={"expires_at": to_rfc3339(payment.expires_at)},
            )
        inquiry = gateway.inquire(token=payment.token, order_id=payment.payment_id)
        if inquiry.state != "paid":
            return verification.close(desk, payment, Occurrence.CANCELLED, "person")
        payment = found_paid(desk, gateway, payment, inquiry, "person")
    elif payment.status is Status.VERIFYING:
        desk.queue.send({"payment_id": payment.payment_id})
    raise PaymentNotCancellable(extra={"status": payment.status.value})
