"""Batches of queue messages: each is taken by itself, and only those that failed are delivered again.

Source: Lambda developer guide, SQS, partial batch responses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from avarez.errors import AvarezError
from avarez.observability import log_failure, metric


def each_message(event: Mapping[str, Any], take: Callable[[str], None], *, failed: str) -> dict[str, Any]:
    """Hands each message's body to `take`; the answer names the messages that it raised for.

    `failed` names the log line and the metric of a failure. A message that fails five times is set aside by its
    queue, and an alarm rings.
    """
    failures = []
    for record in event.get("Records", []):
        try:
            take(str(record["body"]))
        except Exception as error:  # noqa: BLE001 - the outermost edge: one poisoned message must not stop the rest
            metric(failed)
            code = error.code if isinstance(error, AvarezError) else ""
            log_failure(failed, message_id=record["messageId"], code=code)
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}
