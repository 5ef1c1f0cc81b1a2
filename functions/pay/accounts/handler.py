"""HTTP: a city's bank account, and the changes of what the city depends on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from avarez.changes.change import Change, Subject, told
from avarez.clock import to_rfc3339
from avarez.errors import ChangeNotFound, MunicipalityNotFound
from avarez.http import Request, Response, Router, json_response
from avarez.ids import is_id
from avarez.municipalities import find_municipality, is_municipality
from functions.pay.accounts import onboarding, wiring
from functions.pay.accounts.rules import Account

router = Router("pay-accounts")
Reason = Annotated[str, Field(min_length=3, max_length=500)]


class NewAccount(BaseModel):
    """The body of `PUT …/account`."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    iban: Annotated[str, Field(min_length=1, max_length=64)]
    holder: Annotated[str, Field(min_length=3, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
    reason: Reason


class Cancellation(BaseModel):
    """The body of `POST …/changes/{id}/cancellations`."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    reason: Reason


@router.route("PUT", "/v1/municipalities/{code}/account", scopes=["accounts.write"])
def propose(request: Request) -> Response:
    """201 with a change that waits for its second person."""
    code = _city(request)
    body = request.body_json(NewAccount)
    made = wiring.desk().propose_account(
        code, iban=body.iban, holder=body.holder.strip(), reason=body.reason, by=request.principal.username
    )
    return _changed(made, 201)


@router.route("GET", "/v1/municipalities/{code}/account", scopes=["accounts.read"])
def read(request: Request) -> Response:
    """The account in force, the change that is open, and the last fifty changes, the newest first."""
    code = _city(request)
    desk = wiring.desk()
    account = desk.account_in_force(code, desk.clock.now())
    waiting = desk.store.open(code, Subject.ACCOUNT)
    body = {
        "municipality": code,
        "account": None if account is None else _account_json(account),
        "open": None if waiting is None else told(waiting),
        "history": [told(change) for change in desk.store.history(code, Subject.ACCOUNT)],
    }
    return json_response(body)


@router.route("GET", "/v1/municipalities/{code}/changes", scopes=["accounts.read"])
def read_changes(request: Request) -> Response:
    """The last changes of every subject, the newest first."""
    code = _city(request)
    store = wiring.desk().store
    found = [change for subject in Subject for change in store.history(code, subject)]
    found.sort(key=lambda change: change.change_id, reverse=True)
    return json_response({"municipality": code, "changes": [told(change) for change in found]})


@router.route("GET", "/v1/municipalities/{code}/onboarding", scopes=["accounts.read"])
def read_onboarding(request: Request) -> Response:
    """What the city has set up and what is missing, in words, with its names, its officers and its contact."""
    code = _city(request)
    tables = wiring.setup_tables()
    settings, officers = tables.settings(code), tables.officers(code)
    stands = tables.setup(code, settings, len(officers), wiring.desk().clock.now())
    city = find_municipality(code)
    body = {
        "municipality": code,
        "name_fa": city.name_fa if city else "",
        "name_en": city.name_en if city else "",
        "ready": onboarding.is_ready(stands),
        "steps": onboarding.steps(stands),
        "officers": officers,
        "contact": settings.get("contact"),
    }
    return json_response(body)


@router.route("POST", "/v1/municipalities/{code}/changes/{id}/approvals", scopes=["accounts.approve"])
def approve(request: Request) -> Response:
    """200 with the change, approved by a second person and cooling off."""
    code, change_id = _place(request)
    return _changed(wiring.desk().approve(code, change_id, by=request.principal.username))


@router.route("POST", "/v1/municipalities/{code}/changes/{id}/cancellations", scopes=["accounts.write"])
def cancel(request: Request) -> Response:
    """200 with the change, called off."""
    code, change_id = _place(request)
    reason = request.body_json(Cancellation).reason
    return _changed(wiring.desk().cancel(code, change_id, by=request.principal.username, reason=reason))


def _city(request: Request) -> str:
    code = request.params["code"]
    if not is_municipality(code) or not request.principal.reaches(code):
        raise MunicipalityNotFound()
    return code


def _place(request: Request) -> tuple[str, str]:
    code, change_id = _city(request), request.params["id"]
    if not is_id("ac", change_id):
        raise ChangeNotFound()
    return code, change_id


def _changed(change: Change, status: int = 200) -> Response:
    return json_response(told(change), status, change_id=change.change_id, change=change.status.value)


def _account_json(account: Account) -> dict[str, Any]:
    return {
        "iban": account.iban,
        "holder": account.holder,
        "in_force_from_at": to_rfc3339(account.since),
        "change_id": account.change_id,
    }


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point."""
    return router.handle(event, context)
