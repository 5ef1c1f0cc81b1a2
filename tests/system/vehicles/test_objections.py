"""An objection and a fleet on the running system: penalties pause, money is repaid, certificates give way."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.system.conftest import System
from tests.system.journey import (
    CERTIFICATE_TIMEOUT_S,
    assess,
    certificate,
    follow_callback,
    pay,
    press,
    settled,
)
from tests.system.plates import fresh_plate

pytestmark = pytest.mark.system
FLEET_TIMEOUT_S = 120.0


def test_an_accepted_objection_repays_and_replaces_the_certificate(system: System) -> None:
    clerk, officer, anonymous = system.client("clerk"), system.client("mashhad"), system.client(None)
    paid = pay(system, clerk, fresh_plate())
    certificate(system, clerk, paid.certificate_id)
    filed = clerk.post(
        "/v1/objections",
        {"assessment_id": paid.quote["assessment_id"], "reason": "wrong_price", "text": "قیمت درست نیست"},
    )
    assert filed.status == 201, filed.text
    address = f"/v1/objections/{filed.json['objection_id']}"
    assert system.client("tehran").get(address).status == 404
    assert clerk.post(f"{address}/decisions", {"outcome": "rejected", "reason": "x"}).status == 403
    half = str(int(paid.quote["vehicle"]["base_price_rial"]) // 2)
    decision = {"outcome": "accepted", "reason": "سند فروش", "facts": {"base_price_rial": half}}
    decided = officer.post(f"{address}/decisions", decision)
    assert decided.status == 200, decided.text
    assert int(decided.json["recomputed"]["overpaid_rial"]) > 0
    (superseded,) = decided.json["superseded"]
    new = certificate(system, clerk, superseded["superseded_by"], CERTIFICATE_TIMEOUT_S)
    assert new["status"] == "in_force"
    assert anonymous.get(f"/v1/verify/{paid.certificate_id}").json["verdict"] == "superseded"
    assert anonymous.get(f"/v1/verify/{superseded['superseded_by']}").json["verdict"] == "valid"
    assert assess(clerk, paid.plate)["vehicle"]["base_price_rial"] == half


def test_a_fleet_gets_a_verdict_for_every_row(system: System) -> None:
    clerk = system.client("clerk")
    listed = [fresh_plate() for _ in range(70)] + ["not a plate", fresh_plate(registered=False)]
    created = clerk.post("/v1/fleets", {"title": "ناوگان", "plates": listed})
    assert created.status == 201, created.text
    address = f"/v1/fleets/{created.json['fleet_id']}"

    def complete() -> dict[str, Any] | None:
        told: dict[str, Any] = clerk.get(address).json
        return told if told["status"] == "complete" else None

    done = system.wait_for(complete, FLEET_TIMEOUT_S)
    assert done["verdicts"] == {"owed": 70, "plate_malformed": 1, "vehicle_not_found": 1}
    rows = clerk.get(f"{address}/rows").json["rows"]
    assert sum(int(row.get("owed_rial", 0)) for row in rows) == int(done["owed_rial"])
    assert system.client("clerk2").get(address).status == 404
    pay_together(system, rows)


def pay_together(system: System, rows: list[dict[str, Any]]) -> None:
    """One payment for every good row: apportioned exactly, a certificate for each car."""
    clerk, anonymous = system.client("clerk"), system.client(None)
    quotes = [quote for row in rows for quote in row.get("quotes", ())]
    body = {"assessment_ids": [quote["assessment_id"] for quote in quotes], "channel": "gateway"}
    opened = clerk.post("/v1/payments", body, {"idempotency-key": uuid.uuid4().hex})
    assert (opened.status, opened.json["status"]) == (201, "created"), opened.text
    address = f"/v1/payments/{opened.json['payment_id']}"

    def ready() -> dict[str, Any] | None:
        told: dict[str, Any] = clerk.get(address).json
        return told if told["status"] == "pending" else None

    payment = system.wait_for(ready, FLEET_TIMEOUT_S)
    assert int(payment["amount_rial"]) == sum(int(quote["owed_rial"]) for quote in quotes)
    follow_callback(anonymous, press(anonymous, payment))
    settled(system, clerk, payment["payment_id"], FLEET_TIMEOUT_S)
    told = clerk.get(f"{address}/parts").json["parts"]
    assert len(told) == len(quotes)
    assert sum(int(part["amount_rial"]) for part in told) == int(payment["amount_rial"])
    for part in (told[0], told[-1]):
        certificate(system, clerk, part["certificate_id"], CERTIFICATE_TIMEOUT_S)
    paper = clerk.get(f"{address}/summary.pdf")
    assert (paper.status, paper.headers["content-type"], paper.body[:5]) == (200, "application/pdf", b"%PDF-")
    assert system.client("mashhad").get(f"{address}/summary.pdf").status == 404, "a joint payment is no city's"
    again = clerk.post("/v1/payments", body, {"idempotency-key": uuid.uuid4().hex})
    assert (again.status, again.json["code"]) == (409, "duty_paid"), again.text
