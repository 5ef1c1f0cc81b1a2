"""What an office enters of a vehicle on the running system, by accounts with no more rights than they need."""

from __future__ import annotations

import pytest

from tests.system.conftest import System
from tests.system.journey import assess
from tests.system.plates import fresh_plate

pytestmark = pytest.mark.system
PAPER = {"kind": "کارت خودرو", "reference": "1405-12"}


def test_a_correction_and_a_new_plate_are_entered_listed_and_decided(system: System) -> None:
    clerk, officer = system.client("clerk"), system.client("mashhad")
    plate = fresh_plate()
    before = assess(clerk, plate)
    facts = {"model": "مدل دیگر"}
    entered = clerk.post(
        f"/v1/vehicles/{plate}/corrections", {"municipality": "MASHHAD", "facts": facts, "evidence": PAPER}
    )
    assert entered.status == 201, entered.text
    assert assess(clerk, plate)["vehicle"]["model"] == "مدل دیگر"
    moved = clerk.post(
        f"/v1/vehicles/{plate}/plates",
        {"municipality": "MASHHAD", "new_plate": "98ب987-12", "from_jalali": "1405-07-01", "evidence": PAPER},
    )
    assert moved.status == 201, moved.text
    assert assess(clerk, "98B987-12")["owed_rial"] == before["owed_rial"]
    ids = {one["change_id"] for one in officer.get("/v1/municipalities/MASHHAD/vehicle-changes").json["changes"]}
    assert ids >= {entered.json["change_id"], moved.json["change_id"]}
    decision = f"/v1/vehicle-changes/{moved.json['change_id']}/decisions"
    assert clerk.post(decision, {"outcome": "confirmed"}).status == 403
    assert system.client("tehran").post(decision, {"outcome": "confirmed"}).status == 404
    assert officer.post(decision, {"outcome": "rejected", "reason": "سند ناخوانا"}).status == 200
    assert clerk.get("/v1/vehicles/98B987-12").status == 404
    assert assess(clerk, plate)["owed_rial"] == before["owed_rial"]
