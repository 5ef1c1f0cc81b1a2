"""A city's events as the functions make them, in one chain: settlements, certificates, refunds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from avarez.events.chain import GENESIS, Event, EventType, Waiting, chained
from avarez.journal import JournalEntry, YearAmount
from functions.pay.rules import announcing
from functions.pay.rules.ledger import refund_entry, refund_paid_entry, settled_entry
from functions.pay.rules.records import Payment
from functions.pay.rules.refunds import Refund, RefundStatus
from functions.pay.rules.states import Status
from tests.contract.payments.test_payment_store import payment
from tests.unit.payments.payments_fake import NOON

REFUNDED_EVERY = 4
"""Each fourth payment is given back whole, and has left by the gateway."""


@dataclass
class City:
    """A city's chain as it grows, and the entries that it tells of."""

    code: str
    gateway: str = "sandbox"
    events: list[Event] = field(default_factory=list)
    entries: list[JournalEntry] = field(default_factory=list)

    def pay(self, count: int, now: datetime = NOON) -> Sequence[Event]:
        """The events of so many further payments, in their places."""
        before = len(self.events)
        for waiting in self.waiting(count, now):
            last = self.events[-1].hash if self.events else GENESIS
            self.events.append(chained(waiting, sequence=len(self.events) + 1, previous_hash=last))
        return self.events[before:]

    def waiting(self, count: int, now: datetime = NOON) -> Iterator[Waiting]:
        """The events of so many further payments, without places; what they book is in `entries`."""
        for _ in range(count):
            yield from self._of_payment(len(self.entries) + 1, now)

    def balance(self) -> dict[str, tuple[int, int]]:
        """Debits and credits of each account, from the entries themselves."""
        return balance_of(self.entries)

    def _of_payment(self, number: int, now: datetime) -> Iterator[Waiting]:
        made = settled(self.code, number, now + timedelta(days=number // 10), self.gateway)
        entry = settled_entry(made, journal_id=f"je_{number:036d}", now=made.created_at)
        yield self._booked(entry, announcing.of_entry(entry, made))
        certificate = {"certificate_id": made.certificate_id, "plate": made.plate, "note_fa": "صادر شد"}
        of = {"certificate": certificate, "payment": {"payment_id": made.payment_id}}
        issued = f"ev_c{number:035d}", EventType.CERTIFICATE_ISSUED, self.code, made.payment_id, made.created_at
        yield Waiting(*issued, of)
        if number % REFUNDED_EVERY == 0:
            given = refund_of(made)
            entry = refund_entry(made, given, whole=True, journal_id=f"je_r{number:035d}", now=made.created_at)
            yield self._booked(entry, announcing.of_entry(entry, made, given))
            entry = refund_paid_entry(
                made, given, through_gateway=True, journal_id=f"je_p{number:035d}", now=made.created_at
            )
            yield self._booked(entry, announcing.of_entry(entry, made, given))

    def _booked(self, entry: JournalEntry, waiting: Waiting) -> Waiting:
        self.entries.append(entry)
        return waiting


def balance_of(entries: Sequence[JournalEntry]) -> dict[str, tuple[int, int]]:
    """Debits and credits of each account."""
    found: dict[str, tuple[int, int]] = {}
    for entry in entries:
        for posting in entry.postings:
            debit_rial, credit_rial = found.get(posting.account, (0, 0))
            found[posting.account] = (debit_rial + posting.debit_rial, credit_rial + posting.credit_rial)
    return found


def settled(city: str, number: int, now: datetime = NOON, gateway: str = "sandbox") -> Payment:
    """A settled payment of this city; each has amounts of its own."""
    years = (YearAmount(1403, 1_000_000 + number), YearAmount(1404, 234_500))
    fee_rial = 5_000
    return payment(
        number,
        now,
        payment_id=f"py_{number:036d}",
        municipality=city,
        office="OFFICE-1",
        gateway=gateway,
        years=years,
        rounding_rial=500,
        fee_rial=fee_rial,
        amount_rial=sum(part.amount_rial for part in years) + 500 + fee_rial,
        status=Status.SETTLED,
        settled_at=now,
        reference=f"r{number}",
        certificate_id=f"ce_{number:036d}",
    )


def refund_of(made: Payment) -> Refund:
    """The whole of a payment, given back through the gateway."""
    return Refund(
        refund_id=f"rf_{made.payment_id[3:]}",
        payment_id=made.payment_id,
        municipality=made.municipality,
        plate=made.plate,
        gateway=made.gateway,
        reference=made.reference,
        of_suspense=False,
        years=made.years,
        rounding_rial=made.rounding_rial,
        fee_rial=made.fee_rial,
        amount_rial=made.amount_rial,
        reason="sold",
        requested_by="officer",
        requested_at=made.created_at,
        status=RefundStatus.DONE,
        done_at=made.created_at,
    )
