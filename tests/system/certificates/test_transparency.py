"""The transparency log over the running stack: paid, certified, logged within ten seconds, provable without us."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from avarez.certificates import link
from avarez.transparency.proof import entry_of
from tests.system.conftest import Client, System
from tests.system.journey import certificate, fetch_pdf, pay
from tests.system.plates import fresh_plate

pytestmark = pytest.mark.system
ROOT = Path(__file__).resolve().parents[3]
AVAREZ = ROOT / ".venv/bin/avarez"
LOG = "/.well-known/avarez/log"
INCLUSION_S = 10.0
"""What is promised. On a machine that others share a test waits longer and says how long it took."""
PATIENCE_S = 40.0


def avarez(*arguments: object) -> tuple[int, dict[str, Any]]:
    """Exit code and answer of `avarez log …`."""
    ran = subprocess.run([AVAREZ, "log", *map(str, arguments), "--json"], capture_output=True, check=False)
    assert ran.stdout, ran.stderr.decode()
    answer: dict[str, Any] = json.loads(ran.stdout)
    return ran.returncode, answer


def paid_and_certified(system: System, clerk: Client) -> dict[str, Any]:
    """A certificate in force: its record."""
    return certificate(system, clerk, pay(system, clerk, fresh_plate()).certificate_id)


def proof_file(system: System, record: dict[str, Any], folder: Path) -> Path:
    """The certificate's proof, as soon as there is one."""
    entry = entry_of(link.read(record["link"]).message).hex()
    anyone = system.client(None)

    def read() -> str | None:
        answer = anyone.get(f"{LOG}/proof/{entry}")
        return answer.text if answer.status == 200 else None

    path = folder / f"{record['certificate_id']}.tlog-proof"
    path.write_text(system.wait_for(read, PATIENCE_S), "utf-8")
    return path


def test_certificate_is_logged_and_anybody_can_prove_it_and_watch_the_log(system: System, tmp_path: Path) -> None:
    clerk, anyone = system.client("clerk"), system.client(None)
    record = paid_and_certified(system, clerk)
    began = time.monotonic()
    proof = proof_file(system, record, tmp_path)
    took_s = time.monotonic() - began
    print(f"logged {took_s:.1f} s after it was in force; promised are {INCLUSION_S:.0f}")

    key = tmp_path / "log-key"
    key.write_bytes(anyone.get(f"{LOG}/key").body)
    pdf = tmp_path / "certificate.pdf"
    pdf.write_bytes(fetch_pdf(clerk, anyone, record["certificate_id"]))
    for shown in (pdf, record["link"]):
        code, told = avarez("verify", shown, "--proof", proof, "--log-key", key)
        assert (code, told["finding"]) == (0, "logged"), told
    assert record["issued_at"][:19] <= told["logged_at"][:19]
    code, told = avarez("verify", pdf, "--proof", proof, "--log-key", key, "--before", record["paid_at"])
    assert (code, told["in_time"]) == (1, False)

    state = tmp_path / "checkpoint"
    watch = ("monitor", system.origin, "--log-key", key, "--state", state)
    code, told = avarez(*watch)
    assert (code, told["sight"]) == (0, "first")
    other = paid_and_certified(system, clerk)
    other_proof = proof_file(system, other, tmp_path)
    assert avarez("verify", pdf, "--proof", other_proof, "--log-key", key)[1]["finding"] == "not_included"
    assert avarez(*watch)[1]["sight"] == "grew"

    for part in ("certify-log-sequence", "certify-log-sweep"):
        system.kill_worker(part)
    after_kill = proof_file(system, paid_and_certified(system, clerk), tmp_path)
    assert after_kill.read_text("utf-8").startswith("c2sp.org/tlog-proof@v1\n")
    code, told = avarez(*watch)
    assert (code, told["sight"]) == (0, "grew")


def test_log_is_public_and_says_how_long_its_files_may_be_kept(system: System, tmp_path: Path) -> None:
    record = paid_and_certified(system, system.client("clerk"))
    proof_file(system, record, tmp_path)
    anyone = system.client(None)
    checkpoint = anyone.get(f"{LOG}/checkpoint")
    assert (checkpoint.status, checkpoint.headers["cache-control"]) == (200, "public, max-age=2")
    assert checkpoint.text.startswith(system.origin.removeprefix("http://") + LOG + "\n")
    size = int(checkpoint.text.split("\n")[1])
    tile = anyone.get(f"{LOG}/tile/0/000" + (f".p/{size}" if size < 256 else ""))
    assert (tile.status, len(tile.body)) == (200, min(size, 256) * 32)
    assert tile.headers["cache-control"].endswith("immutable")
    bundle = anyone.get(f"{LOG}/tile/entries/000" + (f".p/{size}" if size < 256 else ""))
    assert len(bundle.body) == min(size, 256) * 34
    missing = anyone.get(f"{LOG}/proof/{'0' * 64}")
    assert (missing.status, missing.json["code"]) == (404, "log_entry_not_found")
    assert anyone.get(f"{LOG}/tile/0/x999/999").json["code"] == "log_tile_not_found"


def test_city_witnesses_the_log_and_everybody_sees_its_line(
    system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proof_file(system, paid_and_certified(system, system.client("clerk")), tmp_path)
    anyone = system.client(None)
    key, state = tmp_path / "log-key", tmp_path / "kept"
    key.write_bytes(anyone.get(f"{LOG}/key").body)
    pem = tmp_path / "witness.pem"
    witness_key = avarez("new-key", "--key", pem, "--name", "tehran.example/witness")[1]["key"]
    officer = next(one for one in system.accounts if one.get("municipality") == "TEHRAN")
    registered = system.client(officer["username"]).put(
        "/v1/municipalities/TEHRAN/witness-key", {"key": witness_key}
    )
    assert registered.status == 200, registered.text
    monkeypatch.setenv("AVAREZ_PASSWORD", officer["password"])
    asked = ("witness", system.origin, "--log-key", key, "--state", state, "--key", pem)
    sent = ("--name", "tehran.example/witness", "--send", "TEHRAN", "--username", officer["username"])
    code, told = avarez(*asked, *sent)
    assert code == 0, told
    assert told["cosigned"] in anyone.get(f"{LOG}/checkpoint").text
    listed = anyone.get(f"{LOG}/witnesses").json["witnesses"]
    assert [(one["municipality"], one["size"]) for one in listed] == [("TEHRAN", told["size"])]
    refused = system.client("clerk").post(
        "/v1/municipalities/TEHRAN/checkpoints", {"checkpoint": told["cosigned"]}
    )
    assert refused.status == 403
