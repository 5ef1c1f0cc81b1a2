"""Every adapter against its simulator, over a socket: every verdict and every failure it can have."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from avarez.errors import OutcomeUnknown
from functions.pay.gateways.day_reports import ReportsDays
from functions.pay.gateways.orders import order_number
from functions.pay.gateways.port import (
    Inquiry,
    NotPaid,
    NotReversible,
    Reversed,
    Share,
    Token,
    TokenRefused,
    Verified,
)
from functions.pay.returns import redirect
from infra.local.gateways.common.control import AFTER, BEFORE
from tests.contract.gateways.simulator_process import (
    AMOUNT_RIAL,
    GATEWAYS,
    Expected,
    Running,
    Simulated,
    callback_url,
    http_call,
    payment_id,
    returned_form,
    zarinpal,
)
from tests.unit.payments.payments_fake import FakeGateways

IBANS = ("IR580540105180021273113007", "IR060170000000000000000001")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    process = Running.start(tmp_path_factory.mktemp("simulators"))
    yield process
    process.stop()


@pytest.fixture(params=GATEWAYS, ids=lambda expected: expected.name)
def one(request: pytest.FixtureRequest, running: Running) -> Simulated:
    expected: Expected = request.param
    base_url = running.addresses[expected.name]
    simulated = Simulated(expected, base_url, expected.make(base_url))
    simulated.control("reset")
    return simulated


def needs_inquiry(one: Simulated) -> None:
    if not one.gateway.can_inquire_without_callback:
        pytest.skip("this gateway tells nothing before the callback")


# --- the way of a payment -------------------------------------------------------------------------------


def test_paid_page_returns_to_the_callback_and_is_verified_once_and_for_all(one: Simulated) -> None:
    order = payment_id()
    token, claim = one.pay(order)
    assert (claim.order_id, claim.state) == (order, "paid")
    assert claim.token == token.token
    assert claim.names_amount == one.expected.callback_names_amount
    assert claim.amount_rial == (AMOUNT_RIAL if claim.names_amount else None)
    first = one.verify(order, token, claim.reference)
    second = one.verify(order, token, claim.reference)
    assert isinstance(first, Verified)
    assert (first.reference, first.amount_rial, first.already) == (claim.reference, AMOUNT_RIAL, False)
    assert second == replace(first, already=True)
    assert bool(first.tracking) == one.expected.tracks
    assert "1012" not in first.masked_card


def test_inquiry_follows_the_page(one: Simulated) -> None:
    needs_inquiry(one)
    order = payment_id()
    token = one.open(order)
    assert one.inquire(order, token) == Inquiry("open")
    claim = one.gateway.read_callback(one.press(token, "paid"))
    assert claim is not None
    paid = Inquiry("paid", claim.reference, AMOUNT_RIAL if one.expected.inquiry_tells_amount else None)
    assert one.inquire(order, token) == paid
    one.verify(order, token, claim.reference)
    assert one.inquire(order, token) == paid


def test_gateway_that_tells_nothing_without_a_callback_is_not_even_asked(one: Simulated) -> None:
    if one.gateway.can_inquire_without_callback:
        pytest.skip("this one tells")
    order = payment_id()
    token = one.open(order)
    with pytest.raises(OutcomeUnknown):
        one.inquire(order, token)
    assert one.calls("inquiry") == 0


def test_cancelled_page_claims_nothing_paid_and_nothing_was(one: Simulated) -> None:
    order = payment_id()
    token = one.open(order)
    claim = one.gateway.read_callback(one.press(token, "cancelled"))
    assert claim is not None
    assert (claim.order_id, claim.state, claim.reference) == (order, "cancelled", "")
    if one.expected.cancelled is not None:
        assert one.inquire(order, token) == one.expected.cancelled


def test_page_that_nobody_paid_on_is_not_verified(one: Simulated) -> None:
    order, other = payment_id(), payment_id()
    token = one.open(order)
    _, claim = one.pay(other)
    unpaid = token.token if claim.reference == claim.token else "1" * len(claim.reference)
    assert one.verify(order, token, unpaid) == NotPaid()


def test_money_that_nobody_verified_within_the_window(one: Simulated) -> None:
    order = payment_id()
    token, claim = one.pay(order)
    one.control("advance", seconds=one.expected.verify_window_s + 5)
    result = one.verify(order, token, claim.reference)
    if one.expected.late is None:
        assert isinstance(result, Verified)
    else:
        assert result == one.expected.late
        if one.expected.cancelled is not None:
            assert one.inquire(order, token) == Inquiry("returned")


def test_verified_money_stays_when_the_window_is_over(one: Simulated) -> None:
    order = payment_id()
    token, claim = one.pay(order)
    one.verify(order, token, claim.reference)
    one.control("advance", seconds=one.expected.verify_window_s * 3)
    again = one.verify(order, token, claim.reference)
    assert isinstance(again, Verified)
    assert again.already


def test_windows_of_the_adapter_are_those_of_the_simulator(one: Simulated) -> None:
    gateway, expected = one.gateway, one.expected
    assert gateway.name == expected.name
    assert gateway.verify_window.total_seconds() == expected.verify_window_s
    window_s = None if gateway.reverse_window is None else gateway.reverse_window.total_seconds()
    assert window_s == expected.reverse_window_s


# --- what is not ours, and what is not as asked ---------------------------------------------------------


def test_unknown_reference_confirms_nothing(one: Simulated) -> None:
    order = payment_id()
    token, claim = one.pay(order)
    assert one.verify(order, token, "9" * len(claim.reference)) == NotPaid()
    assert isinstance(one.verify(order, token, claim.reference), Verified)


def test_reference_of_another_payment(one: Simulated) -> None:
    """Where the gateway itself cannot tell, our unique key of references does; the port's docstring says so."""
    order, other = payment_id(), payment_id()
    token, _ = one.pay(order)
    _, claim = one.pay(other)
    assert isinstance(one.verify(order, token, claim.reference), one.expected.anothers_reference)


