"""Coverage: which vehicles of a roll the tariff has nothing for, by class and duty year."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from avarez.assessment.engine import first_assessed_year
from avarez.assessment.model import Vehicle
from avarez.assessment.tariff.table import Tariff
from avarez.jalali import to_jalali


@dataclass(frozen=True, slots=True)
class Coverage:
    """Vehicles of a roll by class and duty year: how many are charged, and how many find no principal."""

    vehicles: int
    charged: Counter[tuple[str, int]]
    missing: Counter[tuple[str, int]]

    @property
    def whole(self) -> bool:
        """Whether every vehicle finds a principal for every year that it owes."""
        return not self.missing

    def to_json(self) -> dict[str, Any]:
        """Sorted by class and year."""
        return {
            "vehicles": self.vehicles,
            "missing": [
                {"vehicle_class": name, "year": year, "vehicles": count, "charged": self.charged[name, year]}
                for (name, year), count in sorted(self.missing.items())
            ],
        }


def coverage_of(
    vehicles: Iterable[Vehicle], tariff: Tariff, municipality: str, as_of: date, through_year: int
) -> Coverage:
    """How much of the roll the tariff covers, in each year that the city charges."""
    settings = tariff.settings(municipality, as_of)
    charged: Counter[tuple[str, int]] = Counter()
    missing: Counter[tuple[str, int]] = Counter()
    count = 0
    for vehicle in vehicles:
        count += 1
        path = tariff.path(vehicle)
        start = to_jalali(vehicle.duty_starts).year
        for year in range(first_assessed_year(start, settings, as_of), through_year + 1):
            rows = tariff.year_rows(municipality, year, vehicle.vehicle_class)
            found = rows.principal.first_for(vehicle, path)
            (missing if found is None else charged)[vehicle.vehicle_class.value, year] += 1
    return Coverage(count, charged, missing)
