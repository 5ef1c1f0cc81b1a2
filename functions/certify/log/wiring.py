"""Puts the log's writer together with what it works on, and runs it until nobody waits."""

from __future__ import annotations

import functools
import time
from typing import Any, Final

from avarez.clock import SystemClock
from avarez.dynamo import Table, client
from avarez.errors import ServiceBusy
from avarez.observability import log, log_failure, metric
from avarez.settings import setting
from avarez.transparency.checkpoint import origin_of
from functions.certify.log.sequencing import Log, LogMoved, sequence
from functions.certify.log.stores.note_adapter import KmsNoteSigner
from functions.certify.log.stores.tile_store import LogBucket
from functions.certify.log.stores.tree_store import LogTable

clock = SystemClock()
#: A run begins no further batch after this; one takes about a second, and the function may run for 30.
RUN_SECONDS_MAX: Final = 15


@functools.cache
def table() -> LogTable:
    """The process's rows of the log."""
    return LogTable(Table(setting("DUTY_TABLE")))


@functools.cache
def writer() -> Log:
    """The process's one writer."""
    signer = KmsNoteSigner(client("kms"), setting("LOG_KEY_ID"))
    return Log(origin_of(setting("PUBLIC_ORIGIN")), table(), LogBucket(setting("LOG_BUCKET")), signer)


def run(source: str) -> dict[str, Any]:
    """Batches until nobody waits, the time is over, or another run is faster; one log line.

    A busy store or a silent KMS ends the run quietly: what waits keeps waiting, the next wake-up or the sweep
    tries again, and `log_behind` rings when that goes on.

    Raises: LogUnsound: the log contradicts itself, and nothing more is signed.
    """
    started = time.monotonic()
    added = batches = size = 0
    outcome = "done"
    try:
        while time.monotonic() - started < RUN_SECONDS_MAX:
            done = sequence(writer(), now=clock.now)
            added, size = added + done.added, done.size
            if not done.added:
                break
            batches += 1
    except LogMoved:
        outcome = "overtaken"
    except ServiceBusy:
        outcome = "busy"
        log_failure("log_busy", source=source)
    if added:
        metric("certificates_logged", added)
    took_ms = round((time.monotonic() - started) * 1000)
    told: dict[str, Any] = {"source": source, "outcome": outcome, "added": added, "batches": batches, "size": size}
    log("log_sequenced", duration_ms=took_ms, **told)
    return told
