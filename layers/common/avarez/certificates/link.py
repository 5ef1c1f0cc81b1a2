"""The certificate as a link: `https://host/v#` and base-10 digits, which a QR symbol holds most densely.

Seven bytes become 17 digits (2**56 < 10**17), zero-padded; the last group of 1 to 6 bytes takes 3, 5, 8, 10, 13
or 15. The number of digits therefore says the number of bytes, and each byte string has exactly one spelling.
The digits stand behind `#`: a browser never sends them to a server.
Source: ISO/IEC 18004, numeric mode (10 bits for 3 digits); the idea is EU DCC's base 45, made for one mode.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

from avarez.certificates.cbor import MAX_BYTES

GROUP_BYTES: Final = 7
GROUP_DIGITS: Final = 17
#: Digits that the last, shorter group takes, by its bytes: ceil(8 * bytes * log10(2)).
LAST_GROUP_DIGITS: Final = {1: 3, 2: 5, 3: 8, 4: 10, 5: 13, 6: 15}
_LAST_GROUP_BYTES: Final = {digits: size for size, digits in LAST_GROUP_DIGITS.items()}
#: Longest text looked at: the digits of MAX_BYTES, a host name before them, and some wrapping.
MAX_CHARACTERS: Final = 4096


class Unreadable(ValueError):
    """The text does not hold the whole of a certificate's digits."""


@dataclass(frozen=True, slots=True)
class ScannedText:
    """What a scanned or typed text holds: the message, and the page's address if the text was a whole link."""

    message: bytes
    page: str | None


def to_digits(message: bytes) -> str:
    """`message` (1 to 1,024 bytes) as digits 0-9."""
    if not 1 <= len(message) <= MAX_BYTES:
        raise Unreadable("no message of a certificate's size")
    groups = []
    for start in range(0, len(message), GROUP_BYTES):
        group = message[start : start + GROUP_BYTES]
        digits = GROUP_DIGITS if len(group) == GROUP_BYTES else LAST_GROUP_DIGITS[len(group)]
        groups.append(str(int.from_bytes(group, "big")).zfill(digits))
    return "".join(groups)


def to_link(message: bytes, origin: str) -> str:
    """The whole link to the verifier's page at `origin` (scheme and host, no path)."""
    return f"{origin.rstrip('/')}/v#{to_digits(message)}"


def from_digits(digits: str) -> bytes:
    """The message that `digits` (0-9 only) spell; `to_digits` gives the same digits back.

    Raises: Unreadable when a digit is missing or none that `to_digits` would write.
    """
    if not (digits.isascii() and digits.isdigit()):
        raise Unreadable("there is something other than digits")
    groups, rest = divmod(len(digits), GROUP_DIGITS)
    if rest and rest not in _LAST_GROUP_BYTES:
        raise Unreadable("some digits are missing")
    if (groups + 1) * GROUP_BYTES > MAX_BYTES + GROUP_BYTES:
        raise Unreadable("there are more digits than any certificate has")
    message = bytearray()
    for start in range(0, len(digits), GROUP_DIGITS):
        group = digits[start : start + GROUP_DIGITS]
        size = GROUP_BYTES if len(group) == GROUP_DIGITS else _LAST_GROUP_BYTES[len(group)]
        number = int(group)
        if number >> (8 * size):
            raise Unreadable("a group of digits is too large")
        message += number.to_bytes(size, "big")
    if not message:
        raise Unreadable("there is no digit")
    return bytes(message)


def read(text: str) -> ScannedText:
    """The message in `text`: a whole link, what follows its `#`, or the digits alone.

    Persian and Arabic digits, white space, line breaks and invisible marks do no harm, since they lose nothing.
    Raises: Unreadable for anything else, and whenever something is missing.
    """
    if len(text) > MAX_CHARACTERS:
        raise Unreadable("the text is longer than any link")
    page, mark, fragment = text.rpartition("#")
    digits, address = _without_spacing(fragment), _without_spacing(page)
    if not digits.isascii():
        digits = "".join(_digit(character) for character in digits)
    return ScannedText(from_digits(digits), address if mark and address else None)


def _without_spacing(text: str) -> str:
    # Text from a camera has none, and looking at 430 characters singly took longer than checking the signature.
    if text.isascii() and text.isprintable() and " " not in text:
        return text
    return "".join(character for character in text if not _is_spacing(character))


def _digit(character: str) -> str:
    value = unicodedata.decimal(character, None)
    if value is None:
        raise Unreadable("there is something other than digits")
    return str(value)


def _is_spacing(character: str) -> bool:
    # Cf: zero-width and directional marks, which Persian text editors add around numbers.
    return character.isspace() or unicodedata.category(character) == "Cf"
