"""Guarded changes in DynamoDB: the ledger table, beside the chain that tells of each step."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from avarez import keys
from avarez.changes.change import Change, Status, Step, Subject, event_of
from avarez.clock import from_rfc3339, to_rfc3339
from avarez.dynamo import Item, Table, batch_get, transact
from avarez.errors import ChangeOpen, TransactionRefused
from avarez.events.log import waiting_write
from avarez.ids import new_id

PAGE: Final = 50
PAGES_MAX: Final = 200
"""Ten thousand changes of one subject; a city that proposed so many has other troubles."""


class ChangeTable:
    """Changes of every city. At most one of a subject is open in a city: its lock says which."""

    def __init__(self, ledger: Table) -> None:
        self._ledger = ledger

    def find(self, municipality: str, change_id: str) -> Change | None:
        """The city's change with this id."""
        places = [keys.city_change(municipality, subject, change_id) for subject in Subject]
        found = batch_get(self._ledger, places)
        return next((change_from(item) for item in found.values()), None)

    def open(self, municipality: str, subject: Subject) -> Change | None:
        """The change of this subject that is not over yet."""
        lock = self._ledger.get(keys.city_change_lock(municipality, subject))
        return None if lock is None else self._one(municipality, subject, str(lock["change_id"]))

    def in_force(self, municipality: str, subject: Subject, at: datetime) -> Change | None:
        """What was in force at this instant. Changes come into force in the order in which they were proposed."""
        before = ""
        for _ in range(PAGES_MAX):
            page = self.history(municipality, subject, before=before)
            found = next((change for change in page if change.in_force_at(at)), None)
            if found is not None or len(page) < PAGE:
                return found
            before = page[-1].change_id
        return None

    def history(self, municipality: str, subject: Subject, *, before: str = "") -> list[Change]:
        """The last fifty changes of the subject, or the fifty that were proposed before `before`; newest first."""
        partition, first = keys.city_change(municipality, subject, "")
        if not before:
            items = self._ledger.query(partition, first, limit=PAGE, descending=True)
            return [change_from(item) for item in items]
        items = self._ledger.query(partition, limit=PAGE + 1, descending=True, upto=f"{first}{before}")
        found = [change_from(item) for item in items if str(item["sk"]).startswith(first)]
        return [change for change in found if change.change_id != before][:PAGE]

    def due(self, now: datetime, limit: int) -> list[Change]:
        """Approved changes of every city whose time has come, the oldest first."""
        rows = self._ledger.query(keys.changes_due(), limit=limit, upto=f"{to_rfc3339(now)}#~")
        found = (
            self._one(str(row["municipality"]), Subject(row["subject"]), str(row["change_id"])) for row in rows
        )
        return [change for change in found if change is not None]

    def save(self, before: Change | None, after: Change, also: Sequence[Item] = ()) -> None:
        """One transaction of the change, its lock, the event of its last step, and what it takes effect on.

        Raises:
            ChangeOpen: another change of the subject is open in the city.
            TransactionRefused: somebody else moved the change, or what it takes effect on.
        """
        key = keys.city_change(after.municipality, after.subject, after.change_id)
        if before is None:
            writes = [self._ledger.put_new(key, change_item(after))]
        else:
            steps = len(before.steps)
            writes = [self._ledger.put(key, change_item(after), "steps_count = :steps", steps=steps)]
        writes += self._lock(before, after)
        writes.append(waiting_write(self._ledger, event_of(after, new_id("ev", after.steps[-1].at))))
        try:
            transact(
                [*writes, *also],
                mine=lambda: self._one(after.municipality, after.subject, after.change_id) == after,
                dynamodb=self._ledger.dynamodb,
            )
        except TransactionRefused as refusal:
            if before is None and refusal.reasons[1] is not None:
                raise ChangeOpen() from refusal
            raise

    def note(self, change: Change, also: Sequence[Item]) -> None:
        """What was done at once, without a proposal: the change as it stands, its event, and what it did.

        Raises:
            TransactionRefused: what it did is not possible any more.
        """
        key = keys.city_change(change.municipality, change.subject, change.change_id)
        event = waiting_write(self._ledger, event_of(change, new_id("ev", change.steps[-1].at)))
        transact(
            [self._ledger.put_new(key, change_item(change)), event, *also],
            mine=lambda: self._one(change.municipality, change.subject, change.change_id) == change,
            dynamodb=self._ledger.dynamodb,
        )

    def _lock(self, before: Change | None, after: Change) -> list[Item]:
        lock = keys.city_change_lock(after.municipality, after.lock)
        named = {
            "municipality": after.municipality,
            "subject": after.subject.value,
            "change_id": after.change_id,
        }
        if before is None:
            return [self._ledger.put_new(lock, named)]
        parts = []
        if after.status is Status.APPROVED and after.in_force_from is not None:
            parts.append(self._ledger.put_new(_due(after), named))
        elif before.status is Status.APPROVED:
            parts.append(self._ledger.delete(_due(before)))
        if not after.is_open:
            parts.append(self._ledger.delete(lock, "change_id = :change_id", change_id=after.change_id))
        return parts

    def _one(self, municipality: str, subject: Subject, change_id: str) -> Change | None:
        item = self._ledger.get(keys.city_change(municipality, subject, change_id))
        return None if item is None else change_from(item)


def _due(change: Change) -> keys.Key:
    if change.in_force_from is None:
        raise ValueError(f"{change.change_id} is not approved")
    return keys.change_due(to_rfc3339(change.in_force_from), change.municipality, change.change_id)


def change_item(change: Change) -> Item:
    """The change as it is kept."""
    return {
        "change_id": change.change_id,
        "municipality": change.municipality,
        "subject": change.subject.value,
        "value": dict(change.value),
        "initial": change.initial,
        "in_force_from": None if change.in_force_from is None else to_rfc3339(change.in_force_from),
        "steps_count": len(change.steps),
        "steps": [
            {"what": step.what.value, "by": step.by, "at": to_rfc3339(step.at), "reason": step.reason}
            for step in change.steps
        ],
    }


def change_from(item: Item) -> Change:
    """The change in an item.

    Raises:
        KeyError, ValueError: the item is none of ours.
    """
    since = item.get("in_force_from")
    return Change(
        change_id=str(item["change_id"]),
        municipality=str(item["municipality"]),
        subject=Subject(item["subject"]),
        value={str(name): str(text) for name, text in item["value"].items()},
        steps=tuple(
            Step(Status(step["what"]), str(step["by"]), from_rfc3339(step["at"]), str(step["reason"]))
            for step in item["steps"]
        ),
        initial=bool(item["initial"]),
        in_force_from=None if since is None else from_rfc3339(since),
    )
