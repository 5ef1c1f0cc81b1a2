"""Jalali dates against the published calendar and against `persiantools` for every day of two centuries."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from persiantools.jdatetime import JalaliDate as Reference

from avarez.errors import InvalidInput
from avarez.jalali import (
    JalaliDate,
    format_jalali,
    format_jalali_fa,
    format_jalali_long_fa,
    is_leap,
    month_length,
    month_number,
    month_start,
    parse_jalali,
    read_jalali,
    to_gregorian,
    to_jalali,
    year_end,
    year_start,
)


def test_to_jalali_every_day_of_1300_to_1499_agrees_with_persiantools() -> None:
    day = year_start(1300)
    while day <= year_end(1499):
        ours = to_jalali(day)
        reference = Reference.to_jalali(day)  # type: ignore[no-untyped-call]
        assert ours == JalaliDate(reference.year, reference.month, reference.day)
        assert to_gregorian(ours) == day
        day += timedelta(days=1)


def test_leap_years_around_the_five_year_gap_are_1399_1403_1408() -> None:
    assert [year for year in range(1398, 1410) if is_leap(year)] == [1399, 1403, 1408]


def test_year_start_of_1405_is_21_march_2026() -> None:
    assert year_start(1405) == date(2026, 3, 21)
    assert year_end(1403) == to_gregorian(JalaliDate(1403, 12, 30)) == date(2025, 3, 20)
    assert month_length(1403, 12) == 30
    assert month_length(1404, 12) == 29


@pytest.mark.parametrize(
    "text",
    ["1404-12-29", "1404/12/29", "۱۴۰۴/۱۲/۲۹", "١٤٠٤-١٢-٢٩", " 1404-12-29 ", "۱۴۰۴-12-۲۹"],
)
def test_read_jalali_any_digits_and_separator_is_the_same_day(text: str) -> None:
    assert read_jalali(text) == date(2026, 3, 20)


def test_read_jalali_without_leading_zeros_is_read() -> None:
    assert read_jalali("1380/1/6") == read_jalali("1380-01-06") == date(2001, 3, 26)


@pytest.mark.parametrize(
    "text",
    [
        "1404-12-30",  # a common year
        "1403-12-31",
        "1404-07-31",
        "1404-13-01",
        "1404-00-01",
        "1404-01-00",
        "04-01-01",  # never guessed to be 1404
        "1404-01/01",
        "1404-1",
        "1404 01 01",
        "2026-11-23",
        "1199-01-01",
        "",
        "1404-12-29T00:00",
        "-1404-12-29",
        "1" * 5000,
    ],
)
def test_read_jalali_of_no_date_is_none(text: str) -> None:
    assert read_jalali(text) is None


def test_parse_jalali_of_no_date_names_the_field() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_jalali("1404-12-30", "/sale_date_jalali")
    assert [(e.pointer, e.code) for e in refused.value.errors] == [("/sale_date_jalali", "date_invalid")]


def test_format_jalali_is_iso_and_persian_forms_follow() -> None:
    day = date(2026, 11, 23)
    assert format_jalali(day) == "1405-09-02"
    assert format_jalali_fa(day) == "۱۴۰۵/۰۹/۰۲"
    assert format_jalali_long_fa(day) == "۲ آذر ۱۴۰۵"


def test_month_number_grows_by_one_on_the_first() -> None:
    last, first = parse_jalali("1404-12-29"), parse_jalali("1405-01-01")
    assert month_number(first) == month_number(last) + 1
    assert month_start(month_number(first)) == first


def test_year_start_outside_1200_to_1500_is_refused() -> None:
    with pytest.raises(ValueError, match="1501"):
        year_start(1501)
    with pytest.raises(ValueError, match="outside"):
        to_jalali(date(1800, 1, 1))
    with pytest.raises(ValueError, match="outside"):
        to_jalali(year_start(1500))
