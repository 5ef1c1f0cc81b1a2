"""I10 and I7 on a day's close: range, lines and balances, against the chain and the close before it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from avarez.events.chain import GENESIS
from avarez.settlements import Line, Settlement, manifest_hash


@dataclass(frozen=True, slots=True)
class Moved:
    """An event of the range: its place, its hash, what it did to what the city is owed; None for nothing."""

    sequence: int
    hash: str
    city_rial: int | None


@dataclass(frozen=True, slots=True)
class ClosedDay:
    """A close with what it is held to: the close before it, its kept lines, the events of its range."""

    settlement: Settlement
    before: Settlement | None
    lines: Sequence[Line]
    batch_hashes: Sequence[str]
    events: Sequence[Moved]


def partitioned(closed: ClosedDay) -> Iterator[str]:
    """I10: the close follows the one before it without a gap, and each credit of its range is one line of it."""
    made, before = closed.settlement, closed.before
    after, after_hash = (before.to_sequence, before.last_hash) if before else (0, GENESIS)
    if (made.from_sequence, made.after_hash) != (after + 1, after_hash) or (before is None) != (made.number == 1):
        yield f"begins at {made.from_sequence}, and the close before it ends at {after}"
    places = [event.sequence for event in closed.events]
    if places != list(range(made.from_sequence, made.to_sequence + 1)):
        yield f"its range {made.from_sequence}-{made.to_sequence} is not whole in the chain"
    ends = (closed.events[0].hash, closed.events[-1].hash) if closed.events else (after_hash, after_hash)
    if (made.first_hash, made.last_hash) != ends:
        yield "its first or last event is not the one that stands in the chain"
    moved = {event.sequence: event.city_rial for event in closed.events if event.city_rial is not None}
    lines = Counter(line.sequence for line in closed.lines)
    yield from (f"event {place} is {count} lines of it" for place, count in lines.items() if count > 1)
    yield from (f"event {place} is no line of it" for place in moved if place not in lines)
    for line in closed.lines:
        if moved.get(line.sequence) != line.city_rial:
            yield f"line {line.sequence} says {line.city_rial}, and its event {moved.get(line.sequence)}"
    if manifest_hash(closed.batch_hashes) != made.manifest_hash:
        yield "its lines are not those that its manifest names"


def sums_up(closed: ClosedDay) -> Iterator[str]:
    """I7: what the city was credited is what the close's lines and its two balances say."""
    made, before = closed.settlement, closed.before
    opening_rial = before.closing_rial if before else 0
    if made.opening_rial != opening_rial:
        yield f"opens with {made.opening_rial}, and the close before it closed with {opening_rial}"
    credited_rial = sum(event.city_rial or 0 for event in closed.events)
    listed_rial = sum(line.city_rial for line in closed.lines)
    summed_rial = sum(one.city_rial for one in made.sums)
    if not made.closing_rial - made.opening_rial == credited_rial == listed_rial == summed_rial:
        yield (
            f"its balances differ by {made.closing_rial - made.opening_rial}, its events come to {credited_rial}, "
            f"its lines to {listed_rial}, its sums to {summed_rial}"
        )
