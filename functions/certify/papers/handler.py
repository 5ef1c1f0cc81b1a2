"""Papers over HTTP: the slip while a bill can be paid, the receipt once it is settled, a city's statement."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from typing import Any, Final

from avarez.digits import persian_digits
from avarez.dynamo import Table
from avarez.errors import (
    FieldError,
    InvalidInput,
    MunicipalityNotFound,
    PaperNotReady,
    PaymentNotFound,
    SettlementNotFound,
)
from avarez.http import Request, Response, Router, json_response
from avarez.ids import is_id
from avarez.municipalities import is_municipality
from avarez.settings import setting
from avarez.settlements import Settlement
from functions.certify.papers import fleet, page, profile, statement
from functions.certify.papers.payment import PaymentRecord, PaymentTable
from functions.certify.papers.settlement_store import BudgetTable, SettlementTable
from functions.certify.stores.document_store import DocumentBucket
from functions.certify.stores.quote_store import PageTable

router = Router("certify-papers")
STATEMENT_PREFIX: Final = "settlements/"
#: What can still be paid at a bank; what money was taken for, given back or not.
PAYABLE: Final = frozenset(("created", "pending"))
TAKEN: Final = frozenset(("settled", "refunding", "refunded"))


@functools.cache
def payments() -> PaymentTable:
    """The process's payments."""
    return PaymentTable(Table(setting("DUTY_TABLE")))


@functools.cache
def pages() -> PageTable:
    """The process's names and emblems of cities."""
    return PageTable(Table(setting("DUTY_TABLE")))


@functools.cache
def settlements() -> SettlementTable:
    """The process's daily closes."""
    return SettlementTable(Table(setting("LEDGER_TABLE")))


@functools.cache
def budgets() -> BudgetTable:
    """The process's published budgets."""
    return BudgetTable(Table(setting("LEDGER_TABLE")))


@functools.cache
def statements() -> DocumentBucket:
    """The process's PDFs of closes."""
    return DocumentBucket(setting("DOCUMENTS_BUCKET"), prefix=STATEMENT_PREFIX)


@router.route("GET", "/v1/payments/{id}/slip.pdf", scopes=["payments.read"])
def read_slip(request: Request) -> Response:
    """The slip of an open bill, to be paid at any bank."""
    payment = _find(request)
    if not payment.bill_id or payment.status not in PAYABLE:
        raise PaperNotReady(extra={"status": payment.status})
    return _pdf(page.slip(payment, pages().name), f"slip-{payment.plate}.pdf", payment)


@router.route("GET", "/v1/payments/{id}/receipt.pdf", scopes=["payments.read"])
def read_receipt(request: Request) -> Response:
    """The receipt of a settled payment; of a joint one each part has its own."""
    payment = _find(request)
    if payment.status not in TAKEN or payment.settled_at is None or not payment.years:
        raise PaperNotReady(extra={"status": payment.status})
    spent = budget_page(payment.municipality) if budgets().published(payment.municipality) else ""
    return _pdf(page.receipt(payment, pages().name, spent=spent), f"receipt-{payment.plate}.pdf", payment)


def budget_page(municipality: str) -> str:
    """Where everybody sees what the city spends the duty on."""
    return f"{setting('PUBLIC_ORIGIN')}/open#/city/{municipality}/budget"


@router.route("GET", "/v1/payments/{id}/summary.pdf", scopes=["payments.read"])
def read_summary(request: Request) -> Response:
    """The summary of a settled joint payment: every plate with its years, amount and certificate.

    One of more than 500 plates has sheets: `?sheet=2`.
    """
    payment = _find(request)
    if payment.status not in TAKEN or payment.settled_at is None or not payment.parts:
        raise PaperNotReady(extra={"status": payment.status})
    sheet = _sheet(request, fleet.sheets_of(payment))
    first = (sheet - 1) * fleet.SHEET_PLATES_MAX
    parts = payments().parts(payment.payment_id, first, fleet.SHEET_PLATES_MAX)
    name = f"summary-{payment.payment_id}-{sheet}.pdf"
    return _pdf(fleet.summary(payment, parts, pages().name, sheet=sheet), name, payment)


@router.route("GET", "/v1/municipalities/{code}/settlements/{id}/statement.pdf", scopes=["ledger.read"])
def read_statement(request: Request) -> Response:
    """302 to the PDF of a daily close, made when it is first asked for and kept from then on.

    One of more than 500 lines has sheets: `?sheet=2`. A page cannot read where a redirect to another origin leads:
    `?redirect=false` gets 200 with `{url}` instead.
    """
    code, settlement_id = request.params["code"], request.params["id"]
    if not is_municipality(code) or not request.principal.reaches(code):
        raise MunicipalityNotFound()
    settlement = settlements().find(code, settlement_id) if is_id("st", settlement_id) else None
    if settlement is None:
        raise SettlementNotFound()
    sheet = _sheet(request, statement.sheets_of(settlement))
    content_sha256 = settlements().kept(settlement, sheet) or _statement(settlement, sheet)
    name = f"statement-{code}-{settlement.day}-{sheet}.pdf"
    address = statements().address(content_sha256, name)
    if request.query.get("redirect") == "false":
        return json_response({"url": address}, settlement_id=settlement_id, sheet=sheet)
    headers = {"location": address, "cache-control": "no-store"}
    return Response(302, "", headers, log_fields={"settlement_id": settlement_id, "sheet": sheet})


def _statement(settlement: Settlement, sheet: int) -> str:
    """The hash of the sheet's PDF, which is in object storage now."""
    first = (sheet - 1) * statement.SHEET_LINES_MAX
    lines = settlements().lines(settlement, first, statement.SHEET_LINES_MAX)
    pdf = statement.statement(settlement, lines, pages().name, sheet=sheet)
    content_sha256 = hashlib.sha256(pdf).hexdigest()
    statements().keep(pdf, content_sha256)
    settlements().keep(settlement, sheet, content_sha256)
    return content_sha256


def _sheet(request: Request, sheets: int) -> int:
    """The number of the sheet that is asked for.

    Raises: InvalidInput for one that there is not.
    """
    text = request.query.get("sheet", "1")
    if not text.isascii() or not text.isdigit() or len(text) > 3 or not 1 <= int(text) <= sheets:
        message = f"A number from 1 to {sheets}.", f"شماره‌ای از ۱ تا {persian_digits(sheets)}."
        raise InvalidInput(errors=[FieldError("/query/sheet", "sheet_unknown", *message)])
    return int(text)


def _find(request: Request) -> PaymentRecord:
    """The payment the caller asks for; a joint one is its maker's and its office's too.

    Raises: PaymentNotFound when there is none, or none in a city that the caller reaches.
    """
    payment_id, caller = request.params["id"], request.principal
    found = payments().find(payment_id) if is_id("py", payment_id) else None
    if found is None:
        raise PaymentNotFound()
    theirs = found.created_by == caller.username or (found.office != "" and found.office == caller.office)
    if not caller.reaches(found.municipality) and not (found.parts and theirs):
        raise PaymentNotFound()
    return found


def _pdf(pdf: bytes, filename: str, payment: PaymentRecord) -> Response:
    headers = {
        "content-type": "application/pdf",
        "content-disposition": f'inline; filename="{filename}"',
        "cache-control": "no-store",
    }
    return Response(200, pdf, headers, log_fields={"payment_id": payment.payment_id})


router.routes.update(profile.router.routes)


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point."""
    return router.handle(event, context)
