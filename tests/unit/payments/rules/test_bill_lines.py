"""The bank's daily file at its edges: lines, days and ids, each by a table."""

from __future__ import annotations

from datetime import date

import pytest

from functions.pay.rules import bills
from functions.pay.rules.bills import AMOUNT_MAX_RIAL, BadLine, Layout, PaidLine, layout_of, lines_of

TODAY = date(2026, 11, 23)
"""1405-09-02."""
BILL, CODE = "1117753200140", "12070160"


def text_of(layout: Layout, day: str = "14050901", bill: str = BILL, code: str = CODE) -> str:
    dated = day if layout is Layout.NEWER else day[2:]
    return f"00123402{dated}{bill.zfill(13)}{code.zfill(13)}654321"


def read(line: str, layout: Layout = Layout.NEWER, today: date = TODAY) -> PaidLine | BadLine:
    (found,) = lines_of(f"HEADER\n{line}\n", layout, today)
    return found


@pytest.mark.parametrize(
    ("amount_rial", "code"),
    [(1_000, "1"), (2_450_000, "2450"), (AMOUNT_MAX_RIAL, "99999999")],
)
def test_smallest_and_largest_amounts_have_a_payment_id(amount_rial: int, code: str) -> None:
    made = bills.payment_code(amount_rial, 5, 1, BILL)
    assert made.startswith(f"{code}501")
    assert bills.amount_of(made) == amount_rial


@pytest.mark.parametrize("amount_rial", [0, 1, 999, 1_001, AMOUNT_MAX_RIAL + 1_000])
def test_amount_that_has_none_is_named(amount_rial: int) -> None:
    with pytest.raises(ValueError, match=str(amount_rial)):
        bills.payment_code(amount_rial, 5, 1, BILL)


def test_payment_id_without_an_amount_says_nothing_is_paid() -> None:
    assert bills.amount_of("50140") == 0


@pytest.mark.parametrize(
    ("text", "good"),
    [
        (BILL, True),
        ("100064", True),  # six digits are the fewest
        ("10006", False),  # its check is right, too
        ("12345678901230", False),  # and so is this one of fourteen; thirteen are the most
        ("1117753200141", False),
        ("111775320014a", False),
        ("۱۱۱۷۷۵۳۲۰۰۱۴۰", False),
        ("", False),
    ],
)
def test_bill_id_has_six_to_thirteen_digits_and_its_check(text: str, good: bool) -> None:
    assert bills.is_bill_id(text) is good


@pytest.mark.parametrize("code", ["", "12345", "12070160" + "0" * 6, "1207016x"])
def test_payment_id_of_another_shape_belongs_to_no_bill(code: str) -> None:
    assert not bills.is_pair(BILL, code)


@pytest.mark.parametrize(
    ("day", "paid_on"),
    [
        ("13000101", date(1921, 3, 21)),  # the first day that is read
        ("14050101", date(2026, 3, 21)),  # the first month, the first day
        ("14050631", date(2026, 9, 22)),
        ("14050902", TODAY),
    ],
)
def test_day_is_read_by_the_jalali_calendar(day: str, paid_on: date) -> None:
    line = read(text_of(Layout.NEWER, day))
    assert isinstance(line, PaidLine)
    assert line.paid_on == paid_on


@pytest.mark.parametrize(
    "day",
    ["12991229", "14050001", "14051301", "14050100", "14050132", "14050731", "14041230", "14050903", "15000101"],
)
def test_day_that_is_none_or_has_not_been_is_refused(day: str) -> None:
    far = date(2200, 1, 1) if day == "15000101" else TODAY
    line = read(text_of(Layout.NEWER, day), today=far)
    assert isinstance(line, BadLine)
    assert line.code == "date_invalid"


def test_fifteenth_century_ends_with_1499() -> None:
    line = read(text_of(Layout.NEWER, "14991229"), today=date(2200, 1, 1))
    assert isinstance(line, PaidLine)
    assert line.paid_on == date(2121, 3, 20)


@pytest.mark.parametrize(
    ("day", "paid_on"),
    [("14050902", TODAY), ("14050903", None), ("13990101", date(2020, 3, 20)), ("14060101", date(1927, 3, 22))],
)
def test_two_digits_are_the_last_such_day_that_has_been(day: str, paid_on: date | None) -> None:
    line = read(text_of(Layout.OLDER, day), Layout.OLDER)
    if paid_on is None:  # the same day of 1305
        paid_on = date(1926, 11, 25)
    assert isinstance(line, PaidLine)
    assert line.paid_on == paid_on


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("x" * 90, "line_malformed"),
        ("1" * 47, "line_malformed"),  # one short
        (text_of(Layout.NEWER, "14051301") + "7" * 50, "date_invalid"),
        (text_of(Layout.NEWER, code="12070161") + "7" * 50, "check_digit"),
    ],
)
def test_bad_line_comes_back_with_its_number_and_its_first_eighty_characters(line: str, code: str) -> None:
    assert read(line) == BadLine(2, code, line[:80])


@pytest.mark.parametrize("layout", list(Layout))
def test_line_of_the_least_width_is_read_whole(layout: Layout) -> None:
    line = read(text_of(layout) + "  \t", layout)
    assert isinstance(line, PaidLine)
    assert (line.bill_id, line.payment_code, line.channel, line.tracking) == (BILL, CODE, "02", "654321")
    assert line.key == f"2026-11-22#{BILL}#{CODE}#02654321"


@pytest.mark.parametrize("file_code", [1, 10, 12_345_678])
def test_zeros_before_an_id_are_no_part_of_it(file_code: int) -> None:
    bill = bills.bill_id(file_code, 123)
    code = bills.payment_code(1_000, 5, 1, bill)
    line = read(text_of(Layout.NEWER, bill=bill, code=code))
    assert isinstance(line, PaidLine)
    assert (line.bill_id, line.payment_code) == (bill, code)


def test_line_that_is_set_in_is_no_line_of_digits() -> None:
    line = read("  " + text_of(Layout.NEWER))
    assert isinstance(line, BadLine)
    assert line.code == "line_malformed"


def test_no_more_lines_than_the_limit_are_read_and_the_header_is_none() -> None:
    text = "\n".join(["HEADER", *[text_of(Layout.NEWER)] * 5])
    assert [line.number for line in lines_of(text, Layout.NEWER, TODAY, limit=3)] == [2, 3, 4]
    assert len(list(lines_of(text, Layout.NEWER, TODAY))) == 5


@pytest.mark.parametrize(("bad", "layout"), [(19, Layout.OLDER), (20, None)])
def test_layout_shows_in_the_first_twenty_lines_or_not_at_all(bad: int, layout: Layout | None) -> None:
    text = "\n".join(["HEADER", *["x"] * bad, text_of(Layout.OLDER)])
    assert layout_of(text, TODAY) is layout
