"""The gateways' returns: whatever a gateway or a browser sends ends in a redirect or a plain page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from avarez.errors import AvarezError, InvalidJson
from avarez.http import Request, Response, Router
from functions.pay.payments.arrival import receive
from functions.pay.returns.page import PAGE_HEADERS, busy_page, plain_page, return_address
from functions.pay.wiring import desk

router = Router("pay-callback")

FORM_BYTES_MAX = 16 * 1024
"""A gateway's form has a dozen short fields."""
FIELDS_MAX = 40


@router.route("GET", "/v1/callbacks/{gateway}", public=True)
def returned(request: Request) -> Response:
    """303 to the caller's page, or a plain page."""
    return _answer(request, request.query)


@router.route("POST", "/v1/callbacks/{gateway}", public=True)
def posted(request: Request) -> Response:
    """The same for gateways that come back with a form; the form's fields stand over the query's."""
    return _answer(request, {**request.query, **_form(request)})


def _answer(request: Request, fields: Mapping[str, str]) -> Response:
    try:
        payment = receive(desk(), gateway_name=request.params["gateway"], fields=fields)
    except AvarezError as refusal:
        # Not even the payment could be read. The payer is told so; the sweep finds out what became of the money.
        return Response(200, busy_page(), PAGE_HEADERS, outcome=refusal.code)
    logged = {} if payment is None else {"payment_id": payment.payment_id, "payment_status": payment.status.value}
    if payment is not None and payment.return_url:
        headers = {
            "location": return_address(payment),
            "cache-control": "no-store",
            "referrer-policy": "no-referrer",
        }
        return Response(303, "", headers, log_fields=logged)
    return Response(200, plain_page(payment), PAGE_HEADERS, log_fields=logged)


def _form(request: Request) -> dict[str, str]:
    """The form's fields; nothing where the body is no form."""
    try:
        raw = request.raw_body
    except InvalidJson:  # base64 that is none
        return {}
    if len(raw) > FORM_BYTES_MAX:
        return {}
    try:
        return dict(parse_qsl(raw.decode("utf-8"), keep_blank_values=True, max_num_fields=FIELDS_MAX))
    except ValueError:
        return {}


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point."""
    return router.handle(event, context)
