"""Jalali dates: read from any digits, written as ISO, counted in months.

Inside the system a day is a `datetime.date`; a Jalali date exists at the edges and where the law counts in
Jalali years and months. No function here reads a clock: "today" is always a parameter.

Source: the calendar itself is `persiantools` (it agrees with ICU for 1300-1499, which `tests/unit` repeats);
this module asks it once a year for 1 Farvardin and adds days to that.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from avarez.digits import ascii_digits, persian_digits
from avarez.errors import FieldError, InvalidInput

FIRST_YEAR: Final = 1200
"""The earliest year read: a century before the first car in the country, so that a typing error is found."""
LAST_YEAR: Final = 1499
"""The last year read. Calendars by calculation part from each other after it."""
GREGORIAN_MODEL_YEAR_OFFSET: Final = 621
"""A Gregorian model year less this is the Jalali model year (a setting of the law, see docs/law.md)."""
MONTHS_IN_YEAR: Final = 12

_SHAPE = re.compile(r"([0-9]{4})([-/])([0-9]{1,2})\2([0-9]{1,2})", re.ASCII)
_DAYS_BEFORE_MONTH: Final = (0, 31, 62, 93, 124, 155, 186, 216, 246, 276, 306, 336)
_MONTHS_FA: Final = (
    "فروردین", "اردیبهشت", "خرداد", "تیر", "مرداد", "شهریور",
    "مهر", "آبان", "آذر", "دی", "بهمن", "اسفند",
)  # fmt: skip


class JalaliDate(NamedTuple):
    """A day of the Jalali calendar. Sorts by time. `str()` gives `1404-12-29`."""

    year: int
    month: int
    day: int

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}-{self.day:02d}"


@lru_cache(maxsize=512)
def year_start(year: int) -> date:
    """1 Farvardin of `year`, in the Gregorian calendar.

    Raises:
        ValueError: a year outside 1200-1500 (1500, so that the end of 1499 is known).
    """
    if not FIRST_YEAR <= year <= LAST_YEAR + 1:
        raise ValueError(f"Jalali year {year} is not between {FIRST_YEAR} and {LAST_YEAR}")
    # Loaded with the first year that is asked for: most starts of a function ask for none.
    from persiantools.jdatetime import JalaliDate as _Calendar

    start = _Calendar(year, 1, 1).to_gregorian()  # type: ignore[no-untyped-call]  # a library without types
    return date(start.year, start.month, start.day)


def year_end(year: int) -> date:
    """The last day of Esfand of `year`: the 29th, or the 30th of a leap year."""
    return year_start(year + 1) - timedelta(days=1)


def is_leap(year: int) -> bool:
    """Whether `year` has 366 days, as 1399, 1403 and 1408 do."""
    return (year_start(year + 1) - year_start(year)).days == 366


def month_length(year: int, month: int) -> int:
    """The number of days of a Jalali month: 31, 30, or 29 for Esfand of a common year."""
    if month < 7:
        return 31
    if month < 12:
        return 30
    return 30 if is_leap(year) else 29


def to_gregorian(jalali: JalaliDate) -> date:
    """The same day in the Gregorian calendar.

    Raises:
        ValueError: the day does not exist, such as 30 Esfand of a common year.
    """
    year, month, day = jalali
    if not FIRST_YEAR <= year <= LAST_YEAR or not 1 <= month <= MONTHS_IN_YEAR:
        raise ValueError(f"no such Jalali date: {jalali}")
    if not 1 <= day <= month_length(year, month):
        raise ValueError(f"no such Jalali date: {jalali}")
    return year_start(year) + timedelta(days=_DAYS_BEFORE_MONTH[month - 1] + day - 1)


@lru_cache(maxsize=4096)
def to_jalali(day: date) -> JalaliDate:
    """The same day in the Jalali calendar.

    Raises:
        ValueError: the day lies outside the Jalali years 1200-1499.
    """
    year = day.year - GREGORIAN_MODEL_YEAR_OFFSET
    if not FIRST_YEAR <= year <= LAST_YEAR + 1:
        raise ValueError(f"{day} is outside the Jalali years {FIRST_YEAR}-{LAST_YEAR}")
    if day < year_start(year):
        year -= 1
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(f"{day} is outside the Jalali years {FIRST_YEAR}-{LAST_YEAR}")
    passed = (day - year_start(year)).days
    month = passed // 31 + 1 if passed < 186 else (passed - 186) // 30 + 7
    return JalaliDate(year, month, passed - _DAYS_BEFORE_MONTH[month - 1] + 1)


def read_jalali(text: str) -> date | None:
    """The day that `text` names, or None where it names none.

    Takes `1404-12-29` and `1404/12/29`, one separator throughout, months and days with or without a leading
    zero, digits of any script, blanks around. The year has four digits: `04` is never guessed to be 1404.
    """
    if len(text) > 32:
        return None
    match = _SHAPE.fullmatch(ascii_digits(text).strip())
    if match is None:
        return None
    try:
        return to_gregorian(JalaliDate(int(match[1]), int(match[3]), int(match[4])))
    except ValueError:
        return None


def parse_jalali(text: str, pointer: str = "") -> date:
    """The day that `text` names, read as `read_jalali` does.

    Raises:
        InvalidInput: no such date; `pointer` (RFC 6901) says which field of the input held it.
    """
    day = read_jalali(text)
    if day is None:
        raise InvalidInput(
            f"{text[:32]!r} is not a Jalali date; write it like 1404-12-29.",
            f"«{text[:32]}» تاریخ شمسی درستی نیست؛ آن را مانند ۱۴۰۴/۱۲/۲۹ بنویسید.",
            errors=[
                FieldError(
                    pointer,
                    "date_invalid",
                    "Not a Jalali date that exists; write it like 1404-12-29.",
                    "تاریخ شمسی درستی نیست؛ آن را مانند ۱۴۰۴/۱۲/۲۹ بنویسید.",
                )
            ],
        )
    return day


def format_jalali(day: date) -> str:
    """`day` as `1404-12-29`: the form of every field that ends in `_jalali`."""
    return str(to_jalali(day))


def format_jalali_fa(day: date) -> str:
    """`day` as `۱۴۰۴/۱۲/۲۹`, for Persian text."""
    return persian_digits(format_jalali(day).replace("-", "/"))


def format_jalali_long_fa(day: date) -> str:
    """`day` as `۲۹ اسفند ۱۴۰۴`, for headings and certificates."""
    jalali = to_jalali(day)
    return persian_digits(f"{jalali.day} {_MONTHS_FA[jalali.month - 1]} {jalali.year}")


def month_number(day: date) -> int:
    """A count of Jalali months that grows by one on the first of each: year × 12 + month - 1."""
    jalali = to_jalali(day)
    return jalali.year * MONTHS_IN_YEAR + jalali.month - 1


def month_start(number: int) -> date:
    """The first day of the month that `month_number` counts as `number`."""
    year, month = divmod(number, MONTHS_IN_YEAR)
    return to_gregorian(JalaliDate(year, month + 1, 1))
