"""Events of a made-up city, through the same rules as the ledger's: for the tests of the figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from avarez.clock import to_rfc3339
from avarez.events.chain import Event, EventType, Head, Waiting, chained
from avarez.events.entries import event_of
from avarez.ids import OWNER_PREFIX
from avarez.journal import JournalEntry, YearAmount
from functions.pay.rules import announcing
from functions.pay.rules.ledger import refund_entry, settled_entry
from functions.pay.rules.records import Payment
from functions.pay.rules.refunds import Refund, RefundStatus
from functions.pay.rules.settling import Share, paid_out_entry
from functions.pay.rules.states import Status
from functions.pay.settlement.rules import Modes, Own, Plan, Position, transfer_entry
from tests.unit.payments.payments_fake import a_payment, a_refund

BEGIN = datetime(2026, 3, 25, 8, 30, tzinfo=UTC)
"""5 Farvardin 1405, noon in Tehran."""
CITY = "TEHRAN"
CLASSES = ("passenger",) * 12 + ("motorcycle",) * 4 + ("truck", "bus")
CHANNELS = ("gateway",) * 6 + ("pos",) * 3 + ("bill",)

__all__ = ["BEGIN", "CITY", "City", "a_payment", "a_refund"]


@dataclass
class City:
    """A city whose people pay by lot, and its chain."""

    seed: str = "figures"
    municipality: str = CITY

    def __post_init__(self) -> None:
        self.random = Random(f"{self.seed} {self.municipality}")
        self.events: list[Event] = []
        self.payments: list[Payment] = []
        self.entries: list[JournalEntry] = []

    # -- what happens --------------------------------------------------------------------------------

    def pays(self, *, at: datetime = BEGIN, wait_s: int = 8, vehicle: str = "", **changes: Any) -> Payment:
        """Somebody pays, and is certified after `wait_s` seconds."""
        number = len(self.payments)
        draw = self.random
        years = tuple(
            YearAmount(year, 1_000_000 + draw.randrange(9_000_000))
            for year in range(1405 - draw.randrange(3), 1406)
        )
        owed_rial = sum(part.amount_rial for part in years)
        rounding_rial = -owed_rial % 1_000
        values: dict[str, Any] = {
            "payment_id": f"py_{number}",
            "municipality": self.municipality,
            "plate": f"12B{number:03d}-67",
            "vehicle_id": vehicle or f"ve_{number}",
            "years": years,
            "rounding_rial": rounding_rial,
            "amount_rial": owed_rial + rounding_rial + 5_000,
            "channel": draw.choice(CHANNELS),
            "vehicle_class": draw.choice(CLASSES),
            "status": Status.SETTLED,
            "settled_at": at,
            "certificate_id": f"ce_{number}",
            **({"created_by": f"{OWNER_PREFIX}{number}", "office": ""} if number % 3 == 0 else {}),
            **changes,
        }
        payment = a_payment(**values)
        self.payments.append(payment)
        entry = settled_entry(payment, journal_id=f"je_{self.municipality}_{number}", now=at)
        self.books(entry, payment)
        self.tells(self._certificate(payment, at, at + timedelta(seconds=wait_s)))
        return payment

    def gives_back(self, payment: Payment, at: datetime) -> None:
        """The whole of the payment is refunded."""
        refund = a_refund(
            refund_id=f"rf_{payment.payment_id}",
            payment_id=payment.payment_id,
            municipality=payment.municipality,
            years=payment.years,
            rounding_rial=payment.rounding_rial,
            fee_rial=payment.fee_rial,
            amount_rial=payment.amount_rial,
            status=RefundStatus.DONE,
        )
        entry = refund_entry(
            payment, refund, whole=True, journal_id=f"je_{refund.refund_id}_{self.municipality}", now=at
        )
        self.books(entry, replace(payment, refunded_rial=payment.amount_rial), refund)

    def passes_on(self, at: datetime) -> None:
        """A gateway's day has arrived at the city itself, and a close has paid on what lay at our account."""
        share = Share(self.municipality, 5_000_000, 4_000_000, 1_000)
        self._passed(
            paid_out_entry("sandbox", share, day=at.date(), journal_id=f"je_out_{len(self.events)}", now=at)
        )
        plan = Plan(
            settlement_id=f"st_{len(self.events)}",
            event_id="",
            journal_id=f"je_on_{len(self.events)}",
            municipality=self.municipality,
            number=1,
            day=at.date().isoformat(),
            ends_at=to_rfc3339(at),
            early=False,
            from_sequence=1,
            to_sequence=len(self.events),
            modes=Modes(),
            before=Position(),
            planned_at=to_rfc3339(at),
            planned_by="schedule",
        )
        self._passed(transfer_entry(plan, Own(3_000_000, 2_000)))

    def _passed(self, entry: JournalEntry) -> None:
        self.entries.append(entry)
        self.tells(event_of(entry))

    def days(self, count: int, *, a_day: int, at: datetime = BEGIN) -> None:
        """So many days of so many payments, now and then one that goes back or is slow."""
        for day in range(count):
            for number in range(a_day):
                now = at + timedelta(days=day, seconds=number)
                payment = self.pays(at=now, wait_s=self.random.choice((8, 8, 8, 40, 90, 4_000)))
                if self.random.random() < 0.04:
                    self.gives_back(payment, now + timedelta(hours=2))

    # -- how it is told ------------------------------------------------------------------------------

    def books(self, entry: JournalEntry, payment: Payment, refund: Refund | None = None) -> None:
        self.entries.append(entry)
        self.tells(announcing.of_entry(entry, payment, refund))

    def tells(self, waiting: Waiting) -> None:
        before = self.head(self.municipality)
        self.events.append(chained(waiting, sequence=before.sequence + 1, previous_hash=before.hash))

    def _certificate(self, payment: Payment, paid_at: datetime, at: datetime) -> Waiting:
        certificate = {
            "certificate_id": payment.certificate_id,
            "kind": "payment",
            "plate": payment.plate,
            "paid_at": paid_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        return Waiting(
            event_id=f"ev_{payment.certificate_id}",
            type=EventType.CERTIFICATE_ISSUED,
            municipality=self.municipality,
            about=payment.payment_id,
            occurred_at=at,
            content={"certificate": certificate, "payment": {"payment_id": payment.payment_id}},
        )

    # -- the chain, read -----------------------------------------------------------------------------

    def head(self, municipality: str) -> Head:
        last = self.events[-1] if self.events else None
        return Head(municipality) if last is None else Head(municipality, last.sequence, last.hash)

    def read(self, municipality: str, *, after: int, limit: int) -> Sequence[Event]:
        return self.events[after : after + limit]

    def ledger_rial(self) -> int:
        """What the journal itself says is left to the city, whatever the figures say."""
        own = (f"municipality_payable:{self.municipality}", f"municipality_rounding:{self.municipality}")
        return sum(
            posting.credit_rial - posting.debit_rial
            for entry in self.entries
            if entry.kind not in ("gateway_paid_out", "settlement_transfer")
            for posting in entry.postings
            if posting.account in own
        )
