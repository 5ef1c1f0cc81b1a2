"""The certify queue: each message names an outbox row, and ends with its certificate in force."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from typing import Any

from avarez.batches import each_message
from avarez.errors import ServiceBusy
from avarez.observability import log, metric
from functions.certify import wiring
from functions.certify.certificates.issuing import Issue
from functions.certify.certificates.outbox import read_wake_up


def take(text: str) -> None:
    """Issues the certificate that the message asks for, once, however often it comes.

    Raises:
        ValueError, RecordUnsound, AvarezError: the message comes again, and is set aside after a few times.
    """
    started = time.perf_counter()
    row = read_wake_up(text)
    outcome = wiring.issuer()(row)
    if outcome is Issue.ISSUED:
        metric("certificate_issued")
        wake_log()
    log(
        "certificate_taken",
        event_id=row.event_id,
        outcome=outcome.value,
        duration_ms=round((time.perf_counter() - started) * 1000, 1),
    )


def wake_log() -> None:
    """The log's writer comes within seconds; where the queue does not answer, its sweep does within a minute."""
    with contextlib.suppress(ServiceBusy):
        wiring.log_queue().wake(wiring.clock.now())


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point: only the messages that failed are delivered again."""
    return each_message(event, take, failed="certificate_failed")
