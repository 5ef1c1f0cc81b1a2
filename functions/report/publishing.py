"""The use case: what the cities' chains hold since the last publication becomes the next one.

A city's step is a run of its chain that follows its commitment. The rows so far come from the city's own published
file, the step from its events alone, so nothing is kept besides what is published. Nothing stands before the last
write, which asks that the publication before is still the one that it was computed from: a kill at any point, a
second builder and a repeated run change nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

from avarez.clock import to_rfc3339
from avarez.events.chain import Event, faults
from avarez.figures.cells import Books, CellKey, day_of, shares_of
from avarez.figures.files import (
    SCHEMA,
    CityFigures,
    Commitment,
    FiguresUnsound,
    StepEnd,
    city_files,
    city_from,
    entry_of,
    manifest_bytes,
    step_end,
)
from avarez.figures.merging import added
from avarez.figures.owed.rule import CityOwed
from avarez.figures.steps import Run, Watch
from avarez.planning.document import planning_files
from functions.report.owed import Owing, tell, watch_of
from functions.report.ports import PAGE, Chains, Files, Standing

STEP_EVENTS_MAX: Final = 2_000_000
"""Of one city in one step: an hour of reading. A city that is further behind takes several steps."""


class Publications(Protocol):
    """Which publication stands."""

    def standing(self) -> Standing | None: ...

    def replace(self, before: Standing | None, after: Standing) -> bool: ...


@dataclass(frozen=True, slots=True)
class Step:
    """The rows of a run of the chain, and where it ends."""

    rows: Mapping[CellKey, tuple[int, int]]
    end: StepEnd


@dataclass
class Reading:
    """A chain read from a commitment on: the steps that can be taken, and what was read behind the last."""

    watch: Watch
    steps: list[Step] = field(default_factory=list)
    books: Books = field(default_factory=Books)
    read_to: Commitment = field(default_factory=Commitment)
    day: str = ""
    run: Run = field(default_factory=Run)

    def take(self, event: Event) -> None:
        """One event more. With the first of a later day the run before it becomes a step, if it may be told."""
        day = day_of(event.data)
        if self.day and day > self.day:
            self.close()
        self.run.take(shares_of(event.data, self.books))
        self.day = max(self.day, day)
        self.read_to = Commitment(event.sequence, event.hash)

    def close(self) -> None:
        """What was read since the last step becomes one, if there is anything and it is of enough vehicles."""
        rows = self.watch.rows(self.run)
        if rows:
            self.steps.append(Step(rows, step_end(self.read_to.sequence, self.read_to.hash, self.day, rows)))
            self.watch.took(self.run)
            self.run = Run()


@dataclass
class Outcome:
    """What a run came to. `waiting` are cities with news of too few vehicles, `broken` those whose chain does not
    hold; neither moves. `owed` are those of which a duty year's charges were told."""

    publication: Standing | None = None
    advanced: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    owed: list[str] = field(default_factory=list)
    events: int = 0


def publish(
    *,
    chains: Chains,
    files: Files,
    publications: Publications,
    owing: Owing,
    cities: Sequence[str],
    now: datetime,
    time_left: Callable[[], bool],
) -> Outcome:
    """One publication, if any city has moved; each city's commitment is the last event that its figures hold.

    Raises:
        ServiceBusy: nothing was published, and the next run does the work.
        FiguresUnsound: what stands is not what its name says; a person must look.
    """
    outcome = Outcome()
    before = publications.standing()
    manifest: Mapping[str, Any] = {} if before is None else json.loads(files.read(before.manifest))
    if manifest and manifest["schema"] != SCHEMA:
        raise FiguresUnsound(f"a manifest of schema {manifest['schema']}")
    entries: dict[str, Mapping[str, Any]] = {of["municipality"]: of for of in manifest.get("cities", ())}
    changed = False
    for municipality in cities:
        if not time_left():
            break
        entry = _entry_after(chains, files, owing, municipality, entries.get(municipality), time_left, outcome)
        if entry is not None:
            entries[municipality], changed = entry, True
    if not changed:
        return outcome
    number, previous = (1, "") if before is None else (before.number + 1, before.manifest)
    content = manifest_bytes(number, previous, to_rfc3339(now), list(entries.values()))
    standing = Standing(number, files.keep(content, "json"))
    if publications.replace(before, standing):
        outcome.publication = standing
    return outcome


def _entry_after(
    chains: Chains,
    files: Files,
    owing: Owing,
    municipality: str,
    entry: Mapping[str, Any] | None,
    time_left: Callable[[], bool],
    outcome: Outcome,
) -> dict[str, Any] | None:
    """What the next manifest says of the city, every file of it kept; None where there is nothing new of it."""
    city = CityFigures(municipality, (), {}) if entry is None else city_from(files.read(_json_name(entry)))
    watch = watch_of(chains, files, owing, entry, city.commitment, municipality, time_left)
    if watch is None:
        return None
    after = _advanced(chains, city, watch, time_left, outcome)
    owed = tell(files, owing, watch)
    if after is None:
        if owed is None or entry is None:
            return None
        outcome.owed.append(municipality)
        return {**entry, "owed": owed}
    contents, planning = city_files(after), planning_files(after)
    for form, content in (*contents.items(), *planning.items()):
        files.keep(content, form)
    owing.keep_memory(municipality, after.commitment, watch.memory)
    outcome.advanced.append(municipality)
    if owed is not None:
        outcome.owed.append(municipality)
    return entry_of(after, contents, planning, owed or (None if entry is None else entry.get("owed")))


def _json_name(entry: Mapping[str, Any]) -> str:
    return str(entry["files"]["json"]["name"])


def _advanced(
    chains: Chains, city: CityFigures, watch: Watch, time_left: Callable[[], bool], outcome: Outcome
) -> CityFigures | None:
    """The city's figures after its next steps; None where there is no news, or none that may be told."""
    if chains.head(city.municipality).sequence <= city.commitment.sequence:
        return None
    reading = read_steps(chains, city.municipality, city.commitment, time_left, watch)
    if reading is None:
        outcome.broken.append(city.municipality)
        return None
    outcome.events += reading.read_to.sequence - city.commitment.sequence
    if not reading.steps:
        outcome.waiting.append(city.municipality)
        return None
    rows: Mapping[CellKey, tuple[int, int]] = city.rows
    for step in reading.steps:
        rows = added(rows, step.rows)
    return CityFigures(city.municipality, (*city.steps, *(step.end for step in reading.steps)), dict(rows))


def read_steps(
    chains: Chains,
    municipality: str,
    since: Commitment,
    time_left: Callable[[], bool],
    watch: Watch | None = None,
) -> Reading | None:
    """The chain from the commitment to its end, or as far as the time goes, proved while it is read.

    A step ends with a day, so that a year's curve is told by day whenever the figures were built; a day of too few
    vehicles goes on into the next one. None where the chain does not hold, or an event cannot be read.
    """
    watch = watch or Watch(CityOwed(municipality))
    reading = Reading(watch, read_to=Commitment(since.sequence, since.hash))
    while reading.read_to.sequence - since.sequence < STEP_EVENTS_MAX and (
        reading.read_to.sequence == since.sequence or time_left()
    ):
        before = reading.read_to
        page = chains.read(municipality, after=before.sequence, limit=PAGE)
        fault = next(faults(municipality, page, after_sequence=before.sequence, after_hash=before.hash), None)
        if fault is not None:
            return None
        try:
            for event in page:
                reading.take(event)
        except (KeyError, TypeError, ValueError):
            return None
        if len(page) < PAGE:
            break
    reading.close()
    return reading