def test_token_of_another_payment_confirms_nothing_for_ours(one: Simulated) -> None:
    order, other = payment_id(), payment_id()
    one.pay(order)
    token, claim = one.pay(other)
    if one.expected.anothers_reference is Verified or claim.token == claim.reference:
        pytest.skip("this gateway's verify does not name the order; the token is compared when the callback comes")
    assert one.verify(order, token, claim.reference) == NotPaid()


def test_amount_that_differs_from_what_was_asked(one: Simulated) -> None:
    if not one.expected.verify_tells_amount:
        pytest.skip("its verify carries no amount, in either direction")
    order = payment_id()
    token, claim = one.pay(order)
    result = one.verify(order, token, claim.reference, AMOUNT_RIAL - 10)
    if one.expected.other_amount is None:
        assert isinstance(result, Verified)
        assert result.amount_rial == AMOUNT_RIAL
    else:
        assert result == one.expected.other_amount


def test_gateway_that_took_another_amount_never_confirms_ours(one: Simulated) -> None:
    if not one.expected.verify_tells_amount:
        pytest.skip("its verify carries no amount, in either direction")
    order = payment_id()
    token, claim = one.pay(order)
    one.fail("wrong_amount_verify", "verify")
    result = one.verify(order, token, claim.reference)
    if one.expected.wrong_amount is None:
        assert isinstance(result, Verified)
        assert result.amount_rial == AMOUNT_RIAL + 1
    else:
        assert result == one.expected.wrong_amount


def test_callback_with_another_amount_claims_that_amount(one: Simulated) -> None:
    if not one.expected.callback_names_amount:
        pytest.skip("its callback names no amount")
    one.fail("wrong_amount_callback", "page")
    _, claim = one.pay(payment_id())
    assert claim.amount_rial == AMOUNT_RIAL + 1


