"""Issuing a certificate over the real adapters: once, however often, and wherever a worker dies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from avarez import dynamo, keys
from avarez.certificates import cose
from avarez.certificates.jwks import KeyStatus
from avarez.certificates.status import SHARD_PLACES, SHARDS_PER_YEAR
from avarez.certificates.verification import check_message
from avarez.clock import to_rfc3339
from avarez.dynamo import Table, to_item
from avarez.errors import CertificateInPreparation, CertificateNotInForce, ServiceBusy
from avarez.events.chain import EventType
from avarez.events.log import waiting_from
from avarez.ids import new_id
from functions.certify import wiring
from functions.certify.certificates import issuing, overlooked
from functions.certify.certificates.issuing import Issue, issue_certificate
from functions.certify.certificates.outbox import OutboxKey
from functions.certify.certificates.overlooked import Woken, wake_overlooked
from functions.certify.certificates.record import CertificateRecord, RecordUnsound
from functions.certify.certificates.reissuing import Reissue, ReissueReason, reissue_certificate
from functions.certify.signing.key_store import KeyTable
from functions.certify.signing.keys import active_signer, rotate_now
from functions.certify.stores.document_store import DocumentBucket, document_key
from functions.certify.stores.issuing_store import IssuingTable
from functions.certify.stores.kms_adapter import KmsSigner
from functions.certify.stores.outbox_store import Outbox, QueueSender
from functions.certify.stores.reissue_store import ReissueTable
from functions.certify.wiring import typeset
from functions.verify.store import Register

NOW = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
CITY, PLATE = "MASHHAD", "12B345-67"


class Died(Exception):
    """The worker was killed here."""


@dataclass
class Desk:
    """A settled payment's certificate and outbox row, and all that issues it."""

    certificate_id: str
    outbox: OutboxKey
    table: IssuingTable
    documents: DocumentBucket
    pool: dict[str, KmsSigner]

    @property
    def keys(self) -> KeyTable:
        return KeyTable(Table("duty"))

    def issue(self, **replaced: Any) -> Issue:
        parts: dict[str, Any] = {
            "certificates": self.table,
            "documents": self.documents,
            "signer": lambda: active_signer(self.pool, keys=self.keys, now=NOW),
            "typeset": typeset,
            "now": NOW,
            **replaced,
        }
        return issue_certificate(self.outbox, **parts)

    def record(self) -> CertificateRecord:
        found = self.table.find(self.certificate_id)
        assert found is not None
        return found

    def waits(self) -> bool:
        return self.table.certificate_of(self.outbox) is not None


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "PUBLIC_ORIGIN": "https://avarez.example",
        "DUTY_TABLE": "duty",
    }.items():
        monkeypatch.setenv(name, value)
    dynamo.client.cache_clear()
    wiring.pages.cache_clear()
    with mock_aws():
        client: Any = boto3.client("dynamodb")
        both = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")]
        key = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
        client.create_table(
            TableName="duty", BillingMode="PAY_PER_REQUEST", AttributeDefinitions=both, KeySchema=key
        )
        pending = [{"AttributeName": name, "AttributeType": "S"} for name in ("pending_shard", "created_at")]
        client.create_table(
            TableName="ledger",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[*both, *pending],
            KeySchema=key,
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "pending",
                    "KeySchema": [
                        {"AttributeName": "pending_shard", "KeyType": "HASH"},
                        {"AttributeName": "created_at", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
            ],
        )
        place: Any = {"LocationConstraint": "eu-central-1"}
        boto3.client("s3").create_bucket(Bucket="documents", CreateBucketConfiguration=place)
        kms: Any = boto3.client("kms")
        made = [kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY") for _ in range(2)]
        pool = {key["KeyMetadata"]["Arn"]: KmsSigner(kms, key["KeyMetadata"]["Arn"]) for key in made}
        yield settled(Table("duty"), Table("ledger"), pool)
    dynamo.client.cache_clear()


def settled(duty: Table, ledger: Table, pool: dict[str, KmsSigner], **changes: Any) -> Desk:
    """What the settling transaction leaves behind."""
    certificate_id, payment_id, event_id = new_id("ce", NOW), new_id("py", NOW), new_id("ev", NOW)
    pk, sk = keys.certificate(CITY, PLATE, certificate_id)
    record = {
        "certificate_id": certificate_id,
        "payment_id": payment_id,
        "kind": "payment",
        "status": "preparing",
        "municipality": CITY,
        "plate": PLATE,
        "vehicle_id": "ve_1",
        "years": [{"year": 1404, "amount_rial": 2_400_000}, {"year": 1405, "amount_rial": 2_600_500}],
        "rounding_rial": 500,
        "fee_rial": 0,
        "amount_rial": 5_001_000,
        "paid_at": to_rfc3339(NOW),
        "trace_hash": "ab" * 32,
        "reference": "1795491390",
        "gateway": "sandbox",
        **changes,
    }
    pointer = keys.pointer(certificate_id)
    row = keys.outbox(CITY, payment_id, event_id)
    shard = str(keys.shard_of(payment_id))
    for table, place, item in (
        (duty, (pk, sk), record),
        (duty, pointer, {"target_pk": pk, "target_sk": sk, "municipality": CITY}),
        (
            ledger,
            row,
            {"certificate_id": certificate_id, "pending_shard": shard, "created_at": to_rfc3339(NOW)},
        ),
    ):
        table.dynamodb.put_item(TableName=table.name, Item=to_item({**item, "pk": place[0], "sk": place[1]}))
    documents = DocumentBucket("documents")
    return Desk(certificate_id, OutboxKey(*row), IssuingTable(duty, ledger), documents, pool)


def files() -> list[str]:
    listed = boto3.client("s3").list_objects_v2(Bucket="documents").get("Contents", [])
    return [one["Key"] for one in listed]


def assert_issued_once(desk: Desk) -> None:
    """In force, one file on each paper, one published key, a message that verifies, and no row left."""
    record = desk.record()
    assert record.status.value == "in_force"
    assert sorted(files()) == sorted(document_key(one or "") for one in (record.pdf_sha256, record.pdf_a5_sha256))
    assert record.pdf_sha256 != record.pdf_a5_sha256
    assert not desk.waits()
    register = Register(Table("duty"))
    assert len([key for key in register.keys().values() if key.status is KeyStatus.ACTIVE]) == 1
    outcome = check_message(record.message or b"", register.keys())
    assert outcome.signature_good
    assert outcome.payload is not None
    assert outcome.payload.certificate_id == desk.certificate_id
    assert outcome.payload.amount_rial == record.amount_rial
    assert outcome.payload.status_index == record.status_index is not None
    shard, place = divmod(record.status_index or 0, SHARD_PLACES)
    holders = [Table("duty").query(f"STATUSPLACE#{number}") for number in range(SHARDS_PER_YEAR)]
    assert [item["sk"] for item in holders[shard]] == [f"{place:07d}"]
    assert sum(map(len, holders)) == 1, "one place, however often it was tried"
    assert register.certificate_of_code(record.short_code, PLATE) == desk.certificate_id
    assert register.certificate_of_code(record.short_code, "12B345-68") is None


def test_event_that_arrives_three_times_gives_one_certificate(desk: Desk) -> None:
    assert [desk.issue() for _ in range(3)] == [Issue.ISSUED, Issue.ALREADY_ISSUED, Issue.ALREADY_ISSUED]
    assert_issued_once(desk)
    (row,) = Table("ledger").query(desk.outbox.partition, keys.TO_CHAIN_PREFIX)
    event = waiting_from(row)
    assert (event.type, event.municipality) == (EventType.CERTIFICATE_ISSUED, CITY)
    assert event.content["certificate"]["certificate_id"] == desk.certificate_id


@pytest.mark.parametrize("method", ["take_place", "keep_message", "finish"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_worker_killed_at_any_write_is_made_good(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, method: str, *, after: bool
) -> None:
    real: Callable[..., Any] = getattr(desk.table, method)

    def dying(*arguments: Any) -> Any:
        if after:
            real(*arguments)
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(desk.table, method, dying)
        with pytest.raises(Died):
            desk.issue()
    assert desk.waits() or (method == "finish" and after)
    desk.issue()
    assert_issued_once(desk)


def test_worker_killed_after_the_put_leaves_one_file(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    real = desk.documents.keep

    def dying(pdf: bytes, content_sha256: str) -> None:
        real(pdf, content_sha256)
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(desk.documents, "keep", dying)
        with pytest.raises(Died):
            desk.issue()
    assert desk.record().status.value == "preparing"
    desk.issue()
    assert_issued_once(desk)


def test_worker_that_signs_second_takes_the_first_ones_message(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = desk.table.keep_message
    kept: list[bytes] = []

    def overtaken(*arguments: Any) -> CertificateRecord:
        if not kept:
            kept.append(b"")
            assert desk.issue() is Issue.ISSUED  # another worker, from start to end, at this very moment
        return real(*arguments)

    monkeypatch.setattr(desk.table, "keep_message", overtaken)
    desk.issue()
    assert_issued_once(desk)


def test_place_that_is_taken_is_never_given_twice(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    taken, free = 7, 3 * SHARD_PLACES + 8
    other = settled(Table("duty"), Table("ledger"), desk.pool)
    assert desk.table.take_place(other.record(), taken) is not None
    drawn = iter([taken, taken, free])
    monkeypatch.setattr(issuing, "draw_index", lambda *_: next(drawn))
    desk.issue()
    assert (other.record().status_index, desk.record().status_index) == (taken, free)


def test_no_free_place_leaves_the_row_for_the_next_try(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    other = settled(Table("duty"), Table("ledger"), desk.pool)
    desk.table.take_place(other.record(), 7)
    monkeypatch.setattr(issuing, "draw_index", lambda *_: 7)
    with pytest.raises(ServiceBusy):
        desk.issue()
    assert desk.waits()
    assert desk.record().message is None


def test_put_that_was_acknowledged_and_lost_is_put_again_or_refused(desk: Desk) -> None:
    class Forgetful:
        """S3 that acknowledges and forgets, `times` times."""

        def __init__(self, times: int) -> None:
            self.real, self.left = boto3.client("s3"), times

        def put_object(self, **arguments: Any) -> Any:
            if self.left:
                self.left -= 1
                return {}
            arguments.pop("IfNoneMatch", None)
            return self.real.put_object(**arguments)

        def get_object(self, **arguments: Any) -> Any:
            return self.real.get_object(**arguments)

    with pytest.raises(ServiceBusy):
        desk.issue(documents=DocumentBucket("documents", Forgetful(2)))
    assert (desk.record().status.value, desk.waits()) == ("preparing", True)
    assert desk.issue(documents=DocumentBucket("documents", Forgetful(1))) is Issue.ISSUED
    assert_issued_once(desk)


def test_silent_kms_leaves_the_row_for_the_next_try(desk: Desk) -> None:
    unknown = KmsSigner(boto3.client("kms"), "00000000-0000-0000-0000-000000000000")
    with pytest.raises(ServiceBusy):
        desk.issue(signer=lambda: unknown)
    assert desk.waits()
    assert files() == []
    desk.issue()
    assert_issued_once(desk)


def test_key_that_is_rotated_out_while_signing_signs_nothing_that_is_kept(desk: Desk) -> None:
    desk.keys.all()
    asked: list[bytes] = []

    def signer() -> KmsSigner:
        chosen = active_signer(desk.pool, keys=desk.keys, now=NOW)
        if not asked:
            rotate_now("at this very moment", keys=desk.keys, now=NOW)
        asked.append(chosen.kid)
        return chosen  # type: ignore[return-value]

    desk.issue(signer=signer)
    assert_issued_once(desk)
    assert len(set(asked)) == 2
    assert cose.parse(desk.record().message or b"").key_id == asked[-1]


def reissued(desk: Desk, reason: ReissueReason = ReissueReason.LOST) -> str:
    table = ReissueTable(Table("duty"), Table("ledger"))
    return reissue_certificate(
        desk.record(), reason=reason, by="clerk", office="of_1", reissues=table, now=NOW + timedelta(minutes=5)
    )


def test_lost_paper_gets_a_successor_and_both_say_so(desk: Desk) -> None:
    desk.issue()
    old = desk.record()
    new_id = reissued(desk)
    rows = [row for shard in range(keys.SHARDS) for row in Table("ledger").query(f"OUTBOX#{CITY}#{shard}")]
    (row,) = [row for row in rows if not row["sk"].startswith(keys.TO_CHAIN_PREFIX)]
    told = [waiting_from(row) for row in rows if row["sk"].startswith(keys.TO_CHAIN_PREFIX)]
    (ended,) = [event for event in told if event.type is EventType.CERTIFICATE_SUPERSEDED]
    assert (ended.municipality, ended.about) == (CITY, old.payment_id)
    assert ended.content == {
        "certificate": {
            "certificate_id": old.certificate_id,
            "plate": old.plate,
            "because": "lost",
            "superseded_by": new_id,
        },
        "payment": {"payment_id": old.payment_id},
    }
    successor = replace(desk, certificate_id=new_id, outbox=OutboxKey(row["pk"], row["sk"]))
    assert successor.issue() is Issue.ISSUED
    gone, new = desk.record(), successor.record()
    assert (gone.status.value, gone.superseded_by, gone.ended_at) == (
        "superseded",
        new_id,
        NOW + timedelta(minutes=5),
    )
    assert (new.status.value, new.supersedes, new.reissue_reason) == ("in_force", old.certificate_id, "lost")
    assert new.status_index != old.status_index
    assert (new.years, new.amount_rial, new.paid_at) == (old.years, old.amount_rial, old.paid_at)
    (mark,) = Table("ledger").query("STATUSMARKS")
    assert mark["certificate_id"] == old.certificate_id
    found = Register(Table("duty")).find(old.certificate_id)
    assert found is not None
    assert found.superseded_by == new_id


def test_certificate_has_one_successor(desk: Desk) -> None:
    with pytest.raises(CertificateInPreparation):
        reissued(desk)
    desk.issue()
    before = desk.record()
    new_id = reissued(desk)
    with pytest.raises(CertificateNotInForce) as refused:
        reissued(desk)
    assert refused.value.extra == {"superseded_by": new_id}
    table = ReissueTable(Table("duty"), Table("ledger"))
    racing = Reissue("ce_" + "0" * 36, ReissueReason.LOST, "clerk", "of_2", NOW)
    with pytest.raises(CertificateNotInForce):
        table.supersede(before, racing)
    assert Table("duty").get(keys.pointer(racing.certificate_id)) is None


def test_record_that_contradicts_itself_is_never_signed(desk: Desk) -> None:
    odd = settled(Table("duty"), Table("ledger"), desk.pool, amount_rial=5_001_001)
    with pytest.raises(RecordUnsound):
        odd.issue()
    assert odd.waits()
    assert files() == []


def test_sweep_finds_old_rows_and_wakes_the_issuer(desk: Desk) -> None:
    url = boto3.client("sqs").create_queue(QueueName="certify")["QueueUrl"]
    outbox = Outbox(Table("ledger"))

    def waiting(before: datetime) -> list[OutboxKey]:
        return [row.key for shard in range(keys.SHARDS) for row in outbox.pending(shard, before, 10)]

    assert waiting(NOW) == []
    found = waiting(NOW + timedelta(seconds=1))
    assert found == [desk.outbox]
    assert QueueSender(url).send(found) == 1
    desk.issue()
    assert waiting(NOW + timedelta(days=1)) == []


def test_sweep_tells_how_long_the_oldest_row_waits(desk: Desk) -> None:
    url = boto3.client("sqs").create_queue(QueueName="certify")["QueueUrl"]
    outbox, queue = Outbox(Table("ledger")), QueueSender(url)
    late = wake_overlooked(outbox, queue, NOW + timedelta(minutes=7))
    assert late == Woken(rows=1, taken=1, oldest_s=420)
    desk.issue()
    assert wake_overlooked(outbox, queue, NOW + timedelta(minutes=7)) == Woken(0, 0, 0)


def test_sweep_adds_nothing_while_the_issuers_are_behind(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """10,000 payments in a storm: each sweep put each waiting row into the queue again, 218,000 in all."""
    url = boto3.client("sqs").create_queue(QueueName="certify")["QueueUrl"]
    outbox, queue = Outbox(Table("ledger")), QueueSender(url)
    monkeypatch.setattr(overlooked, "BACKLOG_MAX", 2)
    later = NOW + timedelta(minutes=7)
    runs = [wake_overlooked(outbox, queue, later + number * timedelta(minutes=1)) for number in range(6)]
    assert [run.taken for run in runs] == [1, 1, 1, 0, 0, 0]
    assert [run.rows for run in runs] == [1] * 6, "how many wait is told all the same"
    assert queue.backlog() == 3
