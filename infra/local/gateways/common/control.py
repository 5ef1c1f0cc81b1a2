"""`/control`: how the gateway is told to fail, to wait and to forget. Never reachable from a foreign page."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from infra.local.gateways.common.book import Book

CALLS_KEPT_MAX = 1_000
PAYMENTS_SHOWN_MAX = 200
CALLS = ("request", "verify", "inquiry", "reverse")

BEFORE = ("hang", "error_500", "html", "truncated_json", "huge", "drip", "dropped")
"""The gateway fails and has done nothing."""
AFTER = ("lost", "hang_after", "error_500_after")
"""The gateway has done what it was asked, and the answer does not say so."""

MODES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys((*BEFORE, *AFTER), CALLS),
    "token_refused": ("request",),
    "wrong_amount_verify": ("verify",),
    "wrong_reference_verify": ("verify",),
    "no_callback": ("page",),
    "duplicate_callbacks": ("page",),
    "wrong_amount_callback": ("page",),
    "duplicate_reference": ("page",),
}
"""Failure modes and the calls that each can befall."""


class Control:
    """The failures to come, and the log of the calls that came."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._failures: dict[tuple[str, str], dict[str, Any]] = {}
        self._calls: list[dict[str, Any]] = []

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/control/state", self.state),
            web.post("/control/failures", self.fail),
            web.post("/control/settings", self.settings),
            web.post("/control/advance", self.advance),
            web.post("/control/reset", self.reset),
            web.get("/control/payments", self.payments),
        ]

    def due(self, call: str, *modes: str) -> dict[str, Any] | None:
        """The first of `modes` that is due for this call; each use counts it down."""
        for mode in modes:
            failure = self._failures.get((call, mode))
            if failure and failure["count"] > 0:
                failure["count"] -= 1
                return dict(failure)
        return None

    def note(self, call: str, failure: str) -> dict[str, Any]:
        """A line of the log of calls; the caller may add to it."""
        noted: dict[str, Any] = {"call": call, "at": self._book.now(), "failure": failure}
        self._calls = [*self._calls[1 - CALLS_KEPT_MAX :], noted]
        return noted

    async def state(self, request: web.Request) -> web.StreamResponse:
        failures = [{"call": call, **failure} for (call, _), failure in self._failures.items() if failure["count"]]
        return web.json_response({"settings": self._book.settings, "failures": failures, "calls": self._calls})

    async def fail(self, request: web.Request) -> web.StreamResponse:
        """`{mode, call?, count?, seconds?, copies?}`; without `call` every call that the mode can befall."""
        body = await _body(request)
        mode, count = body.get("mode"), body.get("count", 1)
        if mode not in MODES or type(count) is not int or body.get("call", MODES[mode][0]) not in MODES[mode]:
            return web.json_response({"modes": MODES}, status=400)
        more: dict[str, Any] = {name: body[name] for name in ("seconds", "copies") if name in body}
        for call in [body["call"]] if "call" in body else MODES[mode]:
            self._failures[call, mode] = {"mode": mode, "count": count, **more}
        return await self.state(request)

    async def settings(self, request: web.Request) -> web.StreamResponse:
        """`{page_lifetime_s?, verify_window_s?, …}`: those that this gateway has."""
        body = await _body(request)
        defaults = self._book.defaults
        for name in [name for name in defaults if name in body]:
            if type(body[name]) is not type(defaults[name]):
                return web.json_response({"at_fault": name}, status=400)
            self._book.set(name, body[name])
        return await self.state(request)

    async def advance(self, request: web.Request) -> web.StreamResponse:
        """`{seconds}`: moves the gateway's own clock on."""
        seconds = (await _body(request)).get("seconds")
        if type(seconds) is not int:
            return web.json_response({"at_fault": "seconds"}, status=400)
        self._book.set("clock_offset_s", self._book.settings["clock_offset_s"] + seconds)
        return await self.state(request)

    async def reset(self, request: web.Request) -> web.StreamResponse:
        """Forgets failures, settings and the log of calls; payments stay."""
        self._failures.clear()
        self._calls.clear()
        for name, value in {**self._book.defaults, "clock_offset_s": 0}.items():
            self._book.set(name, value)
        return await self.state(request)

    async def payments(self, request: web.Request) -> web.StreamResponse:
        """The newest payments, at most 200, for tests; `order_id` narrows."""
        return web.json_response(self._book.newest(request.query.get("order_id", ""), PAYMENTS_SHOWN_MAX))


async def _body(request: web.Request) -> dict[str, Any]:
    """The JSON object of the request; an empty one where there is none."""
    try:
        body = json.loads(await request.text())
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
