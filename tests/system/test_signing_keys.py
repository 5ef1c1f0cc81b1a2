"""Rotating on the running system: the next certificate has the next key, and the old one stays valid."""

from __future__ import annotations

import base64
import json
import subprocess
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
AVAREZ = Path(__file__).resolve().parents[2] / ".venv/bin/avarez"


def signed_with(record: dict[str, str]) -> str:
    key_id = cose.parse(link.read(record["link"]).message).key_id
    return base64.urlsafe_b64encode(key_id).rstrip(b"=").decode()


def test_key_rotated_at_once_signs_the_next_certificate(system: System) -> None:
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
