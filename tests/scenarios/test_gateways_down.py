"""Scenario 15: a gateway that is down, hangs, or answers with something that is no answer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from avarez.errors import DutyLocked, GatewayUnavailable, OutcomeUnknown
from functions.pay.gateways.adapters.sandbox import SandboxGateway
from functions.pay.gateways.breaker import SILENCES_MAX, Breakers
from functions.pay.payments.opening import Asked, create
from functions.pay.rules.states import OPEN, Status
from tests.unit.payments.payments_fake import CLERK, FakeGateway, FakeGateways, World, quote, world
from tests.unit.payments.payments_steps import callback, now_of, open_one, sweep

TIMEOUT_MS = 300
ANSWERS: dict[str, bytes | None] = {
    "an error": b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 2\r\n\r\n{}",
    "a page": b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 13\r\n\r\n<html></html>",
    "half an answer": b'HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n{"code": 0, "tok',
    "truncated JSON": b'HTTP/1.1 200 OK\r\ncontent-length: 16\r\n\r\n{"code": 0, "tok',
    "another JSON": b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n[1, 2, 3]",
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "nothing, for ever": None,
}


class BadGateway:
    """A server on a socket of its own that answers every call with the same bytes, or with none at all."""

    def __init__(self, answer: bytes | None) -> None:
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.calls = 0
        self._held: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def _serve(self) -> None:
        while True:
            try:
                connected, _ = self._socket.accept()
            except OSError:
                return
            self.calls += 1
            self._held.append(connected)
            if self._answer is not None:
                connected.recv(65_536)
                connected.sendall(self._answer)
                connected.shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        self._socket.close()
        for connected in self._held:
            connected.close()


@pytest.fixture(params=list(ANSWERS), ids=list(ANSWERS))
def bad(request: pytest.FixtureRequest) -> Iterator[BadGateway]:
    server = BadGateway(ANSWERS[request.param])
    yield server
    server.stop()


def adapter(bad: BadGateway) -> SandboxGateway:
    return SandboxGateway(base_url=bad.url, merchant="m", secret="s", timeout_ms=TIMEOUT_MS)


def test_scenario_15_answer_that_is_none_is_an_unknown_outcome_of_every_call(bad: BadGateway) -> None:
    gateway = adapter(bad)
    about = {"token": "t", "reference": "r", "order_id": "py_1", "amount_rial": 1_235_000}
    for ask in (
        lambda: gateway.request_token(order_id="py_1", amount_rial=1_235_000, callback_url="https://x.example"),
        lambda: gateway.verify(**about),  # type: ignore[arg-type]
        lambda: gateway.inquire(token="t", order_id="py_1"),
        lambda: gateway.reverse(**about),  # type: ignore[arg-type]
    ):
        with pytest.raises(OutcomeUnknown):
            ask()
    assert bad.calls == 4  # each is asked once: who repeats, and when, is decided elsewhere


def test_scenario_15_new_payment_goes_to_the_next_gateway_before_anybody_has_a_page(bad: BadGateway) -> None:
    w = world()
    down, other = adapter(bad), FakeGateway(w.clock, name="other")
    w = with_gateways(w, down, other)
    w.store.orders["TEHRAN", ""] = ["sandbox", "other"]
    payment = open_one(w)
    assert (payment.status, payment.gateway) == (Status.PENDING, "other")


def with_gateways(w: World, *gateways: object) -> World:
    return replace(w, desk=replace(w.desk, gateways=FakeGateways(gateways)))  # type: ignore[arg-type]


def test_scenario_15_without_another_gateway_the_answer_is_503_and_the_same_key_resumes() -> None:
    w = world()
    w.gateway.silent = 1
    made = quote(w.clock)
    w.store.quotes[made.assessment_id] = made
    asked = Asked((made.assessment_id,), "gateway", "", "")
    with pytest.raises(GatewayUnavailable) as refusal:
        create(w.desk, principal=CLERK, key="k1", asked=asked)
    assert (refusal.value.status, refusal.value.retry_after_s) == (503, 5)
    opened = create(w.desk, principal=CLERK, key="k1", asked=asked)
    assert w.store.payments[opened.payment_id].status is Status.PENDING
    assert len(w.store.payments) == 1


def test_scenario_15_payment_stays_open_while_the_gateway_hangs_and_is_asked_a_bounded_number_of_times() -> None:
    """Asked at most once a run of the sweep, so within the window in which the gateway would return the money."""
    w = world()
    payment = open_one(w)
    w.gateway.pay(payment.token)
    w.gateway.silent = 10**6
    callback(w, payment)
    calls, minutes = w.gateway.calls, 0
    while w.clock.now() + timedelta(minutes=1) <= payment.verify_until_at:
        w.clock.advance(timedelta(minutes=1))
        minutes += 1
        sweep(w)
        assert now_of(w, payment).status in OPEN
        with pytest.raises(DutyLocked):
            open_one(w, key=f"other{minutes}", number=2)
    assert w.gateway.calls - calls <= minutes
    assert minutes <= 32


def test_scenario_15_silence_opens_the_circuit_and_one_call_tries_again_after_a_rest() -> None:
    w = world()
    elapsed = [0.0]
    silent, other = FakeGateway(w.clock, name="silent", silent=10**6), FakeGateway(w.clock, name="other")
    breakers = Breakers(FakeGateways([silent, other]), lambda: elapsed[0])
    for _ in range(SILENCES_MAX + 5):
        with pytest.raises(OutcomeUnknown):
            breakers.get("silent").inquire(token="t", order_id="py_1")
    assert silent.calls == SILENCES_MAX
    assert breakers.get("other").inquire(token="t", order_id="py_1").state == "gone"  # usable all the while
    elapsed[0] = 31.0
    silent.silent = 0
    assert breakers.get("silent").inquire(token="t", order_id="py_1").state == "gone"
    assert silent.calls == SILENCES_MAX + 1
