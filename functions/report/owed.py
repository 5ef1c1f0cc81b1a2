"""The use case's other half: what a roll is charged, told once a duty year and watched at every later step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from avarez.figures.cells import Books, shares_of
from avarez.figures.files import Commitment
from avarez.figures.owed.files import owed_entry, owed_files, owed_from
from avarez.figures.owed.rule import Charges, CityOwed, told
from avarez.figures.steps import Memory, Watch
from functions.report.ports import PAGE, Chains, Files


class Owing(Protocol):
    """What the nightly receivables say of a city, and what the builder remembers of its events."""

    def charges(self, municipality: str) -> Charges | None: ...

    def memory(self, municipality: str, at: Commitment) -> Memory | None: ...

    def keep_memory(self, municipality: str, at: Commitment, memory: Memory) -> None: ...


def watch_of(
    chains: Chains,
    files: Files,
    owing: Owing,
    entry: Mapping[str, Any] | None,
    at: Commitment,
    municipality: str,
    time_left: Callable[[], bool],
) -> Watch | None:
    """What stands; None where the memory is gone and the time does not suffice to read all events again."""
    steps = 0 if entry is None else int(entry["steps"])
    owed = None if entry is None else entry.get("owed")
    city = CityOwed(municipality) if owed is None else owed_from(files.read(str(owed["files"]["json"]["name"])))
    memory = Memory() if at.sequence == 0 else owing.memory(municipality, at)
    if memory is None:
        memory = _remembered(chains, municipality, at.sequence, time_left)
    return None if memory is None else Watch(city, steps, memory)


def tell(files: Files, owing: Owing, watch: Watch) -> dict[str, Any] | None:
    """What the manifest says of the city's charges from now on, its files kept; None where there is no more."""
    charges = owing.charges(watch.city.municipality)
    if charges is None or watch.steps == 0:
        return None
    city = told(watch.city, charges, watch.memory.payers, watch.steps)
    if city == watch.city:
        return None
    contents = owed_files(city)
    for form, content in contents.items():
        files.keep(content, form)
    return owed_entry(city, contents)


def _remembered(chains: Chains, municipality: str, last: int, time_left: Callable[[], bool]) -> Memory | None:
    """The memory of the chain up to an event, which was proved when it was published."""
    memory = Memory()
    after, books = 0, Books()
    while after < last:
        if not time_left():
            return None
        page = chains.read(municipality, after=after, limit=min(PAGE, last - after))
        if not page:
            return None
        for event in page:
            memory.take(shares_of(event.data, books))
        after = page[-1].sequence
    return memory
