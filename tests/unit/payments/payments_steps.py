"""Steps that the tests of payments share: open one, come back from the gateway, sweep, look."""

from __future__ import annotations

from typing import Any

from avarez.http.principal import Principal
from functions.pay.payments import reconciliation
from functions.pay.payments.arrival import receive
from functions.pay.payments.opening import Asked, create
from functions.pay.rules.records import Payment
from functions.pay.rules.states import Occurrence
from tests.unit.payments.payments_fake import CLERK, World, quote

AMOUNT = "1235000"


def open_one(w: World, key: str = "k1", number: int = 1, who: Principal = CLERK, **changes: Any) -> Payment:
    made = quote(w.clock, number, **changes)
    w.store.quotes[made.assessment_id] = made
    opened = create(w.desk, principal=who, key=key, asked=Asked((made.assessment_id,), "gateway", "", ""))
    payment = w.store.payment(opened.payment_id)
    assert payment is not None
    return payment


def callback(w: World, payment: Payment, state: str = "paid", **changes: str) -> Payment | None:
    fields = {
        "order_id": payment.payment_id,
        "token": payment.token,
        "state": state,
        "reference": w.gateway.slips[payment.token].reference,
        "amount": str(payment.amount_rial),
        **changes,
    }
    return receive(w.desk, gateway_name="sandbox", fields=fields)


def now_of(w: World, payment: Payment) -> Payment:
    current = w.store.payment(payment.payment_id)
    assert current is not None
    return current


def sweep(w: World) -> reconciliation.Summary:
    return reconciliation.sweep(w.desk, time_left=lambda: True)


def occurrences(w: World, payment: Payment) -> list[Occurrence]:
    return [event.occurrence for event in w.store.events(payment)]
