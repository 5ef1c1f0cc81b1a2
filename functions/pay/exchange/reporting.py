"""The use case: what the cities' chains hold since the last batch becomes the next one.

Obligations, by number:
1. A batch holds a run of each city's chain that follows the run of the batch before it: every event stands in
   exactly one batch, so no record twice and none missing.
2. Nothing counts before the batch's one row, written under the condition that its number is free: a run that is
   killed, a second one and a repeated one change nothing, and the next one does the work.
3. A chain is proved while it is read. A city whose chain does not hold, or has an event that cannot be read, stays
   where it is; the other cities go on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, Protocol

from avarez.canonical import canonical_bytes
from avarez.clock import from_rfc3339, to_rfc3339
from avarez.events.chain import GENESIS, Carried, Event, faults
from avarez.money import format_rial
from functions.pay.exchange.form import Column, File, file_name, files_of
from functions.pay.exchange.records import Car, Kind, Record, Told, payment_of, told_of

SCHEMA: Final = 1
PAGE: Final = 500
RECORDS_MAX: Final = 50_000
"""Of one batch: two files of some 25 MB, which a function holds. What is left is the next one's."""


class BatchUnsound(ValueError):
    """The last batch's manifest is not what its row says; a person must look."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as its row has it; `files` are name and key of each, the manifest last."""

    number: int
    manifest_sha256: str
    records: int
    incomplete: int
    cities: int
    made_at: str
    files: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Place:
    """How far a city's chain was reported."""

    sequence: int = 0
    hash: str = GENESIS


@dataclass
class Run:
    """A run of a city's chain, read and told.

    It goes no further than `until`, where the chain ended at its beginning: what is asked about its events
    afterwards lies in the past.
    """

    municipality: str
    after: Place
    end: Place
    until: int
    records: list[Record] = field(default_factory=list)
    city_fee_rial: int = 0


@dataclass
class Outcome:
    """What a call came to. `broken` are cities that do not move; `more` says that something is left to report."""

    batch: Batch | None = None
    broken: list[str] = field(default_factory=list)
    more: bool = False


class Chains(Protocol):
    """The cities' chains, read."""

    def heads(self) -> Mapping[str, int]:
        """The last sequence of each city that has a chain."""

    def carried(self, municipality: str) -> Carried:
        """How far the city's chain came with its books: who kept them before has reported that."""

    def read(self, municipality: str, *, after: int, limit: int) -> Sequence[Event]:
        """At most `limit` events that follow sequence `after`, in their order."""


class Vehicles(Protocol):
    """Vehicles as they were when their duty was assessed."""

    def cars(self, municipality: str, payments: Iterable[Mapping[str, Any]]) -> Mapping[str, Car]:
        """What is known of the vehicle of each payment, by the payment's id."""


class Accounts(Protocol):
    """The cities' bank accounts."""

    def iban(self, municipality: str, at: datetime) -> str:
        """The one in force at this instant, which has passed; nothing where there was none."""


class Batches(Protocol):
    """The batches that stand."""

    def last(self) -> Batch | None:
        """The newest batch."""

    def add(self, batch: Batch) -> bool:
        """Whether the batch now stands; not where another one of its number does."""


class Objects(Protocol):
    """Where files lie."""

    def keep(self, number: int, file: File) -> str:
        """The key of the file, which is stored and reads back as it is."""

    def read(self, key: str) -> bytes:
        """The file's content."""


