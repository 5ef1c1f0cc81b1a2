"""Opening a payment: the key, the quote, the lease, the page."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from avarez.errors import (
    AssessmentNotFound,
    AvarezError,
    DutyLocked,
    GatewayUnavailable,
    IdempotencyMismatch,
    NothingOwed,
    OutcomeUnknown,
    PaymentNotFound,
    QuoteExpired,
    QuoteNotPayable,
    ReturnUrlRefused,
)
from functions.pay.gateways.breaker import Breakers
from functions.pay.gateways.port import Token
from functions.pay.payments.opening import Asked, create, find
from functions.pay.rules.fees import Fee
from functions.pay.rules.states import Status
from tests.unit.payments.payments_fake import (
    CLERK,
    NOON,
    OTHER_CLERK,
    Crash,
    FakeGateway,
    FakeGateways,
    World,
    quote,
    world,
)
from tests.unit.payments.payments_steps import AMOUNT, open_one, sweep


def test_open_payment_is_pending_with_page_and_lease() -> None:
    w = world()
    payment = open_one(w)
    assert payment.status is Status.PENDING
    assert payment.expires_at == NOON + timedelta(minutes=17)
    assert payment.answer is not None
    assert payment.answer["amount_rial"] == AMOUNT
    assert payment.answer["fee_rial"] == "0"
    assert {holder["payment_id"] for holder in w.store.duties.values()} == {payment.payment_id}


def test_fee_comes_on_top() -> None:
    w = world()
    w.store.fees["TEHRAN"] = Fee(12_000)
    payment = open_one(w)
    assert payment.amount_rial == 1_247_000
    assert w.gateway.slips[payment.token].amount_rial == 1_247_000


def test_same_key_and_body_replays_the_first_answer() -> None:
    w = world()
    payment = open_one(w)
    again = create(w.desk, principal=CLERK, key="k1", asked=Asked((payment.assessment_id,), "gateway", "", ""))
    assert again.replayed
    assert again.answer == payment.answer
    assert len(w.store.payments) == 1


def test_same_key_with_another_body_is_a_mismatch() -> None:
    w = world()
    payment = open_one(w)
    with pytest.raises(IdempotencyMismatch):
        create(w.desk, principal=CLERK, key="k1", asked=Asked((payment.assessment_id,), "gateway", "sandbox", ""))


def test_key_of_another_caller_is_another_key() -> None:
    w = world()
    payment = open_one(w)
    with pytest.raises(DutyLocked):
        create(
            w.desk,
            principal=replace(OTHER_CLERK, serves=("*",)),
            key="k1",
            asked=Asked((payment.assessment_id,), "gateway", "", ""),
        )


def test_crash_between_creation_and_page_is_resumed_by_the_same_key() -> None:
    w = world()
    w.store.crash_after_writes = 0
    with pytest.raises(Crash):
        open_one(w)
    payment = open_one(w)
    assert payment.status is Status.PENDING
    assert len(w.store.payments) == 1


def test_silent_gateway_leaves_a_payment_that_the_same_key_resumes() -> None:
    w = world()
    w.gateway.silent = 1
    with pytest.raises(GatewayUnavailable):
        open_one(w)
    assert open_one(w).status is Status.PENDING
    assert len(w.store.payments) == 1


def test_page_is_not_opened_when_it_would_outlive_the_lease() -> None:
    w = world()
    w.gateway.silent = 1
    with pytest.raises(GatewayUnavailable):
        open_one(w)
    w.clock.advance(timedelta(minutes=2, seconds=1))
    with pytest.raises(GatewayUnavailable):
        open_one(w)
    sweep(w)
    (payment,) = w.store.payments.values()
    assert payment.status is Status.EXPIRED
    assert w.store.duties == {}


def test_refused_token_fails_the_payment_and_frees_the_duties() -> None:
    w = world()
    w.gateway.refuse_tokens = True
    with pytest.raises(GatewayUnavailable):
        open_one(w)
    (payment,) = w.store.payments.values()
    assert payment.status is Status.FAILED
    assert w.store.duties == {}
    with pytest.raises(GatewayUnavailable):
        open_one(w)
    assert len(w.store.payments) == 1


def test_locked_duty_tells_until_when_and_to_its_owner_which_payment() -> None:
    w = world()
    first = open_one(w)
    with pytest.raises(DutyLocked) as refused:
        open_one(w, key="k2", number=2)
    assert refused.value.extra == {
        "locked_until_at": "2026-11-23T08:47:00.000Z",
        "payment_id": first.payment_id,
    }
    with pytest.raises(DutyLocked) as refused:
        open_one(w, key="k3", number=3, who=replace(OTHER_CLERK, serves=("*",)))
    assert "payment_id" not in refused.value.extra
    assert w.reports.count("lease_conflict") == 2


def test_lapsed_lease_may_be_taken() -> None:
    w = world()
    open_one(w)
    w.clock.advance(timedelta(minutes=17, seconds=1))
    assert open_one(w, key="k2", number=2).status is Status.PENDING


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"as_of": date(2026, 11, 22)}, QuoteNotPayable),
        ({"as_of": date(2026, 11, 22), "expires_at": datetime(2026, 11, 22, 20, 30, tzinfo=UTC)}, QuoteExpired),
        ({"owed_rial": 0, "years": (), "rounding_rial": 0}, NothingOwed),
    ],
)
def test_quote_that_cannot_be_paid_is_refused(changes: dict[str, Any], error: type[AvarezError]) -> None:
    w = world()
    with pytest.raises(error):
        open_one(w, **changes)
    assert w.store.payments == {}


def test_quote_expires_at_midnight_in_tehran_and_hands_out_a_fresh_one() -> None:
    w = world()
    w = replace(w, desk=replace(w.desk, reassess=lambda quote, now, username: {"assessment_id": "as_new"}))
    w.clock.instant = datetime(2026, 11, 23, 20, 30, tzinfo=UTC)
    with pytest.raises(QuoteExpired) as refused:
        open_one(w)
    assert refused.value.extra["assessment"] == {"assessment_id": "as_new"}
    w.clock.advance(timedelta(milliseconds=-1))
    assert open_one(w).status is Status.PENDING


def test_quote_of_a_city_out_of_reach_does_not_exist() -> None:
    w = world()
    with pytest.raises(AssessmentNotFound):
        open_one(w, who=OTHER_CLERK)


def test_payment_of_a_city_out_of_reach_does_not_exist() -> None:
    w = world()
    payment = open_one(w)
    with pytest.raises(PaymentNotFound):
        find(w.desk, principal=OTHER_CLERK, payment_id=payment.payment_id)


@pytest.mark.parametrize(
    "return_url",
    [
        "https://evil.example/",
        "https://avarez.example.evil.example/",
        "https://avarez.example@evil.example/",
        "https://evil.example\\@avarez.example/",
        "//avarez.example/x",
        "http://avarez.example/",
        "https://avarez.example:8443/",
        "https://avarez.example\t/",
        "javascript:alert(1)",
        "https://[",
    ],
)
def test_return_url_on_no_registered_origin_is_refused(return_url: str) -> None:
    w = world()
    with pytest.raises(ReturnUrlRefused):
        create(w.desk, principal=CLERK, key="k", asked=Asked(("as_x",), "gateway", "", return_url))


def two_gateways(w: World) -> FakeGateway:
    """A second gateway, tried after the first."""
    second = FakeGateway(w.clock, name="second", page_lifetime=timedelta(minutes=20))
    w.desk = replace(w.desk, gateways=FakeGateways([w.gateway, second]))
    w.store.orders["TEHRAN", ""] = ("sandbox", "second")
    return second


@pytest.mark.parametrize("fault", ["silent", "lost", "refuses"])
def test_gateway_that_fails_gives_way_to_the_next_before_anybody_has_a_page(fault: str) -> None:
    w = world()
    second = two_gateways(w)
    w.gateway.silent, w.gateway.lost = int(fault == "silent"), int(fault == "lost")
    w.gateway.refuse_tokens = fault == "refuses"
    payment = open_one(w)
    assert (payment.gateway, payment.status) == ("second", Status.PENDING)
    assert payment.answer is not None
    assert payment.answer["gateway"] == "second"
    assert payment.token in second.slips
    assert "gateway_changed" in w.reports


def test_office_may_have_its_own_list_and_a_wish_stands_over_both() -> None:
    w = world()
    two_gateways(w)
    w.store.orders["TEHRAN", "of1"] = ("second",)
    assert open_one(w).gateway == "second"
    made = quote(w.clock, 5, vehicle_id="ve_5")
    w.store.quotes[made.assessment_id] = made
    asked = Asked((made.assessment_id,), "gateway", "sandbox", "")
    opened = create(w.desk, principal=CLERK, key="k5", asked=asked)
    assert w.store.payments[opened.payment_id].gateway == "sandbox"


def test_gateway_that_does_not_take_such_an_amount_is_passed_over() -> None:
    w = world()
    two_gateways(w)
    w.gateway.amount_max_rial = 1_000_000
    assert open_one(w).gateway == "second"


def test_when_all_fail_the_same_key_resumes_at_the_last() -> None:
    w = world()
    second = two_gateways(w)
    w.gateway.silent = second.silent = 1
    with pytest.raises(GatewayUnavailable):
        open_one(w)
    (payment,) = w.store.payments.values()
    assert (payment.gateway, payment.status) == ("second", Status.CREATED)
    assert open_one(w).status is Status.PENDING


def test_silent_gateway_rests_and_is_tried_again() -> None:
    w = world()
    elapsed = [0.0]
    breakers = Breakers(FakeGateways([w.gateway]), lambda: elapsed[0])
    gateway = breakers.get("sandbox")
    w.gateway.silent = 3
    for _ in range(5):
        with pytest.raises(OutcomeUnknown):
            gateway.request_token(order_id="py_1", amount_rial=1_000, callback_url="https://x")
    assert w.gateway.calls == 3
    elapsed[0] = 30.0
    assert isinstance(gateway.request_token(order_id="py_1", amount_rial=1_000, callback_url="https://x"), Token)


def test_payer_is_sent_past_a_gateway_that_rests_but_to_it_when_there_is_no_other() -> None:
    w = world()
    second = two_gateways(w)
    w.desk = replace(w.desk, gateways=Breakers(w.desk.gateways, lambda: 0.0, refuses=False))
    w.gateway.silent = 3
    for number in range(3):
        open_one(w, key=f"a{number}", number=number + 10, vehicle_id=f"ve_{number}")
    assert w.gateway.calls == 3
    assert open_one(w, key="b", number=20, vehicle_id="ve_20").gateway == "second"
    assert w.gateway.calls == 3
    w.store.orders["TEHRAN", ""] = ("sandbox",)
    assert open_one(w, key="c", number=21, vehicle_id="ve_21").gateway == "sandbox"
    assert len(second.slips) == 4


def test_breaker_uses_the_gateway_that_the_set_has_now() -> None:
    w = world()
    breakers = Breakers(w.desk.gateways, refuses=False)
    assert breakers.get("sandbox").page_lifetime == timedelta(minutes=15)
    w.gateway.page_lifetime = timedelta(minutes=9)  # its secret was rotated
    assert breakers.get("sandbox").page_lifetime == timedelta(minutes=9)
