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
    start_payment,
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


def listed(reader: Client, agreement_id: str, status: str = "") -> dict[str, Any]:
    """The one row of the city's list that this agreement has, among all or those of a state."""
    answer = reader.get(f"/v1/municipalities/{CITY}/instalment-agreements" + (status and f"?status={status}"))
    assert answer.status == 200, answer.text
    (row,) = [one for one in answer.json["agreements"] if one["agreement_id"] == agreement_id]
    found: dict[str, Any] = row
    return found


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
    shown = listed(clerk, agreement_id)
    assert (shown["status"], shown["paid_parts"], shown["years"]) == ("in_force", 0, owed)
    assert shown["next"] == {**agreed.json["parts"][0], "overdue": False}
    first = part(clerk, agreement_id, channel="gateway")
    follow_callback(system.client(None), press(system.client(None), first))
    assert settled(system, clerk, first["payment_id"])["instalment"] == 1
    shown = listed(clerk, agreement_id)
    assert (shown["paid_parts"], shown["paid_rial"]) == (1, agreed.json["parts"][0]["amount_rial"])
    assert shown["next"] == {**agreed.json["parts"][1], "overdue": False}
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
    assert "next" not in listed(clerk, agreement_id, "completed")
    settled_now = assess(clerk, plate, CITY)
    assert settled_now["owed_rial"] == "0"
    assert "by_instalments" not in settled_now
    broken = operator.get(f"/v1/municipalities/{CITY}/invariants?day_jalali={quote['as_of_jalali']}").json
    mine = {first["payment_id"], second["payment_id"], third["payment_id"]}
    assert [of for of in broken["broken"] if of["of"] in mine] == []


def test_an_agreement_that_is_turned_down_is_listed_as_such_and_leaves_the_duty_payable(system: System) -> None:
    clerk, operator = system.client("clerk"), system.client("operator")
    plate = plate_of(CITY)
    quote = assess(clerk, plate, CITY)
    made = clerk.post(AGREEMENTS, {"assessment_id": quote["assessment_id"], "parts": 2}).json
    own = f"{AGREEMENTS}/{made['agreement_id']}"
    assert listed(clerk, made["agreement_id"])["status"] == "requested"
    assert clerk.post(f"{own}/rejections", {"reason": "not the clerk's to say"}).status == 403
    told = operator.post(f"{own}/rejections", {"reason": "owes the city otherwise"})
    assert (told.status, told.json["status"]) == (200, "rejected"), told.text
    row = listed(clerk, made["agreement_id"], "rejected")
    assert (row["status"], row["paid_rial"], "next" in row) == ("rejected", "0", False)
    assert clerk.get(own).json["rejection_reason"] == "owes the city otherwise"
    assert operator.post(f"{own}/approvals", {}).json["code"] == "agreement_conflict"
    refused = clerk.post("/v1/payments", {"agreement_id": made["agreement_id"], "channel": "gateway"},
                         {"idempotency-key": uuid.uuid4().hex})  # fmt: skip
    assert (refused.status, refused.json["code"]) == (409, "agreement_conflict")
    assert assess(clerk, plate, CITY)["owed_rial"] == quote["owed_rial"] != "0"
    whole = start_payment(clerk, quote)
    assert whole.status == 201, whole.text
