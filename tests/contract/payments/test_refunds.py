"""Refunds over DynamoDB (moto) and over HTTP: what one approval changes, and the rights it needs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from avarez import keys
from avarez.dynamo import Item, Table, transact
from avarez.errors import CertificateInPreparation
from avarez.events.chain import EventType
from avarez.events.log import waiting_from
from avarez.journal import YearAmount
from functions.pay.counter import refunds as refunds_function
from functions.pay.payments import refunding
from functions.pay.rules.records import Payment, Replay
from functions.pay.rules.refunds import Refund, RefundStatus
from functions.pay.rules.states import Status
from tests.contract.pay_counter import Counter, granted

ISSUER, CLIENT = "https://issuer.example/pool", "client-1"


def settled(counter: Counter, number: int = 1, *, in_force: bool = True) -> Payment:
    payment = counter.open(number)
    counter.w.gateway.pay(payment.token)
    counter.callback(payment)
    payment = counter.now_of(payment.payment_id)
    if in_force:
        put_in_force(counter, payment, payment.certificate_id)
    return payment


def put_in_force(counter: Counter, payment: Payment, certificate_id: str) -> None:
    key = keys.certificate(payment.municipality, payment.plate, certificate_id)
    changes = {"status": "in_force", "pdf_sha256": "ab" * 32, "cose": b"x", "status_index": 5}
    transact(
        [counter.duty.update(key, changes, "attribute_exists(pk)")],
        dynamodb=counter.w.desk.store.duty.dynamodb,  # type: ignore[attr-defined]
    )


def certificates(counter: Counter, payment: Payment) -> list[Item]:
    collection = keys.collection(payment.municipality, payment.plate)
    return counter.duty.query(collection, keys.certificate("", "", "")[1])


def ask(counter: Counter, payment: Payment, *years: tuple[int, int], key: str = "r1") -> Refund:
    replay = Replay("clerk", "POST", key, "hash", "", 1_900_000_000)
    wanted = [YearAmount(*year) for year in years]
    return refunding.request(
        counter.w.desk, payment, years=wanted, reason="test", requested_by="clerk", replay=replay
    )


def test_refund_comes_back_as_it_was_written_and_stands_in_its_citys_list(counter: Counter) -> None:
    payment = settled(counter)
    first, second = ask(counter, payment), ask(counter, payment, key="r2")
    assert counter.w.desk.refunds.refund(first.refund_id) == first
    listed = counter.w.desk.refunds.of_city("TEHRAN", after="", limit=10)
    assert {refund.refund_id for refund in listed} == {first.refund_id, second.refund_id}
    rest = counter.w.desk.refunds.of_city("TEHRAN", after=listed[0].refund_id, limit=10)
    assert [refund.refund_id for refund in rest] == [listed[1].refund_id]


def told_of_certificates(counter: Counter, payment: Payment) -> list[tuple[str, dict[str, str]]]:
    """The events about certificates that wait for their place in the city's chain."""
    ledger = Table("ledger", counter.duty.dynamodb)
    partition, _ = keys.outbox(payment.municipality, payment.payment_id, "")
    found = [waiting_from(row) for row in ledger.query(partition, keys.TO_CHAIN_PREFIX)]
    told = []
    for event in found:
        if "certificate" in event.content:
            names = {n: v for n, v in event.content["certificate"].items() if n not in ("plate", "because")}
            told.append((event.type.value, names))
    return told


def test_whole_refund_revokes_the_certificate_and_frees_the_duties(counter: Counter) -> None:
    payment = settled(counter)
    done = refunding.approve(counter.w.desk, ask(counter, payment), approved_by="officer")
    assert done.status is RefundStatus.DONE
    (certificate,) = certificates(counter, payment)
    assert (certificate["status"], certificate["revoked_because"]) == ("revoked", done.refund_id)
    told = told_of_certificates(counter, payment)
    assert told == [("certificate.revoked", {"certificate_id": certificate["certificate_id"]})]
    for part in payment.years:
        assert counter.duty.get(keys.duty(payment.vehicle_id, part.year)) is None
        obligation = counter.duty.get(keys.obligation(payment.municipality, payment.plate, part.year))
        assert obligation is not None
        assert (obligation["status"], obligation["amount_rial"]) == ("refunded", 0)
    assert counter.now_of(payment.payment_id).status is Status.REFUNDED


