"""The bank's calendar and the day's end, read from dated data. Pure but for reading its own file.

`calendar.json` carries a source with each row. Nothing here knows a holiday, a weekend or an hour by itself.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from importlib import resources
from typing import Any, Final

from avarez.clock import TEHRAN, tehran_today
from avarez.errors import InvalidInput
from avarez.jalali import parse_jalali, to_jalali

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SEARCH_DAYS_MAX: Final = 60
"""No two working days of a bank lie further apart."""


@dataclass(frozen=True, slots=True)
class Cutoff:
    """When a day ends, from this day on: minutes after its midnight in Tehran, at most 24 hours."""

    since: date
    minutes: int
    grace_minutes: int = 0


@dataclass(frozen=True, slots=True)
class Cycles:
    """When PAYA settles, from this day on."""

    since: date
    working: tuple[str, ...]
    holiday: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BankCalendar:
    """Every dated row, the oldest first."""

    cutoffs: tuple[Cutoff, ...]
    weekends: tuple[tuple[date, frozenset[int]], ...]
    cycles: tuple[Cycles, ...]
    fixed_holidays: frozenset[tuple[int, int]]
    lunar_holidays: Mapping[int, frozenset[tuple[int, int]]]

    def is_holiday(self, day: date) -> bool:
        """Whether banks are closed; of a year without data only weekends and the fixed days are known."""
        jalali = to_jalali(day)
        place = (jalali.month, jalali.day)
        lunar = self.lunar_holidays.get(jalali.year, frozenset())
        return day.weekday() in self._weekend(day) or place in self.fixed_holidays or place in lunar

    def knows(self, day: date) -> bool:
        """Whether the holidays of this day's year are known."""
        return to_jalali(day).year in self.lunar_holidays

    def next_working_day(self, day: date) -> date:
        """The first day after `day` on which banks work."""
        for step in range(1, SEARCH_DAYS_MAX):
            candidate = day + timedelta(days=step)
            if not self.is_holiday(candidate):
                return candidate
        raise ValueError(f"no working day within {SEARCH_DAYS_MAX} days of {day}")

    def working_days_between(self, first: date, last: date) -> int:
        """Working days after `first`, up to and with `last`."""
        days = (first + timedelta(days=step) for step in range(1, (last - first).days + 1))
        return sum(not self.is_holiday(day) for day in days)

    def next_cycle(self, now: datetime) -> datetime:
        """The next instant, in UTC, at which PAYA settles."""
        today = tehran_today(now)
        for step in range(SEARCH_DAYS_MAX):
            day = today + timedelta(days=step)
            for text in self._cycles(day):
                at = datetime.combine(day, time.fromisoformat(text), TEHRAN).astimezone(UTC)
                if at > now:
                    return at
        raise ValueError(f"no cycle of PAYA within {SEARCH_DAYS_MAX} days of {today}")

    def _weekend(self, day: date) -> frozenset[int]:
        return [days for since, days in self.weekends if since <= day][-1]

    def _cycles(self, day: date) -> Sequence[str]:
        row = [row for row in self.cycles if row.since <= day][-1]
        return row.holiday if self.is_holiday(day) else row.working


@dataclass(frozen=True, slots=True)
class DayEnds:
    """A city's own rows over the country's: when its days end."""

    rows: tuple[Cutoff, ...]

    def end_of(self, day: date) -> datetime:
        """The first instant, in UTC, that is not this day's any more."""
        midnight = datetime.combine(day, time(), TEHRAN)
        # Wall-clock minutes: 24:00 is the next midnight in Tehran, whatever the offset does in between.
        days, minutes = divmod(self._row(day).minutes, 24 * 60)
        local = midnight + timedelta(days=days, minutes=minutes)
        return local.astimezone(UTC)

    def due_at(self, day: date) -> datetime:
        """When the day may be closed: what was booked at its last instant has its place in the chain by then."""
        return self.end_of(day) + timedelta(minutes=self._row(day).grace_minutes)

    def day_of(self, instant: datetime) -> date:
        """The day to which an instant belongs."""
        day = tehran_today(instant) - timedelta(days=1)
        while instant >= self.end_of(day):
            day += timedelta(days=1)
        return day

    def _row(self, day: date) -> Cutoff:
        return [row for row in self.rows if row.since <= day][-1]


@functools.cache
def bank_calendar() -> BankCalendar:
    """The calendar of our data."""
    text = resources.files(__package__ or "").joinpath("calendar.json").read_text(encoding="utf-8")
    return read_calendar(json.loads(text))


def read_calendar(told: Mapping[str, Any]) -> BankCalendar:
    """The calendar that the data tells.

    Raises:
        KeyError, ValueError, InvalidInput: a row is none.
    """
    return BankCalendar(
        cutoffs=tuple(sorted(map(_cutoff, told["cutoffs"]), key=lambda row: row.since)),
        weekends=tuple(
            sorted(
                (
                    (parse_jalali(row["from_jalali"]), frozenset(map(WEEKDAYS.index, row["weekdays"])))
                    for row in told["weekends"]
                ),
                key=lambda row: row[0],
            )
        ),
        cycles=tuple(
            sorted(
                (
                    Cycles(parse_jalali(row["from_jalali"]), tuple(row["working"]), tuple(row["holiday"]))
                    for row in told["paya_cycles"]
                ),
                key=lambda row: row.since,
            )
        ),
        fixed_holidays=frozenset(_month_day(row["month_day"]) for row in told["fixed_holidays"]),
        lunar_holidays={
            int(row["year"]): frozenset(_month_day(day) for day in row["days"]) for row in told["lunar_holidays"]
        },
    )


def day_ends(calendar: BankCalendar, setting: Mapping[str, Any]) -> DayEnds:
    """When a city's days end: its `settlement_cutoffs` over the country's.

    Raises:
        InvalidInput: a row of the setting is none.
    """
    try:
        own = [_cutoff({"grace_minutes": calendar.cutoffs[-1].grace_minutes, **row}) for row in _rows(setting)]
    except (KeyError, TypeError, ValueError) as wrong:
        raise InvalidInput(f"settlement_cutoffs of the city cannot be read: {wrong}") from wrong
    kept = [row for row in calendar.cutoffs if not own or row.since < min(of.since for of in own)]
    return DayEnds(tuple(sorted([*kept, *own], key=lambda row: row.since)))


def _rows(setting: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    rows: Sequence[Mapping[str, Any]] = setting.get("settlement_cutoffs") or ()
    return rows


def _cutoff(row: Mapping[str, Any]) -> Cutoff:
    hours, _, minutes = str(row["at"]).partition(":")
    at = int(hours) * 60 + int(minutes)
    if not 0 < at <= 24 * 60:
        raise ValueError(f"a day ends after 00:00 and by 24:00, not at {row['at']}")
    return Cutoff(parse_jalali(row["from_jalali"]), at, int(row["grace_minutes"]))


def _month_day(text: str) -> tuple[int, int]:
    month, _, day = text.partition("-")
    return int(month), int(day)