@pytest.mark.parametrize("changed", [{"payment": ""}, {"payment": "../x"}, {"payment": "é"}])
def test_callback_that_names_no_payment_is_none(one: Simulated, changed: dict[str, str]) -> None:
    fields = one.press(one.open(payment_id()), "paid")
    assert one.gateway.read_callback(fields) is not None
    assert one.gateway.read_callback({**fields, **changed}) is None
    assert one.gateway.read_callback({}) is None


@given(fields=st.dictionaries(st.text(max_size=12), st.text(max_size=100), max_size=8))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_callback_may_hold_anything(one: Simulated, fields: dict[str, str]) -> None:
    known = ("Authority", "trackId", "RefNum", "ResNum", "Token", "token", "OrderId", "RefId", "SaleReferenceId")
    for name in known:
        claim = one.gateway.read_callback({"payment": payment_id(), **fields, name: "'\"><" + "\x00" * 90})
        assert claim is None or claim.state != "paid"


# --- failures -------------------------------------------------------------------------------------------

CALLS: dict[str, Callable[[Simulated, str, Token, str], object]] = {
    "request": lambda one, order, token, reference: one.open(payment_id()),
    "verify": lambda one, order, token, reference: one.verify(order, token, reference),
    "inquiry": lambda one, order, token, reference: one.inquire(order, token),
    "reverse": lambda one, order, token, reference: one.reverse(order, token, reference),
}


@pytest.mark.parametrize("mode", [*BEFORE, *AFTER])
@pytest.mark.parametrize("call", CALLS)
def test_answer_that_does_not_come_is_an_unknown_outcome_and_asking_again_clears_it_up(
    one: Simulated, call: str, mode: str
) -> None:
    if call == "inquiry":
        needs_inquiry(one)
    if call == "reverse" and one.gateway.reverse_window is None:
        pytest.skip("this gateway reverses nothing")
    impatient = Simulated(one.expected, one.base_url, one.expected.make(one.base_url))
    impatient.gateway._timeout_ms = 300  # type: ignore[attr-defined]
    order = payment_id()
    token, claim = one.pay(order)
    if call == "reverse":
        one.verify(order, token, claim.reference)
    one.fail(mode, call, seconds=1)
    started = time.monotonic()
    with pytest.raises(OutcomeUnknown):
        CALLS[call](impatient, order, token, claim.reference)
    assert time.monotonic() - started < 0.9
    CALLS[call](one, order, token, claim.reference)
    if call == "reverse":
        assert one.reverse(order, token, claim.reference) == Reversed(already=True)
    else:
        result = one.verify(order, token, claim.reference)
        assert isinstance(result, Verified)
        assert result.already == (call == "verify")


def test_gateway_that_is_not_there_is_an_unknown_outcome(one: Simulated) -> None:
    for address in ("http://127.0.0.1:1", one.base_url.replace("http:", "https:")):
        with pytest.raises(OutcomeUnknown):
            Simulated(one.expected, address, one.expected.make(address)).open(payment_id())


def test_missing_callback_leaves_the_payment_for_the_inquiry(one: Simulated) -> None:
    needs_inquiry(one)
    order = payment_id()
    token = one.open(order)
    one.fail("no_callback", "page")
    assert http_call("POST", token.redirect_url, "result=paid")[0] == 200
    assert one.inquire(order, token).state == "paid"


def test_refused_token_is_a_refusal_and_tells_no_credential(one: Simulated) -> None:
    one.fail("token_refused", "request")
    order = payment_id()
    refused = one.gateway.request_token(
        order_id=order, amount_rial=AMOUNT_RIAL, callback_url=callback_url(one.expected.name, order)
    )
    assert isinstance(refused, TokenRefused)
    assert len(refused.reason) < 40
    one.open(order)


# --- limits and units -----------------------------------------------------------------------------------


