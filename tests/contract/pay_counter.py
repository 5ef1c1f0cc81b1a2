"""Payments over DynamoDB (moto), with a record of every call of AWS that they make.

A transaction is authorised as its parts, each on the table it writes to.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from moto import mock_aws

from avarez.dynamo import Table
from functions.pay import sweep as sweep_function
from functions.pay import verify_queue
from functions.pay.counter import agreements as agreements_function
from functions.pay.counter import refunds as refunds_function
from functions.pay.payments import instalments
from functions.pay.payments.arrival import receive
from functions.pay.payments.joint import opening as joint
from functions.pay.payments.opening import Asked, create
from functions.pay.returns import callback as callback_function
from functions.pay.rules.instalments import Agreement
from functions.pay.rules.records import Payment
from functions.pay.stores.payment_store import DynamoStore
from infra.routes import QueueGrant, TableGrant, entry_point
from tests.contract.payments.test_payment_store import make_tables, quote_writer
from tests.unit.payments.payments_fake import CLERK, World, quote, world

Used = set[tuple[str, str]]


@dataclass
class Recorder:
    """A client of DynamoDB that notes the table and the action of each call."""

    dynamodb: Any
    used: Used = field(default_factory=set)

    def __getattr__(self, name: str) -> Any:
        return functools.partial(self._call, name)

    def _call(self, name: str, **request: Any) -> Any:
        if name == "transact_write_items":
            for part in request["TransactItems"]:
                ((kind, write),) = part.items()
                action = {"ConditionCheck": "ConditionCheckItem"}.get(kind, f"{kind}Item")
                self.used.add((write["TableName"], action))
        elif name == "batch_get_item":
            self.used.update((table, "BatchGetItem") for table in request["RequestItems"])
        else:
            self.used.add((request["TableName"], "".join(word.title() for word in name.split("_"))))
        return getattr(self.dynamodb, name)(**request)


@dataclass
class Counter:
    """A world over the real store, with the calls it made."""

    w: World
    recorder: Recorder
    duty: Table

    def used(self, act: Callable[[], object]) -> Used:
        self.recorder.used.clear()
        act()
        return set(self.recorder.used)

    def open(self, number: int) -> Payment:
        made = quote(self.w.clock, number, vehicle_id=f"ve_{number}", plate=f"12B3{number:02d}-67")
        quote_writer(Table("duty", self.recorder.dynamodb))(made)
        opened = create(
            self.w.desk, principal=CLERK, key=f"k{number}", asked=Asked((made.assessment_id,), "gateway", "", "")
        )
        return self.now_of(opened.payment_id)

    def now_of(self, payment_id: str) -> Payment:
        payment = self.w.desk.store.payment(payment_id)
        assert payment is not None
        return payment

    def callback(self, payment: Payment, state: str = "paid", reference: str = "") -> None:
        fields = {
            "order_id": payment.payment_id,
            "token": payment.token,
            "state": state,
            "reference": reference or self.w.gateway.slips[payment.token].reference,
            "amount": str(payment.amount_rial),
        }
        receive(self.w.desk, gateway_name="sandbox", fields=fields)

    def open_joint(self, number: int, count: int) -> Payment:
        """A joint payment of `count` cars, numbered from `number` on."""
        ids = []
        for of in range(number, number + count):
            made = quote(self.w.clock, of, vehicle_id=f"ve_{of}", plate=f"12B{of:03d}-67")
            quote_writer(Table("duty", self.recorder.dynamodb))(made)
            ids.append(made.assessment_id)
        asked = Asked(tuple(ids), "gateway", "", "")
        opened = joint.create(self.w.desk, principal=CLERK, key=f"j{number}", asked=asked)
        return self.now_of(opened.payment_id)

    def agreement(self, number: int, parts: int = 2) -> Agreement:
        """An agreement in force over the two years of a car of its own."""
        terms = {
            "parts_max": 6, "every_months": 1, "grace_days": 10, "least_rial": "1000", "surcharge_ppm": 0,
        }  # fmt: skip
        vehicle, plate = f"ve_{number}", f"12B3{number:02d}-67"
        made = quote(self.w.clock, number, vehicle_id=vehicle, plate=plate, instalments=terms)
        quote_writer(Table("duty", self.recorder.dynamodb))(made)
        asked = instalments.request(self.w.desk, principal=CLERK, assessment_id=made.assessment_id, parts=parts)
        return instalments.approve(self.w.desk, asked, by="officer")

    def part(self, agreement: Agreement, key: str = "") -> Payment:
        """A payment of the agreement's next part, with its page."""
        asked = Asked((), "gateway", "", "", agreement_id=agreement.agreement_id)
        opened = create(self.w.desk, principal=CLERK, key=key or agreement.agreement_id, asked=asked)
        return self.now_of(opened.payment_id)

    def paid_part(self, agreement: Agreement, key: str) -> Payment:
        payment = self.part(agreement, key)
        self.w.gateway.pay(payment.token)
        self.callback(payment)
        return self.now_of(payment.payment_id)

    def verifying(self, number: int) -> Payment:
        payment = self.open(number)
        self.w.gateway.pay(payment.token)
        self.w.gateway.silent = 1
        self.callback(payment)
        return self.now_of(payment.payment_id)


def running_counter(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        duty, _ = make_tables()
        recorder = Recorder(duty.dynamodb)
        recorded = Table("duty", recorder)
        w = world(DynamoStore(recorded, Table("ledger", recorder)))
        for module in (callback_function, verify_queue, sweep_function, refunds_function, agreements_function):
            monkeypatch.setattr(module, "desk", lambda: w.desk)
        yield Counter(w, recorder, duty)


def granted(name: str) -> Used:
    return {
        (grant.table, action)
        for grant in entry_point(name).grants
        if isinstance(grant, TableGrant) and not grant.indexes
        for action in grant.actions
    }


def sends(name: str) -> bool:
    return QueueGrant("verify-payment") in entry_point(name).grants
