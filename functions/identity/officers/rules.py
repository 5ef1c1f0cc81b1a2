"""What an officer's name and role are, and what an invitation says. Pure."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from avarez.changes.change import Change, Status, Step, Subject
from avarez.clock import from_rfc3339, to_rfc3339
from avarez.errors import FieldError, InvalidInput
from avarez.ids import new_id
from functions.identity.groups import GROUP_SCOPES

GROUP: Final = "municipality"
HEADS_ONLY: Final = "officers.write"
INVITE, REMOVE = "invite", "remove"
INVITATION_DAYS: Final = 14
"""After its approval; a code that nobody used by then is worth nothing."""
PASSWORD_CHARACTERS_MIN: Final = 12
"""Of the pool's own policy; it is checked here first, since a code is taken once."""
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,31}")
_KINDS: Final = (str.islower, str.isupper, str.isdigit, lambda character: not character.isalnum())


class Role(StrEnum):
    """A head invites and removes; an officer does everything else that a city does."""

    HEAD = "head"
    OFFICER = "officer"


@dataclass(frozen=True, slots=True)
class Officer:
    """Somebody who may sign in for a city."""

    municipality: str
    username: str
    name: str
    role: Role
    since: datetime


def scopes_of(role: Role) -> list[str]:
    """What the account may do: never more than its group."""
    return [scope for scope in GROUP_SCOPES[GROUP] if role is Role.HEAD or scope != HEADS_ONLY]


def username_of(municipality: str, text: str) -> str:
    """`qom.ahmadi`: a name of the city's own, so that no city can take a name that another one may want.

    Raises:
        InvalidInput.
    """
    prefix, _, name = text.lower().partition(".")
    if prefix != municipality.lower() or not _NAME.fullmatch(name):
        form = f"{municipality.lower()}.ahmadi"
        message = (
            f"Write {form}: the city's code, a dot, and 2 to 32 of a-z, 0-9 and -.",
            f"مانند {form}: کد شهر، نقطه، و ۲ تا ۳۲ نویسه از a-z و 0-9 و -.",
        )
        raise InvalidInput(errors=[FieldError("/username", "username_invalid", *message)])
    return f"{prefix}.{name}"


def check_password(password: str) -> None:
    """Returns when the pool will take the password.

    Raises:
        InvalidInput.
    """
    kinds = all(any(kind(character) for character in password) for kind in _KINDS)
    if len(password) < PASSWORD_CHARACTERS_MIN or not kinds or not password.isprintable():
        message = (
            "At least 12 characters: a small and a capital letter, a digit and a sign.",
            "دست‌کم ۱۲ نویسه: حرف کوچک و بزرگ، رقم و نشانه.",
        )
        raise InvalidInput(errors=[FieldError("/password", "password_weak", *message)])


def invitation(username: str, name: str, role: Role, code: str) -> dict[str, str]:
    """The value of a change that invites. Everybody in the city reads it: of the code it holds the hash alone."""
    return {"action": INVITE, "username": username, "name": name, "role": role.value, "code_sha256": _hash(code)}


def opens(change: Change | None, username: str, code: str, now: datetime) -> bool:
    """Whether this code opens this invitation now."""
    if change is None or change.subject is not Subject.OFFICER or change.in_force_from is None:
        return False
    value = change.value
    stands = change.in_force_at(now) and now < change.in_force_from + timedelta(days=INVITATION_DAYS)
    fits = hmac.compare_digest(value.get("code_sha256", ""), _hash(code))
    return stands and fits and value.get("action") == INVITE and value.get("username") == username


def removal(officer: Officer, *, by: str, now: datetime, reason: str) -> Change:
    """The change by which an officer is taken out: at once, since it gives nobody anything."""
    value = {"action": REMOVE, "username": officer.username, "name": officer.name, "role": officer.role.value}
    step = Step(Status.IN_FORCE, by, from_rfc3339(to_rfc3339(now)), reason)
    return Change(new_id("ac", now), officer.municipality, Subject.OFFICER, value, (step,), in_force_from=step.at)


def officer_from(item: Mapping[str, str]) -> Officer:
    """The officer in an item of the city's roster."""
    return Officer(
        str(item["municipality"]),
        str(item["username"]),
        str(item.get("name", "")),
        Role(item["role"]),
        from_rfc3339(item["since"]),
    )


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