def test_amount_outside_the_limits_is_never_sent(one: Simulated) -> None:
    order = payment_id()
    address = callback_url(one.expected.name, order)
    gateway = one.gateway
    for amount_rial in (-10, 0, gateway.amount_min_rial - 10, gateway.amount_max_rial + 10, 10**18):
        refused = gateway.request_token(order_id=order, amount_rial=amount_rial, callback_url=address)
        assert refused == TokenRefused("amount")
    assert one.calls("request") == 0


def test_amounts_at_the_limits_are_taken(one: Simulated) -> None:
    for amount_rial in (one.gateway.amount_min_rial, one.gateway.amount_max_rial):
        order = payment_id()
        token, claim = one.pay(order, amount_rial)
        result = one.verify(order, token, claim.reference, amount_rial)
        assert isinstance(result, Verified)
        assert result.amount_rial == amount_rial


@given(tens=st.integers(min_value=1_000, max_value=100_000_000))
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_amount_comes_back_as_it_went(one: Simulated, tens: int) -> None:
    order = payment_id()
    token, claim = one.pay(order, tens * 10)
    result = one.verify(order, token, claim.reference, tens * 10)
    assert isinstance(result, Verified)
    assert result.amount_rial == tens * 10


def shares_of(amount_rial: int) -> Sequence[Share]:
    return [Share(IBANS[0], amount_rial - 300_010), Share(IBANS[1], 300_010)]


def test_shares_are_sent_where_the_gateway_shares_and_refused_where_not(one: Simulated) -> None:
    order = payment_id()
    result = one.gateway.request_token(
        order_id=order,
        amount_rial=AMOUNT_RIAL,
        callback_url=callback_url(one.expected.name, order),
        shares=shares_of(AMOUNT_RIAL),
    )
    if one.expected.sharing:
        assert isinstance(result, Token)
    else:
        assert result == TokenRefused("shares")
        assert one.calls("request") == 0


def test_shares_that_do_not_add_up_are_never_sent(one: Simulated) -> None:
    order = payment_id()
    with pytest.raises(ValueError):
        one.gateway.request_token(
            order_id=order,
            amount_rial=AMOUNT_RIAL,
            callback_url=callback_url(one.expected.name, order),
            shares=shares_of(AMOUNT_RIAL + 10),
        )
    assert one.calls("request") == 0


# --- sending back ---------------------------------------------------------------------------------------


def test_reversed_money_is_returned_and_a_second_reversal_says_so(one: Simulated) -> None:
    order = payment_id()
    token, claim = one.pay(order)
    one.verify(order, token, claim.reference)
    assert one.reverse(order, token, claim.reference) == one.expected.reversed
    if one.gateway.reverse_window is not None:
        assert one.reverse(order, token, claim.reference) == Reversed(already=True)
        assert not isinstance(one.verify(order, token, claim.reference), Verified)


def test_reversal_after_its_window_is_refused(one: Simulated) -> None:
    if one.gateway.reverse_window is None:
        pytest.skip("this gateway reverses nothing")
    order = payment_id()
    token, claim = one.pay(order)
    one.verify(order, token, claim.reference)
    one.control("advance", seconds=int(one.gateway.reverse_window.total_seconds()) + 5)
    assert isinstance(one.reverse(order, token, claim.reference), NotReversible)
    assert isinstance(one.verify(order, token, claim.reference), Verified)


def test_reversal_of_what_was_never_paid_is_refused(one: Simulated) -> None:
    order = payment_id()
    token, claim = one.pay(order)
    assert isinstance(one.reverse(order, token, "9" * len(claim.reference)), NotReversible)


# --- the simulators' own house --------------------------------------------------------------------------


