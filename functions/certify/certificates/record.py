"""The certificate as it is kept: parsed once from the store, whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from avarez.certificates.payload import TRACE_BYTES, VERSION, CertificatePayload, Kind, vehicle_fingerprint
from avarez.certificates.short_code import short_code
from avarez.certificates.status import CertificateStatus
from avarez.clock import from_rfc3339, tehran_today, to_rfc3339
from avarez.events.chain import EventType, Waiting
from avarez.money import format_rial


class Paper(StrEnum):
    """The papers that an office prints on."""

    A4 = "a4"
    A5 = "a5"


class RecordUnsound(Exception):
    """A stored certificate that contradicts itself: nothing may be signed over it, and a person must look."""


@dataclass(frozen=True, slots=True)
class YearPaid:
    """One duty year and what was paid for it; of a clearance also to which city, when, under which reference.

    `waived_rial` is what the city let go instead.
    """

    year: int
    amount_rial: int
    municipality: str = ""
    paid_on: date | None = None
    reference: str = ""
    waived_rial: int = 0


@dataclass(frozen=True, slots=True)
class CertificateRecord:
    """A certificate's item. `message` is the signed COSE message, kept for ever once made.

    `amount_rial` = the years' amounts + `rounding_rial` + `fee_rial`. `status_index` is taken before signing;
    certificates from before the status list have none. `paid_through` is a clearance's, and so are
    `cities`, what each city's assessment came to `as_of` a day, and `not_assessed_before`. `pdf_sha256` names the
    file on A4, `pdf_a5_sha256` the one on A5; certificates issued before there was an A5 have the first alone.
    """

    certificate_id: str
    payment_id: str
    kind: Kind
    status: CertificateStatus
    municipality: str
    plate: str
    vehicle_id: str
    years: tuple[YearPaid, ...]
    rounding_rial: int
    fee_rial: int
    amount_rial: int
    paid_at: datetime
    trace_hash: str
    reference: str
    gateway: str
    message: bytes | None
    issued_at: datetime | None
    pdf_sha256: str | None
    status_index: int | None = None
    paid_through: int | None = None
    pdf_a5_sha256: str | None = None
    assessment_id: str = ""
    channel: str = "gateway"
    office: str = ""
    tracking: str = ""
    bill_id: str = ""
    payment_code: str = ""
    supersedes: str = ""
    superseded_by: str = ""
    ended_at: datetime | None = None
    reissue_reason: str = ""
    not_assessed_before: int | None = None
    as_of: str = ""
    cities: tuple[Mapping[str, Any], ...] = ()

    @property
    def short_code(self) -> str:
        """The twelve digits to be typed; printed in groups of four."""
        return short_code(self.certificate_id)


def file_of(record: CertificateRecord, paper: Paper) -> str | None:
    """The hash of the file on this paper, None while there is none.

    A certificate that was issued on A4 alone is handed out on A4, whatever paper is asked for.
    """
    return (record.pdf_a5_sha256 if paper is Paper.A5 else None) or record.pdf_sha256


def parse_record(item: Mapping[str, Any]) -> CertificateRecord:
    """The record in a stored item.

    Raises: RecordUnsound when a field is missing or the lines do not add up to the total.
    """
    try:
        record = CertificateRecord(
            certificate_id=str(item["certificate_id"]),
            payment_id=str(item["payment_id"]),
            kind={kind.text: kind for kind in Kind}[item["kind"]],
            status=CertificateStatus(item["status"]),
            municipality=str(item["municipality"]),
            plate=_plate_key(item["plate"]),
            vehicle_id=str(item["vehicle_id"]),
            years=tuple(
                sorted(
                    map(_year_paid, item["years"]),
                    key=lambda paid: paid.year,
                )
            ),
            rounding_rial=int(item.get("rounding_rial", 0)),
            fee_rial=int(item.get("fee_rial", 0)),
            amount_rial=int(item["amount_rial"]),
            paid_at=from_rfc3339(item["paid_at"]),
            trace_hash=str(item["trace_hash"]),
            reference=str(item.get("reference") or ""),
            gateway=str(item.get("gateway") or ""),
            message=bytes(item["cose"]) if item.get("cose") else None,
            issued_at=from_rfc3339(item["issued_at"]) if item.get("issued_at") else None,
            pdf_sha256=item.get("pdf_sha256"),
            status_index=_optional_int(item.get("status_index")),
            paid_through=_optional_int(item.get("paid_through_year")),
            pdf_a5_sha256=item.get("pdf_a5_sha256"),
            assessment_id=str(item.get("assessment_id") or ""),
            channel=str(item.get("channel") or "gateway"),
            office=str(item.get("office") or ""),
            tracking=str(item.get("tracking") or ""),
            bill_id=str(item.get("bill_id") or ""),
            payment_code=str(item.get("payment_code") or ""),
            supersedes=str(item.get("supersedes") or ""),
            superseded_by=str(item.get("superseded_by") or ""),
            ended_at=_ended_at(item),
            reissue_reason=str(item.get("reissue_reason") or ""),
            not_assessed_before=_optional_int(item.get("not_assessed_before")),
            as_of=str(item.get("as_of") or ""),
            cities=tuple(item.get("cities", ())),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RecordUnsound("a field is missing or malformed") from error
    lines_rial = sum(paid.amount_rial for paid in record.years) + record.rounding_rial + record.fee_rial
    if lines_rial != record.amount_rial:
        raise RecordUnsound("the lines do not add up to the total")
    return record


def _year_paid(entry: Mapping[str, Any]) -> YearPaid:
    paid_on = entry.get("paid_on")
    return YearPaid(
        int(entry["year"]),
        int(entry["amount_rial"]),
        str(entry.get("municipality") or ""),
        date.fromisoformat(paid_on) if paid_on else None,
        str(entry.get("reference") or ""),
        int(entry.get("waived_rial", 0)),
    )


def payload_of(record: CertificateRecord, *, issued_at: datetime) -> CertificatePayload:
    """What is to be signed for `record`, were it issued at `issued_at`.

    Raises: RecordUnsound when it has no place in the status list yet.
    """
    if record.status_index is None:
        raise RecordUnsound("a certificate without a place in the status list cannot be signed")
    return CertificatePayload(
        certificate_id=record.certificate_id,
        kind=record.kind,
        municipality=record.municipality,
        plate=record.plate,
        years=tuple(paid.year for paid in record.years),
        amount_rial=record.amount_rial,
        paid_on=tehran_today(record.paid_at),
        issued_at=issued_at.replace(microsecond=0),
        vehicle_fingerprint=vehicle_fingerprint(record.vehicle_id),
        trace_prefix=bytes.fromhex(record.trace_hash)[: TRACE_BYTES[VERSION]],
        status_index=record.status_index,
        paid_through=record.paid_through,
    )


def _ended_at(item: Mapping[str, Any]) -> datetime | None:
    text = item.get("revoked_at") or item.get("superseded_at")
    return from_rfc3339(text) if text else None


def _optional_int(value: Any) -> int | None:
    return None if value is None else int(value)


def issued_event(record: CertificateRecord, pdf_sha256: str, stored_at: datetime) -> Waiting:
    """What the city is told: the certificate is in force. Its id follows from the certificate's: there is one."""
    return Waiting(
        event_id=f"ev_{record.certificate_id.partition('_')[2]}",
        type=EventType.CERTIFICATE_ISSUED,
        municipality=record.municipality,
        about=record.payment_id or record.certificate_id,
        occurred_at=stored_at,
        content={
            "certificate": {
                "certificate_id": record.certificate_id,
                "kind": record.kind.text,
                "plate": record.plate,
                "years": [
                    {"year": paid.year, "amount_rial": format_rial(paid.amount_rial)} for paid in record.years
                ],
                "amount_rial": format_rial(record.amount_rial),
                "trace_hash": record.trace_hash,
                "pdf_sha256": pdf_sha256,
                "paid_at": to_rfc3339(record.paid_at),
                **({"issued_at": to_rfc3339(record.issued_at)} if record.issued_at else {}),
            },
            **({"payment": {"payment_id": record.payment_id}} if record.payment_id else {}),
        },
    )


def _plate_key(plate: Any) -> str:
    return str(plate["key"] if isinstance(plate, Mapping) else plate)
