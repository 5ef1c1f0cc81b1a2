"""The adapter against the sandbox gateway itself, over a socket: every verdict and every failure it can have."""

from __future__ import annotations

import csv
import io
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from avarez.errors import OutcomeUnknown
from functions.pay.gateways.adapters.sandbox import SandboxGateway
from functions.pay.gateways.day_reports import ReportLine
from functions.pay.gateways.port import (
    AmountRefused,
    Inquiry,
    NotPaid,
    Returned,
    Token,
    TokenRefused,
    Verified,
    VerifyResult,
)
from infra.local.gateways.common.control import AFTER, BEFORE, MODES
from infra.local.gateways.sandbox.server import CODES
from tests.contract.gateways.sandbox_process import CALLBACK, SECRET, SandboxProcess

AMOUNT_RIAL = 1_235_000
CALLBACK_WAITS_AT_MOST_S = 5


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    process = SandboxProcess.start(tmp_path_factory.mktemp("sandbox"))
    yield process
    process.stop()


@pytest.fixture
def sandbox(running: SandboxProcess) -> SandboxProcess:
    running.control("reset")
    return running


@pytest.fixture
def gateway(sandbox: SandboxProcess) -> SandboxGateway:
    return sandbox.adapter()


def open_page(gateway: SandboxGateway, order_id: str = "py_1", amount_rial: int = AMOUNT_RIAL) -> Token:
    token = gateway.request_token(order_id=order_id, amount_rial=amount_rial, callback_url=CALLBACK)
    assert isinstance(token, Token)
    return token


def verify(
    gateway: SandboxGateway,
    token: Token,
    reference: str,
    *,
    order_id: str = "py_1",
    amount_rial: int = AMOUNT_RIAL,
) -> VerifyResult:
    return gateway.verify(token=token.token, reference=reference, order_id=order_id, amount_rial=amount_rial)


def inquire(gateway: SandboxGateway, token: Token, order_id: str = "py_1") -> Inquiry:
    return gateway.inquire(token=token.token, order_id=order_id)


# --- the way of a payment -------------------------------------------------------------------------------


def test_paid_page_returns_to_the_callback_and_is_verified_once_and_for_all(
    sandbox: SandboxProcess, gateway: SandboxGateway
) -> None:
    token = open_page(gateway)
    assert inquire(gateway, token) == Inquiry("open")
    claim = gateway.read_callback(sandbox.pay(token.redirect_url))
    assert claim is not None
    assert (claim.order_id, claim.token, claim.state, claim.amount_rial) == (
        "py_1",
        token.token,
        "paid",
        AMOUNT_RIAL,
    )
    assert inquire(gateway, token) == Inquiry("paid", claim.reference, AMOUNT_RIAL)
    assert verify(gateway, token, claim.reference) == Verified(claim.reference, AMOUNT_RIAL, already=False)
    assert verify(gateway, token, claim.reference) == Verified(claim.reference, AMOUNT_RIAL, already=True)
    assert inquire(gateway, token) == Inquiry("paid", claim.reference, AMOUNT_RIAL)


def test_page_speaks_both_languages_and_pressing_again_leads_to_the_same_place(
    sandbox: SandboxProcess, gateway: SandboxGateway
) -> None:
    token = open_page(gateway)
    status, headers, text = sandbox.call("GET", urlsplit(token.redirect_url).path)
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "۱٬۲۳۵٬۰۰۰ ریال" in text
    assert "1,235,000 rial" in text
    assert sandbox.press(token.redirect_url, "paid") == sandbox.press(token.redirect_url, "paid")
    assert sandbox.press(token.redirect_url, "cancelled")[0] == 410
    assert sandbox.press(token.redirect_url, "perhaps")[0] == 400
    assert sandbox.press(sandbox.base_url + "/pay/none", "paid")[0] == 404


