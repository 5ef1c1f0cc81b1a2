"""I12 on the chain: what stands in it, against what the ledger's entries say of their places. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from avarez.events.chain import Event, Head
from avarez.events.entries import entry_told
from avarez.journal import JournalEntry

UNCHAINED_MAX: Final = timedelta(seconds=60)
"""An entry has to stand in the chain within a minute."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry or an event says that it stands."""

    sequence: int
    previous_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class Link:
    """An event of the chain that tells of a journal entry, as far as both are compared."""

    place: Place
    journal_id: str
    day: str
    content_hash: str
    entry: Any


@dataclass(frozen=True, slots=True)
class Run:
    """The part of the chain that a day's entries stand in, and what is wrong with it by itself.

    `links` are the events in it that tell of an entry, of whatever day, and those that entries say they have
    elsewhere in the chain.
    """

    head: Head
    first: int
    last: int
    faults: Sequence[tuple[int, str]]
    links: Sequence[Link]


def link_of(event: Event) -> Link | None:
    """What the event says of a journal entry; None for an event about something else."""
    if event.journal is None:
        return None
    data = event.data
    return Link(
        place=Place(event.sequence, str(data.get("previous_hash")), str(data.get("hash"))),
        journal_id=event.journal.journal_id,
        day=event.journal.day,
        content_hash=event.journal.content_hash,
        entry=data.get("entry"),
    )


def upto_later_day(events: Sequence[Event], day: str) -> tuple[Sequence[Event], bool]:
    """The events up to and with the first that tells of an entry of a later day; and whether one does."""
    for number, event in enumerate(events, 1):
        if event.journal is not None and event.journal.day > day:
            return events[:number], True
    return events, False


def head_faults(before: Head, after: Head, last: int, last_hash: str) -> Iterator[tuple[int, str]]:
    """What is wrong where the chain ends; its head was read `before` and `after` the events."""
    if last < before.sequence:
        yield last, f"the chain ends here, and its head says {before.sequence}"
    elif last > after.sequence:
        yield last, f"stands beyond the head, which says {after.sequence}"
    for head in (before, after):
        if last == head.sequence and last_hash != head.hash:
            yield last, "is not the event that the head names"
            return


def chained(
    *,
    day: str,
    entries: Sequence[JournalEntry],
    places: Mapping[str, Place],
    run: Run,
    now: datetime,
) -> Iterator[tuple[str, str]]:
    """What does not hold between a day's entries and the chain: of what, and how."""
    yield from ((f"event {sequence}", how) for sequence, how in run.faults)
    links: dict[str, Link] = {}
    for link in run.links:
        if link.journal_id in links:
            yield link.journal_id, f"stands in the chain twice, at {link.place.sequence} again"
        links.setdefault(link.journal_id, link)
    for entry in entries:
        yield from ((entry.journal_id, how) for how in _differences(entry, places, links, now))
    known = {entry.journal_id for entry in entries}
    for link in links.values():
        if link.day == day and link.journal_id not in known:
            yield link.journal_id, f"event {link.place.sequence} tells of it, and the ledger does not have it"


def _differences(
    entry: JournalEntry, places: Mapping[str, Place], links: Mapping[str, Link], now: datetime
) -> Iterator[str]:
    place, link = places.get(entry.journal_id), links.get(entry.journal_id)
    if place is None:
        if now - entry.created_at > UNCHAINED_MAX:
            yield "has no place in the chain after a minute"
        return
    if link is None:
        yield f"no event of it stands in its place {place.sequence}"
        return
    if link.place != place:
        yield f"says that its event is {place.sequence}, which is not the one at {link.place.sequence}"
    if link.content_hash != entry.content_hash or link.entry != entry_told(entry):
        yield f"event {link.place.sequence} tells of it something else than it says"
