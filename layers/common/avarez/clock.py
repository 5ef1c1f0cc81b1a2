"""Time as a port: nothing in the domain reads a clock by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

TEHRAN = ZoneInfo("Asia/Tehran")
_OFFSET_CHARACTERS = len("+00:00")
INSTANTS_KEPT = 256
"""A payment's few instants are asked for again and again; a look-up takes a twentieth of the work."""


class Clock(Protocol):
    """Tells the present instant as an aware datetime in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(slots=True)
class FixedClock:
    """A clock that stands still until it is moved; for tests."""

    instant: datetime

    def now(self) -> datetime:
        return self.instant

    def advance(self, step: timedelta) -> None:
        self.instant += step


@lru_cache(INSTANTS_KEPT)
def tehran_today(now: datetime) -> date:
    """The date on a wall calendar in Tehran at this instant."""
    return now.astimezone(TEHRAN).date()


@lru_cache(INSTANTS_KEPT)
def next_tehran_midnight(now: datetime) -> datetime:
    """The first instant of tomorrow in Tehran, in UTC; strictly after `now`."""
    return _midnight_before(tehran_today(now) + timedelta(days=1))


@lru_cache(INSTANTS_KEPT)
def _midnight_before(day: date) -> datetime:
    return datetime.combine(day, time(), TEHRAN).astimezone(UTC)


@lru_cache(INSTANTS_KEPT)
def to_rfc3339(instant: datetime) -> str:
    """`2026-11-23T20:30:00.000Z`: UTC with milliseconds, so that texts sort as the instants do.

    Raises:
        ValueError: the instant is naive.
    """
    if instant.tzinfo is None:
        raise ValueError("a naive datetime has no instant")
    in_utc = instant if instant.tzinfo is UTC else instant.astimezone(UTC)
    return in_utc.isoformat(timespec="milliseconds")[:-_OFFSET_CHARACTERS] + "Z"


def from_rfc3339(text: str) -> datetime:
    """The aware instant in UTC that `text` names."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("the time has no zone")
    return instant.astimezone(UTC)
