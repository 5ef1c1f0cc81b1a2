"""Officers in DynamoDB: the account that tokens are filled from, and the city's roster, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from avarez import keys
from avarez.changes.change import Change
from avarez.changes.change_table import ChangeTable
from avarez.clock import to_rfc3339
from avarez.dynamo import Table, transact
from functions.identity.officers.rules import GROUP, Officer, officer_from, scopes_of

OFFICERS_MAX: Final = 500


class RosterTable:
    """The identity table, as the desk of officers sees it."""

    def __init__(self, identity: Table, changes: ChangeTable) -> None:
        self._identity = identity
        self._changes = changes

    def of_city(self, municipality: str) -> Sequence[Officer]:
        """The city's officers, by name."""
        partition, _ = keys.officer(municipality, "")
        return [officer_from(item) for item in self._identity.query(partition, limit=OFFICERS_MAX)]

    def has_account(self, username: str) -> bool:
        """Whether somebody signs in under this name, read consistently."""
        return self._identity.get(keys.account(username)) is not None

    def claim(self, username: str, change_id: str) -> None:
        """The invitation is used up.

        Raises:
            TransactionRefused: it was before; a repetition of this very call is not told apart, on purpose.
        """
        claim = self._identity.put_new(keys.activation(username, change_id), {"change_id": change_id})
        transact([claim], dynamodb=self._identity.dynamodb)

    def add(self, officer: Officer) -> None:
        """Account and roster.

        Raises:
            TransactionRefused: somebody has the name.
        """
        account = {
            "group": GROUP,
            "municipality": officer.municipality,
            "serves": [],
            "scopes": scopes_of(officer.role),
        }
        writes = [
            self._identity.put_new(keys.account(officer.username), account),
            self._identity.put_new(keys.officer(officer.municipality, officer.username), _row(officer)),
        ]
        transact(
            writes, mine=lambda: officer in self.of_city(officer.municipality), dynamodb=self._identity.dynamodb
        )

    def remove(self, officer: Officer, told: Change) -> None:
        """Neither account nor roster, and the city's event, in one transaction."""
        place = keys.officer(officer.municipality, officer.username)
        gone = [self._identity.delete(keys.account(officer.username)), self._identity.delete(place)]
        self._changes.note(told, gone)


def _row(officer: Officer) -> dict[str, str]:
    return {
        "municipality": officer.municipality,
        "username": officer.username,
        "name": officer.name,
        "role": officer.role.value,
        "since": to_rfc3339(officer.since),
    }
