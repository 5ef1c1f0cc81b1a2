"""Each hour: the invariants on every city's books of yesterday and today; a broken one rings an alarm."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from avarez.clock import tehran_today
from avarez.observability import log, metric
from functions.pay.audit import handler
from functions.pay.payments.joint.opening import NATIONAL

RUN_SECONDS_MAX: Final = 240
"""The function may run for 300 seconds; a city's day takes less than a second when nothing is wrong."""
NAMED_MAX: Final = 20


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point; a log line for each broken invariant, and one for the run."""
    started = time.monotonic()
    now = handler.clock.now()
    today = tehran_today(now)
    days = [(today - timedelta(days=1)).isoformat(), today.isoformat()]
    cities = [NATIONAL, *handler.books().municipalities()]
    first = int(now.timestamp()) // 3600 % len(cities)  # no city is always the last one
    entries = broken = left = 0
    for city in [*cities[first:], *cities[:first]]:
        if time.monotonic() - started > RUN_SECONDS_MAX:
            left += 1
            continue
        for day in days:
            book, found = handler.checked(city, day, now)
            entries += len(book.entries)
            broken += len(found)
            for one in found[:NAMED_MAX]:
                log("invariant_broken", invariant=one.invariant, of=one.of, how=one.how, municipality=city)
    if broken:
        metric("invariant_broken", broken)
    if left:
        metric("cities_unchecked", left)
    counted: dict[str, Any] = {"cities": len(cities), "entries": entries, "broken": broken, "left": left}
    log("invariants_checked", duration_ms=round((time.monotonic() - started) * 1000), **counted)
    return counted
