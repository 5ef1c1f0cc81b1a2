"""The drill: a signing key leaks at T, a thousand certificates are forged with it, nobody needs a new one.

Over the real register of keys, the log's real writer and the real check, each on DynamoDB and S3 (moto).
"""

from __future__ import annotations

import base64
import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from avarez import keys
from avarez.certificates import link, payload
from avarez.certificates.jwks import KeyStatus, b64url
from avarez.certificates.offline.logged import by_proof
from avarez.certificates.payload import CertificatePayload
from avarez.certificates.verification import check_message
from avarez.clock import to_rfc3339
from avarez.dynamo import to_item
from avarez.ids import new_id
from avarez.transparency.proof import entry_of
from functions.certify.signing.key_store import KeyTable
from functions.certify.signing.keys import RegisteredKey, mark_compromised
from functions.verify import handler
from tests.contract.transparency.log_desk import NOW, LogDesk, running_log
from tests.data.certificate_vectors import TestKey, message_of
from tests.properties.forgeries import random_payload

FORGED: Final = 1_000
GENUINE: Final = 60
LATE: Final = 5
STOLEN, SUCCESSOR = TestKey("leaks"), TestKey("takes over")
LEAKED_AT = NOW + timedelta(hours=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[LogDesk]:
    for running in running_log(monkeypatch):
        handler.register.cache_clear()
        yield running
        handler.register.cache_clear()


@pytest.fixture
def draw() -> random.Random:
    return random.Random("the drill")


def enrol(desk: LogDesk, key: TestKey) -> None:
    table = KeyTable(desk.duty)
    table.enrol(RegisteredKey(b64url(key.kid), key.jwk, KeyStatus.NEXT, f"kms {b64url(key.kid)}", NOW))


def put(desk: LogDesk, key: tuple[str, str], item: dict[str, Any]) -> None:
    desk.duty.dynamodb.put_item(TableName=desk.duty.name, Item=to_item({**item, "pk": key[0], "sk": key[1]}))


def issue(desk: LogDesk, draw: random.Random, count: int, key: TestKey) -> list[tuple[CertificatePayload, bytes]]:
    """Certificates in force, each with its record and its place in the log."""
    made = []
    for _ in range(count):
        content = replace(random_payload(draw), issued_at=desk.clock.now())
        message = message_of(payload.encode(content), key)
        put(
            desk,
            keys.pointer(content.certificate_id),
            {"target_pk": "CERTIFICATES", "target_sk": content.certificate_id},
        )
        put(desk, ("CERTIFICATES", content.certificate_id), {"status": "in_force", "cose": message})
        waiting = {"entry": entry_of(message).hex(), "created_at": to_rfc3339(desk.clock.now())}
        put(desk, keys.log_pending(content.certificate_id), waiting)
        made.append((content, message))
    desk.run()
    return made


def forge(draw: random.Random, genuine: list[tuple[CertificatePayload, bytes]], number: int) -> bytes:
    """One of four ways: of thin air, another car on a genuine one, another amount, dated after the leak."""
    content, _ = draw.choice(genuine)
    way = number % 4
    if way == 0:
        issued_at = NOW + draw.random() * HOUR
        content = replace(
            random_payload(draw),
            issued_at=issued_at.replace(microsecond=0),
            certificate_id=new_id("ce", issued_at, randomness=draw.getrandbits(132)),
        )
    elif way == 1:
        content = replace(content, plate=random_payload(draw).plate)
    elif way == 2:
        content = replace(content, amount_rial=abs(content.amount_rial - 1))
    else:
        content = replace(content, issued_at=LEAKED_AT + HOUR)
    return message_of(payload.encode(content), STOLEN)


def asked(message: bytes) -> str:
    """What `POST /v1/verify` says, verdict and reason."""
    body = json.dumps({"payload": link.to_digits(message)}).encode()
    event = {
        "routeKey": "POST /v1/verify",
        "headers": {"content-type": "application/json"},
        "requestContext": {"requestId": "r", "http": {"method": "POST"}},
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }
    answer = handler.handle(event, None)
    assert answer["statusCode"] == 200, answer
    said = json.loads(answer["body"])
    return f"{said['verdict']} {said['reason']}"


def rows(desk: LogDesk) -> list[Any]:
    partition = {":pk": {"S": "CERTIFICATES"}}
    asked_for = {"TableName": desk.duty.name, "KeyConditionExpression": "pk = :pk"}
    found: list[Any] = desk.duty.dynamodb.query(**asked_for, ExpressionAttributeValues=partition)["Items"]
    return found


def at(desk: LogDesk, instant: datetime) -> None:
    desk.clock.instant = instant


def test_nobody_needs_a_new_certificate_when_a_key_leaks(desk: LogDesk, draw: random.Random) -> None:
    enrol(desk, STOLEN)
    genuine = issue(desk, draw, GENUINE, STOLEN)
    at(desk, LEAKED_AT + HOUR / 2)  # nobody has noticed yet
    late = issue(desk, draw, LATE, STOLEN)
    forged = [forge(draw, genuine, number) for number in range(FORGED)]
    issued = rows(desk)
    assert Counter(map(asked, (message for _, message in genuine))) == {"valid in_force": GENUINE}

    at(desk, LEAKED_AT + 2 * HOUR)
    enrol(desk, SUCCESSOR)
    mark_compromised(b64url(STOLEN.kid), LEAKED_AT, "laptop lost", keys=KeyTable(desk.duty), now=desk.clock.now())
    handler.register().keys(fresh=True)  # a minute later

    assert Counter(map(asked, (message for _, message in genuine))) == {"valid in_force": GENUINE}
    assert Counter(map(asked, forged)) == {"tampered not_logged_before_compromise": FORGED}
    assert Counter(map(asked, (message for _, message in late))) == {"cannot_tell key_compromised": LATE}
    numbers = [content.certificate_id for content, _ in [*genuine, *late, *genuine]]
    together = handler.register().find_many([*numbers, new_id("ce", NOW)])
    assert together == {number: handler.register().find(number) for number in numbers}
    assert rows(desk) == issued, "nobody was issued another certificate"

    offline = handler.register().keys()
    proofs = [desk.get("proof/{entry}", entry=entry_of(message).hex())["body"] for _, message in genuine]
    for (_, message), proof in zip(genuine, proofs, strict=True):
        assert check_message(message, offline, by_proof(proof, desk.key)).signature_good
    for number, message in enumerate(forged):
        outcome = check_message(message, offline, by_proof(proofs[number % GENUINE], desk.key))
        assert (outcome.verdict, outcome.reason) == ("cannot_tell", "key_compromised")

    after = issue(desk, draw, 3, SUCCESSOR)
    assert Counter(map(asked, (message for _, message in after))) == {"valid in_force": 3}
