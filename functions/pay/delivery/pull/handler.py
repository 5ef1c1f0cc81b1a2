"""HTTP: the same events by pull or as daily files, for a city without an endpoint, and for whoever found a gap."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from avarez.errors import FieldError, InvalidInput, MunicipalityUnknown
from avarez.http import Request, Response, Router, json_response
from avarez.municipalities import is_municipality
from functions.pay.delivery import wiring
from functions.pay.delivery.pull.files_store import shown

router = Router("pay-events")
PAGE_DEFAULT: Final = 100
PAGE_MAX: Final = 500
SEQUENCE_DIGITS_MAX: Final = 12
DAYS_MAX: Final = 31
DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@router.route("GET", "/v1/municipalities/{code}/events", scopes=["events.read"])
def events(request: Request) -> Response:
    """Events that follow sequence `after`, each as its message says it; `head` is how far there are any."""
    code = request.params["code"]
    if not is_municipality(code) or not request.principal.reaches(code):
        raise MunicipalityUnknown()
    after = _number(request, "after", 0, 10**SEQUENCE_DIGITS_MAX)
    limit = _number(request, "limit", PAGE_DEFAULT, PAGE_MAX)
    log = wiring.events()
    found = log.read(code, after=after, limit=max(limit, 1))
    body = {
        "municipality": code,
        "head": log.head(code).sequence,
        "events": [
            {"type": event.data["type"], "timestamp": event.data["occurred_at"], "data": event.data}
            for event in found
        ],
        "next_after": found[-1].sequence if found else after,
    }
    return json_response(body)


@router.route("GET", "/v1/municipalities/{code}/events/files", scopes=["events.read"])
def files(request: Request) -> Response:
    """The signed files of the last days, the newest first; `cursor` is the day before which to go on."""
    code = request.params["code"]
    if not is_municipality(code) or not request.principal.reaches(code):
        raise MunicipalityUnknown()
    before = request.query.get("cursor", "")
    if before and not DAY.fullmatch(before):
        message = "Not a cursor of this list.", "نشانهٔ ادامهٔ این فهرست نیست."
        raise InvalidInput(errors=[FieldError("/query/cursor", "cursor_invalid", *message)])
    store = wiring.event_files()
    days = store.days(code, before=before, limit=DAYS_MAX)
    body = {
        "municipality": code,
        "days": [shown(item, store) for item in days],
        "cursor": days[-1]["day"] if len(days) == DAYS_MAX else None,
    }
    return json_response(body)


def _number(request: Request, name: str, default: int, largest: int) -> int:
    """A whole number of the query, from 0 to `largest`.

    Raises: InvalidInput.
    """
    text = request.query.get(name, "")
    if not text:
        return default
    if text.isascii() and text.isdigit() and len(text) <= SEQUENCE_DIGITS_MAX and int(text) <= largest:
        return int(text)
    message = f"A whole number from 0 to {largest}.", f"عددی صحیح از ۰ تا {largest}."
    raise InvalidInput(errors=[FieldError(f"/query/{name}", "number_invalid", *message)])


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point."""
    return router.handle(event, context)
