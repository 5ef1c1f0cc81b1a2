"""The simulators as a process of their own, a payer at their pages, and what is expected of each gateway."""

from __future__ import annotations

import html
import http.client
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from avarez.ids import new_id
from functions.pay.gateways.adapters.behpardakht import BehpardakhtGateway
from functions.pay.gateways.adapters.sadad import SadadGateway
from functions.pay.gateways.adapters.sep import SepGateway
from functions.pay.gateways.adapters.zarinpal import ZarinpalGateway
from functions.pay.gateways.adapters.zibal import ZibalGateway
from functions.pay.gateways.port import (
    AmountRefused,
    Claim,
    Gateway,
    Inquiry,
    NotPaid,
    NotReversible,
    OpensByForm,
    Returned,
    Reversed,
    ReverseResult,
    Token,
    Verified,
    VerifyResult,
)
from infra.local.gateways.simulators import behpardakht as at_behpardakht
from infra.local.gateways.simulators import sadad as at_sadad
from infra.local.gateways.simulators import sep as at_sep
from infra.local.gateways.simulators import zarinpal as at_zarinpal
from infra.local.gateways.simulators import zibal as at_zibal

ROOT = Path(__file__).resolve().parents[3]
AMOUNT_RIAL = 1_235_000
RETURNED, REVERSED = Returned(), Reversed(already=False)
TIMEOUT_MS = 1_000
"""Less patient than in production."""


def payment_id() -> str:
    return new_id("py", datetime.now(UTC))


@dataclass(frozen=True)
class Expected:
    """One gateway: how its adapter is made here, and the ways in which its protocol differs."""

    name: str
    make: Callable[[str], Gateway]
    verify_window_s: int
    cancelled: Inquiry | None
    """What an inquiry says of a cancelled page; None where nothing can be asked without a callback."""
    inquiry_tells_amount: bool = False
    callback_names_amount: bool = False
    late: VerifyResult | None = RETURNED
    """What verify says when the window is over; None where the money waits."""
    other_amount: VerifyResult | None = None
    """What verify says when asked with another amount; None: the amount that the gateway holds."""
    verify_tells_amount: bool = True
    """Whether verify compares the amount or tells it; where not, it was fixed when the page was opened."""
    anothers_reference: type[VerifyResult] = NotPaid
    wrong_amount: VerifyResult | None = None
    """What verify says when the gateway took a rial more; None: that amount."""
    reversed: ReverseResult = REVERSED
    reverse_window_s: int | None = None
    tracks: bool = True
    sharing: bool = False
    half_an_answer: str = "truncated_json"


def zarinpal(base_url: str, **changes: Any) -> Gateway:
    return ZarinpalGateway(
        **{"merchant_id": at_zarinpal.MERCHANT_ID, "base_url": base_url, "timeout_ms": TIMEOUT_MS, **changes}
    )


def zibal(base_url: str) -> Gateway:
    return ZibalGateway(merchant=at_zibal.MERCHANT, base_url=base_url, timeout_ms=TIMEOUT_MS)


def sep(base_url: str) -> Gateway:
    return SepGateway(terminal_id=at_sep.TERMINAL_ID, base_url=base_url, timeout_ms=TIMEOUT_MS)


def sadad(base_url: str) -> Gateway:
    return SadadGateway(
        merchant_id=at_sadad.MERCHANT_ID,
        terminal_id=at_sadad.TERMINAL_ID,
        key=at_sadad.KEY,
        base_url=base_url,
        timeout_ms=TIMEOUT_MS,
    )


def behpardakht(base_url: str) -> Gateway:
    return BehpardakhtGateway(
        terminal_id=at_behpardakht.TERMINAL_ID,
        user_name=at_behpardakht.USER_NAME,
        user_password=at_behpardakht.USER_PASSWORD,
        redirect_base="https://avarez.example",
        base_url=base_url,
        timeout_ms=TIMEOUT_MS,
    )


GATEWAYS: tuple[Expected, ...] = (
    Expected(
        "zarinpal",
        zarinpal,
        verify_window_s=86_400,
        cancelled=Inquiry("gone"),
        late=None,
        other_amount=AmountRefused(None),
        wrong_amount=AmountRefused(None),
        reverse_window_s=1_800,
        sharing=True,
    ),
    Expected(
        "zibal",
        zibal,
        verify_window_s=1_800,
        cancelled=Inquiry("cancelled"),
        inquiry_tells_amount=True,
        reversed=NotReversible("unsupported"),
    ),
    Expected(
        "sep",
        sep,
        verify_window_s=1_800,
        cancelled=None,
        callback_names_amount=True,
        anothers_reference=Verified,
        reverse_window_s=3_000,
        sharing=True,
    ),
    Expected(
        "sadad",
        sadad,
        verify_window_s=900,
        cancelled=None,
        reversed=NotReversible("unsupported"),
    ),
    Expected(
        "behpardakht",
        behpardakht,
        verify_window_s=1_200,
        cancelled=None,
        callback_names_amount=True,
        verify_tells_amount=False,
        reverse_window_s=10_800,
    ),
)


