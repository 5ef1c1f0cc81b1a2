"""Each day: the next publication of the public figures. Whoever calls it in between gets one earlier."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from avarez.observability import log, metric
from functions.report import wiring
from functions.report.publishing import publish

RUN_SECONDS_MAX: Final = 780
"""The function may run for 900 seconds; what it does not come to is the next run's."""
NAMED_MAX: Final = 20


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point; one log line for the run, which names no figure."""
    started = time.monotonic()
    of = wiring.parts()
    done = publish(
        chains=of.chains,
        files=of.files,
        publications=of.publications,
        owing=of.owing,
        cities=of.cities.codes(),
        now=of.clock.now(),
        time_left=lambda: time.monotonic() - started < RUN_SECONDS_MAX,
    )
    if done.broken:
        metric("figures_refused", len(done.broken))
        log("figures_refused", level="error", municipalities=done.broken[:NAMED_MAX])
    counted: dict[str, Any] = {
        "publication": done.publication.number if done.publication else 0,
        "cities": len(done.advanced),
        "waiting": len(done.waiting),
        "broken": len(done.broken),
        "owed": len(done.owed),
        "events": done.events,
    }
    log("figures_published", duration_ms=round((time.monotonic() - started) * 1000), **counted)
    return counted
