"""The builder over chains, files and publications in memory."""

from __future__ import annotations

import json
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from avarez.errors import FiguresNotFound
from avarez.events.chain import Event, Head
from avarez.figures.files import CityFigures, Commitment, city_from, file_name
from avarez.figures.owed.files import owed_from
from avarez.figures.owed.rule import Charges, CityOwed
from avarez.figures.steps import Memory
from functions.report.ports import Standing
from functions.report.publishing import Outcome, publish
from tests.unit.figures.figures_events import BEGIN, City


@dataclass
class Desk:
    """Some cities, what was published of them, and each publication that stood."""

    cities: list[City]
    files: dict[str, bytes] = field(default_factory=dict)
    stood: list[Standing] = field(default_factory=list)
    taken: bool = False
    charged: dict[str, Charges] = field(default_factory=dict)
    memories: dict[tuple[str, Commitment], Memory] = field(default_factory=dict)

    def publish(self, now: datetime = BEGIN) -> Outcome:
        return publish(
            chains=self,
            files=self,
            publications=self,
            owing=self,
            cities=[city.municipality for city in self.cities],
            now=now,
            time_left=lambda: True,
        )

    # -- the ports -----------------------------------------------------------------------------------

    def head(self, municipality: str) -> Head:
        return self._city(municipality).head(municipality)

    def read(self, what: str, *, after: int = 0, limit: int = 0) -> Any:
        if limit:
            return self._events(what, after, limit)
        if what not in self.files:
            raise FiguresNotFound()
        return self.files[what]

    def keep(self, content: bytes, form: str) -> str:
        name = file_name(content, form)
        self.files[name] = content
        return name

    def charges(self, municipality: str) -> Charges | None:
        return self.charged.get(municipality)

    def memory(self, municipality: str, at: Commitment) -> Memory | None:
        return deepcopy(self.memories.get((municipality, Commitment(at.sequence, at.hash))))

    def keep_memory(self, municipality: str, at: Commitment, memory: Memory) -> None:
        self.memories[municipality, Commitment(at.sequence, at.hash)] = deepcopy(memory)

    def standing(self) -> Standing | None:
        return self.stood[-1] if self.stood else None

    def replace(self, before: Standing | None, after: Standing) -> bool:
        if self.taken or before != self.standing():
            return False
        self.stood.append(after)
        return True

    # -- what is published ---------------------------------------------------------------------------

    def manifest(self, place: int = -1) -> dict[str, Any]:
        return dict(json.loads(self.files[self.stood[place].manifest]))

    def figures(self, municipality: str, place: int = -1) -> CityFigures:
        (entry,) = [of for of in self.manifest(place)["cities"] if of["municipality"] == municipality]
        return city_from(self.files[entry["files"]["json"]["name"]])

    def owed(self, municipality: str, place: int = -1) -> CityOwed:
        """What is told of the city's charges; nothing where there is nothing yet."""
        (entry,) = [of for of in self.manifest(place)["cities"] if of["municipality"] == municipality]
        if "owed" not in entry:
            return CityOwed(municipality)
        return owed_from(self.files[entry["owed"]["files"]["json"]["name"]])

    def _city(self, municipality: str) -> City:
        return next(city for city in self.cities if city.municipality == municipality)

    def _events(self, municipality: str, after: int, limit: int) -> Sequence[Event]:
        return self._city(municipality).read(municipality, after=after, limit=limit)
