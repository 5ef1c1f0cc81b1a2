"""HTTP: the owner himself looks up his car, and is told what it owes and why."""

from __future__ import annotations

import functools
import json
import math
import time
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from avarez.assessment.differences import year_comparisons
from avarez.assessment.trace import Line
from avarez.clock import SystemClock, to_rfc3339
from avarez.dynamo import Table
from avarez.errors import AssessmentNotFound, FieldError, InvalidInput, Unauthorized, VehicleNotFound
from avarez.http import Request, Response, Router, json_response, owner_token
from avarez.http.idempotency import idempotent
from avarez.http.principal import OwnerReach
from avarez.identifiers import read_legal_id, read_national_id
from avarez.ids import is_id
from avarez.plates import parse_plate
from avarez.quotes.vehicles import VehicleRow, one_a_city
from avarez.quotes.wiring import StoredQuotes, quotes_from_environment
from avarez.settings import setting
from functions.assess import vehicles, wiring
from functions.assess.online import mobile
from functions.assess.online.attempts_store import AttemptTable
from functions.assess.online.session import REFUSAL_STEP_S, address_of, open_session, still_his

router = Router("online")
clock = SystemClock()
sleep = time.sleep
KEPT_FROM_OWNERS = ("vehicle_id", "vin", "chassis", "engine")
"""Numbers that neither paying nor reading takes: whoever learned plate and id does not get them besides."""


@functools.cache
def quotes() -> StoredQuotes:
    """The process's quotes; the tariff stays in memory with it."""
    return quotes_from_environment()


class SessionRequest(BaseModel):
    """The body of `POST /v1/owner/sessions`."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    plate: str = Field(max_length=64)
    national_id: str = Field(max_length=32)


class OwnersQuote(BaseModel):
    """The body of `POST /v1/owner/assessments`: one of the cities of the standing, and up to which year."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    municipality: str = Field(max_length=80)
    through_year: Annotated[int, Field(ge=1300, le=1499)] | None = None


@router.route("POST", "/v1/owner/sessions", public=True)
def begin_session(request: Request) -> Response:
    """201 with a token for this car alone, for half an hour."""
    began = time.monotonic()
    wanted = request.body_json(SessionRequest)
    plate = parse_plate(wanted.plate)
    owner_id = read_national_id(wanted.national_id) or read_legal_id(wanted.national_id)
    if owner_id is None:
        message = "This is no national id; check its digits.", "این کد ملی درست نیست؛ رقم‌هایش را وارسی کنید."
        raise InvalidInput(errors=[FieldError("/national_id", "national_id_invalid", *message)])
    now = clock.now()
    reach = open_session(
        roll=quotes().store,
        attempts=AttemptTable(Table(setting("DUTY_TABLE"))),
        seals=wiring.owner_seals(),
        plate=plate.key,
        owner_id=owner_id,
        address=address_of(request.headers, request.source_ip),
        now=now,
        wait=lambda: wait_for_step(began),
    )
    expires_at = now + owner_token.LIFETIME
    token = owner_token.sign(reach, key=owner_token.secret(), expires_at=expires_at)
    return json_response({"owner_token": token, "expires_at": to_rfc3339(expires_at)}, 201, owner=reach.subject)


def wait_for_step(began: float) -> None:
    """Returns at the next whole step after `began` on the process's clock."""
    passed_s = time.monotonic() - began
    sleep(math.ceil(passed_s / REFUSAL_STEP_S) * REFUSAL_STEP_S - passed_s)


@router.route("GET", "/v1/owner/standing", owner=True)
def read_standing(request: Request) -> Response:
    """What the owner's car owes in each of his cities, as of today in Tehran."""
    reach = _reach(request)
    everywhere = quotes().store.rows_of_vehicle(reach.vehicle_id)
    try:
        found = vehicles.standing_in(
            quotes=quotes(), everywhere=everywhere, now=clock.now(), sees=lambda row: _his(reach, row)
        )
    except VehicleNotFound:
        raise Unauthorized() from None  # the roll has told a sale since
    shown = {name: value for name, value in found["vehicle"].items() if name not in KEPT_FROM_OWNERS}
    return json_response({**found, "vehicle": shown})


