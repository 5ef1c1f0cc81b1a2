"""The way to a gateway whose page opens by a form: a page that posts it, by itself or by its button."""

from __future__ import annotations

import base64
import functools
import hashlib
import html
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from avarez.errors import AvarezError
from avarez.http import Request, Response, Router
from functions.pay.gateways.answers import WORD
from functions.pay.gateways.port import Form, OpensByForm
from functions.pay.gateways.registry import Gateways
from functions.pay.returns.page import PAGE_HEADERS, plain_page
from functions.pay.wiring import read_gateways_secret

router = Router("pay-redirect")

_SCRIPT = "document.forms[0].submit()"
_SCRIPT_HASH = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()


@router.route("GET", "/v1/redirects/{gateway}/{token}", public=True)
def redirect(request: Request) -> Response:
    """The page that posts the form; a plain page where the gateway has none.

    Nothing is looked up: the address of the form is the gateway's own, and a token that nobody was given opens
    nothing there.
    """
    try:
        gateway = gateways().get(request.params["gateway"])
    except AvarezError as refusal:
        return Response(404, plain_page(None), PAGE_HEADERS, outcome=refusal.code)
    token = request.params["token"]
    if not isinstance(gateway, OpensByForm) or not WORD.fullmatch(token):
        return Response(404, plain_page(None), PAGE_HEADERS, outcome="no_form")
    form = gateway.form(token)
    return Response(200, redirect_page(form), redirect_headers(form))


@functools.cache
def gateways() -> Gateways:
    """The process's gateways; this function knows no table."""
    return Gateways(read_gateways_secret)


def redirect_headers(form: Form) -> dict[str, str]:
    """Only this script may run, and only the gateway's host may get the form."""
    parts = urlsplit(form.action)
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{_SCRIPT_HASH}'; "
        f"form-action {parts.scheme}://{parts.netloc}; base-uri 'none'; frame-ancestors 'none'"
    )
    return {**PAGE_HEADERS, "content-security-policy": policy}


def redirect_page(form: Form) -> str:
    """The form with its fields hidden and a button for browsers that run no script."""
    hidden = "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in form.fields.items()
    )
    return (
        '<!doctype html><html lang="fa" dir="rtl"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        "<title>انتقال به درگاه پرداخت · To the payment gateway</title>"
        "<style>body{font:1.1rem/1.9 Vazirmatn,Tahoma,sans-serif;max-width:36rem;margin:12vh auto;"
        "padding:0 1.5rem;color:#1b2733;background:#f6f8fa}button{font:inherit;font-weight:700;border:0;"
        "padding:.6rem 1.6rem;border-radius:10px;background:#0b6b3a;color:#fff;cursor:pointer}"
        "button:focus-visible{outline:3px solid #1d4ed8;outline-offset:2px}</style>"
        "<h1>انتقال به درگاه پرداخت</h1><p>اگر به صفحهٔ بانک نرفتید، دکمه را بزنید.</p>"
        '<p lang="en" dir="ltr">If the bank\'s page does not open, press the button.</p>'
        f'<form method="post" action="{html.escape(form.action)}">{hidden}'
        f"<button>رفتن به درگاه · Continue</button></form><script>{_SCRIPT}</script></html>"
    )


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point."""
    return router.handle(event, context)
