"""Outbox rows that nobody has done: woken again, and how long the oldest of them has waited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from avarez.keys import SHARDS
from functions.certify.certificates.outbox import OutboxKey

#: The stream and the queue need less than a second; a row as old as this has been overlooked.
PATIENCE: Final = timedelta(seconds=20)
#: What 100 issuers make in a minute; the oldest rows come first, the rest next minute.
ROWS_PER_SHARD_MAX: Final = 500
#: Wake-ups that wait already. Above it the issuers are behind, not asleep: nearly every row is in the queue as it
#: is, and a second wake-up of each would stand before those that come new.
BACKLOG_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row that asks for a certificate, and since when: the duty is paid since then."""

    key: OutboxKey
    created_at: datetime


class Pending(Protocol):
    """The rows still to be done."""

    def pending(self, shard: int, created_before: datetime, limit: int) -> Sequence[Waiting]:
        """At most `limit` rows of one shard that are older than `created_before`, oldest first."""
        ...


class WakeUps(Protocol):
    """The queue of the issuers."""

    def backlog(self) -> int:
        """About how many wake-ups wait in it."""
        ...

    def send(self, outbox_keys: list[OutboxKey]) -> int:
        """How many of the wake-ups were taken."""
        ...


@dataclass(frozen=True, slots=True)
class Woken:
    """What one run found; `oldest_s` is 0 when nobody waits longer than `PATIENCE`."""

    rows: int
    taken: int
    oldest_s: int


def wake_overlooked(outbox: Pending, queue: WakeUps, now: datetime) -> Woken:
    """Wakes the issuers for every row that was overlooked, unless they have more wake-ups than they can follow.

    One wake-up too many does no harm, but each run would add one for every row that still waits: issuers that are
    behind would fall further behind with each.
    """
    rows = taken = oldest_s = 0
    behind = queue.backlog() > BACKLOG_MAX
    for shard in range(SHARDS):
        waiting = outbox.pending(shard, now - PATIENCE, ROWS_PER_SHARD_MAX)
        rows += len(waiting)
        taken += 0 if behind else queue.send([one.key for one in waiting])
        oldest_s = max([oldest_s, *(int((now - one.created_at).total_seconds()) for one in waiting[:1])])
    return Woken(rows, taken, oldest_s)
