"""What a city sets up for itself, on the running system."""

from __future__ import annotations

from typing import Any

import pytest

from tests.system.conftest import System

pytestmark = pytest.mark.system

CITY = "TEHRAN"
HERE = f"/v1/municipalities/{CITY}"
OTHER_IBAN = "IR062960000000100324200001"
TOLD_WITHIN_S = 60.0


def test_a_new_account_waits_for_two_people_and_three_days_and_can_be_called_off(system: System) -> None:
    one, two = system.client("tehran"), system.client("tehran2")
    before = one.get(f"{HERE}/account").json["account"]
    assert before["iban"].startswith("IR")
    made = one.put(f"{HERE}/account", {"iban": OTHER_IBAN, "holder": "شهرداری تهران", "reason": "بانک تازه"})
    assert made.status == 201, made.text
    change = f"{HERE}/changes/{made.json['change_id']}"
    assert one.post(f"{change}/approvals").json["code"] == "second_person_required"
    assert system.client("mashhad").post(f"{change}/approvals").status == 404
    assert system.client("operator").post(f"{change}/approvals").status == 403
    approved = two.post(f"{change}/approvals")
    assert (approved.status, approved.json["status"]) == (200, "approved"), approved.text
    assert one.get(f"{HERE}/account").json["account"] == before
    cancelled = one.post(f"{change}/cancellations", {"reason": "پشیمان شدیم"})
    assert (cancelled.status, cancelled.json["status"]) == (200, "cancelled")
    assert one.get(f"{HERE}/account").json["account"] == before

    def told() -> list[dict[str, Any]] | None:
        found = [
            event["data"]["change"]
            for event in one.get(f"{HERE}/events?limit=500").json["events"]
            if event["type"] == "account.changed"
            and event["data"]["change"]["change_id"] == made.json["change_id"]
        ]
        return found if len(found) == 3 else None

    steps = system.wait_for(told, TOLD_WITHIN_S)
    assert [step["status"] for step in steps] == ["proposed", "approved", "cancelled"]
    assert [step["by"] for step in steps[-1]["steps"]] == ["tehran", "tehran2", "tehran"]
