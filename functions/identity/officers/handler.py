"""HTTP: a city's officers, and the account that an invitation opens; served by the function that signs in."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from avarez.changes.change import told
from avarez.clock import to_rfc3339
from avarez.errors import ActivationRefused, MunicipalityNotFound
from avarez.http import Request, Response, Router, json_response
from avarez.ids import is_id
from avarez.municipalities import is_municipality
from functions.identity.officers import wiring
from functions.identity.officers.rules import Officer, Role

router = Router("identity-officers")
PRINTED = r"^[^\x00-\x1f\x7f]+$"
Reason = Annotated[str, Field(min_length=3, max_length=500, pattern=PRINTED)]


class Invitation(BaseModel):
    """The body of `POST …/officers`."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    username: Annotated[str, Field(min_length=4, max_length=100)]
    name: Annotated[str, Field(min_length=3, max_length=100, pattern=PRINTED)]
    role: Annotated[str, Field(pattern="^(head|officer)$")] = "officer"
    reason: Reason


class Activation(BaseModel):
    """The body of `POST /v1/officer-activations`."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    municipality: Annotated[str, Field(min_length=1, max_length=60)]
    change_id: Annotated[str, Field(min_length=1, max_length=64)]
    username: Annotated[str, Field(min_length=1, max_length=100)]
    code: Annotated[str, Field(min_length=1, max_length=100)] = Field(repr=False)
    password: Annotated[str, Field(min_length=1, max_length=256)] = Field(repr=False)


class Removal(BaseModel):
    """The body of `POST …/officers/{username}/removals`."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    reason: Reason


@router.route("POST", "/v1/municipalities/{code}/officers", scopes=["officers.write"])
def invite(request: Request) -> Response:
    """201 with a change that waits for its second person, and the code that opens it afterwards."""
    code = _city(request)
    body = request.body_json(Invitation)
    change, secret = wiring.desk().invite(
        code,
        username=body.username,
        name=body.name,
        role=Role(body.role),
        reason=body.reason,
        by=request.principal.username,
    )
    return json_response({**told(change), "code": secret}, 201, change_id=change.change_id)


@router.route("POST", "/v1/municipalities/{code}/officers/{username}/removals", scopes=["officers.write"])
def remove(request: Request) -> Response:
    """200 with the officer, who signs in no more."""
    code = _city(request)
    body = request.body_json(Removal)
    gone = wiring.desk().remove(
        code, request.params["username"], by=request.principal.username, reason=body.reason
    )
    return json_response(_shown(gone))


@router.route("POST", "/v1/officer-activations", public=True)
def activate(request: Request) -> Response:
    """201 with the officer; 401 `activation_refused` for whatever is wrong with code, invitation or name."""
    body = request.body_json(Activation)
    if not is_municipality(body.municipality) or not is_id("ac", body.change_id):
        raise ActivationRefused()
    made = wiring.desk().activate(
        body.municipality,
        change_id=body.change_id,
        username=body.username.lower(),
        code=body.code,
        password=body.password,
    )
    return json_response(_shown(made), 201)


def _city(request: Request) -> str:
    code = request.params["code"]
    if not is_municipality(code) or not request.principal.reaches(code):
        raise MunicipalityNotFound()
    return code


def _shown(officer: Officer) -> dict[str, Any]:
    return {
        "municipality": officer.municipality,
        "username": officer.username,
        "name": officer.name,
        "role": officer.role.value,
        "since_at": to_rfc3339(officer.since),
    }