def test_cancelled_page_returns_to_the_callback_and_nothing_was_paid(
    sandbox: SandboxProcess, gateway: SandboxGateway
) -> None:
    token = open_page(gateway)
    status, location = sandbox.press(token.redirect_url, "cancelled")
    claim = gateway.read_callback(dict(parse_qsl(urlsplit(location).query)))
    assert status == 303
    assert claim is not None
    assert (claim.state, claim.reference) == ("cancelled", "")
    assert inquire(gateway, token) == Inquiry("cancelled")
    assert verify(gateway, token, "anything") == NotPaid()


def test_money_that_nobody_verifies_goes_back_when_the_window_is_over(
    sandbox: SandboxProcess, gateway: SandboxGateway
) -> None:
    token = open_page(gateway)
    reference = sandbox.pay(token.redirect_url)["reference"]
    sandbox.control("advance", seconds=899)
    assert inquire(gateway, token).state == "paid"
    sandbox.control("advance", seconds=3)
    assert inquire(gateway, token) == Inquiry("returned")
    assert verify(gateway, token, reference) == Returned()


def test_verified_money_stays_when_the_window_is_over(sandbox: SandboxProcess, gateway: SandboxGateway) -> None:
    token = open_page(gateway)
    reference = sandbox.pay(token.redirect_url)["reference"]
    verify(gateway, token, reference)
    sandbox.control("advance", seconds=100_000)
    assert verify(gateway, token, reference) == Verified(reference, AMOUNT_RIAL, already=True)


def test_page_closes_after_its_lifetime(sandbox: SandboxProcess, gateway: SandboxGateway) -> None:
    token = open_page(gateway)
    sandbox.control("settings", page_lifetime_s=60)
    sandbox.control("advance", seconds=62)
    assert sandbox.press(token.redirect_url, "paid")[0] == 410
    assert inquire(gateway, token) == Inquiry("gone")


def test_reversed_money_is_returned(sandbox: SandboxProcess, gateway: SandboxGateway) -> None:
    token = open_page(gateway)
    reference = sandbox.pay(token.redirect_url)["reference"]
    verify(gateway, token, reference)
    body = json.dumps({"merchant": "shop-1", "token": token.token, "reference": reference})
    headers = {"authorization": f"Bearer {SECRET}"}
    codes = [json.loads(sandbox.call("POST", "/api/reverse", body, **headers)[2])["code"] for _ in range(2)]
    assert codes == [0, 4]
    assert inquire(gateway, token) == Inquiry("returned")
    assert verify(gateway, token, reference) == Returned()


def test_report_of_the_day_names_every_payment_with_its_state(
    sandbox: SandboxProcess, gateway: SandboxGateway
) -> None:
    token = open_page(gateway, "py_report")
    reference = sandbox.pay(token.redirect_url)["reference"]
    verify(gateway, token, reference, order_id="py_report")
    day = datetime.now(UTC).date().isoformat()
    rows = [row for row in json.loads(sandbox.report(day=day)[2])["rows"] if row["order_id"] == "py_report"]
    assert [(row["reference"], row["amount"], row["state"]) for row in rows] == [
        (reference, str(AMOUNT_RIAL), "verified")
    ]
    table = list(csv.DictReader(io.StringIO(sandbox.report(day=day, format="csv")[2])))
    assert reference in {row["reference"] for row in table}
    assert json.loads(sandbox.report(day="2020-01-01")[2])["rows"] == []
    assert json.loads(sandbox.report(day="soon")[2])["code"] == 7


def test_report_of_the_day_is_fetched_and_read_by_the_adapter(
    sandbox: SandboxProcess, gateway: SandboxGateway
) -> None:
    token = open_page(gateway, "py_read")
    reference = sandbox.pay(token.redirect_url)["reference"]
    today = datetime.now(UTC).date()

    def mine() -> list[ReportLine]:
        lines = gateway.read_report(gateway.fetch_report(today))
        return [replace(line, paid_at=None) for line in lines if line.reference == reference]

    assert mine() == [ReportLine(reference, "py_read", AMOUNT_RIAL, "paid")]
    verify(gateway, token, reference, order_id="py_read")
    assert mine() == [ReportLine(reference, "py_read", AMOUNT_RIAL, "confirmed")]
    gateway.reverse(token=token.token, reference=reference, order_id="py_read", amount_rial=AMOUNT_RIAL)
    assert mine() == [ReportLine(reference, "py_read", AMOUNT_RIAL, "returned")]
    with pytest.raises(OutcomeUnknown):
        sandbox.adapter(secret="guess").fetch_report(today)


