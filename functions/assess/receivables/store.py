"""Single cars, their quotes and the cities' lists, read from DynamoDB."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from avarez import keys
from avarez.assessment.trace import Assessment
from avarez.dynamo import Table
from avarez.quotes.quote import Quotes, Rows
from avarez.quotes.store import DutyStore
from avarez.quotes.vehicles import VehicleRow

if TYPE_CHECKING:
    from avarez.assessment.tariff import Tariff

LISTED_MAX: Final = 20_000
"""Changes, and objections, of a city that are looked at, the newest ones."""


@dataclass(frozen=True, slots=True)
class CarStore:
    """Cars whose quotes are made one by one."""

    duty: Table
    quotes: Quotes[Rows]

    def listed(self, municipality: str) -> set[str]:
        """The plates of the city's changes and objections, whatever became of them."""
        plates: set[str] = set()
        for partition in (keys.changes_of(municipality, "")[0], keys.objections_of(municipality, "")[0]):
            notes = self.duty.query(partition, limit=LISTED_MAX, descending=True)
            plates |= {keys.target(note)[0].partition("#")[2] for note in notes}
        return plates

    def on_plate(self, municipality: str, plate: str) -> Sequence[VehicleRow]:
        """The visible row of each vehicle on this plate in this city."""
        return DutyStore(self.duty).rows(municipality, plate)

    def everywhere(self, vehicle_id: str) -> Sequence[VehicleRow]:
        """The visible rows of one vehicle in every city."""
        return DutyStore(self.duty).rows_of_vehicle(vehicle_id)

    def assess(
        self, row: VehicleRow, everywhere: Sequence[VehicleRow], as_of: date, through_year: int
    ) -> Assessment:
        """What a quote of this car would say."""
        return self.quotes.assess(row, everywhere, as_of, through_year)

    def tariff(self) -> Tariff:
        """The tariff in force.

        Raises: ServiceBusy before the first one.
        """
        return self.quotes.tariff()


def cities_of(duty: Table) -> list[str]:
    """The cities that have settings, which are all that take payments."""
    partition, first = keys.municipality_setting("")
    return [str(item["sk"]).removeprefix(first) for item in duty.query(partition, first, limit=10_000)]
