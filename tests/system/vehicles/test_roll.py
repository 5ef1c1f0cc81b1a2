"""A city's roll through the running system: upload, preview, refused rows, commit, rollback."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from benchmarks.rolls import large_roll
from tests.system.conftest import Client, System
from tests.system.plates import ROLL

pytestmark = pytest.mark.system
ROOT = Path(__file__).resolve().parents[3]
AVAREZ = ROOT / ".venv/bin/avarez"
PREVIEW_TIMEOUT_S = 60.0
PROVING = "AVAREZ_PROVE" in os.environ
LARGE = 200_000 if PROVING else 2_000


def uploaded(system: System, officer: Client, municipality: str, content: bytes) -> dict[str, Any]:
    """The preview of a new roll with this content, sent without any header of its own."""
    created = officer.post("/v1/rolls", {"municipality": municipality})
    assert created.status == 201, created.text
    assert officer.put(created.json["upload"]["url"], content).status in (200, 204)

    def preview() -> dict[str, Any] | None:
        told: dict[str, Any] = officer.get(f"/v1/rolls/{created.json['roll_id']}").json
        assert told["status"] != "failed", told
        return told if told["status"] == "previewed" else None

    found: dict[str, Any] = system.wait_for(preview, PREVIEW_TIMEOUT_S)
    return found


def test_the_sample_has_214_refused_rows_and_a_file_of_them(system: System) -> None:
    roll = uploaded(system, system.client("mashhad"), "MASHHAD", ROLL.read_bytes())
    counts = {name: roll[name] for name in ("rows_read", "added", "changed", "unchanged", "refused")}
    assert counts == {"rows_read": 5_000, "added": 0, "changed": 0, "unchanged": 4_786, "refused": 214}
    refused = system.client(None).get(roll["refused_rows_url"])
    assert refused.status == 200, refused.text[:300]
    rows = list(csv.DictReader(io.StringIO(refused.body.decode("utf-8-sig"))))
    assert len({row["row"] for row in rows}) == 214
    assert all(row["code"] for row in rows)


def test_the_command_line_counts_the_same_offline() -> None:
    checked = subprocess.run([AVAREZ, "roll", "check", ROLL, "--json"], capture_output=True, check=False)
    told = json.loads(checked.stdout)
    assert (checked.returncode, told["rows_read"], told["refused"]) == (1, 5_000, 214)


def test_nothing_changes_before_commit_and_rollback_takes_it_back(system: System) -> None:
    officer = system.client("tehran")
    header, row = ROLL.read_text(encoding="utf-8-sig").splitlines()[:2]
    cells = dict(zip(header.split(","), next(csv.reader([row])), strict=True))
    cells.update(municipality="TEHRAN", plate="77ط777-77", vin="", chassis="ROLLTEST1", engine="ROLLTEST1")
    content = io.StringIO()
    writer = csv.DictWriter(content, header.split(","))
    writer.writeheader()
    writer.writerow(cells)
    plate = "/v1/vehicles/77ط777-77"
    roll = uploaded(system, officer, "TEHRAN", content.getvalue().encode())
    assert (roll["added"], officer.get(address(plate)).status) == (1, 404)
    assert officer.post(f"/v1/rolls/{roll['roll_id']}/commit", {}).status == 202
    assert officer.get(address(plate)).status == 200
    assert officer.post(f"/v1/rolls/{roll['roll_id']}/rollback", {}).status == 202
    assert officer.get(address(plate)).status == 404


@pytest.mark.timeout(3_600 if PROVING else 300)
def test_a_large_roll_is_seen_whole_or_not_at_all(system: System, tmp_path: Path) -> None:
    """`make prove`: 200,000 rows through the local engine; a hundredth of it otherwise."""
    path = tmp_path / "roll.csv"
    large_roll.write(path, "KARAJ", LARGE)
    (first, *_, last) = [address(f"/v1/vehicles/{row[1]}") for row in large_roll.rows("KARAJ", LARGE)]
    operator = system.client("operator")
    created = operator.post("/v1/rolls", {"municipality": "KARAJ"}).json
    assert operator.put(created["upload"]["url"], path.read_bytes()).status in (200, 204)
    told: list[dict[str, Any]] = []

    def preview() -> bool:
        told.append(operator.get(f"/v1/rolls/{created['roll_id']}").json)
        assert operator.get(first).status == operator.get(last).status == 404, "nothing is seen before commit"
        return bool(told[-1]["status"] == "previewed")

    system.wait_for(preview, 3_000 if PROVING else 120)
    done = [one["progress"]["chunks_done"] for one in told]
    assert done == sorted(done)
    counts = [told[-1][name] for name in ("rows_read", "added", "changed", "unchanged", "refused")]
    assert counts == [LARGE, LARGE, 0, 0, 0]
    assert operator.post(f"/v1/rolls/{created['roll_id']}/commit", {}).status == 202
    assert operator.get(first).status == operator.get(last).status == 200
    assert operator.post(f"/v1/rolls/{created['roll_id']}/rollback", {}).status == 202
    assert operator.get(first).status == operator.get(last).status == 404


def address(path: str) -> str:
    """The path as it goes over the wire."""
    return "".join(c if c.isascii() else "".join(f"%{byte:02X}" for byte in c.encode()) for c in path)
