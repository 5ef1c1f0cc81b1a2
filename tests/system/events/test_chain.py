"""A city's chain on the running system: events of payments stand in it, whatever is killed on the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from avarez import keys
from avarez.dynamo import Table
from avarez.events.chain import Event, faults
from avarez.events.log import EventLog
from tests.system.conftest import System
from tests.system.journey import assess, certificate, pay
from tests.system.plates import fresh_plate

pytestmark = pytest.mark.system

CITY = "MASHHAD"
CHAINED_WITHIN_S = 30.0
SWEPT_WITHIN_S = 150.0
"""A sweep comes each minute, and the lease of a writer that was killed has to lapse before."""


def ledger(system: System) -> Table:
    return Table(system.outputs["LedgerTableName"], system.aws("dynamodb"))


def whole_chain(system: System) -> Sequence[Event]:
    """Every event of the city, proved from the first to the head."""
    log = EventLog(ledger(system))
    head = log.head(CITY)
    events = log.read(CITY, after=0, limit=head.sequence)
    assert list(faults(CITY, events)) == []
    assert (len(events), events[-1].hash if events else head.hash) == (head.sequence, head.hash)
    return events


def told_of(system: System, payment_id: str, kind: str) -> list[dict[str, Any]]:
    """What the chain tells of this payment in events of this type."""
    told = [dict(event.data) for event in whole_chain(system) if event.data["type"] == kind]
    return [data for data in told if data.get("payment", {}).get("payment_id") == payment_id]


def awaited(system: System, payment_id: str, kind: str, timeout_s: float) -> list[dict[str, Any]]:
    """The same, once there is anything."""
    found: list[dict[str, Any]] = system.wait_for(lambda: told_of(system, payment_id, kind) or None, timeout_s)
    return found


def test_payment_and_its_certificate_stand_in_the_chain_once(system: System) -> None:
    clerk = system.client("clerk")
    paid = pay(system, clerk, fresh_plate())
    payment_id = paid.payment["payment_id"]
    certificate(system, clerk, paid.certificate_id)
    (issued,) = awaited(system, payment_id, "certificate.issued", CHAINED_WITHIN_S)
    (settled,) = told_of(system, payment_id, "payment.settled")
    assert settled["sequence"] < issued["sequence"]
    assert issued["certificate"]["certificate_id"] == paid.certificate_id
    assert settled["payment"]["certificate_id"] == paid.certificate_id
    assert settled["payment"]["amount_rial"] == paid.payment["amount_rial"]
    debits = sum(int(of["debit_rial"]) for of in settled["entry"]["postings"])
    assert debits == int(paid.payment["amount_rial"])
    quoted = {line["year"] for line in paid.quote["lines"] if line["kind"] == "principal"}
    assert {part["year"] for part in settled["payment"]["years"]} <= quoted
    waiting = [
        row
        for shard in range(keys.SHARDS)
        for row in ledger(system).query(keys.outbox_partition(CITY, shard), keys.TO_CHAIN_PREFIX)
        if row["about"] == payment_id
    ]
    assert waiting == []


def test_chain_goes_on_unbroken_after_its_worker_was_killed(system: System) -> None:
    clerk = system.client("clerk")
    before = len(whole_chain(system))
    assess(clerk, fresh_plate())
    paid = []
    for _ in range(3):
        paid.append(pay(system, clerk, fresh_plate()).payment["payment_id"])
        system.kill_worker("pay-sequencer")
    for payment_id in paid:
        assert len(awaited(system, payment_id, "payment.settled", SWEPT_WITHIN_S)) == 1
    assert len(whole_chain(system)) >= before + 3
