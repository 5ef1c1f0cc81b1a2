"""Behpardakht Mellat: SOAP 1.1, a page that opens by a form, numbers for orders and references.

Source: the merchant document of Behpardakht's payment gateway (bpPayRequest, bpVerifySettleRequest,
bpInquiryRequest, bpReversalRequest, table of answers), as public plugins carry it.
"""

from __future__ import annotations

import html
import re
import secrets
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from typing import ClassVar

from aiohttp import web

from infra.local.gateways.common.book import Settings
from infra.local.gateways.common.server import Answer, rfc3339
from infra.local.gateways.simulators.simulator import MASKED_CARD, Simulator, is_address, text, whole

TERMINAL_ID, USER_NAME, USER_PASSWORD = "1000001", "simulator", "simulator-1405"
MINIMUM, MAXIMUM = 1_000, 2 * 10**9
REVERSAL_S = 10_800
LONG_MAX = (1 << 63) - 1
"""Order numbers are Java's longs."""
NAMESPACE = "http://interfaces.core.sw.bps.com/"

OK, CANCELLED, BAD_MERCHANT, BAD_AMOUNT, REPEATED_ORDER = "0", "17", "21", "25", "41"
NOT_FOUND, VERIFIED_BEFORE, SETTLED_BEFORE, REVERSED, BAD_DATA = "42", "43", "45", "48", "32"
CALLS = {
    "bpPayRequest": "request",
    "bpVerifySettleRequest": "verify",
    "bpInquiryRequest": "inquiry",
    "bpReversalRequest": "reverse",
}


class Behpardakht(Simulator):
    """One address for all calls; the first element of the body names the call."""

    name = "behpardakht"
    defaults: ClassVar[Settings] = {"page_lifetime_s": 900, "verify_window_s": 1_200, "settled_before": True}
    half_an_answer = '<?xml version="1.0"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/env'
    comes_back_by_post = True
    report_columns = ("SaleReferenceId", "SaleOrderId", "RefId", "Amount", "CardHolderPan", "Date", "State")

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/pgwchannel/services/pgw", self.soap),
            web.post("/pgwchannel/startpay.mellat", self.page),
            web.get("/report", self.report),
        ]

    async def soap(self, request: web.Request) -> web.StreamResponse:
        """The call that the envelope names."""
        found = re.search(r"<(?:\w+:)?(bp\w+)[\s>]", await request.text())
        name = CALLS.get(found[1] if found else "")
        if name is None:
            raise web.HTTPInternalServerError(text="no such call")
        calls: dict[str, Callable[[Answer], Answer]] = {
            "request": self.request,
            "verify": self.verify,
            "inquiry": self.inquiry,
            "reverse": self.reverse,
        }
        endpoint: Callable[[web.Request], Awaitable[web.StreamResponse]] = self.api(name, calls[name])
        return await endpoint(request)

    async def read(self, request: web.Request) -> Answer | None:
        """The leaves of the envelope; this simulator reads only what a merchant sends, not XML at large."""
        leaves = re.findall(r"<(\w+)>([^<]*)</\1>", await request.text())
        return {name: html.unescape(value) for name, value in leaves}

    def refusal(self, request: web.Request, call: str, members: Answer | None) -> Answer | None:
        given = [text(members or {}, name) for name in ("terminalId", "userName", "userPassword")]
        return None if given == [TERMINAL_ID, USER_NAME, USER_PASSWORD] else {"return": BAD_MERCHANT}

    def render(self, call: str, answer: Answer) -> web.Response:
        (name,) = (name for name, known in CALLS.items() if known == call)
        return web.Response(
            text='<?xml version="1.0" encoding="UTF-8"?>'
            '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
            f'<ns1:{name}Response xmlns:ns1="{NAMESPACE}"><return>{answer["return"]}</return></ns1:{name}Response>'
            "</soap:Body></soap:Envelope>",
            content_type="text/xml",
        )

    def code(self, answer: Answer) -> object:
        return str(answer["return"]).partition(",")[0]

    def request(self, members: Answer) -> Answer:
        amount, order_id = whole(members, "amount"), text(members, "orderId")
        if not MINIMUM <= amount <= MAXIMUM:
            return {"return": BAD_AMOUNT}
        fits = (
            re.fullmatch("[1-9][0-9]{0,18}", order_id)
            and int(order_id) <= LONG_MAX
            and re.fullmatch("[0-9]{8}", text(members, "localDate"))
            and re.fullmatch("[0-9]{6}", text(members, "localTime"))
            and is_address(text(members, "callBackUrl"))
        )
        if self.control.due("request", "token_refused") or not fits:
            return {"return": BAD_DATA}
        if self.book.has_order(order_id):
            return {"return": REPEATED_ORDER}
        ref_id = secrets.token_hex(8).upper()
        self.book.open(
            ref_id,
            merchant=TERMINAL_ID,
            order_id=order_id,
            amount=amount,
            callback_url=members["callBackUrl"],
        )
        return {"return": f"{OK},{ref_id}"}

    def _sale(self, members: Answer) -> sqlite3.Row | None:
        """The payment that both numbers of a sale name."""
        row = self.book.by_reference(text(members, "saleReferenceId"))
        return row if row is not None and row["order_id"] == text(members, "saleOrderId") else None

    def verify(self, members: Answer) -> Answer:
        row = self._sale(members)
        if row is None:
            return {"return": NOT_FOUND}
        if row["state"] == "reversed":
            return {"return": REVERSED}
        if self.verify_once(row):
            return {"return": OK}
        return {"return": SETTLED_BEFORE if self.book.settings["settled_before"] else VERIFIED_BEFORE}

    def inquiry(self, members: Answer) -> Answer:
        row = self._sale(members)
        if row is None:
            return {"return": NOT_FOUND}
        return {"return": REVERSED if row["state"] == "reversed" else OK}

    def reverse(self, members: Answer) -> Answer:
        row = self._sale(members)
        if row is None:
            return {"return": NOT_FOUND}
        if row["state"] == "reversed":
            return {"return": REVERSED}
        if self.age_s(row["verified_at"] or row["paid_at"]) > REVERSAL_S:
            return {"return": SETTLED_BEFORE}
        self.book.change(row["token"], row["state"], state="reversed", reversed_at=self.book.now())
        return {"return": OK}

    def token_at(self, request: web.Request, form: Mapping[str, str]) -> str:
        return form.get("RefId", "")

    def kept(self, row: sqlite3.Row) -> dict[str, str]:
        return {"RefId": row["token"]}

    def new_reference(self) -> str:
        return str(10**11 + secrets.randbelow(9 * 10**11))

    def callback_fields(self, row: sqlite3.Row, amount: int) -> dict[str, str]:
        if row["state"] not in ("paid", "verified"):
            return {"RefId": row["token"], "ResCode": CANCELLED, "SaleOrderId": row["order_id"]}
        return {
            "RefId": row["token"],
            "ResCode": OK,
            "SaleOrderId": row["order_id"],
            "SaleReferenceId": row["reference"],
            "CardHolderPan": MASKED_CARD,
            "FinalAmount": str(amount),
        }

    def report_row(self, row: sqlite3.Row) -> tuple[str, ...]:
        numbers = (row["reference"], row["order_id"], row["token"], str(row["amount"]))
        return (*numbers, MASKED_CARD, rfc3339(row["paid_at"]), row["state"])
