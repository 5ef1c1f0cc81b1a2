"""A message's body, read strictly, and the event in it. Pure.

A signature says who sent a message; its hash says that the event is what the chain holds. Both are looked at.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from avarez.canonical import canonical_bytes
from avarez.events.chain import SCHEMA, hash_of
from avarez.money import parse_rial

SEQUENCE_MAX: Final = 10**12
"""The chain's places have twelve digits."""
POSTINGS_MAX: Final = 1_000
"""An entry has a handful; this bounds what one message can make a receiver write."""


class Unreadable(ValueError):
    """Signed, and yet nothing that the contract describes; the words say what is wrong."""


@dataclass(frozen=True, slots=True)
class Message:
    """What a body holds. `data` without a `sequence` is no event: a challenge, a test, or what is yet to come."""

    type: str
    data: Mapping[str, Any]

    @property
    def is_event(self) -> bool:
        """Whether this has a place in the city's chain."""
        return "sequence" in self.data


@dataclass(frozen=True, slots=True)
class Posting:
    """One side of an entry, in rial."""

    account: str
    debit_rial: int
    credit_rial: int


@dataclass(frozen=True, slots=True)
class Told:
    """An event whose content is what its hash says. `text` is its canonical form, which is what is kept.

    `day` is the entry's day in Tehran; events that book nothing have neither day nor postings.
    """

    sequence: int
    event_id: str
    type: str
    occurred_at: str
    previous_hash: str
    hash: str
    text: str
    day: str = ""
    postings: Sequence[Posting] = ()


def read_message(body: bytes) -> Message:
    """The message in a body.

    Raises:
        Unreadable: no JSON object of `type` and `data`, or one that names a member twice.
    """
    try:
        told = json.loads(body, object_pairs_hook=_each_once)
    except (ValueError, RecursionError) as error:
        raise Unreadable("the body is no JSON") from error
    if not isinstance(told, dict) or not isinstance(told.get("type"), str):
        raise Unreadable("the body has no type")
    if not isinstance(told.get("data"), dict):
        raise Unreadable("the body has no data")
    return Message(told["type"], told["data"])


def read_event(data: Mapping[str, Any], municipality: str) -> Told:
    """The event in `data`, which must be this city's and be what its hash says.

    Raises:
        Unreadable: it is not.
    """
    sequence = data.get("sequence")
    if type(sequence) is not int or not 1 <= sequence <= SEQUENCE_MAX:
        raise Unreadable("the sequence is no whole number from 1")
    if data.get("municipality") != municipality:
        raise Unreadable("the event is another city's")
    if data.get("schema") != SCHEMA:
        raise Unreadable(f"the event is not of schema {SCHEMA}")
    names = ("event_id", "type", "occurred_at", "previous_hash", "hash")
    texts = {name: value for name in names if isinstance(value := data.get(name), str)}
    if len(texts) < len(names):
        raise Unreadable("the event lacks a member of the chain")
    try:
        proved = hash_of(data) == texts["hash"]
    except RecursionError:
        proved = False
    if not proved:
        raise Unreadable("the event's content is not what its hash says")
    day, postings = _booked(data.get("entry"))
    return Told(sequence=sequence, text=canonical_bytes(data).decode(), day=day, postings=postings, **texts)


def _booked(entry: Any) -> tuple[str, Sequence[Posting]]:
    """Day and postings of a journal entry; nothing where there is no entry."""
    if entry is None:
        return "", ()
    try:
        rows = list(entry["postings"])
        postings = [
            Posting(str(row["account"]), parse_rial(row["debit_rial"]), parse_rial(row["credit_rial"]))
            for row in rows[:POSTINGS_MAX]
        ]
        day = str(entry["day"])
    except (KeyError, TypeError, ValueError) as error:
        raise Unreadable("the entry's postings cannot be read") from error
    if len(rows) > POSTINGS_MAX or sum(one.debit_rial - one.credit_rial for one in postings) != 0:
        raise Unreadable("the entry does not balance")
    return day, postings


def _each_once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Unreadable("a member is named twice")
    return found
