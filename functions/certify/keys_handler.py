"""The signing keys over HTTP, for operators: read, rotate, and mark as compromised."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from avarez.clock import SystemClock
from avarez.dynamo import Table
from avarez.errors import FieldError, InvalidInput
from avarez.http import Request, Response, Router, json_response
from avarez.observability import log, metric
from avarez.settings import setting
from functions.certify.signing.key_store import KeyTable
from functions.certify.signing.keys import has_standby, mark_compromised, rotate_now

router = Router("certify-keys")
clock = SystemClock()

Reason = Annotated[str, Field(min_length=3, max_length=500)]


class Rotation(BaseModel):
    """The body of `POST /v1/signing-keys/rotations`."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    reason: Reason


class Compromise(BaseModel):
    """The body of `POST /v1/signing-keys/{kid}/compromises`."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    since_at: AwareDatetime
    reason: Reason


@functools.cache
def keys() -> KeyTable:
    """The process's register of keys."""
    return KeyTable(Table(setting("DUTY_TABLE")))


@router.route("GET", "/v1/signing-keys", scopes=["keys.read"])
def read_keys(request: Request) -> Response:
    """Every key with its state, in the order in which they came."""
    return _listed()


@router.route("POST", "/v1/signing-keys/rotations", scopes=["keys.write"])
def rotate(request: Request) -> Response:
    """The next key signs from here on."""
    reason = request.body_json(Rotation).reason
    rotate_now(reason, keys=keys(), now=clock.now())
    log("signing_key_rotated", by=request.principal.username)
    return _listed()


@router.route("POST", "/v1/signing-keys/{kid}/compromises", scopes=["keys.write"])
def compromise(request: Request) -> Response:
    """The key proves nothing by itself from `since_at` on; if it signed, the next one does at once."""
    asked = request.body_json(Compromise)
    now = clock.now()
    if asked.since_at > now:
        fault = FieldError("/since_at", "in_the_future", "It lies in the future.", "این زمان در آینده است.")
        raise InvalidInput(errors=[fault])
    mark_compromised(request.params["kid"], asked.since_at, asked.reason, keys=keys(), now=now)
    metric("signing_key_compromised")
    log("signing_key_compromised", level="error", kid=request.params["kid"], by=request.principal.username)
    return _listed()


def _listed() -> Response:
    register = keys()
    listed = [
        {**key.public(), "can_sign": bool(key.kms_key), **({"reason": key.reason} if key.reason else {})}
        for key in register.all()
    ]
    return json_response({"keys": listed, "has_standby": has_standby(register)})


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point."""
    return router.handle(event, context)
