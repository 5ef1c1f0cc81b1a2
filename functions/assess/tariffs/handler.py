"""HTTP: writing, checking, simulating and approving tariffs; published ones are open to everybody."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from avarez.assessment.tariff.rows import NATIONAL
from avarez.clock import SystemClock
from avarez.errors import FieldError, InvalidInput, TariffInvalid, TariffNotFound
from avarez.http import Request, Response, Router, json_response
from avarez.http.idempotency import idempotent
from avarez.http.request import parse_json
from avarez.ids import is_id
from avarez.municipalities import is_municipality
from functions.assess.tariffs import lifecycle, wiring

router = Router("assess-tariffs")
clock = SystemClock()
ONE_IN_MAX: Final = 1_000
_FILE_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,80}\.json", re.ASCII)
_VERSION = re.compile(r"[0-9a-f]{64}", re.ASCII)
VERSION_CACHE_S: Final = 86_400


class DraftRequest(BaseModel):
    """The body of `POST /v1/tariffs`."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    authority: str = Field(max_length=80)
    title: str = Field(min_length=1, max_length=200)
    files: dict[str, Any] = Field(default_factory=dict)


class SimulationRequest(BaseModel):
    """The body of `POST /v1/tariffs/{id}/simulations`: every vehicle, or one in so many."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    one_in: int = Field(default=1, ge=1, le=ONE_IN_MAX)


class Withdrawal(BaseModel):
    """The body of `POST /v1/tariffs/{id}/withdrawals`."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    reason: str = Field(min_length=1, max_length=500)


@router.route("POST", "/v1/tariffs", scopes=["tariffs.write"])
@idempotent(lambda: clock.now())
def create(request: Request) -> Response:
    """A new draft, with some of its files or none."""
    wanted = request.body_json(DraftRequest)
    _own(request, wanted.authority)
    for name in wanted.files:
        _named(name)
    draft = lifecycle.create_draft(
        wiring.drafts(),
        authority=wanted.authority,
        title=wanted.title,
        files=wanted.files,
        by=request.principal.username,
        now=clock.now(),
    )
    return _answer(draft, 201)


@router.route("GET", "/v1/tariffs", scopes=["tariffs.read"])
def listed(request: Request) -> Response:
    """The drafts of an authority that the caller may read, and the published versions."""
    authority = request.query.get("authority") or _home(request)
    _readable(request, authority)
    store = wiring.drafts()
    body = {
        "authority": authority,
        "drafts": [lifecycle.draft_json(draft) for draft in store.drafts(authority)],
        "versions": [_version_json(item) for item in store.versions()],
    }
    return json_response(body)


@router.route("GET", "/v1/tariffs/{id}", scopes=["tariffs.read"])
def read(request: Request) -> Response:
    """One draft: its status and every step with who and when."""
    return _answer(_draft(request), 200)


@router.route("GET", "/v1/tariffs/{id}/files/{name}", scopes=["tariffs.read"])
def read_file(request: Request) -> Response:
    """One file of a draft."""
    draft = _draft(request)
    if request.params["name"] not in draft["files"]:
        raise TariffNotFound()
    return json_response(wiring.drafts().file(draft, request.params["name"]))


@router.route("PUT", "/v1/tariffs/{id}/files/{name}", scopes=["tariffs.write"])
def put_file(request: Request) -> Response:
    """Writes one file of a draft, which has to be checked anew."""
    return _put(request, parse_json(request.raw_body))


@router.route("DELETE", "/v1/tariffs/{id}/files/{name}", scopes=["tariffs.write"])
def remove_file(request: Request) -> Response:
    """Takes one file out of a draft."""
    return _put(request, None)


def _put(request: Request, content: Any) -> Response:
    draft = _draft(request, to_write=True)
    name = _named(request.params["name"])
    by = request.principal.username
    return _answer(
        lifecycle.put_file(wiring.drafts(), draft, name=name, content=content, by=by, now=clock.now()), 200
    )


@router.route("POST", "/v1/tariffs/{id}/checks", scopes=["tariffs.write"])
def check(request: Request) -> Response:
    """Checks the draft beside the tariff in force; 200 with `publishable` and every finding."""
    by = request.principal.username
    draft, found = lifecycle.check(wiring.drafts(), _draft(request, to_write=True), by=by, now=clock.now())
    errors = found.errors if isinstance(found, TariffInvalid) else [finding.field_error() for finding in found]
    findings = [
        {"pointer": one.pointer, "code": one.code, "message_fa": one.message_fa, "message_en": one.message_en}
        for one in errors
    ]
    body = {"publishable": not findings, "findings": findings, "tariff": lifecycle.draft_json(draft)}
    return json_response(body, tariff_id=draft["tariff_id"])


