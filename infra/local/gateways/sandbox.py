"""The sandbox gateway: token, page, callback, verify, inquiry, reverse and a report of the day.

It behaves like a real gateway with a verify window: money that nobody verified goes back by itself. It can be
told to fail (`/control`). It shares no code with the adapter in `functions/pay/gateways`, so that the tests
between the two prove something. Protocol and controls: `docs/gateways.md`.

    python -m infra.local.gateways.sandbox --port 8090 --data .data/sandbox
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import hmac
import html
import io
import json
import os
import re
import secrets
import sqlite3
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import aiohttp
from aiohttp import web

PAGE_LIFETIME_S = 900
VERIFY_WINDOW_S = 900
BODY_BYTES_MAX = 64 * 1024
AMOUNT_RIAL_MIN, AMOUNT_RIAL_MAX = 1_000, 10**15
"""Real gateways take from 1,000 rial; the maximum only keeps nonsense out."""
CALLS_KEPT_MAX = 1_000
HANG_S = 30
DUPLICATES = 2

CODES = {
    0: "ok",
    1: "already verified",
    2: "not paid",
    3: "unknown token or reference",
    4: "reversed",
    5: "amount differs",
    6: "refused",
    7: "bad request",
    8: "bad credentials",
    9: "reference required",
}

ANSWER_MODES = ("hang", "error_500", "html", "truncated_json")
MODES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(ANSWER_MODES, ("request", "verify", "inquiry", "reverse")),
    "token_refused": ("request",),
    "wrong_amount_verify": ("verify",),
    "verify_lost": ("verify",),
    "no_callback": ("page",),
    "duplicate_callbacks": ("page",),
    "wrong_amount_callback": ("page",),
}
"""Failure modes and the calls that each can befall."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS payments (
  token TEXT PRIMARY KEY, merchant TEXT NOT NULL, order_id TEXT NOT NULL, amount INTEGER NOT NULL,
  callback_url TEXT NOT NULL, state TEXT NOT NULL, reference TEXT UNIQUE,
  created_at REAL NOT NULL, paid_at REAL, verified_at REAL, reversed_at REAL);
