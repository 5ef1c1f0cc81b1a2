"""What sending reads and counts in DynamoDB: outbox rows by the index of what is undone, and messages of a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from botocore.exceptions import ClientError

from avarez import keys
from avarez.clock import tehran_today, to_rfc3339
from avarez.dynamo import Item, Table, from_item, to_item, translated

PENDING_INDEX: Final = "pending"
COUNT_KEPT: Final = timedelta(days=3)


@dataclass(slots=True)
class ReminderRows:
    """The outbox of the ledger table, and the counter of the duty table."""

    duty: Table
    ledger: Table

    def waiting(self, created_before: datetime, limit: int) -> list[Item]:
        """The oldest outbox rows of certificates whose owners were not told yet, at most `limit` a shard."""
        found: list[Item] = []
        for shard in range(keys.SHARDS):
            with translated():
                answer = self.ledger.dynamodb.query(
                    TableName=self.ledger.name,
                    IndexName=PENDING_INDEX,
                    KeyConditionExpression="pending_shard = :shard AND created_at < :before",
                    ExpressionAttributeValues=to_item(
                        {":shard": f"{keys.TO_REMIND_PREFIX}{shard}", ":before": to_rfc3339(created_before)}
                    ),
                    Limit=limit,
                )
            places = [(str(one["pk"]), str(one["sk"])) for one in map(from_item, answer["Items"])]
            found.extend(item for item in map(self.ledger.get, places) if item is not None)
        return found

    def counted(self, messages_a_day_max: int, now: datetime) -> bool:
        """Whether the day has room for one more; counted by the same write. A day of none has room for none."""
        if messages_a_day_max <= 0:
            return False
        pk, sk = keys.messages_of(tehran_today(now).isoformat())
        values = {":one": 1, ":most": messages_a_day_max, ":ends": int((now + COUNT_KEPT).timestamp())}
        try:
            with translated():
                self.duty.dynamodb.update_item(
                    TableName=self.duty.name,
                    Key=to_item({"pk": pk, "sk": sk}),
                    UpdateExpression="SET expires_at_epoch = :ends ADD #count :one",
                    ConditionExpression="attribute_not_exists(#count) OR #count < :most",
                    ExpressionAttributeNames={"#count": "count"},
                    ExpressionAttributeValues=to_item(values),
                )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True
