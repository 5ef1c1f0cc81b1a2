"""A run of a city's events on its way to become a step, and what is remembered of all events before it. Pure.

Rows alone do not say whether the next ones are safe beside them: that takes who has paid of each duty year and of
which duties something was given back. Both follow from the events, so whoever has those can count them again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from avarez.figures.cells import CellKey, Duty, Share, Tally, add_shares
from avarez.figures.merging import merged
from avarez.figures.owed.rule import CityOwed, Payers, closed, count_payers


@dataclass(slots=True)
class Memory:
    """What the rows of later steps depend on.

    `payers` are the payments of each duty year and class, `returned` the duties of which something was given back.
    """

    payers: Payers = field(default_factory=dict)
    returned: set[Duty] = field(default_factory=set)

    def take(self, shares: Iterable[Share]) -> None:
        """Adds what one event, or several, come to."""
        shares = list(shares)
        count_payers(self.payers, shares)
        self.returned.update(share.duty for share in shares if share.gives_back)

    def follow(self, later: Memory) -> None:
        """Adds a memory of later events."""
        for duty, count in later.payers.items():
            self.payers[duty] = self.payers.get(duty, 0) + count
        self.returned |= later.returned


@dataclass(slots=True)
class Run:
    """The events since the last step: their cells, and what will be remembered of them."""

    tallies: dict[CellKey, Tally] = field(default_factory=dict)
    memory: Memory = field(default_factory=Memory)

    def take(self, shares: Iterable[Share]) -> None:
        """Adds what one event, or several, come to."""
        shares = list(shares)
        add_shares(self.tallies, shares)
        self.memory.take(shares)


@dataclass(slots=True)
class Watch:
    """What the next step has to mind: what is told of the city's charges, and what its `steps` so far held."""

    city: CityOwed
    steps: int = 0
    memory: Memory = field(default_factory=Memory)

    def rows(self, run: Run) -> dict[CellKey, tuple[int, int]] | None:
        """The rows of the step that the run becomes; None, or no row, where it may not become one yet."""
        payers = dict(self.memory.payers)
        for duty, count in run.memory.payers.items():
            payers[duty] = payers.get(duty, 0) + count
        before, since = self.memory.returned, run.memory.returned
        return merged(
            run.tallies,
            returned=lambda duty: duty in since or duty in before,
            closed=closed(self.city, payers, self.steps),
        )

    def took(self, run: Run) -> None:
        """The run became a step."""
        self.memory.follow(run.memory)
        self.steps += 1
