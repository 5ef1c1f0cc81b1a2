"""The world of a run: a clock that only events move, a store and gateways that fail, a queue, people who pay.

Everything that happens is an event in one order: visits wait in a row, all else on a heap. A process that is
killed loses what it had in mind and nothing that it wrote. The same seed gives the same events in the same order.
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from random import Random
from typing import Any, TypeAlias

from avarez import ids
from avarez.clock import FixedClock
from avarez.errors import AvarezError, OutcomeUnknown, ServiceBusy
from avarez.events.chain import Waiting
from avarez.journal import YearAmount
from functions.pay.delivery.endpoints.endpoint import Endpoint
from functions.pay.gateways.port import (
    Inquiry,
    NotPaid,
    NotReversible,
    ReverseResult,
    Share,
    Token,
    TokenRefused,
    Verified,
    VerifyResult,
)
from functions.pay.payments import reconciliation
from functions.pay.payments.ports import Desk
from functions.pay.rules.bills import BillTerms
from functions.pay.rules.fees import Bearer, Fee
from functions.pay.rules.records import Payment
from functions.pay.rules.terminals import Terminal
from functions.pay.sequencing.service import sequence
from simulation.cities import Cities
from simulation.closes import Closes
from simulation.faults import WRITES, Faults
from simulation.gateway import MemoryGateway, MemoryGateways
from simulation.store import Crash, MemoryStore

BEGIN = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
"""Half past eight in the morning in Tehran on 1405-09-02."""
DAY = date(2026, 11, 23)
NEVER_DOUBLES = frozenset({"create_members", "record", "book_variance", "hold", "release"})
"""Writes that may be sent twice without a condition: the second is the same, or an event more."""

LAG_AFTER_OUTAGE = timedelta(minutes=3)
"""What a gateway's copies need to know again what it confirmed."""
FAILING_BEFORE_OUTAGE = timedelta(minutes=2)
"""How long a gateway that is about to go down has been losing its answers."""
TERMINALS = 100
"""Many small ones, so that closings are many too."""
WAKE_AFTER_S = 5
"""Events of one city that come within so many seconds wake its sequencer once."""
CITIES = ("TEHRAN", "MASHHAD", "SHIRAZ")

_Act: TypeAlias = tuple[datetime, int, Callable[[], object]]
"""When, the how manieth that was thought of, and what."""


class FaultyStore(MemoryStore):
    """The store, throttled and killed at; a write whose response is lost is sent again by the SDK."""

    def __init__(self, faults: Faults) -> None:
        super().__init__()
        self.faults = faults
        self.doubled: Counter[str] = Counter()
        self.wake: Callable[[str], None] = lambda municipality: None
        self.rival: Callable[[str], None] = lambda municipality: None
        self.second_worker: Callable[[str], None] = lambda municipality: None

    def announce(self, event: Waiting) -> None:
        super().announce(event)
        self.wake(event.municipality)

    def waiting(self, municipality: str) -> Sequence[Waiting]:
        """As read; somebody else may write what it names before the reader does."""
        rows = super().waiting(municipality)
        self.rival(municipality)
        return rows

    def find(self, municipality: str) -> Endpoint | None:
        """As read; somebody else may write it before the reader does."""
        endpoint = super().find(municipality)
        self.second_worker(municipality)
        return endpoint


def _faulty(name: str) -> Callable[..., Any]:
    plain = getattr(MemoryStore, name)
    site = f"store.{name}"

    def call(self: FaultyStore, *arguments: Any, **named: Any) -> Any:
        kind = self.faults.at(site)
        if kind == "busy":
            raise ServiceBusy(retry_after_s=1)
        if kind == "killed_before":
            raise Crash
        answer = plain(self, *arguments, **named)
        if kind == "killed_after":
            raise Crash
        if kind == "sent_again" and name not in NEVER_DOUBLES:
            try:
                plain(self, *arguments, **named)
            except AvarezError:
                return answer  # refused, and recognised as our own work
            self.doubled[name] += 1
        return answer

    return call


for _name in WRITES:
    setattr(FaultyStore, _name, _faulty(_name))


