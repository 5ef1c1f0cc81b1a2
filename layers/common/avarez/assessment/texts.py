"""Each line in words, in Persian and English, with its arithmetic filled in.

A text follows from the line's own numbers, so it is made when somebody reads it: a pass over a whole roll
makes none, and the trace's hash covers the numbers, not their wording.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, assert_never

from avarez.assessment.rules import PERCENT, PPM
from avarez.digits import grouped_en, grouped_fa, persian_digits
from avarez.jalali import MONTHS_IN_YEAR

_PPM_PER_PERCENT: Final = PPM // PERCENT
_PPM_PER_THOUSANDTH: Final = PPM // 1000


class LineKind(StrEnum):
    """What a line of an assessment is. The signed amounts of all lines sum to what is owed."""

    PRINCIPAL = "principal"
    SURCHARGE = "surcharge"
    POLLUTION = "pollution"
    EXEMPTION = "exemption"
    DISCOUNT = "discount"
    PENALTY = "penalty"
    CREDIT = "credit"
    ADJUSTMENT = "adjustment"
    PAID = "paid"
    ROUNDING = "rounding"


class NoteCode(StrEnum):
    """What a reader of an assessment must know although it is no amount."""

    NO_POLLUTION_ROW = "no_pollution_row"
    GAS_FUELLED = "gas_fuelled_no_surcharge"
    PAID_WITHOUT_TARIFF = "paid_without_tariff"
    NOT_ASSESSED = "not_assessed_before"
    ELSEWHERE = "owed_elsewhere"
    RESIDENCE_DISPUTED = "residence_disputed"
    INSTALMENTS = "paid_by_instalments"


KIND_FA: Final[Mapping[LineKind, str]] = {
    LineKind.PRINCIPAL: "اصل عوارض",
    LineKind.SURCHARGE: "افزایش سنواتی",
    LineKind.POLLUTION: "عوارض آلایندگی",
    LineKind.EXEMPTION: "معافیت",
    LineKind.DISCOUNT: "تخفیف",
    LineKind.PENALTY: "جریمه دیرکرد",
    LineKind.CREDIT: "بستانکاری",
    LineKind.ADJUSTMENT: "تعدیل",
    LineKind.PAID: "پرداخت‌شده",
    LineKind.ROUNDING: "گرد کردن",
}
KIND_EN: Final[Mapping[LineKind, str]] = {
    LineKind.PRINCIPAL: "duty",
    LineKind.SURCHARGE: "surcharge for age",
    LineKind.POLLUTION: "pollution duty",
    LineKind.EXEMPTION: "exemption",
    LineKind.DISCOUNT: "discount",
    LineKind.PENALTY: "late penalty",
    LineKind.CREDIT: "credit",
    LineKind.ADJUSTMENT: "adjustment",
    LineKind.PAID: "paid",
    LineKind.ROUNDING: "rounding",
}


def decimal_text(numerator: int, denominator: int) -> str:
    """The ratio as an exact decimal without trailing zeros; `denominator` is a power of ten."""
    whole, rest = divmod(numerator, denominator)
    if rest == 0:
        return str(whole)
    return f"{whole}.{str(rest).zfill(len(str(denominator)) - 1).rstrip('0')}"


def rate_en(rate_ppm: int) -> str:
    """A rate as the law writes it: `1/1000`, `1.5/1000`; from one per cent on as `2 %`."""
    if rate_ppm >= _PPM_PER_PERCENT:
        return f"{decimal_text(rate_ppm, _PPM_PER_PERCENT)} %"
    return f"{decimal_text(rate_ppm, _PPM_PER_THOUSANDTH)}/1000"


def rate_fa(rate_ppm: int) -> str:
    """The same in Persian: `۱ در هزار`, `۱٫۵ در هزار`, `۲ درصد`."""
    if rate_ppm >= _PPM_PER_PERCENT:
        return f"{_decimal_fa(rate_ppm, _PPM_PER_PERCENT)} درصد"
    return f"{_decimal_fa(rate_ppm, _PPM_PER_THOUSANDTH)} در هزار"


def _decimal_fa(numerator: int, denominator: int) -> str:
    return persian_digits(decimal_text(numerator, denominator).replace(".", "٫"))


def line_text_en(kind: LineKind, year: int | None, amount_rial: int, law: str, inputs: Mapping[str, Any]) -> str:
    """One sentence: the year, what it is, the arithmetic, the law."""
    head = KIND_EN[kind] if year is None else f"{year}, {KIND_EN[kind]}"
    tail = f" [{law}]" if law else ""
    return f"{head}: {_body_en(kind, amount_rial, inputs)}{tail}{_demonstration_en(inputs)}"


def line_text_fa(kind: LineKind, year: int | None, amount_rial: int, law: str, inputs: Mapping[str, Any]) -> str:
    """The same sentence in Persian."""
    head = KIND_FA[kind] if year is None else f"{KIND_FA[kind]} سال {persian_digits(year)}"
    tail = f" [{law}]" if law else ""
    return f"{head}: {_body_fa(kind, amount_rial, inputs)}{tail}{_demonstration_fa(inputs)}"


def _demonstration_en(inputs: Mapping[str, Any]) -> str:
    return " (contains a demonstration value, not settled law)" if inputs.get("demonstration") else ""


def _demonstration_fa(inputs: Mapping[str, Any]) -> str:
    return " (دارای مقدار نمایشی؛ حکم قطعی قانون نیست)" if inputs.get("demonstration") else ""


def _equals_en(amount_rial: int, exact: bool) -> str:
    return f"= {grouped_en(amount_rial)} rial" + ("" if exact else ", rounded half up to the whole rial")


def _equals_fa(amount_rial: int, exact: bool) -> str:
    return f"= {grouped_fa(amount_rial)} ریال" + ("" if exact else "، گردشده به نزدیک‌ترین ریال کامل")


def _months(inputs: Mapping[str, Any]) -> int:
    return int(inputs.get("months_charged", MONTHS_IN_YEAR))


def _segments(inputs: Mapping[str, Any]) -> list[tuple[int, int]]:
    return [(int(part["months"]), int(part["rate_ppm"])) for part in inputs["periods"]]


def _body_en(kind: LineKind, amount: int, inputs: Mapping[str, Any]) -> str:
    match kind:
        case LineKind.PRINCIPAL | LineKind.POLLUTION:
            return _share_en(amount, inputs)
        case LineKind.SURCHARGE:
            of, percent = int(inputs["principal_rial"]), int(inputs["percent"])
            age, after = int(inputs["age_years"]), int(inputs["after_years"])
            return (
                f"age {age} years, {age - after} beyond {after} × {inputs['percent_per_year']} %, at most "
                f"{inputs['max_percent']} %, is {percent} %: {grouped_en(of)} × {percent} % "
                f"{_equals_en(amount, of * percent % PERCENT == 0)}"
            )
        case LineKind.PENALTY:
            of, segments = int(inputs["of_rial"]), _segments(inputs)
            total_ppm = sum(months * rate for months, rate in segments)
            parts = " + ".join(f"{months} months × {rate_en(rate)}" for months, rate in segments)
            if len(segments) > 1:
                parts = f"({parts})"
            head = (
                f"{inputs['months']} {'complete ' if 'complete_months_only' in inputs else ''}months from "
                f"{inputs['from_jalali']} to {inputs['as_of_jalali']}"
            )
            if "paused_months" in inputs:
                why = "it was paid by instalments" if "by_instalments" in inputs else "an objection was open"
                head += f" without {inputs['paused_months']} in which {why}"
            total = f"{head}, {decimal_text(total_ppm, _PPM_PER_PERCENT)} % in all"
            if "cap_ppm" in inputs:
                cap = int(inputs["cap_ppm"])
                total += f", capped at {rate_en(cap)}"
                return f"{total}: {grouped_en(of)} × {rate_en(cap)} {_equals_en(amount, of * cap % PPM == 0)}"
            return f"{total}: {grouped_en(of)} × {parts} {_equals_en(amount, of * total_ppm % PPM == 0)}"
        case LineKind.EXEMPTION | LineKind.DISCOUNT:
            if "flat_rial" in inputs:
                whole = f"{grouped_en(int(inputs['flat_rial']))} off {grouped_en(int(inputs['of_rial']))}"
                return f"{inputs['reason_en']}: {whole}, never more than is left, {_equals_en(amount, True)}"
            of, rate = int(inputs["of_rial"]), int(inputs["rate_ppm"])
            return (
                f"{inputs['reason_en']}: {grouped_en(of)} × {rate_en(rate)}, taken off "
                f"{_equals_en(amount, -amount * PPM == of * rate)}"
            )
        case LineKind.PAID:
            return (
                f"payment {inputs['payment_id']} of {inputs['paid_on_jalali']}"
                + (f" to {inputs['paid_to']}" if "paid_to" in inputs else "")
                + f" = {grouped_en(amount)} rial"
            )
        case LineKind.ADJUSTMENT:
            return (
                f"paid {grouped_en(int(inputs['paid_rial']))} - assessed today as of the payment's day "
                f"{grouped_en(int(inputs['assessed_rial']))} = {grouped_en(amount)} rial; "
                "a year once paid is settled"
            )
        case LineKind.ROUNDING:
            before, unit = int(inputs["owed_before_rounding_rial"]), int(inputs["unit_rial"])
            return (
                f"{grouped_en(before)} up to the next {grouped_en(unit)} is {grouped_en(before + amount)}: "
                f"{grouped_en(before + amount)} - {grouped_en(before)} = {grouped_en(amount)} rial"
            )
        case LineKind.CREDIT:
            return (
                f"paid by instalments of {inputs['agreement_id']}, broken on {inputs['until_jalali']}, "
                f"{grouped_en(int(inputs['paid_rial']))}: {grouped_en(amount)} rial"
            )
        case _:
            assert_never(kind)


def _body_fa(kind: LineKind, amount: int, inputs: Mapping[str, Any]) -> str:
    match kind:
        case LineKind.PRINCIPAL | LineKind.POLLUTION:
            return _share_fa(amount, inputs)
        case LineKind.SURCHARGE:
            of, percent = int(inputs["principal_rial"]), int(inputs["percent"])
            age, after = int(inputs["age_years"]), int(inputs["after_years"])
            counted = (
                f"سن {age} سال، {age - after} سال بیش از {after} × {inputs['percent_per_year']} درصد، حداکثر "
                f"{inputs['max_percent']} درصد، برابر {percent} درصد"
            )
            return (
                f"{persian_digits(counted)}: {grouped_fa(of)} × {persian_digits(percent)} درصد "
                f"{_equals_fa(amount, of * percent % PERCENT == 0)}"
            )
        case LineKind.PENALTY:
            of, segments = int(inputs["of_rial"]), _segments(inputs)
            total_ppm = sum(months * rate for months, rate in segments)
            parts = " + ".join(f"{persian_digits(months)} ماه × {rate_fa(rate)}" for months, rate in segments)
            if len(segments) > 1:
                parts = f"({parts})"
            head = (
                f"{persian_digits(inputs['months'])} ماه{' کامل' if 'complete_months_only' in inputs else ''} از "
                f"{_date_fa(inputs['from_jalali'])} تا {_date_fa(inputs['as_of_jalali'])}"
            )
            if "paused_months" in inputs:
                why = "قسط‌بندی برقرار بود" if "by_instalments" in inputs else "اعتراض باز بود"
                head += f" بدون {persian_digits(inputs['paused_months'])} ماه که {why}"
            total = f"{head}، در مجموع {_decimal_fa(total_ppm, _PPM_PER_PERCENT)} درصد"
            if "cap_ppm" in inputs:
                cap = int(inputs["cap_ppm"])
                total += f"، با سقف {rate_fa(cap)}"
                return f"{total}: {grouped_fa(of)} × {rate_fa(cap)} {_equals_fa(amount, of * cap % PPM == 0)}"
            return f"{total}: {grouped_fa(of)} × {parts} {_equals_fa(amount, of * total_ppm % PPM == 0)}"
        case LineKind.EXEMPTION | LineKind.DISCOUNT:
            if "flat_rial" in inputs:
                whole = f"{grouped_fa(int(inputs['flat_rial']))} از {grouped_fa(int(inputs['of_rial']))}"
                return f"{inputs['reason_fa']}: {whole}، نه بیش از مانده، {_equals_fa(amount, True)}"
            of, rate = int(inputs["of_rial"]), int(inputs["rate_ppm"])
            return (
                f"{inputs['reason_fa']}: {grouped_fa(of)} × {rate_fa(rate)}، کسر "
                f"{_equals_fa(amount, -amount * PPM == of * rate)}"
            )
        case LineKind.PAID:
            return (
                f"پرداخت {inputs['payment_id']} در {_date_fa(inputs['paid_on_jalali'])}"
                + (f" به {inputs['paid_to']}" if "paid_to" in inputs else "")
                + f" = {grouped_fa(amount)} ریال"
            )
        case LineKind.ADJUSTMENT:
            return (
                f"پرداخت {grouped_fa(int(inputs['paid_rial']))} منهای محاسبهٔ امروز به تاریخ پرداخت "
                f"{grouped_fa(int(inputs['assessed_rial']))} = {grouped_fa(amount)} ریال؛ "
                "سالی که پرداخت شده تسویه است"
            )
        case LineKind.ROUNDING:
            before, unit = int(inputs["owed_before_rounding_rial"]), int(inputs["unit_rial"])
            return (
                f"{grouped_fa(before)} رو به بالا به مضرب {grouped_fa(unit)} می‌شود {grouped_fa(before + amount)}: "
                f"{grouped_fa(before + amount)} منهای {grouped_fa(before)} = {grouped_fa(amount)} ریال"
            )
        case LineKind.CREDIT:
            return (
                f"پرداخت‌شده با اقساط {inputs['agreement_id']}، لغوشده در {_date_fa(inputs['until_jalali'])}، "
                f"{grouped_fa(int(inputs['paid_rial']))}: {grouped_fa(amount)} ریال"
            )
        case _:
            assert_never(kind)


def _share_en(amount: int, inputs: Mapping[str, Any]) -> str:
    months = _months(inputs)
    part = "" if months == MONTHS_IN_YEAR else f" × {months}/{MONTHS_IN_YEAR} of the year"
    if "flat_rial" in inputs:
        flat = int(inputs["flat_rial"])
        return f"fixed amount {grouped_en(flat)}{part} {_equals_en(amount, flat * months % MONTHS_IN_YEAR == 0)}"
    of, rate = int(inputs["base_price_rial"]), int(inputs["rate_ppm"])
    exact = of * rate * months % (PPM * MONTHS_IN_YEAR) == 0
    return f"base {grouped_en(of)} × {rate_en(rate)}{part} {_equals_en(amount, exact)}"


def _share_fa(amount: int, inputs: Mapping[str, Any]) -> str:
    months = _months(inputs)
    part = "" if months == MONTHS_IN_YEAR else f" × {persian_digits(months)} ماه از ۱۲ ماه"
    if "flat_rial" in inputs:
        flat = int(inputs["flat_rial"])
        return f"مبلغ ثابت {grouped_fa(flat)}{part} {_equals_fa(amount, flat * months % MONTHS_IN_YEAR == 0)}"
    of, rate = int(inputs["base_price_rial"]), int(inputs["rate_ppm"])
    exact = of * rate * months % (PPM * MONTHS_IN_YEAR) == 0
    return f"مبنای {grouped_fa(of)} × {rate_fa(rate)}{part} {_equals_fa(amount, exact)}"


def _date_fa(jalali: str) -> str:
    return persian_digits(jalali.replace("-", "/"))


def years_text(years: Sequence[int]) -> str:
    """Sorted years with runs drawn together: `1395-1400, 1403`."""
    runs: list[list[int]] = []
    for year in years:
        if runs and runs[-1][1] == year - 1:
            runs[-1][1] = year
        else:
            runs.append([year, year])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def years_text_fa(years: Sequence[int]) -> str:
    """The same in Persian: `۱۳۹۵ تا ۱۴۰۰، ۱۴۰۳`."""
    return persian_digits(years_text(years).replace("-", " تا ").replace(", ", "، "))


def note_text_en(code: NoteCode, years: Sequence[int], place: str) -> str:
    """A note in English; `place` is the code of the city that is meant, or an agreement's id."""
    listed = years_text(years)
    match code:
        case NoteCode.NO_POLLUTION_ROW:
            return f"{listed}: the tariff has no pollution duty for {place}, so there is no such line."
        case NoteCode.GAS_FUELLED:
            return f"{listed}: no surcharge for age, because the vehicle is gas-fuelled."
        case NoteCode.PAID_WITHOUT_TARIFF:
            return f"{listed}: paid; the tariff at hand has no row, so the lines of that payment are not repeated."
        case NoteCode.NOT_ASSESSED:
            return f"{listed}: not assessed here; {place} assesses later years only."
        case NoteCode.ELSEWHERE:
            return f"{listed}: owed to {place}, the city of residence, not here."
        case NoteCode.RESIDENCE_DISPUTED:
            return f"{listed}: two cities claim the residence from the same day; the cities must settle it."
        case NoteCode.INSTALMENTS:
            return f"{listed}: paid by instalments ({place}); not charged here, and not paid before the last part."
        case _:
            assert_never(code)


