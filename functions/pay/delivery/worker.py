"""The queue of deliveries: each message names a city, whose endpoint gets what waits for it.

The queue is first in, first out by city: one city's endpoint is called by one worker at a time, and a slow one
holds nobody else up.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from avarez.batches import each_message
from avarez.observability import log, log_failure, metric
from functions.pay.delivery import wiring
from functions.pay.delivery.service import deliver
from functions.pay.sequencing.wake_ups import read_wake_up

RUN_SECONDS_MAX: Final = 25
"""A sending that begins then may take 30 seconds more, of the 60 that the function has."""


def take(text: str) -> None:
    """Delivers to the city that the message names, however often it comes.

    Raises:
        ValueError, AvarezError: the message comes again, and is set aside after a few times.
    """
    municipality = read_wake_up(text)
    started = time.monotonic()
    done = deliver(
        wiring.endpoints(),
        wiring.events(),
        wiring.outbound(),
        municipality,
        lambda: time.monotonic() - started < RUN_SECONDS_MAX,
    )
    if done.endpoint is None:
        return
    if done.alert:
        metric("webhook_endpoint_failing", 1)
        log_failure("webhook_endpoint_failing", municipality=municipality, failing_for=done.alert)
    if done.waiting:
        wiring.wake(municipality)
    log(
        "delivered",
        municipality=municipality,
        events=done.events,
        sequence=done.endpoint.delivered,
        status=done.endpoint.state.value,
        duration_ms=round((time.monotonic() - started) * 1000, 1),
    )


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point: only the messages that failed are delivered again."""
    return each_message(event, take, failed="delivery_failed")
