"""On the running system: a key rotated, then stolen; what was signed with it and logged before stays valid."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from avarez.certificates import cose, link
from avarez.certificates.jwks import read_keys
from avarez.certificates.key_history import read_history
from tests.system.conftest import System
from tests.system.journey import certificate, pay
from tests.system.plates import fresh_plate

pytestmark = pytest.mark.system
LOG = "/.well-known/avarez/log"
AVAREZ = Path(__file__).resolve().parents[3] / ".venv/bin/avarez"


def signed_with(record: dict[str, str]) -> str:
    key_id = cose.parse(link.read(record["link"]).message).key_id
    return base64.urlsafe_b64encode(key_id).rstrip(b"=").decode()


def test_key_rotated_at_once_signs_the_next_certificate_and_a_stolen_one_harms_none(
    system: System, tmp_path: Path
) -> None:
    clerk, operator, anyone = system.client("clerk"), system.client("operator"), system.client(None)
    first = certificate(system, clerk, pay(system, clerk, fresh_plate()).certificate_id)
    before = operator.get("/v1/signing-keys").json
    assert before["has_standby"]
    waiting = next(key["kid"] for key in before["keys"] if key["status"] == "next")
    assert clerk.get("/v1/signing-keys").status == 403

    password = next(one["password"] for one in system.accounts if one["username"] == "operator")
    asked = ("--origin", system.origin, "--username", "operator")
    told = subprocess.run(
        [AVAREZ, "keys", "rotate", "--reason", "a drill", "--json", *asked],
        capture_output=True,
        env={"AVAREZ_PASSWORD": password, "PATH": "/usr/bin:/bin"},
        check=True,
    )
    states = {key["kid"]: key["status"] for key in json.loads(told.stdout)["keys"]}
    assert (states[waiting], states[signed_with(first)]) == ("active", "retired")

    second = certificate(system, clerk, pay(system, clerk, fresh_plate()).certificate_id)
    assert signed_with(second) == waiting != signed_with(first)
    for record in (first, second):
        assert anyone.post("/v1/verify", {"payload": record["link"]}).json["verdict"] == "valid"

    proof = system.wait_for(lambda: proof_of(system, first), 60.0)
    states = compromised(system, signed_with(first), password)
    assert states[signed_with(first)] == "compromised"

    def history() -> bool:
        answer = anyone.get("/.well-known/avarez/keys.jwt")
        if answer.status != 200:
            return False
        pinned = read_keys(anyone.get("/.well-known/avarez/keys-root.json").json)
        signed = read_history(answer.text, pinned, now=datetime.now(UTC))
        return {key["kid"]: key["status"] for key in signed.document["keys"]} == states

    assert system.wait_for(history, 75.0), "the publisher runs each minute"

    def published() -> bool:
        listed = anyone.get("/.well-known/jwks.json").json["keys"]
        return {key["kid"]: key["status"] for key in listed} == states

    assert system.wait_for(published, 75.0), "the public list is kept for a minute where it was read before"
    for record in (first, second):
        told = anyone.post("/v1/verify", {"payload": record["link"]}).json
        assert (told["verdict"], told["reason"]) == ("valid", "in_force"), "logged before its key was stolen"
    assert_offline(system, first["link"], proof, tmp_path)


def proof_of(system: System, record: dict[str, str]) -> str | None:
    entry = hashlib.sha256(link.read(record["link"]).message).hexdigest()
    answer = system.client(None).get(f"{LOG}/proof/{entry}")
    return answer.text if answer.status == 200 else None


def compromised(system: System, kid: str, password: str) -> dict[str, str]:
    """The states of all keys after an operator said that this one is in other hands from now on."""
    time.sleep(2)  # the log's times are whole seconds: only what was logged a second ago was surely logged before
    since = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    asked = (
        "--since",
        since,
        "--reason",
        "a drill",
        "--json",
        "--origin",
        system.origin,
        "--username",
        "operator",
    )
    told = subprocess.run(
        [AVAREZ, "keys", "compromise", kid, *asked],
        capture_output=True,
        env={"AVAREZ_PASSWORD": password, "PATH": "/usr/bin:/bin"},
        check=True,
    )
    return {key["kid"]: key["status"] for key in json.loads(told.stdout)["keys"]}


def assert_offline(system: System, shown: str, proof: str, folder: Path) -> None:
    """Without a network the proof file makes the difference."""
    for name, path in (("keys.json", "/.well-known/jwks.json"), ("log-key", f"{LOG}/key")):
        (folder / name).write_bytes(system.client(None).get(path).body)
    (folder / "its.tlog-proof").write_text(proof, encoding="utf-8")
    asked: list[str | Path] = [AVAREZ, "verify", shown, "--json", "--keys", folder / "keys.json"]
    without = subprocess.run(asked, capture_output=True, check=False)
    assert (without.returncode, json.loads(without.stdout)["reason"]) == (1, "key_compromised")
    asked += ["--log-proof", folder / "its.tlog-proof", "--log-key", folder / "log-key"]
    proven = subprocess.run(asked, capture_output=True, check=False)
    assert (proven.returncode, json.loads(proven.stdout)["verdict"]) == (0, "valid")
