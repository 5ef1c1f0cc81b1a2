"""Chosen years, the oldest first, on the running system: over every channel, and what is left stays owed."""

from __future__ import annotations

import uuid
from collections.abc import Callable
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
from tests.system.plates import fresh_plate

pytestmark = pytest.mark.system
CITY = "MASHHAD"
Pay = Callable[[System, dict[str, Any]], dict[str, Any]]


def opened(clerk: Client, quote: dict[str, Any], **members: str) -> dict[str, Any]:
    body = {"assessment_id": quote["assessment_id"], **members}
    answer = clerk.post("/v1/payments", body, {"idempotency-key": uuid.uuid4().hex})
    assert answer.status == 201, answer.text
    payment: dict[str, Any] = answer.json
    return payment


def by_gateway(system: System, quote: dict[str, Any]) -> dict[str, Any]:
    payment = opened(system.client("clerk"), quote, channel="gateway")
    anyone = system.client(None)
    follow_callback(anyone, press(anyone, payment))
    return payment


def by_terminal(system: System, quote: dict[str, Any]) -> dict[str, Any]:
    clerk = system.client("clerk")
    return paid_at_a_terminal(system, lambda terminal: opened(clerk, quote, channel="pos", terminal=terminal))


def by_bill(system: System, quote: dict[str, Any]) -> dict[str, Any]:
    payment = opened(system.client("clerk"), quote, channel="bill")
    paid_at_a_bank(system, payment, quote["as_of_jalali"])
    return payment


@pytest.mark.parametrize("pay", [by_gateway, by_terminal, by_bill])
def test_the_oldest_years_are_paid_alone_and_the_newer_ones_stay_owed(system: System, pay: Pay) -> None:
    clerk, plate = system.client("clerk"), fresh_plate()
    whole = assess(clerk, plate, CITY)
    owed = [year["year"] for year in whole["years"] if year["amount_rial"] != "0"]
    oldest, newer = owed[:2], owed[2:]
    assert newer
    asked = {"municipality": CITY, "plate": plate}

    refused = clerk.post("/v1/assessments", {**asked, "years": [newer[0]]})
    assert (refused.status, refused.json["code"]) == (409, "older_year_owed")
    assert refused.json["years"] == oldest
    hole = clerk.post("/v1/assessments", {**asked, "years": [oldest[0], newer[0]]})
    assert (hole.status, hole.json["years"]) == (409, [oldest[1]])

    chosen = clerk.post("/v1/assessments", {**asked, "years": oldest})
    assert chosen.status == 201, chosen.text
    payment = pay(system, chosen.json)
    done = settled(system, clerk, payment["payment_id"])
    assert [year["year"] for year in done["years"]] == oldest
    paper = certificate(system, clerk, done["certificate_id"])
    assert [year["year"] for year in paper["years"]] == oldest

    standing = clerk.get(f"/v1/vehicles/{plate}").json
    (city,) = (city for city in standing["municipalities"] if city["municipality"] == CITY)
    assert (city["paid_through_year"], standing["owed_years"]) == (oldest[-1], newer)
    late = {year["year"]: year["amount_rial"] for year in assess(clerk, plate, CITY)["years"]}
    assert late == {year["year"]: year["amount_rial"] if year["year"] in newer else "0" for year in whole["years"]}
