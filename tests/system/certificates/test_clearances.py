"""Clearances on the running system: paid, cleared, shown to a notary, revoked with a refund; a debt let go."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from avarez.clock import tehran_today
from avarez.jalali import format_jalali, to_jalali
from tests.system.conftest import Client, System
from tests.system.journey import (
    assess,
    certificate,
    fetch_pdf,
    follow_callback,
    pay,
    press,
    settled,
    start_payment,
)
from tests.system.plates import fresh_plate, plate_of

pytestmark = pytest.mark.system
SIMULATION_TIMEOUT_S = 60.0
#: A tariff that is published is known to every function half a minute later.
TARIFF_KNOWN_S = 45.0


def ask(clerk: Client, plate: str, municipality: str = "MASHHAD") -> Any:
    quote = assess(clerk, plate, municipality)
    return clerk.post("/v1/certificates", {"assessment_id": quote["assessment_id"]})


def test_paid_car_is_cleared_and_a_refund_takes_the_clearance_back(system: System) -> None:
    """Scenario 31, of a clearance."""
    clerk, officer, notary = system.client("clerk"), system.client("mashhad"), system.client("verifier")
    anyone, plate = system.client(None), fresh_plate()
    today = tehran_today(datetime.now(UTC))
    refused = ask(clerk, plate)
    assert (refused.status, refused.json["code"]) == (409, "duty_owed"), refused.text
    paid = pay(system, clerk, plate)
    given = ask(clerk, plate)
    assert (given.status, given.json["paid_through_year"]) == (201, to_jalali(today).year), given.text
    record = certificate(system, clerk, given.json["certificate_id"])
    assert record["kind"] == "clearance"
    assert {year["municipality"] for year in record["years"]} == {"MASHHAD"}
    again = ask(clerk, plate)
    assert (again.status, again.json["certificate_id"]) == (200, record["certificate_id"])
    pdf = fetch_pdf(clerk, anyone, record["certificate_id"])
    shown = anyone.post("/v1/verify", {"payload": record["link"]}).json
    assert (shown["verdict"], shown["certificate"]["kind"]) == ("valid", "clearance")
    assert pdf.startswith(b"%PDF-1.7")

    def told() -> Any:
        return notary.post("/v1/clearance-checks", {"plate": plate, "deed_date_jalali": format_jalali(today)})

    answer = told()
    assert (answer.status, answer.json["cleared"]) == (200, True), answer.text
    assert answer.json["certificate"]["certificate_id"] == record["certificate_id"]
    assert clerk.post("/v1/clearance-checks", {"plate": plate}).status == 422
    assert notary.post("/v1/certificates", {"assessment_id": paid.quote["assessment_id"]}).status == 403

    body = {"reason": "خودروی دیگری پرداخت شد"}
    address = f"/v1/payments/{paid.payment['payment_id']}/refunds"
    refund = clerk.post(address, body, {"idempotency-key": uuid.uuid4().hex})
    done = officer.post(f"/v1/refunds/{refund.json['refund_id']}/approvals")
    assert done.status == 200, done.text
    assert anyone.get(f"/v1/verify/{record['certificate_id']}").json["verdict"] == "revoked"
    assert told().json["reason"] == "no_clearance"
    assert ask(clerk, plate).json["code"] == "duty_owed"


def test_small_debt_is_let_go_where_the_citys_tariff_says_so(system: System) -> None:
    publish_threshold(system)
    clerk, plate = system.client("clerk"), plate_of("TEHRAN")
    year = to_jalali(tehran_today(datetime.now(UTC))).year
    earlier = clerk.post(
        "/v1/assessments", {"municipality": "TEHRAN", "plate": plate, "through_year": year - 1}
    ).json
    created = start_payment(clerk, earlier).json
    follow_callback(system.client(None), press(system.client(None), created))
    settled(system, clerk, created["payment_id"])
    left = assess(clerk, plate, "TEHRAN")
    assert [of["year"] for of in left["years"] if of["amount_rial"] != "0"] == [year]
    before = written_off(system)

    def cleared() -> Any:
        answer = ask(clerk, plate, "TEHRAN")
        return answer if answer.status == 201 else None

    given = system.wait_for(cleared, TARIFF_KNOWN_S)
    waived_rial = int(given.json["waived_rial"])
    assert waived_rial == sum(int(of["amount_rial"]) for of in left["years"]) > 0
    assert written_off(system) - before == waived_rial
    record = certificate(system, clerk, given.json["certificate_id"])
    assert record["years"][-1]["waived_rial"] == str(waived_rial)
    assert assess(clerk, plate, "TEHRAN")["owed_rial"] == "0"


def publish_threshold(system: System) -> None:
    """Tehran lets go what one year of a usual car comes to; its own tariff says so from today on."""
    first, second = system.client("tehran"), system.client("tehran2")
    today = tehran_today(datetime.now(UTC))
    row = {
        "id": "setting-tehran", "kind": "setting", "places": ["TEHRAN"],
        "as_of_from_jalali": format_jalali(today), "as_of_to_jalali": format_jalali(today + timedelta(days=300)),
        "clearance_threshold_rial": "100000000000", "law": "city-setting", "article_fa": "حد گذشت",
        "article_en": "clearance threshold", "reference": "a test",
    }  # fmt: skip
    files = {"own.json": {"schema": 1, "rows": [row]}}
    created = first.post("/v1/tariffs", {"authority": "TEHRAN", "title": "حد گذشت", "files": files})
    assert created.status == 201, created.text
    draft = f"/v1/tariffs/{created.json['tariff_id']}"
    checked = first.post(f"{draft}/checks", {}).json
    assert checked["publishable"], checked
    assert first.post(f"{draft}/simulations", {}).status == 202
    system.wait_for(lambda: first.get(draft).json["status"] == "simulated", SIMULATION_TIMEOUT_S)
    published = second.post(f"{draft}/approvals", {})
    assert (published.status, published.json["status"]) == (200, "published"), published.text


def written_off(system: System) -> int:
    """What Tehran's books say was let go today."""
    balance = system.client("tehran").get("/v1/municipalities/TEHRAN/trial-balance").json
    rows = {row["account"]: row for row in balance["accounts"]}
    if "municipality_written_off:TEHRAN" not in rows:
        return 0
    assert rows["duty_waived:TEHRAN"]["credit_rial"] == rows["municipality_written_off:TEHRAN"]["debit_rial"]
    return int(rows["municipality_written_off:TEHRAN"]["debit_rial"])
