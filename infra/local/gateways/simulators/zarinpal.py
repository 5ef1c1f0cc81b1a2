"""Zarinpal, version 4. Money that nobody verified stays with it; a reversal is possible for half an hour.

Source: https://www.zarinpal.com/docs/paymentGateway
"""

from __future__ import annotations

import secrets
import sqlite3
from typing import Any, ClassVar

from aiohttp import web

from infra.local.gateways.common.book import Settings
from infra.local.gateways.common.server import Answer
from infra.local.gateways.simulators.simulator import (
    MASKED_CARD,
    Simulator,
    is_address,
    rrn,
    text,
    whole,
)

MERCHANT_ID = "00000000-0000-4000-8000-000000000001"
MINIMUM = {"IRR": 10_000, "IRT": 1_000}
MAXIMUM = {"IRR": 10**9, "IRT": 10**8}
WAGES_MAX = 5
REVERSAL_S = 1_800
NEVER_S = 10**9

MESSAGES = {
    -9: "The input params invalid, validation error.",
    -10: "Terminal is not valid, please check merchant_id or ip address.",
    -50: "Session is not valid, amounts values is not the same.",
    -51: "Session is not valid, session is not active paid try.",
    -53: "Session is not this merchant_id session",
    -54: "Invalid authority.",
    -55: "Manual payment request not found.",
    -61: "Session is not in success status.",
    -63: "Maximum time for reverse this session is expired.",
}
STATES = {
    "open": "IN_BANK",
    "paid": "PAID",
    "verified": "VERIFIED",
    "cancelled": "FAILED",
    "expired": "FAILED",
    "reversed": "REVERSED",
}


class Zarinpal(Simulator):
    """JSON; errors come with a status of their own."""

    name = "zarinpal"
    defaults: ClassVar[Settings] = {"page_lifetime_s": 900, "verify_window_s": NEVER_S}
    half_an_answer = '{"data": {"code": 100, "auth'
    report_columns = ("authority", "ref_id", "order_id", "amount", "card_pan", "status", "fee")

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/pg/v4/payment/request.json", self.api("request", self.request)),
            web.post("/pg/v4/payment/verify.json", self.api("verify", self.verify)),
            web.post("/pg/v4/payment/inquiry.json", self.api("inquiry", self.inquiry)),
            web.post("/pg/v4/payment/reverse.json", self.api("reverse", self.reverse)),
            web.get("/pg/StartPay/{token}", self.page),
            web.post("/pg/StartPay/{token}", self.page),
            web.get("/report", self.report),
        ]

    def refusal(self, request: web.Request, call: str, members: Answer | None) -> Answer | None:
        if members is None:
            return failed(-9)
        return None if members.get("merchant_id") == MERCHANT_ID else failed(-10)

    def render(self, call: str, answer: Answer) -> web.Response:
        code = self.code(answer)
        return web.json_response(answer, status=422 if code == -9 else 401 if code in MESSAGES else 200)

    def code(self, answer: Answer) -> object:
        return (answer["data"] or answer["errors"])["code"]

    def request(self, members: Answer) -> Answer:
        if self.control.due("request", "token_refused"):
            return failed(-9)
        currency = text(members, "currency")
        amount = members.get("amount")
        fits = (
            currency in MINIMUM
            and type(amount) is int
            and MINIMUM[currency] <= amount <= MAXIMUM[currency]
            and is_address(text(members, "callback_url"))
            and 0 < len(text(members, "description")) <= 500
            and self._shares_fit(members.get("wages", []), amount)
        )
        if not fits:
            return failed(-9)
        authority = "A" + secrets.token_hex(18)[:35].upper()
        metadata = members.get("metadata")
        self.book.open(
            authority,
            merchant=currency,
            order_id=text(metadata, "order_id") if isinstance(metadata, dict) else "",
            amount=int(str(amount)),
            callback_url=members["callback_url"],
        )
        return done(100, "Success", authority=authority, fee_type="Merchant", fee=3_500)

    def _shares_fit(self, wages: object, amount: object) -> bool:
        if not isinstance(wages, list) or len(wages) > WAGES_MAX or type(amount) is not int:
            return False
        parts = [whole(wage, "amount") for wage in wages if str(wage.get("iban", "")).startswith("IR")]
        return len(parts) == len(wages) and all(parts) and sum(parts) <= amount

    def verify(self, members: Answer) -> Answer:
        row = self.book.find(text(members, "authority"))
        if row is None:
            return failed(-54)
        if row["state"] not in ("paid", "verified"):
            return failed(-51)
        if whole(members, "amount") != row["amount"]:
            return failed(-50)
        if self.control.due("verify", "wrong_amount_verify"):
            return failed(-50)
        first = self.verify_once(row)
        return done(
            100 if first else 101,
            "Paid" if first else "Verified",
            card_hash="1EBE3EBEBE35C7EC0F8D6EE4F2F859107A87822CA179BC9528767EA7B5489B69",
            card_pan=MASKED_CARD,
            ref_id=int(rrn(row["reference"])),
            fee_type="Merchant",
            fee=3_500,
        )

    def inquiry(self, members: Answer) -> Answer:
        row = self.book.find(text(members, "authority"))
        if row is None:
            return failed(-54)
        return done(100, "Success", status=STATES[row["state"]])

    def reverse(self, members: Answer) -> Answer:
        row = self.book.find(text(members, "authority"))
        if row is None:
            return failed(-54)
        if row["state"] not in ("paid", "verified"):
            return failed(-61)
        if self.age_s(row["paid_at"]) > REVERSAL_S:
            return failed(-63)
        self.book.change(row["token"], row["state"], state="reversed", reversed_at=self.book.now())
        return done(100, "Reversed")

    def new_reference(self) -> str:
        return secrets.token_hex(10)

    def callback_fields(self, row: sqlite3.Row, amount: int) -> dict[str, str]:
        paid = row["state"] in ("paid", "verified")
        return {"Authority": row["token"], "Status": "OK" if paid else "NOK"}

    def report_row(self, row: sqlite3.Row) -> tuple[str, ...]:
        number = str(int(rrn(row["reference"])))
        amount = str(row["amount"])
        return (row["token"], number, row["order_id"], amount, MASKED_CARD, STATES[row["state"]], "3500")


def done(code: int, message: str, **members: Any) -> Answer:
    return {"data": {"code": code, "message": message, **members}, "errors": []}


def failed(code: int) -> Answer:
    return {"data": [], "errors": {"code": code, "message": MESSAGES[code], "validations": []}}
