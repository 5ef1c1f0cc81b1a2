"""What a city is told of a journal entry, of a certificate given up. Pure.

A receiver that keeps every event can rebuild its whole ledger: the postings come along, as they were booked.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from avarez.clock import to_rfc3339
from avarez.events.chain import EventType, JournalPlace, Waiting
from avarez.journal import JournalEntry, YearAmount
from avarez.money import format_rial
from functions.pay.rules.records import Payment
from functions.pay.rules.refunds import Refund

TYPE_OF_KIND = {
    "payment_settled": EventType.PAYMENT_SETTLED,
    "refund_approved": EventType.PAYMENT_REFUNDED,
}
"""Every other kind is a `correction.posted`; which, the entry's own kind says."""


def of_entry(entry: JournalEntry, payment: Payment | None, refund: Refund | None = None) -> Waiting:
    """The one event of this entry: its id is the entry's, so there can be no second one."""
    content: dict[str, Any] = {"entry": _entry(entry)}
    if payment is not None:
        content["payment"] = _payment(payment)
    if refund is not None:
        content["refund"] = _refund(refund)
    return Waiting(
        event_id=f"ev_{entry.journal_id.partition('_')[2]}",
        type=TYPE_OF_KIND.get(entry.kind, EventType.CORRECTION_POSTED),
        municipality=entry.municipality,
        about=entry.payment_id,
        occurred_at=entry.created_at,
        content=content,
        journal=JournalPlace(entry.day, entry.payment_id, entry.journal_id, entry.content_hash),
    )


def of_certificate(
    payment: Payment, certificate_id: str, *, superseded_by: str, because: str, event_id: str, now: datetime
) -> Waiting:
    """The event of a certificate that is in force no longer; revoked where none takes its place."""
    certificate = {"certificate_id": certificate_id, "plate": payment.plate, "because": because}
    if superseded_by:
        certificate["superseded_by"] = superseded_by
    return Waiting(
        event_id=event_id,
        type=EventType.CERTIFICATE_SUPERSEDED if superseded_by else EventType.CERTIFICATE_REVOKED,
        municipality=payment.municipality,
        about=payment.payment_id,
        occurred_at=now,
        content={"certificate": certificate, "payment": {"payment_id": payment.payment_id}},
    )


def _entry(entry: JournalEntry) -> dict[str, Any]:
    """The entry itself, its postings being the shares of city, office and platform."""
    told: dict[str, Any] = {
        "journal_id": entry.journal_id,
        "kind": entry.kind,
        "day": entry.day,
        "gateway": entry.gateway,
        "reference": entry.reference,
        "postings": [
            {
                "account": posting.account,
                "debit_rial": format_rial(posting.debit_rial),
                "credit_rial": format_rial(posting.credit_rial),
            }
            for posting in entry.postings
        ],
        "years": _years(entry.years),
        "content_hash": entry.content_hash,
    }
    return {**told, "cause": entry.cause} if entry.cause else told


def _payment(payment: Payment) -> dict[str, Any]:
    told: dict[str, Any] = {
        "payment_id": payment.payment_id,
        "status": payment.status.value,
        "plate": payment.plate,
        "vehicle_id": payment.vehicle_id,
        "channel": payment.channel,
        "gateway": payment.gateway,
        "reference": payment.reference,
        "years": _years(payment.years),
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
        "tracking": payment.tracking,
        "terminal": payment.terminal,
        "bill_id": payment.bill_id,
        "payment_code": payment.payment_code,
        "parent_id": payment.parent_id,
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
        "years": _years(refund.years),
        "rounding_rial": format_rial(refund.rounding_rial),
        "fee_rial": format_rial(refund.fee_rial),
        "amount_rial": format_rial(refund.amount_rial),
    }
    return {**told, "bank_reference": refund.bank_reference} if refund.bank_reference else told


def _years(years: Sequence[YearAmount]) -> list[dict[str, Any]]:
    return [{"year": part.year, "amount_rial": format_rial(part.amount_rial)} for part in years]
