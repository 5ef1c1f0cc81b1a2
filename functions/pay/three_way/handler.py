"""HTTP: reports and bank statements handed in, and what the reconciliation found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from avarez.clock import SystemClock, tehran_today
from avarez.errors import FieldError, InvalidInput, MunicipalityUnknown, StatementInvalid
from avarez.http import Request, Response, Router, json_response
from avarez.jalali import format_jalali, parse_jalali
from avarez.municipalities import is_municipality
from functions.pay.three_way.days import NATIONAL
from functions.pay.three_way.results import result_json
from functions.pay.three_way.statement import ERRORS_NAMED_MAX, StatementLine, line_json, read_statement
from functions.pay.three_way.wiring import books, queue, reports

router = Router("pay-reconciliation")
clock = SystemClock()
BODY_BYTES_MAX: Final = 5 << 20
"""Lambda takes six megabytes."""


class NewReport(BaseModel):
    """The body of `POST /v1/gateway-reports`: a report's text as it came, of the whole day or a part of it."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    operator: Annotated[str, Field(pattern=r"^([a-z]{2,8}:)?[a-z0-9-]{2,20}$")]
    day_jalali: Annotated[str, Field(max_length=32)]
    content: Annotated[str, Field(min_length=1, max_length=BODY_BYTES_MAX)]
    complete: bool = True


class NewStatement(BaseModel):
    """The body of `POST /v1/municipalities/{code}/bank-statements`."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    content: Annotated[str, Field(min_length=1, max_length=BODY_BYTES_MAX)]


class NewRun(BaseModel):
    """The body of `POST /v1/reconciliations`."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    day_jalali: Annotated[str, Field(max_length=32)]


@router.route("POST", "/v1/gateway-reports", scopes=["bank-files.write"])
def take_report(request: Request) -> Response:
    """202 with the report's id; its day is reconciled meanwhile. The same content again is the same report."""
    body = request.body_json(NewReport, BODY_BYTES_MAX)
    day = _past(parse_jalali(body.day_jalali, "/day_jalali"), "/day_jalali")
    lines = reports().read(body.operator, body.content)
    report_id = books().take_report(
        body.operator,
        day,
        lines,
        text=body.content,
        complete=body.complete,
        fetched=False,
        taken_by=request.principal.username,
        now=clock.now(),
    )
    queue().send(day)
    told = {"report_id": report_id, "operator": body.operator, "day_jalali": format_jalali(day)}
    return json_response({**told, "lines": len(lines)}, 202, report_id=report_id)


@router.route("POST", "/v1/municipalities/{code}/bank-statements", scopes=["statements.write"])
def take_statement(request: Request) -> Response:
    """202 with how many lines are new; their days are reconciled meanwhile. A line counts once in any file."""
    code = _city(request)
    body = request.body_json(NewStatement, BODY_BYTES_MAX)
    now = clock.now()
    lines = read_statement(body.content, tehran_today(now))
    _check_transfers(code, lines)
    taken_by = request.principal.username
    new = [line for line in lines if books().take_line(line, owner=code, taken_by=taken_by, now=now)]
    for day in sorted({line.settles for line in lines if not line.transfer_reference}):
        queue().send(day)
    told = {
        "municipality": code,
        "lines": len(lines),
        "new": len(new),
        "already": len(lines) - len(new),
        "taken": [line_json(line) for line in new],
    }
    return json_response(told, 202, statement_lines=len(lines))


@router.route("POST", "/v1/reconciliations", scopes=["bank-files.write"])
def run_day(request: Request) -> Response:
    """202: the day is reconciled now, however often it is asked for."""
    body = request.body_json(NewRun)
    day = _past(parse_jalali(body.day_jalali, "/day_jalali"), "/day_jalali")
    queue().send(day)
    return json_response({"day_jalali": format_jalali(day)}, 202)


@router.route("GET", "/v1/municipalities/{code}/reconciliations", scopes=["ledger.read"])
def read_day(request: Request) -> Response:
    """What the last run found of a day, gateway by gateway; of the whole country under `NATIONAL`."""
    code = _city(request)
    now = clock.now()
    text = request.query.get("day_jalali", "")
    day = parse_jalali(text, "/query/day_jalali") if text else tehran_today(now)
    found = [result_json(row, now) for row in books().results_of(code, day)]
    body = {
        "municipality": code,
        "day_jalali": format_jalali(day),
        "status": "closed" if found and all(of["status"] == "closed" for of in found) else "open",
        "gateways": found,
    }
    return json_response(body)


def _check_transfers(code: str, lines: Sequence[StatementLine]) -> None:
    """Refuses the statement when a line names a transfer that is not there, or not this account's.

    Raises: StatementInvalid.
    """
    faults = []
    for line in lines:
        if not line.transfer_reference:
            continue
        transfer = books().transfer(line)
        mine = transfer is not None and code in (NATIONAL, transfer.municipality)
        to_account = transfer is not None and (code == NATIONAL or transfer.iban in ("", line.account))
        if not mine or not to_account:
            name = line.transfer_reference
            message = f"No transfer to this account: {name}.", f"واریزی به این حساب نیست: {name}."
            faults.append(FieldError("/content", "transfer_unknown", *message))
    if faults:
        raise StatementInvalid(errors=faults[:ERRORS_NAMED_MAX])


def _city(request: Request) -> str:
    code = request.params["code"]
    if not (is_municipality(code) or code == NATIONAL) or not request.principal.reaches(code):
        raise MunicipalityUnknown()
    return code


def _past(day: date, pointer: str) -> date:
    if day > tehran_today(clock.now()):
        message = "This day is still to come.", "این روز هنوز نیامده است."
        raise InvalidInput(errors=[FieldError(pointer, "day_in_future", *message)])
    return day


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point."""
    return router.handle(event, context)
