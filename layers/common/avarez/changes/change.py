"""A guarded change of what a city depends on: proposed, approved by a second person, in force after a while. Pure.

Obligations, by number:
1. Whoever proposes a change cannot approve it.
2. Between the approval and the instant from which it is in force lies the cooling-off period: any officer of the
   city can still call it off, until a minute before its end.
3. What is in force at an instant follows from the changes alone, whenever and however often it is asked.
4. Each step is told in the city's chain, which leads where it led before the change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from avarez.clock import from_rfc3339, to_rfc3339
from avarez.errors import ChangeConflict, SecondPersonRequired
from avarez.events.chain import EventType, Waiting
from avarez.ids import new_id

COOLING_OFF: Final = timedelta(hours=72)
"""Long enough that a weekend with a holiday does not hide a change that nobody wanted."""
COOLING_OFF_MAX: Final = timedelta(days=30)
LAST_CALL: Final = timedelta(minutes=1)
"""A change is not called off any later: whoever acts by it must not read it before and act after. Longer than a
transaction with all its retries, and than a run of deliveries."""
SYSTEM: Final = "system"


class Subject(StrEnum):
    """What may be changed in this way."""

    ACCOUNT = "account"
    WEBHOOK_URL = "webhook_url"
    WEBHOOK_SECRET = "webhook_secret"  # noqa: S105 - a name of a subject
    OFFICER = "officer"


class Status(StrEnum):
    """How far a change is. `approved` is in force from its instant on, though the step may be written later."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    IN_FORCE = "in_force"
    CANCELLED = "cancelled"


OPEN: Final = frozenset({Status.PROPOSED, Status.APPROVED})


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done with a change, by whom and why."""

    what: Status
    by: str
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A change with all its steps, the first being the proposal. `value` is what shall be in force; no secret.

    `initial` says that nothing is there which it would take the place of.
    """

    change_id: str
    municipality: str
    subject: Subject
    value: Mapping[str, str]
    steps: tuple[Step, ...]
    initial: bool = False
    in_force_from: datetime | None = None

    @property
    def status(self) -> Status:
        return self.steps[-1].what

    @property
    def lock(self) -> str:
        """Of what one change is open at a time: of each subject, and of each officer."""
        whose = self.value.get("username", "") if self.subject is Subject.OFFICER else ""
        return f"{self.subject.value}#{whose}" if whose else self.subject.value

    @property
    def proposed_by(self) -> str:
        return self.steps[0].by

    @property
    def approved_by(self) -> str:
        return next((step.by for step in self.steps if step.what is Status.APPROVED), "")

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    def in_force_at(self, at: datetime) -> bool:
        """Whether it had come into force by then; a later change may have taken its place."""
        decided = self.status in (Status.APPROVED, Status.IN_FORCE)
        return decided and self.in_force_from is not None and self.in_force_from <= at


def proposed(
    municipality: str,
    subject: Subject,
    value: Mapping[str, str],
    *,
    by: str,
    now: datetime,
    reason: str,
    initial: bool,
) -> Change:
    """A change that waits for its second person."""
    step = Step(Status.PROPOSED, by, _as_written(now), reason)
    return Change(new_id("ac", now), municipality, subject, dict(value), (step,), initial)


def approved(change: Change, *, by: str, now: datetime, cooling_off: timedelta) -> Change:
    """Approved [1], and in force once the cooling-off period is over.

    Raises:
        SecondPersonRequired: it is whoever proposed it.
        ChangeConflict: it is decided already.
    """
    if by == change.proposed_by:
        raise SecondPersonRequired()
    if change.status is not Status.PROPOSED:
        raise ChangeConflict()
    return replace(_next(change, Status.APPROVED, by, now), in_force_from=_as_written(now) + cooling_off)


def cancelled(change: Change, *, by: str, now: datetime, reason: str) -> Change:
    """Called off [2] by whoever of the city it is.

    Raises:
        ChangeConflict: it is over, in force, or about to be within a minute.
    """
    late = change.in_force_from is not None and now > change.in_force_from - LAST_CALL
    if not change.is_open or late:
        raise ChangeConflict()
    return _next(change, Status.CANCELLED, by, now, reason)


def come_into_force(change: Change, now: datetime) -> Change:
    """With the step that says so; it has been in force since `in_force_from`.

    Raises:
        ChangeConflict: it is not approved, or its time has not come.
    """
    if change.status is not Status.APPROVED or not change.in_force_at(now):
        raise ChangeConflict()
    return _next(change, Status.IN_FORCE, SYSTEM, now)


def in_force(changes: Iterable[Change], at: datetime) -> Change | None:
    """The one of these changes of one subject that was in force at this instant [3]."""
    found = [change for change in changes if change.in_force_at(at)]
    return max(found, key=lambda change: (change.in_force_from, change.change_id), default=None)


def event_of(change: Change, event_id: str) -> Waiting:
    """The event of the change's last step [4]."""
    return Waiting(
        event_id=event_id,
        type=EventType.ACCOUNT_CHANGED,
        municipality=change.municipality,
        about=change.change_id,
        occurred_at=change.steps[-1].at,
        content={"change": told(change)},
    )


def told(change: Change) -> dict[str, Any]:
    """The change as cities and officers read it."""
    form: dict[str, Any] = {
        "change_id": change.change_id,
        "municipality": change.municipality,
        "subject": change.subject.value,
        "status": change.status.value,
        "initial": change.initial,
        "value": dict(change.value),
        "steps": [_step_told(step) for step in change.steps],
    }
    if change.in_force_from is not None:
        form["in_force_from_at"] = to_rfc3339(change.in_force_from)
    return form


def _step_told(step: Step) -> dict[str, str]:
    form = {"what": step.what.value, "by": step.by, "at": to_rfc3339(step.at)}
    return {**form, "reason": step.reason} if step.reason else form


def _next(change: Change, what: Status, by: str, now: datetime, reason: str = "") -> Change:
    return replace(change, steps=(*change.steps, Step(what, by, _as_written(now), reason)))


def _as_written(now: datetime) -> datetime:
    """The instant in whole milliseconds, so that a change read back equals the one that was written."""
    return from_rfc3339(to_rfc3339(now))
