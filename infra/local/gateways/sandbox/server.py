"""The gateway's HTTP face: token, page, callback, verify, inquiry, reverse and a report of the day.

It behaves like a real gateway with a verify window: money that nobody verified goes back by itself. It shares no
code with the adapter in `functions/pay/gateways`, so that the tests between the two prove something.
"""

from __future__ import annotations

import asyncio
import csv
import hmac
import io
import json
import re
import secrets
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import aiohttp
from aiohttp import web

from infra.local.gateways.sandbox.book import Book
from infra.local.gateways.sandbox.control import AFTER, BEFORE, Control
from infra.local.gateways.sandbox.pages import PAGE_HEADERS, form_page, shown

BODY_BYTES_MAX = 64 * 1024
AMOUNT_RIAL_MIN, AMOUNT_RIAL_MAX = 1_000, 10**15
"""Real gateways take from 1,000 rial; the maximum only keeps nonsense out."""
HANG_S = 30
DUPLICATES = 2
HUGE_BYTES = 10 * 1024 * 1024

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


class Sandbox:
    """The gateway's HTTP face and its failure modes."""

    def __init__(self, folder: Path, *, merchant: str, secret: str) -> None:
        """`merchant` and `secret` empty: anybody is let in."""
        self.book = Book(folder)
        self.merchant = merchant
        self.secret = secret
        self.control = Control(self.book)
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
        app.add_routes(self.control.routes())
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

    # -- the merchant's calls ------------------------------------------------------------------------

    def api(
        self, name: str, call: Callable[[dict[str, str]], dict[str, Any]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """The JSON endpoint around `call`: credentials, the log of calls, failures before and after it acts."""

        async def endpoint(request: web.Request) -> web.StreamResponse:
            fields = await self._fields(request)
            failure = self.control.due(name, *BEFORE)
            noted = self.control.note(name, failure["mode"] if failure else "")
            if failure:
                return await self._misbehave(request, failure)
            if fields is None:
                return web.json_response(coded(7))
            if not self._admits(request, fields):
                return web.json_response(coded(8))
            failure = self.control.due(name, *AFTER)
            answer = call(fields)
            noted.update(code=answer["code"], failure=failure["mode"] if failure else "")
            return await self._misbehave(request, failure) if failure else web.json_response(answer)

        return endpoint

    async def _misbehave(self, request: web.Request, failure: dict[str, Any]) -> web.StreamResponse:
        """Everything but the answer."""
        match failure["mode"]:
            case "hang" | "hang_after":
                await asyncio.sleep(float(failure.get("seconds", HANG_S)))
                raise web.HTTPGatewayTimeout()
            case "error_500" | "error_500_after":
                raise web.HTTPInternalServerError(text="internal error")
            case "html":
                return web.Response(text="<html><h1>Maintenance</h1></html>", content_type="text/html")
            case "truncated_json":
                return web.Response(text='{"code": 0, "refer', content_type="application/json")
            case "huge":
                return web.Response(text='{"code": 0, "message": "' + "a" * HUGE_BYTES + '"}')
            case "drip":
                return await self._drip(request, float(failure.get("seconds", HANG_S)))
        if request.transport is not None:  # dropped, lost
            request.transport.close()
        return web.Response()

    async def _drip(self, request: web.Request, seconds: float) -> web.StreamResponse:
        """A byte now and then: each read succeeds, and the answer never ends."""
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(int(seconds * 5)):
            await response.write(b" ")
            await asyncio.sleep(0.2)
        return response

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

    def request(self, fields: dict[str, str]) -> dict[str, Any]:
        """A new token with its page."""
        if self.control.due("request", "token_refused"):
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
        if row["state"] in ("paid", "verified") and self.control.due("verify", "wrong_reference_verify"):
            self.book.change(row["token"], "paid", state="verified", verified_at=self.book.now())
            return {**coded(0), **told(row), "reference": "0" * 22}
        if row["state"] == "paid" and self.control.due("verify", "wrong_amount_verify"):
            # The page took another amount than it was asked for, and this gateway confirms it all the same.
            self.book.change(
                row["token"], "paid", state="verified", verified_at=self.book.now(), amount=row["amount"] + 1
            )
            return {**coded(0), **told(self.book.find(row["token"]))}
        if row["state"] == "paid" and str(row["amount"]) != fields.get("amount"):
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
                if self.control.due("page", "duplicate_reference"):
                    reference = self.book.newest_reference() or reference
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
        wrong = self.control.due("page", "wrong_amount_callback")
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
        if failure := self.control.due("page", "duplicate_callbacks"):
            task = asyncio.create_task(self._call_back(location, int(failure.get("copies", DUPLICATES))))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        if self.control.due("page", "no_callback"):
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
