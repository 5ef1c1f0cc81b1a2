"""Days reconciled: one a message of the queue; yesterday and every day that is still open by the clock."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

from avarez.batches import each_message
from avarez.clock import SystemClock, tehran_today
from avarez.errors import ChannelUnavailable, TransactionRefused
from avarez.observability import log, log_failure, metric
from functions.pay.three_way import days, matching
from functions.pay.three_way.wiring import books, reports

clock = SystemClock()
RUN_SECONDS_MAX: Final = 600
"""The function may run for 900 seconds; a day of the whole country takes about two minutes to read."""
LATE_AFTER_DAYS: Final = 1
"""What is open a day after its day ended is late: all of it should have been explained by then."""


def reconcile(day: date) -> list[days.Day]:
    """The day of every gateway, reconciled: reports fetched first, and the day off the list when it is over."""
    now = clock.now()
    today = tehran_today(now)
    stored = books()
    beside = [day + timedelta(days=step) for step in (0, -1, 1) if day + timedelta(days=step) <= today]
    _fetch(beside)
    found = days.run(stored, day, now, metric)
    if all(result.closed and result.final for result in found) and day < today:
        stored.close_day(day)
    else:
        stored.open_day(day)
    for result in found:
        both = [*result.items, *result.bank]
        log(
            "day_reconciled",
            day=day.isoformat(),
            gateway=result.operator,
            closed=result.closed,
            reported=result.reported,
            payments=len(result.items),
            unexplained_rial=str(sum(item.unexplained_rial for item in both)),
            waiting_rial=str(sum(item.waiting_rial for item in both)),
        )
    _measure(found, day)
    return found


def _fetch(wanted: list[date]) -> None:
    def take(operator: str, day: date, text: str) -> None:
        lines = reports().read(operator, text)
        books().take_report(
            operator, day, lines, text=text, complete=True, fetched=True, taken_by="clock", now=clock.now()
        )

    try:
        days.fetch_reports(reports(), take, wanted, metric)
    except ChannelUnavailable:
        return  # no gateway is set up: whatever was uploaded is compared all the same


def _measure(found: list[days.Day], day: date) -> None:
    both = [item for result in found for item in [*result.items, *result.bank]]
    unexplained_rial = sum(item.unexplained_rial for item in both)
    if unexplained_rial:
        metric("unexplained_rial", unexplained_rial)
    left = sum(item.state not in matching.EXPLAINED for item in both)
    age = matching.age_days(day, clock.now())
    if left and age > LATE_AFTER_DAYS:
        metric("reconciliation_open", left)
        metric(f"reconciliation_open_{matching.bucket(age)}", left)


def take(text: str) -> None:
    """Reconciles the day that the message names.

    Raises:
        ValueError, KeyError: the message names none; the queue sets it aside after a few tries.
    """
    reconcile(date.fromisoformat(str(json.loads(text)["day"])))


def handle_message(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point of the queue."""
    return each_message(event, take, failed="day_failed")


def handle_clock(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point of the clock: yesterday, then every open day, the oldest first while time lasts."""
    started = time.monotonic()
    yesterday = tehran_today(clock.now()) - timedelta(days=1)
    wanted = [yesterday, *(day for day in books().open_days() if day != yesterday)]
    done = left = failed = 0
    for day in wanted:
        if time.monotonic() - started > RUN_SECONDS_MAX:
            left += 1
            continue
        try:
            reconcile(day)
            done += 1
        except TransactionRefused:
            # Another run was at the same day at the same moment; what it left open the next one meets.
            log_failure("day_failed", day=day.isoformat())
            failed += 1
    if left:
        metric("days_unreconciled", left)
    counted: dict[str, Any] = {"days": done, "left": left, "failed": failed}
    log("days_reconciled", duration_ms=round((time.monotonic() - started) * 1000), **counted)
    return counted