@router.route("POST", "/v1/tariffs/{id}/simulations", scopes=["tariffs.write"])
def simulate(request: Request) -> Response:
    """Simulates the draft on the rolls; `GET …/simulation` has the result when the status says so."""
    wanted = request.body_json(SimulationRequest)
    draft = _draft(request, to_write=True)
    by = request.principal.username
    done = lifecycle.simulate(wiring.drafts(), draft, by=by, now=clock.now(), one_in=wanted.one_in)
    return _answer(done, 202)


@router.route("GET", "/v1/tariffs/{id}/simulation", scopes=["tariffs.read"])
def simulation(request: Request) -> Response:
    """What the draft does to the rolls; of a municipality's draft, to its own."""
    draft = _draft(request)
    if draft["status"] not in ("simulated", "published", "superseded"):
        raise TariffNotFound()
    return json_response(wiring.drafts().simulation(draft))


@router.route("POST", "/v1/tariffs/{id}/approvals", scopes=["tariffs.write"])
def approve(request: Request) -> Response:
    """Publishes the draft; by somebody who did not write it."""
    draft = _draft(request, to_write=True)
    by = request.principal.username
    return _answer(lifecycle.approve(wiring.drafts(), draft, by=by, now=clock.now()), 200)


@router.route("POST", "/v1/tariffs/{id}/withdrawals", scopes=["tariffs.write"])
def withdraw(request: Request) -> Response:
    """Gives a draft up."""
    reason = request.body_json(Withdrawal).reason
    draft = _draft(request, to_write=True)
    by = request.principal.username
    return _answer(lifecycle.withdraw(wiring.drafts(), draft, reason=reason, by=by, now=clock.now()), 200)


@router.route("GET", "/v1/tariffs/versions/{version}", public=True)
def version(request: Request) -> Response:
    """A published tariff, whole: law is public, and with it anybody can recompute any quote.

    `document`, or `document_url` for one that is too large for an answer.
    """
    store, wanted = wiring.drafts(), request.params["version"]
    if wanted == "current":
        current = store.current()
        wanted = current[0] if current else ""
    found = store.version(wanted) if _VERSION.fullmatch(wanted) else None
    if found is None:
        raise TariffNotFound()
    document = store.document(wanted)
    body = {**_version_json(found), **document}
    named = request.params["version"] != "current"
    cache = f"public, max-age={VERSION_CACHE_S}, immutable" if named else "public, max-age=30"
    return json_response(body, headers={"cache-control": cache})


def _version_json(item: Mapping[str, Any]) -> dict[str, Any]:
    shown = (
        "tariff_version",
        "supersedes",
        "superseded_by",
        "superseded_at",
        "published_at",
        "authority",
        "title",
    )
    return {name: item.get(name) for name in shown}


def _home(request: Request) -> str:
    return request.principal.municipality or NATIONAL


def _own(request: Request, authority: str) -> None:
    """A municipality writes its own tariff, an operator the national one; nobody else's exists for them."""
    if authority != NATIONAL and not is_municipality(authority):
        raise InvalidInput(
            errors=[
                FieldError(
                    "/authority",
                    "authority_unknown",
                    f'"{NATIONAL}" or the code of a municipality is needed.',
                    f"«{NATIONAL}» یا کد یک شهرداری لازم است.",
                )
            ]
        )
    writes = NATIONAL if request.principal.group == "operator" else request.principal.municipality
    if authority != writes:
        raise TariffNotFound()


def _readable(request: Request, authority: str) -> None:
    if request.principal.group == "municipality" and authority not in (NATIONAL, request.principal.municipality):
        raise TariffNotFound()


def _draft(request: Request, *, to_write: bool = False) -> lifecycle.Draft:
    tariff_id = request.params["id"]
    draft = wiring.drafts().find(tariff_id) if is_id("ta", tariff_id) else None
    if draft is None:
        raise TariffNotFound()
    (_own if to_write else _readable)(request, draft["authority"])
    return draft


def _named(name: str) -> str:
    if not _FILE_NAME.fullmatch(name):
        raise InvalidInput(
            errors=[
                FieldError(
                    "/files",
                    "file_name_malformed",
                    "A file is named like principal-1406.json: lower-case letters, digits, dots and dashes.",
                    "نام فایل مانند principal-1406.json است: حروف کوچک لاتین، رقم، نقطه و خط تیره.",
                )
            ]
        )
    return name


def _answer(draft: lifecycle.Draft, status: int) -> Response:
    location = {"location": f"/v1/tariffs/{draft['tariff_id']}"} if status == 201 else {}
    return json_response(lifecycle.draft_json(draft), status, location, tariff_id=draft["tariff_id"])


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point."""
    return router.handle(event, context)
