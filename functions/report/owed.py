"""The use case's other half: what a roll is charged, told once a duty year and watched at every later step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from avarez.figures.cells import Books, CellKey, shares_of
from avarez.figures.files import Commitment
from avarez.figures.owed.files import owed_entry, owed_files, owed_from
from avarez.figures.owed.rule import Charges, CityOwed, Payers, closed, count_payers, told
from functions.report.ports import PAGE, Chains, Files


class Owing(Protocol):
    """What the nightly receivables say of a city, and the counts that the builder keeps for itself."""

    def charges(self, municipality: str) -> Charges | None: ...

    def payers(self, municipality: str, at: Commitment) -> Payers | None: ...

    def keep_payers(self, municipality: str, at: Commitment, payers: Payers) -> None: ...


@dataclass
class Watch:
    """What is told of a city's charges, and how many have paid of each duty by the last step."""

    city: CityOwed
    steps: int = 0
    payers: Payers = field(default_factory=dict)

    def after(self, step: Payers) -> Payers:
        """The payers after a step of these."""
        return {duty: self.payers.get(duty, 0) + step.get(duty, 0) for duty in {*self.payers, *step}}

    def closed_after(self, step: Payers) -> Callable[[CellKey], bool]:
        """Which cells may make no row of a step of these payers."""
        return closed(self.city, self.after(step), self.steps)

    def took(self, step: Payers) -> None:
        """The step was taken."""
        self.payers, self.steps = self.after(step), self.steps + 1


def watch_of(
    chains: Chains,
    files: Files,
    owing: Owing,
    entry: Mapping[str, Any] | None,
    at: Commitment,
    municipality: str,
    time_left: Callable[[], bool],
) -> Watch | None:
    """What stands; None where the kept counts are gone and the time does not suffice to count again."""
    steps = 0 if entry is None else int(entry["steps"])
    owed = None if entry is None else entry.get("owed")
    city = CityOwed(municipality) if owed is None else owed_from(files.read(str(owed["files"]["json"]["name"])))
    payers = {} if at.sequence == 0 else owing.payers(municipality, at)
    if payers is None:
        payers = _counted(chains, municipality, at.sequence, time_left)
    return None if payers is None else Watch(city, steps, payers)


def tell(files: Files, owing: Owing, watch: Watch) -> dict[str, Any] | None:
    """What the manifest says of the city's charges from now on, its files kept; None where there is no more."""
    charges = owing.charges(watch.city.municipality)
    if charges is None or watch.steps == 0:
        return None
    city = told(watch.city, charges, watch.payers, watch.steps)
    if city == watch.city:
        return None
    contents = owed_files(city)
    for form, content in contents.items():
        files.keep(content, form)
    return owed_entry(city, contents)


def _counted(chains: Chains, municipality: str, last: int, time_left: Callable[[], bool]) -> Payers | None:
    """The payers of the chain up to an event, which was proved when it was published."""
    payers: Payers = {}
    after, books = 0, Books()
    while after < last:
        if not time_left():
            return None
        page = chains.read(municipality, after=after, limit=min(PAGE, last - after))
        if not page:
            return None
        for event in page:
            count_payers(payers, shares_of(event.data, books))
        after = page[-1].sequence
    return payers