def test_one_year_back_supersedes_the_certificate_by_one_of_the_rest(counter: Counter) -> None:
    payment = settled(counter)
    refunding.approve(counter.w.desk, ask(counter, payment, (1404, 234_500)), approved_by="officer")
    old, new = sorted(certificates(counter, payment), key=lambda item: item["status"], reverse=True)
    assert (old["status"], old["superseded_by"]) == ("superseded", new["certificate_id"])
    assert (new["status"], new["supersedes"]) == ("preparing", old["certificate_id"])
    names = {"certificate_id": old["certificate_id"], "superseded_by": new["certificate_id"]}
    assert told_of_certificates(counter, payment) == [("certificate.superseded", names)]
    assert new["years"] == [{"year": 1403, "amount_rial": 1_000_000}]
    assert new["amount_rial"] == 1_000_000 + new["rounding_rial"] + new["fee_rial"]
    assert not {"cose", "status_index"} & set(new), "signed and listed by itself"
    assert counter.duty.get(keys.duty(payment.vehicle_id, 1404)) is None
    put_in_force(counter, payment, new["certificate_id"])

    part = ask(counter, counter.now_of(payment.payment_id), (1403, 400_000), key="r2")
    refunding.approve(counter.w.desk, part, approved_by="officer")
    duty = counter.duty.get(keys.duty(payment.vehicle_id, 1403))
    assert duty is not None
    assert (duty["status"], duty["amount_rial"]) == ("paid", 600_000)


def test_certificate_that_is_being_made_is_waited_for(counter: Counter) -> None:
    payment = settled(counter, in_force=False)
    refund = ask(counter, payment)
    with pytest.raises(CertificateInPreparation):
        refunding.approve(counter.w.desk, refund, approved_by="officer")
    assert counter.w.desk.refunds.refund(refund.refund_id) == refund
    assert counter.now_of(payment.payment_id) == payment


def clear(counter: Counter, payment: Payment, status: str, *payments: str) -> keys.Key:
    """A clearance of the payment's vehicle that rests on `payments`."""
    key = keys.certificate(payment.municipality, payment.plate, "ce_clearance")
    record = {"certificate_id": "ce_clearance", "payment_id": "", "status": status, "status_index": 9}
    record["municipality"] = payment.municipality
    lock = {"target_pk": key[0], "target_sk": key[1], "certificate_id": "ce_clearance", "payments": list(payments)}
    writes = [counter.duty.put_new(key, record), counter.duty.put_new(keys.clearance(payment.vehicle_id), lock)]
    transact(writes, dynamodb=counter.w.desk.store.duty.dynamodb)  # type: ignore[attr-defined]
    return key


def test_refund_revokes_the_clearance_that_rests_on_the_payment(counter: Counter) -> None:
    payment = settled(counter)
    key = clear(counter, payment, "in_force", payment.payment_id)
    done = refunding.approve(counter.w.desk, ask(counter, payment, (1404, 1_000)), approved_by="officer")
    clearance = counter.duty.get(key) or {}
    assert (clearance["status"], clearance["revoked_because"]) == ("revoked", done.refund_id)
    assert counter.duty.get(keys.clearance(payment.vehicle_id)) is None, "another may be had"
    assert counter.duty.get(keys.status_end(0, 9)) is not None, "the status list is told"
    partition = keys.to_chain(payment.municipality, "ce_clearance", "")[0]
    told = [
        waiting_from(row) for row in Table("ledger", counter.duty.dynamodb).query(partition, keys.TO_CHAIN_PREFIX)
    ]
    ended = {"certificate_id": "ce_clearance", "plate": payment.plate, "because": done.refund_id}
    (event,) = [event for event in told if event.about == "ce_clearance"]
    assert (event.type, event.content) == (EventType.CERTIFICATE_REVOKED, {"certificate": ended})


def test_clearance_of_other_payments_stands_and_one_in_the_making_is_waited_for(counter: Counter) -> None:
    payment = settled(counter)
    key = clear(counter, payment, "preparing", payment.payment_id)
    refund = ask(counter, payment)
    with pytest.raises(CertificateInPreparation):
        refunding.approve(counter.w.desk, refund, approved_by="officer")
    dynamodb = counter.w.desk.store.duty.dynamodb  # type: ignore[attr-defined]
    changes = {"payments": ["py_other"]}
    lock = keys.clearance(payment.vehicle_id)
    transact([counter.duty.update(lock, changes, "attribute_exists(pk)")], dynamodb=dynamodb)
    assert refunding.approve(counter.w.desk, refund, approved_by="officer").status is RefundStatus.DONE
    assert (counter.duty.get(key) or {})["status"] == "preparing"
    assert counter.duty.get(lock) is not None


