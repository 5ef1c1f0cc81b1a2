"""What may be sent, when, and in which words. Pure.

A message names no plate, no person and no amount: whoever reads over a shoulder learns that its owner has a car.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from avarez.clock import tehran_today
from avarez.jalali import to_jalali, year_start

TEHRAN: Final = ZoneInfo("Asia/Tehran")
MASKED_DIGITS: Final = 2
"""Of a number, the last two are shown to whoever gave it."""


class Kind(StrEnum):
    """What a message says."""

    CERTIFICATE_READY = "certificate_ready"
    YEAR_ENDS = "year_ends"


@dataclass(frozen=True, slots=True)
class ReminderSettings:
    """Quiet hours on Tehran's clock (from, until), the most messages of a day, and the days before the year's end.

    `messages_a_day_max` bounds the cost: a message in Persian of this length is two parts.
    """

    quiet_from_hour: int = 21
    quiet_until_hour: int = 8
    messages_a_day_max: int = 20_000
    days_before_year_end: int = 14


def settings_from(item: Mapping[str, Any] | None) -> ReminderSettings:
    """The settings that the table holds; ours where it holds none."""
    names = ReminderSettings.__dataclass_fields__
    return ReminderSettings(**{name: int(value) for name, value in (item or {}).items() if name in names})


def is_quiet(settings: ReminderSettings, now: datetime) -> bool:
    """Whether it is an hour in which nobody is to be disturbed; the hours may run over midnight."""
    hour = now.astimezone(TEHRAN).hour
    first, last = settings.quiet_from_hour, settings.quiet_until_hour
    return first <= hour < last if first <= last else hour >= first or hour < last


def ending_year(settings: ReminderSettings, now: datetime) -> int | None:
    """The Jalali year that is about to end, None while its end is far."""
    today = tehran_today(now)
    year = to_jalali(today).year
    return year if (year_start(year + 1) - today).days <= settings.days_before_year_end else None


_TEXTS: Final = {
    (Kind.CERTIFICATE_READY, "fa"): "گواهی عوارض خودرو آماده است.",
    (Kind.CERTIFICATE_READY, "en"): "The certificate of your vehicle duty is ready.",
    (Kind.YEAR_ENDS, "fa"): "پایان سال نزدیک است؛ عوارض خودرو را بررسی کنید.",
    (Kind.YEAR_ENDS, "en"): "The year is ending; please check your vehicle duty.",
}
_STOP: Final = {"fa": "لغو پیامک", "en": "Stop"}


def text_of(kind: Kind, language: str, *, origin: str, stop_token: str) -> str:
    """The message: what it is about, where to look, and the link that ends all of them."""
    return f"{_TEXTS[kind, language]} {origin}/my\n{_STOP[language]}: {origin}/my#/stop/{stop_token}"


def masked(mobile: str) -> str:
    """The number with all but its beginning and its last two digits hidden."""
    return f"{mobile[:2]}{'•' * (len(mobile) - 2 - MASKED_DIGITS)}{mobile[-MASKED_DIGITS:]}"
