"""What the channels and those behind them are called on a paper, in both languages."""

from __future__ import annotations

from typing import Final

from functions.certify.document.texts import plain

_OPERATORS: Final = {
    "sandbox": ("درگاه آزمایشی", "Sandbox gateway"),
    "sep": ("پرداخت الکترونیک سامان", "Saman Electronic Payment"),
    "zarinpal": ("زرین‌پال", "Zarinpal"),
    "zibal": ("زیبال", "Zibal"),
    "behpardakht": ("به‌پرداخت ملت", "Behpardakht Mellat"),
    "sadad": ("سداد، بانک ملی ایران", "Sadad, Bank Melli Iran"),
    "melli": ("بانک ملی ایران", "Bank Melli Iran"),
    "mellat": ("بانک ملت", "Bank Mellat"),
    "saderat": ("بانک صادرات ایران", "Bank Saderat Iran"),
    "tejarat": ("بانک تجارت", "Tejarat Bank"),
    "sepah": ("بانک سپه", "Bank Sepah"),
    "shahr": ("بانک شهر", "City Bank"),
    "saman": ("بانک سامان", "Saman Bank"),
}
_CHANNELS: Final = {
    "gateway": ("درگاه اینترنتی", "online gateway"),
    "pos": ("کارتخوان دفتر", "terminal at the office"),
    "bill": ("قبض، شعبه‌های بانک", "bill, paid at a bank"),
    "write_off": ("بدون پرداخت", "nothing to pay"),
}


def operator(code: str) -> tuple[str, str]:
    """The gateway, acquirer or bank of this code; one that has no name here is called by its code."""
    return _OPERATORS.get(code, (plain(code), plain(code)))


def channel(code: str) -> tuple[str, str]:
    """How it was paid."""
    return _CHANNELS.get(code, (plain(code), plain(code)))
