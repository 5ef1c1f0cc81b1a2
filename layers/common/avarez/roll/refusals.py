"""Why a row of a roll is refused: every code with its words, and the file of refused rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from avarez.csv_lines import BYTE_ORDER_MARK, csv_line

REFUSED_COLUMNS: Final = ("row", "column", "code", "message", "message_fa", "value")
"""The header of the file of refused rows; `row` counts as a spreadsheet does, the header being row 1."""
SHOWN_VALUE_MAX: Final = 80
"""Enough to find the cell by eye."""
_PRIVATE_COLUMNS: Final = frozenset({"owner_id"})
"""Columns whose value never leaves the upload."""

REFUSALS: Final[dict[str, tuple[str, str]]] = {
    "base_price_malformed": (
        "The base price must be a positive whole number of rial; write digits, without a unit or a decimal point.",
        "ارزش مبنا باید عدد صحیح مثبت به ریال باشد؛ فقط رقم بنویسید، بدون واحد و ممیز.",
    ),
    "class_unknown": (
        "This vehicle class is not known; write one of passenger, pickup_double, pickup_single, van, minibus, "
        "bus, truck, motorcycle, taxi, ambulance, other.",
        "این کاربری (نوع) خودرو شناخته نیست؛ یکی از گروه‌های راهنما مانند passenger یا truck را بنویسید.",
    ),
    "columns_missing": (
        "The row has fewer cells than the header; add the empty ones with commas.",
        "شمار خانه‌های سطر از سرستون کمتر است؛ خانه‌های خالی را با ویرگول بیفزایید.",
    ),
    "columns_surplus": (
        "The row has more cells than the header; put a text that holds a comma between quotation marks.",
        "شمار خانه‌های سطر از سرستون بیشتر است؛ متن دارای ویرگول را میان دو گیومه بگذارید.",
    ),
    "date_invalid": (
        "This Jalali date does not exist; write it like 1404-12-29.",
        "این تاریخ شمسی وجود ندارد؛ آن را مانند ۱۴۰۴/۱۲/۲۹ بنویسید.",
    ),
    "dates_reversed": (
        "The residence ends before it begins; exchange the two dates.",
        "پایان سکونت پیش از آغاز آن است؛ جای دو تاریخ را عوض کنید.",
    ),
    "duplicate_row": (
        "An exact repetition of row {other}; leave it out.",
        "تکرار عین سطر {other} است؛ آن را بردارید.",
    ),
    "foreign_municipality": (
        "This row names another municipality than the roll's; send it with that city's roll.",
        "این سطر از شهرداری دیگری است؛ آن را با فهرست همان شهر بفرستید.",
    ),
    "fuel_unknown": (
        "This fuel is not known; write petrol, diesel, cng, dual, hybrid or electric.",
        "این نوع سوخت شناخته نیست؛ petrol یا diesel یا cng یا dual یا hybrid یا electric بنویسید.",
    ),
    "identity_missing": (
        "Give a VIN, or chassis and engine numbers.",
        "شماره VIN یا شماره شاسی و موتور را بنویسید.",
    ),
    "model_calendar_unknown": (
        "The calendar of the model year is not known; write jalali or gregorian.",
        "تقویم سال ساخت باید jalali یا gregorian باشد.",
    ),
    "model_year_malformed": (
        "This is not a model year; write four digits, such as 1398 or 2019, and the calendar that goes with them.",
        "این سال ساخت درست نیست؛ چهار رقم مانند ۱۳۹۸ یا ۲۰۱۹ و تقویم آن را بنویسید.",
    ),
    "national_id_invalid": (
        "The owner's id does not pass its check digit; copy it again from the card, with its leading zeros.",
        "شناسهٔ مالک با رقم کنترل نمی‌خواند؛ آن را با صفرهای آغازش دوباره از روی کارت بنویسید.",
    ),
    "number_malformed": (
        "This must be a whole number; write digits, or leave it empty where it is not known.",
        "این خانه باید عدد صحیح باشد؛ رقم بنویسید، یا اگر معلوم نیست خالی بگذارید.",
    ),
    "origin_unknown": (
        "The origin is not known; write domestic or imported.",
        "مبدأ باید domestic یا imported باشد.",
    ),
    "owner_kind_unknown": (
        "The kind of owner is not known; write person or legal.",
        "نوع مالک باید person یا legal باشد.",
    ),
    "plate_conflict": (
        "Row {other} gives this plate to another vehicle at the same time; end the earlier residence.",
        "سطر {other} این پلاک را هم‌زمان به خودروی دیگری داده است؛ پایان سکونت پیشین را بنویسید.",
    ),
    "plate_malformed": (
        "This is not a plate; write it like 12B345-67, or a motorcycle's like 123-45678.",
        "این پلاک درست نیست؛ آن را مانند ۱۲ ب ۳۴۵ - ایران ۶۷ بنویسید.",
    ),
    "status_unknown": (
        "The status is not known; write in_use, scrapped or exported.",
        "وضعیت باید in_use یا scrapped یا exported باشد.",
    ),
    "text_too_long": (
        "This text is too long; shorten it to 120 characters.",
        "این متن بیش از اندازه بلند است؛ آن را تا ۱۲۰ نویسه کوتاه کنید.",
    ),
    "vehicle_conflict": (
        "Row {other} says something else of the same vehicle on the same plate; keep the one that is right.",
        "سطر {other} دربارهٔ همین خودرو با همین پلاک چیز دیگری می‌گوید؛ فقط سطر درست را نگه دارید.",
    ),
    "vin_malformed": (
        "A VIN has 17 letters and digits; an old car without one is known by chassis and engine numbers.",
        "شماره VIN هفده حرف و رقم دارد؛ خودروی قدیمی بدون آن با شماره شاسی و موتور شناخته می‌شود.",
    ),
}
"""Code → words in English and in Persian. `docs/roll.md` lists them; a test keeps the two in step."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One fault of one row; `other` is the earlier row that it clashes with, 0 where there is none."""

    row: int
    column: str
    code: str
    value: str = ""
    other: int = 0

    @property
    def message_en(self) -> str:
        return REFUSALS[self.code][0].format(other=self.other)

    @property
    def message_fa(self) -> str:
        return REFUSALS[self.code][1].format(other=self.other)

    def cells(self) -> tuple[str, ...]:
        """The cells under `REFUSED_COLUMNS`; an owner's id is never repeated."""
        value = "" if self.column in _PRIVATE_COLUMNS else self.value[:SHOWN_VALUE_MAX]
        return (str(self.row), self.column, self.code, self.message_en, self.message_fa, value)


def refused_lines(refusals: Iterable[Refusal]) -> Iterator[str]:
    """The file of refused rows line by line: opens in Excel, computes nothing there."""
    yield BYTE_ORDER_MARK + csv_line(REFUSED_COLUMNS)
    for refusal in refusals:
        yield csv_line(refusal.cells())
