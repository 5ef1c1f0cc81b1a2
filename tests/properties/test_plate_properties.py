"""A plate survives every writing of it, and no text whatever makes the reader fail."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from avarez.digits import ascii_digits, persian_digits
from avarez.plates import LETTER_KEYS, Plate, car_plate, motorcycle_plate, parse_plate, read_plate, unplated


def digits(length: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=length, max_size=length)


cars = st.builds(car_plate, digits(2), st.sampled_from(LETTER_KEYS), digits(3), digits(2))
motorcycles = st.builds(motorcycle_plate, digits(3), digits(5))
chassis = st.builds(unplated, st.text("ABCXYZ0123456789", min_size=3, max_size=32))
blanks = st.sampled_from(["", " ", "  ", "\u200c", "\u00a0", "-", " - ", "\u200f", "–"])
_ARABIC = {"ی": "ي", "ک": "ك", "ه": "هـ"}


@given(cars | motorcycles | chassis)
def test_plate_survives_its_key(plate: Plate) -> None:
    assert parse_plate(plate.key) == plate
    assert parse_plate(plate.key.lower()) == plate
    assert parse_plate(persian_digits(plate.key)) == plate


@given(cars | motorcycles)
def test_plate_survives_its_texts(plate: Plate) -> None:
    assert parse_plate(plate.text_fa) == plate
    assert parse_plate(plate.text_en) == plate
    assert parse_plate(ascii_digits(plate.text_fa)) == plate


@given(cars, st.lists(blanks, min_size=5, max_size=5), st.booleans(), st.booleans())
def test_plate_survives_any_spacing_digits_and_letter_form(
    plate: Plate, gaps: list[str], with_country: bool, arabic: bool
) -> None:
    letter = plate.text_fa.split(" ")[1]
    parts = [plate.first, _ARABIC.get(letter, letter) if arabic else letter, plate.serial]
    parts += ["ايران" if arabic else "ایران", plate.region] if with_country else [plate.region]
    text = "".join(part + gap for part, gap in zip(parts, gaps, strict=False))
    assert parse_plate(persian_digits(text) if arabic else text) == plate


@given(st.text(max_size=80) | st.text("0123456789۰۱۲٠١٢ بالفDSX-# ایران", max_size=30))
def test_any_text_is_a_plate_with_a_safe_key_or_none(text: str) -> None:
    plate = read_plate(text)
    if plate is not None:
        assert plate.key.isascii()
        assert all(char.isalnum() or char == "-" for char in plate.key)
        assert len(plate.key) <= 34
        assert parse_plate(plate.key) == plate


@given(cars | motorcycles)
def test_masked_plate_does_not_hold_its_serial(plate: Plate) -> None:
    shown = plate.masked().to_json()
    assert plate.serial not in shown["text_en"]
    assert persian_digits(plate.serial) not in shown["text_fa"]
    assert "key" not in shown
