"""Each minute: open payments whose time has come."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from avarez.clock import to_rfc3339
from avarez.ids import is_id
from avarez.observability import log, metric
from functions.pay.bank_files import service
from functions.pay.bank_files.wiring import bank_files
from functions.pay.payments.reconciliation import sweep
from functions.pay.wiring import desk

RUN_SECONDS_MAX = 40
"""The function may run for 55 seconds; one more payment takes at most two calls of 4.5 seconds."""


def look_at_file(file_id: str, due_at: str) -> bool | None:
    """Whether the bank's file is done; None when the row is not of a file that waits."""
    file = bank_files().find(file_id) if is_id("bf", file_id) else None
    if file is None or file.open_due_at is None or to_rfc3339(file.open_due_at) != due_at:
        return None
    return service.look(bank_files(), file, desk().clock.now())


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point; writes one log line for the run."""
    started = time.monotonic()
    summary = sweep(desk(), time_left=lambda: time.monotonic() - started < RUN_SECONDS_MAX, others=look_at_file)
    metric("payment_oldest_unresolved_s", summary.oldest_unresolved_s, "Seconds")
    counted: dict[str, Any] = asdict(summary)
    log("payments_swept", duration_ms=round((time.monotonic() - started) * 1000), **counted)
    return counted
