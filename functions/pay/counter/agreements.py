"""Instalments over HTTP: asked for by an office, approved by a second person, and read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from avarez.http import Request, Response, Router, json_response
from avarez.http.idempotency import idempotent
from avarez.jalali import format_jalali
from avarez.money import format_rial
from avarez.plates import parse_plate
from functions.pay.payments import instalments
from functions.pay.rules.instalments import Agreement, Part
from functions.pay.wiring import desk

router = Router("pay-agreements")


class NewAgreement(BaseModel):
    """The body of `POST /v1/instalment-agreements`."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    assessment_id: str = Field(min_length=1, max_length=64)
    parts: int = Field(ge=1, le=100)


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
