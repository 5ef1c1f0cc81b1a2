"""What a payer sees of the gateway, in Persian and English."""

from __future__ import annotations

import html
import sqlite3
from collections.abc import Mapping

from aiohttp import web

PAGE_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
}
POST_BACK_HEADERS = {
    **PAGE_HEADERS,
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'",
}
UNITS = {"rial": "ریال", "toman": "تومان"}
STYLE = """
body{margin:0;min-height:100vh;display:grid;place-items:center;background:#eef2f6;color:#17212b;
font:1rem/1.9 Vazirmatn,Tahoma,sans-serif}
main{background:#fff;border-radius:16px;box-shadow:0 8px 32px #17212b1f;padding:2rem;width:min(26rem,92vw);
box-sizing:border-box}
h1{font-size:1.15rem;margin:0 0 .25rem}small,[lang=en]{color:#52606d}
dl{background:#f6f8fa;border-radius:10px;padding:1rem;margin:1.25rem 0}dt{font-size:.85rem;color:#52606d}
dd{margin:0 0 .5rem;font-weight:700;overflow-wrap:anywhere}.amount{font-size:1.5rem}
button{font:inherit;font-weight:700;width:100%;padding:.8rem;border-radius:10px;border:2px solid #0b6b3a;
margin-top:.6rem;cursor:pointer}
button.paid{background:#0b6b3a;color:#fff}button.cancelled{background:#fff;color:#9b1c1c;border-color:#9b1c1c}
button:focus-visible{outline:3px solid #1d4ed8;outline-offset:2px}
"""


def form_page(row: sqlite3.Row, unit: str = "rial", hidden: Mapping[str, str] | None = None) -> str:
    """The payer's page: the amount, and two buttons; `hidden` goes back with whichever is pressed."""
    kept = hidden_inputs(hidden or {})
    amount = f"{row['amount']:,}"
    persian = amount.translate(str.maketrans("0123456789,", "۰۱۲۳۴۵۶۷۸۹٬"))
    return document(
        "درگاه آزمایشی پرداخت",
        f"""<h1>درگاه آزمایشی پرداخت</h1>
<p lang="en" dir="ltr"><small>Sandbox payment gateway. No money moves here.</small></p>
<dl><dt>مبلغ · Amount</dt><dd class="amount">{persian} {UNITS[unit]}</dd>
<dd lang="en" dir="ltr">{amount} {unit}</dd>
<dt>پذیرنده · Merchant</dt><dd>{html.escape(row["merchant"]) or "—"}</dd>
<dt>شمارهٔ سفارش · Order</dt><dd dir="ltr"><small>{html.escape(row["order_id"])}</small></dd></dl>
<form method="post">{kept}<button class="paid" name="result" value="paid">پرداخت · Pay</button>
<button class="cancelled" name="result" value="cancelled">انصراف · Cancel</button></form>""",
    )


def post_back_page(action: str, fields: Mapping[str, str]) -> str:
    """The page that carries the payer back with a form, as gateways do that come back by POST."""
    return document(
        "بازگشت به پذیرنده",
        f"""<h1>در حال بازگشت به پذیرنده</h1><p lang="en" dir="ltr">Going back to the merchant.</p>
<form method="post" action="{html.escape(action)}">{hidden_inputs(fields)}
<button class="paid">ادامه · Continue</button></form><script>document.forms[0].submit()</script>""",
    )


def hidden_inputs(fields: Mapping[str, str]) -> str:
    return "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in fields.items()
    )


def document(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="fa" dir="rtl"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head><body><main>{body}</main></body></html>"
    )


def shown(status: int, persian: str, english: str) -> web.Response:
    """A page with one sentence in both languages."""
    body = f'<h1>{persian}</h1><p lang="en" dir="ltr">{english}</p>'
    return web.Response(
        status=status,
        text=document("درگاه آزمایشی پرداخت", body),
        content_type="text/html",
        headers=PAGE_HEADERS,
    )
