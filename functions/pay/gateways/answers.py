"""Members of a gateway's answer, read with care: a gateway's JSON is as foreign as anybody's."""

from __future__ import annotations

import re
from collections.abc import Mapping

from avarez.errors import OutcomeUnknown

WORD = re.compile(r"[A-Za-z0-9_-]{1,80}", re.ASCII)
"""Tokens, references and our own ids; what is longer or has other characters is none of them."""

TEXT_LENGTH_MAX = 80
"""Tokens, tracking numbers and masked cards are shorter; what is longer is taken for none."""

_WHOLE = re.compile(r"[0-9]{1,18}", re.ASCII)
_CODE = re.compile(r"-?[0-9]{1,9}", re.ASCII)


def object_of(answer: Mapping[str, object], name: str) -> dict[str, object]:
    """The object of this name; an empty one where there is none."""
    value = answer.get(name)
    return value if isinstance(value, dict) else {}


def text_of(answer: Mapping[str, object], name: str, length_max: int = TEXT_LENGTH_MAX) -> str:
    """The text or whole number of this name, as text; empty where there is none, or one that is too long."""
    value = answer.get(name)
    if type(value) is int:
        value = str(value)
    return value if isinstance(value, str) and len(value) <= length_max else ""


def whole_or_none(value: object) -> int | None:
    """The whole number, not negative, that a number or a text of ASCII digits says."""
    if type(value) is int:
        return value if 0 <= value < 10**18 else None
    return int(value) if isinstance(value, str) and _WHOLE.fullmatch(value) else None


def whole_of(answer: Mapping[str, object], name: str) -> int:
    """The whole number of this name.

    Raises:
        OutcomeUnknown: there is none.
    """
    whole = whole_or_none(answer.get(name))
    if whole is None:
        raise OutcomeUnknown()
    return whole


def code_of(answer: Mapping[str, object], name: str) -> int:
    """The gateway's result code; some write it as a number, some as text.

    Raises:
        OutcomeUnknown: there is none.
    """
    value = answer.get(name)
    if type(value) is int:
        return value
    if isinstance(value, str) and _CODE.fullmatch(value):
        return int(value)
    raise OutcomeUnknown()


def masked(card: str) -> str:
    """The card as it may be kept: six digits, stars, four digits; empty where it is not masked at all.

    Source: PCI DSS 4.0, requirement 3.4.1.
    """
    card = card.strip()
    return "" if re.search(r"[0-9]{11}", card) else card
