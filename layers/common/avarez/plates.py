"""Plates: any writing of one becomes one key, and back into text for people.

A car's plate has four parts, kept apart: two digits, a letter, three digits, a region of two digits. There is
no official Latin writing, so the keys of the letters are our own (`docs/glossary.md`). The region of a plate
never decides which city charges: art. 41 says residence.

No region code is refused: published tables disagree with each other, and new codes appear without notice.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from avarez.digits import ascii_digits, persian_digits
from avarez.errors import PlateMalformed
from avarez.identifiers import read_stamped_number

MAX_TEXT_LENGTH: Final = 64
"""Longer than any plate with its separators; longer text is refused unread."""


class PlateKind(StrEnum):
    """What a plate's letter says of the vehicle's use."""

    PRIVATE = "private"
    TAXI = "taxi"
    PUBLIC = "public"
    GOVERNMENT = "government"
    AGRICULTURAL = "agricultural"
    TEMPORARY = "temporary"
    DISABLED = "disabled"
    POLICE = "police"
    IRGC = "irgc"
    ARMY = "army"
    DEFENCE = "defence"
    GENERAL_STAFF = "general_staff"
    DIPLOMATIC = "diplomatic"
    MOTORCYCLE = "motorcycle"
    NONE = "none"


_LETTERS: Final[tuple[tuple[str, str, PlateKind], ...]] = (
    ("ALEF", "الف", PlateKind.GOVERNMENT),
    ("B", "ب", PlateKind.PRIVATE),
    ("PE", "پ", PlateKind.POLICE),
    ("T", "ت", PlateKind.TAXI),
    ("SE", "ث", PlateKind.IRGC),
    ("J", "ج", PlateKind.PRIVATE),
    ("DAL", "د", PlateKind.PRIVATE),
    ("ZE", "ز", PlateKind.DEFENCE),
    ("ZHE", "ژ", PlateKind.DISABLED),
    ("SIN", "س", PlateKind.PRIVATE),
    ("SHIN", "ش", PlateKind.ARMY),
    ("SAD", "ص", PlateKind.PRIVATE),
    ("TA", "ط", PlateKind.PRIVATE),
    ("EIN", "ع", PlateKind.PUBLIC),
    ("FE", "ف", PlateKind.GENERAL_STAFF),
    ("GHAF", "ق", PlateKind.PRIVATE),
    ("KAF", "ک", PlateKind.AGRICULTURAL),
    ("GAF", "گ", PlateKind.TEMPORARY),
    ("L", "ل", PlateKind.PRIVATE),
    ("M", "م", PlateKind.PRIVATE),
    ("N", "ن", PlateKind.PRIVATE),
    ("V", "و", PlateKind.PRIVATE),
    ("HE", "ه", PlateKind.PRIVATE),
    ("Y", "ی", PlateKind.PRIVATE),
    ("D", "D", PlateKind.DIPLOMATIC),
    ("S", "S", PlateKind.DIPLOMATIC),
)
LETTER_KEYS: Final = tuple(key for key, _, _ in _LETTERS)
"""The Latin keys of the letters, in the order of the alphabet; the two diplomatic ones last."""
_LETTER_FA: Final = {key: letter for key, letter, _ in _LETTERS}
_KIND: Final = {key: kind for key, _, kind in _LETTERS}
_KEY_OF: Final = {key: key for key in LETTER_KEYS} | {
    letter: key for key, letter, _ in _LETTERS if not letter.isascii()
}

# Other code points that people's keyboards give for the same letter.
_SAME_LETTER: Final = str.maketrans({
    "ي": "ی", "ى": "ی", "ې": "ی", "ے": "ی",
    "ك": "ک", "ڪ": "ک",
    "ہ": "ه", "ھ": "ه", "ە": "ه", "ة": "ه", "ۀ": "ه",
    "آ": "ا", "أ": "ا", "إ": "ا", "ٱ": "ا",
    "ۆ": "و", "ؤ": "و",
})  # fmt: skip
# Blanks, zero-width and direction marks, the tatweel (so هـ is ه), every dash, slash, bar and dot.
_NOISE = re.compile(
    r"[\s\u0640\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\-\u2010-\u2015\u2043\u2212/\\|_.:،,]+"
)
# Arabic presentation forms, which old programs store. NFKC over the whole text would turn ² into 2.
_PRESENTED = re.compile("[\ufb50-\ufdff\ufe70-\ufefe]+")
_COUNTRY = re.compile("ایران|IRAN")
_CAR = re.compile(r"([0-9]{2})([^\W\d_]{1,4})([0-9]{3})([0-9]{2})")
_CAR_FROM_REGION = re.compile(r"([0-9]{2})([0-9]{3})([^\W\d_]{1,4})([0-9]{2})")
_MOTORCYCLE = re.compile(r"([0-9]{3})([0-9]{5})", re.ASCII)
_PLAIN_CAR_KEY = re.compile(r"([0-9]{2})([A-Z]{1,4})([0-9]{3})-([0-9]{2})", re.ASCII)
_NO_PLATE_PREFIX: Final = "X-"
_HIDDEN_FA: Final = "•"


@dataclass(frozen=True, slots=True)
class MaskedPlate:
    """A plate as a public page shows it: enough for the owner to know it, too little to look it up."""

    kind: PlateKind
    text_fa: str
    text_en: str

    def to_json(self) -> dict[str, str]:
        """The public form; there is no key in it."""
        return {"text_fa": self.text_fa, "text_en": self.text_en, "kind": self.kind.value}


@dataclass(frozen=True, slots=True)
class Plate:
    """A plate, or what stands for one on a car without a national plate.

    `key` is the one form used in URLs and in table keys: `12B345-67`, `123-45678` or `X-{chassis}`. The parts
    that a kind does not have are empty: `first`, `letter`, `serial`, `region` are `12`, `B`, `345`, `67` of a
    car; a motorcycle has `serial` (five digits) and `region` (three); no plate has `serial`, the chassis.
    """

    key: str
    kind: PlateKind
    first: str
    letter: str
    serial: str
    region: str

    @property
    def letter_fa(self) -> str:
        """The letter as it stands on the plate; nothing where the kind has none."""
        return _LETTER_FA[self.letter] if self.letter else ""

    @property
    def text_fa(self) -> str:
        """For Persian text, with Persian digits: `۱۲ ب ۳۴۵ - ایران ۶۷`; a chassis number stays as stamped."""
        return self._text_fa(self.serial)

    @property
    def text_en(self) -> str:
        """For English text: `12 B 345 - Iran 67`."""
        return self._text_en(self.serial)

    def masked(self) -> MaskedPlate:
        """The plate with its serial hidden, for pages that anybody may open by a certificate's number.

        Of a motorcycle the last two digits stay, of a chassis number the last four.
        """
        shown = {PlateKind.MOTORCYCLE: 2, PlateKind.NONE: 4}.get(self.kind, 0)
        hidden = max(len(self.serial) - shown, 1)
        tail = self.serial[hidden:]
        return MaskedPlate(
            kind=self.kind,
            text_fa=self._text_fa(_HIDDEN_FA * hidden + tail),
            text_en=self._text_en("*" * hidden + tail),
        )

    def to_json(self) -> dict[str, str]:
        """The contract's form: key, both texts and the kind."""
        return {"key": self.key, "text_fa": self.text_fa, "text_en": self.text_en, "kind": self.kind.value}

    def _text_fa(self, serial: str) -> str:
        if self.kind is PlateKind.NONE:
            return f"بدون پلاک ملی، شاسی {serial}"
        if self.kind is PlateKind.MOTORCYCLE:
            return persian_digits(f"{self.region} - {serial}")
        return persian_digits(f"{self.first} {_LETTER_FA[self.letter]} {serial} - ایران {self.region}")

    def _text_en(self, serial: str) -> str:
        if self.kind is PlateKind.NONE:
            return f"no national plate, chassis {serial}"
        if self.kind is PlateKind.MOTORCYCLE:
            return f"{self.region}-{serial}"
        return f"{self.first} {self.letter} {serial} - Iran {self.region}"