# --- who may ask, and what for --------------------------------------------------------------------------


def test_wrong_credentials_open_no_page_and_verify_nothing(
    sandbox: SandboxProcess, gateway: SandboxGateway
) -> None:
    for stranger in (sandbox.adapter(secret="guess"), sandbox.adapter(merchant="shop-2")):
        refused = stranger.request_token(order_id="py_1", amount_rial=AMOUNT_RIAL, callback_url=CALLBACK)
        assert refused == TokenRefused("bad credentials")
        token = open_page(gateway)
        with pytest.raises(OutcomeUnknown):
            verify(stranger, token, sandbox.pay(token.redirect_url)["reference"])
        assert inquire(gateway, token).state == "paid"


@pytest.mark.parametrize("amount_rial", [0, 999, -5, 10**16])
def test_amount_out_of_range_is_refused(gateway: SandboxGateway, amount_rial: int) -> None:
    refused = gateway.request_token(order_id="py_1", amount_rial=amount_rial, callback_url=CALLBACK)
    assert refused == TokenRefused("amount")


def test_verify_of_anything_that_is_not_ours_confirms_nothing(
    sandbox: SandboxProcess, gateway: SandboxGateway
) -> None:
    token, other = open_page(gateway), open_page(gateway, "py_2")
    reference, other_reference = (sandbox.pay(page.redirect_url)["reference"] for page in (token, other))
    assert verify(gateway, token, other_reference) == NotPaid()
    assert verify(gateway, token, reference, order_id="py_2") == NotPaid()
    assert verify(gateway, token, reference, amount_rial=AMOUNT_RIAL - 1) == AmountRefused(AMOUNT_RIAL)
    assert inquire(gateway, token).state == inquire(gateway, other, "py_2").state == "paid"
    assert inquire(gateway, token, "py_2") == Inquiry("gone")


def test_mode_without_inquiry_tells_nothing_before_the_reference_is_known(
    sandbox: SandboxProcess, gateway: SandboxGateway
) -> None:
    token = open_page(gateway)
    sandbox.pay(token.redirect_url)
    sandbox.control("settings", inquiry_without_callback=False)
    with pytest.raises(OutcomeUnknown):
        inquire(gateway, token)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"order_id": "py_1"},
        {"token": "t"},
        {"order_id": "../x", "token": "t"},
        {"order_id": "py_1", "token": "é"},
        {"order_id": "p" * 81, "token": "t"},
    ],
)
def test_callback_that_names_no_payment_is_none(gateway: SandboxGateway, fields: dict[str, str]) -> None:
    assert gateway.read_callback(fields) is None


@pytest.mark.parametrize("amount", ["", "1e3", "۱۲۳", "+5", "1.0", "0x10", "9" * 40])
def test_callback_with_an_unreadable_amount_claims_none(gateway: SandboxGateway, amount: str) -> None:
    fields = {"order_id": "py_1", "token": "t", "state": "paid", "reference": "r", "amount": amount}
    claim = gateway.read_callback(fields)
    assert claim is not None
    assert claim.amount_rial is None


@pytest.mark.parametrize("reference", ["", "a b", "x" * 81, "\x00", "é"])
def test_callback_with_no_proper_reference_claims_nothing_paid(gateway: SandboxGateway, reference: str) -> None:
    claim = gateway.read_callback({"order_id": "py_1", "token": "t", "state": "paid", "reference": reference})
    assert claim is not None
    assert (claim.state, claim.reference) == ("other", "")


# --- failures -------------------------------------------------------------------------------------------

CALLS: dict[str, Callable[[SandboxGateway, Token, str], object]] = {
    "request": lambda gateway, token, reference: open_page(gateway),
    "verify": lambda gateway, token, reference: verify(gateway, token, reference),
    "inquiry": lambda gateway, token, reference: inquire(gateway, token),
}


