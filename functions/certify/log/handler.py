"""The log over HTTP, for everybody: checkpoint, tiles, key, and the proof of one certificate.

Source: C2SP tlog-tiles, section APIs, for the paths and content types below `/.well-known/avarez/log`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any, Final

from avarez.clock import to_rfc3339
from avarez.dynamo import Table
from avarez.errors import LogEntryNotFound, LogTileNotFound
from avarez.http import Request, Response, Router
from avarez.settings import setting
from avarez.transparency import merkle
from avarez.transparency.proof import LogProof
from avarez.transparency.register import Logged, LogRegister
from avarez.transparency.tiles import TileTree, tile_of
from functions.certify.log.stores.tile_store import LogBucket
from functions.certify.log.stores.tree_store import LogTable

router = Router("certify-log")
CHECKPOINT_CACHE_S: Final = 2
"""A checkpoint changes every few seconds; the specification asks for no more than that."""
TILE_CACHE_S: Final = 365 * 24 * 3600
PROOF_CACHE_S: Final = 3600
"""The path never changes; lines of witnesses may come later."""
KEY_CACHE_S: Final = 300
_ENTRY: Final = re.compile("[0-9a-f]{64}")
_SIZE: Final = re.compile("[1-9][0-9]{0,14}")
_TEXT: Final = "text/plain; charset=utf-8"


@functools.cache
def table() -> LogTable:
    """The process's rows of the log."""
    return LogTable(Table(setting("DUTY_TABLE")))


@functools.cache
def register() -> LogRegister:
    """The process's leaves by entry."""
    return LogRegister(Table(setting("DUTY_TABLE")))


@functools.cache
def bucket() -> LogBucket:
    """The process's tiles."""
    return LogBucket(setting("LOG_BUCKET"))


@router.route("GET", "/.well-known/avarez/log/checkpoint", public=True)
def read_checkpoint(request: Request) -> Response:
    """The newest checkpoint, with its witnesses' lines. 404 before the first certificate."""
    row = _published()
    cosigned = table().cosigned_checkpoint(int(row["published_size"]))
    return _text(cosigned or str(row["published"]), CHECKPOINT_CACHE_S)


@router.route("GET", "/.well-known/avarez/log/key", public=True)
def read_key(request: Request) -> Response:
    """The verifier's key of the log, to be fetched once from a place you trust, and kept."""
    return _text(f"{_published()['key']}\n", KEY_CACHE_S)


@router.route("GET", "/.well-known/avarez/log/tile/{proxy+}", public=True)
def read_tile(request: Request) -> Response:
    """A tile or a bundle of entries; it never changes."""
    tile = tile_of(request.params["proxy"])
    content = None if tile is None else bucket().find_tile(tile)
    if content is None:
        raise LogTileNotFound()
    headers = {
        "content-type": "application/octet-stream",
        "cache-control": f"public, max-age={TILE_CACHE_S}, immutable",
    }
    return Response(200, content, headers)


@router.route("GET", "/.well-known/avarez/log/proof/{entry}", public=True)
def read_proof(request: Request) -> Response:
    """The proof file of the certificate whose COSE message has this SHA-256 (lower-case hex).

    It leads to the first checkpoint that holds the certificate, so its time is the earliest that can be shown.
    """
    found = _find(request)
    return _proof(found, found.tree_size)


@router.route("GET", "/.well-known/avarez/log/proof/{entry}/{size}", public=True)
def read_later_proof(request: Request) -> Response:
    """The same to the checkpoint of this size, say of the one that a witness cosigned."""
    found = _find(request)
    size = request.params["size"]
    if _SIZE.fullmatch(size) is None or int(size) < found.tree_size:
        raise LogEntryNotFound()
    return _proof(found, int(size))


def _find(request: Request) -> Logged:
    """Where the entry stands. Raises: LogEntryNotFound."""
    entry = request.params["entry"]
    found = register().find_entry(bytes.fromhex(entry)) if _ENTRY.fullmatch(entry) else None
    if found is None:
        raise LogEntryNotFound()
    return found


def _proof(found: Logged, size: int) -> Response:
    """Raises: LogEntryNotFound when no checkpoint of that size was ever published."""
    checkpoint = table().cosigned_checkpoint(size)
    if checkpoint is None:
        raise LogEntryNotFound()
    path = merkle.inclusion_path(found.index, size, TileTree(size, bucket().read_tile).node_at)
    proof = LogProof(found.index, tuple(path), checkpoint)
    fields = {"index": found.index, "logged_at": to_rfc3339(found.logged_at)}
    return _text(proof.text, PROOF_CACHE_S, **fields)


def _published() -> Mapping[str, Any]:
    """The head's row.

    Raises: LogEntryNotFound before the first certificate.
    """
    row = table().published()
    if row is None:
        raise LogEntryNotFound()
    return row


def _text(text: str, cache_s: int, **log_fields: Any) -> Response:
    headers = {"content-type": _TEXT, "cache-control": f"public, max-age={cache_s}"}
    return Response(200, text, headers, log_fields=log_fields)


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point."""
    return router.handle(event, context)
