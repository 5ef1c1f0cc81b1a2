"""The entry points of payments over DynamoDB (moto): what they do, and that they need exactly their grants.

Every call of AWS is recorded. A transaction is authorised as its parts, each on the table it writes to.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from avarez import keys
from avarez.dynamo import client
from avarez.errors import DutyLocked
from functions.pay import sweep as sweep_function
from functions.pay import verify_queue
from functions.pay.payments import reconciliation
from functions.pay.payments.arrival import receive
from functions.pay.payments.cancellation import cancel
from functions.pay.payments.opening import Asked, create
from functions.pay.rules.states import Status
from functions.pay.wiring import SqsQueue
from tests.contract.pay_counter import Counter, granted, sends
from tests.contract.payments.test_payment_store import quote_writer
from tests.unit.payments.payments_fake import CLERK, Crash, FakeGateway, FakeQueue, quote

# --- grants ---------------------------------------------------------------------------------------------


def test_opening_reading_and_cancelling_use_exactly_what_the_handler_is_granted(counter: Counter) -> None:
    def everything() -> None:
        payment = counter.open(1)
        counter.w.desk.store.events(payment)
        cancel(counter.w.desk, payment, CLERK)
        paid = counter.open(2)
        counter.w.gateway.pay(paid.token)
        with pytest.raises(Exception, match="cancelled"):
            cancel(counter.w.desk, paid, CLERK)
        counter.open_joint(100, 3)

    reassessing = {("duty", "BatchGetItem")}  # the fresh quote of `quote_expired` looks its duty years up
    assert counter.used(everything) | reassessing == granted("pay-handler")
    assert sends("pay-handler")


def test_callbacks_use_exactly_what_they_are_granted(counter: Counter) -> None:
    payments = [counter.open(number) for number in range(1, 5)]
    together = counter.open_joint(100, 2)
    agreement = counter.agreement(50)
    part = counter.part(agreement)

    def everything() -> None:
        counter.w.gateway.pay(part.token)
        counter.callback(part)
        counter.w.gateway.pay(payments[0].token)
        counter.callback(payments[0])
        counter.callback(payments[1], reference="lie")
        counter.w.gateway.abandon(payments[2].token)
        counter.callback(payments[2], "cancelled")
        counter.w.gateway.slips[payments[3].token].amount_rial += 1
        counter.w.gateway.pay(payments[3].token)
        counter.callback(payments[3])
        counter.w.gateway.pay(together.token)
        counter.callback(together)

    assert counter.used(everything) == granted("pay-callback")
    assert sends("pay-callback")


def test_queue_uses_exactly_what_it_is_granted(counter: Counter) -> None:
    settles, returns, waits = (counter.verifying(number) for number in (1, 2, 3))
    counter.w.gateway.slips[returns.token].state = "reversed"
    counter.w.gateway.slips[waits.token].reference = "another"

    counter.w.queue.messages.clear()
    many = counter.open_joint(100, 65)

    def everything() -> None:
        for payment in (settles, returns, waits):
            reconciliation.retry(counter.w.desk, payment.payment_id)
        for number in range(4):
            reconciliation.retry(counter.w.desk, many.payment_id, number)

    assert counter.used(everything) == granted("pay-verify-queue")
    assert [counter.now_of(p.payment_id).status for p in (settles, returns, waits)] == [
        Status.SETTLED,
        Status.EXPIRED,
        Status.PENDING,
    ]
    assert counter.now_of(many.payment_id).status is Status.PENDING
    assert sends("pay-verify-queue")


def test_sweep_uses_exactly_what_it_is_granted(counter: Counter) -> None:
    paid, unpaid = counter.open(1), counter.open(2)
    counter.w.gateway.pay(paid.token)
    many = counter.open_joint(100, 65)
    counter.w.queue.messages.clear()

    def everything() -> None:
        for _ in range(20):
            counter.w.clock.advance(timedelta(minutes=1))
            sweep_function.handle({}, None)

    assert counter.used(everything) == granted("pay-sweep")
    assert counter.now_of(paid.payment_id).status is Status.SETTLED
    assert counter.now_of(unpaid.payment_id).status is Status.EXPIRED
    assert counter.now_of(many.payment_id).status is Status.EXPIRED
    assert {of["payment_id"] for of in counter.w.queue.messages} == {many.payment_id}
    assert sends("pay-sweep")


# --- the queue ------------------------------------------------------------------------------------------


def message(body: str, message_id: str) -> dict[str, Any]:
    return {
        "messageId": message_id,
        "receiptHandle": "h",
        "body": body,
        "attributes": {},
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:verify-payment",
        "awsRegion": "us-east-1",
    }


def test_messages_that_name_no_payment_fail_alone_and_the_others_are_verified_once(counter: Counter) -> None:
    payment = counter.verifying(1)
    good = json.dumps({"payment_id": payment.payment_id})
    bodies = [
        good,
        "{",
        "null",
        '{"payment_id": null}',
        '{"payment_id": "py_1"}',
        "[" * 900,
        " " * 2_000 + good,
        good,
        json.dumps({"payment_id": "py_" + "0" * 36}),
    ]
    records = [message(body, f"m{number}") for number, body in enumerate(bodies)]
    answer = verify_queue.handle({"Records": records}, None)
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == [
        "m1",
        "m2",
        "m3",
        "m4",
        "m5",
        "m6",
    ]
    assert counter.now_of(payment.payment_id).status is Status.SETTLED
    assert len(counter.w.desk.store.events(payment)) == 4


def test_silent_gateway_leaves_the_message_done_and_the_payment_to_the_sweep(counter: Counter) -> None:
    payment = counter.verifying(1)
    counter.w.gateway.silent = 1
    body = json.dumps({"payment_id": payment.payment_id})
    assert verify_queue.handle({"Records": [message(body, "m0")]}, None) == {"batchItemFailures": []}
    assert counter.now_of(payment.payment_id).status is Status.VERIFYING
    counter.w.clock.advance(timedelta(seconds=31))
    assert sweep_function.handle({}, None) == {
        "looked_at": 1,
        "moved": 1,
        "left": 0,
        "failed": 0,
        "oldest_unresolved_s": 0,
    }
    assert counter.now_of(payment.payment_id).status is Status.SETTLED


def test_sweep_says_what_it_did_in_one_line(counter: Counter, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        assert sweep_function.handle({}, None) == {
            "looked_at": 0,
            "moved": 0,
            "left": 0,
            "failed": 0,
            "oldest_unresolved_s": 0,
        }
    assert [record.getMessage() for record in caplog.records] == ["payments_swept"]


def test_queue_that_cannot_be_reached_fails_no_payment(counter: Counter) -> None:
    queue = SqsQueue("https://sqs.us-east-1.amazonaws.com/000000000000/nowhere")
    desk = replace(counter.w.desk, queue=queue)
    payment = counter.open(1)
    counter.w.gateway.pay(payment.token)
    counter.w.gateway.silent = 1
    fields = {"order_id": payment.payment_id, "token": payment.token, "state": "paid", "reference": "ref0"}
    after = receive(desk, gateway_name="sandbox", fields={**fields, "amount": str(payment.amount_rial)})
    assert after is not None
    assert after.status is Status.VERIFYING
    SqsQueue("").send({"payment_id": payment.payment_id})
    client.cache_clear()  # this one belongs to the mock


# --- crashes and plates ---------------------------------------------------------------------------------


def test_process_killed_between_the_transaction_and_the_page_is_resumed_by_the_same_key(counter: Counter) -> None:
    gateway, w = counter.w.gateway, counter.w

    def killed(**_: object) -> None:
        raise Crash

    gateway.request_token = killed  # type: ignore[method-assign,assignment]
    with pytest.raises(Crash):
        counter.open(1)
    replay = w.desk.store.replay(CLERK.username, "POST /v1/payments", "k1")
    assert replay is not None
    assert counter.now_of(replay.payment_id).status is Status.CREATED
    del gateway.request_token
    again = create(
        w.desk, principal=CLERK, key="k1", asked=Asked((quote(w.clock, 1).assessment_id,), "gateway", "", "")
    )
    assert (again.payment_id, again.replayed) == (replay.payment_id, True)
    assert counter.now_of(again.payment_id).status is Status.PENDING
    assert isinstance(gateway, FakeGateway)
    assert [slip.order_id for slip in gateway.slips.values()] == [again.payment_id]
    assert isinstance(w.queue, FakeQueue)


def test_plate_that_passed_from_car_to_car_is_paid_for_each_car(counter: Counter) -> None:
    w = counter.w
    for number, vehicle in enumerate(("ve_old", "ve_new"), start=1):
        made = quote(w.clock, number, vehicle_id=vehicle, as_of=date(2026, 11, 23))
        quote_writer(counter.duty)(made)
        asked = Asked((made.assessment_id,), "gateway", "", "")
        payment = counter.now_of(create(w.desk, principal=CLERK, key=vehicle, asked=asked).payment_id)
        w.gateway.pay(payment.token)
        counter.callback(payment)
        assert counter.now_of(payment.payment_id).status is Status.SETTLED
        decides = counter.duty.get(keys.duty(vehicle, 1403))
        assert decides is not None
        assert (decides["status"], decides["amount_rial"], decides["payment_id"]) == (
            "paid",
            1_000_000,
            payment.payment_id,
        )
    noted = counter.duty.query(keys.collection("TEHRAN", "12B345-67"), keys.OBLIGATION_PREFIX)
    assert sorted((item["sk"], item["vehicle_id"]) for item in noted) == [
        ("OBLIGATION#1403", "ve_old"),
        ("OBLIGATION#1403#ve_new", "ve_new"),
        ("OBLIGATION#1404", "ve_old"),
        ("OBLIGATION#1404#ve_new", "ve_new"),
    ]
    assert all("plate" not in item for item in noted)


def test_refused_payer_is_told_why_while_somebody_writes(counter: Counter) -> None:
    """A transaction of reads is cancelled by any write under way: in a race a failure, not a 409."""

    def cancelled(**_: object) -> None:
        raise AssertionError("a transaction of reads conflicts with the writes that it asks about")

    counter.recorder.transact_get_items = cancelled  # type: ignore[attr-defined]
    counter.open(1)
    with pytest.raises(DutyLocked) as refused:
        create(
            counter.w.desk,
            principal=CLERK,
            key="other",
            asked=Asked((quote(counter.w.clock, 1).assessment_id,), "gateway", "", ""),
        )
    assert refused.value.extra["locked_until_at"] == "2026-11-23T08:47:00.000Z"
