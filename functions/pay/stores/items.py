"""Payments, quotes, events, journal entries and certificates as items of the tables, and back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

from avarez import keys
from avarez.clock import from_rfc3339, tehran_today, to_rfc3339
from avarez.dynamo import Item
from avarez.journal import YearAmount, year_items
from functions.pay.rules.leases import LEASED, PAID
from functions.pay.rules.records import Chunk, ChunkState, Event, Payment, Quote
from functions.pay.rules.refunds import Refund, RefundStatus
from functions.pay.rules.states import Occurrence, Status


def payment_item(payment: Payment) -> Item:
    """The stored form; the plate is `plate_key`, so that payments stay out of the index of plates."""
    return {
        "payment_id": payment.payment_id,
        "assessment_id": payment.assessment_id,
        "municipality": payment.municipality,
        "plate_key": payment.plate,
        "vehicle_id": payment.vehicle_id,
        "years": year_items(payment.years),
        "rounding_rial": payment.rounding_rial,
        "fee_rial": payment.fee_rial,
        "amount_rial": payment.amount_rial,
        "status": payment.status.value,
        "channel": payment.channel,
        "gateway": payment.gateway,
        "order_id": payment.payment_id,
        "created_by": payment.created_by,
        "office": payment.office,
        "created_at": to_rfc3339(payment.created_at),
        "expires_at": to_rfc3339(payment.expires_at),
        "verify_until_at": to_rfc3339(payment.verify_until_at),
        "trace_hash": payment.trace_hash,
        "tariff_version": payment.tariff_version,
        "return_url": payment.return_url,
        "version": payment.version,
        "open_due_at": to_rfc3339(payment.open_due_at) if payment.open_due_at else None,
        "token": payment.token,
        "redirect_url": payment.redirect_url,
        "reference": payment.reference,
        "suspicion": payment.suspicion,
        "verify_starts": payment.verify_starts,
        "settled_at": to_rfc3339(payment.settled_at) if payment.settled_at else None,
        "certificate_id": payment.certificate_id,
        "answer": dict(payment.answer) if payment.answer is not None else None,
        "tracking": payment.tracking,
        "bill_id": payment.bill_id,
        "payment_code": payment.payment_code,
        "confirmed_rial": payment.confirmed_rial,
        "refunded": year_items(payment.refunded),
        "refunded_rial": payment.refunded_rial,
        "city_fee_rial": payment.city_fee_rial,
        "office_fee_rial": payment.office_fee_rial,
        "vehicle_class": payment.vehicle_class or None,
        **_terminal_members(payment),
        **_joint_members(payment),
        **_instalment_members(payment),
    }


def _terminal_members(payment: Payment) -> Item:
    if not payment.terminal:
        return {}
    return {
        "terminal": payment.terminal,
        "typed_by": payment.typed_by,
        "typed_rial": payment.typed_rial,
        "released_by": payment.released_by,
    }


def _instalment_members(payment: Payment) -> Item:
    if not payment.agreement_id:
        return {}
    return {
        "agreement_id": payment.agreement_id,
        "instalment": payment.instalment,
        "completes": year_items(payment.completes),
    }


def _joint_members(payment: Payment) -> Item:
    """What only joint payments and their parts have."""
    if payment.parent_id:
        return {"parent_id": payment.parent_id}
    if not payment.parts:
        return {}
    return {
        "parts": payment.parts,
        "parts_rial": payment.parts_rial,
        "serves": list(payment.serves),
        "confirmed_at": to_rfc3339(payment.confirmed_at) if payment.confirmed_at else None,
        "releasing": payment.releasing,
        "failure": dict(payment.failure),
    }


def payment_from(item: Item) -> Payment:
    return Payment(
        payment_id=str(item["payment_id"]),
        assessment_id=str(item["assessment_id"]),
        municipality=str(item["municipality"]),
        plate=str(item["plate_key"]),
        vehicle_id=str(item["vehicle_id"]),
        years=_year_amounts(item["years"]),
        rounding_rial=int(item["rounding_rial"]),
        fee_rial=int(item["fee_rial"]),
        amount_rial=int(item["amount_rial"]),
        status=Status(item["status"]),
        channel=str(item["channel"]),
        gateway=str(item["gateway"]),
        created_by=str(item["created_by"]),
        office=str(item["office"]),
        created_at=from_rfc3339(item["created_at"]),
        expires_at=from_rfc3339(item["expires_at"]),
        verify_until_at=from_rfc3339(item["verify_until_at"]),
        trace_hash=str(item["trace_hash"]),
        tariff_version=str(item["tariff_version"]),
        return_url=str(item["return_url"]),
        version=int(item["version"]),
        open_due_at=from_rfc3339(item["open_due_at"]) if item.get("open_due_at") else None,
        token=str(item["token"]),
        redirect_url=str(item["redirect_url"]),
        reference=str(item["reference"]),
        suspicion=str(item["suspicion"]),
        verify_starts=int(item["verify_starts"]),
        settled_at=from_rfc3339(item["settled_at"]) if item.get("settled_at") else None,
        certificate_id=str(item["certificate_id"]),
        answer=item.get("answer"),
        tracking=str(item.get("tracking", "")),
        bill_id=str(item.get("bill_id", "")),
        payment_code=str(item.get("payment_code", "")),
        confirmed_rial=int(item.get("confirmed_rial", 0)),
        refunded=_year_amounts(item.get("refunded", ())),
        refunded_rial=int(item.get("refunded_rial", 0)),
        city_fee_rial=int(item.get("city_fee_rial", 0)),
        office_fee_rial=int(item.get("office_fee_rial", 0)),
        terminal=str(item.get("terminal", "")),
        typed_by=str(item.get("typed_by", "")),
        typed_rial=int(item.get("typed_rial", 0)),
        released_by=str(item.get("released_by", "")),
        parent_id=str(item.get("parent_id", "")),
        parts=int(item.get("parts", 0)),
        parts_rial=int(item.get("parts_rial", 0)),
        serves=tuple(item.get("serves", ())),
        confirmed_at=from_rfc3339(item["confirmed_at"]) if item.get("confirmed_at") else None,
        releasing=bool(item.get("releasing", False)),
        failure=item.get("failure", {}),
        agreement_id=str(item.get("agreement_id", "")),
        instalment=int(item.get("instalment", 0)),
        completes=_year_amounts(item.get("completes", ())),
        vehicle_class=str(item.get("vehicle_class", "")),
    )


def chunk_item(chunk: Chunk) -> Item:
    """How far a chunk is: small, so that all of a payment's are read at once."""
    return {
        "number": chunk.number,
        "state": chunk.state.value,
        "parts_rial": chunk.parts_rial,
        "fee_rial": chunk.fee_rial,
    }