@dataclass(frozen=True, slots=True)
class Reporter:
    """What the use case works with."""

    chains: Chains
    vehicles: Vehicles
    accounts: Accounts
    batches: Batches
    objects: Objects
    form: Sequence[Column]

    def report(self, now: datetime, time_left: Callable[[], bool]) -> Outcome:
        """The next batch, if any city has moved.

        Raises:
            ServiceBusy: nothing was reported, and the next run does the work.
            BatchUnsound.
        """
        before = self.batches.last()
        places = {} if before is None else self._places(before)
        outcome = Outcome()
        runs: list[Run] = []
        for city, sequence in sorted(self.chains.heads().items()):
            place = places.get(city) or self._beginning(city)
            if sequence <= place.sequence:
                continue
            room = RECORDS_MAX - sum(len(run.records) for run in runs)
            if room <= 0 or (runs and not time_left()):
                outcome.more = True
                break
            run = self._run(Run(city, place, place, sequence), room, time_left, outcome)
            if run.end != run.after:
                runs.append(run)
                places[city] = run.end
        if runs:
            outcome.batch = self._written(before, runs, places, now)
        return outcome

    def _beginning(self, city: str) -> Place:
        carried = self.chains.carried(city)
        return Place(carried.sequence, carried.hash)

    def _places(self, batch: Batch) -> dict[str, Place]:
        """How far each city was reported, by the batch's manifest."""
        content = self.objects.read(str(batch.files[-1]["key"]))
        if sha256(content).hexdigest() != batch.manifest_sha256:
            raise BatchUnsound(f"the manifest of batch {batch.number}")
        told = json.loads(content)
        return {one["municipality"]: Place(int(one["sequence"]), str(one["hash"])) for one in told["places"]}

    def _run(self, run: Run, room: int, time_left: Callable[[], bool], outcome: Outcome) -> Run:
        """The run, as far as room and time go, and up to the page that does not hold. (3)"""
        while run.end.sequence < run.until:
            limit = min(PAGE, run.until - run.end.sequence)
            page = self.chains.read(run.municipality, after=run.end.sequence, limit=limit)
            if not self._adds(run, page):
                outcome.broken.append(run.municipality)
                break
            if run.end.sequence < run.until and (len(run.records) >= room or not time_left()):
                outcome.more = True
                break
        return run

    def _adds(self, run: Run, page: Sequence[Event]) -> bool:
        """Whether the page holds and was added to the run; nothing of it was added otherwise."""
        city = run.municipality
        after = run.end
        if not page or any(faults(city, page, after_sequence=after.sequence, after_hash=after.hash)):
            return False
        try:
            told = self._told(city, [event.data for event in page])
        except (KeyError, TypeError, ValueError):
            return False
        run.records += [record for one in told for record in one.records]
        run.city_fee_rial += sum(one.city_fee_rial for one in told)
        run.end = Place(page[-1].sequence, page[-1].hash)
        return True

    def _told(self, city: str, events: Iterable[Mapping[str, Any]]) -> list[Told]:
        paid = [(data, payment) for data in events if (payment := payment_of(data)) is not None]
        cars = self.vehicles.cars(city, [payment for _, payment in paid])
        return [
            told_of(data, cars[payment["payment_id"]], self.accounts.iban(city, from_rfc3339(data["occurred_at"])))
            for data, payment in paid
        ]

    def _written(
        self, before: Batch | None, runs: Sequence[Run], places: Mapping[str, Place], now: datetime
    ) -> Batch | None:
        """The batch with its files; None where another run was first. (2)"""
        number = 1 if before is None else before.number + 1
        records = [record for run in runs for record in run.records]
        files = files_of(number, records, self.form)
        incomplete = sum(bool(record.lacks) for record in records)
        told = {
            "schema": SCHEMA,
            "number": number,
            "previous_manifest": GENESIS if before is None else before.manifest_sha256,
            "made_at": to_rfc3339(now),
            "columns": [one.column for one in self.form],
            "records": {kind.value: sum(record.kind == kind for record in records) for kind in Kind},
            "incomplete": incomplete,
            **_sums(records, sum(run.city_fee_rial for run in runs)),
            "runs": [_run_told(run) for run in runs],
            "places": [
                {"municipality": city, "sequence": place.sequence, "hash": place.hash}
                for city, place in sorted(places.items())
            ],
            "files": [_file_told(file) for file in files],
        }
        manifest = File(file_name(number, "manifest.json"), canonical_bytes(told))
        kept = tuple({**_file_told(file), "key": self.objects.keep(number, file)} for file in (*files, manifest))
        batch = Batch(
            number=number,
            manifest_sha256=manifest.sha256,
            records=len(records),
            incomplete=incomplete,
            cities=len(runs),
            made_at=to_rfc3339(now),
            files=kept,
        )
        return batch if self.batches.add(batch) else None


def _file_told(file: File) -> dict[str, Any]:
    return {"name": file.name, "size_bytes": len(file.content), "sha256": file.sha256}


def _sums(records: Iterable[Record], city_fee_rial: int) -> dict[str, str]:
    """Amount and rounding, less the fee that cities bore, are what the entries booked for the cities."""
    kept = list(records)
    return {
        "amount_rial": format_rial(sum(record.amount_rial for record in kept)),
        "rounding_rial": format_rial(sum(record.rounding_rial for record in kept)),
        "city_fee_rial": format_rial(city_fee_rial),
    }


def _run_told(run: Run) -> dict[str, Any]:
    return {
        "municipality": run.municipality,
        "sequence_from": run.after.sequence + 1,
        "sequence_to": run.end.sequence,
        "previous_hash": run.after.hash,
        "hash": run.end.hash,
        "records": len(run.records),
        **_sums(run.records, run.city_fee_rial),
    }
