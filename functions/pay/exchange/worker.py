"""Each quarter of an hour: what has happened since the last batch becomes the next one, or the next ones."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from avarez.observability import log, metric
from functions.pay.exchange import wiring

RUN_SECONDS_MAX: Final = 240
"""The function may run for 600 seconds, of which the closes before take 240."""
BATCHES_MAX: Final = 100
NAMED_MAX: Final = 20


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """One log line for the run, which names no vehicle."""
    started = time.monotonic()
    counted: dict[str, Any] = {"batches": 0, "records": 0, "incomplete": 0}
    broken: set[str] = set()
    for _ in range(BATCHES_MAX):
        done = wiring.reporter().report(wiring.clock.now(), lambda: time.monotonic() - started < RUN_SECONDS_MAX)
        broken.update(done.broken)
        if done.batch is not None:
            counted["batches"] += 1
            counted["records"] += done.batch.records
            counted["incomplete"] += done.batch.incomplete
        if done.batch is None or not done.more or time.monotonic() - started >= RUN_SECONDS_MAX:
            break
    if broken:
        metric("exchange_refused", len(broken))
        log("exchange_refused", level="error", municipalities=sorted(broken)[:NAMED_MAX])
    log("exchange_reported", broken=len(broken), duration_ms=round((time.monotonic() - started) * 1000), **counted)
    return {**counted, "broken": len(broken)}
