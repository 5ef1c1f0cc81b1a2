"""Every callback is lost, and so is the ledger's stream: what only the sweeps find, in virtual time.

Payers come at half the rate that `make bench` measured and all of them pay. The clock moves with what sweeps and
issuers cost, as measured: `python -m simulation.drain` prints the report.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from avarez import ids, keys
from functions.certify.certificates.issuing import issue_certificate
from functions.certify.certificates.outbox import OutboxKey
from functions.certify.certificates.overlooked import Waiting, wake_overlooked
from functions.certify.certificates.record import CertificateRecord, Paper
from functions.pay.gateways.port import Inquiry, VerifyResult
from functions.pay.payments import reconciliation
from functions.pay.payments.opening import Asked, create
from functions.pay.rules.records import Payment
from functions.pay.rules.states import OPEN, Occurrence, Status
from simulation.certificates import LocalSigner, MemoryCertificates, MemoryDocuments
from simulation.people import CLERK, People
from simulation.world import CITIES, FaultyGateway, World

JOURNEYS_PER_S: Final = 8.3
"""What one machine of two cores does, whole journeys with 8 clerks at once: `make bench`, README."""
CALL_S: Final = 0.020
"""A gateway's call with the writes that follow it: p50 of the callback, which makes one, is 33 ms in all."""
ISSUE_S: Final = 0.068
"""From the wake-up to the certificate in force, p50 of `make bench`; one issuer works at a time."""
PAYS_WITHIN_S: Final = (10, 110)
SWEEP_S_MAX: Final = 40
"""As `functions/pay/sweep.py` has it, which is wired and not imported here."""
AFTER_MINUTES: Final = 40
"""Longer than a page and any window."""
RESOLVED_WITHIN: Final = timedelta(minutes=2)
CERTIFIED_WITHIN: Final = timedelta(minutes=5)


class Issuers:
    """The certify queue and the one issuer behind it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.certificates = MemoryCertificates(world.store)
        self.documents = MemoryDocuments()
        self.signer = LocalSigner()
        self.free_at = world.clock.now()
        self._seen = 0
        self._waiting: dict[int, dict[str, Waiting]] = {shard: {} for shard in range(keys.SHARDS)}

    def pending(self, shard: int, created_before: datetime, limit: int) -> list[Waiting]:
        """As the index of undone rows tells them."""
        store = self.world.store
        for event_id in list(store.outbox)[self._seen :]:
            payment = store.payments[store.outbox[event_id]]
            assert payment.settled_at is not None  # noqa: S101 - the outbox holds settled payments only
            row = Waiting(self.certificates.key_of(event_id), payment.settled_at)
            self._waiting[keys.shard_of(payment.payment_id)][event_id] = row
        self._seen = len(store.outbox)
        undone = {of: row for of, row in self._waiting[shard].items() if of not in self.certificates.done}
        self._waiting[shard] = undone
        old = sorted(
            (row for row in undone.values() if row.created_at < created_before), key=lambda r: r.created_at
        )
        return old[:limit]

    def backlog(self) -> int:
        """Wake-ups are taken in as they are sent; what waits, waits in the issuer's own time."""
        return 0

    def send(self, outbox_keys: list[OutboxKey]) -> int:
        """Each wake-up is taken when the issuer is free."""
        now = self.world.clock.now()
        for key in outbox_keys:
            self.free_at = max(self.free_at, now) + timedelta(seconds=ISSUE_S)
            self.world.at((self.free_at - now).total_seconds(), lambda key=key: self._issue(key))  # type: ignore[misc]  # mypy does not infer a lambda's defaults
        return len(outbox_keys)

    def _issue(self, key: OutboxKey) -> None:
        issue_certificate(
            key,
            certificates=self.certificates,
            documents=self.documents,
            signer=lambda: self.signer,
            typeset=_page,
            now=self.world.clock.now(),
        )


def _page(record: CertificateRecord) -> dict[Paper, bytes]:
    return {paper: f"{record.certificate_id} {paper}".encode() for paper in Paper}


class CostlyGateway(FaultyGateway):
    """A gateway whose calls take time, in which everybody else goes on."""

    goes_on: Callable[[datetime], None]

    def _takes_time(self) -> None:
        self.clock.advance(timedelta(seconds=CALL_S))
        self.goes_on(self.clock.now())

    def inquire(self, *, token: str, order_id: str) -> Inquiry:
        self._takes_time()
        return super().inquire(token=token, order_id=order_id)

    def verify(self, *, token: str, reference: str, order_id: str, amount_rial: int) -> VerifyResult:
        self._takes_time()
        return super().verify(token=token, reference=reference, order_id=order_id, amount_rial=amount_rial)


