"""The use case: a city's next day is closed, once, whatever is killed on the way.

A plan fixes id, range and the balances it starts from before anything else is written. Lines go down in batches
under the plan; the last transaction makes the close of them, tells the city, and books what pays it. Whoever comes
next finds the plan and comes to the same: everything follows from the plan and from the chain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, Protocol

from avarez.clock import from_rfc3339, to_rfc3339
from avarez.errors import ChainBroken
from avarez.events.chain import Event, faults
from avarez.ids import new_id
from avarez.settlements import Settlement, batch_text, batches, text_hash
from functions.pay.settlement.bank.calendar import BankCalendar, DayEnds, day_ends
from functions.pay.settlement.rules import Modes, Own, Plan, Position, Reckoning, next_day, range_end

PAGE_EVENTS: Final = 1_000
BATCHES_A_WRITE: Final = 12
"""Batches of a transaction: a hundred kilobytes of four megabytes."""
SCHEDULE: Final = "schedule"
"""Who closes a day that nobody asked for."""


class CloseStore(Protocol):
    """What closing reads and writes of one city."""

    def setting(self, municipality: str) -> Mapping[str, Any]: ...

    def position(self, municipality: str) -> Position:
        """How far the closes are; the beginning where there is none."""

    def plan(self, municipality: str) -> Plan | None:
        """The close that somebody has begun."""

    def begin(self, plan: Plan) -> Plan:
        """The plan that stands now: this one, or the one that somebody was faster with."""

    def page(self, municipality: str, after: int, limit: int) -> Sequence[Event]:
        """At most `limit` events behind `after`."""

    def kept(self, plan: Plan) -> int:
        """How many batches of the plan are there already."""

    def keep(self, plan: Plan, first: int, texts: Sequence[str]) -> None:
        """Writes batches, each as its text, from number `first` on; nothing if the plan is over."""

    def commit(self, plan: Plan, settlement: Settlement, after: Position, due: Own) -> Settlement:
        """The close that stands now; with it, in one transaction, its event and what pays it."""

    def settlement(self, municipality: str, settlement_id: str) -> Settlement | None: ...


def close_next(
    store: CloseStore,
    calendar: BankCalendar,
    municipality: str,
    now: datetime,
    *,
    by: str = SCHEDULE,
    through: date | None = None,
    time_left: Callable[[], bool],
) -> Settlement | None:
    """The city's next close; None when no day is over, or when the time was.

    `through` closes that day even though it is not over: it ends at this instant then.

    Raises:
        ChainBroken: the chain does not hold together; nothing is closed over it.
    """
    plan = store.plan(municipality)
    if plan is None:
        planned = _planned(store, calendar, municipality, now, by, through)
        if planned is None:
            return None
        plan = store.begin(planned)
    return finish(store, plan, time_left)


def finish(store: CloseStore, plan: Plan, time_left: Callable[[], bool]) -> Settlement | None:
    """The planned close, made from where it was left; None when the time is over before it is whole."""
    reckoning = Reckoning.of(plan)
    lines = (line for line in map(reckoning.take, _range(store, plan)) if line is not None)
    kept = store.kept(plan)
    hashes: list[str] = []
    pending: list[str] = []
    for batch in batches(lines):
        text = batch_text(batch)
        hashes.append(text_hash(text))
        if len(hashes) > kept:
            pending.append(text)
        if len(pending) == BATCHES_A_WRITE:
            if not time_left():
                return None
            store.keep(plan, len(hashes) - len(pending), pending)
            pending = []
    if pending:
        store.keep(plan, len(hashes) - len(pending), pending)
    if not time_left():
        return None
    return store.commit(plan, reckoning.closed(hashes), reckoning.after(), reckoning.due())


def _range(store: CloseStore, plan: Plan) -> Iterator[Event]:
    """The events of the plan's range, each proved before it is used.

    Raises:
        ChainBroken: one is missing, or is not what its hash says.
    """
    last, last_hash = plan.before.to_sequence, plan.before.last_hash
    while last < plan.to_sequence:
        page = store.page(plan.municipality, last, min(PAGE_EVENTS, plan.to_sequence - last))
        wrong = next(faults(plan.municipality, page, after_sequence=last, after_hash=last_hash), None)
        if wrong is not None or not page:
            raise ChainBroken(extra={"sequence": wrong[0] if wrong is not None else last + 1})
        yield from page
        last, last_hash = page[-1].sequence, page[-1].hash


def _planned(
    store: CloseStore,
    calendar: BankCalendar,
    municipality: str,
    now: datetime,
    by: str,
    through: date | None,
) -> Plan | None:
    setting, position = store.setting(municipality), store.position(municipality)
    ends = day_ends(calendar, setting)
    first = store.page(municipality, position.to_sequence, 1)
    if not position.number and not first:
        return None
    day = next_day(position, ends.day_of(from_rfc3339(first[0].data["occurred_at"])) if first else date.min)
    ends_at = _ends_at(ends, day, now, through)
    if ends_at is None:
        return None
    ends_at = from_rfc3339(to_rfc3339(ends_at))  # whole milliseconds, as events have them
    return Plan(
        settlement_id=new_id("st", now),
        event_id=new_id("ev", now),
        journal_id=new_id("je", now),
        municipality=municipality,
        number=position.number + 1,
        day=day.isoformat(),
        ends_at=to_rfc3339(ends_at),
        early=ends_at < ends.end_of(day),
        from_sequence=position.to_sequence + 1,
        to_sequence=_last_of(store, municipality, position.to_sequence, ends_at),
        modes=Modes(str(setting.get("settlement_mode", "collect")), dict(setting.get("settlement_modes") or {})),
        before=position,
        planned_at=to_rfc3339(now),
        planned_by=by,
    )


def _ends_at(ends: DayEnds, day: date, now: datetime, through: date | None) -> datetime | None:
    """When the day ends; None where it is not to be closed yet."""
    if now >= ends.due_at(day):
        return ends.end_of(day)
    if through is None or day > through or day > ends.day_of(now):
        return None
    return min(now, ends.end_of(day))


def _last_of(store: CloseStore, municipality: str, after: int, ends_at: datetime) -> int:
    """The last event of a day that begins behind `after`."""
    last = after
    while page := store.page(municipality, last, PAGE_EVENTS):
        last, over = range_end(page, last, ends_at)
        if over or len(page) < PAGE_EVENTS:
            break
    return last
