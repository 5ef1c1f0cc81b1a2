"""What stands on the summary of a joint payment: each plate with its years, amount and certificate. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Final

from avarez.certificates.payload import ranges_of
from avarez.certificates.short_code import printed, short_code
from avarez.clock import TEHRAN
from avarez.digits import grouped_en, grouped_fa, persian_digits
from avarez.jalali import format_jalali_fa
from avarez.plates import parse_plate
from functions.certify.document import names
from functions.certify.document.page import MunicipalityName
from functions.certify.document.render import typeset
from functions.certify.document.texts import fact, plain
from functions.certify.document.words import (
    number_in_english,
    number_in_words,
    years_in_english,
    years_in_words,
)
from functions.certify.papers.payment import PaymentRecord

TEMPLATE: Final = "fleet.typ"
SHEET_PLATES_MAX: Final = 500
"""19 pages and 0.9 MB, made in 0.7 s while somebody waits; an answer of API Gateway holds 6 MB."""


def sheets_of(payment: PaymentRecord) -> int:
    """How many sheets the payment's summary has."""
    return max(-(-payment.parts // SHEET_PLATES_MAX), 1)


def summary(
    payment: PaymentRecord,
    parts: Sequence[PaymentRecord],
    name_of: Callable[[str], MunicipalityName],
    *,
    sheet: int = 1,
) -> bytes:
    """The summary of a settled joint payment, or the sheet of this number, on which `parts` stand."""
    sheets, first = sheets_of(payment), (sheet - 1) * SHEET_PLATES_MAX
    cities = {city: name_of(city) for city in dict.fromkeys(part.municipality for part in parts)}
    content: dict[str, Any] = {
        "title_fa": "خلاصهٔ پرداخت عوارض ناوگان",
        "title_en": "Summary of a Fleet's Payment of the Annual Vehicle Duty",
        "author": "عوارض سالیانهٔ خودرو",
        "sheet_fa": f"برگهٔ {persian_digits(sheet)} از {persian_digits(sheets)}" if sheets > 1 else "",
        "sheet_en": f"Sheet {sheet} of {sheets}" if sheets > 1 else "",
        "facts": _facts(payment),
        "amount_fa": grouped_fa(payment.amount_rial),
        "amount_en": grouped_en(payment.amount_rial),
        "words_fa": number_in_words(payment.amount_rial) + " ریال",
        "words_en": number_in_english(payment.amount_rial) + " rial",
        "rows": [
            _row(number, part, cities[part.municipality]) for number, part in enumerate(parts, start=first + 1)
        ],
        "payment_id": payment.payment_id,
    }
    inputs = {"page": json.dumps(content, ensure_ascii=False, sort_keys=True)}
    return typeset(TEMPLATE, inputs, int((payment.settled_at or payment.created_at).timestamp()))


def _facts(payment: PaymentRecord) -> list[dict[str, str]]:
    settled_at = (payment.settled_at or payment.created_at).astimezone(TEHRAN)
    operator_fa, operator_en = names.operator(payment.gateway)
    facts = [
        fact("شمار خودروها", "Vehicles", value_fa=persian_digits(payment.parts), value_en=str(payment.parts)),
        fact(
            "زمان پرداخت (تهران)",
            "Paid at (Tehran time)",
            value_fa=f"{format_jalali_fa(settled_at.date())}، {persian_digits(settled_at.strftime('%H:%M'))}",
            value_en=settled_at.strftime("%Y-%m-%d %H:%M"),
        ),
        fact("بانک یا درگاه", "Bank or gateway", value_fa=operator_fa, value_en=operator_en),
        fact("شمارهٔ پیگیری", "Bank reference", value_en=plain(payment.tracking or payment.reference, 30) or "-"),
        fact("دفتر", "Office", value_en=plain(payment.office) or "-"),
    ]
    if payment.fee_rial:
        fee = grouped_fa(payment.fee_rial), grouped_en(payment.fee_rial)
        facts.append(fact("از آن کارمزد (ریال)", "Service fee in it (rial)", value_fa=fee[0], value_en=fee[1]))
    return facts


def _row(number: int, part: PaymentRecord, name: MunicipalityName) -> dict[str, str]:
    plate = parse_plate(part.plate)
    ranges = ranges_of(tuple(paid.year for paid in part.years))
    back = part.refunded_rial
    return {
        "number": str(number),
        "plate_fa": plate.text_fa,
        "plate_en": plate.text_en,
        "city_fa": name.fa,
        "city_en": name.en,
        "years_fa": years_in_words(ranges),
        "years_en": years_in_english(ranges),
        "amount_fa": grouped_fa(part.amount_rial),
        "amount_en": grouped_en(part.amount_rial),
        "back_fa": grouped_fa(back) if back else "",
        "back_en": grouped_en(back) if back else "",
        "code": printed(short_code(part.certificate_id)),
        "certificate_id": part.certificate_id,
    }
