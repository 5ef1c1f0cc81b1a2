"""Money in suspense in DynamoDB: the city's list, and the proposal of each."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

from avarez import keys
from avarez.clock import from_rfc3339, to_rfc3339
from avarez.dynamo import Item, Table, batch_get, transact
from avarez.ids import new_id
from avarez.journal import JournalEntry
from avarez.settings import setting
from functions.pay.rules.records import Event, Payment, Quote
from functions.pay.stores import items
from functions.pay.stores.payment_store import DynamoStore
from functions.pay.suspense.match import Match, MatchStatus, Step


class SuspenseTable:
    """Lists and proposals beside the payments of a store."""

    def __init__(self, store: DynamoStore) -> None:
        self._store = store
        self._duty = store.duty

    def open_of(self, municipality: str, *, after: str, limit: int) -> Sequence[Payment]:
        """Payments whose money is open in this city from `after` (exclusive) on, oldest first."""
        partition, _ = keys.suspense(municipality, "")
        rows = self._duty.query(partition, limit=limit, beyond=after)
        ids = [str(row["payment_id"]) for row in rows]
        pointers = batch_get(self._duty, [keys.pointer(of) for of in ids])
        places = map(keys.target, pointers.values())
        found = [items.payment_from(item) for item in batch_get(self._duty, places).values()]
        return sorted(found, key=lambda payment: payment.payment_id)

    def payment(self, payment_id: str) -> Payment | None:
        return self._store.payment(payment_id)

    def quote(self, assessment_id: str) -> Quote | None:
        return self._store.quote(assessment_id)

    def match(self, payment_id: str) -> Match | None:
        item = self._duty.get(keys.suspense_match(payment_id))
        return None if item is None else _match_from(item)

    def matches(self, payment_ids: Sequence[str]) -> Mapping[str, Match]:
        found = batch_get(self._duty, [keys.suspense_match(of) for of in payment_ids])
        return {str(item["payment_id"]): _match_from(item) for item in found.values()}

    def keep(self, before: Match | None, after: Match) -> None:
        transact(
            [self._put(before, after)],
            mine=lambda: self.match(after.payment_id) == after,
            dynamodb=self._duty.dynamodb,
        )

    def settle(
        self,
        before: Match,
        after: Match,
        source: tuple[Payment, Payment],
        event: Event,
        settled: Payment,
        entry: JournalEntry,
    ) -> None:
        outbox_event_id = new_id("ev", event.at)
        self._store.settle_match(*source, event, settled, entry, outbox_event_id, self._put(before, after))

    def _put(self, before: Match | None, after: Match) -> Item:
        key = keys.suspense_match(after.payment_id)
        if before is None:
            return self._duty.put_new(key, _match_item(after))
        steps = len(before.steps)
        return self._duty.put(key, _match_item(after), "steps_count = :steps", steps=steps)


def _match_item(match: Match) -> Item:
    return {
        "payment_id": match.payment_id,
        "assessment_id": match.assessment_id,
        "status": match.status.value,
        "settled_payment_id": match.settled_payment_id,
        "steps_count": len(match.steps),
        "steps": [
            {"what": step.what.value, "by": step.by, "at": to_rfc3339(step.at), "reason": step.reason}
            for step in match.steps
        ],
    }


def _match_from(item: Item) -> Match:
    return Match(
        payment_id=str(item["payment_id"]),
        assessment_id=str(item["assessment_id"]),
        status=MatchStatus(item["status"]),
        steps=tuple(
            Step(MatchStatus(step["what"]), str(step["by"]), from_rfc3339(step["at"]), str(step["reason"]))
            for step in item["steps"]
        ),
        settled_payment_id=str(item["settled_payment_id"]),
    )


@functools.cache
def suspense() -> SuspenseTable:
    """The process's suspense."""
    return SuspenseTable(DynamoStore(Table(setting("DUTY_TABLE")), Table(setting("LEDGER_TABLE"))))
