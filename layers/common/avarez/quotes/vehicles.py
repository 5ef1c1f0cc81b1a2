"""Vehicles as the rolls tell them: rows under versions, who holds a plate, where an owner lives. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

from avarez.assessment.model import Residence, Vehicle
from avarez.jalali import read_jalali
from avarez.plates import parse_plate

PROVISIONAL_VERSION: Final = 0
"""Rows from a vehicle card stand under this version: visible at once, below any roll that names the car."""
IN_USE: Final = "in_use"
FIRST_YEAR_READ: Final = 1380
"""The first duty year whose payment is looked up; no city charges earlier ones (`first_duty_year`)."""


@dataclass(frozen=True, slots=True)
class VehicleRow:
    """One vehicle on one plate in one city, as one version of the city's roll tells it."""

    municipality: str
    plate: str
    vehicle_id: str
    version: int
    facts: Mapping[str, Any]
    vin: str = ""
    chassis: str = ""
    engine: str = ""
    residence_from_jalali: str = ""
    residence_to_jalali: str = ""
    status: str = IN_USE
    provisional: bool = False
    content_hash: str = ""
    owner_hash: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        """Whether the vehicle no longer stands on this plate in this city."""
        return bool(self.residence_to_jalali) or self.status != IN_USE

    @property
    def vehicle(self) -> Vehicle:
        """The facts an assessment rests on; the kind of plate is one of them."""
        return Vehicle.from_json({**self.facts, "plate_kind": parse_plate(self.plate).kind.value})

    @property
    def residence(self) -> Residence:
        """The owner's residence that this row claims for its city."""
        return Residence(self.municipality, _day(self.residence_from_jalali), _day(self.residence_to_jalali))

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> VehicleRow:
        """The row that a stored item holds; the owner's sealed id is left where it is."""
        names = cls.__dataclass_fields__
        return cls(**{name: value for name, value in item.items() if name in names})


def _day(text: str) -> date | None:
    return read_jalali(text) if text else None


def rows_of_items(items: Iterable[Mapping[str, Any]]) -> list[VehicleRow]:
    """The rows of a collection, with facts that a decision put right (`keys.correction`), or a plate that ended.

    A correction holds for the very row that it was made for: once the city's roll says something new of the
    vehicle, the roll counts.
    """
    rows: list[VehicleRow] = []
    corrections: list[Mapping[str, Any]] = []
    for item in items:
        if "of_hash" in item:
            corrections.append(item)
        else:
            rows.append(VehicleRow.from_item(item))
    for correction in corrections:
        rows = [
            replace(
                row,
                facts=correction["facts"],
                residence_to_jalali=correction.get("residence_to_jalali", row.residence_to_jalali),
            )
            if (row.vehicle_id, row.content_hash) == (correction["vehicle_id"], correction["of_hash"])
            else row
            for row in rows
        ]
    return rows


def visible_rows(rows: Iterable[VehicleRow], versions: Collection[int]) -> list[VehicleRow]:
    """For each vehicle of a collection the row of its newest visible version; provisional ones always are."""
    newest: dict[str, VehicleRow] = {}
    for row in rows:
        if row.version != PROVISIONAL_VERSION and row.version not in versions:
            continue
        other = newest.get(row.vehicle_id)
        if other is None or row.version > other.version:
            newest[row.vehicle_id] = row
    return list(newest.values())


def holder(rows: Sequence[VehicleRow]) -> VehicleRow | None:
    """The row of the vehicle that bears the plate: not ended if there is one, then the latest claim."""
    return max(rows, key=lambda row: (not row.ended, row.residence_from_jalali, row.version), default=None)


def one_a_city(rows: Sequence[VehicleRow]) -> list[VehicleRow]:
    """Of one vehicle's rows the one that counts in each city, in the order of the residences."""
    cities = dict.fromkeys(row.municipality for row in sorted(rows, key=lambda row: row.residence_from_jalali))
    held = [holder([row for row in rows if row.municipality == city]) for city in cities]
    return [row for row in held if row is not None]
