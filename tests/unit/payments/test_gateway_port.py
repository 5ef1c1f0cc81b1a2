"""What the port promises beyond one gateway: limits, shares, numbers of orders, claims that say less."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avarez.clock import FixedClock
from avarez.errors import OutcomeUnknown
from avarez.ids import drawn_from, new_id
from functions.pay.gateways.answers import masked, text_of, whole_or_none
from functions.pay.gateways.breaker import SILENCES_MAX, Breakers
from functions.pay.gateways.orders import order_number
from functions.pay.gateways.port import (
    Claim,
    Inquiry,
    NotReversible,
    Reversed,
    Share,
    TokenRefused,
    from_units,
    to_units,
    unfit,
)
from functions.pay.payments.arrival import receive
from functions.pay.payments.verification import AMOUNT_IN_INQUIRY, suspicion_of
from functions.pay.rules.states import Status
from tests.unit.payments.payments_fake import NOON, FakeGateway, FakeGateways, world
from tests.unit.payments.payments_steps import now_of, open_one


@given(st.integers(min_value=0, max_value=10**15), st.sampled_from([1, 10]))
def test_amount_goes_to_the_gateways_unit_and_back_or_not_at_all(amount_rial: int, rial_per_unit: int) -> None:
    if amount_rial % rial_per_unit:
        with pytest.raises(ValueError):
            to_units(amount_rial, rial_per_unit)
    else:
        assert from_units(to_units(amount_rial, rial_per_unit), rial_per_unit) == amount_rial


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2039, 9, 1)),  # noqa: DTZ001 - hypothesis wants naive bounds
    st.integers(min_value=0, max_value=(1 << 132) - 1),
)
def test_order_number_is_a_positive_number_of_63_bits_and_always_the_same(naive: datetime, noise: int) -> None:
    payment_id = new_id("py", naive.replace(tzinfo=UTC), noise)
    number = order_number(payment_id)
    assert 0 < number < 1 << 63
    assert number == order_number(payment_id)
    assert number >> 21 == int(naive.replace(tzinfo=UTC).timestamp() * 1000)


def test_order_numbers_of_different_milliseconds_differ() -> None:
    with drawn_from(Random(0).getrandbits):  # behind no id of a later clock, of whose millisecond all would be
        numbers = {order_number(new_id("py", NOON + timedelta(milliseconds=step))) for step in range(2_000)}
    assert len(numbers) == 2_000


def test_order_numbers_of_one_process_and_one_millisecond_are_seldom_shared() -> None:
    with drawn_from(Random(0).getrandbits):
        numbers = {order_number(new_id("py", NOON)) for _ in range(5_000)}
    assert len(numbers) == 5_000


@pytest.mark.parametrize("text", ["", "py_1", "as_" + "0" * 36, "py_" + "u" * 36, "7"])
def test_order_number_of_what_is_no_payment_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        order_number(text)


def test_amount_outside_the_limits_and_shares_that_cannot_be_paid_are_unfit() -> None:
    gateway = FakeGateway(FixedClock(NOON))
    shares = [Share("IR1", 600), Share("IR2", 400)]
    assert unfit(gateway, 1_000, (), can_share=False) is None
    assert unfit(gateway, 1_000, shares, can_share=True) is None
    assert unfit(gateway, 1_000, shares, can_share=False) == TokenRefused("shares")
    assert unfit(gateway, 999, (), can_share=True) == TokenRefused("amount")
    assert unfit(gateway, 10**15 + 1, (), can_share=True) == TokenRefused("amount")


@pytest.mark.parametrize("parts", [[1_001], [600, 399], [1_000, 0], [1_100, -100]])
def test_shares_that_are_not_the_amount_are_a_mistake_of_ours(parts: list[int]) -> None:
    shares = [Share("IR1", part) for part in parts]
    with pytest.raises(ValueError):
        unfit(FakeGateway(FixedClock(NOON)), 1_000, shares, can_share=True)


@pytest.mark.parametrize(
    ("value", "whole"),
    [
        (5, 5),
        ("5", 5),
        (True, None),
        (-1, None),
        ("-1", None),
        ("1e3", None),
        ("۵", None),
        (1.0, None),
        (None, None),
    ],
)
def test_whole_number_of_an_answer_is_read_strictly(value: object, whole: int | None) -> None:
    assert whole_or_none(value) == whole


def test_text_of_an_answer_is_bounded_and_a_bare_card_is_never_kept() -> None:
    assert text_of({"a": "x" * 81}, "a") == ""
    assert text_of({"a": 12}, "a") == "12"
    assert masked("621986****8080") == "621986****8080"
    assert masked("6219861012348080") == ""


def test_inquiry_that_tells_no_amount_gives_no_cause_for_suspicion() -> None:
    payment = open_one(world())
    assert suspicion_of(Inquiry("paid", "r", None), payment) == ""
    assert suspicion_of(Inquiry("paid", "r", payment.amount_rial), payment) == ""
    assert suspicion_of(Inquiry("paid", "r", payment.amount_rial + 1), payment) == AMOUNT_IN_INQUIRY


@pytest.mark.parametrize("names_amount", [False, True])
def test_callback_of_a_gateway_that_names_no_amount_settles_and_a_missing_one_does_not(names_amount: bool) -> None:
    w = world()
    payment = open_one(w)
    reference = w.gateway.pay(payment.token)
    claim = Claim(payment.payment_id, payment.token, "paid", reference, None, names_amount)
    w.gateway.read_callback = lambda fields: claim  # type: ignore[method-assign]
    receive(w.desk, gateway_name="sandbox", fields={})
    assert now_of(w, payment).status is (Status.SUSPENSE if names_amount else Status.SETTLED)


def test_callback_of_a_gateway_that_names_no_token_is_heard_and_a_wrong_token_is_not() -> None:
    w = world()
    payment = open_one(w)
    reference = w.gateway.pay(payment.token)
    claim = Claim(payment.payment_id, "another", "paid", reference, payment.amount_rial)
    w.gateway.read_callback = lambda fields: claim  # type: ignore[method-assign]
    assert receive(w.desk, gateway_name="sandbox", fields={}) is None
    w.gateway.read_callback = lambda fields: replace(claim, token=None)  # type: ignore[method-assign]
    receive(w.desk, gateway_name="sandbox", fields={})
    assert now_of(w, payment).status is Status.SETTLED


def test_reversal_goes_through_the_breaker_and_stops_at_a_silent_gateway() -> None:
    gateway = FakeGateway(FixedClock(NOON))
    behind = Breakers(FakeGateways([gateway])).get("sandbox")
    token = gateway.request_token(order_id="py_1", amount_rial=1_000, callback_url="")
    assert not isinstance(token, TokenRefused)
    asked = {"token": token.token, "order_id": "py_1", "amount_rial": 1_000}
    assert behind.reverse(reference="none", **asked) == NotReversible("not_found")  # type: ignore[arg-type]
    reference = gateway.pay(token.token)
    assert behind.reverse(reference=reference, **asked) == Reversed(already=False)  # type: ignore[arg-type]
    assert behind.reverse(reference=reference, **asked) == Reversed(already=True)  # type: ignore[arg-type]
    gateway.silent = 100
    for _ in range(SILENCES_MAX + 2):
        with pytest.raises(OutcomeUnknown):
            behind.reverse(reference=reference, **asked)  # type: ignore[arg-type]
    assert gateway.silent == 100 - SILENCES_MAX
