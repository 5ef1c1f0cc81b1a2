"""What a notary asks before a deed: is there a clearance through the year before it?

Law: before a sale the duty must be paid up to the end of the year before the deed (docs/law.md).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final, Protocol

from pydantic import BaseModel, ConfigDict, Field

from avarez.certificates.payload import vehicle_fingerprint
from avarez.certificates.short_code import printed
from avarez.certificates.status import CertificateStatus
from avarez.clock import SystemClock, to_rfc3339
from avarez.dynamo import Table
from avarez.errors import FieldError, InvalidInput
from avarez.http import Request, Response, Router, json_response
from avarez.jalali import format_jalali, read_jalali, to_jalali
from avarez.money import format_rial
from avarez.plates import MAX_TEXT_LENGTH, parse_plate
from avarez.settings import setting
from functions.certify.certificates.record import CertificateRecord
from functions.certify.clearances.register import ClearanceRegister

router = Router("certify-notary")
clock = SystemClock()
#: Dates of deeds that anybody asks for; a Jalali year of four digits on both sides.
FIRST_DAY: Final = date(2000, 1, 1)
LAST_DAY: Final = date(2100, 1, 1)


class Reason(StrEnum):
    """Why the deed may, or may not, rest on a clearance."""

    CLEARED = "clearance_in_force"
    NONE = "no_clearance"
    IN_PREPARATION = "clearance_in_preparation"
    YEAR_MISSING = "clearance_ends_before"


class DeedAsked(BaseModel):
    """The body of `POST /v1/clearance-checks`; the date is the deed's, in one of the two calendars."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    plate: str = Field(min_length=1, max_length=MAX_TEXT_LENGTH)
    deed_date: str | None = Field(default=None, max_length=10)
    deed_date_jalali: str | None = Field(default=None, max_length=10)


class Clearances(Protocol):
    """The clearance of the vehicle that bears a plate today."""

    def of_plate(self, plate: str) -> tuple[str, CertificateRecord | None]:
        """The vehicle, and its clearance where it has one; no vehicle is the empty text."""
        ...


@functools.cache
def register() -> Clearances:
    """The process's clearances."""
    return ClearanceRegister(Table(setting("DUTY_TABLE")))


@router.route("POST", "/v1/clearance-checks", scopes=["clearances.read"])
def check_clearance(request: Request) -> Response:
    """200 with what the deed may rest on, whatever the answer; nothing is told of debts or owners."""
    asked = request.body_json(DeedAsked)
    plate, deed_date = parse_plate(asked.plate), _deed_date(asked)
    vehicle_id, record = register().of_plate(plate.key)
    needed = to_jalali(deed_date).year - 1
    reason = _reason(record, needed)
    body: dict[str, Any] = {
        "cleared": reason is Reason.CLEARED,
        "reason": reason.value,
        "plate": plate.to_json(),
        "deed_date": deed_date.isoformat(),
        "deed_date_jalali": format_jalali(deed_date),
        "through_year_needed": needed,
        "as_of": to_rfc3339(clock.now()),
    }
    if record is not None and record.status is CertificateStatus.IN_FORCE:
        body["certificate"] = _answer(record, record.issued_at)
    looked_up = vehicle_fingerprint(vehicle_id).hex() if vehicle_id else "none"
    return json_response(body, reason=reason.value, vehicle=looked_up)


def _reason(record: CertificateRecord | None, needed: int) -> Reason:
    if record is None or record.status not in (CertificateStatus.IN_FORCE, CertificateStatus.PREPARING):
        return Reason.NONE
    if record.paid_through is None or record.paid_through < needed:
        return Reason.YEAR_MISSING
    return Reason.CLEARED if record.status is CertificateStatus.IN_FORCE else Reason.IN_PREPARATION


def _answer(record: CertificateRecord, issued_at: datetime | None) -> dict[str, Any]:
    return {
        "certificate_id": record.certificate_id,
        "short_code": printed(record.short_code),
        "paid_through_year": record.paid_through,
        "municipality": record.municipality,
        "amount_rial": format_rial(record.amount_rial),
        "issued_at": to_rfc3339(issued_at) if issued_at else None,
    }


def _deed_date(asked: DeedAsked) -> date:
    """The day of the deed.

    Raises: InvalidInput unless exactly one date is given, and it is one.
    """
    if (asked.deed_date is None) == (asked.deed_date_jalali is None):
        raise _fault("/deed_date", "one_date_required", "Give deed_date or deed_date_jalali.",
                     "یکی از deed_date یا deed_date_jalali را بدهید.")  # fmt: skip
    try:
        day = (
            read_jalali(asked.deed_date_jalali or "")
            if asked.deed_date is None
            else date.fromisoformat(asked.deed_date)
        )
    except ValueError:
        day = None
    if day is None or not FIRST_DAY <= day <= LAST_DAY:
        pointer = "/deed_date" if asked.deed_date is not None else "/deed_date_jalali"
        raise _fault(pointer, "date_invalid", "Not a date that a deed can have.", "این تاریخ درست نیست.")
    return day


def _fault(pointer: str, code: str, message_en: str, message_fa: str) -> InvalidInput:
    return InvalidInput(message_en, message_fa, errors=[FieldError(pointer, code, message_en, message_fa)])


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point."""
    return router.handle(event, context)
