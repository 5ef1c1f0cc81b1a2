"""Bill id and payment id (شناسه قبض، شناسه پرداخت), the slip's barcode, and the bank's daily file. Pure.

Source: the specification of the country's bill payment, as `docs/bills.md` gives it. The digits of year and period
are opaque: a bill is found by its pair of ids and by nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from avarez.jalali import JalaliDate, month_length, to_gregorian

MUNICIPALITY_SERVICE = 6
"""The service type of municipalities in a bill id."""
FILE_CODES = 10**8
UNIT_RIAL = 1_000
AMOUNT_MAX_RIAL = (10**8 - 1) * UNIT_RIAL
"""A payment id holds eight digits of thousands of rial."""
ID_DIGITS_MIN, ID_DIGITS_MAX = 6, 13
LINES_MAX = 100_000
_DIGITS = re.compile(r"[0-9]+", re.ASCII)
_MODULUS = 11


@dataclass(frozen=True, slots=True)
class BillTerms:
    """What a city has agreed with the banks: its company code, and the days that a bill may be paid in."""

    company_code: int
    valid_days: int


def check_digit(text: str) -> int:
    """The check digit of these digits: weights 2 to 7 from the right, again and again, modulo 11."""
    total = sum(int(digit) * (2 + place % 6) for place, digit in enumerate(reversed(text)))
    remainder = total % _MODULUS
    return 0 if remainder < 2 else _MODULUS - remainder


def bill_id(file_code: int, company_code: int) -> str:
    """The bill id of a file of this company, without leading zeros."""
    text = str(file_code * 10**4 + company_code * 10 + MUNICIPALITY_SERVICE)
    return f"{text}{check_digit(text)}"


def payment_code(amount_rial: int, year_digit: int, period: int, of_bill: str) -> str:
    """The payment id that goes with a bill id.

    Raises:
        ValueError: the amount is no whole number of thousands, or more than eight digits of them.
    """
    if amount_rial % UNIT_RIAL or not 0 < amount_rial <= AMOUNT_MAX_RIAL:
        raise ValueError(f"{amount_rial} rial cannot be billed")
    text = f"{amount_rial // UNIT_RIAL}{year_digit}{period:02d}"
    first = f"{text}{check_digit(text)}"
    return f"{first}{check_digit(of_bill + first)}"


def amount_of(code: str) -> int:
    """What a payment id says is paid, in rial; only for one that matches no bill of ours."""
    return int(code[:-5] or 0) * UNIT_RIAL


def is_bill_id(text: str) -> bool:
    return _is_id(text) and check_digit(text[:-1]) == int(text[-1])


def is_pair(of_bill: str, code: str) -> bool:
    """Whether both ids are well formed and belong together."""
    return (
        is_bill_id(of_bill)
        and _is_id(code)
        and check_digit(code[:-2]) == int(code[-2])
        and check_digit(of_bill + code[:-1]) == int(code[-1])
    )


def _is_id(text: str) -> bool:
    return bool(_DIGITS.fullmatch(text)) and ID_DIGITS_MIN <= len(text) <= ID_DIGITS_MAX


def barcode(of_bill: str, code: str) -> str:
    """The 26 digits of the payment slip's barcode."""
    return of_bill.zfill(ID_DIGITS_MAX) + code.zfill(ID_DIGITS_MAX)


# --- the bank's daily file ------------------------------------------------------------------------------


class Layout(StrEnum):
    """The two fixed-width layouts of the daily file."""

    OLDER = "older"
    NEWER = "newer"


@dataclass(frozen=True, slots=True)
class Columns:
    """Where a layout keeps what; the tracking number is the line's last six characters."""

    date: slice
    bill: slice
    payment: slice


CHANNEL = slice(6, 8)
TRACKING = slice(-6, None)
COLUMNS: dict[Layout, Columns] = {
    Layout.OLDER: Columns(slice(8, 14), slice(14, 27), slice(27, 40)),
    Layout.NEWER: Columns(slice(8, 16), slice(16, 29), slice(29, 42)),
}
LINE_WIDTH_MIN = {Layout.OLDER: 46, Layout.NEWER: 48}


@dataclass(frozen=True, slots=True)
class PaidLine:
    """One paid bill as the bank tells it; `number` counts from 1, the header included."""

    number: int
    channel: str
    paid_on: date
    bill_id: str
    payment_code: str
    tracking: str

    @property
    def key(self) -> str:
        """What makes the line the same line wherever it comes again."""
        return f"{self.paid_on.isoformat()}#{self.bill_id}#{self.payment_code}#{self.channel}{self.tracking}"


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot be read, and why."""

    number: int
    code: str
    text: str


def layout_of(text: str, today: date) -> Layout | None:
    """The layout in which most of the first lines can be read; None when none can."""
    counted = {
        layout: sum(isinstance(line, PaidLine) for line in lines_of(text, layout, today, limit=20))
        for layout in Layout
    }
    best = max(counted, key=lambda layout: counted[layout])
    return best if counted[best] else None


def lines_of(text: str, layout: Layout, today: date, limit: int = LINES_MAX) -> Iterator[PaidLine | BadLine]:
    """The lines after the header; empty ones are left out."""
    for number, line in enumerate(text.splitlines()[1 : limit + 1], start=2):
        stripped = line.rstrip()
        if stripped:
            yield _line(number, stripped, layout, today)


def _line(number: int, line: str, layout: Layout, today: date) -> PaidLine | BadLine:
    if len(line) < LINE_WIDTH_MIN[layout] or not line.isascii() or not line.isdigit():
        return BadLine(number, "line_malformed", line[:80])
    columns = COLUMNS[layout]
    paid_on = _day(line[columns.date], today)
    if paid_on is None:
        return BadLine(number, "date_invalid", line[:80])
    of_bill, code = line[columns.bill].lstrip("0"), line[columns.payment].lstrip("0")
    if not is_pair(of_bill, code):
        return BadLine(number, "check_digit", line[:80])
    return PaidLine(number, line[CHANNEL], paid_on, of_bill, code, line[TRACKING])


def _day(digits: str, today: date) -> date | None:
    """The Jalali day; of two digits the century is the one that puts it last before tomorrow."""
    year, month, day = int(digits[:-4]), int(digits[-4:-2]), int(digits[-2:])
    candidates = [year] if len(digits) == 8 else [1400 + year, 1300 + year]
    for candidate in candidates:
        if not (1300 <= candidate < 1500 and 1 <= month <= 12 and 1 <= day <= month_length(candidate, month)):
            continue
        found = to_gregorian(JalaliDate(candidate, month, day))
        if found <= today:
            return found
    return None
