"""HTTP: filing, reading, deciding and withdrawing objections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from avarez.clock import SystemClock
from avarez.errors import AssessmentNotFound, FieldError, InvalidInput, ObjectionNotFound
from avarez.http import Request, Response, Router, json_response
from avarez.http.idempotency import idempotent
from avarez.ids import is_id
from functions.assess.objections import objection as cases
from functions.assess.objections import wiring

router = Router("assess-objections")
clock = SystemClock()


class Evidence(BaseModel):
    """What supports the objection: a document's kind and its number."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    kind: str = Field(min_length=1, max_length=40)
    reference: str = Field(min_length=1, max_length=200)


class Filing(BaseModel):
    """The body of `POST /v1/objections`."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    assessment_id: str = Field(max_length=60)
    reason: Literal[
        "wrong_price", "wrong_class", "wrong_model_year", "wrong_start", "wrong_fuel_or_origin", "not_resident",
        "paid_before", "exempt", "other",
    ]  # fmt: skip
    text: str = Field(min_length=1, max_length=2_000)
    evidence: list[Evidence] = Field(default_factory=list, max_length=20)


class Decision(BaseModel):
    """The body of `POST /v1/objections/{id}/decisions`; `facts` are needed to accept."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    outcome: Literal["accepted", "rejected"]
    reason: str = Field(min_length=1, max_length=2_000)
    facts: dict[str, Any] = Field(default_factory=dict, max_length=11)


@router.route("POST", "/v1/objections", scopes=["objections.write"])
@idempotent(lambda: clock.now())
def file(request: Request) -> Response:
    """Files an objection to a stored assessment."""
    filing = request.body_json(Filing)
    store = wiring.objections()
    answer = store.quote(filing.assessment_id) if is_id("as", filing.assessment_id) else None
    vehicle_id = store.vehicle_of(filing.assessment_id) if answer else None
    if answer is None or vehicle_id is None or not request.principal.reaches(answer["municipality"]):
        raise AssessmentNotFound()
    filed = cases.file(
        store,
        answer=answer,
        vehicle_id=vehicle_id,
        reason=filing.reason,
        text=filing.text,
        evidence=[entry.model_dump() for entry in filing.evidence],
        by=request.principal.username,
        group=request.principal.group,
        now=clock.now(),
    )
    return _answer(filed, 201)


@router.route("GET", "/v1/objections", scopes=["objections.read"])
def listed(request: Request) -> Response:
    """The objections of a municipality, the newest first; an officer's own is the default."""
    municipality = request.query.get("municipality") or request.principal.municipality
    if not municipality:
        message = "Name the municipality.", "شهرداری را نام ببرید."
        raise InvalidInput(errors=[FieldError("/query/municipality", "municipality_required", *message)])
    if not request.principal.reaches(municipality):
        raise ObjectionNotFound()
    status = request.query.get("status")
    found = [one for one in wiring.objections().listed(municipality) if status in (None, one["status"])]
    return json_response(
        {"municipality": municipality, "objections": [cases.objection_json(one) for one in found]}
    )


@router.route("GET", "/v1/objections/{id}", scopes=["objections.read"])
def read(request: Request) -> Response:
    """One objection with every step, who and when."""
    return _answer(_objection(request), 200)


@router.route("POST", "/v1/objections/{id}/decisions", scopes=["objections.decide"])
def decide(request: Request) -> Response:
    """A municipality officer accepts, with the facts put right, or rejects; never whoever filed it."""
    decision = request.body_json(Decision)
    found, by, store = _objection(request), request.principal.username, wiring.objections()
    if decision.outcome == "rejected":
        return _answer(cases.reject(store, found, reason=decision.reason, by=by, now=clock.now()), 200)
    done = cases.accept(store, found, facts=decision.facts, reason=decision.reason, by=by, now=clock.now())
    return _answer(done, 200)


@router.route("POST", "/v1/objections/{id}/withdrawals", scopes=["objections.write"])
def withdraw(request: Request) -> Response:
    """Takes an objection back."""
    found = _objection(request)
    done = cases.withdraw(wiring.objections(), found, by=request.principal.username, now=clock.now())
    return _answer(done, 200)


def _objection(request: Request) -> cases.Objection:
    objection_id = request.params["id"]
    found = wiring.objections().find(objection_id) if is_id("ob", objection_id) else None
    if found is None or not request.principal.reaches(found["municipality"]):
        raise ObjectionNotFound()
    return found


def _answer(objection: cases.Objection, status: int) -> Response:
    location = {"location": f"/v1/objections/{objection['objection_id']}"} if status == 201 else {}
    body = cases.objection_json(objection)
    return json_response(body, status, location, objection_id=objection["objection_id"])


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point."""
    return router.handle(event, context)