CREATE INDEX IF NOT EXISTS by_paid_at ON payments (paid_at);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class Book:
    """The gateway's own record, in one sqlite file; amounts in whole rial."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.database = sqlite3.connect(folder / "sandbox.sqlite", isolation_level=None)
        self.database.row_factory = sqlite3.Row
        self.database.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + SCHEMA)
        self.settings: dict[str, Any] = {
            "page_lifetime_s": PAGE_LIFETIME_S,
            "verify_window_s": VERIFY_WINDOW_S,
            "inquiry_without_callback": True,
            "clock_offset_s": 0,
        }
        for row in self.database.execute("SELECT name, value FROM settings"):
            self.settings[row["name"]] = json.loads(row["value"])

    def set(self, name: str, value: object) -> None:
        self.settings[name] = value
        self.database.execute("REPLACE INTO settings VALUES (?, ?)", (name, json.dumps(value)))

    def now(self) -> float:
        return time.time() + float(self.settings["clock_offset_s"])

    def find(self, token: str) -> sqlite3.Row | None:
        """The payment behind the token, after time has done its work on it."""
        self.let_time_pass()
        row: sqlite3.Row | None = self.database.execute(
            "SELECT * FROM payments WHERE token = ?", (token,)
        ).fetchone()
        return row

    def let_time_pass(self) -> None:
        """Pages close; money that nobody verified in the window goes back to the payer."""
        now = self.now()
        self.database.execute(
            "UPDATE payments SET state = 'expired' WHERE state = 'open' AND created_at < ?",
            (now - self.settings["page_lifetime_s"],),
        )
        self.database.execute(
            "UPDATE payments SET state = 'reversed', reversed_at = paid_at + ?"
            " WHERE state = 'paid' AND paid_at < ?",
            (self.settings["verify_window_s"], now - self.settings["verify_window_s"]),
        )

    def change(self, token: str, before: str, **columns: object) -> bool:
        """Whether the payment was in the state `before` and now has these columns."""
        names = ", ".join(f"{name} = ?" for name in columns)
        cursor = self.database.execute(
            f"UPDATE payments SET {names} WHERE token = ? AND state = ?",  # noqa: S608 - names are ours
            (*columns.values(), token, before),
        )
        return cursor.rowcount == 1


class Sandbox:
    """The gateway's HTTP face and its failure modes."""

    def __init__(self, folder: Path, *, merchant: str, secret: str) -> None:
        """`merchant` and `secret` empty: anybody is let in."""
        self.book = Book(folder)
        self.merchant = merchant
        self.secret = secret
        self.failures: dict[tuple[str, str], dict[str, Any]] = {}
        self.calls: list[dict[str, Any]] = []
        self.tasks: set[asyncio.Task[None]] = set()
        self.base_url = ""

    def application(self) -> web.Application:
        app = web.Application(client_max_size=BODY_BYTES_MAX, middlewares=[self.local_only])
        app.router.add_post("/api/request", self.api("request", self.request))
        app.router.add_post("/api/verify", self.api("verify", self.verify))
        app.router.add_post("/api/inquiry", self.api("inquiry", self.inquiry))
        app.router.add_post("/api/reverse", self.api("reverse", self.reverse))
        app.router.add_get("/api/report", self.report)
        app.router.add_get("/pay/{token}", self.page)
        app.router.add_post("/pay/{token}", self.press)
        app.router.add_get("/", self.home)
        app.router.add_get("/healthz", self.healthz)
        app.router.add_get("/control/state", self.control_state)
        app.router.add_post("/control/failures", self.control_failures)
        app.router.add_post("/control/settings", self.control_settings)
        app.router.add_post("/control/advance", self.control_advance)
        app.router.add_post("/control/reset", self.control_reset)
        app.router.add_get("/control/payments", self.control_payments)
        return app

    @web.middleware
    async def local_only(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Only this machine, and only under its own names (a foreign page cannot rebind its way in)."""
        if request.remote not in ("127.0.0.1", "::1") or request.url.host not in ("127.0.0.1", "localhost", "::1"):
            raise web.HTTPForbidden()
        if request.path.startswith("/control") and request.headers.get("origin"):
            raise web.HTTPForbidden()
        return await handler(request)

    # -- failures ------------------------------------------------------------------------------------

    def failing(self, call: str, *modes: str) -> dict[str, Any] | None:
        """The first of `modes` that is due for this call; each use counts it down."""
        for mode in modes:
            failure = self.failures.get((call, mode))
            if failure and failure["count"] > 0:
                failure["count"] -= 1
                return {**failure, "mode": mode}
        return None

    def api(
        self, name: str, call: Callable[[dict[str, str]], dict[str, Any]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """The JSON endpoint around `call`: credentials, the log of calls, and the failures of answers."""

        async def endpoint(request: web.Request) -> web.StreamResponse:
            fields = await self._fields(request)
            failure = self.failing(name, *ANSWER_MODES)
            noted = {"call": name, "at": self.book.now(), "failure": failure["mode"] if failure else ""}
            self.calls = [*self.calls[1 - CALLS_KEPT_MAX :], noted]
            if failure:
                if failure["mode"] == "hang":
                    await asyncio.sleep(float(failure.get("seconds", HANG_S)))
                    raise web.HTTPGatewayTimeout()
                if failure["mode"] == "error_500":
                    raise web.HTTPInternalServerError(text="internal error")
                if failure["mode"] == "html":
                    return web.Response(text="<html><h1>Maintenance</h1></html>", content_type="text/html")
                return web.Response(text='{"code": 0, "refer', content_type="application/json")
            if fields is None:
                return web.json_response(coded(7))
            if not self._admits(request, fields):
                return web.json_response(coded(8))
            lost = self.failing(name, "verify_lost")
            answer = call(fields)
            noted["code"] = answer["code"]
            if lost and request.transport is not None:
                request.transport.close()
            return web.json_response(answer)

        return endpoint

    async def _fields(self, request: web.Request) -> dict[str, str] | None:
        try:
            body = json.loads(await request.text())
        except ValueError:
            return None
        if not isinstance(body, dict) or not all(isinstance(value, str) for value in body.values()):
            return None
        return body

    def _admits(self, request: web.Request, fields: dict[str, str]) -> bool:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        known_secret = not self.secret or hmac.compare_digest(given.encode(), self.secret.encode())
        return known_secret and (not self.merchant or fields.get("merchant") == self.merchant)

    # -- the merchant's calls ------------------------------------------------------------------------

    def request(self, fields: dict[str, str]) -> dict[str, Any]:
        """A new token with its page."""
        if self.failing("request", "token_refused"):
            return coded(6)
        amount = whole_rial(fields.get("amount", ""))
        callback = urlsplit(fields.get("callback_url", ""))
        order_id = fields.get("order_id", "")
        if amount is None or callback.scheme not in ("http", "https") or not 0 < len(order_id) <= 80:
            return coded(7)
        token = secrets.token_urlsafe(24)
        now = self.book.now()
        self.book.database.execute(
            "INSERT INTO payments (token, merchant, order_id, amount, callback_url, state, created_at)"
            " VALUES (?, ?, ?, ?, ?, 'open', ?)",
            (token, fields.get("merchant", ""), order_id, amount, fields["callback_url"], now),
        )
        return {
            **coded(0),
            "token": token,
            "page_url": f"{self.base_url}/pay/{token}",
            "expires_at": rfc3339(now + self.book.settings["page_lifetime_s"]),
        }

    def verify(self, fields: dict[str, str]) -> dict[str, Any]:
        """Keeps the money, once and for all, when token, reference, order and amount agree."""
        row = self.book.find(fields.get("token", ""))
        if row is None or row["order_id"] != fields.get("order_id"):
            return coded(3)
        if row["state"] in ("open", "cancelled", "expired"):
            return coded(2)
        if row["reference"] != fields.get("reference"):
            return coded(3)
        if row["state"] == "reversed":
            return coded(4)
        if row["state"] == "paid" and self.failing("verify", "wrong_amount_verify"):
            # The page took another amount than it was asked for, and this gateway confirms it all the same.
            self.book.change(
                row["token"], "paid", state="verified", verified_at=self.book.now(), amount=row["amount"] + 1
            )
            return {**coded(0), **told(self.book.find(row["token"]))}
        if str(row["amount"]) != fields.get("amount"):
            return {**coded(5), **told(row)}
        if self.book.change(row["token"], "paid", state="verified", verified_at=self.book.now()):
            return {**coded(0), **told(row)}
        return {**coded(1), **told(row)}

    def inquiry(self, fields: dict[str, str]) -> dict[str, Any]:
        """What became of a token; in one mode only for those who know the reference already."""
        row = self.book.find(fields.get("token", ""))
        if row is None or row["order_id"] != fields.get("order_id"):
            return coded(3)
        if not self.book.settings["inquiry_without_callback"] and fields.get("reference") != row["reference"]:
            return coded(9)
        return {**coded(0), **told(row), "state": row["state"]}

    def reverse(self, fields: dict[str, str]) -> dict[str, Any]:
        """Sends the money back."""
        row = self.book.find(fields.get("token", ""))
        if row is None or row["reference"] is None or row["reference"] != fields.get("reference"):
            return coded(3)
        now = self.book.now()
        for state in ("paid", "verified"):
            if self.book.change(row["token"], state, state="reversed", reversed_at=now):
                return {**coded(0), **told(row)}
        return {**coded(4), **told(row)}

    async def report(self, request: web.Request) -> web.StreamResponse:
        """Every payment that was paid on this UTC day, as JSON or, with `format=csv`, as CSV."""
        if not self._admits(request, dict(request.query)):
            return web.json_response(coded(8))
        day = request.query.get("day", rfc3339(self.book.now())[:10])
        try:
            start = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()
        except ValueError:
            return web.json_response(coded(7))
        self.book.let_time_pass()
        rows = [
            {
                **told(row),
                "state": row["state"],
                "paid_at": rfc3339(row["paid_at"]),
                "verified_at": rfc3339(row["verified_at"]),
                "reversed_at": rfc3339(row["reversed_at"]),
            }
            for row in self.book.database.execute(
                "SELECT * FROM payments WHERE paid_at >= ? AND paid_at < ? ORDER BY paid_at",
                (start, start + 86_400),
            )
        ]
        if request.query.get("format") != "csv":
            return web.json_response({**coded(0), "day": day, "rows": rows})
        text = io.StringIO()
        names = ["order_id", "reference", "amount", "state", "paid_at", "verified_at", "reversed_at"]
        writer = csv.DictWriter(text, names, lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(rows)
        return web.Response(text=text.getvalue(), content_type="text/csv")

    # -- the payer's page ----------------------------------------------------------------------------

    async def page(self, request: web.Request) -> web.StreamResponse:
        row = self.book.find(request.match_info["token"])
        if row is None:
            return shown(404, "صفحه‌ای با این نشانی نیست.", "There is no such page.")
        if row["state"] != "open":
            return shown(410, "این صفحه بسته شده است.", "This page is closed.")
        return web.Response(text=form_page(row), content_type="text/html", headers=PAGE_HEADERS)

    async def press(self, request: web.Request) -> web.StreamResponse:
        """One of the two buttons; 303 to the merchant's callback."""
        form = dict(parse_qsl((await request.read()).decode("utf-8", "replace"), max_num_fields=10))
        result = form.get("result", "")
        row = self.book.find(request.match_info["token"])
        if row is None:
            return shown(404, "صفحه‌ای با این نشانی نیست.", "There is no such page.")
        if result not in ("paid", "cancelled"):
            return shown(400, "یکی از دو دکمه را بزنید.", "Press one of the two buttons.")
        if row["state"] == "open":
            if result == "paid":
                reference = f"{int(self.book.now() * 1000):013d}{secrets.randbelow(10**9):09d}"
                self.book.change(row["token"], "open", state="paid", reference=reference, paid_at=self.book.now())
            else:
                self.book.change(row["token"], "open", state="cancelled")
            row = self.book.find(row["token"]) or row
        elif (row["state"] in ("paid", "verified")) != (result == "paid") or row["state"] in (
            "expired",
            "reversed",
        ):
            return shown(410, "این صفحه بسته شده است.", "This page is closed.")
        return await self._send_back(row)

    async def _send_back(self, row: sqlite3.Row) -> web.StreamResponse:
        paid = row["state"] in ("paid", "verified")
        wrong = self.failing("page", "wrong_amount_callback")
        fields = {
            "token": row["token"],
            "order_id": row["order_id"],
            "state": "paid" if paid else "cancelled",
            "amount": str(row["amount"] + (1 if wrong else 0)),
        }
        if paid:
            fields["reference"] = row["reference"]
        parts = urlsplit(row["callback_url"])
        query = "&".join(part for part in (parts.query, urlencode(fields)) if part)
        location = urlunsplit(parts._replace(query=query))
        if failure := self.failing("page", "duplicate_callbacks"):
            task = asyncio.create_task(self._call_back(location, int(failure.get("copies", DUPLICATES))))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        if self.failing("page", "no_callback"):
            return shown(200, "سپاس؛ پرداخت شما ثبت شد.", "Thank you, your payment was recorded.")
        return web.Response(status=303, headers={"location": location, "cache-control": "no-store"})

    async def _call_back(self, location: str, copies: int) -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:

            async def once() -> None:
                async with session.get(location, allow_redirects=False) as answer:
                    await answer.read()

            await asyncio.gather(*(once() for _ in range(copies)), return_exceptions=True)

    async def home(self, request: web.Request) -> web.StreamResponse:
        return shown(
            200,
            "این درگاه آزمایشی است؛ هیچ پولی جابه‌جا نمی‌شود.",
            "This is the sandbox gateway; no money moves here.",
        )

    async def healthz(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"status": "ok"})

    # -- control -------------------------------------------------------------------------------------

    async def control_state(self, request: web.Request) -> web.StreamResponse:
        failures = [{"call": call, **failure} for (call, _), failure in self.failures.items() if failure["count"]]
        return web.json_response({"settings": self.book.settings, "failures": failures, "calls": self.calls})

    async def control_failures(self, request: web.Request) -> web.StreamResponse:
        """`{mode, call?, count?, seconds?, copies?}`; without `call` every call that the mode can befall."""
        body = json.loads(await request.text())
        mode, count = body.get("mode"), body.get("count", 1)
        if mode not in MODES or type(count) is not int or body.get("call", MODES[mode][0]) not in MODES[mode]:
            return web.json_response({"modes": MODES}, status=400)
        more = {name: body[name] for name in ("seconds", "copies") if name in body}
        for call in [body["call"]] if "call" in body else MODES[mode]:
            self.failures[call, mode] = {"mode": mode, "count": count, **more}
        return await self.control_state(request)

    async def control_settings(self, request: web.Request) -> web.StreamResponse:
        """`{page_lifetime_s?, verify_window_s?, inquiry_without_callback?}`"""
        body = json.loads(await request.text())
        for name in ("page_lifetime_s", "verify_window_s", "inquiry_without_callback"):
            if name in body:
                if type(body[name]) is not type(self.book.settings[name]):
                    return web.json_response({"at_fault": name}, status=400)
                self.book.set(name, body[name])
        return await self.control_state(request)

    async def control_advance(self, request: web.Request) -> web.StreamResponse:
        """`{seconds}`: moves the gateway's own clock on."""
        seconds = int(json.loads(await request.text())["seconds"])
        self.book.set("clock_offset_s", self.book.settings["clock_offset_s"] + seconds)
        return await self.control_state(request)

    async def control_reset(self, request: web.Request) -> web.StreamResponse:
        """Forgets failures, settings and the log of calls; payments stay."""
        self.failures.clear()
        self.calls.clear()
        self.book.set("page_lifetime_s", PAGE_LIFETIME_S)
        self.book.set("verify_window_s", VERIFY_WINDOW_S)
        self.book.set("inquiry_without_callback", True)
        self.book.set("clock_offset_s", 0)
        return await self.control_state(request)

    async def control_payments(self, request: web.Request) -> web.StreamResponse:
        """The newest payments, at most 200, for tests; `order_id` narrows."""
        self.book.let_time_pass()
        order_id = request.query.get("order_id", "")
        rows = self.book.database.execute(
            "SELECT * FROM payments WHERE ? IN ('', order_id) ORDER BY created_at DESC LIMIT 200", (order_id,)
        )
        return web.json_response([dict(row) for row in rows])


