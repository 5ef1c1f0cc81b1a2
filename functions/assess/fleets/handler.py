"""HTTP: a fleet's list of plates, its progress and its rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from avarez.clock import SystemClock
from avarez.errors import FieldError, FleetNotFound, InvalidInput
from avarez.http import Request, Response, Router, json_response
from avarez.http.idempotency import idempotent
from avarez.ids import is_id
from functions.assess.fleets import service, wiring

router = Router("assess-fleets")
clock = SystemClock()
BODY_BYTES_MAX: Final = 2 << 20
"""10,000 plates in any writing, escaped."""
CHUNKS_SHOWN: Final = 10
"""Chunks of rows in one answer."""


class FleetRequest(BaseModel):
    """The body of `POST /v1/fleets`."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    title: str = Field(min_length=1, max_length=200)
    plates: list[Annotated[str, Field(max_length=service.PLATE_TEXT_MAX)]] = Field(
        min_length=1, max_length=service.PLATES_MAX
    )


@router.route("POST", "/v1/fleets", scopes=["assessments.write"])
@idempotent(lambda: clock.now())
def create(request: Request) -> Response:
    """Takes a list of plates; its rows are assessed meanwhile."""
    wanted = request.body_json(FleetRequest, BODY_BYTES_MAX)
    principal = request.principal
    serves = principal.municipality if principal.group == "municipality" else "*"
    fleets = wiring.fleets()
    fleet = service.create(
        fleets,
        title=wanted.title,
        plates=wanted.plates,
        by=principal.username,
        serves=serves or "*",
        now=clock.now(),
    )
    return json_response(
        service.fleet_json(fleets, fleet, clock.now()),
        201,
        {"location": f"/v1/fleets/{fleet['fleet_id']}"},
        fleet_id=fleet["fleet_id"],
    )


@router.route("GET", "/v1/fleets/{id}", scopes=["assessments.read"])
def read(request: Request) -> Response:
    """Progress, verdicts by kind, and what is owed in all and by city."""
    return json_response(service.fleet_json(wiring.fleets(), _fleet(request), clock.now()))


@router.route("GET", "/v1/fleets/{id}/rows", scopes=["assessments.read"])
def rows(request: Request) -> Response:
    """The rows that have a verdict, from `cursor` on, in the order of the list."""
    fleet, fleets = _fleet(request), wiring.fleets()
    cursor = request.query.get("cursor", "0")
    if not cursor.isascii() or not cursor.isdigit() or int(cursor) > fleet["chunks"]:
        message = "Not a cursor of this list.", "نشانهٔ ادامهٔ این فهرست نیست."
        raise InvalidInput(errors=[FieldError("/query/cursor", "cursor_invalid", *message)])
    start = int(cursor)
    following = start + CHUNKS_SHOWN
    shown = [fleets.chunk(fleet, number) for number in range(start, min(following, fleet["chunks"]))]
    body = {
        "fleet_id": fleet["fleet_id"],
        "rows": [row for chunk in shown for row in chunk.get("rows", [])],
        "cursor": str(following) if following < fleet["chunks"] else None,
    }
    return json_response(body)


@router.route("POST", "/v1/fleets/{id}/resumptions", scopes=["assessments.write"])
def resume(request: Request) -> Response:
    """Assesses what has no verdict as of today, or failed."""
    fleet, fleets = _fleet(request), wiring.fleets()
    asked = service.resume(fleets, fleet, clock.now())
    return json_response({**service.fleet_json(fleets, fleet, clock.now()), "chunks_asked": asked}, 202)


def _fleet(request: Request) -> service.Fleet:
    """A fleet is its maker's and the auditor's; for anybody else it does not exist."""
    fleet_id = request.params["id"]
    fleet = wiring.fleets().find(fleet_id) if is_id("fl", fleet_id) else None
    principal = request.principal
    if fleet is None or (principal.group != "auditor" and fleet["created_by"] != principal.username):
        raise FleetNotFound()
    return fleet


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point."""
    return router.handle(event, context)
