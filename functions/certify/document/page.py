"""What stands on the certificate's page, as texts: pure, so that equal records give equal pages."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from avarez.certificates import link
from avarez.certificates.payload import Kind, ranges_of
from avarez.clock import TEHRAN, tehran_today
from avarez.digits import grouped_en, grouped_fa, persian_digits
from avarez.jalali import format_jalali_fa, format_jalali_long_fa
from avarez.plates import Plate, PlateKind, parse_plate
from functions.certify.certificates.record import CertificateRecord, RecordUnsound
from functions.certify.document.words import number_in_words, years_in_english, years_in_words


@dataclass(frozen=True, slots=True)
class MunicipalityName:
    """A municipality's name in both languages, without the word municipality."""

    fa: str
    en: str


@dataclass(frozen=True, slots=True)
class PageContent:
    """All that the template is given. `text` is JSON; `qr_link` is what the QR says."""

    text: str
    qr_link: str
    message: bytes
    issued_at_epoch_s: int


def page_content(
    record: CertificateRecord, *, origin: str, name_of: Callable[[str], MunicipalityName]
) -> PageContent:
    """The texts of the page for a signed record; `origin` is where its link leads.

    Raises: RecordUnsound when the record is not signed yet.
    """
    if record.message is None or record.issued_at is None:
        raise RecordUnsound("an unsigned certificate has no page")
    name = name_of(record.municipality)
    years = tuple(paid.year for paid in record.years)
    ranges = ranges_of(years)
    paid_on = tehran_today(record.paid_at)
    issued_at = record.issued_at.astimezone(TEHRAN)
    title_fa, title_en = _titles(record.kind)
    content: dict[str, Any] = {
        "title_fa": title_fa,
        "title_en": title_en,
        "city_fa": name.fa,
        "city_en": name.en,
        "plate": _plate(parse_plate(record.plate)),
        "years_fa": years_in_words(ranges),
        "years_en": years_in_english(ranges),
        "one_year": len(years) == 1,
        "lines": [
            {
                "fa": persian_digits(paid.year),
                "en": str(paid.year),
                "amount_fa": grouped_fa(paid.amount_rial),
                "amount_en": grouped_en(paid.amount_rial),
            }
            for paid in record.years
        ]
        + [
            {"fa": fa, "en": en, "amount_fa": grouped_fa(amount_rial), "amount_en": grouped_en(amount_rial)}
            for fa, en, amount_rial in (
                ("گرد کردن", "Rounding", record.rounding_rial),
                ("کارمزد خدمات", "Service fee", record.fee_rial),
            )
            if amount_rial
        ],
        "total_fa": grouped_fa(record.amount_rial),
        "total_en": grouped_en(record.amount_rial),
        "total_words_fa": number_in_words(record.amount_rial) + " ریال",
        "paid_on_long_fa": format_jalali_long_fa(paid_on),
        "paid_on_fa": format_jalali_fa(paid_on),
        "paid_on_en": paid_on.isoformat(),
        "issued_at_fa": f"{format_jalali_fa(issued_at.date())}، {persian_digits(issued_at.strftime('%H:%M'))}",
        "issued_at_en": issued_at.strftime("%Y-%m-%d %H:%M"),
        "reference": record.reference or "-",
        "gateway": record.gateway or "-",
        "payment_id": record.payment_id,
        "certificate_id": record.certificate_id,
        "domain": urlsplit(origin).netloc,
        "page_address": f"{origin.rstrip('/')}/v",
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


def _plate(plate: Plate) -> dict[str, str]:
    form = {PlateKind.MOTORCYCLE: "motorcycle", PlateKind.NONE: "none"}.get(plate.kind, "car")
    return {
        "form": form,
        "kind": plate.kind.value,
        "first": persian_digits(plate.first),
        "letter": plate.text_fa.split()[1] if form == "car" else "",
        "serial": persian_digits(plate.serial) if form != "none" else plate.serial,
        "region": persian_digits(plate.region),
        "text_fa": plate.text_fa,
        "text_en": plate.text_en,
    }