@pytest.mark.parametrize("mode", [*BEFORE, *AFTER])
@pytest.mark.parametrize("call", CALLS)
def test_answer_that_does_not_come_is_an_unknown_outcome_and_asking_again_clears_it_up(
    sandbox: SandboxProcess, call: str, mode: str
) -> None:
    gateway = sandbox.adapter(timeout_ms=300)
    token = open_page(gateway)
    reference = sandbox.pay(token.redirect_url)["reference"]
    sandbox.fail(mode, call, seconds=1)
    started = time.monotonic()
    with pytest.raises(OutcomeUnknown):
        CALLS[call](gateway, token, reference)
    assert time.monotonic() - started < 0.8
    CALLS[call](gateway, token, reference)
    acted = call == "verify" and mode in AFTER
    assert inquire(gateway, token) == Inquiry("paid", reference, AMOUNT_RIAL)
    assert verify(gateway, token, reference) == Verified(reference, AMOUNT_RIAL, already=acted or call == "verify")


def test_verify_that_was_done_and_not_told_is_already_verified(
    sandbox: SandboxProcess, gateway: SandboxGateway
) -> None:
    token = open_page(gateway)
    reference = sandbox.pay(token.redirect_url)["reference"]
    sandbox.fail("lost", "verify")
    with pytest.raises(OutcomeUnknown):
        verify(gateway, token, reference)
    sandbox.control("advance", seconds=100_000)  # verified money never goes back
    assert verify(gateway, token, reference) == Verified(reference, AMOUNT_RIAL, already=True)


def test_patience_of_the_adapter_fits_into_what_a_callback_may_wait(sandbox: SandboxProcess) -> None:
    patient = SandboxGateway(base_url=sandbox.base_url, merchant="shop-1", secret=SECRET)
    token = open_page(patient)
    sandbox.fail("drip", "inquiry", seconds=8)
    started = time.monotonic()
    with pytest.raises(OutcomeUnknown):
        inquire(patient, token)
    assert 4 < time.monotonic() - started < CALLBACK_WAITS_AT_MOST_S


def test_headers_that_never_end_cost_no_more_than_the_patience() -> None:
    """A timeout of a socket bounds one read; here every read succeeds, and the answer never begins."""
    listening = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        accepted, _ = listening.accept()
        with accepted, suppress(OSError):
            accepted.sendall(b"HTTP/1.1 200 OK\r\nx: ")
            for _ in range(30):
                accepted.sendall(b"a")
                time.sleep(0.1)

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    slow = f"http://127.0.0.1:{listening.getsockname()[1]}"
    started = time.monotonic()
    with pytest.raises(OutcomeUnknown):
        open_page(SandboxGateway(base_url=slow, merchant="m", secret="s", timeout_ms=400))
    assert time.monotonic() - started < 1
    listening.close()


def test_gateway_that_is_not_there_is_an_unknown_outcome(sandbox: SandboxProcess) -> None:
    with pytest.raises(OutcomeUnknown):
        open_page(sandbox.adapter(base_url="http://127.0.0.1:1"))
    with pytest.raises(OutcomeUnknown):
        open_page(sandbox.adapter(base_url="https://" + urlsplit(sandbox.base_url).netloc))


def test_refused_token_is_a_refusal(sandbox: SandboxProcess, gateway: SandboxGateway) -> None:
    sandbox.fail("token_refused", "request")
    refused = gateway.request_token(order_id="py_1", amount_rial=AMOUNT_RIAL, callback_url=CALLBACK)
    assert refused == TokenRefused("refused")
    open_page(gateway)


def test_gateway_that_confirms_another_amount_says_the_same_when_asked_again(
    sandbox: SandboxProcess, gateway: SandboxGateway
) -> None:
    token = open_page(gateway)
    reference = sandbox.pay(token.redirect_url)["reference"]
    sandbox.fail("wrong_amount_verify", "verify")
    assert verify(gateway, token, reference) == Verified(reference, AMOUNT_RIAL + 1, already=False)
    assert verify(gateway, token, reference) == Verified(reference, AMOUNT_RIAL + 1, already=True)


