"""The chain of a city's events, which is the chain of its ledger as well. Pure.

An event waits (`Waiting`) from the instant of what it tells of, in the same transaction; the city's sequencer
gives it its place (`Event`). `hash` is the lower-case hexadecimal SHA-256 of the RFC 8785 form of `data` without
`hash`; `data` holds everything that is told, `previous_hash` included, so that nothing can be changed, left out or
put in between without every later hash being another one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

from avarez.canonical import canonical_bytes, content_hash
from avarez.clock import to_rfc3339

GENESIS: Final = "0" * 64
"""What the first event of a city has as its `previous_hash`."""
SCHEMA: Final = 1
_NO_HASH: Final = '"hash":"",'
"""Never the last member: `municipality` and others come after it."""
OF_THE_CHAIN: Final = frozenset(
    {"schema", "municipality", "sequence", "previous_hash", "hash", "event_id", "type", "occurred_at"}
)
"""The members of `data` that every event has; no event's own content may use these names."""


class EventType(StrEnum):
    """What a city is told of."""

    PAYMENT_SETTLED = "payment.settled"
    PAYMENT_REFUNDED = "payment.refunded"
    CERTIFICATE_ISSUED = "certificate.issued"
    CERTIFICATE_REVOKED = "certificate.revoked"
    CERTIFICATE_SUPERSEDED = "certificate.superseded"
    CORRECTION_POSTED = "correction.posted"
    SETTLEMENT_CLOSED = "settlement.closed"
    ACCOUNT_CHANGED = "account.changed"


@dataclass(frozen=True, slots=True)
class JournalPlace:
    """Which journal entry an event tells of, and the hash of that entry's content."""

    day: str
    payment_id: str
    journal_id: str
    content_hash: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event without a place yet. `about` is the payment it concerns: events about one payment keep their order.

    Raises:
        ValueError: the content uses a name that the chain uses.
    """

    event_id: str
    type: EventType
    municipality: str
    about: str
    occurred_at: datetime
    content: Mapping[str, Any]
    journal: JournalPlace | None = None

    def __post_init__(self) -> None:
        if not OF_THE_CHAIN.isdisjoint(self.content):
            raise ValueError(f"{self.event_id}: the content uses a name of the chain's own")


@dataclass(frozen=True, slots=True)
class Event:
    """An event in its place: `data` is what the city gets; `about` and `journal` are as they waited.

    `text` is the canonical form of `data`, where it was made or read with it; `sequenced_at` is when it got its
    place, where it was read from there.
    """

    sequence: int
    data: Mapping[str, Any]
    about: str = ""
    journal: JournalPlace | None = None
    text: str = field(default="", compare=False, repr=False)
    sequenced_at: str = field(default="", compare=False)

    @property
    def event_id(self) -> str:
        return str(self.data["event_id"])

    @property
    def hash(self) -> str:
        return str(self.data["hash"])

    @property
    def canonical(self) -> str:
        """`data` as it is kept and sent."""
        return self.text or canonical_bytes(self.data).decode()


@dataclass(frozen=True, slots=True)
class Head:
    """How far a city's chain is: nothing yet is sequence 0. `holder` may write until `held_until_at`."""

    municipality: str
    sequence: int = 0
    hash: str = GENESIS
    holder: str = ""
    held_until_at: str = ""


@dataclass(frozen=True, slots=True)
class Carried:
    """The events up to `sequence` came with the city's books from where they were kept before; 0: there are none.

    Ledger, chain and closes were carried over; payments, duties and certificates stay where they were made.
    """

    sequence: int = 0
    hash: str = GENESIS


def chained(waiting: Waiting, *, sequence: int, previous_hash: str) -> Event:
    """The event in this place, under its hash: encoded once, with a gap in which the hash is put.

    Raises:
        ValueError: the content has a member `hash` without one.
    """
    data: dict[str, Any] = {
        "schema": SCHEMA,
        "event_id": waiting.event_id,
        "type": waiting.type.value,
        "municipality": waiting.municipality,
        "occurred_at": to_rfc3339(waiting.occurred_at),
        **waiting.content,
        "sequence": sequence,
        "previous_hash": previous_hash,
    }
    text = canonical_bytes({**data, "hash": ""}).decode()
    before, place, behind = text.partition(_NO_HASH)
    if not place or _NO_HASH in behind:
        raise ValueError(f"{waiting.event_id}: its content has an empty hash of its own")
    data["hash"] = sha256(f"{before}{behind}".encode()).hexdigest()
    return Event(sequence, data, waiting.about, waiting.journal, f'{before}"hash":"{data["hash"]}",{behind}')


def hash_of(data: Mapping[str, Any]) -> str:
    """The hash that `data` should have; empty for what has no canonical form, which we never wrote."""
    try:
        return content_hash({name: value for name, value in data.items() if name != "hash"})
    except ValueError:
        return ""


def faults(
    municipality: str, events: Iterable[Event], *, after_sequence: int = 0, after_hash: str = GENESIS
) -> Iterator[tuple[int, str]]:
    """What is wrong with a run of the chain that follows (`after_sequence`, `after_hash`): place and how.

    Each fault is told once: the events after it are held to what stands, not to what should have stood.
    """
    sequence, previous_hash = after_sequence, after_hash
    for event in events:
        data = event.data
        if event.sequence != sequence + 1 or data.get("sequence") != event.sequence:
            yield event.sequence, f"stands after {sequence} and says {data.get('sequence')}"
        if data.get("previous_hash") != previous_hash:
            yield event.sequence, "does not hold the hash of the event before it"
        if data.get("hash") != hash_of(data):
            yield event.sequence, "its content is not what its hash says"
        if data.get("municipality") != municipality or data.get("schema") != SCHEMA:
            yield event.sequence, "is of another city or another form"
        sequence, previous_hash = event.sequence, str(data.get("hash"))
