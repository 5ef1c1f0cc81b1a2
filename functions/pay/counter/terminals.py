"""Terminals over HTTP: what became of a sale, the closing of a day, and which terminals there are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from avarez.clock import tehran_today, to_rfc3339
from avarez.errors import FieldError, InvalidInput
from avarez.http import Request, Response, Router, json_response
from avarez.jalali import format_jalali, parse_jalali
from avarez.money import format_rial, parse_rial
from functions.pay.counter.answers import payment_answer
from functions.pay.payments import terminals
from functions.pay.payments.opening import find
from functions.pay.rules.records import Payment
from functions.pay.rules.terminals import Closing, ClosingLine, Terminal
from functions.pay.wiring import desk

router = Router("pay-terminals")
LINES_MAX: Final = 500
"""Sales of a terminal's day."""
DAYS_BACK_MAX: Final = timedelta(days=31)

TerminalId = Annotated[str, Field(pattern=r"^[A-Z0-9-]{3,32}$")]
Reference = Annotated[str, Field(pattern=r"^[0-9]{4,20}$")]
Rial = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,14}$")]
MaskedCard = Annotated[str, Field(pattern=r"^[0-9]{6}[*X]{2,10}[0-9]{4}$")]


class PosResult(BaseModel):
    """The body of `…/pos-results`: the terminal's own answer, or a slip that is typed in by hand."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    result: Literal["approved", "declined"]
    entered: Literal["terminal", "by_hand"] = "terminal"
    reference: Reference | None = None
    amount_rial: Rial | None = None
    tracking: Annotated[str, Field(pattern=r"^[0-9]{1,20}$")] | None = None
    masked_card: MaskedCard | None = None


class SecondLook(BaseModel):
    """The body of `…/pos-confirmations`: what a second person reads from the slip."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    reference: Reference
    amount_rial: Rial


class NewTerminal(BaseModel):
    """The body of `PUT /v1/terminals/{id}`."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    office: Annotated[str, Field(pattern=r"^[A-Z0-9-]{3,64}$")]
    acquirer: Annotated[str, Field(pattern=r"^[a-z0-9-]{2,20}$")]
    serial: Annotated[str, Field(max_length=64)] = ""


class ListedSale(BaseModel):
    """A line of the terminal's own list."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    reference: Reference
    amount_rial: Rial
    tracking: Annotated[str, Field(pattern=r"^[0-9]{1,20}$")] = ""
    order_id: Annotated[str, Field(max_length=64)] = ""


class DayClosing(BaseModel):
    """The body of `POST /v1/terminals/{id}/closings`."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    day_jalali: Annotated[str, Field(max_length=10)]
    lines: Annotated[list[ListedSale], Field(max_length=LINES_MAX)]


@router.route("POST", "/v1/payments/{id}/pos-results", scopes=["payments.write"])
def enter_result(request: Request) -> Response:
    """200 with the payment after what the terminal, or its slip, says."""
    body = request.body_json(PosResult)
    payment = _sale(request)
    if body.result == "declined":
        return _answer(terminals.declined(desk(), payment))
    if body.reference is None or body.amount_rial is None:
        message = "An approved sale has a reference and an amount.", "فروش تأییدشده شمارهٔ مرجع و مبلغ دارد."
        raise InvalidInput(errors=[FieldError("/reference", "missing", *message)])
    slip = terminals.Slip(
        body.reference, parse_rial(body.amount_rial), body.tracking or "", body.masked_card or ""
    )
    if body.entered == "by_hand":
        return _answer(terminals.typed_in(desk(), payment, slip, by=request.principal.username))
    return _answer(terminals.approved(desk(), payment, slip))


@router.route("POST", "/v1/payments/{id}/pos-confirmations", scopes=["payments.write"])
def confirm_slip(request: Request) -> Response:
    """200 with the payment, settled: two people read the same from the slip."""
    body = request.body_json(SecondLook)
    slip = terminals.Slip(body.reference, parse_rial(body.amount_rial))
    after = terminals.looked_at_again(desk(), _sale(request), slip, by=request.principal.username)
    return _answer(after)


@router.route("POST", "/v1/payments/{id}/releases", scopes=["payments.write"])
def release_sale(request: Request) -> Response:
    """200 with the payment; cancelled once a second person says the same."""
    return _answer(terminals.release(desk(), _sale(request), by=request.principal.username))


@router.route("PUT", "/v1/terminals/{id}", scopes=["terminals.write"])
def register(request: Request) -> Response:
    """200 with the terminal, known from now on."""
    body = request.body_json(NewTerminal)
    terminal_id = request.params["id"]
    if not 3 <= len(terminal_id) <= 32 or not set(terminal_id) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"):
        message = "3 to 32 of A-Z, 0-9 and -.", "۳ تا ۳۲ نویسه از A-Z، 0-9 و -."
        raise InvalidInput(errors=[FieldError("/id", "terminal_id_invalid", *message)])
    terminal = Terminal(terminal_id, body.office, body.acquirer, body.serial)
    desk().terminals.register(terminal)
    return json_response(terminal_answer(terminal))


@router.route("GET", "/v1/terminals", scopes=["terminals.read"])
def list_terminals(request: Request) -> Response:
    """The terminals of the caller's office."""
    office = request.principal.office
    found = desk().terminals.terminals_of(office) if office else ()
    return json_response({"office": office, "terminals": [terminal_answer(terminal) for terminal in found]})


