"""One city's past: the real code of payments, chain and closes over the simulator's memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Final

from avarez import ids
from avarez.clock import FixedClock, next_tehran_midnight, tehran_today
from avarez.http.principal import Principal
from demo.past.cars import Traffic, Visit, plate_of
from demo.past.closes import Closes
from functions.certify.certificates.record import issued_event
from functions.pay.payments import billing, refunding, terminals
from functions.pay.payments.arrival import receive
from functions.pay.payments.opening import Asked, create
from functions.pay.payments.ports import Desk
from functions.pay.payments.terminals import Slip
from functions.pay.rules.bills import BillTerms, PaidLine
from functions.pay.rules.records import Payment, Quote, Replay
from functions.pay.rules.refunds import RefundStatus
from functions.pay.rules.states import Status
from functions.pay.rules.terminals import Terminal
from functions.pay.sequencing.service import sequence
from simulation.certificates import MemoryCertificates
from simulation.gateway import MemoryGateway, MemoryGateways, MemoryQueue
from simulation.store import MemoryStore

SECONDS_TO_CERTIFICATE: Final = ((0.82, 6), (0.10, 40), (0.05, 200), (0.02, 1_500), (0.01, 20_000))
"""How many wait about so long."""
CLERK: Final = Principal("clerk", "office", None, "OFFICE-DEMO", ("*",), frozenset())
OFFICER: Final = "officer"
GATEWAY: Final = "sandbox"
TERMINAL: Final = "T-DEMO"
COMPANY: Final = {"TEHRAN": 101, "MASHHAD": 102, "ISFAHAN": 103, "SHIRAZ": 104, "TABRIZ": 105}
BILL_DAYS: Final = 10
REPLAY_EPOCH_S: Final = 1_900_000_000
AFTER_MIDNIGHT: Final = timedelta(minutes=11)
"""When the clock closes the day before."""


class Past:
    """A city from its first visit to the end of `through`; every day but this last one is closed."""

    def __init__(self, city: str, through: date, *, percent: int = 100) -> None:
        self.city = city
        self.through = through
        self.traffic = Traffic(city, through, percent=percent)
        self.random: Random = self.traffic.random
        self.clock = FixedClock(datetime.fromisoformat("2000-01-01T00:00:00+00:00"))
        self.store = MemoryStore()
        self.gateway = MemoryGateway(self.clock, name=GATEWAY)
        self.certificates = MemoryCertificates(self.store)
        self.closes = Closes(city, self.store, self.clock)
        self.store.terms[city] = BillTerms(COMPANY[city], BILL_DAYS)
        self.store.machines[TERMINAL] = Terminal(TERMINAL, CLERK.office or "", "saman")
        self.desk = Desk(
            store=self.store,
            refunds=self.store,
            terminals=self.store,
            gateways=MemoryGateways([self.gateway]),
            queue=MemoryQueue(),
            clock=self.clock,
            report=lambda name: None,
            public_origin="https://avarez.example",
            return_origins=frozenset(),
            reassess=lambda quote, now, username: None,
            requote=lambda payment, day: payment.years,
        )
        self.visits = 0

    def run(self) -> None:
        """Every visit and every end of a day, in their order."""
        day: date | None = None
        for visit in self.traffic.visits():
            today = tehran_today(visit.at)
            day = day or today
            while day < today:
                self._day_over(day)
                day += timedelta(days=1)
            self.clock.instant = max(visit.at, self.clock.instant)
            self._served(visit)
        while day is not None and day < self.through:
            self._day_over(day)
            day += timedelta(days=1)
        self._sequenced()
        if any(self.store.outgoing[self.city]):
            raise RuntimeError(f"{self.city}: an event of the past has no place")

    def _day_over(self, day: date) -> None:
        """The day's events have their places, the day is closed, and the bank tells of what has left."""
        midnight = next_tehran_midnight(
            self.clock.now().replace(year=day.year, month=day.month, day=day.day, hour=12)
        )
        self.clock.instant = max(self.clock.instant, midnight + AFTER_MIDNIGHT)
        self._sequenced()
        self.closes.close(day)
        self.closes.bank_opens(day + timedelta(days=1))

    def _served(self, visit: Visit) -> None:
        self.visits += 1
        payment = self._paid(self._quote(visit), visit.channel)
        self._certified(payment)
        if visit.refund:
            self._given_back(payment)

    def _quote(self, visit: Visit) -> Quote:
        now, car = self.clock.now(), visit.car
        owed_rial = sum(part.amount_rial for part in visit.years)
        made = Quote(
            assessment_id=ids.new_id("as", now),
            municipality=self.city,
            plate=plate_of(self.city, car),
            vehicle_id=f"ve_past{self.city.lower()}{car.number:05d}",
            as_of=tehran_today(now),
            expires_at=next_tehran_midnight(now),
            years=visit.years,
            rounding_rial=-owed_rial % 1_000,
            owed_rial=owed_rial + -owed_rial % 1_000,
            trace_hash=sha256(f"{self.city} {car.number} {self.visits}".encode()).hexdigest(),
            tariff_version=sha256(b"demonstration").hexdigest(),
            vehicle_class=car.vehicle_class,
        )
        self.store.quotes[made.assessment_id] = made
        return made

    # -- paying --------------------------------------------------------------------------------------

    def _paid(self, quote: Quote, channel: str) -> Payment:
        """The payment of this quote, settled through the channel."""
        key, terminal = f"k{self.visits}", TERMINAL if channel == "pos" else ""
        asked = Asked((quote.assessment_id,), channel, "", "", terminal=terminal)
        opening = {"gateway": create, "pos": terminals.create, "bill": billing.create}[channel]
        payment_id = opening(self.desk, principal=CLERK, key=key, asked=asked).payment_id
        payment = self.store.payments[payment_id]
        self.clock.advance(timedelta(seconds=self.random.randint(20, 90)))
        if channel == "gateway":
            fields = {
                "order_id": payment_id,
                "token": payment.token,
                "state": "paid",
                "reference": self.gateway.pay(payment.token),
                "amount": str(payment.amount_rial),
            }
            receive(self.desk, gateway_name=GATEWAY, fields=fields)
        elif channel == "pos":
            terminals.approved(self.desk, payment, Slip(f"{self.visits:012d}", payment.amount_rial))
        else:
            day = tehran_today(self.clock.now())
            line = PaidLine(2, "02", day, payment.bill_id, payment.payment_code, f"{self.visits:06d}")
            billing.take_line(self.desk, line, bank="melli")
        settled = self.store.payments[payment_id]
        if settled.status is not Status.SETTLED:
            raise RuntimeError(f"a payment of the past ended as {settled.status.value}")
        return settled

    def _certified(self, payment: Payment) -> None:
        """The city is told of the certificate; the chain orders events by their time."""
        record = self.certificates.find(payment.certificate_id)
        if record is None or payment.settled_at is None:
            raise RuntimeError("a settled payment of the past has no certificate")
        weights = [weight for weight, _ in SECONDS_TO_CERTIFICATE]
        about_s = self.random.choices(SECONDS_TO_CERTIFICATE, weights)[0][1]
        in_force_at = payment.settled_at + timedelta(seconds=about_s * self.random.randint(60, 140) // 100)
        content = sha256(record.certificate_id.encode()).hexdigest()
        self.store.announce(issued_event(replace(record, issued_at=in_force_at), content, in_force_at))

    def _given_back(self, payment: Payment) -> None:
        """Asked for, approved by another person, and gone: by the gateway, else by a bank's transfer."""
        self.clock.advance(timedelta(seconds=self.random.randint(60, 600)))
        replay = Replay(CLERK.username, "POST", f"back{payment.payment_id}", "hash", "", REPLAY_EPOCH_S)
        asked = refunding.request(
            self.desk, payment, years=[], reason="paid twice", requested_by=CLERK.username, replay=replay
        )
        refund = refunding.approve(self.desk, asked, approved_by=OFFICER)
        if refund.status is RefundStatus.PAYABLE:
            reference = f"R{self.visits:08d}"
            refund = refunding.transferred(self.desk, refund, bank_reference=reference, entered_by=OFFICER)
        if refund.status is not RefundStatus.DONE:
            raise RuntimeError(f"a refund of the past ended as {refund.status.value}")

    def _sequenced(self) -> None:
        holder = ids.new_id("sq", self.clock.now())
        sequence(self.store, self.city, holder=holder, clock=self.clock, time_left=lambda: True)
