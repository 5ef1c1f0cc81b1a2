"""What stands on the certificate's page, as texts: pure, so that equal records give equal pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from avarez.certificates import link
from avarez.certificates.payload import Kind, ranges_of
from avarez.certificates.short_code import printed
from avarez.clock import TEHRAN, tehran_today
from avarez.digits import grouped_en, grouped_fa, persian_digits
from avarez.jalali import format_jalali_fa, format_jalali_long_fa
from avarez.plates import parse_plate
from functions.certify.certificates.record import CertificateRecord, Paper, RecordUnsound, YearPaid
from functions.certify.document import names
from functions.certify.document.texts import Cell, en, fa, fact, plain, plate_parts, rial_en, rial_fa, said
from functions.certify.document.words import (
    number_in_english,
    number_in_words,
    years_in_english,
    years_in_words,
)


@dataclass(frozen=True, slots=True)
class MunicipalityName:
    """A municipality's name in both languages, without the word municipality; its emblem as SVG, or nothing."""

    fa: str
    en: str
    emblem: str = ""


@dataclass(frozen=True, slots=True)
class YearLines:
    """What a duty year was made of: duty (with surcharges), late penalty, and what was taken off (negative)."""

    duty_rial: int
    penalty_rial: int
    relief_rial: int

    @property
    def total_rial(self) -> int:
        """What the lines come to."""
        return self.duty_rial + self.penalty_rial + self.relief_rial


@dataclass(frozen=True, slots=True)
class PageContent:
    """All that the template is given. `text` is JSON; `qr_link` is what the QR says."""

    text: str
    qr_link: str
    message: bytes
    issued_at_epoch_s: int


def page_content(
    record: CertificateRecord,
    *,
    origin: str,
    name_of: Callable[[str], MunicipalityName],
    paper: Paper = Paper.A4,
    lines: Mapping[int, YearLines] | None = None,
) -> PageContent:
    """The texts of the page for a signed record; `origin` is where its link leads.

    `lines` are those of the quote that was paid; a year stands with its lines where they come to what was paid for
    it, and with its amount alone otherwise.

    Raises: RecordUnsound when the record is not signed yet.
    """
    if record.message is None or record.issued_at is None:
        raise RecordUnsound("an unsigned certificate has no page")
    name = name_of(record.municipality)
    issued_at = record.issued_at.astimezone(TEHRAN)
    clearance = record.kind is Kind.CLEARANCE
    table = _clearance_table(record, name_of) if clearance else _payment_table(record, lines or {})
    title_fa, title_en = _titles(record.kind)
    content: dict[str, Any] = {
        "paper": paper.value,
        "title_fa": title_fa,
        "title_en": title_en,
        "city_fa": name.fa,
        "city_en": name.en,
        "emblem": name.emblem,
        "number": printed(record.short_code),
        "issued_on_fa": format_jalali_fa(issued_at.date()),
        "issued_on_en": issued_at.date().isoformat(),
        **_statement(record, name),
        "plate": plate_parts(parse_plate(record.plate)),
        "paid_through": _paid_through(record) if clearance else None,
        "table": table,
        "words_fa": number_in_words(record.amount_rial) + " ریال",
        "words_en": number_in_english(record.amount_rial) + " rial",
        "facts": _facts(record),
        "certificate_id": record.certificate_id,
        "domain": urlsplit(origin).netloc,
    }
    return PageContent(
        text=json.dumps(content, ensure_ascii=False, sort_keys=True),
        qr_link=link.to_link(record.message, origin),
        message=record.message,
        issued_at_epoch_s=int(record.issued_at.timestamp()),
    )


def _titles(kind: Kind) -> tuple[str, str]:
    if kind is Kind.CLEARANCE:
        return "مفاصاحساب عوارض سالیانهٔ خودرو", "Clearance of the Annual Vehicle Duty"
    return "گواهی پرداخت عوارض سالیانهٔ خودرو", "Certificate of Payment of the Annual Vehicle Duty"


