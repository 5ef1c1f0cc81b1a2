"""Each minute: outbox rows that nobody has done are put into the queue again."""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping
from typing import Any

from avarez.clock import SystemClock
from avarez.dynamo import Table
from avarez.observability import log, metric
from avarez.settings import setting
from functions.certify.certificates.overlooked import wake_overlooked
from functions.certify.stores.outbox_store import Outbox, QueueSender

clock = SystemClock()


@functools.cache
def parts() -> tuple[Outbox, QueueSender]:
    """The outbox and the certify queue."""
    return Outbox(Table(setting("LEDGER_TABLE"))), QueueSender(setting("CERTIFY_QUEUE_URL"))


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point; writes one log line for the run."""
    started = time.monotonic()
    outbox, queue = parts()
    woken = wake_overlooked(outbox, queue, clock.now())
    if woken.rows:
        metric("certificates_overlooked", woken.rows)
    metric("certificate_oldest_waiting_s", woken.oldest_s, "Seconds")
    duration_ms = round((time.monotonic() - started) * 1000)
    log("outbox_swept", rows=woken.rows, taken=woken.taken, oldest_s=woken.oldest_s, duration_ms=duration_ms)
    return {"rows": woken.rows, "taken": woken.taken}
