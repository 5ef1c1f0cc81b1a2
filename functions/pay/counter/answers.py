"""The public form of a payment, as every function that answers one gives it."""

from __future__ import annotations

from typing import Any

from avarez.clock import to_rfc3339
from avarez.money import format_rial
from functions.pay.payments.opening import instalment_members
from functions.pay.rules.records import Payment
from functions.pay.rules.states import Status


def payment_answer(payment: Payment) -> dict[str, Any]:
    """The public form of a payment; the page's address only while it can be paid on."""
    answer: dict[str, Any] = {
        "payment_id": payment.payment_id,
        "status": payment.status.value,
        **(_of_joint(payment) if payment.parts else _of_one(payment)),
        "amount_rial": format_rial(payment.amount_rial),
        "fee_rial": format_rial(payment.fee_rial),
        "channel": payment.channel,
        "gateway": payment.gateway,
        "created_at": to_rfc3339(payment.created_at),
        "expires_at": to_rfc3339(payment.expires_at),
    }
    if payment.status is Status.PENDING and payment.redirect_url:
        answer["redirect_url"] = payment.redirect_url
    if payment.terminal:
        answer["terminal"] = payment.terminal
        for name, who in (("typed_by", payment.typed_by), ("released_by", payment.released_by)):
            if who:
                answer[name] = who
    if payment.bill_id:
        from functions.pay.rules.bills import barcode

        answer["bill_id"] = payment.bill_id
        answer["payment_code"] = payment.payment_code
        answer["barcode"] = barcode(payment.bill_id, payment.payment_code)
    if payment.reference:
        answer["reference"] = payment.reference
    if payment.settled_at:
        answer["settled_at"] = to_rfc3339(payment.settled_at)
        if payment.certificate_id:
            answer["certificate_id"] = payment.certificate_id
    if payment.refunded_rial:
        answer["refunded_rial"] = format_rial(payment.refunded_rial)
    if payment.parent_id:
        answer["parent_id"] = payment.parent_id
    if payment.tracking:
        answer["tracking"] = payment.tracking
    return answer


def _of_one(payment: Payment) -> dict[str, Any]:
    if not payment.years:  # money that was found
        return {"municipality": payment.municipality}
    from avarez.plates import parse_plate

    return {
        "assessment_id": payment.assessment_id,
        "municipality": payment.municipality,
        "plate": parse_plate(payment.plate).to_json(),
        "years": [{"year": part.year, "amount_rial": format_rial(part.amount_rial)} for part in payment.years],
        "rounding_rial": format_rial(payment.rounding_rial),
        "tariff_version": payment.tariff_version,
        **instalment_members(payment),
    }


def _of_joint(payment: Payment) -> dict[str, Any]:
    """Of a joint payment: how many parts, how far they are, and which one was refused if one was."""
    answer: dict[str, Any] = {"parts": payment.parts}
    if payment.failure:
        answer["failure"] = dict(payment.failure)
    return answer
