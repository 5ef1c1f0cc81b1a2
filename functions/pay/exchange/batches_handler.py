"""HTTP: the batches of the national exchange, for operators and auditors.

What stands behind them is loaded by the first request: the function's other routes do not pay for it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from avarez.errors import ExchangeBatchNotFound, FieldError, InvalidInput
from avarez.http import Request, Response, Router, json_response

if TYPE_CHECKING:
    from functions.pay.exchange.reporting import Batch

LIST_MAX: Final = 100
NUMBER: Final = re.compile(r"[1-9][0-9]{0,11}", re.ASCII)
READ: Final = ["exchange.read"]


def register(router: Router) -> None:
    """Puts the routes beside those of closes: one function serves both."""
    router.route("GET", "/v1/exchange/batches", scopes=READ)(listed)
    router.route("GET", "/v1/exchange/batches/{number}", scopes=READ)(read)


def listed(request: Request) -> Response:
    """The last hundred batches, the newest first; `cursor` is the number before which to go on."""
    from functions.pay.exchange import wiring

    cursor = request.query.get("cursor", "")
    if cursor and not NUMBER.fullmatch(cursor):
        message = "Not a cursor of this list.", "نشانهٔ ادامهٔ این فهرست نیست."
        raise InvalidInput(errors=[FieldError("/query/cursor", "cursor_invalid", *message)])
    before = int(cursor or 0)
    found = [] if before == 1 else wiring.batches().listed(before=before, limit=LIST_MAX)
    following = str(found[-1].number) if len(found) == LIST_MAX else None
    return json_response({"batches": [_told(batch) for batch in found], "cursor": following})


def read(request: Request) -> Response:
    """A batch with its files, each with an address that works for a quarter of an hour."""
    from functions.pay.exchange import wiring

    number = request.params["number"]
    batch = wiring.batches().find(int(number)) if NUMBER.fullmatch(number) else None
    if batch is None:
        raise ExchangeBatchNotFound()
    files = [
        {
            **{name: file[name] for name in ("name", "size_bytes", "sha256")},
            "url": wiring.objects().link(str(file["key"]), str(file["name"])),
        }
        for file in batch.files
    ]
    return json_response({**_told(batch), "files": files}, batch=batch.number)


def _told(batch: Batch) -> dict[str, Any]:
    return {
        "number": batch.number,
        "records": batch.records,
        "incomplete": batch.incomplete,
        "cities": batch.cities,
        "manifest_sha256": batch.manifest_sha256,
        "made_at": batch.made_at,
    }
