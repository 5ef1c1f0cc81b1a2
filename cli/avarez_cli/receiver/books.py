"""A city's own books in one SQLite file: its chain, and the ledger that the chain tells of.

Each message is one transaction that is on the disk before it is answered, so that what was answered is never lost.
What comes too early waits in `parked`; what is missing stands in `gaps` from the first message that shows it. An
event enters the ledger in its place and once, however often and in whatever order it comes.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from avarez.clock import to_rfc3339
from avarez.events.chain import GENESIS, Event, faults
from avarez_cli.receiver.reading import Posting, Told, Unreadable, read_event

BUSY_TIMEOUT_S: Final = 30.0
"""Another process may write to the same books: a pull beside the server."""
_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS book (municipality TEXT PRIMARY KEY)",
    "CREATE TABLE IF NOT EXISTS events (sequence INTEGER PRIMARY KEY, event_id TEXT NOT NULL, type TEXT NOT NULL,"
    " occurred_at TEXT NOT NULL, hash TEXT NOT NULL, data TEXT NOT NULL, placed_at TEXT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS events_by_id ON events (event_id)",
    "CREATE TABLE IF NOT EXISTS postings (sequence INTEGER NOT NULL REFERENCES events, line INTEGER NOT NULL,"
    " day TEXT NOT NULL, account TEXT NOT NULL, debit_rial INTEGER NOT NULL, credit_rial INTEGER NOT NULL,"
    " PRIMARY KEY (sequence, line)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS postings_of_day ON postings (day, account)",
    "CREATE TABLE IF NOT EXISTS parked (sequence INTEGER PRIMARY KEY, hash TEXT NOT NULL, data TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS gaps (first INTEGER PRIMARY KEY, last INTEGER NOT NULL,"
    " found_by INTEGER NOT NULL, found_at TEXT NOT NULL, closed_at TEXT)",
    "CREATE TABLE IF NOT EXISTS contradictions (sequence INTEGER NOT NULL, found_at TEXT NOT NULL,"
    " what TEXT NOT NULL, data TEXT NOT NULL)",
)


class Outcome(StrEnum):
    """What became of an event."""

    PLACED = "placed"
    KNOWN = "known"
    PARKED = "parked"
    CONTRADICTS = "contradicts"


@dataclass(frozen=True, slots=True)
class Head:
    """The last event in its place; before the first one, sequence 0."""

    sequence: int
    hash: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Events `first` to `last` were missing when `found_by` came; `closed_at` once they are there."""

    first: int
    last: int
    found_by: int
    closed_at: str | None


@dataclass(frozen=True, slots=True)
class Account:
    """What was booked on an account, in rial."""

    account: str
    debit_rial: int
    credit_rial: int


class WrongBooks(Exception):
    """The file holds another city's books."""


