"""Cities as witnesses: a key registered once, and the checkpoints that they cosigned.

A city's machine runs `avarez log witness`, compares, cosigns, and sends the checkpoint back. What it sends is kept
under the tree's size and shown to everybody; a checkpoint that our own key signed and that is not ours is a fork,
and an alarm.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from avarez.clock import SystemClock, to_rfc3339
from avarez.dynamo import Table
from avarez.errors import CheckpointRefused, LogForked, MunicipalityUnknown, WitnessKeyRefused
from avarez.http import Request, Response, Router, json_response
from avarez.municipalities import is_municipality
from avarez.observability import log, metric
from avarez.settings import setting
from avarez.transparency.checkpoint import CheckpointError, log_key_of, open_checkpoint, witnessed
from avarez.transparency.note import NOTE_BYTES_MAX, KeyKind, NoteError, read_note, read_verifier_key
from functions.certify.log.stores.witness_store import Witness, WitnessTable

router = Router("certify-log-witnesses")
clock = SystemClock()
WITNESSES_CACHE_S: Final = 60


class KeyGiven(BaseModel):
    """The body of `PUT …/witness-key`."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    key: Annotated[str, Field(min_length=1, max_length=400)]


class CheckpointGiven(BaseModel):
    """The body of `POST …/checkpoints`."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    checkpoint: Annotated[str, Field(min_length=1, max_length=NOTE_BYTES_MAX)]


@functools.cache
def witnesses() -> WitnessTable:
    """The process's witnesses."""
    return WitnessTable(Table(setting("DUTY_TABLE")))


@router.route("PUT", "/v1/municipalities/{code}/witness-key", scopes=["log.witness"])
def register_key(request: Request) -> Response:
    """The city's witness key from now on; what an earlier key signed stays shown.

    Raises: WitnessKeyRefused for anything but a strong Ed25519 cosigning key, or one that another city has.
    """
    code = _city(request)
    try:
        key = read_verifier_key(request.body_json(KeyGiven).key, KeyKind.COSIGNATURE)
    except NoteError as error:
        raise WitnessKeyRefused() from error
    log_key = witnesses().log_key()
    if log_key is not None and log_key_of(read_verifier_key(log_key, KeyKind.NOTE)).public_key == key.public_key:
        raise WitnessKeyRefused()
    witnesses().register(code, key.text, key.public_key.hex(), clock.now())
    return json_response({"municipality": code, "key": key.text})


@router.route("POST", "/v1/municipalities/{code}/checkpoints", scopes=["log.witness"])
def take_checkpoint(request: Request) -> Response:
    """201: the city's line is kept with the checkpoint of that size. Repeating it changes nothing.

    Raises: CheckpointRefused, LogForked.
    """
    code = _city(request)
    text = request.body_json(CheckpointGiven).checkpoint
    witness, log_key = witnesses().find(code), witnesses().log_key()
    if witness is None or log_key is None:
        raise CheckpointRefused(
            "Register the witness's key first.", "نخست کلید گواه را ثبت کنید."
        )  # fmt: skip
    key = read_verifier_key(witness.key, KeyKind.COSIGNATURE)
    try:
        opened = open_checkpoint(text, log_key_of(read_verifier_key(log_key, KeyKind.NOTE)))
        seen = witnessed(opened.note, [key])
    except CheckpointError as error:
        raise CheckpointRefused() from error
    size = opened.checkpoint.size
    kept = witnesses().kept_checkpoint(size)
    if kept is None or read_note(kept).text != opened.note.text:
        metric("log_forked")
        log("log_forked", level="error", municipality=code, size=size, root=opened.checkpoint.root.hex())
        raise LogForked()
    if not seen:
        raise CheckpointRefused()
    line = next(one.line for one in opened.note.signatures if (one.name, one.key_id) == (key.name, key.key_id))
    witnesses().keep(code, size, line, seen[0].at)
    body = {"municipality": code, "size": size, "seen_at": to_rfc3339(seen[0].at)}
    return json_response(body, 201)


@router.route("GET", "/.well-known/avarez/log/witnesses", public=True)
def list_witnesses(request: Request) -> Response:
    """Every witness with its key, and the largest tree that it cosigned."""
    body = {"witnesses": [_shown(one) for one in witnesses().every()]}
    return json_response(body, headers={"cache-control": f"public, max-age={WITNESSES_CACHE_S}"})


def _shown(witness: Witness) -> dict[str, Any]:
    return {
        "municipality": witness.municipality,
        "key": witness.key,
        "size": witness.size,
        "seen_at": to_rfc3339(witness.seen_at) if witness.seen_at else None,
    }


def _city(request: Request) -> str:
    code = request.params["code"]
    if not is_municipality(code) or not request.principal.reaches(code):
        raise MunicipalityUnknown()
    return code


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point."""
    return router.handle(event, context)