def test_report_of_the_day_names_every_payment(one: Simulated) -> None:
    order = payment_id()
    token, claim = one.pay(order)
    one.verify(order, token, claim.reference)
    day = datetime.now(UTC).date().isoformat()
    status, headers, text = http_call("GET", f"{one.base_url}/report?day={day}")
    assert (status, headers["content-type"].partition(";")[0]) == (200, "text/csv")
    delimiter = ";" if ";" in text.splitlines()[0] else ","
    rows = [list(row.values()) for row in csv.DictReader(io.StringIO(text), delimiter=delimiter)]
    mine = [row for row in rows if claim.reference in row or token.token in row]
    assert len(mine) == 1
    assert str(AMOUNT_RIAL) in mine[0]
    assert http_call("GET", f"{one.base_url}/report?day=soon")[0] == 400


def test_report_of_the_day_is_fetched_and_read_in_rial_with_every_state(one: Simulated) -> None:
    verified, unverified, returned = payment_id(), payment_id(), payment_id()
    token, claim = one.pay(verified)
    one.verify(verified, token, claim.reference)
    _, left = one.pay(unverified, AMOUNT_RIAL + 10)
    gone_token, gone = one.pay(returned, AMOUNT_RIAL + 20)
    one.verify(returned, gone_token, gone.reference)
    reverses = isinstance(one.reverse(returned, gone_token, gone.reference), Reversed)
    gateway = one.gateway
    assert isinstance(gateway, ReportsDays)
    assert not gateway.can_fetch_report
    with pytest.raises(OutcomeUnknown):
        gateway.fetch_report(datetime.now(UTC).date())
    gateway.report_url = f"{one.base_url}/report"  # type: ignore[attr-defined]  # a setting of each adapter
    assert gateway.can_fetch_report
    today = datetime.now(UTC).date()
    lines = {line.reference: line for line in gateway.read_report(gateway.fetch_report(today))}
    mine = lines[claim.reference]
    assert (mine.amount_rial, mine.state) == (AMOUNT_RIAL, "confirmed")
    assert mine.order_id in (verified, str(order_number(verified)))
    if one.expected.name == "sadad":  # lists what it pays out, and nothing else
        assert left.reference not in lines
    else:
        assert (lines[left.reference].amount_rial, lines[left.reference].state) == (AMOUNT_RIAL + 10, "paid")
    assert lines[gone.reference].state == ("returned" if reverses else "confirmed")
    gateway.report_url = f"{one.base_url}/control/state"
    with pytest.raises(OutcomeUnknown):
        gateway.fetch_report(today)


def test_control_is_not_for_foreign_pages_nor_under_a_foreign_name(one: Simulated) -> None:
    assert http_call("POST", f"{one.base_url}/control/reset", origin="https://evil.example")[0] == 403
    assert http_call("GET", f"{one.base_url}/control/state", host="evil.example")[0] == 403
    assert http_call("GET", f"{one.base_url}/healthz")[0] == 200


def test_payments_outlive_the_simulators(tmp_path_factory: pytest.TempPathFactory) -> None:
    data = tmp_path_factory.mktemp("durable")
    expected, order = GATEWAYS[0], payment_id()
    first = Running.start(data)
    try:
        address = first.addresses[expected.name]
        token, claim = Simulated(expected, address, expected.make(address)).pay(order)
    finally:
        first.process.kill()
        first.stop()
    second = Running.start(data)
    try:
        address = second.addresses[expected.name]
        again = Simulated(expected, address, expected.make(address))
        assert isinstance(again.verify(order, token, claim.reference), Verified)
        assert json.loads(http_call("GET", f"{address}/control/state")[2])["failures"] == []
    finally:
        second.stop()


# --- one gateway's own ----------------------------------------------------------------------------------


def at(running: Running, name: str) -> Simulated:
    (expected,) = (expected for expected in GATEWAYS if expected.name == name)
    simulated = Simulated(expected, running.addresses[name], expected.make(running.addresses[name]))
    simulated.control("reset")
    return simulated