def car_plate(first: str, letter: str, serial: str, region: str) -> Plate:
    """The plate of a car from its four parts; `letter` is a Latin key, the rest ASCII digits."""
    return Plate(f"{first}{letter}{serial}-{region}", _KIND[letter], first, letter, serial, region)


def motorcycle_plate(region: str, serial: str) -> Plate:
    """The plate of a motorcycle from its region (three digits) and its serial (five)."""
    return Plate(f"{region}-{serial}", PlateKind.MOTORCYCLE, "", "", serial, region)


def unplated(chassis: str) -> Plate:
    """What stands for the plate of a car without a national one: `X-` and its chassis number, normalised.

    Raises:
        PlateMalformed: fewer than 3 or more than 32 letters and digits.
    """
    number = read_stamped_number(chassis)
    if number is None:
        raise PlateMalformed
    return Plate(f"{_NO_PLATE_PREFIX}{number}", PlateKind.NONE, "", "", number, "")


def read_plate(text: str) -> Plate | None:
    """The plate that `text` writes, or None.

    Takes the key (`12B345-67`, any case), the writing of the plate itself (`12 ب 345 - ایران 67`) with digits
    of any script, Arabic letter forms, any blanks, dashes and direction marks or none, and the same from right
    to left (`ایران 67 - 345 ب 12`); motorcycles as `123-45678`; no plate as `X-{chassis}`.
    """
    plain = _PLAIN_CAR_KEY.fullmatch(text)
    if plain is not None and plain[2] in _KIND:
        return car_plate(plain[1], plain[2], plain[3], plain[4])
    if len(text) > MAX_TEXT_LENGTH:
        return None
    upper = ascii_digits(_PRESENTED.sub(_letters, text)).strip().upper()
    if upper.startswith(_NO_PLATE_PREFIX):
        number = read_stamped_number(upper.removeprefix(_NO_PLATE_PREFIX))
        return None if number is None else unplated(number)
    bare = _NOISE.sub("", upper.translate(_SAME_LETTER))
    national = _COUNTRY.sub("", bare, count=1)
    car = _CAR.fullmatch(national)
    if car is not None:
        return _from_parts(car[1], car[2], car[3], car[4])
    reverse = _CAR_FROM_REGION.fullmatch(national) if _COUNTRY.match(bare) else None
    if reverse is not None:
        return _from_parts(reverse[4], reverse[3], reverse[2], reverse[1])
    motorcycle = _MOTORCYCLE.fullmatch(national)
    return None if motorcycle is None else motorcycle_plate(motorcycle[1], motorcycle[2])


def parse_plate(text: str) -> Plate:
    """The plate that `text` writes, read as `read_plate` does.

    Raises:
        PlateMalformed: no plate.
    """
    plate = read_plate(text)
    if plate is None:
        raise PlateMalformed
    return plate


def _letters(match: re.Match[str]) -> str:
    return unicodedata.normalize("NFKC", match[0])


def _from_parts(first: str, letter: str, serial: str, region: str) -> Plate | None:
    key = _KEY_OF.get("الف" if letter == "ا" else letter)
    digits = first + serial + region
    if key is None or not digits.isascii():
        return None
    return car_plate(first, key, serial, region)
