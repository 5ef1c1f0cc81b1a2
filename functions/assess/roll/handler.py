"""HTTP: uploading a roll, its preview, commit and rollback; and what the city is owed by it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from avarez.clock import SystemClock
from avarez.errors import MunicipalityUnknown, RollNotFound
from avarez.http import Request, Response, Router, json_response
from avarez.http.idempotency import idempotent
from avarez.ids import is_id
from avarez.municipalities import is_municipality
from functions.assess.receivables import answers
from functions.assess.roll import service, wiring

router = Router("assess-roll")
answers.add_to(router)
clock = SystemClock()


class RollRequest(BaseModel):
    """The body of `POST /v1/rolls`."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    municipality: str = Field(max_length=80)


@router.route("POST", "/v1/rolls", scopes=["rolls.write"])
@idempotent(lambda: clock.now())
def create(request: Request) -> Response:
    """A new roll and the address to which its CSV is PUT."""
    municipality = request.body_json(RollRequest).municipality
    if not is_municipality(municipality):
        raise MunicipalityUnknown()
    if not request.principal.reaches(municipality):
        raise RollNotFound()
    store = wiring.roll_store()
    by = request.principal.username
    roll = service.create_roll(store, municipality=municipality, created_by=by, now=clock.now())
    url = wiring.roll_files().upload_url(municipality, roll["roll_id"])
    upload = {"url": url, "method": "PUT"}
    location = {"location": f"/v1/rolls/{roll['roll_id']}"}
    body = {**service.roll_json(roll, None), "upload": upload}
    return json_response(body, 201, location, municipality=municipality, roll_id=roll["roll_id"])


@router.route("GET", "/v1/rolls", scopes=["rolls.read", "rolls.write"])
def list_rolls(request: Request) -> Response:
    """The newest rolls of a municipality, and which of their versions are visible."""
    municipality = request.query.get("municipality") or request.principal.municipality or ""
    if not is_municipality(municipality):
        raise MunicipalityUnknown()
    if not request.principal.reaches(municipality):
        raise RollNotFound()
    store = wiring.roll_store()
    rolls = [service.roll_json(roll, None) for roll in store.newest(municipality)]
    body = {"municipality": municipality, "rolls": rolls, "visible_versions": store.versions(municipality)}
    return json_response(body, municipality=municipality)


@router.route("GET", "/v1/rolls/{id}", scopes=["rolls.read", "rolls.write"])
def read(request: Request) -> Response:
    """The roll's status and counts, with the file of refused rows."""
    return _answer(service.observed(wiring.roll_store(), _roll(request), clock.now()), 200)


@router.route("POST", "/v1/rolls/{id}/commit", scopes=["rolls.write"])
def commit(request: Request) -> Response:
    """Makes the previewed roll visible."""
    roll = _roll(request)
    done = service.commit(wiring.roll_store(), roll, by=request.principal.username, now=clock.now())
    return _answer(done, 202)


@router.route("POST", "/v1/rolls/{id}/rollback", scopes=["rolls.write"])
def rollback(request: Request) -> Response:
    """Takes the last committed roll back."""
    roll = _roll(request)
    done = service.rollback(wiring.roll_store(), roll, by=request.principal.username, now=clock.now())
    return _answer(done, 202)


def _roll(request: Request) -> service.Roll:
    roll_id = request.params["id"]
    roll = wiring.roll_store().find(roll_id) if is_id("ro", roll_id) else None
    if roll is None or not request.principal.reaches(roll["municipality"]):
        raise RollNotFound()
    return roll


def _answer(roll: service.Roll, status: int) -> Response:
    has_file = "chunks_total" in roll and roll["refused"] > 0
    url = wiring.roll_files().refused_url(roll["municipality"], roll["roll_id"]) if has_file else None
    body = service.roll_json(roll, url)
    return json_response(body, status, municipality=roll["municipality"], roll_id=roll["roll_id"])


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point."""
    return router.handle(event, context)
