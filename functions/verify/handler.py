"""The public check of a certificate over HTTP, the keys to do it oneself, and whether the system is up."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, model_validator

from avarez.certificates.document import PDF_BYTES_MAX
from avarez.certificates.key_history import MEDIA_TYPE as HISTORY_TYPE
from avarez.certificates.link import MAX_CHARACTERS
from avarez.certificates.short_code import MAX_CHARACTERS as CODE_CHARACTERS_MAX
from avarez.clock import SystemClock
from avarez.dynamo import Table
from avarez.errors import BodyTooLarge, RouteUnknown, ServiceBusy
from avarez.http import Request, Response, Router, json_response
from avarez.plates import MAX_TEXT_LENGTH
from avarez.settings import setting
from functions.verify.answers import judgement_answer
from functions.verify.check import Judgement, check_code, check_number, check_shown_pdf, check_shown_text
from functions.verify.status_list_store import PublishedLists
from functions.verify.store import Register

router = Router("verify")
clock = SystemClock()
#: Keys change rarely and are published before they sign; a verifier that lacks one asks again.
KEYS_CACHE_S: Final = 300
#: An end is published within seconds; with this a cache on the way is never a minute behind.
STATUS_CACHE_S: Final = 30
STATUS_TYPE: Final = "application/statuslist+cwt"  # draft-ietf-oauth-status-list, section 5.2
WHOLE_LIST: Final = "whole"
SHARD_NAME: Final = re.compile(r"0|[1-9][0-9]{0,3}")
#: The publisher runs each minute.
FIRST_PUBLICATION_S: Final = 60


class Shown(BaseModel):
    """The body of `POST /v1/verify` when it is no PDF: a payload, or a short code with the plate."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    payload: Annotated[str, Field(min_length=1, max_length=MAX_CHARACTERS)] | None = None
    code: Annotated[str, Field(min_length=1, max_length=CODE_CHARACTERS_MAX)] | None = None
    plate: Annotated[str, Field(min_length=1, max_length=MAX_TEXT_LENGTH)] | None = None

    @model_validator(mode="after")
    def is_one_of_the_two(self) -> Shown:
        """Either `payload` alone, or `code` and `plate`."""
        given = (self.payload is not None, self.code is not None, self.plate is not None)
        if given not in ((True, False, False), (False, True, True)):
            raise ValueError("give payload alone, or code and plate")
        return self


@functools.cache
def register() -> Register:
    """The process's register."""
    return Register(Table(setting("DUTY_TABLE")))


@functools.cache
def status_lists() -> PublishedLists:
    """The process's status lists."""
    return PublishedLists(Table(setting("DUTY_TABLE")), setting("STATUS_BUCKET"))


@router.route("GET", "/v1/verify/{id}", public=True)
def verify_number(request: Request) -> Response:
    """The verdict on a certificate's number; the plate is masked, since anybody may ask."""
    return _answer(check_number(request.params["id"], issued=register(), now=clock.now()), masked=True)


@router.route("POST", "/v1/verify", public=True)
def verify_shown(request: Request) -> Response:
    """The verdict on a payload, a PDF, or a short code with its plate; the plate is shown in full."""
    now = clock.now()
    if request.headers.get("content-type", "").split(";")[0].strip().lower() == "application/pdf":
        pdf = request.raw_body
        if len(pdf) > PDF_BYTES_MAX:
            raise BodyTooLarge(
                f"A PDF to be verified may have at most {PDF_BYTES_MAX >> 20} MB.",
                f"حجم PDF حداکثر {PDF_BYTES_MAX >> 20} مگابایت است.",
            )
        return _answer(check_shown_pdf(pdf, issued=register(), now=now), masked=False)
    shown = request.body_json(Shown)
    if shown.payload is not None:
        return _answer(check_shown_text(shown.payload, issued=register(), now=now), masked=False)
    judged = check_code(shown.code or "", shown.plate or "", issued=register(), now=now)
    return _answer(judged, masked=False)


@router.route("GET", "/.well-known/jwks.json", public=True)
def public_keys(request: Request) -> Response:
    """Every public key that ever signed a certificate. Source: RFC 7517."""
    headers = {
        "content-type": "application/jwk-set+json",
        "cache-control": f"public, max-age={KEYS_CACHE_S}",
    }
    return Response(200, register().key_document(), headers)


@router.route("GET", "/.well-known/avarez/status", public=True)
def whole_status(request: Request) -> Response:
    """Which certificates ended, of all that there are, for verifiers without a network."""
    return _status_list(request, WHOLE_LIST)


@router.route("GET", "/.well-known/avarez/status/{shard}", public=True)
def shard_status(request: Request) -> Response:
    """The same of one shard: what a verifier asks for who has one certificate in hand."""
    return _status_list(request, request.params["shard"])


def _status_list(request: Request, name: str) -> Response:
    if name != WHOLE_LIST and not SHARD_NAME.fullmatch(name):
        raise RouteUnknown()
    found = status_lists().find(name)
    if found is None:
        raise RouteUnknown() if name != WHOLE_LIST else ServiceBusy(retry_after_s=FIRST_PUBLICATION_S)
    headers = {
        "content-type": STATUS_TYPE,
        "cache-control": f"public, max-age={STATUS_CACHE_S}",
        "etag": f'"{found.issued_s}"',
    }
    if headers["etag"] in request.headers.get("if-none-match", ""):
        return Response(304, "", headers)
    return Response(200, found.token, headers)


@router.route("GET", "/.well-known/avarez/keys.jwt", public=True)
def signed_keys(request: Request) -> Response:
    """The same keys in a token that the root key signed (`avarez.certificates.key_history`)."""
    token = register().signed_keys()
    if token is None:
        raise ServiceBusy(retry_after_s=FIRST_PUBLICATION_S)
    headers = {"content-type": HISTORY_TYPE, "cache-control": f"public, max-age={KEYS_CACHE_S}"}
    return Response(200, token, headers)


@router.route("GET", "/.well-known/avarez/keys-root.json", public=True)
def root_key(request: Request) -> Response:
    """The root's public key. Keep it once, from a place you trust; whoever fetches it each time gains nothing."""
    key = register().root_key()
    if key is None:
        raise ServiceBusy(retry_after_s=FIRST_PUBLICATION_S)
    headers = {"content-type": "application/jwk-set+json", "cache-control": f"public, max-age={KEYS_CACHE_S}"}
    return Response(200, {"keys": [key]}, headers)


@router.route("GET", "/healthz", public=True)
def health(request: Request) -> Response:
    """200 when the duty table answers; 503 otherwise."""
    register().reach()
    return json_response({"status": "ok"})


def _answer(judgement: Judgement, *, masked: bool) -> Response:
    outcome = judgement.outcome
    logged: dict[str, Any] = {"verdict": outcome.verdict.value, "reason": outcome.reason.value}
    if outcome.payload is not None:
        logged["certificate_id"] = outcome.payload.certificate_id
    return json_response(judgement_answer(judgement, masked=masked), 200, None, **logged)


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point."""
    return router.handle(event, context)