@dataclass
class Drain:
    """One run, and what it measured."""

    world: World
    people: People
    issuers: Issuers
    paid_at: dict[str, datetime] = field(default_factory=dict)
    busy_s: float = 0.0
    oldest_unresolved_s: int = 0
    oldest_waiting_s: int = 0
    left: int = 0

    def come(self, number: int) -> None:
        """Somebody opens a page and pays on it; nobody ever tells us."""
        plate = f"{number // 900 % 89 + 11}B{number % 900 + 100}-{number // 80_100 + 11}"
        quote = replace(self.people.quote(f"ve_{number}", CITIES[number % len(CITIES)]), plate=plate)
        self.world.store.quotes[quote.assessment_id] = quote
        gateway = self.world.gateways[number % len(self.world.gateways)]
        asked = Asked((quote.assessment_id,), "gateway", gateway.name, "")
        opened = create(self.world.desk, principal=CLERK, key=f"k{number}", asked=asked)
        least, most = PAYS_WITHIN_S
        wait_s = least + self.world.random.random() * (most - least)
        self.world.at(wait_s, lambda: self.pay(self.world.store.payments[opened.payment_id]))

    def pay(self, payment: Payment) -> None:
        gateway = next(one for one in self.world.gateways if one.name == payment.gateway)
        if gateway.pay(payment.token):
            self.paid_at[payment.payment_id] = self.world.clock.now()

    def sweep(self) -> None:
        """The sweep of payments takes the time that its calls take."""
        began = self.world.clock.now()

        def spent_s() -> float:
            return (self.world.clock.now() - began).total_seconds()

        told = reconciliation.sweep(self.world.desk, time_left=lambda: spent_s() < SWEEP_S_MAX)
        self.busy_s += spent_s()
        self.left += told.left
        self.oldest_unresolved_s = max(self.oldest_unresolved_s, told.oldest_unresolved_s)

    def sweep_certificates(self) -> None:
        told = wake_overlooked(self.issuers, self.issuers, self.world.clock.now())
        self.oldest_waiting_s = max(self.oldest_waiting_s, told.oldest_s)


def drain(payments: int, *, per_s: float = JOURNEYS_PER_S / 2, seed: int = 1) -> dict[str, Any]:
    """The report of a run in which every callback and every record of the stream is lost."""
    source = Random(f"ids drain {seed}")  # noqa: S311 - a run must repeat
    with ids.drawn_from(source.getrandbits):
        world = World(f"drain {seed}", 0.0)
        for gateway in world.gateways:
            gateway.__class__ = CostlyGateway
            gateway.goes_on = world.run  # type: ignore[attr-defined]  # of the class given to it above
            gateway.down_from = gateway.down_until = world.clock.now() - timedelta(
                days=1
            )  # nothing lags after an outage
        run = Drain(world, People(world), Issuers(world))
        for number in range(payments):
            world.at(number / per_s, lambda number=number: run.come(number))  # type: ignore[misc]  # mypy does not infer a lambda's defaults
        for minute in range(1, int(payments / per_s / 60) + AFTER_MINUTES):
            world.at(minute * 60, run.sweep)
            world.at(minute * 60 + 30, run.sweep_certificates)
        world.run()
        return _report(run, per_s)


def _report(run: Drain, per_s: float) -> dict[str, Any]:
    asked: list[float] = []
    unasked: list[float] = []
    certified: list[float] = []
    done = {run.issuers.world.store.outbox[of]: at for of, at in run.issuers.certificates.done.items()}
    payments = run.world.store.payments
    for payment_id, paid_at in run.paid_at.items():
        payment = payments[payment_id]
        if payment.settled_at is not None:
            asked.append((payment.settled_at - paid_at).total_seconds())
            certified.append(
                (done[payment_id] - payment.settled_at).total_seconds() if payment_id in done else 1e9
            )
        elif payment.status not in OPEN:
            ended = next(e.at for e in run.world.store.events(payment) if e.occurrence is Occurrence.WINDOW_PASSED)
            unasked.append((ended - payment.expires_at).total_seconds())
    return {
        "payments": len(payments),
        "paid": len(run.paid_at),
        "arrivals_per_s": round(per_s, 2),
        "settled": len(asked),
        "expired_at_the_window": len(unasked),
        "open": sum(payment.status in OPEN for payment in payments.values()),
        "settled_without_certificate": sum(
            payment.status is Status.SETTLED and of not in done for of, payment in payments.items()
        ),
        "resolved_after_s_max": round(max(asked, default=0.0), 1),
        "expired_after_the_window_s_max": round(max(unasked, default=0.0), 1),
        "certified_after_s_max": round(max(certified, default=0.0), 1),
        "drain_per_s": round((len(asked) + len(unasked)) / run.busy_s, 1) if run.busy_s else 0.0,
        "rows_left_by_a_run": run.left,
        "oldest_unresolved_s": run.oldest_unresolved_s,
        "oldest_waiting_for_certificate_s": run.oldest_waiting_s,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(drain(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000), indent=2) + "\n")
