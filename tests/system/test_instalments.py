"""Paid by instalments on the running system: agreed by two people, each part paid over another channel."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.system.conftest import Client, System
from tests.system.journey import (
    assess,
    certificate,
    follow_callback,
    paid_at_a_bank,
    paid_at_a_terminal,
    press,
    settled,
)
from tests.system.plates import plate_of

pytestmark = pytest.mark.system
CITY = "TABRIZ"
AGREEMENTS = "/v1/instalment-agreements"


def part(clerk: Client, agreement_id: str, **members: str) -> dict[str, Any]:
    body = {"agreement_id": agreement_id, **members}
    answer = clerk.post("/v1/payments", body, {"idempotency-key": uuid.uuid4().hex})
    assert answer.status == 201, answer.text
    payment: dict[str, Any] = answer.json
    return payment


def test_a_duty_is_paid_in_three_parts_over_three_channels(system: System) -> None:
    clerk, operator = system.client("clerk"), system.client("operator")
    plate = plate_of(CITY)
    quote = assess(clerk, plate, CITY)
    assert quote["instalments"]["parts_max"] == 6
    owed = [year["year"] for year in quote["years"] if year["amount_rial"] != "0"]
    made = clerk.post(AGREEMENTS, {"assessment_id": quote["assessment_id"], "parts": 3})
    assert made.status == 201, made.text
    own = f"{AGREEMENTS}/{made.json['agreement_id']}"
    assert clerk.post(f"{own}/approvals", {}).status == 403
    agreed = operator.post(f"{own}/approvals", {})
    assert (agreed.status, agreed.json["status"]) == (200, "in_force"), agreed.text
    assert sum(int(of["amount_rial"]) for of in agreed.json["parts"]) == int(agreed.json["total_rial"])
    whole = {"assessment_id": quote["assessment_id"], "channel": "gateway"}
    refused = clerk.post("/v1/payments", whole, {"idempotency-key": uuid.uuid4().hex})
    assert (refused.status, refused.json["code"]) == (409, "duty_by_instalments")
    again = assess(clerk, plate, CITY)
    assert (again["owed_rial"], again["by_instalments"]) == ("0", owed)
    standing = clerk.get(f"/v1/vehicles/{plate}").json
    assert {year["status"] for year in standing["years"] if year["year"] in owed} == {"by_instalments"}

    agreement_id = made.json["agreement_id"]
    first = part(clerk, agreement_id, channel="gateway")
    follow_callback(system.client(None), press(system.client(None), first))
    assert settled(system, clerk, first["payment_id"])["instalment"] == 1
    second = part(clerk, agreement_id, channel="bill")
    assert clerk.post("/v1/payments", {"agreement_id": agreement_id, "channel": "gateway"},
                      {"idempotency-key": uuid.uuid4().hex}).json["code"] == "bill_open"  # fmt: skip
    paid_at_a_bank(system, second, quote["as_of_jalali"])
    settled(system, clerk, second["payment_id"])
    third = paid_at_a_terminal(
        system, lambda terminal: part(clerk, agreement_id, channel="pos", terminal=terminal)
    )
    parts = [settled(system, clerk, of["payment_id"]) for of in (first, second, third)]
    papers = [certificate(system, clerk, of["certificate_id"]) for of in parts if "certificate_id" in of]
    assert [year["year"] for paper in papers for year in paper["years"]] == owed
    told = clerk.get(own).json
    assert (told["status"], told["paid_rial"], told["paid_years"]) == ("completed", told["total_rial"], owed)
    settled_now = assess(clerk, plate, CITY)
    assert settled_now["owed_rial"] == "0"
    assert "by_instalments" not in settled_now
    broken = operator.get(f"/v1/municipalities/{CITY}/invariants?day_jalali={quote['as_of_jalali']}").json
    mine = {first["payment_id"], second["payment_id"], third["payment_id"]}
    assert [of for of in broken["broken"] if of["of"] in mine] == []