@dataclass
class Running:
    """The simulators' process; `stop` ends it."""

    process: subprocess.Popen[str]
    addresses: Mapping[str, str]

    @classmethod
    def start(cls, data: Path) -> Running:
        process = subprocess.Popen(
            [sys.executable, "-m", "infra.local.gateways.simulators", "--port", "0", "--data", str(data)],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"]},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        return cls(process, json.loads(process.stdout.readline())["simulators"])

    def stop(self) -> int:
        self.process.terminate()
        code = self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@dataclass
class Simulated:
    """One simulator with the adapter that talks to it, and a payer."""

    expected: Expected
    base_url: str
    gateway: Gateway

    def control(self, what: str, **members: Any) -> dict[str, Any]:
        status, _, text = http_call("POST", f"{self.base_url}/control/{what}", json.dumps(members))
        assert status == 200, text
        answer: dict[str, Any] = json.loads(text)
        return answer

    def fail(self, mode: str, call: str, **more: Any) -> None:
        self.control("failures", mode=mode, call=call, **more)

    def calls(self, name: str) -> int:
        """How often this call came since the last reset."""
        state = json.loads(http_call("GET", f"{self.base_url}/control/state")[2])
        return sum(call["call"] == name for call in state["calls"])

    def open(self, order_id: str, amount_rial: int = AMOUNT_RIAL) -> Token:
        token = self.gateway.request_token(
            order_id=order_id, amount_rial=amount_rial, callback_url=callback_url(self.expected.name, order_id)
        )
        assert isinstance(token, Token), token
        return token

    def press(self, token: Token, result: str) -> dict[str, str]:
        """Presses a button on the page; the fields that the callback gets, those of its address included."""
        address, form = token.redirect_url, {}
        if isinstance(self.gateway, OpensByForm):
            opening = self.gateway.form(token.token)
            address, form = opening.action, dict(opening.fields)
        method = "POST" if form else "GET"
        assert http_call(method, address, urlencode(form))[0] == 200
        status, headers, text = http_call("POST", address, urlencode({**form, "result": result}))
        if status == 303:
            return dict(parse_qsl(urlsplit(headers["location"]).query))
        assert status == 200, text
        return returned_form(text)

    def pay(self, order_id: str, amount_rial: int = AMOUNT_RIAL) -> tuple[Token, Claim]:
        """A page, paid; the token and what the callback claims."""
        token = self.open(order_id, amount_rial)
        claim = self.gateway.read_callback(self.press(token, "paid"))
        assert claim is not None
        return token, claim

    def verify(self, order_id: str, token: Token, reference: str, amount_rial: int = AMOUNT_RIAL) -> VerifyResult:
        return self.gateway.verify(
            token=token.token, reference=reference, order_id=order_id, amount_rial=amount_rial
        )

    def inquire(self, order_id: str, token: Token) -> Inquiry:
        return self.gateway.inquire(token=token.token, order_id=order_id)

    def reverse(self, order_id: str, token: Token, reference: str) -> ReverseResult:
        return self.gateway.reverse(
            token=token.token, reference=reference, order_id=order_id, amount_rial=AMOUNT_RIAL
        )


def callback_url(name: str, order_id: str) -> str:
    return f"https://avarez.example/v1/callbacks/{name}?payment={order_id}"


def returned_form(text: str) -> dict[str, str]:
    """What a page that posts itself carries back: its address's query and its hidden fields."""
    action = re.search(r'action="([^"]*)"', text)
    assert action is not None, text
    hidden = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', text)
    query = dict(parse_qsl(urlsplit(html.unescape(action[1])).query))
    return {**query, **{html.unescape(name): html.unescape(value) for name, value in hidden}}


def http_call(
    method: str, address: str, body: str = "", **headers: str
) -> tuple[int, http.client.HTTPMessage, str]:
    """Status, headers and text of an answer; redirects are not followed."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        form = {"content-type": "application/x-www-form-urlencoded", **headers}
        connection.request(method, path, body, form)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()
