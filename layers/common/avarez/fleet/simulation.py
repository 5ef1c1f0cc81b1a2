"""What a draft tariff does to a whole roll before anybody pays: totals, winners and losers, examples explained.

The totals are sums of what each vehicle owes, rounding included: what the published tariff would charge, to the
rial.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import numpy as np

from avarez.assessment.differences import changes_between
from avarez.assessment.engine import assess
from avarez.assessment.tariff.table import Tariff
from avarez.assessment.texts import LineKind
from avarez.errors import TariffMissing
from avarez.fleet.columns import CLASSES
from avarez.fleet.engine import BlockAssessment, Question, assess_block
from avarez.fleet.fleet import Fleet
from avarez.jalali import to_jalali
from avarez.money import format_rial

AGE_BANDS: Final = ((0, 4), (5, 9), (10, 14), (15, 19), (20, 29), (30, 299))
"""Years of age in the year of the assessment, both ends included."""
EXAMPLES: Final = 5
"""Winners and losers shown of each city."""


@dataclass(slots=True)
class Tally:
    """Sums of one group: vehicles, what they owe before and after, how many owe less, more, the same."""

    vehicles: int = 0
    before_rial: int = 0
    after_rial: int = 0
    winners: int = 0
    losers: int = 0
    not_assessed_before: int = 0
    not_assessed_after: int = 0

    def add(self, other: Tally) -> None:
        """Takes in another group."""
        for name in self.__dataclass_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def to_json(self) -> dict[str, Any]:
        """The form in answers."""
        return {
            "vehicles": self.vehicles,
            "before_rial": format_rial(self.before_rial),
            "after_rial": format_rial(self.after_rial),
            "difference_rial": format_rial(self.after_rial - self.before_rial),
            "winners": self.winners,
            "losers": self.losers,
            "unchanged": self.vehicles - self.winners - self.losers,
            "not_assessed_before": self.not_assessed_before,
            "not_assessed_after": self.not_assessed_after,
        }


@dataclass(slots=True)
class CitySimulation:
    """One city's roll under two tariffs. `without_tariff` counts the vehicles by class and year for which the
    second one has no principal."""

    municipality: str
    whole: Tally = field(default_factory=Tally)
    by_class: dict[str, Tally] = field(default_factory=dict)
    by_age: dict[str, Tally] = field(default_factory=dict)
    by_year: dict[int, tuple[int, int]] = field(default_factory=dict)
    by_kind: dict[str, tuple[int, int]] = field(default_factory=dict)
    without_tariff: Counter[tuple[str, int]] = field(default_factory=Counter)
    examples: list[dict[str, Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The form in answers; groups in a fixed order."""

        def pairs(found: Mapping[Any, tuple[int, int]], name: str) -> list[dict[str, Any]]:
            return [
                {name: key, "before_rial": format_rial(first), "after_rial": format_rial(second)}
                for key, (first, second) in found.items()
            ]

        return {
            "municipality": self.municipality,
            "totals": self.whole.to_json(),
            "by_class": [{"vehicle_class": name, **tally.to_json()} for name, tally in self.by_class.items()],
            "by_age": [{"age_years": name, **tally.to_json()} for name, tally in self.by_age.items()],
            "by_year": pairs(dict(sorted(self.by_year.items())), "year"),
            "by_kind": pairs(self.by_kind, "kind"),
            "without_tariff": [
                {"vehicle_class": name, "year": year, "vehicles": count}
                for (name, year), count in sorted(self.without_tariff.items())
            ],
            "examples": self.examples,
        }


