"""The use case: each day's files of a city, one day after the other, each day once, whoever else is at it.

Obligations, by number:
1. A day is made some minutes after its midnight in Tehran: whatever got its place before then is there to read.
2. The files' bytes follow from the chain alone: a second run writes the same ones under the same names.
3. The manifest counts once the row of its day stands, written under the condition that it is the first; a run that
   is killed before leaves files that the next one finds as they should be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Protocol

from avarez.clock import TEHRAN, from_rfc3339, next_tehran_midnight, tehran_today, to_rfc3339
from avarez.errors import TransactionRefused
from avarez.events.chain import GENESIS, Event, Head
from avarez.events.files import (
    EVENTS_PER_FILE,
    FileEntry,
    Manifest,
    csv_file,
    entry_of,
    file_name,
    is_late,
    json_lines,
    manifest_name,
    sign_manifest,
    token_hash,
)
from avarez.ports import Signer

GRACE: Final = timedelta(minutes=10)
"""Of a writer that took its time before midnight and wrote after it [1]: transactions end within a minute."""
READ_MAX: Final = 1_000
DAYS_PER_RUN_MAX: Final = 40


@dataclass(frozen=True, slots=True)
class Last:
    """The last day of which there are files, and where its events end."""

    day: date
    sequence: int
    hash: str
    manifest_hash: str


class Chain(Protocol):
    """The cities' chains, read."""

    def head(self, municipality: str) -> Head:
        """How far the chain is."""

    def read(self, municipality: str, *, after: int, limit: int) -> Sequence[Event]:
        """At most `limit` events that follow sequence `after`, in their order."""


class Days(Protocol):
    """What was made of each day."""

    def last(self, municipality: str) -> Last | None:
        """The last day that was made."""

    def add(self, before: Last | None, manifest: Manifest, manifest_hash: str) -> None:
        """The day is made.

        Raises:
            TransactionRefused: somebody else made it, or another day, meanwhile.
        """


class Objects(Protocol):
    """Where files lie."""

    def keep(self, municipality: str, day: date, name: str, content: bytes) -> None:
        """Stores the file, and returns only when it reads back as it is. A file of these bytes may be there."""

    def keep_manifest(self, municipality: str, day: date, name: str, token: str) -> None:
        """Stores a manifest beside whatever another run may have signed of the same day."""


@dataclass(frozen=True, slots=True)
class Maker:
    """What the use case works with."""

    chain: Chain
    days: Days
    objects: Objects
    signer: Callable[[], Signer]

    def make_due(self, municipality: str, now: datetime, time_left: Callable[[], bool]) -> int:
        """How many days of the city were made: all that are over, as far as the time goes."""
        yesterday = tehran_today(now - GRACE) - timedelta(days=1)
        made = 0
        for _ in range(DAYS_PER_RUN_MAX):
            last = self.days.last(municipality)
            day = self._first_day(municipality) if last is None else last.day + timedelta(days=1)
            if day is None or day > yesterday or not time_left():
                break
            try:
                self._make(municipality, day, last, now)
            except TransactionRefused:
                break  # another run is at it
            made += 1
        return made

    def _first_day(self, municipality: str) -> date | None:
        first = self.chain.read(municipality, after=0, limit=1)
        return tehran_today(from_rfc3339(first[0].sequenced_at)) if first else None

    def _make(self, municipality: str, day: date, last: Last | None, now: datetime) -> None:
        after, previous_hash = (0, GENESIS) if last is None else (last.sequence, last.hash)
        sequence, ends_with, late = after, previous_hash, 0
        entries: list[FileEntry] = []
        for part, events in enumerate(self._parts(municipality, day, after), 1):
            for ending, content in (("jsonl", json_lines(events)), ("csv", csv_file(events, day))):
                name = file_name(municipality, day, part, ending)
                self.objects.keep(municipality, day, name, content)
                entries.append(entry_of(name, content, len(events)))
            late += sum(is_late(event, day) for event in events)
            if events:
                sequence, ends_with = events[-1].sequence, events[-1].hash
        manifest = Manifest(
            municipality=municipality,
            day=day,
            sequence_from=after + 1,
            sequence_to=sequence,
            previous_hash=previous_hash,
            hash=ends_with,
            late=late,
            files=tuple(entries),
            previous_manifest=GENESIS if last is None else last.manifest_hash,
            made_at=now,
        )
        token = sign_manifest(manifest, self.signer())
        self.objects.keep_manifest(municipality, day, manifest_name(municipality, day), token)
        self.days.add(last, manifest, token_hash(token))

    def _parts(self, municipality: str, day: date, after: int) -> Iterator[list[Event]]:
        """The day's events in files of at most EVENTS_PER_FILE; one without any for an empty day."""
        end = to_rfc3339(next_tehran_midnight(datetime(day.year, day.month, day.day, 12, tzinfo=TEHRAN)))
        part: list[Event] = []
        any_yet = False
        while True:
            page = self.chain.read(municipality, after=after, limit=READ_MAX)
            of_day = [event for event in page if event.sequenced_at < end]
            for event in of_day:
                part.append(event)
                if len(part) == EVENTS_PER_FILE:
                    yield part
                    part, any_yet = [], True
            if len(of_day) < len(page) or not page:
                break
            after = page[-1].sequence
        if part or not any_yet:
            yield part
