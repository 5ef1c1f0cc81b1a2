"""Saman Electronic Payment. The same RefNum verifies any number of times, whosever order it was.

Source: SEP's merchant document of the token gateway (OnlinePG) with VerifyTransaction and ReverseTransaction.
"""

from __future__ import annotations

import base64
import secrets
import sqlite3
from collections.abc import Mapping
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

TERMINAL_ID = "21000001"
MINIMUM, MAXIMUM = 1_000, 2 * 10**9
REVERSAL_S = 3_000
RESNUM_LENGTH_MAX = 50

DESCRIPTIONS = {
    0: "successful",
    2: "duplicate request",
    5: "the transaction was reversed",
    -2: "transaction not found",
    -6: "more than half an hour has passed since the transaction",
    -104: "the terminal is inactive",
    -105: "the terminal does not exist",
    -106: "the address of the caller is not allowed",
}


class Sep(Simulator):
    """JSON for the merchant, a form for the payer's way back."""

    name = "sep"
    defaults: ClassVar[Settings] = {"page_lifetime_s": 1_200, "verify_window_s": 1_800, "names_token": True}
    half_an_answer = '{"TransactionDetail": {"RRN": "1'
    comes_back_by_post = True
    report_columns = ("TerminalId", "ResNum", "RefNum", "RRN", "Amount", "SecurePan", "State", "Date")

    def routes(self) -> list[web.RouteDef]:
        verifying = "/verifyTxnRandomSessionkey/ipg"
        return [
            web.post("/onlinepg/onlinepg", self.api("request", self.request)),
            web.post(f"{verifying}/VerifyTransaction", self.api("verify", self.verify)),
            web.post(f"{verifying}/ReverseTransaction", self.api("reverse", self.reverse)),
            web.get("/OnlinePG/SendToken", self.page),
            web.post("/OnlinePG/SendToken", self.page),
            web.get("/report", self.report),
        ]

    def refusal(self, request: web.Request, call: str, members: Answer | None) -> Answer | None:
        if call == "request":
            known = members is not None and text(members, "TerminalId") == TERMINAL_ID
            return None if known else {"status": -1, "errorCode": "12", "errorDesc": "unknown terminal"}
        return None if members is not None and text(members, "TerminalNumber") == TERMINAL_ID else result(-105)

    def code(self, answer: Answer) -> object:
        return answer.get("ResultCode", answer.get("status"))

    def request(self, members: Answer) -> Answer:
        amount = whole(members, "Amount")
        fits = (
            members.get("action") == "token"
            and MINIMUM <= amount <= MAXIMUM
            and 0 < len(text(members, "ResNum")) <= RESNUM_LENGTH_MAX
            and is_address(text(members, "RedirectUrl"))
            and self._shares_fit(members, amount)
        )
        if self.control.due("request", "token_refused") or not fits:
            return {"status": -1, "errorCode": "5", "errorDesc": "parameters are not valid"}
        token = secrets.token_hex(16)
        self.book.open(
            token,
            merchant=TERMINAL_ID,
            order_id=members["ResNum"],
            amount=amount,
            callback_url=members["RedirectUrl"],
        )
        return {"status": 1, "token": token}

    def _shares_fit(self, members: Answer, amount: int) -> bool:
        shares = members.get("SettlementIbanInfo")
        if members.get("TranType") != "Government":
            return shares is None
        return isinstance(shares, list) and sum(whole(share, "Amount") for share in shares) == amount

    def verify(self, members: Answer) -> Answer:
        row = self.book.by_reference(text(members, "RefNum"))
        if row is None:
            return result(-2)
        if row["state"] == "reversed":
            return result(-6 if row["verified_at"] is None else 5)
        first = self.verify_once(row)
        return self._told(0 if first else 2, self.book.find(row["token"]) or row)

    def reverse(self, members: Answer) -> Answer:
        row = self.book.by_reference(text(members, "RefNum"))
        if row is None:
            return result(-2)
        if row["state"] == "reversed":
            return result(5)
        if self.age_s(row["verified_at"] or row["paid_at"]) > REVERSAL_S:
            return result(-6)
        self.book.change(row["token"], row["state"], state="reversed", reversed_at=self.book.now())
        return self._told(0, row)

    def _told(self, code: int, row: sqlite3.Row) -> Answer:
        detail = {
            "RRN": rrn(row["reference"]),
            "RefNum": row["reference"],
            "MaskedPan": MASKED_CARD,
            "HashedPan": "b96a14400c3a59249e87c300ecc06e5920327e70220213b5bbb7d7b2410f7e0d",
            "TerminalNumber": int(TERMINAL_ID),
            "OrginalAmount": row["amount"],
            "AffectiveAmount": row["amount"],
            "StraceDate": rfc3339(row["paid_at"])[:19].replace("T", " "),
            "StraceNo": rrn(row["reference"])[-6:],
        }
        return {**result(code), "TransactionDetail": detail}

    def token_at(self, request: web.Request, form: Mapping[str, str]) -> str:
        return request.query.get("token", "")

    def new_reference(self) -> str:
        return base64.b64encode(secrets.token_bytes(24)).decode()

    def callback_fields(self, row: sqlite3.Row, amount: int) -> dict[str, str]:
        paid = row["state"] in ("paid", "verified")
        fields = {
            "MID": TERMINAL_ID,
            "TerminalId": TERMINAL_ID,
            "State": "OK" if paid else "CanceledByUser",
            "Status": "2" if paid else "1",
            "RRN": rrn(row["reference"]) if paid else "",
            "RefNum": row["reference"] if paid else "",
            "ResNum": row["order_id"],
            "TraceNo": rrn(row["reference"])[-6:] if paid else "",
            "Amount": str(amount),
            "SecurePan": MASKED_CARD if paid else "",
        }
        return {**fields, "Token": row["token"]} if self.book.settings["names_token"] else fields

    def report_row(self, row: sqlite3.Row) -> tuple[str, ...]:
        reference, amount = row["reference"], str(row["amount"])
        paid_at = rfc3339(row["paid_at"])
        return (
            TERMINAL_ID,
            row["order_id"],
            reference,
            rrn(reference),
            amount,
            MASKED_CARD,
            row["state"],
            paid_at,
        )


def result(code: int) -> Answer:
    return {"ResultCode": code, "ResultDescription": DESCRIPTIONS[code], "Success": code in (0, 2)}
