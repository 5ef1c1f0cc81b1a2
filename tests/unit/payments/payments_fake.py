"""What the tests of payments share: a world over the simulator's store and gateway, quotes, callers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, cast

from avarez.clock import FixedClock
from avarez.http.principal import Principal
from avarez.journal import YearAmount
from functions.pay.payments.ports import Desk, Store
from functions.pay.rules.records import Payment, Quote
from functions.pay.rules.refunds import Refund
from functions.pay.rules.states import Status
from functions.pay.stores.payment_store import DynamoStore
from functions.pay.stores.refund_store import DynamoRefunds
from functions.pay.stores.terminal_store import DynamoTerminals
from simulation.gateway import MemoryGateway as FakeGateway
from simulation.gateway import MemoryGateways as FakeGateways
from simulation.gateway import MemoryQueue as FakeQueue
from simulation.gateway import Slip
from simulation.store import Crash
from simulation.store import MemoryStore as FakeStore

__all__ = [
    "CLERK",
    "NOON",
    "OTHER_CLERK",
    "Crash",
    "FakeGateway",
    "FakeGateways",
    "FakeQueue",
    "FakeStore",
    "Slip",
    "World",
    "a_payment",
    "a_refund",
    "quote",
    "world",
]

NOON = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
"""Noon in Tehran on 1405-09-02."""

CLERK = Principal("clerk", "office", None, "of1", ("*",), frozenset({"payments.write", "payments.read"}))
OTHER_CLERK = Principal("other", "office", None, "of2", ("SHIRAZ",), frozenset({"payments.write"}))


def quote(clock: FixedClock, number: int = 1, **changes: Any) -> Quote:
    """A quote of today for two years and a rounding, 1,235,000 rial in all."""
    values: dict[str, Any] = {
        "assessment_id": f"as_{number:036d}",
        "municipality": "TEHRAN",
        "plate": "12B345-67",
        "vehicle_id": "ve_1",
        "as_of": date(2026, 11, 23),
        "expires_at": datetime(2026, 11, 23, 20, 30, tzinfo=UTC),
        "years": (YearAmount(1403, 1_000_000), YearAmount(1404, 234_500)),
        "rounding_rial": 500,
        "owed_rial": 1_235_000,
        "trace_hash": "ab" * 32,
        "tariff_version": "cd" * 32,
        **changes,
    }
    return Quote(**values)


def a_payment(**changes: object) -> Payment:
    """A payment of 1,240,000 rial for two years, being verified: that of `docs/ledger.md`."""
    values: dict[str, object] = {
        "payment_id": "py_1",
        "assessment_id": "as_1",
        "municipality": "TEHRAN",
        "plate": "12B345-67",
        "vehicle_id": "ve_1",
        "years": (YearAmount(1403, 1_000_000), YearAmount(1404, 234_500)),
        "rounding_rial": 500,
        "fee_rial": 5_000,
        "office_fee_rial": 4_000,
        "office": "OFFICE-1",
        "amount_rial": 1_240_000,
        "status": Status.VERIFYING,
        "channel": "gateway",
        "gateway": "sandbox",
        "created_by": "clerk",
        "created_at": NOON,
        "expires_at": NOON,
        "verify_until_at": NOON,
        "trace_hash": "ab" * 32,
        "tariff_version": "t",
        "reference": "r1",
        **changes,
    }
    return Payment(**values)  # type: ignore[arg-type]


def a_refund(**changes: object) -> Refund:
    """A refund of its year 1404."""
    values: dict[str, object] = {
        "refund_id": "rf_1",
        "payment_id": "py_1",
        "municipality": "TEHRAN",
        "plate": "12B345-67",
        "gateway": "sandbox",
        "reference": "r1",
        "of_suspense": False,
        "years": (YearAmount(1404, 234_500),),
        "rounding_rial": 0,
        "fee_rial": 0,
        "amount_rial": 234_500,
        "reason": "paid twice",
        "requested_by": "clerk",
        "requested_at": NOON,
        **changes,
    }
    return Refund(**values)  # type: ignore[arg-type]


@dataclass
class World:
    """A desk with everything behind it at hand."""

    clock: FixedClock
    gateway: FakeGateway
    queue: FakeQueue
    desk: Desk
    reports: list[str]
    costs: list[YearAmount]

    @property
    def store(self) -> FakeStore:
        assert isinstance(self.desk.store, FakeStore)
        return self.desk.store


def world(store: Store | None = None) -> World:
    clock = FixedClock(NOON)
    gateway = FakeGateway(clock)
    queue = FakeQueue()
    reports: list[str] = []
    stored = store or FakeStore()
    costs: list[YearAmount] = []
    desk = Desk(
        store=stored,
        terminals=stored if isinstance(stored, FakeStore) else DynamoTerminals(cast("DynamoStore", stored)),
        refunds=stored if isinstance(stored, FakeStore) else DynamoRefunds(cast("DynamoStore", stored)),
        gateways=FakeGateways([gateway]),
        queue=queue,
        clock=clock,
        report=reports.append,
        public_origin="https://avarez.example",
        return_origins=frozenset({"https://avarez.example"}),
        reassess=lambda quote, now, username: None,
        requote=lambda payment, day: costs,
    )
    return World(clock, gateway, queue, desk, reports, costs)
