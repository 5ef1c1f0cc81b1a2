"""The log's writer over DynamoDB and S3 (moto), with a key of its own: moto's KMS knows no Ed25519."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from moto import mock_aws

from avarez import dynamo, keys
from avarez.clock import FixedClock, to_rfc3339
from avarez.dynamo import Table, to_item
from avarez.ids import new_id
from avarez.transparency import tiles
from avarez.transparency.checkpoint import LogKey, SignedCheckpoint, open_checkpoint
from avarez.transparency.proof import Evidence, check_proof, entry_of
from functions.certify.log import handler
from functions.certify.log.sequencing import BATCH_MAX, Log, Sequenced, sequence
from functions.certify.log.stores.tile_store import LogBucket
from functions.certify.log.stores.tree_store import LogTable

NOW = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)
ORIGIN = "avarez.example/.well-known/avarez/log"


class Died(Exception):
    """The worker was killed here."""


class Dying:
    """A port that passes every call on, and dies before or after one named method."""

    def __init__(self, real: Any, method: str, *, after: bool) -> None:
        self._real, self._method, self._after = real, method, after

    def __getattr__(self, name: str) -> Any:
        found: Callable[..., Any] = getattr(self._real, name)
        if name != self._method:
            return found

        def dying(*arguments: Any) -> Any:
            if self._after:
                found(*arguments)
            raise Died

        return dying


class Signer:
    """A NoteSigner in this process that counts what it signs."""

    def __init__(self, first: int = 0) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(bytes(range(first, first + 32)))
        self.signed: list[bytes] = []

    @property
    def public_key(self) -> bytes:
        return self._private.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        self.signed.append(message)
        return self._private.sign(message)


@dataclass
class LogDesk:
    """Certificates that wait, the writer, and what the public sees."""

    duty: Table
    log: Log
    clock: FixedClock
    count: int = 0

    def issue(self, number: int = 1) -> list[bytes]:
        """So many certificates, as the transaction that keeps their messages leaves them; their COSE messages."""
        messages = []
        for _ in range(number):
            self.count += 1
            message = f"message {self.count}".encode()
            pk, sk = keys.log_pending(new_id("ce", NOW + timedelta(milliseconds=self.count)))
            row = {"entry": entry_of(message).hex(), "created_at": to_rfc3339(self.clock.now())}
            self.duty.dynamodb.put_item(TableName=self.duty.name, Item=to_item({**row, "pk": pk, "sk": sk}))
            messages.append(message)
        return messages

    def run(self, batch_max: int = BATCH_MAX, **ports: Any) -> Sequenced:
        return sequence(replace(self.log, **ports), now=self.clock.now, batch_max=batch_max)

    def die(self, port: str, method: str, *, after: bool) -> None:
        """A run that is killed before or after it calls this method of a port."""
        ports: dict[str, Any] = {port: Dying(getattr(self.log, port), method, after=after)}
        with pytest.raises(Died):
            self.run(**ports)

    def get(self, path: str, **params: str) -> dict[str, Any]:
        """The public answer of `/.well-known/avarez/log/` and the path."""
        route = f"GET /.well-known/avarez/log/{path}"
        return handler.handle({"routeKey": route, "pathParameters": params}, None)

    def public(self) -> SignedCheckpoint:
        """The published checkpoint, its signatures checked."""
        answer = self.get("checkpoint")
        assert answer["statusCode"] == 200, answer
        return open_checkpoint(answer["body"], self.key)

    @property
    def key(self) -> LogKey:
        return LogKey(self.log.origin, self.log.signer.public_key)

    def evidence(self, message: bytes) -> Evidence:
        """What the proof that everybody can fetch shows."""
        answer = self.get("proof/{entry}", entry=entry_of(message).hex())
        assert answer["statusCode"] == 200, answer
        return check_proof(message, answer["body"], self.key)

    def waiting(self) -> int:
        return len(self.log.head.waiting(10_000))

    def tree(self) -> tiles.TileTree:
        """The published tree, read from its tiles."""
        return tiles.TileTree(self.public().checkpoint.size, self.log.objects.read_tile)

    def assert_whole(self, messages: list[bytes]) -> None:
        """Every message stands in the published log once, some twenty with their proofs, and nobody waits."""
        shown = self.public().checkpoint
        tree = self.tree()
        assert (shown.size, self.waiting()) == (len(messages), 0)
        assert tree.root() == shown.root
        entries = [one for number in range(-(-shown.size // 256)) for one in tree.tile(tiles.ENTRIES, number)]
        assert sorted(entries) == sorted(entry_of(one) for one in messages)
        for message in messages[:: len(messages) // 20 + 1]:
            assert self.evidence(message).finding == "logged"
        assert self.log.head.tree().batch == ""


def running_log(monkeypatch: pytest.MonkeyPatch) -> Iterator[LogDesk]:
    """An empty log."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "DUTY_TABLE": "duty",
        "LOG_BUCKET": "log",
    }.items():
        monkeypatch.setenv(name, value)
    caches: tuple[Any, ...] = (dynamo.client, handler.table, handler.register, handler.bucket)
    for cache in caches:
        cache.cache_clear()
    with mock_aws():
        client: Any = boto3.client("dynamodb")
        client.create_table(
            TableName="duty",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        )
        place: Any = {"LocationConstraint": "eu-central-1"}
        boto3.client("s3").create_bucket(Bucket="log", CreateBucketConfiguration=place)
        duty = Table("duty")
        yield LogDesk(duty, Log(ORIGIN, LogTable(duty), LogBucket("log"), Signer()), FixedClock(NOW))
    for cache in caches:
        cache.cache_clear()