class Books:
    """The books of one city. Its methods may be called by any thread, and beside other processes."""

    def __init__(self, path: Path, municipality: str) -> None:
        """Opens the books, or begins them.

        Raises:
            WrongBooks: they are another city's.
        """
        self.municipality = municipality
        self._lock = threading.Lock()
        self._rows = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        self._rows.execute("PRAGMA journal_mode = WAL")
        self._rows.execute("PRAGMA synchronous = FULL")
        with self._transaction():
            for statement in _TABLES:
                self._rows.execute(statement)
            (begun,) = self._rows.execute("SELECT count(*) FROM book").fetchone()
            if not begun:
                self._rows.execute("INSERT INTO book VALUES (?)", (municipality,))
            (owner,) = self._rows.execute("SELECT municipality FROM book").fetchone()
        if owner != municipality:
            self.close()
            raise WrongBooks(f"{path} holds the books of {owner}")

    def close(self) -> None:
        """Everything is on the disk already."""
        self._rows.close()

    def take(self, told: Told, now: datetime) -> Outcome:
        """Places the event, with whatever waited for it; or keeps it until what is before it has come."""
        with self._transaction():
            head = self._head()
            if told.sequence <= head.sequence:
                return self._again(told, now)
            if told.sequence == head.sequence + 1:
                if misfit := self._misfit(told, head):
                    return self._contradicts(told, misfit, now)
                self._place(told, now)
                self._place_parked(now)
                return Outcome.PLACED
            return self._park(told, head, now)

    def head(self) -> Head:
        """How far the books are."""
        with self._lock:
            return self._head()

    def gaps(self, *, only_open: bool = False) -> list[Gap]:
        """The gaps that were found, in their order."""
        found = [
            Gap(*row) for row in self._read("SELECT first, last, found_by, closed_at FROM gaps ORDER BY first")
        ]
        return [gap for gap in found if not (only_open and gap.closed_at)]

    def contradictions(self) -> list[tuple[int, str]]:
        """Events that were refused because they do not fit what stands in the books: place and how."""
        return self._read("SELECT sequence, what FROM contradictions ORDER BY found_at")

    def trial_balance(self, first_day: str = "", last_day: str = "9999") -> list[Account]:
        """Debits and credits of each account over these days, which are Gregorian and in Tehran."""
        asked = (
            "SELECT account, sum(debit_rial), sum(credit_rial) FROM postings"
            " WHERE day BETWEEN ? AND ? GROUP BY account ORDER BY account"
        )
        return [Account(*row) for row in self._read(asked, first_day, last_day)]

    def days(self) -> list[str]:
        """The days on which something was booked."""
        return [day for (day,) in self._read("SELECT DISTINCT day FROM postings ORDER BY day")]

    def faults(self) -> list[tuple[int, str]]:
        """What is wrong with the chain as it is kept and with the ledger made of it, read from the first event."""
        rows = self._read("SELECT sequence, data FROM events ORDER BY sequence")
        events = [Event(sequence, json.loads(data)) for sequence, data in rows]
        found = list(faults(self.municipality, events))
        for event in events:
            try:
                told = list(read_event(event.data, self.municipality).postings)
            except Unreadable as error:
                found.append((event.sequence, str(error)))
                continue
            if told != self._postings(event.sequence):
                found.append((event.sequence, "its postings are not what the event says"))
        return found

    def events(self) -> list[Event]:
        """Every event in its place."""
        rows = self._read("SELECT sequence, data FROM events ORDER BY sequence")
        return [Event(sequence, json.loads(data)) for sequence, data in rows]

    def _postings(self, sequence: int) -> list[Posting]:
        asked = "SELECT account, debit_rial, credit_rial FROM postings WHERE sequence = ? ORDER BY line"
        return [Posting(*row) for row in self._read(asked, sequence)]

    def _head(self) -> Head:
        row = self._rows.execute("SELECT sequence, hash FROM events ORDER BY sequence DESC LIMIT 1").fetchone()
        return Head(0, GENESIS) if row is None else Head(*row)

    def _again(self, told: Told, now: datetime) -> Outcome:
        (known,) = self._rows.execute("SELECT hash FROM events WHERE sequence = ?", (told.sequence,)).fetchone()
        if known == told.hash:
            return Outcome.KNOWN
        return self._contradicts(told, "is not the event that stands in this place", now)

    def _misfit(self, told: Told, head: Head) -> str:
        """Why the event cannot stand behind the head; nothing where it can."""
        if told.previous_hash != head.hash:
            return "does not follow the event before it"
        asked = "SELECT count(*) FROM events WHERE event_id = ?"
        (known,) = self._rows.execute(asked, (told.event_id,)).fetchone()
        return "stands in another place already" if known else ""

    def _place(self, told: Told, now: datetime) -> None:
        event = (told.sequence, told.event_id, told.type, told.occurred_at, told.hash, told.text, to_rfc3339(now))
        self._rows.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", event)
        self._rows.executemany(
            "INSERT INTO postings VALUES (?, ?, ?, ?, ?, ?)",
            [
                (told.sequence, line, told.day, posting.account, posting.debit_rial, posting.credit_rial)
                for line, posting in enumerate(told.postings)
            ],
        )
        self._rows.execute("DELETE FROM parked WHERE sequence = ?", (told.sequence,))
        closed = "UPDATE gaps SET closed_at = ? WHERE closed_at IS NULL AND last <= ?"
        self._rows.execute(closed, (to_rfc3339(now), told.sequence))

    def _place_parked(self, now: datetime) -> None:
        """What waited and follows now. What waited and does not fit is dropped: its true one is still to come."""
        while True:
            head = self._head()
            asked = "SELECT data FROM parked WHERE sequence = ?"
            row = self._rows.execute(asked, (head.sequence + 1,)).fetchone()
            if row is None:
                return
            told = read_event(json.loads(row[0]), self.municipality)
            if misfit := self._misfit(told, head):
                self._contradicts(told, misfit, now)
                self._rows.execute("DELETE FROM parked WHERE sequence = ?", (told.sequence,))
                return
            self._place(told, now)

    def _park(self, told: Told, head: Head, now: datetime) -> Outcome:
        asked = "SELECT hash FROM parked WHERE sequence = ?"
        waiting = self._rows.execute(asked, (told.sequence,)).fetchone()
        if waiting is not None:
            if waiting[0] == told.hash:
                return Outcome.KNOWN
            return self._contradicts(told, "is not the event that waits for this place", now)
        (latest,) = self._rows.execute("SELECT max(sequence) FROM parked").fetchone()
        far = max(head.sequence, latest or 0)
        if told.sequence > far + 1:
            gap = (far + 1, told.sequence - 1, told.sequence, to_rfc3339(now))
            self._rows.execute("INSERT INTO gaps VALUES (?, ?, ?, ?, NULL) ON CONFLICT DO NOTHING", gap)
        self._rows.execute("INSERT INTO parked VALUES (?, ?, ?)", (told.sequence, told.hash, told.text))
        return Outcome.PARKED

    def _contradicts(self, told: Told, what: str, now: datetime) -> Outcome:
        """Kept as evidence, once: the same message is sent again for days."""
        row = told.sequence, to_rfc3339(now), what, told.text
        self._rows.execute(
            "INSERT INTO contradictions SELECT ?, ?, ?, ? WHERE NOT EXISTS"
            " (SELECT 1 FROM contradictions WHERE sequence = ? AND data = ?)",
            (*row, told.sequence, told.text),
        )
        return Outcome.CONTRADICTS

    def _read(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._rows.execute(statement, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing, and on the disk when it is left."""
        with self._lock, self._rows:
            self._rows.execute("BEGIN IMMEDIATE")
            yield
