"""What a city's chain says of payments, event by event: which duties are paid, what came, whose quote is special.

A car is known here by its plate alone, as its roll is. Most years are paid once, by one payment, for good: they
are marks. Whatever is more than that (a refund, a part of an agreement, money that two people matched, what a city
let go) puts the plate apart: what such a car owes is asked of its quote.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from avarez.events.chain import GENESIS, Event, EventType
from avarez.figures import cells

FIRST_MARKED_YEAR: Final = 1370
"""Of the marks' first bit: before any year that a city may charge (`FIRST_YEAR_READ`)."""
MARKED_YEARS: Final = 64
VEHICLE_ID: Final = "ve_"


def plate_mark(plate: bytes) -> int:
    """64 bits that stand for a plate: two of ten million share them once in three hundred thousand cities."""
    return int.from_bytes(hashlib.blake2b(plate, digest_size=8).digest(), "little")


def year_bit(year: int) -> int:
    """The bit of a duty year; nothing for one that no city charges."""
    place = year - FIRST_MARKED_YEAR
    return 1 << place if 0 <= place < MARKED_YEARS else 0


@dataclass(slots=True)
class Books:
    """The chain up to (`sequence`, `hash`). `marks` are bits of paid years by plate, of the events taken last."""

    sequence: int = 0
    hash: str = GENESIS
    collected: dict[tuple[int, str], int] = field(default_factory=dict)
    apart: set[str] = field(default_factory=set)
    vehicles_apart: set[str] = field(default_factory=set)
    marks: dict[int, int] = field(default_factory=dict)

    def take(self, events: Iterable[Event]) -> None:
        """Takes in a run of the chain that follows; the caller has proved it.

        Raises:
            KeyError, TypeError, ValueError: an event that is none of ours.
        """
        for event in events:
            self._take(event)
            self.sequence, self.hash = event.sequence, event.hash

    def _take(self, event: Event) -> None:
        data = event.data
        entry = data.get("entry")
        if entry is None:
            return
        for share in cells.shares_of(data, cells.Books()):
            year = int(share.key.duty_year) if share.key.duty_year.isdecimal() else 0
            place = year, share.key.vehicle_class
            self.collected[place] = self.collected.get(place, 0) + share.rial
        self._mark(data, str(entry["kind"]), event.about)

    def _mark(self, data: Any, kind: str, about: str) -> None:
        payment = data.get("payment") or {}
        plate = str(payment.get("plate") or "")
        if kind == "payment_settled" and plate and not payment.get("agreement_id"):
            mark = plate_mark(plate.encode())
            for part in data["entry"]["years"]:
                self.marks[mark] = self.marks.get(mark, 0) | year_bit(int(part["year"]))
        elif plate and data["type"] in (EventType.PAYMENT_SETTLED.value, EventType.PAYMENT_REFUNDED.value):
            self.apart.add(plate)
        elif about.startswith(VEHICLE_ID):
            self.vehicles_apart.add(about)
