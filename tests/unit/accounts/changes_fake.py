"""Changes in memory, with the store's conditions: the suite over it runs over the table as well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from avarez.changes.change import Change, Subject, in_force
from avarez.dynamo import Item
from avarez.errors import ChangeOpen, TransactionRefused

PAGE = 50


@dataclass
class Changes:
    """Every change by its id, in the order of the proposals; `told` are the steps that the city hears of.

    `apply` does what a part of the transaction says, `tell` takes the step's event.
    """

    rows: dict[str, Change] = field(default_factory=dict)
    told: list[tuple[str, str]] = field(default_factory=list)
    apply: Callable[[Item], object] = lambda part: None
    tell: Callable[[Change], object] = lambda change: None

    def find(self, municipality: str, change_id: str) -> Change | None:
        found = self.rows.get(change_id)
        return found if found and found.municipality == municipality else None

    def open(self, municipality: str, subject: Subject) -> Change | None:
        return next((change for change in self._of(municipality, subject) if change.is_open), None)

    def in_force(self, municipality: str, subject: Subject, at: datetime) -> Change | None:
        return in_force(self._of(municipality, subject), at)

    def history(self, municipality: str, subject: Subject, *, before: str = "") -> list[Change]:
        found = [one for one in reversed(self._of(municipality, subject)) if not before or one.change_id < before]
        return found[:PAGE]

    def due(self, now: datetime, limit: int) -> list[Change]:
        waiting = [one for one in self.rows.values() if one.is_open and one.in_force_at(now)]
        return sorted(waiting, key=lambda one: (one.in_force_from, one.change_id))[:limit]

    def save(self, before: Change | None, after: Change, also: Sequence[Item] = ()) -> None:
        if before is None and self.open(after.municipality, after.subject):
            raise ChangeOpen()
        if self.rows.get(after.change_id) != before:
            raise TransactionRefused(["ConditionalCheckFailed"])
        for part in also:
            self.apply(part)
        self.rows[after.change_id] = after
        self.tell(after)
        self.told.append((after.change_id, after.status.value))

    def _of(self, municipality: str, subject: Subject) -> list[Change]:
        return [one for one in self.rows.values() if (one.municipality, one.subject) == (municipality, subject)]
