"""The use case: what waits gets its place in the city's chain, in order, without a gap, once.

One writer at a time by a lease that spares work; that there is no second event in a place, and no event in two, is
held by the conditions of each append: the head is where it was read, the row still waits, its journal entry has no
place yet. So a kill at any point, a second writer and a repeated wake-up change nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from avarez.changed import changed
from avarez.clock import Clock, to_rfc3339
from avarez.errors import TransactionRefused
from avarez.events.chain import Event, Head, Waiting, chained

BATCH_MAX: Final = 30
"""Events of a transaction of at most 100 items: its place, its row and its journal entry each, and the head."""
LEASE: Final = timedelta(seconds=20)
"""Longer than a transaction with all its retries; a writer that was killed holds nobody up for longer."""
PASSES_MAX: Final = 1_000


class ChainStore(Protocol):
    """What the sequencer reads and writes of one city at a time."""

    def waiting(self, municipality: str) -> Sequence[Waiting]:
        """Events that wait for their place, the oldest ones first; a part of them when there are many."""

    def hold(self, municipality: str, holder: str, now: datetime, until: datetime) -> Head | None:
        """The head of the chain, held by `holder`; None while somebody else holds it."""

    def append(self, before: Head, after: Head, events: Sequence[Event], now: datetime) -> Sequence[str]:
        """Writes the events behind `before`, all or none.

        Answers the ids of events that stand in the way, because they do not wait any more or their journal entry
        is not what they say; nothing was written then. None means that all are in their places.

        Raises:
            TransactionRefused: the head is not `before`: somebody else writes.
            ServiceBusy: nobody knows of a reason not to try again.
        """

    def release(self, head: Head) -> None:
        """Gives the lease up, if it is still held."""


@dataclass(frozen=True, slots=True)
class Sequenced:
    """What a run came to: `aside` are events that could not be placed; `held`: another writer was at it."""

    events: int = 0
    aside: tuple[str, ...] = ()
    held: bool = False


def sequence(
    store: ChainStore, municipality: str, *, holder: str, clock: Clock, time_left: Callable[[], bool]
) -> Sequenced:
    """Places everything that waits in this city, until nothing does or the time is over."""
    now = clock.now()
    head = store.hold(municipality, holder, now, now + LEASE)
    if head is None:
        return Sequenced(held=True)
    placed = 0
    aside: list[str] = []
    for _ in range(PASSES_MAX):
        rows = [row for row in store.waiting(municipality) if row.event_id not in aside]
        if not rows or not time_left():
            break
        for start in range(0, len(rows), BATCH_MAX):
            if not time_left():
                break
            try:
                head, count = _append(store, head, rows[start : start + BATCH_MAX], aside, clock)
            except TransactionRefused:
                return Sequenced(placed, tuple(aside), held=True)
            placed += count
    store.release(head)
    return Sequenced(placed, tuple(aside))


def _append(
    store: ChainStore, head: Head, rows: Sequence[Waiting], aside: list[str], clock: Clock
) -> tuple[Head, int]:
    """The new head and how many events were placed; those that stand in the way are put `aside`."""
    while rows:
        events: list[Event] = []
        sequence_number, previous_hash = head.sequence, head.hash
        for row in rows:
            event = chained(row, sequence=sequence_number + 1, previous_hash=previous_hash)
            sequence_number, previous_hash = event.sequence, event.hash
            events.append(event)
        now = clock.now()
        until = to_rfc3339(now + LEASE)
        after = changed(head, sequence=sequence_number, hash=previous_hash, held_until_at=until)
        refused = store.append(head, after, events, now)
        if not refused:
            return after, len(events)
        aside += refused
        rows = [row for row in rows if row.event_id not in refused]
    return head, 0
