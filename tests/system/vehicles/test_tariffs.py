"""A tariff on the running system: written, checked, simulated on the committed rolls, approved, published."""

from __future__ import annotations

import copy
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from avarez.assessment import tariff_from_document
from tests.system.conftest import Client, System
from tests.system.journey import assess
from tests.system.plates import fresh_plate

pytestmark = pytest.mark.system
ROOT = Path(__file__).resolve().parents[3]
AVAREZ = ROOT / ".venv/bin/avarez"
SIMULATION_TIMEOUT_S = 60.0
FILES = {
    path.name: json.loads(path.read_text(encoding="utf-8")) for path in (ROOT / "demo/tariffs").glob("*.json")
}


def draft_of(officer: Client, files: dict[str, Any], authority: str = "national") -> str:
    created = officer.post("/v1/tariffs", {"authority": authority, "title": "1406", "files": files})
    assert created.status == 201, created.text
    return f"/v1/tariffs/{created.json['tariff_id']}"


def simulated(system: System, officer: Client, draft: str) -> dict[str, Any]:
    asked = officer.post(f"{draft}/simulations", {})
    assert asked.status == 202, asked.text
    system.wait_for(lambda: officer.get(draft).json["status"] == "simulated", SIMULATION_TIMEOUT_S)
    found: dict[str, Any] = officer.get(f"{draft}/simulation").json
    return found


def test_a_tariff_goes_from_draft_to_quotes_and_old_quotes_replay(system: System, tmp_path: Path) -> None:
    officer, second, anonymous = system.client("operator"), system.client("operator2"), system.client(None)
    before = anonymous.get("/v1/tariffs/versions/current").json
    quote = assess(system.client("clerk"), fresh_plate())
    files = copy.deepcopy(FILES)
    rows = files["principal-1400.json"]["rows"]
    rows += [{**row, "id": f"{row['id']}-1406", "duty_years": [1406, 1406]} for row in rows]
    rows[0]["rate"] = "1.1/1000"
    draft = draft_of(officer, files)
    refused = officer.post(f"{draft}/checks", {})
    assert refused.status == 200, refused.text
    assert [finding["code"] for finding in refused.json["findings"]] == ["retroactive"]
    rows[0]["rate"] = "1/1000"
    assert officer.put(f"{draft}/files/principal-1400.json", files["principal-1400.json"]).status == 200
    assert officer.post(f"{draft}/checks", {}).json["publishable"]
    simulation = simulated(system, officer, draft)
    cities = {city["municipality"]: city["totals"]["vehicles"] for city in simulation["cities"]}
    assert cities["MASHHAD"] > 4_000
    assert set(cities) >= {"TEHRAN", "ISFAHAN", "SHIRAZ", "TABRIZ"}
    assert simulation["totals"]["before_rial"] == simulation["totals"]["after_rial"]
    assert officer.post(f"{draft}/approvals", {}).status == 409
    assert system.client("clerk").get(draft).status in (403, 404)
    published = second.post(f"{draft}/approvals", {})
    assert (published.status, published.json["status"]) == (200, "published")
    now = anonymous.get("/v1/tariffs/versions/current").json
    assert now["supersedes"] == before["tariff_version"]
    assert tariff_from_document(now["document"]).content_hash == now["tariff_version"]
    account = next(one for one in system.accounts if one["username"] == "clerk")
    replayed = subprocess.run(
        [AVAREZ, "replay", quote["assessment_id"], "--origin", system.origin, "--username", "clerk", "--json"],
        env={**os.environ, "AVAREZ_PASSWORD": account["password"]},
        capture_output=True,
        check=False,
    )
    assert json.loads(replayed.stdout) == {"replayed": 1, "different": []}, replayed.stderr


def test_a_city_writes_its_own_and_reads_nobody_elses(system: System) -> None:
    tehran, mashhad = system.client("tehran"), system.client("mashhad")
    own = {
        "id": "tehran-truck", "kind": "principal", "duty_years": [1407, 1407], "places": ["TEHRAN"],
        "classes": ["truck"], "rate": "0.8/1000", "law": "vat-1400", "article_fa": "ماده ۲۹",
        "article_en": "art. 29", "reference": "a test",
    }  # fmt: skip
    draft = draft_of(tehran, {"own.json": {"schema": 1, "rows": [own]}}, "TEHRAN")
    assert mashhad.get(draft).status == 404
    assert mashhad.post("/v1/tariffs", {"authority": "TEHRAN", "title": "x"}).status == 404
    assert system.client("auditor").get(draft).status == 200
    findings = tehran.post(f"{draft}/checks", {}).json["findings"]
    assert {finding["code"] for finding in findings} <= {"gap_in_years", "unreachable_behind"}
    assert tehran.post(f"{draft}/withdrawals", {"reason": "a test"}).json["status"] == "withdrawn"


def test_differences_of_a_quote_are_told_over_http(system: System) -> None:
    clerk = system.client("clerk")
    quote = assess(clerk, fresh_plate())
    told = clerk.get(f"/v1/assessments/{quote['assessment_id']}/differences")
    assert told.status == 200, told.text
    for year in told.json["years"]:
        assert sum(int(change["amount_rial"]) for change in year["changes"]) == int(year["difference_rial"])
