"""What stands on a daily close's PDF, as texts: pure, so that the same close gives the same paper."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, Final

from avarez.certificates.payload import ranges_of
from avarez.clock import TEHRAN, from_rfc3339
from avarez.digits import grouped_en, grouped_fa, persian_digits
from avarez.jalali import format_jalali_fa, format_jalali_long_fa
from avarez.plates import parse_plate
from avarez.settlements import Line, LineKind, Settlement
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

TEMPLATE: Final = "settlement.typ"
SHEET_LINES_MAX: Final = 500
"""Twenty batches: a second's work while somebody waits."""
KINDS: Final = {
    LineKind.PAYMENT: ("پرداخت", "Payment"),
    LineKind.REFUND: ("بازپرداخت", "Refund"),
    LineKind.CORRECTION: ("اصلاح", "Correction"),
    LineKind.PAID_DIRECT: ("واریز مستقیم درگاه", "Paid by the gateway"),
    LineKind.TRANSFER: ("واریز به شهرداری", "Paid to the city"),
}
CHANNELS: Final = {"bill": ("قبض", "bill"), "pos": ("کارتخوان", "terminal")}
"""Short, for a narrow column; a gateway needs no word."""
_REFERENCE_CHARACTERS: Final = 26


def sheets_of(settlement: Settlement) -> int:
    """How many sheets the close's PDF has."""
    return max(-(-settlement.lines // SHEET_LINES_MAX), 1)


def statement(
    settlement: Settlement, lines: Sequence[Line], name_of: Callable[[str], MunicipalityName], *, sheet: int = 1
) -> bytes:
    """The PDF of the close, or the sheet of this number, on which `lines` stand."""
    name, day, sheets = name_of(settlement.municipality), date.fromisoformat(settlement.day), sheets_of(settlement)
    before_rial = lines[0].balance_rial - lines[0].city_rial if lines else settlement.opening_rial
    content: dict[str, Any] = {
        "title_fa": f"صورت‌حساب روزانهٔ شهرداری {name.fa}",
        "title_en": f"Daily Statement of the Municipality of {name.en}",
        "author": "عوارض سالیانهٔ خودرو",
        "emblem": name.emblem,
        "day_fa": format_jalali_long_fa(day),
        "day_en": day.isoformat(),
        "number_fa": persian_digits(settlement.number),
        "number_en": str(settlement.number),
        "sheet_fa": f"برگهٔ {persian_digits(sheet)} از {persian_digits(sheets)}" if sheets > 1 else "",
        "sheet_en": f"Sheet {sheet} of {sheets}" if sheets > 1 else "",
        "opening": _rial(settlement.opening_rial),
        "closing": _rial(settlement.closing_rial),
        "closing_words_fa": _words(settlement.closing_rial)[0],
        "closing_words_en": _words(settlement.closing_rial)[1],
        "sums": [_sum(settlement, kind) for kind in LineKind if settlement.sum_of(kind).count],
        "transfer": _transfer(settlement),
        "direct": [_direct(of.operator, of.day, of.city_rial) for of in settlement.direct_days],
        "late": _late(settlement),
        "before": _rial(before_rial),
        "rows": [_row(line) for line in lines],
        "facts": _facts(settlement),
        "proof": _proof(settlement),
        "settlement_id": settlement.settlement_id,
    }
    inputs = {"page": json.dumps(content, ensure_ascii=False, sort_keys=True)}
    return typeset(TEMPLATE, inputs, int(from_rfc3339(settlement.closed_at).timestamp()))


def _rial(rial: int) -> dict[str, str]:
    """The amount in both digits; what is below nothing with its sign in front."""
    sign = "-" if rial < 0 else ""
    return {"fa": sign + grouped_fa(abs(rial)), "en": sign + grouped_en(abs(rial))}


def _words(rial: int) -> tuple[str, str]:
    minus_fa, minus_en = ("منفی ", "minus ") if rial < 0 else ("", "")
    return f"{minus_fa}{number_in_words(abs(rial))} ریال", f"{minus_en}{number_in_english(abs(rial))} rial"


def _sum(settlement: Settlement, kind: LineKind) -> dict[str, Any]:
    one = settlement.sum_of(kind)
    from_payers = kind in (LineKind.PAYMENT, LineKind.REFUND)
    return {
        "fa": KINDS[kind][0],
        "en": KINDS[kind][1],
        "count_fa": persian_digits(one.count),
        "count_en": str(one.count),
        "paid": _rial(one.paid_rial) if from_payers else None,
        "fee": _rial(-one.fee_rial) if from_payers else None,
        "city": _rial(one.city_rial),
    }


def _transfer(settlement: Settlement) -> dict[str, Any] | None:
    if not settlement.transfer_rial:
        return None
    words_fa, words_en = _words(settlement.transfer_rial)
    amount = _rial(settlement.transfer_rial)
    return {"amount": amount, "reference": settlement.reference, "words_fa": words_fa, "words_en": words_en}


def _direct(operator: str, day: str, city_rial: int) -> dict[str, Any]:
    of_fa, of_en = names.operator(operator)
    return {
        "fa": of_fa,
        "en": of_en,
        "day_fa": format_jalali_fa(date.fromisoformat(day)),
        "city": _rial(city_rial),
    }


def _late(settlement: Settlement) -> dict[str, Any] | None:
    if not settlement.late_lines:
        return None
    count = settlement.late_lines
    return {"count_fa": persian_digits(count), "count_en": str(count), "city": _rial(settlement.late_rial)}


def _row(line: Line) -> dict[str, Any]:
    at, kind = from_rfc3339(line.occurred_at).astimezone(TEHRAN), KINDS[LineKind(line.kind)]
    plate = parse_plate(line.plate) if line.plate else None
    ranges = ranges_of(line.years)
    operator_fa, operator_en = _operator(line.operator)
    return {
        "sequence": str(line.sequence),
        "late": line.late,
        "at_fa": _time_fa(at, line),
        "at_en": at.strftime("%Y-%m-%d %H:%M") if line.late else at.strftime("%H:%M"),
        "kind_fa": kind[0],
        "kind_en": kind[1],
        "plate_fa": plate.text_fa if plate else "",
        "plate_en": plate.text_en if plate else "",
        "years_fa": years_in_words(ranges) if ranges else "",
        "years_en": years_in_english(ranges) if ranges else "",
        "operator_fa": operator_fa,
        "operator_en": operator_en,
        "reference": plain(line.reference, _REFERENCE_CHARACTERS),
        "paid": _rial(line.paid_rial) if line.paid_rial else None,
        "fee": _rial(-line.fee_rial) if line.fee_rial else None,
        "city": _rial(line.city_rial),
        "balance": _rial(line.balance_rial),
    }


def _time_fa(at: datetime, line: Line) -> str:
    time = persian_digits(at.strftime("%H:%M"))
    return f"{format_jalali_fa(at.date())} {time}" if line.late else time


def _operator(operator: str) -> tuple[str, str]:
    channel, _, name = operator.rpartition(":")
    if not name:
        return "", ""
    of_fa, of_en = names.operator(name)
    kind_fa, kind_en = CHANNELS.get(channel, ("", ""))
    return (f"{of_fa}، {kind_fa}", f"{of_en}, {kind_en}") if kind_fa else (of_fa, of_en)


def _facts(settlement: Settlement) -> list[dict[str, str]]:
    closed_at = from_rfc3339(settlement.closed_at).astimezone(TEHRAN)
    ends_at = from_rfc3339(settlement.cutoff_at).astimezone(TEHRAN)
    count = settlement.to_sequence - settlement.from_sequence + 1
    events_fa = f"{persian_digits(settlement.from_sequence)} تا {persian_digits(settlement.to_sequence)}"
    return [
        _when("پایان روز (تهران)", "The day ended (Tehran time)", ends_at),
        _when("زمان بستن (تهران)", "Closed at (Tehran time)", closed_at),
        fact(
            "رویدادهای زنجیره",
            "Events of the chain",
            value_fa=events_fa if count else "هیچ",
            value_en=f"{settlement.from_sequence}-{settlement.to_sequence}" if count else "none",
        ),
        fact("سطرها", "Lines", value_fa=persian_digits(settlement.lines), value_en=str(settlement.lines)),
    ]


def _when(label_fa: str, label_en: str, at: datetime) -> dict[str, str]:
    value_fa = f"{format_jalali_fa(at.date())}، {persian_digits(at.strftime('%H:%M'))}"
    return fact(label_fa, label_en, value_fa=value_fa, value_en=at.strftime("%Y-%m-%d %H:%M"))


def _proof(settlement: Settlement) -> list[dict[str, str]]:
    return [
        {"fa": "چکیدهٔ پیش از نخستین رویداد", "en": "Before the first event", "hash": settlement.after_hash},
        {"fa": "نخستین رویداد", "en": "First event", "hash": settlement.first_hash},
        {"fa": "واپسین رویداد", "en": "Last event", "hash": settlement.last_hash},
        {"fa": "همهٔ سطرها", "en": "All lines", "hash": settlement.manifest_hash},
    ]
