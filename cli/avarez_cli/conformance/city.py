"""A made-up city whose events look like real ones: payments, refunds and money from suspense in one chain.

Nobody's money stands behind it; its ids begin with `ev_test`.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from avarez.canonical import canonical_bytes, content_hash
from avarez.clock import to_rfc3339
from avarez.events.chain import GENESIS, Event, Waiting, chained
from avarez.events.entries import event_of, years_told
from avarez.journal import JournalEntry, YearAmount, booked, credit, debit, members_of

DUTY_RIAL: Final = 1_234_500
ROUNDING_RIAL: Final = 500
FEE_RIAL: Final = 5_000


@dataclass(slots=True)
class MadeUpCity:
    """The chain so far, which follows event `after`; `run` keeps the ids of two runs apart."""

    municipality: str
    after: int = 0
    after_hash: str = GENESIS
    events: list[Event] = field(default_factory=list)
    run: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def sequence(self) -> int:
        """The place of the last event."""
        return self.after + len(self.events)

    @property
    def hash(self) -> str:
        """What the next event has as its `previous_hash`."""
        return self.events[-1].hash if self.events else self.after_hash

    def draft(self, now: datetime, more: Mapping[str, Any] | None = None) -> Event:
        """The event that would come next, without its coming."""
        number = self.sequence + 1
        waiting = self._refund(number, now) if number % 4 == 0 else self._settlement(number, now)
        if more:
            waiting = replace(waiting, content={**waiting.content, **more})
        return self._chained(waiting)

    def next(self, now: datetime, more: Mapping[str, Any] | None = None) -> Event:
        """The next event; `more` is added to what it tells."""
        return self.take(self.draft(now, more))

    def from_suspense(self, now: datetime) -> tuple[Event, Event]:
        """Money that nobody could place, and the payment that two people made of it later."""
        came = self.take(self._chained(self._unplaced(self.sequence + 1, now)))
        return came, self.take(self._chained(self._matched(self.sequence + 1, now)))

    def unknown(self, now: datetime) -> Event:
        """The next event, of a type that will only be thought of."""
        data = dict(self.draft(now, {"thought_of": "later"}).data)
        del data["hash"], data["entry"]
        data["type"] = "weather.changed"
        data["hash"] = content_hash(data)
        return self.take(Event(self.sequence + 1, data))

    def take(self, event: Event) -> Event:
        """The event in its place."""
        self.events.append(event)
        return event

    def since(self, sequence: int) -> Sequence[Event]:
        """What follows this place."""
        return self.events[max(sequence - self.after, 0) :]

    def balance(self) -> dict[str, tuple[int, int]]:
        """Debits and credits of each account, as a receiver of all these events should have them."""
        found: dict[str, tuple[int, int]] = {}
        for event in self.events:
            for posting in event.data.get("entry", {}).get("postings", []):
                debit_rial, credit_rial = found.get(posting["account"], (0, 0))
                added = debit_rial + int(posting["debit_rial"]), credit_rial + int(posting["credit_rial"])
                found[posting["account"]] = added
        return dict(sorted(found.items()))

    def _chained(self, waiting: Waiting) -> Event:
        return chained(waiting, sequence=self.sequence + 1, previous_hash=self.hash)

    def _settlement(self, number: int, now: datetime) -> Waiting:
        total_rial = DUTY_RIAL + number + ROUNDING_RIAL + FEE_RIAL
        postings = (
            debit("gateway_clearing:sandbox", total_rial),
            credit(f"municipality_payable:{self.municipality}", DUTY_RIAL + number),
            credit(f"municipality_rounding:{self.municipality}", ROUNDING_RIAL),
            credit("office_fee:OFFICE-TEST", FEE_RIAL),
        )
        entry = self._entry("payment_settled", number, now, postings)
        return event_of(entry, {"payment": self._payment(entry, total_rial, number), "note_fa": "نمونه"})

    def _refund(self, number: int, now: datetime) -> Waiting:
        postings = (
            debit(f"municipality_payable:{self.municipality}", DUTY_RIAL),
            credit("refunds_payable", DUTY_RIAL),
        )
        entry = self._entry("refund_approved", number, now, postings)
        refund = {"refund_id": f"rf_test{self.run}{number:012d}", "status": "approved", "of": "payment"}
        payment = self._payment(entry, DUTY_RIAL + ROUNDING_RIAL + FEE_RIAL, number)
        return event_of(entry, {"payment": payment, "refund": {**refund, "amount_rial": str(DUTY_RIAL)}})

    def _unplaced(self, number: int, now: datetime) -> Waiting:
        postings = debit("gateway_clearing:sandbox", DUTY_RIAL), credit("suspense", DUTY_RIAL)
        entry = replace(self._entry("payment_suspense", number, now, postings), years=(), content_hash="")
        entry = entry.hashed(content_hash(members_of(entry)))
        payment = {**self._payment(entry, DUTY_RIAL + ROUNDING_RIAL, number), "status": "suspense"}
        return event_of(entry, {"payment": payment})

    def _matched(self, number: int, now: datetime) -> Waiting:
        """No gateway's account and no fee: what pays the duty lay with us."""
        postings = (
            debit("suspense", DUTY_RIAL),
            credit(f"municipality_payable:{self.municipality}", DUTY_RIAL - ROUNDING_RIAL),
            credit(f"municipality_rounding:{self.municipality}", ROUNDING_RIAL),
        )
        entry = self._entry("suspense_matched", number, now, postings)
        entry = replace(entry, cause=str(self.events[-1].data["payment"]["payment_id"]), content_hash="")
        entry = entry.hashed(content_hash(members_of(entry)))
        return event_of(entry, {"payment": {**self._payment(entry, DUTY_RIAL, number), "fee_rial": "0"}})

    def _entry(self, kind: str, number: int, now: datetime, postings: tuple[Any, ...]) -> JournalEntry:
        name = f"test{self.run}{number:012d}"
        return booked(
            journal_id=f"je_{name}",
            payment_id=f"py_{name}",
            municipality=self.municipality,
            kind=kind,
            postings=postings,
            now=now,
            years=(YearAmount(1404, DUTY_RIAL),),
            gateway="sandbox",
            reference=f"TEST{number:012d}",
        )

    def _payment(self, entry: JournalEntry, amount_rial: int, number: int) -> dict[str, Any]:
        return {
            "payment_id": entry.payment_id,
            "status": "settled",
            "plate": f"12B{number % 1_000:03d}-67",
            "channel": "gateway",
            "gateway": entry.gateway,
            "reference": entry.reference,
            "years": years_told(entry.years),
            "rounding_rial": str(ROUNDING_RIAL),
            "fee_rial": str(FEE_RIAL),
            "amount_rial": str(amount_rial),
            "created_at": to_rfc3339(entry.created_at),
        }


def body_of(event: Event, more: Mapping[str, Any] | None = None) -> bytes:
    """The message of an event; `more` is added beside its data."""
    told = {"type": event.data["type"], "timestamp": event.data["occurred_at"], "data": event.data, **(more or {})}
    return canonical_bytes(told)


def changed(event: Event, **members: Any) -> Event:
    """An event with other members, under the hash that it has with them."""
    data = {**event.data, **members}
    data["hash"] = content_hash({name: value for name, value in data.items() if name != "hash"})
    return Event(event.sequence, data)
