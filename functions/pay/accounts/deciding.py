"""The use cases of a city's officers: propose an account, approve a change, call one off; and time's own part.

The obligations are those of `avarez.changes.change`. Whatever a change takes effect on is written in the same
transaction as its step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from avarez.changes import change as changes
from avarez.changes.change import Change, Subject
from avarez.clock import Clock
from avarez.dynamo import Item
from avarez.errors import ChangeConflict, ChangeNotFound, FieldError, InvalidInput, TransactionRefused
from functions.pay.accounts.rules import Account, account_of, cooling_off, read_iban

DUE_MAX: Final = 100
"""Changes of one run of the sweep; the next one comes a minute later."""

ATTEMPTS_MAX: Final = 5
"""Tries of a step whose endpoint is being delivered to."""

Effects = Callable[[Change, Change], Sequence[Item]]
"""What else a step writes: from the change before it and after it to parts of the transaction."""


class ChangeStore(Protocol):
    """Where changes are."""

    def find(self, municipality: str, change_id: str) -> Change | None:
        """The city's change with this id."""

    def open(self, municipality: str, subject: Subject) -> Change | None:
        """The change of this subject that is not over yet."""

    def in_force(self, municipality: str, subject: Subject, at: datetime) -> Change | None:
        """What was in force at this instant."""

    def history(self, municipality: str, subject: Subject, *, before: str = "") -> list[Change]:
        """The last changes of the subject, the newest first."""

    def due(self, now: datetime, limit: int) -> list[Change]:
        """Approved changes of every city whose time has come."""

    def save(self, before: Change | None, after: Change, also: Sequence[Item] = ()) -> None:
        """One transaction of the change, its event, and what it takes effect on."""


class InForce(Protocol):
    """What was in force, asked; `avarez.changes.change_table.ChangeTable` answers it from the ledger table."""

    def in_force(self, municipality: str, subject: Subject, at: datetime) -> Change | None:
        """What was in force at this instant."""


def account_in_force(store: InForce, municipality: str, at: datetime) -> Account | None:
    """The account to which the city's money goes at this instant; None where there was none.

    Once `at` has passed, the answer is the same for ever, whatever is proposed, approved or cancelled afterwards.
    """
    found = store.in_force(municipality, Subject.ACCOUNT, at)
    return None if found is None else account_of(found)


def no_effects(before: Change, after: Change) -> Sequence[Item]:
    """Of a change whose effect follows from the changes alone."""
    return ()


@dataclass(frozen=True, slots=True)
class Desk:
    """What the use cases work with. `settings` are a city's; `report` counts what somebody should know of."""

    store: ChangeStore
    settings: Callable[[str], Mapping[str, Any]]
    clock: Clock
    report: Callable[[str], None]
    effects: Effects = no_effects

    def account_in_force(self, municipality: str, at: datetime) -> Account | None:
        """The account at this instant, as the function of this name says."""
        return account_in_force(self.store, municipality, at)

    def propose_account(self, municipality: str, *, iban: str, holder: str, reason: str, by: str) -> Change:
        """A change of the account that waits for its second person.

        Raises:
            InvalidInput: the number is no IBAN, or it is in force already.
            ChangeOpen: another one is open.
        """
        value = {"iban": read_iban(iban), "holder": holder}
        now = self.clock.now()
        stands = self.store.in_force(municipality, Subject.ACCOUNT, now)
        if stands is not None and dict(stands.value) == value:
            message = "This account is in force already.", "همین حساب هم‌اکنون برقرار است."
            raise InvalidInput(errors=[FieldError("/iban", "unchanged", *message)])
        return self.propose(municipality, Subject.ACCOUNT, value, by=by, reason=reason, initial=stands is None)

    def propose(
        self, municipality: str, subject: Subject, value: Mapping[str, str], *, by: str, reason: str, initial: bool
    ) -> Change:
        """A change of any subject that waits for its second person.

        Raises:
            ChangeOpen: another one of the subject is open.
        """
        now = self.clock.now()
        made = changes.proposed(municipality, subject, value, by=by, now=now, reason=reason, initial=initial)
        self._move(None, made)
        return made

    def find(self, municipality: str, change_id: str) -> Change:
        """The city's change.

        Raises:
            ChangeNotFound.
        """
        found = self.store.find(municipality, change_id)
        if found is None:
            raise ChangeNotFound()
        return found

    def approve(self, municipality: str, change_id: str, *, by: str) -> Change:
        """The change, cooling off; in force at once where it has no time to wait for.

        Raises:
            ChangeNotFound, SecondPersonRequired, ChangeConflict.
        """
        before = self.find(municipality, change_id)
        now = self.clock.now()
        after = changes.approved(
            before, by=by, now=now, cooling_off=cooling_off(before, self.settings(municipality))
        )
        self._move(before, after)
        if after.subject is Subject.ACCOUNT and not after.initial:
            self.report("account_change_approved")
        return self._come_into_force(after, now) if after.in_force_at(now) else after

    def cancel(self, municipality: str, change_id: str, *, by: str, reason: str) -> Change:
        """The change, called off; what it would have changed stays as it is.

        Raises:
            ChangeNotFound, ChangeConflict.
        """
        before = self.find(municipality, change_id)
        after = changes.cancelled(before, by=by, now=self.clock.now(), reason=reason)
        self._move(before, after)
        if after.subject is Subject.ACCOUNT:
            self.report("account_change_cancelled")
        return after

    def settle_due(self) -> int:
        """How many changes were told to be in force; they have been since their time came."""
        now = self.clock.now()
        count = 0
        for change in self.store.due(now, DUE_MAX):
            if change.in_force_at(now):
                self._come_into_force(change, now)
                count += 1
        return count

    def _come_into_force(self, before: Change, now: datetime) -> Change:
        try:
            after = changes.come_into_force(before, now)
            self._move(before, after)
        except ChangeConflict:
            return self.find(before.municipality, before.change_id)
        return after

    def _move(self, before: Change | None, after: Change) -> None:
        """Writes the step with its effects. A delivery that moved its cursor meanwhile is no conflict."""
        for _ in range(ATTEMPTS_MAX):
            try:
                self.store.save(before, after, self.effects(before or after, after))
            except TransactionRefused:
                if before is not None and self.find(before.municipality, before.change_id) != before:
                    break
            else:
                return
        raise ChangeConflict()
