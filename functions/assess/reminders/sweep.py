"""Each minute: who waits to hear of a certificate, and who owes something before the year ends.

The rows of the outbox are read by the index of what is undone; what waits for the morning stays there.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from avarez.clock import SystemClock
from avarez.errors import AvarezError
from avarez.observability import log, log_failure
from functions.assess.reminders import wiring
from functions.assess.reminders.rules import is_quiet
from functions.assess.reminders.sending import Outcome

ROWS_PER_SHARD_MAX: Final = 100
RUN_SECONDS_MAX: Final = 40

clock = SystemClock()


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point; one log line for the run."""
    until_s = time.monotonic() + RUN_SECONDS_MAX
    of, now = wiring.reminders(), clock.now()
    quiet = is_quiet(of.settings(), now)
    ready: Counter[str] = Counter()
    for row in [] if quiet else of.rows.waiting(now, ROWS_PER_SHARD_MAX):
        if time.monotonic() >= until_s:
            break
        try:
            outcomes = of.certificate_ready(row, now)
        except AvarezError as error:  # this one stays, the others go on
            log_failure("reminder_failed", code=error.code)
            continue
        ready.update(outcomes)
        if Outcome.LATER in outcomes:  # the day is full, for every row behind this one too
            break
    year_ends = of.year_ends(now, until_s)
    log("reminders_swept", quiet=quiet, ready=dict(ready), year_ends=year_ends)
    return {"ready": dict(ready), "year_ends": year_ends}
