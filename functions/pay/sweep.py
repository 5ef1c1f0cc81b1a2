"""Each minute: open payments whose time has come."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from avarez.observability import log
from functions.pay.payments.reconciliation import sweep
from functions.pay.wiring import desk

RUN_SECONDS_MAX = 40
"""The function may run for 55 seconds; one more payment takes at most two calls of 4.5 seconds."""


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point; writes one log line for the run."""
    started = time.monotonic()
    summary = sweep(desk(), time_left=lambda: time.monotonic() - started < RUN_SECONDS_MAX)
    counted: dict[str, Any] = asdict(summary)
    log("payments_swept", duration_ms=round((time.monotonic() - started) * 1000), **counted)
    return counted
