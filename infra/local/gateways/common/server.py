"""The HTTP face that all local gateways share: this machine only, failures on demand, a page, a way back.

It shares no code with the adapters in `functions/pay/gateways`, so that the tests between the two prove something.
"""

from __future__ import annotations

import asyncio
import csv
import io
import json
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import aiohttp
from aiohttp import web

from infra.local.gateways.common.book import Book, Settings
from infra.local.gateways.common.control import AFTER, BEFORE, Control
from infra.local.gateways.common.pages import (
    PAGE_HEADERS,
    POST_BACK_HEADERS,
    form_page,
    post_back_page,
    shown,
)

BODY_BYTES_MAX = 64 * 1024
FORM_FIELDS_MAX = 40
HANG_S = 30
DUPLICATES = 2
HUGE_BYTES = 10 * 1024 * 1024
DAY_S = 86_400

Answer = dict[str, Any]


class LocalGateway:
    """A gateway with its book and its failure modes; the protocol is the subclass's."""

    name: ClassVar[str]
    defaults: ClassVar[Settings]
    half_an_answer: ClassVar[str] = '{"code": 0, "refer'
    page_unit: ClassVar[str] = "rial"
    comes_back_by_post: ClassVar[bool] = False

    def __init__(self, folder: Path, prefix: str = "") -> None:
        """`prefix` is the path under which the gateway is mounted."""
        self.book = Book(folder / f"{self.name}.sqlite", self.defaults)
        self.control = Control(self.book)
        self.prefix = prefix
        self.tasks: set[asyncio.Task[None]] = set()
        self.base_url = ""

    def application(self) -> web.Application:
        app = web.Application(client_max_size=BODY_BYTES_MAX, middlewares=[self.local_only])
        app.add_routes(self.routes())
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
        if request.path.startswith(self.prefix + "/control") and request.headers.get("origin"):
            raise web.HTTPForbidden()
        return await handler(request)

    # -- what a protocol says for itself --------------------------------------------------------------

    def routes(self) -> list[web.RouteDef]:
        raise NotImplementedError

    async def read(self, request: web.Request) -> Answer | None:
        """The members of a call; None where the body is not what the protocol sends."""
        try:
            body = json.loads(await request.text())
        except ValueError:
            return None
        return body if isinstance(body, dict) else None

    def refusal(self, request: web.Request, call: str, members: Answer | None) -> Answer | None:
        """The answer to whoever may not ask, or cannot be read; None lets them in."""
        raise NotImplementedError

    def render(self, call: str, answer: Answer) -> web.Response:
        return web.json_response(answer)

    def code(self, answer: Answer) -> object:
        """What the log of calls keeps of an answer."""
        return answer.get("code")

    def new_reference(self) -> str:
        raise NotImplementedError

    def callback_fields(self, row: sqlite3.Row, amount: int) -> dict[str, str]:
        """What the payer's browser carries back; `amount` is what it is to say."""
        raise NotImplementedError

    def token_at(self, request: web.Request, form: Mapping[str, str]) -> str:
        """The token of the page that this request is about."""
        return request.match_info["token"]

    def kept(self, row: sqlite3.Row) -> dict[str, str]:
        """Fields that the page's form carries besides the button."""
        return {}

    # -- the merchant's calls -------------------------------------------------------------------------

    def api(
        self, name: str, call: Callable[[Answer], Answer]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """The endpoint around `call`: credentials, the log of calls, failures before and after it acts."""

        async def endpoint(request: web.Request) -> web.StreamResponse:
            members = await self.read(request)
            failure = self.control.due(name, *BEFORE)
            noted = self.control.note(name, failure["mode"] if failure else "")
            if failure:
                return await self._misbehave(request, failure)
            refusal = self.refusal(request, name, members)
            if refusal is not None:
                return self.render(name, refusal)
            failure = self.control.due(name, *AFTER)
            answer = call(members or {})
            noted.update(code=self.code(answer), failure=failure["mode"] if failure else "")
            return await self._misbehave(request, failure) if failure else self.render(name, answer)

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
                return web.Response(text=self.half_an_answer, content_type="application/json")
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

    # -- the payer's page -----------------------------------------------------------------------------

    async def page(self, request: web.Request) -> web.StreamResponse:
        """The page, or one of its two buttons: 303, or a form, back to the merchant."""
        body = (await request.read()).decode("utf-8", "replace")
        form = dict(parse_qsl(body, max_num_fields=FORM_FIELDS_MAX))
        row = self.book.find(self.token_at(request, form))
        if row is None:
            return shown(404, "صفحه‌ای با این نشانی نیست.", "There is no such page.")
        if request.method == "GET" or ("result" not in form and self.kept(row)):
            if row["state"] != "open":
                return shown(410, "این صفحه بسته شده است.", "This page is closed.")
            text = form_page(row, self.page_unit, self.kept(row))
            return web.Response(text=text, content_type="text/html", headers=PAGE_HEADERS)
        return await self._press(row, form.get("result", ""))

    async def _press(self, row: sqlite3.Row, result: str) -> web.StreamResponse:
        if result not in ("paid", "cancelled"):
            return shown(400, "یکی از دو دکمه را بزنید.", "Press one of the two buttons.")
        if row["state"] == "open":
            if result == "paid":
                reference = self.new_reference()
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
        wrong = self.control.due("page", "wrong_amount_callback")
        fields = self.callback_fields(row, row["amount"] + (1 if wrong else 0))
        parts = urlsplit(row["callback_url"])
        query = "&".join(part for part in (parts.query, urlencode(fields)) if part)
        location = row["callback_url"] if self.comes_back_by_post else urlunsplit(parts._replace(query=query))
        if failure := self.control.due("page", "duplicate_callbacks"):
            copies = int(failure.get("copies", DUPLICATES))
            task = asyncio.create_task(self._call_back(location, fields, copies))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        if self.control.due("page", "no_callback"):
            return shown(200, "سپاس؛ پرداخت شما ثبت شد.", "Thank you, your payment was recorded.")
        if self.comes_back_by_post:
            text = post_back_page(location, fields)
            return web.Response(text=text, content_type="text/html", headers=POST_BACK_HEADERS)
        return web.Response(status=303, headers={"location": location, "cache-control": "no-store"})

    async def _call_back(self, location: str, fields: dict[str, str], copies: int) -> None:
        method, form = ("POST", fields) if self.comes_back_by_post else ("GET", None)
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:

            async def once() -> None:
                async with session.request(method, location, data=form, allow_redirects=False) as answer:
                    await answer.read()

            await asyncio.gather(*(once() for _ in range(copies)), return_exceptions=True)

    # -- its own house --------------------------------------------------------------------------------

    def rows_of(self, day: str) -> list[sqlite3.Row] | None:
        """The payments that were paid on this UTC day; None where `day` is none."""
        try:
            start = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()
        except ValueError:
            return None
        return self.book.paid_between(start, start + DAY_S)

    def today(self) -> str:
        return rfc3339(self.book.now())[:10]

    async def home(self, request: web.Request) -> web.StreamResponse:
        return shown(
            200,
            "این درگاه آزمایشی است؛ هیچ پولی جابه‌جا نمی‌شود.",
            "This is the sandbox gateway; no money moves here.",
        )

    async def healthz(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"status": "ok"})


def table(columns: list[str], rows: list[dict[str, str]], delimiter: str = ",") -> web.Response:
    """The rows as a file of separated values."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, delimiter=delimiter, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return web.Response(text=text.getvalue(), content_type="text/csv")


def rfc3339(instant: float | None) -> str:
    if instant is None:
        return ""
    return datetime.fromtimestamp(instant, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