def test_gateway_that_answers_about_another_reference_has_given_no_verdict(
    sandbox: SandboxProcess, gateway: SandboxGateway
) -> None:
    token = open_page(gateway)
    reference = sandbox.pay(token.redirect_url)["reference"]
    sandbox.fail("wrong_reference_verify", "verify")
    with pytest.raises(OutcomeUnknown):
        verify(gateway, token, reference)
    assert verify(gateway, token, reference) == Verified(reference, AMOUNT_RIAL, already=True)


def test_callback_with_another_amount_claims_that_amount(sandbox: SandboxProcess, gateway: SandboxGateway) -> None:
    sandbox.fail("wrong_amount_callback", "page")
    claim = gateway.read_callback(sandbox.pay(open_page(gateway).redirect_url))
    assert claim is not None
    assert claim.amount_rial == AMOUNT_RIAL + 1


def test_one_reference_may_come_for_two_payments(sandbox: SandboxProcess, gateway: SandboxGateway) -> None:
    first, second = open_page(gateway), open_page(gateway, "py_2")
    reference = sandbox.pay(first.redirect_url)["reference"]
    sandbox.fail("duplicate_reference", "page")
    assert sandbox.pay(second.redirect_url)["reference"] == reference
    # The gateway itself confirms both: that one reference counts once is for the merchant to see to.
    assert isinstance(verify(gateway, first, reference), Verified)
    assert isinstance(verify(gateway, second, reference, order_id="py_2"), Verified)


def test_missing_callback_leaves_the_payment_for_the_inquiry(
    sandbox: SandboxProcess, gateway: SandboxGateway
) -> None:
    token = open_page(gateway)
    sandbox.fail("no_callback", "page")
    assert sandbox.press(token.redirect_url, "paid") == (200, "")
    assert inquire(gateway, token).state == "paid"


def test_callback_may_come_twice_from_the_gateway_besides_the_browser(
    sandbox: SandboxProcess, gateway: SandboxGateway
) -> None:
    token = gateway.request_token(
        order_id="py_1", amount_rial=AMOUNT_RIAL, callback_url=sandbox.base_url + "/healthz"
    )
    assert isinstance(token, Token)
    sandbox.fail("duplicate_callbacks", "page", copies=3)
    assert sandbox.press(token.redirect_url, "paid")[0] == 303


# --- the gateway's own house ----------------------------------------------------------------------------


def test_every_failure_mode_is_exercised_here(sandbox: SandboxProcess) -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    assert [mode for mode in MODES if mode not in (*BEFORE, *AFTER) and f'"{mode}"' not in source] == []
    assert json.loads(sandbox.call("POST", "/control/failures", '{"mode": "nonsense"}')[2]) == {
        "modes": {mode: list(calls) for mode, calls in MODES.items()}
    }


def test_the_page_lists_every_mode_and_every_code() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "gateways.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| ((?:page|request|verify|inquiry|reverse|, )+) \|", page, re.M)
    assert {mode: tuple(calls.split(", ")) for mode, calls in rows} == MODES
    assert [int(code) for code in re.findall(r"^\| (\d) \|", page, re.M)] == list(CODES)


def test_control_is_not_for_foreign_pages_nor_under_a_foreign_name(sandbox: SandboxProcess) -> None:
    assert sandbox.call("POST", "/control/reset", origin="https://evil.example")[0] == 403
    assert sandbox.call("GET", "/control/state", host="evil.example")[0] == 403
    assert sandbox.call("GET", "/healthz")[0] == 200


def test_payments_outlive_the_gateway_and_it_ends_when_told(tmp_path_factory: pytest.TempPathFactory) -> None:
    data = tmp_path_factory.mktemp("durable")
    first = SandboxProcess.start(data)
    token = open_page(first.adapter())
    reference = first.pay(token.redirect_url)["reference"]
    first.process.kill()
    first.stop()
    second = SandboxProcess.start(data)
    try:
        assert verify(second.adapter(), token, reference) == Verified(reference, AMOUNT_RIAL, already=False)
    finally:
        second.stop()
