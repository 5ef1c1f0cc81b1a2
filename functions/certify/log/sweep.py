"""Each minute: overlooked certificates get their place in the log, and an alarm rings when they wait long."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from avarez.observability import log, metric
from functions.certify.log import wiring

#: Six times what inclusion is promised in; the queue and one sweep have had their turn by then.
LATE: Final = timedelta(seconds=60)


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point. It writes as well as the queue's run does: the head lets one of them through."""
    told = wiring.run("sweep")
    since = wiring.table().oldest_waiting_since()
    waits_s = int((wiring.clock.now() - since).total_seconds()) if since else 0
    if waits_s > LATE.total_seconds():
        metric("log_behind")
        log("log_behind", level="error", waits_s=waits_s)
    return {**told, "waits_s": waits_s}