def _statement(record: CertificateRecord, name: MunicipalityName) -> dict[str, Any]:
    """The sentence that is certified, in both languages; what counts in it is bold."""
    ranges = ranges_of(tuple(paid.year for paid in record.years))
    plural = len(record.years) > 1
    paid_on = tehran_today(record.paid_at)
    if record.kind is Kind.CLEARANCE:
        through = _through(record)
        statement_fa = (
            f"گواهی می‌شود خودرویی که پلاک آن در زیر آمده است، بابت عوارض سالیانه *تا پایان سال "
            f"{persian_digits(through)}* در هیچ شهری بدهی ندارد. این گواهی برای ارائه به دفتر اسناد رسمی است."
        )
        statement_en = (
            f"This certifies that the vehicle with the plate below owes no annual duty in any city "
            f"*through the end of the Jalali year {through}*. For presentation to a notary."
        )
    elif record.amount_rial == 0:
        statement_fa = (
            f"گواهی می‌شود بابت عوارض سالیانهٔ خودرویی که پلاک آن در زیر آمده است، برای "
            f"{'سال‌های' if plural else 'سال'} *{years_in_words(ranges)}* به شهرداری {name.fa} چیزی بدهکار نیست."
        )
        statement_en = (
            f"This certifies that nothing is owed to the Municipality of {name.en} for the annual duty of the "
            f"vehicle with the plate below, for the Jalali {'years' if plural else 'year'} "
            f"*{years_in_english(ranges)}*."
        )
    else:
        statement_fa = (
            f"گواهی می‌شود عوارض سالیانهٔ خودرویی که پلاک آن در زیر آمده است، برای "
            f"{'سال‌های' if plural else 'سال'} *{years_in_words(ranges)}*، در تاریخ "
            f"*{format_jalali_long_fa(paid_on)}* به شهرداری {name.fa} پرداخت شده است."
        )
        statement_en = (
            f"This certifies that the annual duty of the vehicle with the plate below, for the Jalali "
            f"{'years' if plural else 'year'} *{years_in_english(ranges)}*, was paid to the Municipality of "
            f"{name.en} on *{paid_on.isoformat()}*."
        )
    return {"statement_fa": said(statement_fa), "statement_en": said(statement_en)}


def _paid_through(record: CertificateRecord) -> dict[str, str]:
    through = _through(record)
    return {
        "fa": f"تسویه تا پایان سال {persian_digits(through)} در همهٔ شهرها",
        "en": f"Paid through the year {through} in every city",
    }


def _through(record: CertificateRecord) -> int:
    return record.paid_through or max(paid.year for paid in record.years)


def _payment_table(record: CertificateRecord, lines: Mapping[int, YearLines]) -> dict[str, Any]:
    rows: list[list[Cell]] = []
    told = {
        paid.year: lines[paid.year]
        for paid in record.years
        if paid.year in lines and lines[paid.year].total_rial == paid.amount_rial
    }
    for paid in record.years:
        rows.append(
            [
                fa(paid.year),
                en(paid.year),
                *(_parts(told.get(paid.year)) if told else ()),
                rial_fa(paid.amount_rial),
                rial_en(paid.amount_rial),
            ]
        )
    blanks = [fa("")] * (3 if told else 0)
    for label_fa, label_en, amount_rial in (
        ("گرد کردن", "Rounding", record.rounding_rial),
        ("کارمزد", "Service fee", record.fee_rial),
    ):
        if amount_rial:
            rows.append([fa(label_fa), en(label_en), *blanks, rial_fa(amount_rial), rial_en(amount_rial)])
    total = record.amount_rial
    head = [("سال یا شرح", ""), ("", "Year or item")]
    if told:
        head += [("عوارض", "Duty"), ("جریمهٔ دیرکرد", "Late penalty"), ("بخشودگی", "Relief")]
    head += [("مبلغ (ریال)", ""), ("", "Amount (rial)")]
    return {
        "widths": [9, 10, 10, 11, 10, 12, 11] if told else [10, 10, 13, 13],
        "sides": ["start", "end", *(["start"] * 3 if told else []), "start", "end"],
        "head": [{"fa": title_fa, "en": title_en} for title_fa, title_en in head],
        "rows": rows,
        "total": [
            fa("جمع", bold=True),
            en("Total", bold=True),
            *blanks,
            rial_fa(total, bold=True),
            rial_en(total, bold=True),
        ],
    }


def _parts(of_year: YearLines | None) -> list[Cell]:
    if of_year is None:
        return [fa("-")] * 3
    amounts = (of_year.duty_rial, of_year.penalty_rial, of_year.relief_rial)
    return [rial_fa(amount) if amount else fa("-") for amount in amounts]


