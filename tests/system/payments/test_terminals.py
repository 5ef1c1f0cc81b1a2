"""A sale at the office's terminal on the running system, and the closing of its day."""

from __future__ import annotations

import secrets
import uuid
from typing import Any

import pytest

from tests.system.conftest import Client, System
from tests.system.journey import assess, certificate
from tests.system.plates import fresh_plate

pytestmark = pytest.mark.system


def sale(clerk: Client, terminal: str) -> dict[str, Any]:
    quote = assess(clerk, fresh_plate())
    body = {"assessment_id": quote["assessment_id"], "channel": "pos", "terminal": terminal}
    opened = clerk.post("/v1/payments", body, {"idempotency-key": uuid.uuid4().hex})
    assert (opened.status, opened.json["status"]) == (201, "pending"), opened.text
    told: dict[str, Any] = opened.json
    return told


def test_a_terminals_day_from_the_sale_to_the_closing(system: System) -> None:
    clerk, other, operator = system.client("clerk"), system.client("clerk2"), system.client("operator")
    known = [one["terminal_id"] for one in clerk.get("/v1/terminals").json["terminals"]]
    assert "T-101" in known, "the demonstration's office has a terminal to sell at"
    terminal = f"T-{secrets.token_hex(4).upper()}"
    registered = {"office": "OFFICE-TEHRAN-101", "acquirer": "saman"}
    assert clerk.put(f"/v1/terminals/{terminal}", registered).status == 403
    assert operator.put(f"/v1/terminals/{terminal}", registered).status == 200
    assert other.get(f"/v1/terminals/{terminal}").json["code"] == "terminal_not_found"

    paid = sale(clerk, terminal)
    result = {"result": "approved", "reference": "700000000001", "amount_rial": paid["amount_rial"]}
    answer = clerk.post(f"/v1/payments/{paid['payment_id']}/pos-results", result)
    assert (answer.status, answer.json["status"]) == (200, "settled"), answer.text
    certificate(system, clerk, answer.json["certificate_id"])
    assert other.post(f"/v1/payments/{paid['payment_id']}/pos-results", result).json["code"] == "forbidden"

    lost, unsold = sale(clerk, terminal), sale(clerk, terminal)
    today = assess(clerk, fresh_plate())["as_of_jalali"]
    lines = [
        {"reference": "700000000001", "amount_rial": paid["amount_rial"]},
        {"reference": "700000000002", "amount_rial": lost["amount_rial"], "order_id": lost["payment_id"]},
        {"reference": "700000000003", "amount_rial": "50000"},
    ]
    closed = clerk.post(f"/v1/terminals/{terminal}/closings", {"day_jalali": today, "lines": lines})
    assert closed.status == 200, closed.text
    assert closed.json["variance_rial"] == "50000"
    assert clerk.get(f"/v1/payments/{lost['payment_id']}").json["status"] == "settled"
    assert clerk.get(f"/v1/payments/{unsold['payment_id']}").json["status"] == "cancelled"
    again = clerk.post(f"/v1/terminals/{terminal}/closings", {"day_jalali": today, "lines": lines})
    assert again.json == closed.json
