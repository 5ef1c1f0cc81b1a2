"""The keys' register over the real adapters: on schedule, at once, stolen, and with nothing to fall back to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from avarez import dynamo
from avarez.certificates.jwks import KeyStatus, read_keys
from avarez.certificates.key_history import read_history
from avarez.dynamo import Table
from avarez.errors import ServiceBusy, StandbyKeyMissing
from functions.certify import keys_handler
from functions.certify.signing.key_store import KeyTable
from functions.certify.signing.keys import (
    PUBLISHED_BEFORE,
    SIGNS_FOR,
    active_signer,
    has_standby,
    mark_compromised,
    rotate_now,
)
from functions.certify.signing.publishing import SIGN_EVERY, keep_keys
from functions.certify.stores.kms_adapter import KmsSigner
from functions.verify.store import Register

NOW = datetime(2026, 11, 24, 8, 30, 0, 123456, tzinfo=UTC)
ORIGIN = "https://avarez.example"
GROUP = {"cognito:groups": ["operator"]}
Pool = dict[str, KmsSigner]


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[KeyTable]:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "DUTY_TABLE": "duty",
        "TOKEN_ISSUER": "issuer",
        "USER_POOL_CLIENT_ID": "client",
    }.items():
        monkeypatch.setenv(name, value)
    dynamo.client.cache_clear()
    keys_handler.keys.cache_clear()
    with mock_aws():
        client: Any = boto3.client("dynamodb")
        client.create_table(
            TableName="duty",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
        )
        yield KeyTable(Table("duty"))
    dynamo.client.cache_clear()


def pool_of(size: int) -> Pool:
    kms: Any = boto3.client("kms")
    made = [kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY") for _ in range(size)]
    return {key["KeyMetadata"]["Arn"]: KmsSigner(kms, key["KeyMetadata"]["Arn"]) for key in made}


def keep(table: KeyTable, pool: Pool, root: KmsSigner, now: datetime) -> dict[str, bool]:
    return keep_keys(pool, keys=table, root=root, issuer=ORIGIN, now=now)


def states(table: KeyTable) -> list[str]:
    return [key.status.value for key in table.all()]


def call(method: str, route: str, body: Any = None, *, scope: str = "keys.write", **params: str) -> Any:
    claims = {"token_use": "access", "iss": "issuer", "client_id": "client", "username": "operator"}
    event = {
        "routeKey": f"{method} {route}",
        "pathParameters": params,
        "headers": {"content-type": "application/json"},
        "body": json.dumps(body),
        "requestContext": {
            "requestId": "r",
            "http": {"method": method},
            "authorizer": {"jwt": {"claims": claims | GROUP, "scopes": [f"avarez/{scope}"]}},
        },
    }
    answer = keys_handler.handle(event, None)
    return answer["statusCode"], json.loads(answer["body"])


def test_pool_is_enrolled_once_and_its_first_key_signs(table: KeyTable) -> None:
    pool = pool_of(3)
    signer = active_signer(pool, keys=table, now=NOW)
    assert active_signer(pool, keys=table, now=NOW) is signer
    assert sorted(states(table)) == ["active", "next", "next"]
    assert Register(Table("duty")).keys()[signer.kid].status is KeyStatus.ACTIVE


def test_schedule_rotates_after_a_year_and_not_to_a_key_of_yesterday(table: KeyTable) -> None:
    pool, (root,) = pool_of(1), pool_of(1).values()
    keep(table, pool, root, NOW)
    old = active_signer(pool, keys=table, now=NOW)
    late = NOW + SIGNS_FOR + timedelta(days=1)
    assert keep(table, pool, root, late)["rotated"] is False, "there is no other key"
    pool |= pool_of(1)
    assert keep(table, pool, root, late)["rotated"] is False, "nobody has seen the new key yet"
    assert keep(table, pool, root, late + PUBLISHED_BEFORE)["rotated"] is True
    new = active_signer(pool, keys=table, now=late)
    assert new.kid != old.kid
    listed = Register(Table("duty")).keys()
    assert listed[old.kid].status is KeyStatus.RETIRED
    assert listed[old.kid].not_after == listed[new.kid].not_before
    assert keep(table, pool, root, late + PUBLISHED_BEFORE)["rotated"] is False


def test_operator_rotates_at_once_and_not_without_a_standby(table: KeyTable) -> None:
    pool = pool_of(2)
    old = active_signer(pool, keys=table, now=NOW)
    rotate_now("staff left", keys=table, now=NOW)
    assert active_signer(pool, keys=table, now=NOW).kid != old.kid
    with pytest.raises(StandbyKeyMissing):
        rotate_now("again", keys=table, now=NOW)
    assert sorted(states(table)) == ["active", "retired"]


def test_stolen_key_signs_nothing_more_and_an_earlier_theft_stands(table: KeyTable) -> None:
    pool = pool_of(2)
    stolen = active_signer(pool, keys=table, now=NOW)
    kid = next(key.kid for key in table.all() if key.status is KeyStatus.ACTIVE)
    since = NOW - timedelta(hours=3)
    mark_compromised(kid, since, "laptop lost", keys=table, now=NOW)
    assert active_signer(pool, keys=table, now=NOW).kid != stolen.kid
    key = Register(Table("duty")).keys()[stolen.kid]
    assert (key.status, key.compromised_at) == (KeyStatus.COMPROMISED, since.replace(microsecond=123000))
    mark_compromised(kid, NOW, "later", keys=table, now=NOW)
    mark_compromised(kid, since - timedelta(hours=1), "earlier", keys=table, now=NOW)
    again = Register(Table("duty")).keys()[stolen.kid].compromised_at
    assert again == (since - timedelta(hours=1)).replace(microsecond=123000)


def test_last_key_stolen_means_that_nothing_is_signed_until_a_new_one_comes(table: KeyTable) -> None:
    pool = pool_of(1)
    active_signer(pool, keys=table, now=NOW)
    mark_compromised(table.all()[0].kid, NOW, "stolen", keys=table, now=NOW)
    with pytest.raises(ServiceBusy):
        active_signer(pool, keys=table, now=NOW)
    assert not has_standby(table)
    fresh = pool_of(1)
    assert active_signer(pool | fresh, keys=table, now=NOW) is next(iter(fresh.values()))


def test_signed_list_follows_each_change_and_each_day(table: KeyTable) -> None:
    pool, (root,) = pool_of(2), pool_of(1).values()
    assert keep(table, pool, root, NOW)["signed"] is True
    assert keep(table, pool, root, NOW + timedelta(minutes=1))["signed"] is False
    assert keep(table, pool, root, NOW + SIGN_EVERY)["signed"] is True
    register = Register(Table("duty"))
    pinned = read_keys({"keys": [register.root_key()]})
    before = read_history(register.signed_keys() or "", pinned, now=NOW + SIGN_EVERY)
    rotate_now("drill", keys=table, now=NOW)
    later = NOW + SIGN_EVERY + timedelta(minutes=1)
    assert keep(table, pool, root, later)["signed"] is True
    after = read_history(register.signed_keys() or "", pinned, now=later, not_older_than=before.issued_at)
    assert after.keys == Register(Table("duty")).keys()
    assert after.keys != before.keys


def test_http_lists_rotates_and_marks(table: KeyTable) -> None:
    pool = pool_of(3)
    active_signer(pool, keys=table, now=NOW)
    status, told = call("GET", "/v1/signing-keys", scope="keys.read")
    assert (status, told["has_standby"], len(told["keys"])) == (200, True, 3)
    assert "kms_key" not in json.dumps(told)
    status, told = call("POST", "/v1/signing-keys/rotations", {"reason": "drill"})
    assert (status, sorted(key["status"] for key in told["keys"])) == (200, ["active", "next", "retired"])
    (signing,) = [key["kid"] for key in told["keys"] if key["status"] == "active"]
    body = {"since_at": "2026-11-24T08:00:00Z", "reason": "stolen"}
    status, told = call("POST", "/v1/signing-keys/{kid}/compromises", body, kid=signing)
    (marked,) = [key for key in told["keys"] if key["status"] == "compromised"]
    assert (status, marked["kid"], marked["compromised_at"]) == (200, signing, "2026-11-24T08:00:00.000Z")
    assert told["has_standby"] is False


@pytest.mark.parametrize(
    ("route", "body", "status", "code"),
    [
        ("/v1/signing-keys/rotations", {"reason": "drill"}, 409, "standby_key_missing"),
        ("/v1/signing-keys/rotations", {}, 422, "invalid_input"),
        (
            "/v1/signing-keys/{kid}/compromises",
            {"since_at": "2026-11-24T08:00:00Z", "reason": "stolen"},
            404,
            "signing_key_not_found",
        ),
        (
            "/v1/signing-keys/{kid}/compromises",
            {"since_at": "2126-11-24T08:00:00Z", "reason": "stolen"},
            422,
            "invalid_input",
        ),
        (
            "/v1/signing-keys/{kid}/compromises",
            {"since_at": "yesterday", "reason": "stolen"},
            422,
            "invalid_input",
        ),
    ],
)
def test_http_refuses(table: KeyTable, route: str, body: Any, status: int, code: str) -> None:
    active_signer(pool_of(1), keys=table, now=NOW)
    answer = call("POST", route, body, kid="AAAAAAAAAAA")
    assert (answer[0], answer[1]["code"]) == (status, code)
    assert call("POST", route, body, scope="keys.read", kid="A")[0] == 403
