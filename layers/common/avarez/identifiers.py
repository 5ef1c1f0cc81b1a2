"""Numbers that name people, firms, accounts and vehicles: read, normalised, checked.

Each `read_...` takes text as people write it (digits of any script, blanks, dashes) and gives the normal form,
or None where the number is none. Nothing is padded: a national id with its leading zeros lost is refused,
since the check digit would pass one such number in eleven by chance.
"""

from __future__ import annotations

import re
from typing import Final

from avarez.digits import ascii_digits

MAX_TEXT_LENGTH: Final = 64
"""Longer than any identifier here with its separators; longer text is not looked at."""

_SEPARATORS = re.compile(r"[\s\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\-\u2010-\u2015\u2212]+")
_VIN = re.compile(r"[A-Z0-9]{17}", re.ASCII)
_SHEBA = re.compile(r"IR[0-9]{24}", re.ASCII)
_MOBILE = re.compile(r"09[0-9]{9}", re.ASCII)
_NOT_KEY = re.compile(r"[^A-Z0-9]+", re.ASCII)
_LEGAL_ID_WEIGHTS: Final = (29, 27, 23, 19, 17)


def _bare(text: str) -> str:
    return _SEPARATORS.sub("", ascii_digits(text)) if len(text) <= MAX_TEXT_LENGTH else ""


def _digits(text: str, length: int) -> str | None:
    bare = _bare(text)
    return bare if len(bare) == length and bare.isascii() and bare.isdigit() else None


def read_national_id(text: str) -> str | None:
    """The ten digits of a person's national id, or None.

    s = Σ d[i] × (10 - i) over the first nine digits; r = s mod 11; the tenth is r below 2, else 11 - r.
    Ten equal digits pass that sum and are refused all the same: nobody has such a number.
    """
    digits = _digits(text, 10)
    if digits is None or digits == digits[0] * 10:
        return None
    remainder = sum(int(digit) * (10 - place) for place, digit in enumerate(digits[:9])) % 11
    return digits if int(digits[9]) == (remainder if remainder < 2 else 11 - remainder) else None


def read_legal_id(text: str) -> str | None:
    """The eleven digits of a legal person's id (شناسه ملی), or None.

    k = d[9] + 2; s = Σ (d[i] + k) × c[i mod 5] over the first ten, c = 29, 27, 23, 19, 17; the last digit is
    s mod 11, where 10 is written 0.
    """
    digits = _digits(text, 11)
    if digits is None or digits == digits[0] * 11:
        return None
    shift = int(digits[9]) + 2
    total = sum((int(digits[i]) + shift) * _LEGAL_ID_WEIGHTS[i % 5] for i in range(10))
    return digits if int(digits[10]) == total % 11 % 10 else None


def read_sheba(text: str) -> str | None:
    """An Iranian IBAN, `IR` and 24 digits, whose check digits hold; else None.

    Source: ISO 13616; the check is ISO 7064 mod 97-10.
    """
    sheba = _bare(text).upper()
    if not _SHEBA.fullmatch(sheba):
        return None
    # I is 18 and R is 27 where letters are written as numbers; the country and check go to the end.
    return sheba if int(f"{sheba[4:]}1827{sheba[2:4]}") % 97 == 1 else None


def read_postal_code(text: str) -> str | None:
    """The ten digits of a postal code, the first of which is not 0; else None."""
    digits = _digits(text, 10)
    return digits if digits is not None and digits[0] != "0" else None


def read_mobile(text: str) -> str | None:
    """A mobile number as `09` and nine digits; `+98` and `0098` in front are read as the 0; else None."""
    bare = _bare(text)
    for country in ("+98", "0098"):
        if bare.startswith(country):
            bare = "0" + bare.removeprefix(country)
    return bare if _MOBILE.fullmatch(bare) else None


def read_vin(text: str) -> str | None:
    """The 17 characters A-Z 0-9 of a VIN in upper case, or None.

    I, O and Q are read: domestic numbers begin with `IR`, though ISO 3779 forbids the letter I. There is no
    check digit in them.
    """
    vin = _bare(text).upper()
    return vin if _VIN.fullmatch(vin) else None


def read_stamped_number(text: str) -> str | None:
    """A chassis or engine number reduced to upper-case A-Z 0-9 (3 to 32 of them), or None.

    Dashes, stars and blanks are stamped, typed and left out at will, so they name nothing.
    """
    if len(text) > MAX_TEXT_LENGTH:
        return None
    number = _NOT_KEY.sub("", ascii_digits(text).upper())
    return number if 3 <= len(number) <= 32 else None
