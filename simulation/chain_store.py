"""A city's chain in memory, by the same conditions as in DynamoDB; one suite holds both to them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from avarez.clock import to_rfc3339
from avarez.errors import TransactionRefused
from avarez.events.chain import Event, Head, Waiting
from avarez.journal import JournalEntry
from functions.pay.rules import announcing
from functions.pay.rules.records import Payment
from functions.pay.rules.refunds import Refund

ROWS_MAX = 960


class MemoryChain:
    """The journal, what waits for its place, and the chains."""

    def __init__(self) -> None:
        self.journal: list[JournalEntry] = []
        self.unplaced: dict[str, str] = {}
        self.outgoing: defaultdict[str, dict[str, Waiting]] = defaultdict(dict)
        self.heads: dict[str, Head] = {}
        self.chains: defaultdict[str, list[Event]] = defaultdict(list)

    def book(self, entry: JournalEntry, payment: Payment, refund: Refund | None = None) -> None:
        """The entry stands in the journal, and the event of it waits."""
        self.journal.append(entry)
        self.unplaced[entry.journal_id] = entry.content_hash
        self.announce(announcing.of_entry(entry, payment, refund))

    def announce(self, event: Waiting) -> None:
        self.outgoing[event.municipality][event.event_id] = event

    def head(self, municipality: str) -> Head:
        return self.heads.get(municipality, Head(municipality))

    def read(self, municipality: str, *, after: int, limit: int = 1_000) -> Sequence[Event]:
        return self.chains[municipality][after : after + limit]

    def waiting(self, municipality: str) -> Sequence[Waiting]:
        rows = self.outgoing[municipality].values()
        return sorted(rows, key=lambda row: (row.occurred_at, row.event_id))[:ROWS_MAX]

    def hold(self, municipality: str, holder: str, now: datetime, until: datetime) -> Head | None:
        before = self.head(municipality)
        if before.holder not in ("", holder) and before.held_until_at >= to_rfc3339(now):
            return None
        self.heads[municipality] = replace(before, holder=holder, held_until_at=to_rfc3339(until))
        return self.heads[municipality]

    def append(self, before: Head, after: Head, events: Sequence[Event], now: datetime) -> Sequence[str]:
        self._expect_head(before)
        rows = self.outgoing[before.municipality]
        in_the_way = [
            event.event_id
            for event in events
            if event.event_id not in rows
            or (event.journal and self.unplaced.get(event.journal.journal_id) != event.journal.content_hash)
        ]
        if in_the_way:
            return in_the_way
        for event in events:
            del rows[event.event_id]
            if event.journal is not None:
                del self.unplaced[event.journal.journal_id]
        self.chains[before.municipality] += events
        self.heads[before.municipality] = after
        return ()

    def release(self, head: Head) -> None:
        try:
            self._expect_head(head)
        except TransactionRefused:
            return
        self.heads[head.municipality] = replace(head, holder="", held_until_at="")

    def _expect_head(self, before: Head) -> None:
        current = self.head(before.municipality)
        if (current.sequence, current.hash, current.holder) != (before.sequence, before.hash, before.holder):
            raise TransactionRefused(["ConditionalCheckFailed"])
