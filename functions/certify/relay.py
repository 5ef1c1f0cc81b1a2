"""The ledger's stream: new outbox rows wake the issuer within milliseconds, new marks the status list's publisher.

An accelerator only. The sweep finds whatever a stream never said.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from avarez import keys
from avarez.observability import log
from avarez.settings import setting
from functions.certify.certificates.outbox import OUTBOX_PREFIX, OutboxKey
from functions.certify.stores.outbox_store import QueueSender


@functools.cache
def queue() -> QueueSender:
    """The certify queue."""
    return QueueSender(setting("CERTIFY_QUEUE_URL"))


@functools.cache
def status_queue() -> QueueSender:
    """The queue that wakes the publisher of the status list."""
    return QueueSender(setting("STATUS_QUEUE_URL"))


def has_marks(event: Mapping[str, Any]) -> bool:
    """Whether a certificate's end waits to be published."""
    partition = keys.status_mark(0, "")[0]
    return any(
        record["eventName"] == "INSERT" and record["dynamodb"]["Keys"]["pk"]["S"] == partition
        for record in event.get("Records", [])
    )


def new_rows(event: Mapping[str, Any]) -> list[OutboxKey]:
    """The outbox rows that the stream records say were inserted, less those of other consumers."""
    rows = []
    for record in event.get("Records", []):
        key = record["dynamodb"]["Keys"]
        others = key["sk"]["S"].startswith((keys.TO_CHAIN_PREFIX, keys.TO_REMIND_PREFIX))
        ours = key["pk"]["S"].startswith(OUTBOX_PREFIX) and not others
        if record["eventName"] == "INSERT" and ours:
            rows.append(OutboxKey(key["pk"]["S"], key["sk"]["S"]))
    return rows


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point. A failure fails the whole batch: waking twice does no harm."""
    rows = new_rows(event)
    taken = queue().send(rows) if rows else 0
    marked = has_marks(event)
    if marked:
        status_queue().wake()
    log("outbox_relayed", rows=len(rows), taken=taken, status_marked=marked)
    return {"batchItemFailures": []}
