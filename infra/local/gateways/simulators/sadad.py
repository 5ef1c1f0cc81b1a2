"""Sadad. The page's token is the reference; whatever a merchant sends is signed with its terminal's key.

Source: Sadad's public samples (SadadPsp-Lab/PHP) and its merchant document of the virtual payment gateway.
"""

from __future__ import annotations

import base64
import binascii
import secrets
import sqlite3
from collections.abc import Mapping
from typing import ClassVar

from aiohttp import web
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.padding import PKCS7

from infra.local.gateways.common.book import Settings
from infra.local.gateways.common.server import Answer, rfc3339
from infra.local.gateways.simulators.simulator import Simulator, is_address, rrn, text, whole

MERCHANT_ID, TERMINAL_ID = "000000140000001", "24000001"
KEY = base64.b64encode(b"simulator-key-of-24bytes").decode()
MINIMUM, MAXIMUM = 1_000, 2 * 10**9
BLOCK_BITS = 64

DESCRIPTIONS = {
    0: "successful",
    3: "the merchant is not active",
    23: "the merchant is not valid",
    58: "terminal is not allowed",
    -1: "the parameters are wrong, or there is no such payment",
    100: "the payment was verified before",
    101: "the time to verify is over",
    1011: "the order id is repeated",
    1015: "the signature is wrong",
}


class Sadad(Simulator):
    """JSON with a `SignData`; the answer to a payer's browser is a form."""

    name = "sadad"
    defaults: ClassVar[Settings] = {"page_lifetime_s": 900, "verify_window_s": 900}
    half_an_answer = '{"ResCode": "0", "Retri'
    comes_back_by_post = True
    report_columns = ("TerminalId", "OrderId", "Token", "RetrivalRefNo", "SystemTraceNo", "Amount", "Date")

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/api/v0/Request/PaymentRequest", self.api("request", self.request)),
            web.post("/api/v0/Advice/Verify", self.api("verify", self.verify)),
            web.get("/Purchase", self.page),
            web.post("/Purchase", self.page),
            web.get("/report", self.report),
        ]

    def refusal(self, request: web.Request, call: str, members: Answer | None) -> Answer | None:
        """Whose signature is not that of what was sent, is refused."""
        if members is None:
            return result(-1)
        signed = text(members, "Token")
        if call == "request":
            if (text(members, "MerchantId"), text(members, "TerminalId")) != (MERCHANT_ID, TERMINAL_ID):
                return result(23)
            signed = f"{TERMINAL_ID};{text(members, 'OrderId')};{text(members, 'Amount')}"
        return None if unsigned(text(members, "SignData")) == signed else result(1015)

    def code(self, answer: Answer) -> object:
        return answer["ResCode"]

    def request(self, members: Answer) -> Answer:
        amount, order_id = whole(members, "Amount"), members.get("OrderId")
        fits = (
            MINIMUM <= amount <= MAXIMUM
            and type(order_id) is int
            and 0 < order_id < 1 << 63
            and bool(text(members, "LocalDateTime"))
            and is_address(text(members, "ReturnUrl"))
        )
        if self.control.due("request", "token_refused") or not fits:
            return result(-1)
        if self.book.has_order(str(order_id)):
            return result(1011)
        token = secrets.token_hex(20)
        self.book.open(
            token,
            merchant=MERCHANT_ID,
            order_id=str(order_id),
            amount=amount,
            callback_url=members["ReturnUrl"],
        )
        return {**result(0), "Token": token}

    def verify(self, members: Answer) -> Answer:
        row = self.book.find(text(members, "Token"))
        if row is None or row["state"] in ("open", "cancelled", "expired"):
            return result(-1)
        if row["state"] == "reversed":
            return result(101)
        first = self.verify_once(row)
        row = self.book.find(row["token"]) or row
        return {
            **result(0 if first else 100),
            "Amount": row["amount"],
            "OrderId": int(row["order_id"]),
            "RetrivalRefNo": rrn(row["reference"]),
            "SystemTraceNo": rrn(row["reference"])[-6:],
        }

    def token_at(self, request: web.Request, form: Mapping[str, str]) -> str:
        return request.query.get("Token", "")

    def new_reference(self) -> str:
        return secrets.token_hex(10)

    def callback_fields(self, row: sqlite3.Row, amount: int) -> dict[str, str]:
        paid = row["state"] in ("paid", "verified")
        return {"OrderId": row["order_id"], "token": row["token"], "ResCode": "0" if paid else "-1"}

    def listed(self, rows: list[sqlite3.Row]) -> list[sqlite3.Row]:
        """Only what is paid out: the report has no column for anything else."""
        return [row for row in rows if row["state"] == "verified"]

    def report_row(self, row: sqlite3.Row) -> tuple[str, ...]:
        number, amount = rrn(row["reference"]), str(row["amount"])
        place = (TERMINAL_ID, row["order_id"], row["token"])
        return (*place, number, number[-6:], amount, rfc3339(row["paid_at"]))


def result(code: int) -> Answer:
    return {"ResCode": str(code), "Description": DESCRIPTIONS[code]}


def unsigned(sign_data: str) -> str:
    """What was signed; empty where it is no signature with this key."""
    try:
        decryptor = Cipher(TripleDES(base64.b64decode(KEY)), modes.ECB()).decryptor()  # noqa: S305 - Sadad's own
        padded = decryptor.update(base64.b64decode(sign_data, validate=True)) + decryptor.finalize()
        unpadder = PKCS7(BLOCK_BITS).unpadder()
        return (unpadder.update(padded) + unpadder.finalize()).decode("ascii")
    except (ValueError, binascii.Error):
        return ""
