"""What stands on a slip and on a receipt, as texts: pure, so that equal payments give equal papers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import zxingcpp

from avarez.certificates.payload import ranges_of
from avarez.clock import TEHRAN, tehran_today
from avarez.digits import grouped_en, grouped_fa, persian_digits
from avarez.jalali import format_jalali_fa
from avarez.plates import parse_plate
from functions.certify.document import names
from functions.certify.document.page import MunicipalityName
from functions.certify.document.render import typeset
from functions.certify.document.texts import fact, plain, plate_parts
from functions.certify.document.words import (
    number_in_english,
    number_in_words,
    years_in_english,
    years_in_words,
)
from functions.certify.papers.payment import PaymentRecord

TEMPLATE: Final = "payment.typ"


def slip(payment: PaymentRecord, name_of: Callable[[str], MunicipalityName]) -> bytes:
    """The slip of an open bill: what a bank needs, in digits and as a barcode."""
    last_day = tehran_today(payment.expires_at)
    facts = [
        fact("شناسهٔ قبض", "Bill id", value_en=payment.bill_id),
        fact("شناسهٔ پرداخت", "Payment id", value_en=payment.payment_code),
        fact("مهلت پرداخت", "Pay by", value_fa=format_jalali_fa(last_day), value_en=last_day.isoformat()),
    ]
    titles = "قبض پرداخت عوارض سالیانهٔ خودرو", "Payment Slip of the Annual Vehicle Duty"
    return _typeset(payment, name_of, titles, facts, barcode=payment.barcode)


def receipt(payment: PaymentRecord, name_of: Callable[[str], MunicipalityName], *, spent: str = "") -> bytes:
    """The receipt of a settled payment: what was taken, when, by whom, under which reference.

    At its foot stands the address where the city says what it spends the duty on, if it has said so.
    """
    settled_at = (payment.settled_at or payment.created_at).astimezone(TEHRAN)
    operator_fa, operator_en = names.operator(payment.gateway)
    channel_fa, _ = names.channel(payment.channel)
    facts = [
        fact(
            "زمان پرداخت (تهران)",
            "Paid at (Tehran time)",
            value_fa=f"{format_jalali_fa(settled_at.date())}، {persian_digits(settled_at.strftime('%H:%M'))}",
            value_en=settled_at.strftime("%Y-%m-%d %H:%M"),
        ),
        fact("بانک یا درگاه", "Bank or gateway", value_fa=f"{operator_fa}، {channel_fa}", value_en=operator_en),
        fact("شمارهٔ پیگیری", "Bank reference", value_en=plain(payment.tracking or payment.reference) or "-"),
    ]
    if payment.bill_id:
        ids = f"{payment.bill_id} / {payment.payment_code}"
        facts.append(fact("شناسهٔ قبض و پرداخت", "Bill id / payment id", value_en=ids))
    if payment.refunded_rial:
        back_fa, back_en = grouped_fa(payment.refunded_rial), grouped_en(payment.refunded_rial)
        facts.append(fact("بازگردانده‌شده (ریال)", "Refunded (rial)", value_fa=back_fa, value_en=back_en))
    if payment.certificate_id:
        facts.append(fact("شمارهٔ گواهی", "Certificate", value_en=payment.certificate_id))
    titles = "رسید پرداخت عوارض سالیانهٔ خودرو", "Receipt of the Annual Vehicle Duty"
    return _typeset(payment, name_of, titles, facts, spent=spent)


def _typeset(
    payment: PaymentRecord,
    name_of: Callable[[str], MunicipalityName],
    titles: tuple[str, str],
    facts: list[dict[str, str]],
    *,
    barcode: str = "",
    spent: str = "",
) -> bytes:
    name = name_of(payment.municipality)
    ranges = ranges_of(tuple(part.year for part in payment.years))
    content: dict[str, Any] = {
        "title_fa": titles[0],
        "title_en": titles[1],
        "city_fa": name.fa,
        "city_en": name.en,
        "emblem": name.emblem,
        "plate": plate_parts(parse_plate(payment.plate)),
        "years_fa": years_in_words(ranges),
        "years_en": years_in_english(ranges),
        "lines": _lines(payment),
        "amount_fa": grouped_fa(payment.amount_rial),
        "amount_en": grouped_en(payment.amount_rial),
        "words_fa": number_in_words(payment.amount_rial) + " ریال",
        "words_en": number_in_english(payment.amount_rial) + " rial",
        "facts": [*facts, fact("دفتر", "Office", value_en=plain(payment.office) or "-")],
        "payment_id": payment.payment_id,
        "barcode": barcode,
        "spent": spent,
    }
    inputs = {
        "page": json.dumps(content, ensure_ascii=False, sort_keys=True),
        "barcode": barcode_svg(barcode) if barcode else "",
    }
    return typeset(TEMPLATE, inputs, int((payment.settled_at or payment.created_at).timestamp()))


def _lines(payment: PaymentRecord) -> list[dict[str, str]]:
    lines = [(persian_digits(part.year), str(part.year), part.amount_rial) for part in payment.years]
    if payment.rounding_rial:
        lines.append(("گرد کردن", "Rounding", payment.rounding_rial))
    if payment.fee_rial:
        lines.append(("کارمزد", "Service fee", payment.fee_rial))
    return [
        {"fa": label_fa, "en": label_en, "amount_fa": grouped_fa(rial), "amount_en": grouped_en(rial)}
        for label_fa, label_en, rial in lines
    ]


def barcode_svg(digits: str) -> str:
    """The digits as Code 128, two to a symbol, with the quiet zones that a counter's reader needs.

    Source: ISO/IEC 15417, code set C.
    """
    made = zxingcpp.create_barcode(digits, zxingcpp.BarcodeFormat.Code128)
    return str(made.to_svg(add_quiet_zones=True))