@dataclass(slots=True)
class Simulation:
    """Rolls of some cities under two tariffs on one day. `before` None: there was no tariff."""

    before: Tariff | None
    after: Tariff
    as_of: date
    through_year: int
    cities: list[CitySimulation] = field(default_factory=list)

    def add_city(self, municipality: str, fleet: Fleet) -> CitySimulation:
        """Assesses one city's vehicles under both tariffs and keeps the sums."""
        city = CitySimulation(municipality)
        second = Question.of(self.after, municipality, self.as_of, self.through_year)
        first = Question.of(self.before, municipality, self.as_of, self.through_year) if self.before else None
        largest: list[tuple[int, int]] = []
        smallest: list[tuple[int, int]] = []
        for start, block in fleet.blocks():
            before = assess_block(block, first) if first else None
            after = assess_block(block, second)
            change = after.owed_rial - (before.owed_rial if before else 0)
            self._tally(city, block, before, after, change)
            order = np.argsort(change, kind="stable")
            ends = [*order[:EXAMPLES], *order[-EXAMPLES:]]
            for at in {int(position) for position in ends}:
                amount = int(change[at])
                if amount > 0:
                    heapq.heappush(largest, (amount, start + at))
                elif amount < 0:
                    heapq.heappush(smallest, (-amount, start + at))
            for heap in (largest, smallest):
                while len(heap) > EXAMPLES:
                    heapq.heappop(heap)
        chosen = sorted(largest, reverse=True) + sorted(smallest, reverse=True)
        city.examples = [self._example(fleet, position, municipality) for _, position in chosen]
        self.cities.append(city)
        return city

    def _tally(
        self,
        city: CitySimulation,
        block: Fleet,
        before: BlockAssessment | None,
        after: BlockAssessment,
        change: Any,
    ) -> None:
        classes = block.columns["vehicle_class"]
        ages = to_jalali(self.as_of).year - block.model_years_jalali(
            self.after.settings(city.municipality, self.as_of).gregorian_model_year_offset
        )
        city.whole.add(_tally(slice(None), before, after, change))
        for code, name in enumerate(CLASSES):
            mask = classes == code
            if mask.any():
                city.by_class.setdefault(name.value, Tally()).add(_tally(mask, before, after, change))
            for year, missing in after.missing_years.items():
                city.without_tariff[name.value, year] += int((missing & mask).sum())
        city.without_tariff = +city.without_tariff
        for low, high in AGE_BANDS:
            mask = (low <= np.maximum(ages, 0)) & (np.maximum(ages, 0) <= high)
            if mask.any():
                band = f"{low}-{high}" if high < AGE_BANDS[-1][1] else f"{low}+"
                city.by_age.setdefault(band, Tally()).add(_tally(mask, before, after, change))
        for side, done in enumerate((before, after)):
            if done is None:
                continue
            counted = ~done.missing
            for year, totals in done.year_totals.items():
                _grow(city.by_year, year, side, int(totals[counted].sum(dtype=object)))
            kinds: Counter[LineKind] = Counter()
            for (_, kind), amounts in done.amounts.items():
                kinds[kind] += int(amounts[counted].sum(dtype=object))
            kinds[LineKind.ROUNDING] = int(done.rounding_rial.sum(dtype=object))
            for kind, amount in kinds.items():
                _grow(city.by_kind, kind.value, side, amount)

    def _example(self, fleet: Fleet, position: int, municipality: str) -> dict[str, Any]:
        """One vehicle's change, explained by the scalar engine."""
        vehicle = fleet.vehicle(position)
        answers = []
        for tariff in (self.before, self.after):
            try:
                answers.append(
                    tariff and assess(vehicle, (), (), tariff, self.as_of, self.through_year, municipality)
                )
            except TariffMissing:
                answers.append(None)
        before, after = answers
        changes = changes_between(before.lines, after.lines) if before and after else ()
        first, second = (answer.owed_rial if answer else 0 for answer in answers)
        return {
            "plate": fleet.plate(position),
            "vehicle": vehicle.to_json(),
            "before_rial": format_rial(first),
            "after_rial": format_rial(second),
            "difference_rial": format_rial(second - first),
            "changes": [part.to_json() for part in changes],
        }

    def totals(self) -> Tally:
        """All cities together."""
        total = Tally()
        for city in self.cities:
            total.add(city.whole)
        return total

    def to_json(self) -> dict[str, Any]:
        """The form in answers."""
        return {
            "as_of": self.as_of.isoformat(),
            "through_year": self.through_year,
            "before": self.before.content_hash if self.before else None,
            "after": self.after.content_hash,
            "totals": self.totals().to_json(),
            "cities": [city.to_json() for city in self.cities],
        }


def _tally(mask: Any, before: BlockAssessment | None, after: BlockAssessment, change: Any) -> Tally:
    changed = change[mask]
    return Tally(
        vehicles=len(changed),
        before_rial=int(before.owed_rial[mask].sum(dtype=object)) if before else 0,
        after_rial=int(after.owed_rial[mask].sum(dtype=object)),
        winners=int((changed < 0).sum()),
        losers=int((changed > 0).sum()),
        not_assessed_before=int(before.missing[mask].sum()) if before else len(changed),
        not_assessed_after=int(after.missing[mask].sum()),
    )


def _grow(found: dict[Any, tuple[int, int]], key: Any, side: int, amount: int) -> None:
    first, second = found.get(key, (0, 0))
    found[key] = (first + amount, second) if side == 0 else (first, second + amount)
