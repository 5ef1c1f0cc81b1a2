"""Money is never taken twice and never lost, over the running stack."""

from __future__ import annotations

from typing import Any

import pytest

from tests.system.conftest import System
from tests.system.journey import (
    assess,
    fetch_pdf,
    follow_callback,
    pay,
    press,
    settled,
    start_payment,
)
from tests.system.plates import fresh_plate

pytestmark = pytest.mark.system


def test_certificate_comes_at_once_after_a_clean_restart(system: System) -> None:
    pay(system, system.client("clerk"), fresh_plate())
    system.restart()
    clerk = system.client("clerk")
    paid = pay(system, clerk, fresh_plate())
    assert fetch_pdf(clerk, system.client(None), paid.certificate_id).startswith(b"%PDF-"), (
        "the stream woke the issuer"
    )


def test_forged_callbacks_change_nothing(system: System) -> None:
    clerk, anyone = system.client("clerk"), system.client(None)
    payment = start_payment(clerk, assess(clerk, fresh_plate())).json
    payment_id = payment["payment_id"]
    forged: list[str] = [
        "/v1/callbacks/sandbox",
        f"/v1/callbacks/sandbox?order_id={payment_id}&status=paid&reference=1&amount=1&token=x",
        f"/v1/callbacks/sandbox?order_id={payment_id}&state=OK&reference=../../x&amount=1e400&token=%00",
        "/v1/callbacks/nowhere?order_id=x",
    ]
    for address in forged:
        assert anyone.get(address).status in (200, 303, 404)
    state: dict[str, Any] = clerk.get(f"/v1/payments/{payment_id}").json
    assert state["status"] == "pending"
    follow_callback(anyone, press(anyone, payment))
    settled(system, clerk, payment_id)
