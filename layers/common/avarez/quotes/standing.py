"""What a vehicle owes anywhere, year by year, across moves and sales. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from avarez.assessment.model import residence_on
from avarez.assessment.texts import LineKind
from avarez.assessment.trace import Assessment
from avarez.jalali import year_start
from avarez.money import format_rial
from avarez.quotes.vehicles import VehicleRow


@dataclass(frozen=True, slots=True)
class YearStanding:
    """One duty year of the vehicle: which city charges it, what is owed, where it was paid, whose year it is.

    `owner` counts the owners as they followed one another, from 1; it says nothing of who they are. None where no
    roll tells who lived where.
    """

    year: int
    municipality: str
    owed_rial: int
    paid_to: str | None
    owner: int | None
    by_instalments: bool = False

    def to_json(self) -> dict[str, Any]:
        """The form in answers."""
        return {
            "year": self.year,
            "municipality": self.municipality,
            "status": self._status,
            "owed_rial": format_rial(self.owed_rial),
            "paid_to": self.paid_to,
            "owner": self.owner,
        }

    @property
    def _status(self) -> str:
        if self.by_instalments:
            return "by_instalments"
        return "paid" if self.paid_to else "owed" if self.owed_rial else "nothing_owed"


@dataclass(frozen=True, slots=True)
class Standing:
    """Every assessed year of the vehicle, in every city. `whole` is false where some city is not known."""

    years: tuple[YearStanding, ...]
    whole: bool

    @property
    def paid_through_year(self) -> int | None:
        """The last year such that nothing is owed anywhere for it or any assessed year before it: what a notary
        asks for. None where something is owed from the first on, or not every city could be assessed."""
        paid_through: int | None = None
        if not self.whole:
            return None
        for standing in self.years:
            if standing.owed_rial > 0 or standing.by_instalments:
                break
            paid_through = standing.year
        return paid_through

    def to_json(self) -> dict[str, Any]:
        """The form in answers."""
        return {
            "paid_through_year": self.paid_through_year,
            "owed_years": [standing.year for standing in self.years if standing.owed_rial > 0],
            "years": [standing.to_json() for standing in self.years],
        }


def standing_of(assessments: Mapping[str, Assessment | None], rows: Sequence[VehicleRow], today: date) -> Standing:
    """The vehicle's standing from its assessment in each city, None where there is none to be had.

    A year is told once: by the city that charges it. Paid years count wherever they were paid.
    """
    owners = _Owners(rows, today)
    by_year: dict[int, YearStanding] = {}
    for city, assessment in assessments.items():
        if assessment is None:
            continue
        paid_to = {
            line.year: str(line.inputs.get("paid_to", city))
            for line in assessment.lines
            if line.kind is LineKind.PAID and line.year is not None
        }
        for total in assessment.years:
            told = by_year.get(total.year)
            if told is None or (told.owed_rial == 0 and total.amount_rial > 0):
                by_year[total.year] = YearStanding(
                    total.year, city, total.amount_rial, paid_to.get(total.year), owners.of_year(total.year)
                )
        for year in assessment.by_instalments:
            by_year[year] = YearStanding(year, city, 0, None, owners.of_year(year), by_instalments=True)
    years = tuple(by_year[year] for year in sorted(by_year))
    return Standing(years, whole=all(assessment is not None for assessment in assessments.values()))


class _Owners:
    """Who owned the vehicle when, by the residences that the rolls tell with each owner."""

    def __init__(self, rows: Sequence[VehicleRow], today: date) -> None:
        self._rows = [row for row in rows if row.owner_hash]
        ordered = sorted(self._rows, key=lambda row: (row.residence_from_jalali, row.version))
        self._numbers: dict[str, int] = {}
        for row in ordered:
            self._numbers.setdefault(row.owner_hash, len(self._numbers) + 1)
        self._today = today

    def of_year(self, year: int) -> int | None:
        """The owner on 1 Farvardin, or the first one known after it."""
        day = min(year_start(year), self._today)
        for row in self._rows:
            if residence_on([row.residence], day) and self._latest(row, day):
                return self._numbers[row.owner_hash]
        later = sorted(self._rows, key=lambda row: row.residence_from_jalali)
        return self._numbers[later[0].owner_hash] if later else None

    def _latest(self, row: VehicleRow, day: date) -> bool:
        """Whether no later residence of another owner has begun by that day."""
        since = row.residence.since or date.min
        return not any(
            since < (other.residence.since or date.min) <= day
            for other in self._rows
            if other.owner_hash != row.owner_hash
        )
