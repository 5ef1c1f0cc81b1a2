"""The clock: every city whose day is over gets its close; transfers that wait for an account are looked at again.

A run takes as many days of a city as are over, the city first that is furthest behind; what it has no time for is
the next run's. A city that cannot be closed keeps nobody else from it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, Final

from avarez.clock import from_rfc3339, tehran_today
from avarez.errors import AvarezError, InvalidInput
from avarez.observability import log, log_failure, metric
from avarez.settlements import Settlement, Status
from functions.pay.settlement import wiring
from functions.pay.settlement.bank.calendar import day_ends
from functions.pay.settlement.bank.transfers import is_late
from functions.pay.settlement.closing import close_next
from functions.pay.settlement.rules import Position
from functions.pay.settlement.wiring import Parts

RUN_SECONDS_MAX: Final = 240
"""The function may run for 300 seconds."""
OVERDUE_AFTER: Final = timedelta(hours=3)
"""A day that is not closed three hours after its end is late for the bank's first cycle."""
CALENDAR_AHEAD: Final = timedelta(days=30)
"""How long before the calendar ends somebody has to enter the next year."""


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point; one log line for each close and one for the run."""
    started = time.monotonic()
    counted = run(wiring.parts(), lambda: time.monotonic() - started < RUN_SECONDS_MAX)
    log("closes_made", duration_ms=round((time.monotonic() - started) * 1000), **counted)
    return counted


def run(of: Parts, time_left: Callable[[], bool]) -> dict[str, Any]:
    """Closes whatever is over, and looks after transfers."""
    closed = failed = left = overdue = 0
    for city in _behind(of):
        if not time_left():
            left += 1
            continue
        try:
            closed += _close(of, city, time_left)
            overdue += _is_overdue(of, city)
        except AvarezError as error:
            failed += 1
            log_failure("close_failed", municipality=city, code=error.code)
    for name, count in (("settlement_overdue", overdue), ("settlement_failed", failed)):
        if count:
            metric(name, count)
    if not of.calendar.knows(tehran_today(of.clock.now()) + CALENDAR_AHEAD):
        metric("bank_calendar_ends")
    return {"closed": closed, "failed": failed, "left": left, "overdue": overdue, **_transfers(of, time_left)}


def _close(of: Parts, city: str, time_left: Callable[[], bool]) -> int:
    """How many days of the city were closed now."""
    closed = 0
    while (made := close_next(of.closes, of.calendar, city, of.clock.now(), time_left=time_left)) is not None:
        closed += 1
        log_close(made)
    return closed


def log_close(made: Settlement) -> None:
    """One line about a close, with the figures that somebody looks for first."""
    log(
        "day_closed",
        municipality=made.municipality,
        settlement_id=made.settlement_id,
        day=made.day,
        lines=made.lines,
        late=made.late_lines,
        closing_rial=str(made.closing_rial),
        transfer_rial=str(made.transfer_rial),
    )


def _behind(of: Parts) -> list[str]:
    """Cities with a day that is over and not closed, the one that is furthest behind first."""
    cities = list(of.closes.municipalities())
    positions, settings = of.closes.positions(cities), of.closes.settings(cities)
    now = of.clock.now()
    found: list[tuple[str, str]] = []
    for city in cities:
        position = positions.get(city)
        try:
            over = position is None or _is_over(of, settings.get(city, {}), position, now)
        except InvalidInput:
            over = True  # closing it says what is wrong with its setting
        if over:
            found.append((position.day if position else "", city))
    return [city for _, city in sorted(found)]


def _is_over(of: Parts, setting: Mapping[str, Any], position: Position, now: Any) -> bool:
    following = date.fromisoformat(position.day) + timedelta(days=1)
    return bool(now >= day_ends(of.calendar, setting).due_at(following))


def _is_overdue(of: Parts, city: str) -> bool:
    """Whether the city still has a day open that should have been closed for hours."""
    position, setting = of.closes.position(city), of.closes.setting(city)
    return bool(position.day) and _is_over(of, setting, position, of.clock.now() - OVERDUE_AFTER)


def _transfers(of: Parts, time_left: Callable[[], bool]) -> dict[str, int]:
    """Looks again for accounts, and counts what somebody has to look after."""
    now, today = of.clock.now(), tehran_today(of.clock.now())
    counted = dict.fromkeys(("waiting", "open", "sent", "differs", "unmatched"), 0)
    for transfer in of.transfers.outstanding():
        if not time_left():
            break
        standing = of.transfers.look_again(transfer, now)
        counted[standing.status] = counted.get(standing.status, 0) + 1
        if standing.status == Status.SENT:
            since = tehran_today(from_rfc3339(standing.sent_at))
            counted["unmatched"] += is_late(standing, of.calendar.working_days_between(since, today))
    for name, count in (
        ("transfer_account_missing", counted["waiting"]),
        ("transfer_differs", counted["differs"]),
        ("transfer_unmatched", counted["unmatched"]),
    ):
        if count:
            metric(name, count)
    return counted
