"""The use cases: invite an officer, activate the account with the invitation's code, take an officer out.

Obligations, by number:
1. Nobody gets into a city by one person's word: an invitation is a guarded change, approved by a second officer.
2. A code works once, for the invitation that was approved, and never on an account that is in use.
3. Taking out is immediate and told in the city's chain; a city keeps at least one head.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from avarez.changes import change as changes
from avarez.changes.change import Change, Subject
from avarez.clock import Clock
from avarez.errors import ActivationRefused, OfficerConflict, OfficerExists, OfficerNotFound, TransactionRefused
from functions.identity.officers.rules import (
    Officer,
    Role,
    check_password,
    invitation,
    opens,
    removal,
    username_of,
)

CODE_BYTES: Final = 24


class ChangeStore(Protocol):
    """Where the city's changes are."""

    def find(self, municipality: str, change_id: str) -> Change | None:
        """The city's change with this id."""

    def save(self, before: Change | None, after: Change) -> None:
        """The change with the event of its last step."""


class Roster(Protocol):
    """Accounts and who is whose officer."""

    def of_city(self, municipality: str) -> Sequence[Officer]:
        """The city's officers."""

    def has_account(self, username: str) -> bool:
        """Whether somebody signs in under this name."""

    def claim(self, username: str, change_id: str) -> None:
        """The invitation is used up.

        Raises:
            TransactionRefused: it was before.
        """

    def add(self, officer: Officer) -> None:
        """The officer has an account.

        Raises:
            TransactionRefused: somebody has it.
        """

    def remove(self, officer: Officer, told: Change) -> None:
        """The officer has no account any more, and the city is told."""


class Pool(Protocol):
    """Who may sign in with which password."""

    def admit(self, username: str, password: str) -> None:
        """The name signs in with this password."""

    def shut_out(self, username: str) -> None:
        """The name signs in no more, and its refresh tokens are worth nothing."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the use cases work with."""

    changes: ChangeStore
    roster: Roster
    pool: Pool
    clock: Clock

    def invite(
        self, municipality: str, *, username: str, name: str, role: Role, reason: str, by: str
    ) -> tuple[Change, str]:
        """A change that waits for its second person [1], and the code that opens it afterwards, shown this once.

        Raises:
            InvalidInput, OfficerExists, ChangeOpen.
        """
        own = username_of(municipality, username)
        if self.roster.has_account(own):
            raise OfficerExists()
        code = secrets.token_urlsafe(CODE_BYTES)
        value = invitation(own, name, role, code)
        now = self.clock.now()
        made = changes.proposed(municipality, Subject.OFFICER, value, by=by, now=now, reason=reason, initial=False)
        self.changes.save(None, made)
        return made, code

    def activate(self, municipality: str, *, change_id: str, username: str, code: str, password: str) -> Officer:
        """The officer, who signs in with this password from now on [2].

        Raises:
            ActivationRefused: whatever is wrong with code, invitation or name.
            InvalidInput: the password is weak; the code is not used up.
        """
        now = self.clock.now()
        change = self.changes.find(municipality, change_id)
        if change is None or not opens(change, username, code, now) or self.roster.has_account(username):
            raise ActivationRefused()
        check_password(password)
        try:
            self.roster.claim(username, change_id)
            self.pool.admit(username, password)
            role, name = Role(change.value["role"]), change.value["name"]
            officer = Officer(municipality, username, name, role, now)
            self.roster.add(officer)
        except TransactionRefused as refused:
            raise ActivationRefused() from refused
        return officer

    def remove(self, municipality: str, username: str, *, by: str, reason: str) -> Officer:
        """The officer, taken out [3]. Tokens of before work for an hour at most.

        Raises:
            OfficerNotFound.
            OfficerConflict: the city would be without a head.
        """
        officers = self.roster.of_city(municipality)
        found = next((officer for officer in officers if officer.username == username), None)
        if found is None:
            raise OfficerNotFound()
        heads = [officer for officer in officers if officer.role is Role.HEAD]
        if heads == [found]:
            raise OfficerConflict()
        now: datetime = self.clock.now()
        self.pool.shut_out(username)
        self.roster.remove(found, removal(found, by=by, now=now, reason=reason))
        return found
