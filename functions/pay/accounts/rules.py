"""What a city's bank account is, and how long a change of it cools off. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from avarez.changes.change import COOLING_OFF, COOLING_OFF_MAX, Change, Subject
from avarez.errors import FieldError, InvalidInput
from avarez.identifiers import read_sheba

COOLING_OFF_SETTING: Final = "change_cooling_off_s"
FIRST_COOLING_OFF_SETTING: Final = "first_account_cooling_off_s"
FIRST_COOLING_OFF: Final = timedelta(0)
"""Of a first account: there is none from which its money would be led away, and two people have signed it."""

OFFICER_COOLING_OFF_SETTING: Final = "officer_cooling_off_s"
OFFICER_COOLING_OFF: Final = timedelta(0)
"""Of an invitation: it moves neither money nor events, and whatever a new officer approves cools off itself."""


@dataclass(frozen=True, slots=True)
class Account:
    """Where a city's money is transferred to. `iban` is `IR` and 24 digits whose check digits hold."""

    municipality: str
    iban: str
    holder: str
    change_id: str
    since: datetime


def account_of(change: Change) -> Account:
    """The account that a change of it brought into force.

    Raises:
        ValueError: the change was never approved.
    """
    if change.in_force_from is None:
        raise ValueError(f"{change.change_id} is not approved")
    value = change.value
    return Account(change.municipality, value["iban"], value["holder"], change.change_id, change.in_force_from)


def read_iban(text: str) -> str:
    """The IBAN in its normal form.

    Raises:
        InvalidInput: it is none of this country, or its check digits do not hold.
    """
    iban = read_sheba(text)
    if iban is None:
        message = (
            "IR and 24 digits whose check digits hold (ISO 13616).",
            "شماره شبا: IR و ۲۴ رقم با ارقام کنترلی درست.",
        )
        raise InvalidInput(errors=[FieldError("/iban", "iban_invalid", *message)])
    return iban


def cooling_off(change: Change, settings: Mapping[str, Any]) -> timedelta:
    """How long after its approval this change is in force, by the city's settings; at most thirty days."""
    name, default = COOLING_OFF_SETTING, COOLING_OFF
    if change.initial:
        name, default = FIRST_COOLING_OFF_SETTING, FIRST_COOLING_OFF
    if change.subject is Subject.OFFICER:
        name, default = OFFICER_COOLING_OFF_SETTING, OFFICER_COOLING_OFF
    given = settings.get(name)
    if not isinstance(given, int) or isinstance(given, bool) or given < 0:
        return default
    return min(timedelta(seconds=given), COOLING_OFF_MAX)