def test_clearance_that_comes_to_be_at_the_moment_of_the_refund_is_revoked_with_it(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = settled(counter)
    refund = ask(counter, payment)
    store: Any = counter.w.desk.refunds
    looked = type(store)._clearance

    def then_one_comes(self: Any, *of: Any) -> Any:
        writes = list(looked(self, *of))
        if counter.duty.get(keys.clearance(payment.vehicle_id)) is None:
            clear(counter, payment, "in_force", payment.payment_id)
        return writes

    monkeypatch.setattr(type(store), "_clearance", then_one_comes)
    assert refunding.approve(counter.w.desk, refund, approved_by="officer").status is RefundStatus.DONE
    key = keys.certificate(payment.municipality, payment.plate, "ce_clearance")
    assert (counter.duty.get(key) or {})["status"] == "revoked"


# --- over HTTP ------------------------------------------------------------------------------------------


def call(
    monkeypatch: pytest.MonkeyPatch,
    route: str,
    params: dict[str, str],
    body: Any = None,
    *,
    user: str = "clerk",
    key: str = "",
    **claims: str,
) -> tuple[int, dict[str, Any]]:
    monkeypatch.setenv("TOKEN_ISSUER", ISSUER)
    monkeypatch.setenv("USER_POOL_CLIENT_ID", CLIENT)
    method, _, path = route.partition(" ")
    signed_in = {
        "token_use": "access",
        "iss": ISSUER,
        "client_id": CLIENT,
        "username": user,
        "cognito:groups": "[office]",
        "serves": "*",
        **claims,
    }
    event = {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path.format(**params),
        "headers": {"idempotency-key": key} if key else {},
        "pathParameters": params,
        "body": json.dumps(body),
        "isBase64Encoded": False,
        "requestContext": {
            "requestId": "r1",
            "http": {"method": method, "sourceIp": "127.0.0.1"},
            "authorizer": {
                "jwt": {
                    "claims": signed_in,
                    "scopes": ["avarez/refunds.read", "avarez/refunds.write", "avarez/refunds.approve"],
                }
            },
        },
    }
    answer = refunds_function.handle(event, None)
    return answer["statusCode"], json.loads(answer["body"])


def test_refund_over_http_from_request_to_money_back(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    payment, part, unpaid = settled(counter), settled(counter, 2), counter.open(3)
    of_agreement = counter.paid_part(counter.agreement(50), "p1")
    route, params = "POST /v1/payments/{id}/refunds", {"id": payment.payment_id}

    def everything() -> None:
        body = {"reason": "خودروی دیگری بود"}
        assert call(monkeypatch, route, params, body)[1]["code"] == "idempotency_key_required"
        status, asked = call(monkeypatch, route, params, body, key="k1")
        assert (status, asked["status"], asked["amount_rial"]) == (201, "requested", "1235000")
        assert call(monkeypatch, route, params, body, key="k1") == (201, asked)
        assert call(monkeypatch, route, params, {"reason": "other"}, key="k1")[1]["code"] == "idempotency_mismatch"
        own = {"id": asked["refund_id"]}
        officer = {"cognito:groups": "[municipality]", "municipality": "SHIRAZ"}
        assert call(monkeypatch, "GET /v1/refunds/{id}", own, user="s", **officer)[1]["code"] == "refund_not_found"
        approval = "POST /v1/refunds/{id}/approvals"
        assert call(monkeypatch, approval, own)[1]["code"] == "second_person_required"
        officer["municipality"] = "TEHRAN"
        status, done = call(monkeypatch, approval, own, user="officer", **officer)
        assert (status, done["status"], done["decided_by"]) == (200, "done", "officer")
        assert call(monkeypatch, approval, own, user="officer", **officer)[1]["code"] == "refund_conflict"
        listing = "GET /v1/municipalities/{code}/refunds"
        assert call(monkeypatch, listing, {"code": "TEHRAN"})[1]["refunds"] == [done]
        assert call(monkeypatch, listing, {"code": "NOWHERE"})[1]["code"] == "municipality_unknown"
        some: dict[str, Any] = {"reason": "overpaid", "years": [{"year": 1403, "amount_rial": "1"}]}
        _, asked = call(monkeypatch, route, {"id": part.payment_id}, some, key="k2")
        own = {"id": asked["refund_id"]}
        assert call(monkeypatch, approval, own, user="officer", **officer)[1]["status"] == "payable"
        transfer = "POST /v1/refunds/{id}/transfers"
        bank = {"bank_reference": "PAYA-1405-77"}
        assert call(monkeypatch, transfer, own, bank, user="officer", **officer)[1]["status"] == "done"
        bad = {"reason": "overpaid", "years": [{"year": 1403, "amount_rial": "1e3"}]}
        assert call(monkeypatch, route, {"id": part.payment_id}, bad, key="k3")[1]["code"] == "invalid_input"
        rejected = call(monkeypatch, route, {"id": part.payment_id}, some, key="k4")[1]
        refusal = "POST /v1/refunds/{id}/rejections"
        own = {"id": rejected["refund_id"]}
        assert call(monkeypatch, refusal, own, {"reason": "not so"}, user="o")[1]["status"] == "rejected"
        assert call(monkeypatch, approval, own, user="o")[1]["code"] == "refund_conflict"
        body = {"reason": "overpaid"}
        _, told = call(monkeypatch, route, {"id": unpaid.payment_id}, body, key="k5")
        assert told["code"] == "payment_not_refundable"
        _, asked = call(monkeypatch, route, {"id": of_agreement.payment_id}, body, key="k6")
        own = {"id": asked["refund_id"]}
        assert call(monkeypatch, approval, own, user="officer", **officer)[1]["status"] == "done"

    assert counter.used(everything) == granted("pay-refunds")
