"""What wakes the issuer: the stream's records, the queue's messages, and one poisoned among them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from avarez.errors import ServiceBusy
from functions.certify import issue, relay, status_queue, wiring
from functions.certify.certificates.issuing import Issue
from functions.certify.certificates.outbox import OutboxKey, read_wake_up, wake_up_text

ROW = OutboxKey("OUTBOX#TEHRAN#3", "ev_1")


def stream_record(name: str, pk: str) -> dict[str, Any]:
    return {"eventName": name, "dynamodb": {"Keys": {"pk": {"S": pk}, "sk": {"S": "ev_1"}}}}


def test_message_names_the_row_and_nothing_more() -> None:
    assert read_wake_up(wake_up_text(ROW)) == ROW


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"outbox_pk": "JOURNAL#1", "event_id": "ev_1"}',
        '{"outbox_pk": "OUTBOX#T#1"}',
        '{"outbox_pk": "OUTBOX#T#1", "event_id": 5}',
        '{"a": "' + "x" * 2_000 + '"}',
    ],
)
def test_message_that_names_no_row_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_wake_up(text)


def test_stream_relays_new_outbox_rows_only(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[OutboxKey] = []

    class Queue:
        def send(self, rows: list[OutboxKey]) -> int:
            sent.extend(rows)
            return len(rows)

    monkeypatch.setattr(relay, "queue", Queue)
    records = [
        stream_record("INSERT", ROW.partition),
        stream_record("REMOVE", ROW.partition),
        stream_record("INSERT", "TEHRAN#JOURNAL#2026-11-24#3"),
    ]
    assert relay.handle({"Records": records}, None) == {"batchItemFailures": []}
    assert sent == [ROW]


def test_stream_wakes_the_status_lists_publisher_for_new_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[str] = []

    class Queue:
        def wake(self) -> None:
            woken.append("status")

    monkeypatch.setattr(relay, "status_queue", Queue)
    for name in ("INSERT", "REMOVE"):
        relay.handle({"Records": [stream_record(name, "STATUSMARKS")] * 2}, None)
    assert woken == ["status"], "once for a batch, and not for a mark that goes"


def test_status_queue_publishes_for_each_message_and_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes: Iterator[int | ServiceBusy] = iter([33, ServiceBusy(), 0])

    def publish() -> int:
        outcome = next(outcomes)
        if isinstance(outcome, ServiceBusy):
            raise outcome
        return outcome

    monkeypatch.setattr(status_queue, "publish_status", publish)
    records = [{"messageId": f"m{number}", "body": "{}"} for number in range(3)]
    assert status_queue.handle({"Records": records}, None) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}


def test_poisoned_message_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[OutboxKey] = []

    def issuer(row: OutboxKey) -> Issue:
        if row.event_id == "ev_bad":
            raise RuntimeError("nobody foresaw this")
        taken.append(row)
        return Issue.ISSUED

    class SilentLog:
        """The log's queue, which does not answer: certificates are issued all the same."""

        def wake(self, now: datetime) -> None:
            asked.append(now)
            raise ServiceBusy()

    asked: list[datetime] = []
    monkeypatch.setattr(wiring, "issuer", lambda: issuer)
    monkeypatch.setattr(wiring, "log_queue", SilentLog)
    bodies = [wake_up_text(ROW), "{", wake_up_text(OutboxKey(ROW.partition, "ev_bad")), wake_up_text(ROW)]
    records = [{"messageId": f"m{number}", "body": body} for number, body in enumerate(bodies)]
    failed = issue.handle({"Records": records}, None)["batchItemFailures"]
    assert [failure["itemIdentifier"] for failure in failed] == ["m1", "m2"]
    assert taken == [ROW, ROW]
    assert len(asked) == 2
