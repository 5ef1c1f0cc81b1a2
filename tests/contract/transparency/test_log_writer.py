"""The log's writer over the real adapters: once each, wherever it dies, however many run; what the public sees."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest

from avarez import keys
from avarez.dynamo import to_item
from avarez.transparency import merkle
from avarez.transparency.proof import Finding, entry_of
from functions.certify.log import sequence as queue_function
from functions.certify.log import sweep, wiring
from functions.certify.log.sequencing import LogMoved, LogUnsound
from functions.certify.log.stores.tile_store import STAGING_PREFIX, TILE_PREFIX, LogBucket
from functions.certify.log.stores.wake_adapter import LogQueue
from tests.contract.transparency.log_desk import NOW, Died, LogDesk, Signer, running_log


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[LogDesk]:
    yield from running_log(monkeypatch)


def test_certificates_get_their_places_in_batches(desk: LogDesk) -> None:
    messages = desk.issue(5)
    assert (desk.run().added, desk.run().added) == (5, 0)
    more = desk.issue(300)
    first = desk.run(batch_max=256).added
    assert 150 < first <= 256, "a sixteenth of the batch from each shard, the oldest first"
    assert desk.run().added == 300 - first
    desk.assert_whole([*messages, *more])


def test_batch_of_a_thousand_is_one_checkpoint(desk: LogDesk) -> None:
    messages = desk.issue(1_000)
    assert desk.run().added == 1_000
    assert len(desk.log.signer.signed) == 2  # type: ignore[attr-defined]
    assert desk.public().checkpoint.size == 1_000
    for number in (0, 255, 256, 999):
        assert desk.evidence(messages[number]).finding is Finding.LOGGED


def test_every_published_tree_begins_with_the_one_before(desk: LogDesk) -> None:
    shown = []
    for number in (1, 2, 300, 1, 60):
        desk.issue(number)
        desk.run()
        desk.clock.advance(timedelta(seconds=5))
        shown.append(desk.public())
    tree = desk.tree()
    for older, newer in itertools.pairwise(shown):
        assert older.signed_at < newer.signed_at
        for one, other in ((older.checkpoint, newer.checkpoint), (older.checkpoint, shown[-1].checkpoint)):
            path = merkle.consistency_path(one.size, other.size, tree.node_at)
            assert merkle.verify_consistency(one.size, other.size, path, one.root, other.root)


STEPS = [
    ("head", "tree"),
    ("head", "waiting"),
    ("objects", "last_checkpoint"),
    ("objects", "read_tile"),
    ("objects", "stage"),
    ("head", "advance"),
    ("objects", "keep_tiles"),
    ("head", "kept_checkpoint"),
    ("head", "keep_checkpoint"),
    ("head", "place"),
    ("objects", "keep_last_checkpoint"),
    ("head", "publish"),
    ("head", "end"),
]


def test_writer_killed_at_any_step_is_made_good(desk: LogDesk) -> None:
    messages = desk.issue(3)
    desk.run()
    for (port, method), after in itertools.product(STEPS, (False, True)):
        before = desk.public()
        messages += desk.issue(2)
        desk.die(port, method, after=after)
        shown = desk.public()
        assert shown == before or shown.checkpoint.size == len(messages), (port, method, after)
        messages += desk.issue(1)
        desk.run()
        now, tree = desk.public().checkpoint, desk.tree()
        assert (now.size, now.root, desk.waiting()) == (len(messages), tree.root(), 0), (port, method, after)
        path = merkle.consistency_path(before.checkpoint.size, now.size, tree.node_at)
        assert merkle.verify_consistency(before.checkpoint.size, now.size, path, before.checkpoint.root, now.root)
    desk.assert_whole(messages)


def test_every_step_of_the_writer_is_killed_above() -> None:
    """A step that is added to either port is added to STEPS."""
    from functions.certify.log.sequencing import Head, Objects

    ports = {
        ("head", name) for name in vars(Head) if not name.startswith("_")
    } | {("objects", name) for name in vars(Objects) if not name.startswith("_")}  # fmt: skip
    assert ports - set(STEPS) == {("objects", "staged")}, "only healing reads what was staged: see the next test"


def test_healer_killed_at_any_step_is_made_good(desk: LogDesk) -> None:
    messages = desk.issue(3)
    desk.run()
    healing = [one for one in STEPS if one[1] not in ("stage", "advance", "waiting")]
    for port, method in [*healing, ("objects", "staged")]:
        messages += desk.issue(2)
        desk.die("objects", "keep_tiles", after=False)
        desk.die(port, method, after=True)
        assert desk.run().healed is (method != "end"), method
        assert (desk.public().checkpoint.size, desk.waiting()) == (len(messages), 0)
    desk.assert_whole(messages)


def test_two_writers_at_once_make_one_log(desk: LogDesk) -> None:
    """The second reads who waits, and is overtaken from there to the end before it moves the head."""
    messages = desk.issue(6)
    other = desk.log.head

    class Slow:
        def __getattr__(self, name: str) -> Any:
            return getattr(other, name)

        def advance(self, old: Any, new: Any) -> None:
            if desk.waiting():
                assert desk.run().added == 6
            other.advance(old, new)

    messages_before = list(messages)
    with pytest.raises(LogMoved):
        desk.run(head=Slow(), batch_max=4)
    desk.assert_whole(messages_before)
    assert {text.split(b"\n")[1] for text in desk.log.signer.signed if text.startswith(b"avarez")} == {b"6"}  # type: ignore[attr-defined]


def test_second_healer_publishes_the_first_ones_signature(desk: LogDesk) -> None:
    messages = desk.issue(3)
    desk.die("head", "keep_checkpoint", after=True)
    signed_at = NOW.replace(microsecond=0)
    desk.clock.advance(timedelta(minutes=9))
    desk.run()
    assert desk.public().signed_at == signed_at
    assert desk.evidence(messages[0]).logged_at == signed_at


def test_slow_healer_takes_nothing_back(desk: LogDesk) -> None:
    """It wakes up long after its batch was finished by another, and writes what it had in mind."""
    desk.issue(3)
    stale: list[Any] = []
    head = desk.log.head

    class Sleeper:
        def __getattr__(self, name: str) -> Any:
            return getattr(head, name)

        def publish(self, *arguments: Any) -> None:
            stale.append(arguments)
            raise Died

    with pytest.raises(Died):
        desk.run(head=Sleeper())
    desk.run()
    desk.issue(2)
    desk.run()
    newest = desk.public()
    head.publish(*stale[0])
    assert desk.public() == newest


def test_rows_that_were_restored_to_an_earlier_time_never_fork_the_log(desk: LogDesk) -> None:
    desk.issue(2)
    desk.run()
    key = to_item(dict(zip(("pk", "sk"), keys.log_head(), strict=True)))
    earlier = desk.duty.dynamodb.get_item(TableName="duty", Key=key)["Item"]
    desk.issue(2)
    desk.run()
    desk.duty.dynamodb.put_item(TableName="duty", Item=earlier)
    desk.issue(1)
    signed = len(desk.log.signer.signed)  # type: ignore[attr-defined]
    with pytest.raises(LogUnsound, match="restored"):
        desk.run()
    assert len(desk.log.signer.signed) == signed  # type: ignore[attr-defined]


@pytest.mark.parametrize("prefix", [TILE_PREFIX, STAGING_PREFIX])
def test_file_that_was_lost_or_changed_stops_the_writer(desk: LogDesk, prefix: str) -> None:
    desk.issue(3)
    if prefix == STAGING_PREFIX:
        desk.die("head", "advance", after=True)
    else:
        desk.run()
        desk.issue(1)
    s3 = boto3.client("s3")
    for one in s3.list_objects_v2(Bucket="log", Prefix=prefix)["Contents"]:
        s3.put_object(Bucket="log", Key=one["Key"], Body=b"[]")
    signed = len(desk.log.signer.signed)  # type: ignore[attr-defined]
    with pytest.raises(Exception) as refused:
        desk.run()
    assert type(refused.value).__name__ in ("LogUnsound", "TilesUnsound")
    for one in s3.list_objects_v2(Bucket="log", Prefix=prefix)["Contents"]:
        s3.delete_object(Bucket="log", Key=one["Key"])
    with pytest.raises(LogUnsound, match="missing"):
        desk.run()
    assert len(desk.log.signer.signed) == signed  # type: ignore[attr-defined]


def test_file_that_was_acknowledged_and_lost_is_not_published(desk: LogDesk) -> None:
    class Forgetful:
        def __init__(self) -> None:
            self.real = boto3.client("s3")

        def put_object(self, **arguments: Any) -> Any:
            return {} if arguments["Key"].startswith(TILE_PREFIX) else self.real.put_object(**arguments)

        def get_object(self, **arguments: Any) -> Any:
            return self.real.get_object(**arguments)

    messages = desk.issue(2)
    with pytest.raises(Exception, match="read back"):
        desk.run(objects=LogBucket("log", Forgetful()))
    assert desk.get("checkpoint")["statusCode"] == 404
    desk.run()
    desk.assert_whole(messages)


def test_answers_name_how_long_they_may_be_kept(desk: LogDesk) -> None:
    messages = desk.issue(300)
    desk.run()
    assert desk.get("checkpoint")["headers"] == {
        "content-type": "text/plain; charset=utf-8",
        "cache-control": "public, max-age=2",
        "x-content-type-options": "nosniff",
    }
    tile = desk.get("tile/{proxy+}", proxy="0/000")
    assert tile["headers"]["content-type"] == "application/octet-stream"
    assert tile["headers"]["cache-control"] == "public, max-age=31536000, immutable"
    assert len(base64.b64decode(tile["body"])) == 8_192
    proof = desk.get("proof/{entry}", entry=entry_of(messages[7]).hex())
    assert proof["headers"]["cache-control"] == "public, max-age=3600"
    assert proof["body"].startswith("c2sp.org/tlog-proof@v1\nindex 7\n")
    key = desk.get("key")
    assert key["body"] == desk.key.note_key.text + "\n"


def test_what_the_log_does_not_hold_is_not_found(desk: LogDesk) -> None:
    def code(answer: dict[str, Any]) -> tuple[int, bool]:
        return answer["statusCode"], '"code":"log_' in answer["body"]

    assert code(desk.get("checkpoint")) == (404, True)
    messages = desk.issue(2)
    waiting = desk.get("proof/{entry}", entry=entry_of(messages[0]).hex())
    assert '"code":"log_entry_not_found"' in waiting["body"]
    desk.run()
    for entry in (entry_of(messages[0]).hex().upper(), "0" * 64, "x", ""):
        assert code(desk.get("proof/{entry}", entry=entry)) == (404, True)
    for path in ("0/001", "9/000", "../checkpoint", "entries/000", "0/000.p/3", ""):
        answer = desk.get("tile/{proxy+}", proxy=path)
        assert (answer["statusCode"], '"code":"log_tile_not_found"' in answer["body"]) == (404, True), path


def test_unfinished_tile_is_served_from_the_finished_one_where_only_that_is_left(desk: LogDesk) -> None:
    desk.issue(3)
    desk.run()
    old = desk.get("tile/{proxy+}", proxy="0/000.p/3")["body"]
    desk.issue(300)
    desk.run()
    boto3.client("s3").delete_object(Bucket="log", Key="tile/0/000.p/3")
    assert desk.get("tile/{proxy+}", proxy="0/000.p/3")["body"] == old


def test_no_plate_and_no_id_is_in_any_file_of_the_log(desk: LogDesk) -> None:
    """Only the staged batches name certificates' ids, and nobody but the writer may read those."""
    desk.issue(3)
    desk.run()
    s3 = boto3.client("s3")
    for one in s3.list_objects_v2(Bucket="log")["Contents"]:
        content = s3.get_object(Bucket="log", Key=one["Key"])["Body"].read()
        assert b"message" not in content
        assert b"ce_" not in content or one["Key"].startswith(STAGING_PREFIX)


