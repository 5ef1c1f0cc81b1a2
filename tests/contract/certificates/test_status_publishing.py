"""Publishing the status list over the real adapters: safe to run twice at once and to die anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from avarez import dynamo
from avarez.certificates import jwks
from avarez.certificates.jwks import KeyStatus
from avarez.certificates.status import SHARD_PLACES, SHARDS_PER_YEAR, CertificateStatus
from avarez.certificates.status_list import StatusList, read_list
from avarez.dynamo import Table, transact
from avarez.endings import ending_writes
from functions.certify.status.publishing import SIGN_EVERY, WHOLE, publish_due
from functions.certify.status.status_store import StatusLists
from functions.verify.status_list_store import PublishedLists
from tests.data.certificate_vectors import ACTIVE, ORIGIN, RETIRED, TestKey

NOW = datetime(2026, 11, 24, 8, 30, 0, 654321, tzinfo=UTC)
KEYS = jwks.read_keys({"keys": [jwks.published(key.jwk, KeyStatus.ACTIVE) for key in (ACTIVE, RETIRED)]})
EVERY_LIST = SHARDS_PER_YEAR + 1


class Died(Exception):
    """The publisher was killed here."""


@dataclass
class Desk:
    """The tables, the bucket, and both sides of the list."""

    lists: StatusLists

    def end(self, index: int, status: CertificateStatus = CertificateStatus.REVOKED) -> None:
        certificate = {"certificate_id": f"ce_{index}", "status_index": index}
        transact(ending_writes(certificate, status, duty=Table("duty"), ledger=Table("ledger")))

    def publish(self, now: datetime = NOW, key: TestKey = ACTIVE) -> int:
        return publish_due(lists=self.lists, signer=key, origin=ORIGIN, now=now)

    def read(self, name: str, now: datetime = NOW) -> StatusList:
        found = PublishedLists(Table("duty"), "status").find(name)
        assert found is not None
        subject = f"{ORIGIN}/.well-known/avarez/status" + ("" if name == WHOLE else f"/{name}")
        return read_list(found.token, KEYS, now=now + timedelta(minutes=1), subject=subject)


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }.items():
        monkeypatch.setenv(name, value)
    dynamo.client.cache_clear()
    with mock_aws():
        client: Any = boto3.client("dynamodb")
        for table in ("duty", "ledger"):
            client.create_table(
                TableName=table,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
                KeySchema=[
                    {"AttributeName": "pk", "KeyType": "HASH"},
                    {"AttributeName": "sk", "KeyType": "RANGE"},
                ],
            )
        place: Any = {"LocationConstraint": "eu-central-1"}
        boto3.client("s3").create_bucket(Bucket="status", CreateBucketConfiguration=place)
        yield Desk(StatusLists(Table("duty"), Table("ledger"), "status"))
    dynamo.client.cache_clear()


def test_first_run_publishes_every_list_and_then_only_what_changed(desk: Desk) -> None:
    index = 3 * SHARD_PLACES + 77
    assert desk.publish() == EVERY_LIST
    assert desk.read("3").status(77) is CertificateStatus.IN_FORCE
    assert desk.publish() == 0
    desk.end(index)
    desk.end(index + 1, CertificateStatus.SUPERSEDED)
    assert desk.publish() == 2, "its shard and the whole"
    assert desk.read("3").status(77) is CertificateStatus.REVOKED
    whole = desk.read(WHOLE)
    assert (whole.status(index), whole.status(index + 1)) == (
        CertificateStatus.REVOKED,
        CertificateStatus.SUPERSEDED,
    )
    assert whole.status(index + 2) is CertificateStatus.IN_FORCE
    assert desk.publish() == 0


def test_every_list_is_signed_anew_each_hour_and_with_a_new_key(desk: Desk) -> None:
    desk.publish()
    assert desk.publish(NOW + SIGN_EVERY - timedelta(minutes=1)) == 0
    assert desk.publish(NOW + SIGN_EVERY) == EVERY_LIST
    assert desk.publish(NOW + SIGN_EVERY, RETIRED) == EVERY_LIST, "the other key was stolen a moment ago"
    assert desk.publish(NOW + SIGN_EVERY, RETIRED) == 0


def test_every_list_is_signed_anew_at_once_under_another_address(desk: Desk) -> None:
    """A list names its address, and a verifier refuses one that names another."""
    desk.publish()
    moved: dict[str, Any] = {"lists": desk.lists, "signer": ACTIVE, "now": NOW + timedelta(minutes=1)}
    assert publish_due(origin="https://moved.example", **moved) == EVERY_LIST
    assert publish_due(origin="https://moved.example", **moved) == 0


def test_certificate_from_before_the_list_writes_nothing() -> None:
    of_old = {"certificate_id": "ce_1"}
    tables = {"duty": Table("duty"), "ledger": Table("ledger")}
    assert ending_writes(of_old, CertificateStatus.REVOKED, **tables) == []


@pytest.mark.parametrize("method", ["claim", "ends", "publish", "note_round", "clear"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_publisher_killed_at_any_step_is_made_good(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, method: str, *, after: bool
) -> None:
    desk.end(5)
    real: Callable[..., Any] = getattr(desk.lists, method)

    def dying(*arguments: Any) -> Any:
        if after:
            real(*arguments)
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(desk.lists, method, dying)
        with pytest.raises(Died):
            desk.publish()
    desk.publish(NOW + timedelta(minutes=1))
    assert desk.read("0").status(5) is CertificateStatus.REVOKED
    assert desk.lists.marks() == []


def test_slower_publisher_never_puts_an_older_list_over_a_later_one(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.publish()
    desk.end(5)
    real = desk.lists.ends
    overtaken: list[int] = []

    def slow(shard: int) -> Any:
        found = real(shard)
        if shard == 0 and not overtaken:
            overtaken.append(shard)
            desk.end(6)
            assert desk.publish() == 2, "another publisher, from start to end, at this very moment"
        return found

    monkeypatch.setattr(desk.lists, "ends", slow)
    desk.publish()
    listed = desk.read("0")
    assert (listed.status(5), listed.status(6)) == (CertificateStatus.REVOKED, CertificateStatus.REVOKED)


def test_times_of_issue_never_repeat_nor_go_back(desk: Desk) -> None:
    times = [desk.lists.claim(NOW), desk.lists.claim(NOW), desk.lists.claim(NOW - timedelta(hours=1))]
    assert times == sorted(set(times))
