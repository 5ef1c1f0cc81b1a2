"""Each night: every city's table of receivables. Whoever has the right to invoke it gets one earlier."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from avarez.clock import SystemClock
from avarez.observability import log, metric
from functions.assess.receivables import wiring
from functions.assess.receivables.computing import compute

RUN_SECONDS_MAX: Final = 780
"""The function may run for 900 seconds; what it does not come to is the next run's."""
NAMED_MAX: Final = 20
clock = SystemClock()


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point; one log line for the run, which names no amount."""
    started = time.monotonic()
    done = compute(
        wiring.desk(), wiring.cities(), clock.now(), lambda: time.monotonic() - started < RUN_SECONDS_MAX
    )
    if done.broken:
        metric("receivables_refused", len(done.broken))
        log("receivables_refused", level="error", municipalities=done.broken[:NAMED_MAX])
    counted: dict[str, Any] = {
        "cities": len(done.done),
        "unchanged": len(done.unchanged),
        "broken": len(done.broken),
        "left": len(done.left),
    }
    log("receivables_computed", duration_ms=round((time.monotonic() - started) * 1000), **counted)
    return counted