class FaultyGateway(MemoryGateway):
    """The gateway behind a bad line; `meanwhile` lets somebody else act in the middle of a call."""

    faults: Faults
    meanwhile: Callable[[], object]
    down_from: datetime = BEGIN
    down_until: datetime = BEGIN

    def _down(self) -> bool:
        """Whether the gateway answers nobody at all."""
        return self.down_from <= self.clock.now() < self.down_until

    def _failing(self) -> bool:
        """Whether it is about to go down: it still does what it is asked, and its answers are lost."""
        return self.down_from - FAILING_BEFORE_OUTAGE <= self.clock.now() < self.down_from

    def _recovering(self) -> bool:
        """Whether it was down a moment ago: its copies lag, and every second inquiry finds it busy."""
        return self.down_until <= self.clock.now() < self.down_until + LAG_AFTER_OUTAGE

    def request_token(
        self, *, order_id: str, amount_rial: int, callback_url: str, shares: Sequence[Share] = ()
    ) -> Token | TokenRefused:
        kind = self.faults.at("gateway.request_token")
        if kind == "silent" or self._down():
            raise OutcomeUnknown()
        if kind == "refused":
            return TokenRefused("refused")
        answer = super().request_token(
            order_id=order_id, amount_rial=amount_rial, callback_url=callback_url, shares=shares
        )
        if kind == "answer_lost":
            raise OutcomeUnknown()
        return answer

    def verify(self, *, token: str, reference: str, order_id: str, amount_rial: int) -> VerifyResult:
        kind = self.faults.at("gateway.verify")
        if kind == "silent" or self._down():
            raise OutcomeUnknown()
        # Where nobody can inquire, a copy that lags would leave it to the report of the day.
        lags = kind == "lagging" or self._recovering()
        if lags and self.can_inquire_without_callback:
            return NotPaid()
        if kind == "wrong_amount" and (slip := self.slips.get(token)) is not None and slip.state == "paid":
            slip.amount_rial += 10
            answer = super().verify(
                token=token, reference=reference, order_id=order_id, amount_rial=slip.amount_rial
            )
        else:
            answer = super().verify(token=token, reference=reference, order_id=order_id, amount_rial=amount_rial)
        if kind == "interleaved" and isinstance(answer, Verified):
            self.meanwhile()
        if kind == "answer_lost" or self._failing():
            raise OutcomeUnknown()
        return answer

    def inquire(self, *, token: str, order_id: str) -> Inquiry:
        kind = self.faults.at("gateway.inquire")
        busy = self._recovering() and self.faults.random.random() < 0.5
        if kind == "silent" or self._down() or busy:
            raise OutcomeUnknown()
        answer = super().inquire(token=token, order_id=order_id)
        if kind == "interleaved":
            self.meanwhile()
        if kind == "answer_lost":
            raise OutcomeUnknown()
        return answer

    def reverse(self, *, token: str, reference: str, order_id: str, amount_rial: int) -> ReverseResult:
        kind = self.faults.at("gateway.reverse")
        slip = self.slips.get(token)
        # The gateway that nobody can ask calls money that has gone back "not reversible".
        gone = slip is not None and slip.state == "reversed" and not self.can_inquire_without_callback
        if kind == "silent" or self._down():
            raise OutcomeUnknown()
        if kind == "refused" or gone:
            return NotReversible("refused")
        answer = super().reverse(token=token, reference=reference, order_id=order_id, amount_rial=amount_rial)
        if kind == "answer_lost":
            raise OutcomeUnknown()
        return answer


