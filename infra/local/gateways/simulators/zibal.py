"""Zibal. Its verify names no amount: whatever was paid is confirmed, and told.

Source: https://help.zibal.ir/IPG/API
"""

from __future__ import annotations

import secrets
import sqlite3
from typing import ClassVar

from aiohttp import web

from infra.local.gateways.common.book import Settings
from infra.local.gateways.common.server import Answer, rfc3339
from infra.local.gateways.simulators.simulator import (
    MASKED_CARD,
    Simulator,
    is_address,
    rrn,
    text,
    whole,
)

MERCHANT = "zibal-simulator"
MINIMUM, MAXIMUM = 1_000, 10**9
TRACK_ID_DIGITS = 10

MESSAGES = {
    100: "success",
    102: "merchant not found",
    105: "amount must be at least 1,000",
    106: "callbackUrl is not valid",
    113: "amount is above the limit",
    201: "already verified",
    202: "order is not paid, or failed",
    203: "trackId is not valid",
}
STATUSES = {"open": -1, "verified": 1, "paid": 2, "cancelled": 3, "expired": 12, "reversed": 18}


class Zibal(Simulator):
    """JSON with a `result`; amounts in rial."""

    name = "zibal"
    defaults: ClassVar[Settings] = {"page_lifetime_s": 900, "verify_window_s": 1_800}
    half_an_answer = '{"result": 100, "trac'
    report_columns = ("trackId", "orderId", "refNumber", "amount", "status", "paidAt")
    report_delimiter = ";"

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/v1/request", self.api("request", self.request)),
            web.post("/v1/verify", self.api("verify", self.verify)),
            web.post("/v1/inquiry", self.api("inquiry", self.inquiry)),
            web.get("/start/{token}", self.page),
            web.post("/start/{token}", self.page),
            web.get("/report", self.report),
        ]

    def refusal(self, request: web.Request, call: str, members: Answer | None) -> Answer | None:
        return None if members is not None and members.get("merchant") == MERCHANT else result(102)

    def code(self, answer: Answer) -> object:
        return answer["result"]

    def request(self, members: Answer) -> Answer:
        amount = whole(members, "amount")
        if self.control.due("request", "token_refused") or amount < MINIMUM:
            return result(105)
        if amount > MAXIMUM:
            return result(113)
        if not is_address(text(members, "callbackUrl")):
            return result(106)
        track_id = 10 ** (TRACK_ID_DIGITS - 1) + secrets.randbelow(9 * 10 ** (TRACK_ID_DIGITS - 1))
        self.book.open(
            str(track_id),
            merchant=MERCHANT,
            order_id=text(members, "orderId"),
            amount=amount,
            callback_url=members["callbackUrl"],
        )
        return {**result(100), "trackId": track_id}

    def verify(self, members: Answer) -> Answer:
        row = self.book.find(text(members, "trackId"))
        if row is None:
            return result(203)
        if row["state"] not in ("paid", "verified"):
            return {**result(202), "status": STATUSES[row["state"]]}
        first = self.verify_once(row)
        row = self.book.find(row["token"]) or row
        if not first:
            return result(201)
        return {**result(100), **self._told(row)}

    def inquiry(self, members: Answer) -> Answer:
        row = self.book.find(text(members, "trackId"))
        return result(203) if row is None else {**result(100), **self._told(row)}

    def _told(self, row: sqlite3.Row) -> Answer:
        paid = row["reference"] is not None
        return {
            "amount": row["amount"],
            "status": STATUSES[row["state"]],
            "orderId": row["order_id"],
            "description": "",
            "refNumber": int(rrn(row["reference"])) if paid else None,
            "cardNumber": MASKED_CARD if paid else None,
            "paidAt": rfc3339(row["paid_at"]) or None,
            "multiplexingInfos": [],
        }

    def new_reference(self) -> str:
        return secrets.token_hex(10)

    def callback_fields(self, row: sqlite3.Row, amount: int) -> dict[str, str]:
        paid = row["state"] in ("paid", "verified")
        return {
            "success": "1" if paid else "0",
            "trackId": row["token"],
            "orderId": row["order_id"],
            "status": str(STATUSES[row["state"]]),
        }

    def report_row(self, row: sqlite3.Row) -> tuple[str, ...]:
        number, status = str(int(rrn(row["reference"]))), str(STATUSES[row["state"]])
        paid_at = rfc3339(row["paid_at"])
        return (row["token"], row["order_id"], number, str(row["amount"]), status, paid_at)


def result(code: int) -> Answer:
    return {"result": code, "message": MESSAGES[code]}