def chunk_from(item: Item) -> Chunk:
    return Chunk(int(item["number"]), ChunkState(item["state"]), int(item["parts_rial"]), int(item["fee_rial"]))


def event_from(item: Item) -> Event:
    return Event(
        occurrence=Occurrence(item["occurrence"]),
        source=str(item["source"]),
        at=from_rfc3339(item["at"]),
        before=Status(item["before"]) if item.get("before") else None,
        after=Status(item["after"]),
        note={str(name): str(value) for name, value in item["note"].items()},
    )


def quote_from(item: Item) -> Quote:
    return Quote(
        assessment_id=str(item["assessment_id"]),
        municipality=str(item["municipality"]),
        plate=str(item["plate"]),
        vehicle_id=str(item["vehicle_id"]),
        as_of=date.fromisoformat(item["as_of"]),
        expires_at=from_rfc3339(item["expires_at"]).astimezone(UTC),
        years=_year_amounts(item["years"]),
        rounding_rial=int(item["rounding_rial"]),
        instalments=item.get("instalments"),
        owed_rial=int(item["owed_rial"]),
        trace_hash=str(item["trace_hash"]),
        tariff_version=str(item["tariff_version"]),
        through_year=int(item["through_year"]) if item.get("through_year") else None,
        vehicle_class=str(item.get("facts", {}).get("vehicle_class", "")),
    )


def _year_amounts(years: Sequence[Item]) -> tuple[YearAmount, ...]:
    return tuple(YearAmount(int(part["year"]), int(part["amount_rial"])) for part in years)


def event_item(payment: Payment, event: Event, number: int, write_id: str) -> Item:
    """An event; `write_id` tells, after a lost response, whose work stands there."""
    return {
        "payment_id": payment.payment_id,
        "number": number,
        "occurrence": event.occurrence.value,
        "source": event.source,
        "at": to_rfc3339(event.at),
        "before": event.before.value if event.before else None,
        "after": event.after.value,
        "note": dict(event.note),
        "write_id": write_id,
    }


def lease_item(payment: Payment, claim: tuple[str, int], *, confirmed: bool = False) -> Item:
    """The item that decides who may charge this duty.

    A confirmed lease ends by a result alone; parts of joint payments and sales at terminals hold such a lease from
    the first.
    """
    confirmed = confirmed or payment.holds_for_good
    until = payment.verify_until_at if confirmed else payment.expires_at
    item: Item = {
        **_duty(payment, claim),
        "status": LEASED,
        "lease_until_at": to_rfc3339(until),
        "created_by": payment.created_by,
    }
    return {**item, "confirmed": True} if confirmed else item


def paid_item(payment: Payment, claim: tuple[str, int], amount_rial: int, paid_at: datetime) -> Item:
    """The duty, paid; it holds all that later quotes need to know of it."""
    return {
        **_duty(payment, claim),
        "status": PAID,
        "paid_at": to_rfc3339(paid_at),
        "paid_on": tehran_today(paid_at).isoformat(),
        "amount_rial": amount_rial,
    }


