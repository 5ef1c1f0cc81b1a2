"""Instalments over HTTP: asked for by an office, approved or turned down by a second person, read and listed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from avarez.clock import tehran_today
from avarez.errors import FieldError, InvalidInput, MunicipalityUnknown
from avarez.http import Request, Response, Router, json_response
from avarez.http.idempotency import idempotent
from avarez.ids import is_id
from avarez.jalali import format_jalali
from avarez.money import format_rial
from avarez.municipalities import is_municipality
from avarez.plates import parse_plate
from functions.pay.payments import instalments
from functions.pay.rules.instalments import Agreement, AgreementStatus, Part
from functions.pay.wiring import desk

router = Router("pay-agreements")
LIST_MAX: Final = 50
LAPSED: Final = "lapsed"
"""A state of the list alone: asked for on an earlier day and decided by nobody."""
STATES: Final = frozenset({LAPSED, *(status.value for status in AgreementStatus)})


class NewAgreement(BaseModel):
    """The body of `POST /v1/instalment-agreements`."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    assessment_id: str = Field(min_length=1, max_length=64)
    parts: int = Field(ge=1, le=100)


class Refusal(BaseModel):
    """The body of `POST /v1/instalment-agreements/{id}/rejections`."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    reason: str = Field(min_length=3, max_length=500)


@router.route("POST", "/v1/instalment-agreements", scopes=["payments.write"])
@idempotent(lambda: desk().clock.now())
def request_agreement(request: Request) -> Response:
    """201 with an agreement that waits for its second person."""
    body = request.body_json(NewAgreement)
    made = instalments.request(
        desk(), principal=request.principal, assessment_id=body.assessment_id, parts=body.parts
    )
    location = {"location": f"/v1/instalment-agreements/{made.agreement_id}"}
    return json_response(agreement_answer(made), 201, location, agreement_id=made.agreement_id)


@router.route("GET", "/v1/instalment-agreements/{id}", scopes=["payments.read"])
def read_agreement(request: Request) -> Response:
    """The agreement as it stands."""
    return json_response(agreement_answer(_find(request)))


@router.route("POST", "/v1/instalment-agreements/{id}/approvals", scopes=["refunds.approve"])
def approve_agreement(request: Request) -> Response:
    """200 with the agreement, in force: its years are paid by its parts alone from now on."""
    made = instalments.approve(desk(), _find(request), by=request.principal.username)
    return json_response(agreement_answer(made), agreement_id=made.agreement_id)


@router.route("POST", "/v1/instalment-agreements/{id}/rejections", scopes=["refunds.approve"])
def reject_agreement(request: Request) -> Response:
    """200 with the agreement, turned down."""
    reason = request.body_json(Refusal).reason
    made = instalments.reject(desk(), _find(request), by=request.principal.username, reason=reason)
    return json_response(agreement_answer(made), agreement_id=made.agreement_id)


@router.route("GET", "/v1/municipalities/{code}/instalment-agreements", scopes=["payments.read"])
def list_agreements(request: Request) -> Response:
    """The city's agreements with their states, the newest first; `status` picks among the fifty of a page."""
    code = request.params["code"]
    if not is_municipality(code) or not request.principal.reaches(code):
        raise MunicipalityUnknown()
    cursor, wanted = request.query.get("cursor", ""), request.query.get("status", "")
    if cursor and not is_id("ag", cursor):
        message = "Not a cursor of this list.", "نشانهٔ ادامهٔ این فهرست نیست."
        raise InvalidInput(errors=[FieldError("/query/cursor", "cursor_invalid", *message)])
    if wanted and wanted not in STATES:
        message = f"One of {', '.join(sorted(STATES))}.", f"یکی از {'، '.join(sorted(STATES))}."
        raise InvalidInput(errors=[FieldError("/query/status", "status_unknown", *message)])
    found = desk().store.agreements_of(code, before=cursor, limit=LIST_MAX)
    today = tehran_today(desk().clock.now())
    told = [_listed(agreement, today) for agreement in found]
    body = {
        "municipality": code,
        "agreements": [one for one in told if wanted in ("", one["status"])],
        "cursor": found[-1].agreement_id if len(found) == LIST_MAX else None,
    }
    return json_response(body)


def _listed(agreement: Agreement, today: date) -> dict[str, Any]:
    """An agreement in the list: its state, what is paid of it, and the part that is next."""
    told: dict[str, Any] = {
        "agreement_id": agreement.agreement_id,
        "status": LAPSED if agreement.lapsed(today) else agreement.status.value,
        "plate": parse_plate(agreement.plate).to_json(),
        "as_of_jalali": format_jalali(agreement.as_of),
        "years": [part.year for part in agreement.years],
        "parts": len(agreement.parts),
        "paid_parts": agreement.paid_parts,
        "total_rial": format_rial(agreement.total_rial),
        "paid_rial": format_rial(agreement.paid_rial),
        "requested_by": agreement.requested_by,
    }
    part = agreement.next_part
    if agreement.status is AgreementStatus.IN_FORCE and part is not None:
        told["next"] = _part(agreement, part) | {"overdue": part.due_on < today}
    return told


def _find(request: Request) -> Agreement:
    return instalments.find(desk(), principal=request.principal, agreement_id=request.params["id"])


def agreement_answer(agreement: Agreement) -> dict[str, Any]:
    """The public form of an agreement."""
    answer: dict[str, Any] = {
        "agreement_id": agreement.agreement_id,
        "assessment_id": agreement.assessment_id,
        "status": agreement.status.value,
        "municipality": agreement.municipality,
        "plate": parse_plate(agreement.plate).to_json(),
        "as_of_jalali": format_jalali(agreement.as_of),
        "years": [{"year": part.year, "amount_rial": format_rial(part.amount_rial)} for part in agreement.years],
        "paid_years": [part.year for part in agreement.whole_years(agreement.paid_parts)],
        "surcharge_rial": format_rial(agreement.surcharge_rial),
        "rounding_rial": format_rial(agreement.rounding_rial),
        "total_rial": format_rial(agreement.total_rial),
        "paid_rial": format_rial(agreement.paid_rial),
        "parts": [_part(agreement, part) for part in agreement.parts],
        "requested_by": agreement.requested_by,
    }
    if agreement.approved_by:
        answer["approved_by"] = agreement.approved_by
    if agreement.rejected_by:
        answer |= {"rejected_by": agreement.rejected_by, "rejection_reason": agreement.rejection_reason}
    if agreement.broken_on is not None:
        answer["broken_on_jalali"] = format_jalali(agreement.broken_on)
    return answer


def _part(agreement: Agreement, part: Part) -> dict[str, Any]:
    return {
        "number": part.number,
        "amount_rial": format_rial(part.amount_rial),
        "due_jalali": format_jalali(part.due_on),
        "last_day_jalali": format_jalali(agreement.last_day(part)),
        "paid": part.number <= agreement.paid_parts,
    }


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point."""
    return router.handle(event, context)
