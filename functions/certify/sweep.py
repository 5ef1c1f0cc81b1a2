"""Each minute: outbox rows that nobody has done are put into the queue again."""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from avarez import keys
from avarez.clock import SystemClock, to_rfc3339
from avarez.dynamo import Table
from avarez.observability import log, metric
from avarez.settings import setting
from functions.certify.stores.outbox_store import Outbox, QueueSender

#: The stream and the queue need less than a second; a row as old as this has been overlooked.
PATIENCE: Final = timedelta(seconds=20)
#: What 100 issuers make in a minute; the oldest rows come first, the rest next minute.
ROWS_PER_SHARD_MAX: Final = 500
clock = SystemClock()


@functools.cache
def parts() -> tuple[Outbox, QueueSender]:
    """The outbox and the certify queue."""
    return Outbox(Table(setting("LEDGER_TABLE"))), QueueSender(setting("CERTIFY_QUEUE_URL"))


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point; writes one log line for the run."""
    started = time.monotonic()
    outbox, queue = parts()
    created_before = to_rfc3339(clock.now() - PATIENCE)
    rows = taken = 0
    for shard in range(keys.SHARDS):
        waiting = outbox.pending(shard, created_before, ROWS_PER_SHARD_MAX)
        rows += len(waiting)
        taken += queue.send(waiting)
    if rows:
        metric("certificates_overlooked", rows)
    log("outbox_swept", rows=rows, taken=taken, duration_ms=round((time.monotonic() - started) * 1000))
    return {"rows": rows, "taken": taken}