def _duty(payment: Payment, claim: tuple[str, int]) -> Item:
    whose, number = claim
    of_agreement = whose == payment.agreement_id
    return {
        "payment_id": payment.payment_id,
        "vehicle_id": payment.vehicle_id,
        **({"agreement_id": whose, "instalment": number} if of_agreement else {"year": number}),
        "municipality": payment.municipality,
        "plate": payment.plate,
    }


def refund_item(refund: Refund) -> Item:
    return {
        "refund_id": refund.refund_id,
        "payment_id": refund.payment_id,
        "municipality": refund.municipality,
        "plate_key": refund.plate,
        "gateway": refund.gateway,
        "reference": refund.reference,
        "of_suspense": refund.of_suspense,
        "years": year_items(refund.years),
        "rounding_rial": refund.rounding_rial,
        "fee_rial": refund.fee_rial,
        "amount_rial": refund.amount_rial,
        "reason": refund.reason,
        "requested_by": refund.requested_by,
        "requested_at": to_rfc3339(refund.requested_at),
        "status": refund.status.value,
        "decided_by": refund.decided_by,
        "decided_at": to_rfc3339(refund.decided_at) if refund.decided_at else None,
        "bank_reference": refund.bank_reference,
        "done_at": to_rfc3339(refund.done_at) if refund.done_at else None,
        "task_id": refund.task_id,
        "in_joint": refund.in_joint,
        "version": refund.version,
        "open_due_at": to_rfc3339(refund.open_due_at) if refund.open_due_at else None,
    }


def refund_from(item: Item) -> Refund:
    return Refund(
        refund_id=str(item["refund_id"]),
        payment_id=str(item["payment_id"]),
        municipality=str(item["municipality"]),
        plate=str(item["plate_key"]),
        gateway=str(item["gateway"]),
        reference=str(item["reference"]),
        of_suspense=bool(item["of_suspense"]),
        years=_year_amounts(item["years"]),
        rounding_rial=int(item["rounding_rial"]),
        fee_rial=int(item["fee_rial"]),
        amount_rial=int(item["amount_rial"]),
        reason=str(item["reason"]),
        requested_by=str(item["requested_by"]),
        requested_at=from_rfc3339(item["requested_at"]),
        status=RefundStatus(item["status"]),
        decided_by=str(item["decided_by"]),
        decided_at=from_rfc3339(item["decided_at"]) if item.get("decided_at") else None,
        bank_reference=str(item["bank_reference"]),
        done_at=from_rfc3339(item["done_at"]) if item.get("done_at") else None,
        task_id=str(item["task_id"]),
        in_joint=bool(item["in_joint"]),
        version=int(item["version"]),
        open_due_at=from_rfc3339(item["open_due_at"]) if item.get("open_due_at") else None,
    )


def certificate_item(payment: Payment, paid_at: datetime) -> Item:
    """The reserved certificate: everything that its issuer needs, and no owner."""
    return {
        "certificate_id": payment.certificate_id,
        "payment_id": payment.payment_id,
        "status": "preparing",
        "kind": "payment",
        "municipality": payment.municipality,
        "plate": payment.plate,
        "vehicle_id": payment.vehicle_id,
        **_certified_members(payment),
        "paid_at": to_rfc3339(paid_at),
        "trace_hash": payment.trace_hash,
        "assessment_id": payment.assessment_id,
        "reference": payment.reference,
        "gateway": payment.gateway,
        "channel": payment.channel,
        "office": payment.office,
        "tracking": payment.tracking,
        "bill_id": payment.bill_id,
        "payment_code": payment.payment_code,
    }


def _certified_members(payment: Payment) -> Item:
    """What the certificate is about: all that was paid, or of an agreement the years that are paid whole now."""
    if payment.agreement_id:
        amount_rial = sum(part.amount_rial for part in payment.certified)
        return {
            "years": year_items(payment.certified),
            "rounding_rial": 0,
            "fee_rial": 0,
            "amount_rial": amount_rial,
            "agreement_id": payment.agreement_id,
        }
    return {
        "years": year_items(payment.years),
        "rounding_rial": payment.rounding_rial,
        "fee_rial": payment.fee_rial,
        "amount_rial": payment.amount_rial,
    }


def outbox_item(payment: Payment, event_id: str, created_at: datetime) -> Item:
    """The row that asks for the certificate; `pending_shard` and `created_at` are the sparse index's keys."""
    return {
        "event_id": event_id,
        "type": "payment.settled",
        "payment_id": payment.payment_id,
        "municipality": payment.municipality,
        "certificate_id": payment.certificate_id,
        "created_at": to_rfc3339(created_at),
        "pending_shard": str(keys.shard_of(payment.payment_id)),
    }
