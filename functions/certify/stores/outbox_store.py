"""The outbox rows still to be done, and the queue of wake-ups for them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from avarez.clock import from_rfc3339, to_rfc3339
from avarez.dynamo import Table, client, from_item, translated
from avarez.errors import ServiceBusy
from functions.certify.certificates.outbox import OutboxKey, wake_up_text
from functions.certify.certificates.overlooked import Waiting

PENDING_INDEX: Final = "pending"


class Outbox:
    """The ledger table's outbox, through its index of undone rows."""

    def __init__(self, ledger: Table) -> None:
        self._ledger = ledger

    def pending(self, shard: int, created_before: datetime, limit: int) -> list[Waiting]:
        """At most `limit` outbox rows of one shard that are older than `created_before`, oldest first.

        The index may lag: a row that is done already wakes the consumer for nothing, which does no harm.
        """
        with translated():
            answer = self._ledger.dynamodb.query(
                TableName=self._ledger.name,
                IndexName=PENDING_INDEX,
                KeyConditionExpression="pending_shard = :shard AND created_at < :before",
                ExpressionAttributeValues={
                    ":shard": {"S": str(shard)},
                    ":before": {"S": to_rfc3339(created_before)},
                },
                Limit=limit,
            )
        return [
            Waiting(OutboxKey(str(row["pk"]), str(row["sk"])), from_rfc3339(row["created_at"]))
            for row in map(from_item, answer["Items"])
        ]


class QueueSender:
    """Sends wake-ups to the certify queue, ten a call."""

    BATCH: Final = 10  # SQS: SendMessageBatch takes at most ten entries

    def __init__(self, url: str, sqs: Any | None = None) -> None:
        self._url = url
        self._sqs = sqs if sqs is not None else client("sqs")

    def wake(self) -> None:
        """Sends one message that says nothing but that there is work.

        Raises: ServiceBusy.
        """
        try:
            self._sqs.send_message(QueueUrl=self._url, MessageBody="{}")
        except (ClientError, BotoCoreError) as error:
            raise ServiceBusy() from error

    def backlog(self) -> int:
        """About how many messages wait in the queue, of those that nobody works on.

        Raises: ServiceBusy.
        """
        try:
            names = ["ApproximateNumberOfMessages"]
            answer = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=names)
        except (ClientError, BotoCoreError) as error:
            raise ServiceBusy() from error
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    def send(self, outbox_keys: list[OutboxKey]) -> int:
        """Sends a wake-up for each row; answers how many SQS took. The rest is found by the next sweep."""
        taken = 0
        for start in range(0, len(outbox_keys), self.BATCH):
            entries = [
                {"Id": str(number), "MessageBody": wake_up_text(key)}
                for number, key in enumerate(outbox_keys[start : start + self.BATCH])
            ]
            try:
                answer = self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries)
            except (ClientError, BotoCoreError) as error:
                raise ServiceBusy() from error
            taken += len(answer.get("Successful", []))
        return taken
