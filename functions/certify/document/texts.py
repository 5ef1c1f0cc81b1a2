"""Pieces of text that papers are made of: cells, plates, and foreign text made harmless. Pure."""

from __future__ import annotations

import re
from typing import Any, Final

from avarez.digits import grouped_en, grouped_fa, persian_digits
from avarez.plates import Plate, PlateKind

#: What Vazirmatn can draw and a clerk can read: printable ASCII, the letters of Persian and Arabic, their digits
#: and marks, the zero-width non-joiner. Typst refuses a PDF/A with a letter that no font has, so one odd character
#: in a bank's reference would keep a certificate from ever being made.
_UNDRAWABLE: Final = re.compile(
    r"[^\u0020-\u007e\u00ab\u00b7\u00bb\u060c\u061b\u061f\u0621-\u063a\u0641-\u0652\u0654"
    r"\u0660-\u0669\u067e\u0686\u0698\u06a9\u06af\u06c0\u06cc\u06f0-\u06f9\u066a-\u066c\u200c\u2013]"
)
#: Marks that reorder or hide what stands around them: text that is read otherwise than it was written.
_STEERING: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b\u200d-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+")
_SAME: Final = str.maketrans({"ي": "ی", "ك": "ک"})
_STAND_IN: Final = "?"
#: Of any foreign text: longer than a reference of a bank, shorter than a line of a page.
CHARACTERS_MAX: Final = 80

Cell = dict[str, Any]


def plain(text: str, limit: int = CHARACTERS_MAX) -> str:
    """`text` from outside as it may stand on a paper: its letters as they are, nothing that steers the line.

    Control and direction marks become a blank, what the font lacks a question mark, and what is longer than
    `limit` ends in three dots.
    """
    steered = _STEERING.sub(" ", text.translate(_SAME)).strip()
    drawn = _UNDRAWABLE.sub(_STAND_IN, steered)
    return drawn if len(drawn) <= limit else drawn[: limit - 3] + "..."


def fa(text: str | int, *, bold: bool = False) -> Cell:
    """A Persian cell."""
    return {"text": persian_digits(text), "lang": "fa", "bold": bold}


def en(text: str | int, *, bold: bool = False) -> Cell:
    """An English cell, left to right."""
    return {"text": str(text), "lang": "en", "bold": bold}


def rial_fa(amount_rial: int, *, bold: bool = False) -> Cell:
    """An amount in Persian digits."""
    return {"text": grouped_fa(amount_rial), "lang": "number", "bold": bold}


def rial_en(amount_rial: int, *, bold: bool = False) -> Cell:
    """An amount in Latin digits."""
    return en(grouped_en(amount_rial), bold=bold)


def said(text: str) -> list[dict[str, Any]]:
    """A sentence as parts, what stands between asterisks in bold."""
    return [{"text": part, "bold": number % 2 == 1} for number, part in enumerate(text.split("*")) if part]


def fact(fa_label: str, en_label: str, *, value_fa: str = "", value_en: str = "") -> dict[str, str]:
    """A named fact; either value may be empty."""
    return {"fa": fa_label, "en": en_label, "value_fa": value_fa, "value_en": value_en}


def plate_parts(plate: Plate) -> dict[str, str]:
    """The plate as the template draws it."""
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