def note_text_fa(code: NoteCode, years: Sequence[int], place: str) -> str:
    """The same in Persian."""
    listed = years_text_fa(years)
    match code:
        case NoteCode.NO_POLLUTION_ROW:
            return f"{listed}: تعرفه برای {place} عوارض آلایندگی ندارد؛ سطری برای آن نیست."
        case NoteCode.GAS_FUELLED:
            return f"{listed}: خودرو گازسوز است؛ افزایش سنواتی ندارد."
        case NoteCode.PAID_WITHOUT_TARIFF:
            return f"{listed}: پرداخت شده است؛ تعرفهٔ موجود سطری برای آن ندارد و محاسبه تکرار نشده است."
        case NoteCode.NOT_ASSESSED:
            return f"{listed}: اینجا برآورد نمی‌شود؛ {place} تنها سال‌های پس از آن را برآورد می‌کند."
        case NoteCode.ELSEWHERE:
            return f"{listed}: به {place}، شهر محل سکونت، بدهکار است نه به اینجا."
        case NoteCode.RESIDENCE_DISPUTED:
            return f"{listed}: دو شهر از یک روز سکونت را ادعا کرده‌اند؛ باید میان دو شهر روشن شود."
        case NoteCode.INSTALMENTS:
            return f"{listed}: با اقساط ({place}) پرداخت می‌شود؛ اینجا مطالبه نمی‌شود و تا آخرین قسط پرداخت‌شده نیست."
        case _:
            assert_never(code)
