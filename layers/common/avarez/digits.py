"""Digits of three scripts: read into ASCII, written for people with separators."""

from __future__ import annotations

_TO_ASCII = {
    **{ord("۰") + digit: str(digit) for digit in range(10)},
    **{ord("٠") + digit: str(digit) for digit in range(10)},
    **{ord("０") + digit: str(digit) for digit in range(10)},
}
_TO_PERSIAN = {ord("0") + digit: chr(ord("۰") + digit) for digit in range(10)} | {ord(","): "٬"}


def ascii_digits(text: str) -> str:
    """`text` with Persian, Arabic and full-width digits as ASCII; everything else as it was."""
    return text if text.isascii() else text.translate(_TO_ASCII)


def persian_digits(text: str | int) -> str:
    """`text` with ASCII digits as Persian ones and `,` as the Persian thousands separator `٬`."""
    return str(text).translate(_TO_PERSIAN)


def grouped_en(amount: int) -> str:
    """`2400000` as `2,400,000`; a negative amount keeps its ASCII minus."""
    return f"{amount:,}"


def grouped_fa(amount: int) -> str:
    """`2400000` as `۲٬۴۰۰٬۰۰۰`; the minus of a negative amount is U+2212, which stays beside its digits."""
    return f"{amount:,}".replace("-", "\u2212").translate(_TO_PERSIAN)
