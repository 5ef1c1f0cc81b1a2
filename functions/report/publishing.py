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
from avarez.events.chain import Event, Head, faults
from avarez.figures.cells import Books, CellKey, Tally, add_events
from avarez.figures.files import (
    SCHEMA,
    CityFigures,
    Commitment,
    FiguresUnsound,
    city_files,
    city_from,
    entry_of,
    manifest_bytes,
)
from avarez.figures.merging import added, merged

PAGE: Final = 1_000
STEP_EVENTS_MAX: Final = 2_000_000
"""Of one city in one step: an hour of reading. A city that is further behind takes several steps."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A publication by its number and the name of its manifest."""

    number: int
    manifest: str


class Chains(Protocol):
    """The cities' chains of events, read."""

    def head(self, municipality: str) -> Head: ...

    def read(self, municipality: str, *, after: int, limit: int) -> Sequence[Event]: ...


class Files(Protocol):
    """What was published, by content."""

    def keep(self, content: bytes, form: str) -> str: ...

    def read(self, name: str) -> bytes: ...


class Publications(Protocol):
    """Which publication stands."""

    def standing(self) -> Standing | None: ...

    def replace(self, before: Standing | None, after: Standing) -> bool: ...


@dataclass(frozen=True, slots=True)
class Step:
    """What a run of the chain comes to, and where it ends."""

    tallies: Mapping[CellKey, Tally]
    books: Books
    end: Commitment


@dataclass
class Outcome:
    """What a run came to. `waiting` are cities with news of too few vehicles, `broken` those whose chain does not
    hold; neither moves."""

    publication: Standing | None = None
    advanced: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    events: int = 0


def publish(
    *,
    chains: Chains,
    files: Files,
    publications: Publications,
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
    for municipality in cities:
        if not time_left():
            break
        entry = entries.get(municipality)
        city = CityFigures(municipality, (), {}) if entry is None else city_from(files.read(_json_name(entry)))
        after = _advanced(chains, city, time_left, outcome)
        if after is None:
            continue
        contents = city_files(after)
        for form, content in contents.items():
            files.keep(content, form)
        entries[municipality] = entry_of(after, contents)
        outcome.advanced.append(municipality)
    if not outcome.advanced:
        return outcome
    number, previous = (1, "") if before is None else (before.number + 1, before.manifest)
    content = manifest_bytes(number, previous, to_rfc3339(now), list(entries.values()))
    standing = Standing(number, files.keep(content, "json"))
    if publications.replace(before, standing):
        outcome.publication = standing
    return outcome


def _json_name(entry: Mapping[str, Any]) -> str:
    return str(entry["files"]["json"]["name"])


def _advanced(
    chains: Chains, city: CityFigures, time_left: Callable[[], bool], outcome: Outcome
) -> CityFigures | None:
    """The city's figures after its next step; None where there is no news, or none that may be told."""
    if chains.head(city.municipality).sequence <= city.commitment.sequence:
        return None
    step = read_step(chains, city.municipality, city.commitment, time_left)
    if step is None:
        outcome.broken.append(city.municipality)
        return None
    outcome.events += step.end.sequence - city.commitment.sequence
    rows = merged(step.tallies)
    if not rows:
        outcome.waiting.append(city.municipality)
        return None
    return CityFigures(city.municipality, (*city.steps, step.end), added(city.rows, rows))


def read_step(chains: Chains, municipality: str, since: Commitment, time_left: Callable[[], bool]) -> Step | None:
    """The chain from the commitment to its end, or as far as the time goes, proved while it is read.

    None where it does not hold, or an event cannot be read.
    """
    tallies: dict[CellKey, Tally] = {}
    books = Books()
    end = since
    while end.sequence - since.sequence < STEP_EVENTS_MAX and (end == since or time_left()):
        page = chains.read(municipality, after=end.sequence, limit=PAGE)
        if next(faults(municipality, page, after_sequence=end.sequence, after_hash=end.hash), None) is not None:
            return None
        try:
            add_events(tallies, books, (event.data for event in page))
        except (KeyError, TypeError, ValueError):
            return None
        if page:
            end = Commitment(page[-1].sequence, page[-1].hash)
        if len(page) < PAGE:
            break
    return Step(tallies, books, end)
