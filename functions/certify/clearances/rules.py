"""What a clearance rests on in each city, its hash, and the entry of what a city lets go. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from avarez.canonical import content_hash
from avarez.journal import JournalEntry, YearAmount, booked, credit, debit
from avarez.money import format_rial

TRACE_SCHEMA: Final = 1
"""Grows when the hashed form changes its shape."""


@dataclass(frozen=True, slots=True)
class City:
    """What the vehicle owes to one city at the clearance, all of which is `waived`, year by year.

    `owed_rial` is what the quote says, rounded up for paying; what is waived is not rounded.
    """

    municipality: str
    trace_hash: str
    owed_rial: int
    threshold_rial: int
    waived: tuple[YearAmount, ...]
    not_assessed_before: int | None

    @property
    def waived_rial(self) -> int:
        """What the city lets go."""
        return sum(part.amount_rial for part in self.waived)

    def to_json(self) -> dict[str, Any]:
        """The evidence of this city, as it is hashed, kept and shown."""
        return {
            "municipality": self.municipality,
            "trace_hash": self.trace_hash,
            "owed_rial": format_rial(self.owed_rial),
            "threshold_rial": format_rial(self.threshold_rial),
            "waived_rial": format_rial(self.waived_rial),
        }


def trace_hash(*, plate: str, paid_through: int, as_of: date, cities: Sequence[City]) -> str:
    """Lower-case hex SHA-256 of the RFC 8785 form of what every city's assessment came to."""
    return content_hash(
        {
            "schema": TRACE_SCHEMA,
            "kind": "clearance",
            "plate": plate,
            "paid_through_year": paid_through,
            "as_of": as_of.isoformat(),
            "cities": [city.to_json() for city in sorted(cities, key=lambda city: city.municipality)],
        }
    )


def written_off(municipality: str) -> str:
    """What a city has let go so far: a cost of its own."""
    return f"municipality_written_off:{municipality}"


def duty_waived(municipality: str) -> str:
    """The other side: duty that was owed and will not be paid."""
    return f"duty_waived:{municipality}"


def write_off_entry(
    city: City, *, vehicle_id: str, certificate_id: str, journal_id: str, now: datetime
) -> JournalEntry:
    """The entry of what `city` lets go, in its own book; it touches nothing that money stands on."""
    amount_rial = city.waived_rial
    postings = (
        debit(written_off(city.municipality), amount_rial),
        credit(duty_waived(city.municipality), amount_rial),
    )
    return booked(
        journal_id=journal_id,
        payment_id=vehicle_id,
        municipality=city.municipality,
        kind="duty_written_off",
        postings=postings,
        now=now,
        years=city.waived,
        cause=certificate_id,
    )