@router.route("POST", "/v1/owner/assessments", owner=True)
@idempotent(lambda: clock.now())
def create_quote(request: Request) -> Response:
    """A quote of the owner's car in one of his cities: the same that an office would get."""
    wanted = request.body_json(OwnersQuote)
    reach = _reach(request)
    rows = one_a_city(quotes().store.rows_of_vehicle(reach.vehicle_id))
    row = next((row for row in rows if row.municipality == wanted.municipality and _his(reach, row)), None)
    if row is None:
        raise VehicleNotFound()
    answer = quotes().make(
        municipality=row.municipality,
        plate=row.plate,
        now=clock.now(),
        created_by=request.principal.username,
        through_year=wanted.through_year,
    )
    location = {"location": f"/v1/owner/assessments/{answer['assessment_id']}"}
    return json_response(_shown(answer), 201, location, municipality=row.municipality,
                         assessment_id=answer["assessment_id"])  # fmt: skip


@router.route("GET", "/v1/owner/assessments/{id}", owner=True)
def read_quote(request: Request) -> Response:
    """A stored quote of the owner's car."""
    return json_response(_shown(_quote(request)))


@router.route("GET", "/v1/owner/assessments/{id}/differences", owner=True)
def explain_quote(request: Request) -> Response:
    """Why each year costs something else than the one before it."""
    answer = _quote(request)
    lines = [Line.from_json(line) for line in answer["lines"]]
    years = [compared.to_json() for compared in year_comparisons(lines)]
    return json_response({"assessment_id": answer["assessment_id"], "years": years})


@router.route("GET", "/v1/owner/mobile-numbers", owner=True)
def read_mobile_number(request: Request) -> Response:
    """The number that the owner gave, masked; null where he gave none."""
    return json_response({"mobile": mobile.given(_row(request))})


@router.route("POST", "/v1/owner/mobile-numbers", owner=True)
def keep_mobile_number(request: Request) -> Response:
    """201: the owner is told when a certificate is ready, and before the year ends if he owes something."""
    wanted = request.body_json(mobile.MobileNumber)
    return mobile.keep(_row(request), wanted, given_by=request.principal.username)


@router.route("POST", "/v1/owner/mobile-numbers/removals", owner=True)
def remove_mobile_number(request: Request) -> Response:
    """200: the number is forgotten."""
    return mobile.remove(_row(request))


@router.route("POST", "/v1/vehicles/{plate}/mobile-numbers", scopes=["vehicles.write"])
def keep_mobile_number_at_counter(request: Request) -> Response:
    """201: the same for an owner at a counter."""
    return mobile.keep_at_counter(request, quotes().store.rows)


@router.route("POST", "/v1/reminders/stops", public=True)
def stop_reminders(request: Request) -> Response:
    """200: the link of a message ends all messages to its number, whenever it is opened."""
    return mobile.stop(request)


def _row(request: Request) -> VehicleRow:
    """A row that names the caller as the car's owner now.

    Raises:
        Unauthorized: there is none any more.
    """
    reach = _reach(request)
    his = [row for row in quotes().store.rows_of_vehicle(reach.vehicle_id) if _his(reach, row)]
    if not his:
        raise Unauthorized()
    return his[0]


def _reach(request: Request) -> OwnerReach:
    reach = request.principal.owner
    if reach is None:
        raise Unauthorized()
    return reach


def _his(reach: OwnerReach, row: VehicleRow) -> bool:
    return still_his(wiring.owner_seals(), reach, row)


def _quote(request: Request) -> dict[str, Any]:
    """The answer of the quote that is asked for.

    Raises:
        AssessmentNotFound: there is none, or it is another car's.
    """
    assessment_id = request.params["id"]
    store = quotes().store
    item = store.quote_item(assessment_id) if is_id("as", assessment_id) else None
    car = (item["municipality"], item["plate"], item["vehicle_id"]) if item else ("", "", "")
    if item is None or not request.principal.concerns(*car):
        raise AssessmentNotFound()
    answer: dict[str, Any] = json.loads(item["answer"])
    return answer


def _shown(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The quote less what it rests on besides the car: earlier payments are partly others'."""
    return {name: value for name, value in answer.items() if name != "inputs"}


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point."""
    return router.handle(event, context)
