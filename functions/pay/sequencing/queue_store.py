"""What waits in every city, by the index of what is undone, and the queue of wake-ups."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from avarez import keys
from avarez.clock import to_rfc3339
from avarez.dynamo import Table, client, from_item, translated
from avarez.events.log import PENDING_PREFIX
from functions.pay.sequencing.wake_ups import once_a_second, wake_up_text

PENDING_INDEX: Final = "pending"
SEND_BATCH_MAX: Final = 10
"""Source: SQS API reference, SendMessageBatch."""


class Overlooked:
    """Rows of every city that have waited too long; the index may lag, which costs a look for nothing."""

    def __init__(self, ledger: Table) -> None:
        self._ledger = ledger

    def rows(self, shard: int, created_before: datetime, limit: int) -> list[tuple[str, str]]:
        """At most `limit` rows of one shard, oldest first: the partition, and since when the row has waited."""
        with translated():
            answer = self._ledger.dynamodb.query(
                TableName=self._ledger.name,
                IndexName=PENDING_INDEX,
                KeyConditionExpression="pending_shard = :shard AND created_at < :before",
                ExpressionAttributeValues={
                    ":shard": {"S": f"{PENDING_PREFIX}{shard}"},
                    ":before": {"S": to_rfc3339(created_before)},
                },
                Limit=limit,
            )
        return [(str(row["pk"]), str(row["created_at"])) for row in map(from_item, answer["Items"])]

    def waiting(self, created_before: datetime, limit: int) -> list[tuple[str, str]]:
        """The rows of all shards, the longest waiting first."""
        found = [row for shard in range(keys.SHARDS) for row in self.rows(shard, created_before, limit)]
        return sorted(found, key=lambda row: row[1])


class WakeUps:
    """The first-in-first-out queue of wake-ups, one group for each city: one worker of a city at a time."""

    def __init__(self, url: str, sqs: Any | None = None) -> None:
        self._url = url
        self._sqs = sqs

    def send(self, municipalities: Sequence[str], now: datetime) -> int:
        """Sends a wake-up for each city; how many the queue took. The sweep finds what was not."""
        sqs = self._sqs if self._sqs is not None else client("sqs")
        taken = 0
        for start in range(0, len(municipalities), SEND_BATCH_MAX):
            entries = [
                {
                    "Id": str(number),
                    "MessageBody": wake_up_text(of),
                    "MessageGroupId": of,
                    "MessageDeduplicationId": once_a_second(of, now),
                }
                for number, of in enumerate(municipalities[start : start + SEND_BATCH_MAX])
            ]
            with translated():
                answer = sqs.send_message_batch(QueueUrl=self._url, Entries=entries)
            taken += len(answer.get("Successful", []))
        return taken