def _clearance_table(record: CertificateRecord, name_of: Callable[[str], MunicipalityName]) -> dict[str, Any]:
    """Year by year where and when it was paid and under which reference: what a deed has to name."""
    total = record.amount_rial
    return {
        "widths": [7, 15, 9, 17, 11, 10],
        "sides": ["start", "start", "start", "end", "start", "end"],
        "head": [
            {"fa": title_fa, "en": title_en}
            for title_fa, title_en in (
                ("سال", "Year"),
                ("شهرداری", "Municipality"),
                ("تاریخ پرداخت", "Paid on"),
                ("شمارهٔ پیگیری", "Reference"),
                ("مبلغ (ریال)", ""),
                ("", "Amount (rial)"),
            )
        ],
        "rows": [_clearance_row(paid, name_of) for paid in record.years],
        "total": [
            fa("جمع", bold=True),
            en("Total", bold=True),
            fa(""),
            fa(""),
            rial_fa(total, bold=True),
            rial_en(total, bold=True),
        ],
    }


def _clearance_row(paid: YearPaid, name_of: Callable[[str], MunicipalityName]) -> list[Cell]:
    city = name_of(paid.municipality).fa if paid.municipality else ""
    nothing = "ناچیز، بخشوده" if paid.waived_rial else "بدهی نداشته"
    when = format_jalali_fa(paid.paid_on) if paid.paid_on else nothing
    return [
        fa(f"{paid.year}"),
        fa(city),
        fa(when),
        en(plain(paid.reference, 30) or "-"),
        rial_fa(paid.amount_rial),
        rial_en(paid.amount_rial),
    ]


def _facts(record: CertificateRecord) -> list[dict[str, str]]:
    """What a notary writes into the deed: dates, references, who took the money, and for whom."""
    paid_on = tehran_today(record.paid_at)
    issued_at = (record.issued_at or record.paid_at).astimezone(TEHRAN)
    issued = fact(
        "زمان صدور (تهران)",
        "Issued (Tehran time)",
        value_fa=f"{format_jalali_fa(issued_at.date())}، {persian_digits(issued_at.strftime('%H:%M'))}",
        value_en=issued_at.strftime("%Y-%m-%d %H:%M"),
    )
    number = fact("شمارهٔ گواهی", "Certificate number", value_en=record.certificate_id)
    office = [fact("دفتر صادرکننده", "Office", value_en=plain(record.office))] if record.office else []
    if record.kind is Kind.CLEARANCE:
        return [number, *_let_go(record), *_not_assessed(record), *office, issued]
    day_fa, day_en = format_jalali_fa(paid_on), paid_on.isoformat()
    paid = fact("تاریخ پرداخت", "Date of payment", value_fa=day_fa, value_en=day_en)
    if record.amount_rial == 0:
        return [number, *office, issued]
    channel_fa, _ = names.channel(record.channel)
    operator_fa, operator_en = names.operator(record.gateway)
    facts = [
        paid,
        fact("بانک یا درگاه", "Bank or gateway", value_fa=f"{operator_fa}، {channel_fa}", value_en=operator_en),
        fact("شمارهٔ پیگیری بانکی", "Bank reference", value_en=plain(record.tracking or record.reference) or "-"),
    ]
    if record.bill_id:
        ids = f"{record.bill_id} / {record.payment_code}"
        facts.append(fact("شناسهٔ قبض و پرداخت", "Bill id / payment id", value_en=plain(ids)))
    return [*facts, fact("شناسهٔ پرداخت", "Payment", value_en=record.payment_id), number, *office, issued]


def _let_go(record: CertificateRecord) -> list[dict[str, str]]:
    """What cities let go because it is so little."""
    waived_rial = sum(paid.waived_rial for paid in record.years)
    if not waived_rial:
        return []
    amount = grouped_fa(waived_rial), grouped_en(waived_rial)
    return [fact("بخشوده (ریال)", "Written off (rial)", value_fa=amount[0], value_en=amount[1])]


def _not_assessed(record: CertificateRecord) -> list[dict[str, str]]:
    """Years so old that no city of the vehicle assesses them here."""
    first = record.not_assessed_before
    if first is None:
        return []
    said_fa = f"سال‌های پیش از {persian_digits(first)}"
    return [fact("محاسبه‌نشده", "Not assessed here", value_fa=said_fa, value_en=f"years before {first}")]
