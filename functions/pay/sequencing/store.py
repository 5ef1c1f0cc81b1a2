"""The city's chain in DynamoDB: one transaction for at most thirty events and the head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from avarez import keys
from avarez.clock import to_rfc3339
from avarez.dynamo import Item, Table, transact
from avarez.errors import TransactionRefused
from avarez.events.chain import Event, Head, Waiting
from avarez.events.log import EventLog, event_item, head_from, head_item, waiting_from
from avarez.observability import log_failure

ROWS_PER_SHARD_MAX: Final = 60
"""Rows of a shard in one look: 960 of the city, which are 32 transactions."""
STANDS: Final = "attribute_not_exists(pk)"
UNMOVED: Final = "#sequence = :sequence AND #hash = :hash AND holder = :holder"
UNPLACED: Final = "content_hash = :content_hash AND attribute_not_exists( #sequence )"


class ChainTable(EventLog):
    """The chain in the ledger table, as its one writer sees it."""

    def __init__(self, ledger: Table) -> None:
        super().__init__(ledger)
        self._table = ledger

    def waiting(self, municipality: str) -> Sequence[Waiting]:
        """The first rows of every shard, in the order of what they tell of."""
        found: list[Waiting] = []
        for shard in range(keys.SHARDS):
            partition = keys.outbox_partition(municipality, shard)
            for item in self._table.query(partition, keys.TO_CHAIN_PREFIX, limit=ROWS_PER_SHARD_MAX):
                try:
                    found.append(waiting_from(item))
                except (KeyError, TypeError, ValueError):
                    # It stays where it is, and the check of the books goes on naming its entry.
                    log_failure("chain_row_unreadable", event_id=str(item["sk"]))
        return sorted(found, key=lambda row: (row.occurred_at, row.event_id))

    def hold(self, municipality: str, holder: str, now: datetime, until: datetime) -> Head | None:
        """The head under our name, unless somebody's lease runs."""
        key = keys.chain_head(municipality)
        item = self._table.get(key)
        before = head_from(municipality, item)
        if before.holder not in ("", holder) and before.held_until_at >= to_rfc3339(now):
            return None
        after = replace(before, holder=holder, held_until_at=to_rfc3339(until))
        if item is None:
            write = self._table.put(key, head_item(after), STANDS)
        else:
            write = self._table.put(
                key,
                head_item(after),
                f"{UNMOVED} AND held_until_at = :until",
                sequence=before.sequence,
                hash=before.hash,
                holder=before.holder,
                until=before.held_until_at,
            )
        try:
            transact([write], mine=lambda: self.head(municipality) == after, dynamodb=self._table.dynamodb)
        except TransactionRefused:
            return None
        return after

    def append(self, before: Head, after: Head, events: Sequence[Event], now: datetime) -> Sequence[str]:
        """One transaction; the ids of events that stand in the way."""
        head = self._table.put(
            keys.chain_head(before.municipality),
            head_item(after),
            UNMOVED,
            sequence=before.sequence,
            hash=before.hash,
            holder=before.holder,
        )
        writes, owners = [head], [""]
        for event in events:
            parts = self._parts(event, to_rfc3339(now))
            writes += parts
            owners += [event.event_id] * len(parts)
        try:
            transact(writes, mine=lambda: self.head(before.municipality) == after, dynamodb=self._table.dynamodb)
        except TransactionRefused as refusal:
            if refusal.reasons[0] is not None:
                raise
            return sorted(
                {owner for owner, reason in zip(owners, refusal.reasons, strict=True) if reason is not None}
            )
        return ()

    def release(self, head: Head) -> None:
        """Whoever comes next need not wait; a lease that is somebody else's by now stays theirs."""
        free = replace(head, holder="", held_until_at="")
        write = self._table.put(
            keys.chain_head(head.municipality),
            head_item(free),
            UNMOVED,
            sequence=head.sequence,
            hash=head.hash,
            holder=head.holder,
        )
        try:
            transact([write], dynamodb=self._table.dynamodb)
        except TransactionRefused:
            return

    def _parts(self, event: Event, now: str) -> list[Item]:
        municipality = str(event.data["municipality"])
        row = keys.to_chain(municipality, event.about, event.event_id)
        parts = [
            self._table.put_new(keys.chain_event(municipality, event.sequence), event_item(event, now)),
            self._table.delete(row, "attribute_exists(pk)"),
        ]
        if event.journal is not None:
            journal = event.journal
            place = {
                "sequence": event.sequence,
                "previous_hash": event.data["previous_hash"],
                "hash": event.hash,
            }
            parts.append(
                self._table.update(
                    keys.journal(municipality, journal.day, journal.payment_id, journal.journal_id),
                    place,
                    UNPLACED,
                    content_hash=journal.content_hash,
                )
            )
        return parts
