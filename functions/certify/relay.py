"""The ledger's stream: new outbox rows wake the issuer within milliseconds.

An accelerator only. The sweep finds whatever a stream never said.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from avarez.observability import log
from avarez.settings import setting
from functions.certify.certificates.outbox import OUTBOX_PREFIX, OutboxKey
from functions.certify.stores.outbox_store import QueueSender


@functools.cache
def queue() -> QueueSender:
    """The certify queue."""
    return QueueSender(setting("CERTIFY_QUEUE_URL"))


def new_rows(event: Mapping[str, Any]) -> list[OutboxKey]:
    """The outbox rows that the stream records say were inserted."""
    rows = []
    for record in event.get("Records", []):
        key = record["dynamodb"]["Keys"]
        if record["eventName"] == "INSERT" and key["pk"]["S"].startswith(OUTBOX_PREFIX):
            rows.append(OutboxKey(key["pk"]["S"], key["sk"]["S"]))
    return rows


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point. A failure fails the whole batch: waking twice does no harm."""
    rows = new_rows(event)
    taken = queue().send(rows)
    log("outbox_relayed", rows=len(rows), taken=taken)
    return {"batchItemFailures": []}