def coded(code: int) -> dict[str, Any]:
    """The common members of every answer."""
    return {"code": code, "message": CODES[code]}


def told(row: sqlite3.Row | None) -> dict[str, str]:
    """What a merchant is told of a payment."""
    if row is None:
        return {}
    return {"order_id": row["order_id"], "reference": row["reference"] or "", "amount": str(row["amount"])}


def whole_rial(text: str) -> int | None:
    """The amount, or None where it is no whole number of rial in range."""
    if re.fullmatch(r"[1-9][0-9]{0,15}", text, re.ASCII) is None:
        return None
    amount = int(text)
    return amount if AMOUNT_RIAL_MIN <= amount <= AMOUNT_RIAL_MAX else None


def rfc3339(instant: float | None) -> str:
    if instant is None:
        return ""
    return datetime.fromtimestamp(instant, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


PAGE_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
}
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


def form_page(row: sqlite3.Row) -> str:
    """The payer's page: the amount, and two buttons."""
    amount = f"{row['amount']:,}"
    persian = amount.translate(str.maketrans("0123456789,", "۰۱۲۳۴۵۶۷۸۹٬"))
    return document(
        "درگاه آزمایشی پرداخت",
        f"""<h1>درگاه آزمایشی پرداخت</h1>
<p lang="en" dir="ltr"><small>Sandbox payment gateway. No money moves here.</small></p>
<dl><dt>مبلغ · Amount</dt><dd class="amount">{persian} ریال</dd>
<dd lang="en" dir="ltr">{amount} rial</dd>
<dt>پذیرنده · Merchant</dt><dd>{html.escape(row["merchant"]) or "—"}</dd>
<dt>شمارهٔ سفارش · Order</dt><dd dir="ltr"><small>{html.escape(row["order_id"])}</small></dd></dl>
<form method="post"><button class="paid" name="result" value="paid">پرداخت · Pay</button>
<button class="cancelled" name="result" value="cancelled">انصراف · Cancel</button></form>""",
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


async def serve(port: int, folder: Path, *, merchant: str, secret: str) -> None:
    """Serves on 127.0.0.1 until cancelled; port 0 takes a free one, which the first line names."""
    sandbox = Sandbox(folder, merchant=merchant, secret=secret)
    runner = web.AppRunner(sandbox.application(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, reuse_address=True)
    await site.start()
    bound = runner.addresses[0][1]
    sandbox.base_url = f"http://127.0.0.1:{bound}"
    print(json.dumps({"sandbox": sandbox.base_url}), flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


def main() -> None:
    """The command line; credentials come from the environment, so that no process list shows them."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.gateways.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="0 takes a free port")
    parser.add_argument("--data", type=Path, required=True, help="folder of the gateway's own file")
    parser.add_argument("--merchant", default=os.environ.get("SANDBOX_MERCHANT", ""))
    parser.add_argument("--secret", default=os.environ.get("SANDBOX_SECRET", ""))
    arguments = parser.parse_args()
    try:
        asyncio.run(serve(arguments.port, arguments.data, merchant=arguments.merchant, secret=arguments.secret))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
