"""The queue that wakes the log's writer."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from avarez.dynamo import client
from avarez.errors import ServiceBusy

GROUP: Final = "log"
BUCKET_S: Final = 2
"""All certificates of two seconds share one wake-up; the queue holds it back for three, so that none comes too
late for it. A clock a second behind costs nothing, one further behind at most a minute, until the sweep."""


class LogQueue:
    """Wake-ups of the log's one writer."""

    def __init__(self, url: str, sqs: Any | None = None) -> None:
        self._url = url
        self._sqs = sqs

    def wake(self, now: datetime) -> None:
        """The writer runs within seconds. Repeating it within the same two seconds sends nothing more.

        Raises: ServiceBusy.
        """
        sqs = self._sqs if self._sqs is not None else client("sqs")
        bucket = str(int(now.timestamp()) // BUCKET_S)
        try:
            sqs.send_message(
                QueueUrl=self._url, MessageBody=bucket, MessageGroupId=GROUP, MessageDeduplicationId=bucket
            )
        except (ClientError, BotoCoreError) as error:
            raise ServiceBusy() from error
