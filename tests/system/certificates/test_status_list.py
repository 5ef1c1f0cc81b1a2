"""Scenario 31 on the running system: money goes back, and within a minute the public list says REVOKED."""

from __future__ import annotations

import json
import subprocess
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest

from avarez.certificates import cose, link
from avarez.certificates import payload as payloads
from avarez.certificates.jwks import read_keys
from avarez.certificates.status import SHARD_PLACES, CertificateStatus
from avarez.certificates.status_list import StatusList, StatusListError, read_list
from tests.system.conftest import System
from tests.system.journey import certificate, pay
from tests.system.plates import fresh_plate

pytestmark = pytest.mark.system
LIST = "/.well-known/avarez/status"
PUBLISHED_WITHIN_S = 60.0
AVAREZ = Path(__file__).resolve().parents[3] / ".venv/bin/avarez"


def test_public_list_says_revoked_within_a_minute_of_the_refund(system: System, tmp_path: Path) -> None:
    clerk, officer, anyone = system.client("clerk"), system.client("mashhad"), system.client(None)
    paid = pay(system, clerk, fresh_plate())
    record = certificate(system, clerk, paid.certificate_id)
    signed = payloads.decode(cose.parse(link.read(record["link"]).message).payload)
    assert signed.status_index is not None
    shard, place = divmod(signed.status_index, SHARD_PLACES)

    def listed(path: str) -> StatusList | None:
        answer = anyone.get(path)
        if answer.status != 200:
            return None
        assert answer.headers["content-type"] == "application/statuslist+cwt"
        assert answer.headers["cache-control"] == "public, max-age=30"
        keys = read_keys(anyone.get("/.well-known/jwks.json").json)
        try:
            return read_list(answer.body, keys, now=datetime.now(UTC), subject=system.origin + path)
        except StatusListError:  # of the address at which the demonstration's data were made, for a minute at most
            return None

    before = system.wait_for(lambda: listed(f"{LIST}/{shard}"), 90.0)
    assert before.status(place) is CertificateStatus.IN_FORCE

    body = {"reason": "خودروی دیگری پرداخت شد"}
    address = f"/v1/payments/{paid.payment['payment_id']}/refunds"
    asked = clerk.post(address, body, {"idempotency-key": uuid.uuid4().hex})
    done = officer.post(f"/v1/refunds/{asked.json['refund_id']}/approvals")
    assert (done.status, done.json["status"]) == (200, "done"), done.text
    since = time.monotonic()

    def revoked() -> StatusList | None:
        found = listed(f"{LIST}/{shard}")
        return found if found and found.status(place) is CertificateStatus.REVOKED else None

    after = system.wait_for(revoked, PUBLISHED_WITHIN_S)
    took_s = time.monotonic() - since
    print(f"published after {took_s:.1f} s")
    assert after.issued_at > before.issued_at, "an older list is told by its time of issue"
    whole = system.wait_for(
        lambda: (found := listed(LIST)) and found.status(signed.status_index or 0) is CertificateStatus.REVOKED,
        PUBLISHED_WITHIN_S,
    )
    assert whole
    assert anyone.get(f"/v1/verify/{paid.certificate_id}").json["verdict"] == "revoked"
    assert anyone.get(f"{LIST}/9999").status == 404

    for name, path in (("keys.json", "/.well-known/jwks.json"), ("whole.cwt", LIST)):
        (tmp_path / name).write_bytes(anyone.get(path).body)
    kept = ("--keys", tmp_path / "keys.json", "--status", tmp_path)
    told = subprocess.run([AVAREZ, "verify", record["link"], "--json", *kept], capture_output=True, check=False)
    assert (told.returncode, json.loads(told.stdout)["verdict"]) == (1, "revoked"), "the same without a network"


def test_lost_paper_is_replaced_and_the_old_one_says_by_which(system: System) -> None:
    clerk, anyone = system.client("clerk"), system.client(None)
    paid = pay(system, clerk, fresh_plate())
    old = certificate(system, clerk, paid.certificate_id)
    asked = clerk.post(f"/v1/certificates/{paid.certificate_id}/reissues", {"reason": "lost"})
    assert asked.status == 201, asked.text
    new = certificate(system, clerk, asked.json["certificate_id"])
    assert (new["supersedes"], new["years"], new["amount_rial"]) == (
        paid.certificate_id,
        old["years"],
        old["amount_rial"],
    )
    told = anyone.post("/v1/verify", {"payload": old["link"]}).json
    assert (told["verdict"], told["superseded_by"]) == ("superseded", asked.json["certificate_id"])
    assert anyone.post("/v1/verify", {"payload": new["link"]}).json["verdict"] == "valid"
    again = clerk.post(f"/v1/certificates/{paid.certificate_id}/reissues", {"reason": "lost"})
    assert (again.status, again.json["code"]) == (409, "certificate_not_in_force")
