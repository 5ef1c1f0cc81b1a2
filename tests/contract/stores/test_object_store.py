"""The bucket's answers: what is there, what is missing, what is busy, and what did not read back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from avarez.errors import ServiceBusy
from avarez.object_store import Bucket

PLACE = {"LocationConstraint": "me-central-1"}


class Damaging:
    """S3 that stores the first puts of a key without their last byte."""

    def __init__(self, real: Any, times: int) -> None:
        self.real, self.left = real, times

    def put_object(self, **arguments: Any) -> Any:
        if self.left:
            self.left -= 1
            arguments = {**arguments, "Body": arguments["Body"][:-1]}
            del arguments["ChecksumSHA256"]
        return self.real.put_object(**arguments)

    def get_object(self, **arguments: Any) -> Any:
        return self.real.get_object(**arguments)


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        client = boto3.client("s3", region_name="me-central-1")
        client.create_bucket(Bucket="kept", CreateBucketConfiguration=PLACE)  # type: ignore[arg-type]
        client.put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Enabled"})
        yield client


def versions(s3: Any, key: str) -> int:
    return len(s3.list_object_versions(Bucket="kept", Prefix=key).get("Versions", []))


def test_missing_object_is_none_to_find_and_busy_to_read(s3: Any) -> None:
    bucket = Bucket("kept", s3)
    assert bucket.find("a") is None
    with pytest.raises(ServiceBusy) as refusal:
        bucket.read("a")
    assert refusal.value.retry_after_s == 1
    bucket.put("a", b"one", "text/plain")
    assert bucket.find("a") == bucket.read("a") == b"one"


def test_bucket_that_refuses_is_busy_and_nothing_is_missing(s3: Any) -> None:
    nowhere = Bucket("no-such-bucket", s3)
    with pytest.raises(ServiceBusy):
        nowhere.find("a")
    with pytest.raises(ServiceBusy):
        nowhere.put("a", b"one", "text/plain")


def test_object_kept_once_has_one_version_however_often_it_is_kept(s3: Any) -> None:
    for _ in range(3):
        Bucket("kept", s3).keep_once("a", b"one", "text/plain")
    assert versions(s3, "a") == 1


def test_object_stored_damaged_is_healed_where_it_is_kept_once_and_refused_otherwise(s3: Any) -> None:
    with pytest.raises(ServiceBusy, match="read back"):
        Bucket("kept", Damaging(s3, 1)).keep("a", b"one", "text/plain")
    Bucket("kept", Damaging(s3, 1)).keep_once("b", b"one", "text/plain")
    assert (Bucket("kept", s3).find("b"), versions(s3, "b")) == (b"one", 2)
    with pytest.raises(ServiceBusy, match="read back"):
        Bucket("kept", Damaging(s3, 2)).keep_once("c", b"one", "text/plain")
