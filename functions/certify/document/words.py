"""Amounts in words, Persian and English, as papers write them beside the digits."""

from __future__ import annotations

from typing import Final

from avarez.digits import persian_digits

_ONES: Final = (
    "",
    "یک",
    "دو",
    "سه",
    "چهار",
    "پنج",
    "شش",
    "هفت",
    "هشت",
    "نه",
    "ده",
    "یازده",
    "دوازده",
    "سیزده",
    "چهارده",
    "پانزده",
    "شانزده",
    "هفده",
    "هجده",
    "نوزده",
)
_TENS: Final = ("", "", "بیست", "سی", "چهل", "پنجاه", "شصت", "هفتاد", "هشتاد", "نود")
_HUNDREDS: Final = ("", "صد", "دویست", "سیصد", "چهارصد", "پانصد", "ششصد", "هفتصد", "هشتصد", "نهصد")
_SCALES: Final = ("", "هزار", "میلیون", "میلیارد", "بیلیون", "بیلیارد")
_AND: Final = " و "
_ONES_EN: Final = (
    *("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS_EN: Final = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES_EN: Final = ("", "thousand", "million", "billion", "trillion", "quadrillion")
#: One below the first scale without a name here; far above any amount.
NUMBER_MAX: Final = 1000 ** len(_SCALES) - 1


def number_in_words(number: int) -> str:
    """The whole number (0 to NUMBER_MAX) in Persian words: 2401000 -> «دو میلیون و چهارصد و یک هزار».

    Raises: ValueError for a number outside these bounds.
    """
    if not 0 <= number <= NUMBER_MAX:
        raise ValueError("no words for this number")
    if number == 0:
        return "صفر"
    parts: list[str] = []
    for power in range(len(_SCALES) - 1, -1, -1):
        group = number // 1000**power % 1000
        if group == 1 and power == 1:
            parts.append(_SCALES[1])  # «هزار», not «یک هزار», when nothing stands before it in its group
        elif group:
            parts.append(f"{_below_thousand(group)} {_SCALES[power]}".rstrip())
    return _AND.join(parts)


def number_in_english(number: int) -> str:
    """The same in English: 2401000 -> `two million four hundred one thousand`.

    Raises: ValueError for a number outside these bounds.
    """
    if not 0 <= number <= NUMBER_MAX:
        raise ValueError("no words for this number")
    if number == 0:
        return "zero"
    parts: list[str] = []
    for power in range(len(_SCALES_EN) - 1, -1, -1):
        if group := number // 1000**power % 1000:
            parts.append(f"{_below_thousand_en(group)} {_SCALES_EN[power]}".rstrip())
    return " ".join(parts)


def years_in_words(ranges: list[tuple[int, int]]) -> str:
    """Ranges of years for a sentence: «۱۳۹۸ تا ۱۴۰۱ و ۱۴۰۳»."""
    return persian_digits(_AND.join(_range(first, last, " تا ", _AND) for first, last in ranges))


def years_in_english(ranges: list[tuple[int, int]]) -> str:
    """The same for the English sentence: `1398 to 1401 and 1403`."""
    return ", ".join(_range(first, last, " to ", " and ") for first, last in ranges)


def _range(first: int, last: int, through: str, both: str) -> str:
    if first == last:
        return str(first)
    return f"{first}{both if last == first + 1 else through}{last}"


def _below_thousand(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    parts = [_HUNDREDS[hundreds]]
    if rest < 20:
        parts.append(_ONES[rest])
    else:
        parts.extend((_TENS[rest // 10], _ONES[rest % 10]))
    return _AND.join(part for part in parts if part)


def _below_thousand_en(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    parts = [f"{_ONES_EN[hundreds]} hundred"] if hundreds else []
    if rest >= 20:
        parts.append(_TENS_EN[rest // 10] + (f"-{_ONES_EN[rest % 10]}" if rest % 10 else ""))
    elif rest:
        parts.append(_ONES_EN[rest])
    return " ".join(parts)