@router.route("GET", "/v1/terminals/{id}", scopes=["terminals.read"])
def read(request: Request) -> Response:
    """The terminal and its sales since the last closing."""
    terminal = terminals.terminal_of(desk(), request.principal, request.params["id"])
    found = (desk().store.payment(sale.payment_id) for sale in terminals.sales_of(desk(), terminal))
    sales = [payment_answer(payment) for payment in found if payment is not None]
    return json_response({**terminal_answer(terminal), "sales": sales})


@router.route("POST", "/v1/terminals/{id}/closings", scopes=["terminals.close"])
def close(request: Request) -> Response:
    """200 with the closing: what the terminal counted, what we had, and the variance that was booked."""
    body = request.body_json(DayClosing)
    terminal = terminals.terminal_of(desk(), request.principal, request.params["id"])
    day = parse_jalali(body.day_jalali, "/day_jalali")
    today = tehran_today(desk().clock.now())
    if not today - DAYS_BACK_MAX <= day <= today:
        message = "A day of the last month, today at the latest.", "روزی از یک ماه گذشته، حداکثر امروز."
        raise InvalidInput(errors=[FieldError("/day_jalali", "day_out_of_range", *message)])
    if len({line.reference for line in body.lines}) != len(body.lines):
        message = "A reference stands in the list twice.", "شمارهٔ مرجعی دو بار در فهرست آمده است."
        raise InvalidInput(errors=[FieldError("/lines", "reference_repeated", *message)])
    lines = [
        ClosingLine(line.reference, parse_rial(line.amount_rial), line.tracking, line.order_id)
        for line in body.lines
    ]
    closing = terminals.close_day(desk(), terminal, day=day, lines=lines, closed_by=request.principal.username)
    return json_response(closing_answer(closing))


def _sale(request: Request) -> Payment:
    """The payment at a terminal of the caller's own office."""
    payment = find(desk(), principal=request.principal, payment_id=request.params["id"])
    terminals.check_its_office(payment, request.principal)
    return payment


def _answer(payment: Payment) -> Response:
    return json_response(payment_answer(payment), payment_id=payment.payment_id)


def terminal_answer(terminal: Terminal) -> dict[str, Any]:
    """The public form of a terminal."""
    return {
        "terminal_id": terminal.terminal_id,
        "office": terminal.office,
        "acquirer": terminal.acquirer,
        "serial": terminal.serial,
    }


def closing_answer(closing: Closing) -> dict[str, Any]:
    """The public form of a closing."""
    return {
        "closing_id": closing.closing_id,
        "terminal_id": closing.terminal_id,
        "day_jalali": format_jalali(closing.day),
        "lines": closing.lines,
        "counted_rial": format_rial(closing.counted_rial),
        "ours_rial": format_rial(closing.ours_rial),
        "variance_rial": format_rial(closing.variance_rial),
        "closed_by": closing.closed_by,
        "closed_at": to_rfc3339(closing.closed_at),
    }


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point."""
    return router.handle(event, context)
