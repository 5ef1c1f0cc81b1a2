"""The short code on a certificate, for people who type: twelve digits, `1234-5678-9012`, the last one a check.

Digits alone, since they are read aloud, typed on any keyboard and written in both scripts without doubt. The code
comes from the certificate's id, so nothing has to be kept to print it. It is no secret and no proof: it finds a
certificate only together with its plate, so two certificates that share a code do no harm.
"""

from __future__ import annotations

import unicodedata
from hashlib import sha256
from typing import Final

#: 10**11 codes: at ten certificates a plate one guess in ten thousand million meets one, if the plate is right.
BODY_DIGITS: Final = 11
DIGITS: Final = BODY_DIGITS + 1
GROUP_DIGITS: Final = 4
#: Longest text looked at: twelve digits with separators and marks between them.
MAX_CHARACTERS: Final = 64

#: Totally anti-symmetric quasigroup of order 10: finds every wrong digit and every swap of two neighbours.
#: Source: H. M. Damm, "Total anti-symmetrische Quasigruppen", Marburg 2004, p. 111.
_DAMM: Final = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)


def short_code(certificate_id: str) -> str:
    """The twelve digits of this certificate, the same for ever."""
    body = str(int.from_bytes(sha256(certificate_id.encode()).digest(), "big") % 10**BODY_DIGITS)
    body = body.zfill(BODY_DIGITS)
    return body + str(check_digit(body))


def printed(code: str) -> str:
    """The code in groups of four, as it stands on paper: `1234-5678-9012`."""
    return "-".join(code[start : start + GROUP_DIGITS] for start in range(0, len(code), GROUP_DIGITS))


def read_short_code(text: str) -> str | None:
    """The twelve digits that `text` writes, or None where it is no code or was mistyped.

    Digits of any script, with blanks, dashes, dots and direction marks between them, or none.
    """
    if len(text) > MAX_CHARACTERS:
        return None
    digits = ""
    for character in text:
        value = unicodedata.decimal(character, None)
        if value is not None:
            digits += str(value)
        elif not (character.isspace() or character == "." or unicodedata.category(character) in ("Pd", "Cf")):
            return None
    return digits if len(digits) == DIGITS and check_digit(digits) == 0 else None


def check_digit(digits: str) -> int:
    """The digit that makes `digits` (0-9) whole; 0 when its last digit is that already."""
    interim = 0
    for digit in digits:
        interim = _DAMM[interim][int(digit)]
    return interim
