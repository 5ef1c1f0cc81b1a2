"""Many certificates checked at once on the running system, by those who may and by nobody else."""

from __future__ import annotations

import time

import pytest

from tests.system.conftest import System
from tests.system.journey import certificate, pay
from tests.system.plates import fresh_plate

pytestmark = pytest.mark.system
ROWS_MAX = 500


def test_verifier_gets_a_verdict_for_each_of_five_hundred_rows(system: System) -> None:
    clerk, police = system.client("clerk"), system.client("verifier")
    paid = pay(system, clerk, fresh_plate())
    issued = certificate(system, clerk, paid.certificate_id)
    link = issued["link"]
    rows = [
        {"payload": link},
        {"certificate_id": paid.certificate_id},
        {"code": issued["short_code"], "plate": paid.plate},
        {"payload": link[:-1]},
        {"certificate_id": "ce_" + "0" * 36},
    ]
    rows += [{"payload": link}, {"certificate_id": paid.certificate_id}] * ((ROWS_MAX - len(rows)) // 2)
    rows += [{"payload": link}] * (ROWS_MAX - len(rows))
    began = time.monotonic()
    answer = police.post("/v1/verifications", {"rows": rows})
    took_ms = (time.monotonic() - began) * 1_000
    print(f"{ROWS_MAX} rows in {took_ms:.0f} ms, {took_ms / ROWS_MAX:.2f} ms a row")
    assert answer.status == 200, answer.text
    assert answer.json["counts"] == {"valid": ROWS_MAX - 2, "unreadable": 1, "unknown": 1}
    first = [result["verdict"] for result in answer.json["results"][:5]]
    assert first == ["valid", "valid", "valid", "unreadable", "unknown"]
    assert "key" in answer.json["results"][0]["certificate"]["plate"]
    assert "key" not in answer.json["results"][1]["certificate"]["plate"]
    assert police.post("/v1/verifications", {"rows": [*rows, rows[0]]}).json["code"] == "invalid_input"


@pytest.mark.parametrize(("username", "status"), [(None, 401), ("clerk", 403), ("auditor", 403)])
def test_nobody_else_checks_many_at_once(system: System, username: str | None, status: int) -> None:
    answer = system.client(username).post("/v1/verifications", {"rows": [{"payload": "1"}]})
    assert answer.status == status