def test_zarinpal_counts_in_toman_where_it_is_told_to(running: Running) -> None:
    expected = GATEWAYS[0]
    base_url = running.addresses[expected.name]
    one = Simulated(expected, base_url, zarinpal(base_url, currency="IRT"))
    one.control("reset")
    order = payment_id()
    token, claim = one.pay(order)
    report = http_call("GET", f"{base_url}/report")[2]
    assert f"{order},{AMOUNT_RIAL // 10}," in report
    result = one.verify(order, token, claim.reference)
    assert isinstance(result, Verified)
    assert result.amount_rial == AMOUNT_RIAL
    with pytest.raises(ValueError):
        one.open(payment_id(), AMOUNT_RIAL + 5)
    with pytest.raises(ValueError):
        one.gateway.request_token(
            order_id=order,
            amount_rial=AMOUNT_RIAL,
            callback_url=callback_url("zarinpal", order),
            shares=[Share(IBANS[0], AMOUNT_RIAL - 5), Share(IBANS[1], 5)],
        )
    assert one.calls("request") == 1


def test_sep_confirms_one_reference_for_any_payment_as_often_as_it_is_asked(running: Running) -> None:
    one = at(running, "sep")
    order, other = payment_id(), payment_id()
    token, claim = one.pay(order)
    first = one.verify(order, token, claim.reference)
    elsewhere = one.verify(other, one.open(other), claim.reference)
    assert isinstance(first, Verified)
    assert elsewhere == replace(first, already=True)


def test_sep_callback_that_names_no_token_is_heard(running: Running) -> None:
    one = at(running, "sep")
    one.control("settings", names_token=False)
    order = payment_id()
    _, claim = one.pay(order)
    assert (claim.order_id, claim.token, claim.state) == (order, None, "paid")


def test_behpardakht_verified_before_is_a_success_like_settled_before(running: Running) -> None:
    one = at(running, "behpardakht")
    one.control("settings", settled_before=False)
    order = payment_id()
    token, claim = one.pay(order)
    one.verify(order, token, claim.reference)
    again = one.verify(order, token, claim.reference)
    assert isinstance(again, Verified)
    assert again.already


def test_behpardakht_page_opens_from_our_page_by_a_form(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    one = at(running, "behpardakht")
    order = payment_id()
    token = one.open(order)
    assert token.redirect_url == f"https://avarez.example/v1/redirects/behpardakht/{token.token}"
    monkeypatch.setattr(redirect, "gateways", lambda: FakeGateways([one.gateway]))
    answer = redirected("behpardakht", token.token)
    assert answer["statusCode"] == 200
    policy, text = answer["headers"]["content-security-policy"], answer["body"]
    (script,) = re.findall("<script>(.*?)</script>", text)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in policy
    assert f"form-action {one.base_url.removesuffix('/behpardakht')};" in policy
    assert "<button>" in text
    action = re.search('action="([^"]*)"', text)
    assert action is not None
    status, _, page = http_call("POST", action[1], urlencode(returned_form(text)))
    assert status == 200
    assert f"{AMOUNT_RIAL:,} rial" in page


@pytest.mark.parametrize(
    ("gateway", "token"), [("behpardakht", '"><script>'), ("behpardakht", "x" * 81), ("zibal", "1"), ("none", "1")]
)
def test_redirect_of_what_opens_by_no_form_is_a_plain_page(
    running: Running, monkeypatch: pytest.MonkeyPatch, gateway: str, token: str
) -> None:
    known = [at(running, name).gateway for name in ("behpardakht", "zibal")]
    monkeypatch.setattr(redirect, "gateways", lambda: FakeGateways(known))
    answer = redirected(gateway, token)
    assert answer["statusCode"] == 404
    assert "<form" not in answer["body"]
    assert token not in answer["body"] or token == "1"


def redirected(gateway: str, token: str) -> dict[str, Any]:
    event = {
        "routeKey": "GET /v1/redirects/{gateway}/{token}",
        "pathParameters": {"gateway": gateway, "token": quote(token, safe="")},
        "requestContext": {"requestId": "r1", "http": {"method": "GET"}},
    }
    return redirect.handle(event, None)
