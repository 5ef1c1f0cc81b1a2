"""Clearances over HTTP: asked for at an office once nothing is owed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from avarez.clock import SystemClock
from avarez.errors import AssessmentNotFound
from avarez.http import Request, Response, Router, json_response
from avarez.http.idempotency import idempotent
from avarez.ids import is_id
from avarez.money import format_rial
from avarez.observability import log
from functions.certify.clearances import wiring
from functions.certify.clearances.clearing import clear

router = Router("certify-clear")
clock = SystemClock()


class ClearanceAsked(BaseModel):
    """The body of `POST /v1/certificates`: a quote of today of the vehicle, in any of its cities."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    assessment_id: str = Field(max_length=80)


@router.route("POST", "/v1/certificates", scopes=["certificates.write"])
@idempotent(lambda: clock.now())
def ask_for_clearance(request: Request) -> Response:
    """201 with the vehicle's clearance, whose PDF comes within seconds; 200 with the one that it has already."""
    asked = request.body_json(ClearanceAsked)
    if not is_id("as", asked.assessment_id):
        raise AssessmentNotFound()
    given = clear(
        asked.assessment_id,
        books=wiring.books(),
        quotes=wiring.quotes(),
        by=request.principal.username,
        office=request.principal.office or "",
        reaches=request.principal.reaches,
        now=clock.now(),
    )
    if given.new:
        log(
            "clearance_asked",
            certificate_id=given.certificate_id,
            paid_through_year=given.paid_through,
            waived_rial=format_rial(given.waived_rial),
        )
    body = {
        "certificate_id": given.certificate_id,
        "kind": "clearance",
        "paid_through_year": given.paid_through,
        "waived_rial": format_rial(given.waived_rial),
        **({"supersedes": given.supersedes} if given.supersedes else {}),
    }
    location = {"location": f"/v1/certificates/{given.certificate_id}"}
    return json_response(body, 201 if given.new else 200, location, certificate_id=given.certificate_id)


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point."""
    return router.handle(event, context)
