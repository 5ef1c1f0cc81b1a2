"""Every writing of a plate leads to one key, and what is no plate is refused."""

from __future__ import annotations

import pytest

from avarez.errors import PlateMalformed
from avarez.plates import LETTER_KEYS, PlateKind, car_plate, parse_plate, read_plate, unplated


@pytest.mark.parametrize(
    "text",
    [
        "12B345-67",
        "12b345-67",
        "12 ب 345 - ایران 67",
        "۱۲ ب ۳۴۵ - ایران ۶۷",
        "١٢ ب ٣٤٥ - ايران ٦٧",
        "۱۲ب۳۴۵-۶۷",
        "12ب34567",
        "12 ب 345 ایران 67",
        "12 ب 345 67",
        "ایران 67 - 345 ب 12",
        "12\u200cب\u200c345\u200f-\u200eایران\u00a067",
        "12 B 345 – Iran 67",
        "12/ب/345/67",
    ],
)
def test_parse_plate_any_writing_of_one_plate_gives_one_key(text: str) -> None:
    plate = parse_plate(text)
    assert plate.to_json() == {
        "key": "12B345-67",
        "text_fa": "۱۲ ب ۳۴۵ - ایران ۶۷",
        "text_en": "12 B 345 - Iran 67",
        "kind": "private",
    }


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("12 ا 345 ایران 67", "12ALEF345-67"),
        ("12 الف 345 ایران 67", "12ALEF345-67"),
        ("12الف345-67", "12ALEF345-67"),
        ("12 ي 345 ایران 67", "12Y345-67"),
        ("12 ی 345 ایران 67", "12Y345-67"),
        ("12 ك 345 ایران 67", "12KAF345-67"),
        ("12 هـ 345 ایران 67", "12HE345-67"),
        ("12 ه‍ 345 ایران 67", "12HE345-67"),
        ("12 ﻫ 345 ایران 67", "12HE345-67"),
        ("12 D 345 - 67", "12D345-67"),
        ("12 د 345 - 67", "12DAL345-67"),
        ("12 S 345 - 67", "12S345-67"),
        ("12 س 345 - 67", "12SIN345-67"),
        ("123-45678", "123-45678"),
        ("۱۲۳ - ۴۵۶۷۸", "123-45678"),
        ("12345678", "123-45678"),
        ("x-nas 41-1100", "X-NAS411100"),
    ],
)
def test_parse_plate_letter_forms_and_other_kinds(text: str, key: str) -> None:
    assert parse_plate(text).key == key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12",
        "12B345",
        "12B345-6",
        "123B45-67",
        "12QQ345-67",
        "12ALEFX345-67",
        "12 چ 345 ایران 67",
        "1234567",
        "123456789",
        "67 345 ب 12",  # from right to left only with the country's name, or the parts could be confused
        "12B345-67 12B345-67",
        "X-",
        "X-1",
        "X-" + "A" * 33,
        "12B345-67#ROLL",
        "12²345-67",
        "𝟙B345-67",
        "ب" * 5000,
    ],
)
def test_parse_plate_of_no_plate_is_refused(text: str) -> None:
    assert read_plate(text) is None
    with pytest.raises(PlateMalformed):
        parse_plate(text)


@pytest.mark.parametrize(
    ("letter", "kind"),
    [
        ("الف", "government"), ("ب", "private"), ("پ", "police"), ("ت", "taxi"), ("ث", "irgc"),
        ("ج", "private"), ("د", "private"), ("ز", "defence"), ("ژ", "disabled"), ("س", "private"),
        ("ش", "army"), ("ص", "private"), ("ط", "private"), ("ع", "public"), ("ف", "general_staff"),
        ("ق", "private"), ("ک", "agricultural"), ("گ", "temporary"), ("ل", "private"), ("م", "private"),
        ("ن", "private"), ("و", "private"), ("ه", "private"), ("ی", "private"), ("D", "diplomatic"),
        ("S", "diplomatic"),
    ],
)  # fmt: skip
def test_kind_follows_the_letter(letter: str, kind: str) -> None:
    assert parse_plate(f"12 {letter} 345 - ایران 67").kind == kind


def test_every_letter_has_a_key_of_its_own() -> None:
    assert len(set(LETTER_KEYS)) == len(LETTER_KEYS) == 26
    assert {car_plate("12", key, "345", "67").key for key in LETTER_KEYS} == {
        f"12{key}345-67" for key in LETTER_KEYS
    }


@pytest.mark.parametrize(
    ("text", "text_fa", "text_en"),
    [
        ("12B345-67", "۱۲ ب ••• - ایران ۶۷", "12 B *** - Iran 67"),
        ("123-45678", "۱۲۳ - •••۷۸", "123-***78"),
        ("X-NAS411100", "بدون پلاک ملی، شاسی •••••1100", "no national plate, chassis *****1100"),
        ("X-AB12", "بدون پلاک ملی، شاسی •B12", "no national plate, chassis *B12"),
    ],
)
def test_masked_hides_the_serial_and_gives_no_key(text: str, text_fa: str, text_en: str) -> None:
    plate = parse_plate(text)
    assert plate.masked().to_json() == {"text_fa": text_fa, "text_en": text_en, "kind": plate.kind.value}


def test_unknown_region_is_no_reason_to_refuse() -> None:
    assert parse_plate("12B345-00").region == "00"


def test_unplated_normalises_the_chassis() -> None:
    assert unplated(" nas-4111*00 ").key == "X-NAS411100"
    assert unplated("NAS411100").kind is PlateKind.NONE
    with pytest.raises(PlateMalformed):
        unplated("--")