def wired(desk: LogDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "writer", lambda: desk.log)
    monkeypatch.setattr(wiring, "table", lambda: desk.log.head)
    monkeypatch.setattr(wiring, "clock", desk.clock)


def test_queue_and_sweep_both_write(desk: LogDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    wired(desk, monkeypatch)
    messages = desk.issue(3)
    assert queue_function.handle({"Records": [{}, {}]}, None) == {"batchItemFailures": []}
    messages += desk.issue(2)
    assert sweep.handle({}, None)["added"] == 2
    desk.assert_whole(messages)


def test_sweep_rings_when_somebody_waits_for_more_than_a_minute(
    desk: LogDesk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wired(desk, monkeypatch)

    class Silent(Signer):
        def sign(self, message: bytes) -> bytes:
            from avarez.errors import ServiceBusy

            raise ServiceBusy("The signing service does not answer.")

    desk.log = type(desk.log)(desk.log.origin, desk.log.head, desk.log.objects, Silent())
    desk.issue(1)
    assert sweep.handle({}, None)["outcome"] == "busy"
    assert '"log_behind"' not in capsys.readouterr().out
    desk.clock.advance(timedelta(seconds=61))
    assert sweep.handle({}, None)["waits_s"] == 61
    assert '"log_behind": 1' in capsys.readouterr().out


def test_certificates_of_two_seconds_share_one_wake_up(desk: LogDesk) -> None:
    sqs = boto3.client("sqs")
    attributes: Any = {"FifoQueue": "true"}
    url = sqs.create_queue(QueueName="log.fifo", Attributes=attributes)["QueueUrl"]
    queue = LogQueue(url)
    for milliseconds in (0, 100, 1_999, 2_000):
        queue.wake(NOW + timedelta(milliseconds=milliseconds))
    counted: Any = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    assert counted["Attributes"]["ApproximateNumberOfMessages"] == "2"
