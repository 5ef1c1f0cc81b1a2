"""HTTP: a city's endpoint, its health and what was tried."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from avarez.changes.change import told as change_told
from avarez.clock import to_rfc3339
from avarez.errors import MunicipalityUnknown
from avarez.http import Request, Response, Router, json_response
from avarez.municipalities import is_municipality
from functions.pay.delivery import wiring
from functions.pay.delivery.endpoints.endpoint import Endpoint, State, settled
from functions.pay.delivery.endpoints.registration import Registered
from functions.pay.delivery.service import attempt_json

router = Router("pay-webhooks")
ATTEMPTS_SHOWN: Final = 100


class NewEndpoint(BaseModel):
    """The body of `PUT …/webhook`."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    url: Annotated[str, Field(min_length=1, max_length=1_000)]
    reason: Annotated[str, Field(max_length=500)] = ""


class Rotation(BaseModel):
    """The body of `POST …/webhook/rotations`, if there is one."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    reason: Annotated[str, Field(max_length=500)] = ""


class Replay(BaseModel):
    """The body of `POST …/events/replay`."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    from_sequence: Annotated[int, Field(ge=1, le=10**12)]


@router.route("PUT", "/v1/municipalities/{code}/webhook", scopes=["webhooks.write"])
def register(request: Request) -> Response:
    """201 with a new endpoint and its secret, 200 with one that was there, 202 with a change of it."""
    code = _city(request)
    body = request.body_json(NewEndpoint)
    told = wiring.desk().register(code, body.url, request.principal.username, body.reason)
    status = 201 if told.secret else 202 if told.change else 200
    return json_response(_registered(told), status)


@router.route("GET", "/v1/municipalities/{code}/webhook", scopes=["webhooks.read"])
def read(request: Request) -> Response:
    """The endpoint with its health, and how far the chain is."""
    code = _city(request)
    endpoint = wiring.desk().find(code)
    return json_response({**_shown(endpoint), "head": wiring.events().head(code).sequence})


@router.route("GET", "/v1/municipalities/{code}/webhook/attempts", scopes=["webhooks.read"])
def attempts(request: Request) -> Response:
    """The last hundred attempts, the newest first."""
    code = _city(request)
    found = wiring.endpoints().attempts(code, ATTEMPTS_SHOWN)
    return json_response({"municipality": code, "attempts": [attempt_json(attempt) for attempt in found]})


@router.route("POST", "/v1/municipalities/{code}/webhook/challenges", scopes=["webhooks.write"])
def challenge(request: Request) -> Response:
    """Sends the challenge again."""
    code = _city(request)
    told = wiring.desk().challenge(code)
    _wake(code, told.endpoint)
    return json_response(_registered(told))


@router.route("POST", "/v1/municipalities/{code}/webhook/rotations", scopes=["webhooks.write"])
def rotate(request: Request) -> Response:
    """201 with the new secret, which is shown this once, and the change by which the one in force will end."""
    code = _city(request)
    reason = request.body_json(Rotation).reason if request.raw_body else ""
    endpoint, secret, change = wiring.desk().rotate(code, request.principal.username, reason)
    more = {"change": change_told(change)} if change else {}
    return json_response({**_shown(endpoint), "secret": secret, **more}, 201)


@router.route("POST", "/v1/municipalities/{code}/webhook/stops", scopes=["webhooks.write"])
def stop(request: Request) -> Response:
    """Nothing is sent any more until it is resumed; nothing is lost."""
    return json_response(_shown(wiring.desk().stop(_city(request))))


@router.route("POST", "/v1/municipalities/{code}/webhook/resumptions", scopes=["webhooks.write"])
def resume(request: Request) -> Response:
    """What waits is sent now, whatever the endpoint failed of."""
    code = _city(request)
    endpoint = wiring.desk().resume(code)
    _wake(code, endpoint)
    return json_response(_shown(endpoint))


@router.route("POST", "/v1/municipalities/{code}/webhook/tests", scopes=["webhooks.write"])
def test(request: Request) -> Response:
    """Sends a message with `demo: true`, and says what came of it."""
    return json_response(attempt_json(wiring.desk().test(_city(request))))


@router.route("POST", "/v1/municipalities/{code}/events/replay", scopes=["webhooks.write"])
def replay(request: Request) -> Response:
    """202: everything from `from_sequence` on is sent again, as it was."""
    code = _city(request)
    endpoint = wiring.desk().replay(code, request.body_json(Replay).from_sequence)
    _wake(code, endpoint)
    return json_response(_shown(endpoint), 202)


def _city(request: Request) -> str:
    code = request.params["code"]
    if not is_municipality(code) or not request.principal.reaches(code):
        raise MunicipalityUnknown()
    return code


def _wake(code: str, endpoint: Endpoint) -> None:
    if endpoint.state is State.ACTIVE:
        wiring.wake(code)


def _registered(told: Registered) -> dict[str, Any]:
    shown = {**_shown(told.endpoint), "challenge_passed": told.passed, "challenge": attempt_json(told.attempt)}
    if told.change:
        shown["change"] = change_told(told.change)
    return {**shown, "secret": told.secret} if told.secret else shown


def _shown(endpoint: Endpoint) -> dict[str, Any]:
    endpoint = settled(endpoint, wiring.clock.now())
    overlap, since, due = endpoint.overlap_until, endpoint.failing_since, endpoint.due_at
    url_from, secret_from = endpoint.next_url_from, endpoint.next_generation_from
    return {
        "municipality": endpoint.municipality,
        "url": endpoint.url or None,
        "candidate_url": endpoint.candidate_url or None,
        "candidate_proved": endpoint.candidate_proved,
        "next_url": endpoint.next_url or None,
        "next_url_from_at": to_rfc3339(url_from) if url_from else None,
        "status": endpoint.state.value,
        "secret_generation": endpoint.generation,
        "next_secret_generation": endpoint.next_generation or None,
        "next_secret_from_at": to_rfc3339(secret_from) if secret_from else None,
        "secret_overlap_until_at": to_rfc3339(overlap) if overlap else None,
        "delivered_sequence": endpoint.delivered,
        "failures": endpoint.failures,
        "failing_since_at": to_rfc3339(since) if since else None,
        "next_try_at": to_rfc3339(due) if due else None,
        "registered_at": to_rfc3339(endpoint.registered_at),
    }


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point."""
    return router.handle(event, context)
