"""A day on the running system: paid, a callback dropped, reports and bank statement in; all of it explained."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from avarez import keys
from avarez.clock import tehran_today
from avarez.dynamo import Table
from avarez.jalali import format_jalali
from tests.system.conftest import Client, System
from tests.system.journey import assess, follow_callback, press, settled, start_payment
from tests.system.plates import plate_of

pytestmark = pytest.mark.system
CITY = "ISFAHAN"
CITYS = "IR760170000000000000000001"
RUN_TIMEOUT_S = 90.0
COLUMNS = (
    "account,booked_jalali,bank_reference,amount_rial,commission_rial,operator,settles_jalali,cycle,description"
)
GENERAL = "reference,order_id,amount_rial,state,paid_at"


def day_of(client: Client, code: str, day: str, operator: str) -> dict[str, Any]:
    answer = client.get(f"/v1/municipalities/{code}/reconciliations?day_jalali={day}")
    assert answer.status == 200, answer.text
    return next((one for one in answer.json["gateways"] if one["operator"] == operator), {})


def paid_with_a_dropped_callback(system: System, clerk: Client) -> list[dict[str, Any]]:
    anonymous = system.client(None)
    payments = []
    for drop in (False, True):
        opened = start_payment(clerk, assess(clerk, plate_of(CITY), CITY), gateway="sandbox").json
        location = press(anonymous, opened)
        if not drop:
            follow_callback(anonymous, location)
        payments.append(opened)
    return [settled(system, clerk, of["payment_id"], timeout_s=150) for of in payments]


def test_a_day_of_a_city_is_explained_to_the_last_rial(system: System) -> None:
    clerk, operator = system.client("clerk"), system.client("operator")
    paid = paid_with_a_dropped_callback(system, clerk)
    now = datetime.now(UTC)
    days = {format_jalali(now.date()), format_jalali(tehran_today(now))}
    of_report = format_jalali(now.date())  # the sandbox counts days in UTC
    for day in days:
        assert operator.post("/v1/reconciliations", {"day_jalali": day}).status == 202

    def matched() -> dict[str, Any] | None:
        told = day_of(operator, CITY, of_report, "sandbox")
        counted = {row["state"]: row["count"] for row in told.get("payments", [])}
        return told if counted.get("matched", 0) >= len(paid) else None

    told = system.wait_for(matched, RUN_TIMEOUT_S)
    assert told["explained_percent"] == "100.000"
    (bank,) = told["bank"]
    assert (bank["state"], bank["owner"], told["status"]) == ("awaits_bank", "city", "open")
    assert int(bank["ours_rial"]) >= sum(int(of["amount_rial"]) for of in paid)

    number = uuid.uuid4().hex[:12]
    line = f"{CITYS},{of_report},{number},{bank['open_rial']},0,sandbox,{of_report},12:45,PAYA"
    statement = {"content": f"{COLUMNS}\n{line}\n"}
    address = f"/v1/municipalities/{CITY}/bank-statements"
    assert clerk.post(address, statement).status == 403
    taken = operator.post(address, statement)
    assert (taken.status, taken.json["new"]) == (202, 1), taken.text
    assert operator.post(address, statement).json["already"] == 1

    def closed() -> dict[str, Any] | None:
        found = day_of(operator, CITY, of_report, "sandbox")
        return found if found["status"] == "closed" else None

    told = system.wait_for(closed, RUN_TIMEOUT_S)
    assert (told["explained_percent"], told["unexplained_rial"], told["waiting_rial"]) == ("100.000", "0", "0")


def test_a_tampered_report_opens_a_task_and_the_right_one_closes_it(system: System) -> None:
    clerk, operator = system.client("clerk"), system.client("operator")
    today = format_jalali(tehran_today(datetime.now(UTC)))
    quote = assess(clerk, plate_of(CITY), CITY)
    bill = clerk.post(
        "/v1/payments",
        {"assessment_id": quote["assessment_id"], "channel": "bill"},
        {"idempotency-key": uuid.uuid4().hex},
    ).json
    head = f"00123402{today.replace('-', '')}"
    content = f"{head}\r\n{head}{bill['bill_id'].zfill(13)}{bill['payment_code'].zfill(13)}777777\r\n"
    assert operator.post("/v1/bank-files", {"bank": "tejarat", "content": content}).status == 201
    paid = settled(system, clerk, bill["payment_id"])
    reference, amount_rial = paid["reference"], int(paid["amount_rial"])

    def report(told_rial: int) -> None:
        lines = f"{GENERAL}\n{reference},,{told_rial},confirmed,\n"
        body = {"operator": "bill:tejarat", "day_jalali": today, "content": lines}
        answer = operator.post("/v1/gateway-reports", body)
        assert answer.status == 202, answer.text

    def state(wanted: str) -> Any:
        def read() -> dict[str, Any] | None:
            told = day_of(operator, CITY, today, "bill:tejarat")
            return told if [row["state"] for row in told.get("payments", [])] == [wanted] else None

        return system.wait_for(read, RUN_TIMEOUT_S)

    report(amount_rial - 1_000)
    told = state("amounts_differ")
    assert (told["unexplained_rial"], told["open"][0]["owner"]) == ("1000", "us")
    tasks = Table(system.outputs["DutyTableName"], system.aws("dynamodb"))
    day = tehran_today(datetime.now(UTC)).isoformat()
    key = keys.task(CITY, keys.reconciliation_task_id("bill:tejarat", day, reference))
    assert (tasks.get(key) or {})["status"] == "open"
    report(amount_rial)
    assert state("matched")["unexplained_rial"] == "0"
    assert (tasks.get(key) or {})["status"] == "done"
