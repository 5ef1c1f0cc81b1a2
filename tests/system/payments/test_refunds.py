"""A refund on the running system: two people, the money back, the certificate revoked, the duty owed again."""

from __future__ import annotations

import uuid

import pytest

from tests.system.conftest import System
from tests.system.journey import assess, certificate, pay
from tests.system.plates import fresh_plate

pytestmark = pytest.mark.system


def test_a_refund_takes_two_people_and_revokes_the_certificate(system: System) -> None:
    clerk, officer, anonymous = system.client("clerk"), system.client("mashhad"), system.client(None)
    paid = pay(system, clerk, fresh_plate())
    certificate(system, clerk, paid.certificate_id)
    address = f"/v1/payments/{paid.payment['payment_id']}"
    body = {"reason": "خودروی دیگری پرداخت شد"}
    asked = clerk.post(f"{address}/refunds", body, {"idempotency-key": uuid.uuid4().hex})
    assert (asked.status, asked.json["status"]) == (201, "requested"), asked.text
    refund = f"/v1/refunds/{asked.json['refund_id']}"
    assert clerk.post(f"{refund}/approvals").status == 403
    assert system.client("tehran").post(f"{refund}/approvals").json["code"] == "refund_not_found"
    done = officer.post(f"{refund}/approvals")
    assert (done.status, done.json["status"]) == (200, "done"), done.text
    assert clerk.get(address).json["status"] == "refunded"
    assert anonymous.get(f"/v1/verify/{paid.certificate_id}").json["verdict"] == "revoked"
    assert assess(clerk, paid.plate)["owed_rial"] == paid.quote["owed_rial"]
    listed = officer.get("/v1/municipalities/MASHHAD/refunds").json["refunds"]
    assert done.json in listed
