"""Each minute: events that nobody has placed, whatever became of their wake-ups.

The sweep does the work itself, the city first that has waited longest, and wakes the queue for cities that it has
no time for. So a lost wake-up, a stream that is off and a worker that was killed cost at most about a minute.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from avarez.clock import from_rfc3339, to_rfc3339
from avarez.errors import AvarezError
from avarez.observability import log, log_failure, metric
from functions.pay.sequencing import wiring
from functions.pay.sequencing.wake_ups import cities_of

PATIENCE: Final = timedelta(seconds=5)
"""The stream and the queue need two seconds; a row as old as this may have been overlooked."""
TOO_LONG: Final = timedelta(seconds=60)
"""What has waited longer is reported: an entry has to stand in the chain within a minute."""
ROWS_PER_SHARD_MAX: Final = 1_000
RUN_SECONDS_MAX: Final = 40


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point; one log line for the run."""
    started = time.monotonic()
    of = wiring.parts()
    now = of.clock.now()
    rows = of.overlooked.waiting(now - PATIENCE, ROWS_PER_SHARD_MAX)
    cities = cities_of(partition for partition, _ in rows)
    placed, left = 0, []
    for city in cities:
        if time.monotonic() - started > RUN_SECONDS_MAX:
            left.append(city)
            continue
        try:
            placed += wiring.run(of, city, until_s=started + RUN_SECONDS_MAX).events
        except AvarezError as error:
            log_failure("sequencing_failed", municipality=city, code=error.code)
    of.wake_ups.send(left, now)
    too_old = sum(since < to_rfc3339(now - TOO_LONG) for _, since in rows)
    if too_old:
        metric("entries_unchained", too_old)
    oldest_s = (now - from_rfc3339(rows[0][1])).total_seconds() if rows else 0
    counted: dict[str, Any] = {
        "rows": len(rows),
        "cities": len(cities),
        "events": placed,
        "left": len(left),
        "too_old": too_old,
    }
    log("chain_swept", oldest_s=oldest_s, duration_ms=round((time.monotonic() - started) * 1000), **counted)
    return counted
