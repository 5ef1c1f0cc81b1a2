"""What a city is told of a payment's journal entry, of a certificate given up. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from avarez.clock import to_rfc3339
from avarez.events.certificates import ended_event
from avarez.events.chain import Waiting
from avarez.events.entries import event_of, years_told
from avarez.ids import OWNER_PREFIX
from avarez.journal import JournalEntry
from avarez.money import format_rial
from functions.pay.rules.records import Payment
from functions.pay.rules.refunds import Refund


def of_entry(entry: JournalEntry, payment: Payment | None, refund: Refund | None = None) -> Waiting:
    """The event of this entry, with what it was booked for as it was then."""
    more: dict[str, Any] = {}
    if payment is not None:
        more["payment"] = _payment(payment)
    if refund is not None:
        more["refund"] = _refund(refund)
    return event_of(entry, more)


def of_certificate(
    payment: Payment, certificate_id: str, *, superseded_by: str, because: str, event_id: str, now: datetime
) -> Waiting:
    """The event of a payment's certificate that is in force no longer; revoked where none takes its place."""
    return ended_event(
        certificate_id=certificate_id,
        municipality=payment.municipality,
        plate=payment.plate,
        payment_id=payment.payment_id,
        superseded_by=superseded_by,
        because=because,
        event_id=event_id,
        now=now,
    )


def _payment(payment: Payment) -> dict[str, Any]:
    told: dict[str, Any] = {
        "payment_id": payment.payment_id,
        "status": payment.status.value,
        "plate": payment.plate,
        "vehicle_id": payment.vehicle_id,
        "channel": payment.channel,
        "gateway": payment.gateway,
        "reference": payment.reference,
        "years": years_told(payment.years),
        "rounding_rial": format_rial(payment.rounding_rial),
        "fee_rial": format_rial(payment.fee_rial),
        "city_fee_rial": format_rial(payment.city_fee_rial),
        "amount_rial": format_rial(payment.amount_rial),
        "refunded_rial": format_rial(payment.refunded_rial),
        "created_at": to_rfc3339(payment.created_at),
    }
    named = {
        "assessment_id": payment.assessment_id,
        "certificate_id": payment.certificate_id,
        "office": payment.office,
        "opened_by": "owner" if payment.created_by.startswith(OWNER_PREFIX) else "",
        "tracking": payment.tracking,
        "terminal": payment.terminal,
        "bill_id": payment.bill_id,
        "payment_code": payment.payment_code,
        "parent_id": payment.parent_id,
        "agreement_id": payment.agreement_id,
        "vehicle_class": payment.vehicle_class,
        "tariff_version": payment.tariff_version,
        "trace_hash": payment.trace_hash,
    }
    told |= {name: text for name, text in named.items() if text}
    if payment.settled_at is not None:
        told["settled_at"] = to_rfc3339(payment.settled_at)
    return told


def _refund(refund: Refund) -> dict[str, Any]:
    told: dict[str, Any] = {
        "refund_id": refund.refund_id,
        "status": refund.status.value,
        "of": "suspense" if refund.of_suspense else "payment",
        "years": years_told(refund.years),
        "rounding_rial": format_rial(refund.rounding_rial),
        "fee_rial": format_rial(refund.fee_rial),
        "amount_rial": format_rial(refund.amount_rial),
    }
    return {**told, "bank_reference": refund.bank_reference} if refund.bank_reference else told
