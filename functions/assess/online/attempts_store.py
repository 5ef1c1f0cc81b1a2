"""How often something was tried within an hour: one counter each, which ends by itself."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from botocore.exceptions import ClientError

from avarez import keys
from avarez.dynamo import Table, to_item, translated
from avarez.errors import TooManyAttempts

WINDOW_S: Final = 3_600
KEPT_S: Final = 2 * WINDOW_S


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `attempts_max` in an hour of whatever `digest` stands for."""

    kind: str
    digest: str
    attempts_max: int


@dataclass(slots=True)
class AttemptTable:
    """The counters in the duty table. A retry of the SDK may count twice: a limit errs on the safe side."""

    table: Table

    def take(self, limits: Sequence[Limit], now: datetime) -> None:
        """Counts an attempt against each limit before anything is looked up.

        Raises:
            TooManyAttempts: one is used up; it says when the hour is over.
        """
        for limit in limits:
            try:
                self._add(limit, now, 1, "attribute_not_exists(#count) OR #count < :max", limit.attempts_max)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                    raise
                left_s = WINDOW_S - int(now.timestamp()) % WINDOW_S
                raise TooManyAttempts(retry_after_s=left_s) from error

    def give_back(self, limits: Sequence[Limit], now: datetime) -> None:
        """Takes an attempt that was right off again, so that only wrong ones count."""
        for limit in limits:
            with contextlib.suppress(ClientError):
                self._add(limit, now, -1, "#count >= :max", 1)

    def _add(self, limit: Limit, now: datetime, step: int, condition: str, bound: int) -> None:
        second = int(now.timestamp())
        pk, sk = keys.owner_attempts(limit.kind, limit.digest, second // WINDOW_S)
        values = {":step": step, ":ends": second + KEPT_S, ":max": bound}
        with translated():
            self.table.dynamodb.update_item(
                TableName=self.table.name,
                Key=to_item({"pk": pk, "sk": sk}),
                UpdateExpression="SET expires_at_epoch = :ends ADD #count :step",
                ConditionExpression=condition,
                ExpressionAttributeNames={"#count": "count"},
                ExpressionAttributeValues=to_item(values),
            )
