"""The sandbox gateway's protocol: token, page, callback, verify, inquiry, reverse and a report of the day.

It behaves like a real gateway with a verify window: money that nobody verified goes back by itself. It shares no
code with the adapter in `functions/pay/gateways`, so that the tests between the two prove something.
"""

from __future__ import annotations

import hmac
import re
import secrets
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from aiohttp import web

from infra.local.gateways.common.book import Settings
from infra.local.gateways.common.server import Answer, LocalGateway, rfc3339, table

AMOUNT_RIAL_MIN, AMOUNT_RIAL_MAX = 1_000, 10**15
"""Real gateways take from 1,000 rial; the maximum only keeps nonsense out."""
PAGE_LIFETIME_S = 900
VERIFY_WINDOW_S = 900

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


class Sandbox(LocalGateway):
    """Our own gateway."""

    name = "sandbox"
    defaults: ClassVar[Settings] = {
        "page_lifetime_s": PAGE_LIFETIME_S,
        "verify_window_s": VERIFY_WINDOW_S,
        "inquiry_without_callback": True,
    }

    def __init__(self, folder: Path, *, merchant: str, secret: str) -> None:
        """`merchant` and `secret` empty: anybody is let in."""
        super().__init__(folder)
        self.merchant = merchant
        self.secret = secret

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/api/request", self.api("request", self.request)),
            web.post("/api/verify", self.api("verify", self.verify)),
            web.post("/api/inquiry", self.api("inquiry", self.inquiry)),
            web.post("/api/reverse", self.api("reverse", self.reverse)),
            web.get("/api/report", self.report),
            web.get("/pay/{token}", self.page),
            web.post("/pay/{token}", self.page),
        ]

    async def read(self, request: web.Request) -> Answer | None:
        fields = await super().read(request)
        if fields is None or not all(isinstance(value, str) for value in fields.values()):
            return None
        return fields

    def refusal(self, request: web.Request, call: str, members: Answer | None) -> Answer | None:
        if members is None:
            return coded(7)
        return None if self._admits(request, members) else coded(8)

    def _admits(self, request: web.Request, fields: Mapping[str, str]) -> bool:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        known_secret = not self.secret or hmac.compare_digest(given.encode(), self.secret.encode())
        return known_secret and (not self.merchant or fields.get("merchant") == self.merchant)

    def request(self, fields: Answer) -> Answer:
        """A new token with its page."""
        if self.control.due("request", "token_refused"):
            return coded(6)
        amount = whole_rial(fields.get("amount", ""))
        callback = urlsplit(fields.get("callback_url", ""))
        order_id = fields.get("order_id", "")
        if amount is None or callback.scheme not in ("http", "https") or not 0 < len(order_id) <= 80:
            return coded(7)
        token = secrets.token_urlsafe(24)
        self.book.open(
            token,
            merchant=fields.get("merchant", ""),
            order_id=order_id,
            amount=amount,
            callback_url=fields["callback_url"],
        )
        return {
            **coded(0),
            "token": token,
            "page_url": f"{self.base_url}/pay/{token}",
            "expires_at": rfc3339(self.book.now() + self.book.settings["page_lifetime_s"]),
        }

    def verify(self, fields: Answer) -> Answer:
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

    def inquiry(self, fields: Answer) -> Answer:
        """What became of a token; in one mode only for those who know the reference already."""
        row = self.book.find(fields.get("token", ""))
        if row is None or row["order_id"] != fields.get("order_id"):
            return coded(3)
        if not self.book.settings["inquiry_without_callback"] and fields.get("reference") != row["reference"]:
            return coded(9)
        return {**coded(0), **told(row), "state": row["state"]}

    def reverse(self, fields: Answer) -> Answer:
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
        day = request.query.get("day", self.today())
        found = self.rows_of(day)
        if found is None:
            return web.json_response(coded(7))
        rows = [
            {
                **told(row),
                "state": row["state"],
                "paid_at": rfc3339(row["paid_at"]),
                "verified_at": rfc3339(row["verified_at"]),
                "reversed_at": rfc3339(row["reversed_at"]),
            }
            for row in found
        ]
        if request.query.get("format") != "csv":
            return web.json_response({**coded(0), "day": day, "rows": rows})
        names = ["order_id", "reference", "amount", "state", "paid_at", "verified_at", "reversed_at"]
        return table(names, rows)

    def new_reference(self) -> str:
        return f"{int(self.book.now() * 1000):013d}{secrets.randbelow(10**9):09d}"

    def callback_fields(self, row: sqlite3.Row, amount: int) -> dict[str, str]:
        paid = row["state"] in ("paid", "verified")
        return {
            "token": row["token"],
            "order_id": row["order_id"],
            "state": "paid" if paid else "cancelled",
            "amount": str(amount),
            **({"reference": row["reference"]} if paid else {}),
        }


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
