"""No personal data leaves its place: planted data is looked for in every log line."""

from __future__ import annotations

import csv

import pytest

from tests.system.conftest import System
from tests.system.journey import assess, certificate, follow_callback, pay, press, start_payment
from tests.system.plates import ROLL, fresh_plate

pytestmark = pytest.mark.system
PLANTED_PHONE = "09123456789"
PLANTED_NATIONAL_ID = "0499370899"
PLANTED_CARD = "6037991234567893"
LOG_LINES_MIN = 5


def test_planted_personal_data_is_in_no_log(system: System) -> None:
    clerk, anyone = system.client("clerk"), system.client(None)
    plate = fresh_plate()
    paid = pay(system, clerk, plate)
    certificate(system, clerk, paid.certificate_id)
    clerk.get(f"/v1/vehicles/{plate}?owner={PLANTED_NATIONAL_ID}&phone={PLANTED_PHONE}")
    clerk.post("/v1/assessments", {"municipality": PLANTED_NATIONAL_ID, "plate": PLANTED_PHONE})
    clerk.post("/v1/assessments", f'{{"plate": "{PLANTED_CARD}", "plate": 1}}'.encode())
    anyone.post("/v1/tokens", {"username": PLANTED_PHONE, "password": PLANTED_CARD})
    payment = start_payment(clerk, assess(clerk, fresh_plate())).json
    follow_callback(anyone, press(anyone, payment) + f"&card={PLANTED_CARD}")
    logs = system.all_logs()
    assert logs.count("\n") >= LOG_LINES_MIN, "the logs were read"
    with ROLL.open(encoding="utf-8-sig", newline="") as stream:
        owners = {row["owner_id"] for row in csv.DictReader(stream) if row["owner_id"].isascii()}
    needles = {PLANTED_PHONE, PLANTED_NATIONAL_ID, PLANTED_CARD, plate, clerk.token} | set(sorted(owners)[:200])
    assert [needle for needle in needles if needle and needle in logs] == []


def test_each_request_writes_one_json_line(system: System) -> None:
    clerk = system.client("clerk")
    before = system.function_logs("Assess").count('"message":"request"')
    for _ in range(3):
        assess(clerk, fresh_plate())
    after = system.function_logs("Assess").count('"message":"request"')
    assert after - before == 3
