"""Events in DynamoDB: the rows that wait, and the chain as it stands."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from avarez import keys
from avarez.canonical import canonical_bytes
from avarez.clock import from_rfc3339, to_rfc3339
from avarez.dynamo import Item, Table
from avarez.events.chain import GENESIS, Carried, Event, EventType, Head, JournalPlace, Waiting

READ_MAX: Final = 1_000
PENDING_PREFIX: Final = "CHAIN-"
"""Rows for the sequencer stand in partitions of their own of the index of what is undone."""


def waiting_write(ledger: Table, event: Waiting) -> Item:
    """The part of a transaction by which the event begins to wait for its place."""
    key = keys.to_chain(event.municipality, event.about, event.event_id)
    journal = event.journal
    item = {
        "event_id": event.event_id,
        "type": event.type.value,
        "municipality": event.municipality,
        "about": event.about,
        "created_at": to_rfc3339(event.occurred_at),
        "pending_shard": f"{PENDING_PREFIX}{keys.shard_of(event.about)}",
        "content": canonical_bytes(event.content).decode(),
        "journal": None if journal is None else _journal_item(journal),
    }
    return ledger.put_new(key, item)


def waiting_from(item: Item) -> Waiting:
    """The event in a row of the outbox.

    Raises:
        KeyError, TypeError, ValueError: the row is none of ours.
    """
    content: dict[str, Any] = json.loads(item["content"])
    return Waiting(
        event_id=str(item["event_id"]),
        type=EventType(item["type"]),
        municipality=str(item["municipality"]),
        about=str(item["about"]),
        occurred_at=from_rfc3339(item["created_at"]),
        content=content,
        journal=_journal_from(item.get("journal")),
    )


def event_item(event: Event, sequenced_at: str) -> Item:
    """The event as it is kept: `data` in its canonical form, so that what is read is what was hashed."""
    return {
        "sequence": event.sequence,
        "event_id": event.event_id,
        "type": event.data["type"],
        "about": event.about,
        "hash": event.hash,
        "data": event.canonical,
        "journal": None if event.journal is None else _journal_item(event.journal),
        "sequenced_at": sequenced_at,
    }


def event_from(item: Item) -> Event:
    """The event in an item of the log, under the place where it lies; what it says is not looked at.

    An item that is none of ours is an event without content, which no check of the chain lets pass.
    """
    place = str(item["sk"])
    text = item.get("data")
    try:
        data = json.loads(item["data"])
        journal = _journal_from(item.get("journal"))
    except (KeyError, TypeError, ValueError):
        data, journal = None, None
    return Event(
        sequence=int(place) if place.isascii() and place.isdecimal() else 0,
        data=data if isinstance(data, dict) else {},
        about=str(item.get("about", "")),
        journal=journal,
        text=text if isinstance(text, str) and isinstance(data, dict) else "",
        sequenced_at=str(item.get("sequenced_at", "")),
    )


def head_item(head: Head) -> Item:
    return {
        "municipality": head.municipality,
        "sequence": head.sequence,
        "hash": head.hash,
        "holder": head.holder,
        "held_until_at": head.held_until_at,
    }


def head_from(municipality: str, item: Item | None) -> Head:
    """The head in an item; of a city without one, the beginning."""
    if item is None:
        return Head(municipality)
    return Head(
        municipality, int(item["sequence"]), str(item["hash"]), str(item["holder"]), str(item["held_until_at"])
    )


def carried_item(carried: Carried) -> Item:
    return {"sequence": carried.sequence, "hash": carried.hash}


class EventLog:
    """A city's chain, read; every read is strongly consistent."""

    def __init__(self, ledger: Table) -> None:
        self._ledger = ledger

    def head(self, municipality: str) -> Head:
        """How far the chain is."""
        return head_from(municipality, self._ledger.get(keys.chain_head(municipality)))

    def carried(self, municipality: str) -> Carried:
        """How far the chain was carried over; of a city that began here, not at all."""
        item = self._ledger.get(keys.chain_carried(municipality))
        return Carried() if item is None else Carried(int(item["sequence"]), str(item["hash"]))

    def read(self, municipality: str, *, after: int, limit: int = READ_MAX) -> Sequence[Event]:
        """At most `limit` events that follow sequence `after`, in their order; across partitions of the log."""
        found: list[Event] = []
        first = after + 1
        while len(found) < limit:
            partition, beyond = keys.chain_event(municipality, first)
            place = f"{int(beyond) - 1:012d}"
            items = self._ledger.query(partition, beyond=place, limit=limit - len(found))
            found += [event_from(item) for item in items]
            following = (first // keys.EVENTS_PER_PARTITION + 1) * keys.EVENTS_PER_PARTITION
            if len(found) >= limit or not self._reaches(municipality, following):
                return found
            first = following
        return found

    def hash_at(self, municipality: str, sequence: int) -> str | None:
        """The hash of the event in this place; the beginning's for 0; None where there is none."""
        if sequence == 0:
            return GENESIS
        item = self._ledger.get(keys.chain_event(municipality, sequence))
        return None if item is None else str(item["hash"])

    def _reaches(self, municipality: str, sequence: int) -> bool:
        return self.head(municipality).sequence >= sequence


def _journal_item(journal: JournalPlace) -> Item:
    return {
        "day": journal.day,
        "payment_id": journal.payment_id,
        "journal_id": journal.journal_id,
        "content_hash": journal.content_hash,
    }


def _journal_from(item: Item | None) -> JournalPlace | None:
    if item is None:
        return None
    return JournalPlace(
        day=str(item["day"]),
        payment_id=str(item["payment_id"]),
        journal_id=str(item["journal_id"]),
        content_hash=str(item["content_hash"]),
    )
