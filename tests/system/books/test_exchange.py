"""The national exchange on the running system: a payment stands in a file of the function's next batch."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from avarez.roll.rows import RollReader, RollRow
from tests.system.conftest import System
from tests.system.journey import pay
from tests.system.plates import ROLL, fresh_plate

pytestmark = pytest.mark.system

CITY = "MASHHAD"
CHAINED_WITHIN_S = 90.0


def report(system: System) -> dict[str, Any]:
    """One run of the function, as the schedule would have it."""
    answer = system.aws("lambda").invoke(FunctionName="avarez-pay-settle", Payload=b"{}")
    told = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, told
    return dict(told["exchange"])


def test_payment_is_reported_year_by_year_with_the_vin_of_the_roll(system: System) -> None:
    with ROLL.open(encoding="utf-8-sig", newline="") as stream:
        rows = {row.plate: row for row in RollReader(CITY).read(stream) if isinstance(row, RollRow)}
    plate = next(plate for plate in iter(fresh_plate, "") if rows[plate].vin)
    paid = pay(system, system.client("clerk"), plate)
    operator = system.client("operator")
    settled = f"/v1/municipalities/{CITY}/events?limit=500&after="

    def chained() -> bool:
        after = 0
        while events := operator.get(f"{settled}{after}").json["events"]:
            if any(
                event["data"].get("payment", {}).get("payment_id") == paid.payment["payment_id"]
                for event in events
            ):
                return True
            after = events[-1]["data"]["sequence"]
        return False

    system.wait_for(chained, CHAINED_WITHIN_S)
    done = report(system)
    assert done["batches"] >= 1, done
    records: list[dict[str, Any]] = []
    for one in operator.get("/v1/exchange/batches").json["batches"]:
        batch = operator.get(f"/v1/exchange/batches/{one['number']}").json
        lines = next(file for file in batch["files"] if file["name"].endswith(".jsonl"))
        content = system.client(None).get(lines["url"]).body
        assert hashlib.sha256(content).hexdigest() == lines["sha256"]
        records += map(json.loads, content.splitlines())
    mine = [record for record in records if record["payment_id"] == paid.payment["payment_id"]]
    row = rows[paid.plate]
    assert {(one["vin"], one["production_year"]) for one in mine} == {(row.vin, str(row.model_year))}
    owed = {str(year["year"]): year["amount_rial"] for year in paid.quote["years"] if not year["paid"]}
    assert {str(record["duty_year"]): record["amount_rial"] for record in mine} == owed
    ids = [record["record_id"] for record in records]
    assert len(set(ids)) == len(ids)
    assert report(system)["records"] == 0, "nothing is told twice"
    assert system.client("clerk").get("/v1/exchange/batches").status == 403