class World:
    """One run: what there is, and what happens next."""

    def __init__(self, seed: str, rate: float, turn: str = CITIES[0]) -> None:
        self.turn = turn
        self.random = Random(seed)  # noqa: S311 - a run must repeat
        self.faults = Faults(self.random, rate)
        self.clock = FixedClock(BEGIN)
        self.store = FaultyStore(self.faults)
        self.gateways = [self._gateway("rial", True), self._gateway("callback-only", False)]
        self.reports: Counter[str] = Counter()
        self.costs: dict[str, tuple[YearAmount, ...]] = {}
        self.desk = Desk(
            store=self.store,
            refunds=self.store,
            terminals=self.store,
            gateways=MemoryGateways(self.gateways),
            queue=self,
            clock=self.clock,
            report=self._report,
            public_origin="https://avarez.example",
            return_origins=frozenset(),
            reassess=lambda quote, now, username: None,
            requote=self._requote,
        )
        for number, city in enumerate(CITIES):
            self.store.terms[city] = BillTerms(101 + number, 10)
        self.store.fees["TEHRAN"] = Fee(5_000, office_ppm=700_000)
        self.store.fees["MASHHAD"] = Fee(3_333, Bearer.CITY, 500_000)
        for number in range(TERMINALS):
            name = f"T-{number}"
            self.store.machines[name] = Terminal(name, "of1", "saman")
        self._heap: list[_Act] = []
        self._row: deque[_Act] = deque()
        self._number = 0
        self._depth = 0
        self.killed = 0
        self.store.wake = self._wake
        self.store.rival = self._rival
        self.cities = Cities(self, CITIES)
        self.store.second_worker = self.cities.rival
        self.closes = Closes(self, CITIES)
        self._woken: set[str] = set()
        self.aside: set[str] = set()
        self._writing = False

    def _gateway(self, name: str, inquirable: bool) -> FaultyGateway:
        made = FaultyGateway(self.clock, name=name, can_inquire_without_callback=inquirable)
        made.rial_per_unit = 1 if inquirable else 10  # one of the two counts in toman
        made.faults = self.faults
        made.meanwhile = self._meanwhile
        return made

    def _report(self, name: str) -> None:
        self.reports[name] += 1

    def _requote(self, payment: Payment, day: date) -> Sequence[YearAmount]:
        """Each year costs a twentieth more on a later day."""
        return [YearAmount(part.year, part.amount_rial * 21 // 20) for part in payment.years]

    # -- what happens --------------------------------------------------------------------------------

    def at(self, delay_s: float, act: Callable[[], object]) -> None:
        """Something happens so many seconds from now."""
        heapq.heappush(self._heap, self._act(delay_s, act))

    def plan(self, delays_s: Iterable[float], act: Callable[[], object]) -> None:
        """As `at` for each of these, which ascend: most of what happens, which the heap is spared."""
        self._row += [self._act(delay_s, act) for delay_s in delays_s]

    def _act(self, delay_s: float, act: Callable[[], object]) -> _Act:
        self._number += 1
        return self.clock.now() + timedelta(seconds=delay_s), self._number, act

    def _next(self, until: datetime | None = None) -> _Act | None:
        """What happens next up to this instant, and waits no more."""
        row, heap = self._row, self._heap
        in_row = bool(row) and not (heap and heap[0] < row[0])
        if not (in_row or heap) or (until is not None and (row if in_row else heap)[0][0] > until):
            return None
        return row.popleft() if in_row else heapq.heappop(heap)

    def run(self, until: datetime | None = None) -> None:
        """Everything up to this instant, or all there is, happens in order."""
        while (happening := self._next(until)) is not None:
            when, _, act = happening
            if when > self.clock.instant:
                self.clock.instant = when
            self.attempt(act)
        if until is not None and until > self.clock.instant:
            self.clock.instant = until

    def attempt(self, act: Callable[[], Any]) -> Any:
        """Refusals are answers, and a kill ends one process; anything else is a defect and ends the run."""
        try:
            return act()
        except AvarezError as refusal:
            return refusal.with_traceback(None)  # nobody looks at it, and it would keep all that was at hand
        except Crash:
            self.killed += 1
            return None

    def _meanwhile(self) -> None:
        """Somebody else's next act happens in the middle of this one."""
        if self._depth or (happening := self._next()) is None:
            return
        self._depth += 1
        try:
            self.attempt(happening[2])
        finally:
            self._depth -= 1

    # -- the queue -----------------------------------------------------------------------------------

    def send(self, message: dict[str, str], delay_s: int = 0) -> None:
        kind = self.faults.at("queue.send")
        if kind == "dropped":
            return
        deliveries = 2 if kind == "duplicated" else 1
        for _ in range(deliveries):
            delay = delay_s + 1 + self.random.random() * (300 if kind == "delayed" else 3)
            self.at(delay, lambda: self._deliver(message))

    def send_all(self, messages: Sequence[dict[str, str]]) -> None:
        for message in messages:
            self.send(message)

    def _deliver(self, message: Mapping[str, str]) -> None:
        chunk = int(message["chunk"]) if "chunk" in message else None
        reconciliation.retry(self.desk, message["payment_id"], chunk)

    # -- the sequencer -------------------------------------------------------------------------------

    def _wake(self, municipality: str) -> None:
        """The stream tells the queue, once for what comes within a few seconds."""
        if municipality in self._woken:
            return
        kind = self.faults.at("sequencer.wake")
        if kind == "dropped":
            return
        self._woken.add(municipality)
        delay_s = WAKE_AFTER_S + (self.random.random() * 300 if kind == "delayed" else 0)
        self.at(delay_s, lambda: self._sequence(municipality))
        if kind == "duplicated":
            self.at(delay_s, lambda: self._sequence(municipality))

    def _sequence(self, municipality: str) -> None:
        self._woken.discard(municipality)
        self.sequence(municipality)

    def sequence(self, municipality: str) -> None:
        """One run of the sequencer of this city."""
        holder = ids.new_id("sq", self.clock.now())
        done = sequence(self.store, municipality, holder=holder, clock=self.clock, time_left=lambda: True)
        self.aside.update(done.aside)
        if done.events:
            self.cities.wake(municipality)

    def _rival(self, municipality: str) -> None:
        """The lease lapses in the middle of a run, and a second writer does the work of the first."""
        if self._writing or self.faults.at("sequencer") != "two_writers":
            return
        head = self.store.head(municipality)
        self.store.heads[municipality] = replace(head, held_until_at="")
        self._writing = True
        try:
            self.attempt(lambda: self.sequence(municipality))
        finally:
            self._writing = False

    def maybe_outage(self) -> None:
        """A gateway may go down, mostly for minutes, now and then for longer than leases last."""
        gateway = self.gateways[int(self.random.random() * len(self.gateways))]
        if self.faults.at("gateway") == "outage":
            minutes = 40.0 if self.random.random() < 0.2 else 2 + self.random.random() * 8
            gateway.down_from = self.clock.now() + FAILING_BEFORE_OUTAGE
            gateway.down_until = gateway.down_from + timedelta(minutes=minutes)

    # -- the sweep -----------------------------------------------------------------------------------

    def sweep(self) -> None:
        if self.faults.at("sweep") == "skipped":
            return
        if self.faults.at("clock") == "jumps":
            self.clock.advance(timedelta(seconds=30 + self.random.random() * 300))
        reconciliation.sweep(self.desk, time_left=lambda: True)
        for municipality in sorted(self.store.outgoing):
            if self.store.outgoing[municipality]:
                self.attempt(partial(self.sequence, municipality))
        self.cities.sweep()
