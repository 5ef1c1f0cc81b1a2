"""The bank's calendar and the ends of days, against published dates."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from avarez.errors import InvalidInput
from avarez.jalali import parse_jalali, to_jalali
from functions.pay.settlement.bank.calendar import bank_calendar, day_ends

CALENDAR = bank_calendar()


@pytest.mark.parametrize(
    ("day", "closed"),
    [
        ("1405-01-01", True),  # Nowruz
        ("1405-01-05", False),  # a Wednesday
        ("1405-01-07", True),  # a Friday
        ("1405-04-04", True),  # Ashura
        ("1405-05-13", True),  # Arbaeen
        ("1405-09-05", False),  # a Thursday: branches are open until half past twelve
        ("1405-12-19", True),  # Eid al-Fitr
        ("1404-12-29", True),
        ("1404-11-15", True),
        ("1400-05-07", True),  # a Thursday of the summer in which banks were closed on Thursdays
        ("1400-06-04", False),  # and one after it
    ],
)
def test_day_is_a_bank_holiday_as_published(day: str, closed: bool) -> None:
    assert CALENDAR.is_holiday(parse_jalali(day)) is closed


def test_official_calendar_of_1405_has_twenty_five_days() -> None:
    year = [date(2026, 3, 21) + timedelta(days=step) for step in range(365)]
    fixed_or_lunar = [
        day
        for day in year
        if (to_jalali(day).month, to_jalali(day).day) in CALENDAR.fixed_holidays | CALENDAR.lunar_holidays[1405]
    ]
    assert len(fixed_or_lunar) == 25
    assert CALENDAR.knows(date(2026, 11, 23))
    assert not CALENDAR.knows(date(2027, 11, 23))


@pytest.mark.parametrize(
    ("now", "cycle"),
    [
        (
            datetime(2026, 11, 23, 21, 0, tzinfo=UTC),
            datetime(2026, 11, 24, 0, 15, tzinfo=UTC),
        ),  # 00:30, then 03:45
        (datetime(2026, 11, 24, 0, 15, tzinfo=UTC), datetime(2026, 11, 24, 6, 15, tzinfo=UTC)),
        (
            datetime(2026, 11, 26, 15, 30, tzinfo=UTC),
            datetime(2026, 11, 27, 9, 15, tzinfo=UTC),
        ),  # Friday: 12:45 alone
        (datetime(2026, 11, 27, 9, 15, tzinfo=UTC), datetime(2026, 11, 28, 0, 15, tzinfo=UTC)),
    ],
)
def test_next_cycle_of_paya(now: datetime, cycle: datetime) -> None:
    assert CALENDAR.next_cycle(now) == cycle


def test_working_days_leave_out_fridays_and_holidays() -> None:
    assert CALENDAR.next_working_day(date(2026, 11, 26)) == date(2026, 11, 28)
    assert CALENDAR.working_days_between(date(2026, 11, 26), date(2026, 11, 29)) == 2
    assert CALENDAR.working_days_between(date(2026, 11, 26), date(2026, 11, 27)) == 0


def test_day_ends_at_midnight_in_tehran_unless_the_city_says_otherwise() -> None:
    ends = day_ends(CALENDAR, {})
    assert ends.end_of(date(2026, 11, 23)) == datetime(2026, 11, 23, 20, 30, tzinfo=UTC)
    assert ends.due_at(date(2026, 11, 23)) == datetime(2026, 11, 23, 20, 40, tzinfo=UTC)
    own = day_ends(CALENDAR, {"settlement_cutoffs": [{"from_jalali": "1405-09-02", "at": "14:00"}]})
    assert own.end_of(date(2026, 11, 22)) == datetime(
        2026, 11, 22, 20, 30, tzinfo=UTC
    )  # the day before it counted
    assert own.end_of(date(2026, 11, 23)) == datetime(2026, 11, 23, 10, 30, tzinfo=UTC)
    for instant, day in (
        (datetime(2026, 11, 22, 20, 29, tzinfo=UTC), date(2026, 11, 22)),
        (datetime(2026, 11, 22, 20, 30, tzinfo=UTC), date(2026, 11, 23)),
        (datetime(2026, 11, 23, 10, 29, tzinfo=UTC), date(2026, 11, 23)),
        (datetime(2026, 11, 23, 10, 30, tzinfo=UTC), date(2026, 11, 24)),
    ):
        assert own.day_of(instant) == day


@pytest.mark.parametrize(
    "row",
    [
        {"from_jalali": "1405-09-02", "at": "25:00"},
        {"from_jalali": "1405-09-02", "at": "00:00"},
        {"from_jalali": "soon", "at": "14:00"},
        {"at": "14:00"},
        "14:00",
    ],
)
def test_setting_that_is_none_is_refused(row: object) -> None:
    with pytest.raises(InvalidInput):
        day_ends(CALENDAR, {"settlement_cutoffs": [row]})


def test_day_before_summer_time_ends_at_its_own_midnight() -> None:
    ends = day_ends(CALENDAR, {})
    before = ends.end_of(date(2021, 3, 21))  # the clocks went forward at the midnight after it
    assert ends.day_of(before - timedelta(milliseconds=1)) == date(2021, 3, 21)
    assert ends.day_of(before) == date(2021, 3, 22)
