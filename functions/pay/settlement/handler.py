"""HTTP: the daily closes of a city with their files; a day closed now."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from avarez.clock import tehran_today
from avarez.errors import (
    FieldError,
    InvalidInput,
    MunicipalityNotFound,
    SettlementNotDue,
    SettlementNotFound,
)
from avarez.http import Request, Response, Router, json_response
from avarez.ids import is_id
from avarez.jalali import parse_jalali
from avarez.municipalities import is_municipality
from avarez.settlements import Settlement, settlement_json
from functions.pay.exchange import batches_handler as exchange_handler
from functions.pay.settlement import wiring
from functions.pay.settlement.bank import batches_handler
from functions.pay.settlement.bank.status import Told, told_of
from functions.pay.settlement.closing import close_next
from functions.pay.settlement.statement import LINES_PER_PART, parts_of, statement_csv, statement_json
from functions.pay.settlement.worker import log_close

router = Router("pay-settlements")
batches_handler.register(router)
exchange_handler.register(router)
LIST_DEFAULT: Final = 31
LIST_MAX: Final = 100
CLOSING_SECONDS_MAX: Final = 10
"""What is not closed by then the clock goes on with; the function may run for 15 seconds."""
CLOSES_A_CALL_MAX: Final = 400


class CloseNow(BaseModel):
    """The body of `POST …/settlements`: up to which day; today's ends at this moment."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    day_jalali: Annotated[str, Field(max_length=32)]


@router.route("GET", "/v1/municipalities/{code}/settlements", scopes=["ledger.read"])
def list_closes(request: Request) -> Response:
    """The city's closes, the newest first."""
    code = _city(request)
    limit, cursor = _limit(request), request.query.get("cursor", "")
    if cursor and not is_id("st", cursor):
        message = "Not a cursor of this list.", "نشانهٔ ادامهٔ این فهرست نیست."
        raise InvalidInput(errors=[FieldError("/query/cursor", "cursor_invalid", *message)])
    found = wiring.parts().closes.settlements(code, before=cursor, limit=limit)
    body = {
        "municipality": code,
        "settlements": _told(found),
        "cursor": found[-1].settlement_id if len(found) == limit else None,
    }
    return json_response(body)


@router.route("POST", "/v1/municipalities/{code}/settlements", scopes=["settlements.write"])
def close_now(request: Request) -> Response:
    """201 with the closes up to the day asked for, today's ending now; 202 when the clock has to go on with it."""
    code = _city(request)
    through = parse_jalali(request.body_json(CloseNow).day_jalali, "/day_jalali")
    of, started, made = wiring.parts(), time.monotonic(), list[Settlement]()
    if through > tehran_today(of.clock.now()):
        message = "This day is still to come.", "این روز هنوز نیامده است."
        raise InvalidInput(errors=[FieldError("/day_jalali", "day_in_future", *message)])

    def time_left() -> bool:
        return time.monotonic() - started < CLOSING_SECONDS_MAX

    while time_left() and len(made) < CLOSES_A_CALL_MAX and _position_day(code) < through.isoformat():
        close = close_next(
            of.closes,
            of.calendar,
            code,
            of.clock.now(),
            by=request.principal.username,
            through=through,
            time_left=time_left,
        )
        if close is None:
            break
        made.append(close)
        log_close(close)
    whole = _position_day(code) >= through.isoformat()
    if not whole and not made and of.closes.plan(code) is None:
        raise SettlementNotDue()
    status = 202 if not whole else 201 if made else 200
    return json_response({"municipality": code, "closed": _told(made[::-1])}, status, closes=len(made))


@router.route("GET", "/v1/municipalities/{code}/settlements/{id}", scopes=["ledger.read"])
def read_close(request: Request) -> Response:
    """One close."""
    return json_response(_told([_find(request)])[0])


@router.route("GET", "/v1/municipalities/{code}/settlements/{id}/statement.csv", scopes=["ledger.read"])
def read_csv(request: Request) -> Response:
    """The close as CSV that opens in a spreadsheet; `?part=2` of one with more than 10,000 lines."""
    settlement, part = _find(request), request.query.get("part", "1")
    number = _part(settlement, part)
    lines = wiring.parts().closes.lines(settlement, first=(number - 1) * LINES_PER_PART, limit=LINES_PER_PART)
    return _file(statement_csv(settlement, lines), "text/csv; charset=utf-8", settlement, "csv", number)


@router.route("GET", "/v1/municipalities/{code}/settlements/{id}/statement.json", scopes=["ledger.read"])
def read_json(request: Request) -> Response:
    """The close with its lines as JSON, in parts as the CSV."""
    settlement = _find(request)
    number = _part(settlement, request.query.get("part", "1"))
    lines = wiring.parts().closes.lines(settlement, first=(number - 1) * LINES_PER_PART, limit=LINES_PER_PART)
    return json_response(statement_json(settlement, lines, number), settlement_id=settlement.settlement_id)


def _file(content: str, kind: str, settlement: Settlement, ending: str, part: int) -> Response:
    parts = parts_of(settlement)
    suffix = f"-{part}-of-{parts}" if parts > 1 else ""
    name = f"settlement-{settlement.municipality}-{settlement.day}{suffix}.{ending}"
    headers = {
        "content-type": kind,
        "content-disposition": f'attachment; filename="{name}"',
        "cache-control": "no-store",
        "x-statement-parts": str(parts),
    }
    return Response(200, content, headers, log_fields={"settlement_id": settlement.settlement_id})


def _told(closes: Sequence[Settlement]) -> list[dict[str, Any]]:
    """The closes with how far their money is."""
    of = wiring.parts()
    told: Mapping[str, Told] = told_of(closes, of.transfers.of_closes(closes), of.bank_states(closes))
    return [{**settlement_json(close), **told[close.settlement_id].to_json()} for close in closes]


def _position_day(code: str) -> str:
    return wiring.parts().closes.position(code).day


def _find(request: Request) -> Settlement:
    """The close of the path.

    Raises: SettlementNotFound.
    """
    code, settlement_id = _city(request), request.params["id"]
    found = wiring.parts().closes.settlement(code, settlement_id) if is_id("st", settlement_id) else None
    if found is None:
        raise SettlementNotFound()
    return found


def _city(request: Request) -> str:
    code = request.params["code"]
    if not is_municipality(code) or not request.principal.reaches(code):
        raise MunicipalityNotFound()
    return code


def _limit(request: Request) -> int:
    return _whole(request.query.get("limit", str(LIST_DEFAULT)), "/query/limit", LIST_MAX)


def _part(settlement: Settlement, text: str) -> int:
    return _whole(text, "/query/part", parts_of(settlement))


def _whole(text: str, pointer: str, largest: int) -> int:
    """A whole number from 1 to `largest`.

    Raises: InvalidInput.
    """
    if text.isascii() and text.isdigit() and len(text) <= len(str(largest)) and 1 <= int(text) <= largest:
        return int(text)
    message = f"A whole number from 1 to {largest}.", f"عددی صحیح از ۱ تا {largest}."
    raise InvalidInput(errors=[FieldError(pointer, "number_invalid", *message)])


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point."""
    return router.handle(event, context)
