"""What the tests of faults share: the storm, the calm after it, and the books of both sides compared."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from avarez import keys
from avarez.clock import SystemClock, tehran_today
from avarez.dynamo import Table, from_item
from avarez.journal import JournalEntry
from functions.certify.stores.outbox_store import Outbox, QueueSender
from functions.pay.audit.books_store import Books
from functions.pay.audit.checks import Broken, check
from functions.pay.payments.ports import Desk
from functions.pay.payments.reconciliation import sweep
from functions.pay.rules.records import Payment
from functions.pay.stores import items
from functions.pay.wiring import wire
from tests.chaos.fault_proxy import FaultProxy
from tests.system.conftest import Client, System

LATER = timedelta(minutes=40)
"""Longer than a page and the window after it: by then the sweep must have ended whatever is open."""
SWEEPS_MAX = 12
CERTIFICATES_TIMEOUT_S = 1_800.0
OVERLOOKED_S = 20.0
WAITING_MAX = 100
LOST = "abort"
"""How microburst names an answer that never arrives although the engine has done the work."""


class LaterClock:
    """The time, so much later."""

    def __init__(self, by: timedelta) -> None:
        self.by = by

    def now(self) -> datetime:
        return SystemClock().now() + self.by


@dataclass
class Weather:
    """The system, the proxy in front of its engine, and what was seen of both."""

    system: System
    proxy: FaultProxy
    reports: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._duty = Table(self.system.outputs["DutyTableName"], self.system.aws("dynamodb"))
        self._ledger = Table(self.system.outputs["LedgerTableName"], self.system.aws("dynamodb"))
        self._desk: Desk | None = None

    @property
    def duty(self) -> Table:
        """The duty table, past the proxy and with the owner's rights."""
        return self._duty

    def desk(self) -> Desk:
        """The use cases of payments over their real adapters, behind the proxy."""
        if self._desk is None:
            self._desk = wire(report=lambda name: self.reports.update([name]))
        return self._desk

    @contextmanager
    def storm(self) -> Iterator[Counter[tuple[str, str, str]]]:
        """Faults happen inside the block; afterwards the counter says which did."""
        fired: Counter[tuple[str, str, str]] = Counter()
        before = self.proxy.fired()
        self.proxy.storm()
        try:
            yield fired
        finally:
            self.proxy.calm()
            fired.update(self.proxy.fired() - before)

    def converge(self) -> None:
        """The storm is over: the sweeps end whatever is open, and every certificate is made."""
        for number in range(SWEEPS_MAX):
            desk = replace(self.desk(), clock=LaterClock(LATER + number * timedelta(minutes=3)))
            if sweep(desk, time_left=lambda: True).looked_at == 0 and not self.open_rows():
                break
        assert self.open_rows() == []
        self._certify()

    def _certify(self) -> None:
        """Waits for the certificates, and wakes their issuer as its own sweep does, for rows it has overlooked."""
        outbox = Outbox(self._ledger)
        queue = QueueSender(self.system.outputs["CertifyQueueUrl"], self.system.aws("sqs"))
        began = woken = time.monotonic()
        ever = datetime(9999, 1, 1, tzinfo=UTC)
        while waiting := [row for shard in range(keys.SHARDS) for row in outbox.pending(shard, ever, WAITING_MAX)]:
            now = time.monotonic()
            assert now - began < CERTIFICATES_TIMEOUT_S, f"{len(waiting)} certificates did not come"
            if now - woken > OVERLOOKED_S and queue.backlog() == 0:
                queue.send([row.key for row in waiting])
                woken = now
            time.sleep(1.0)

    def open_rows(self) -> list[str]:
        """Payments and refunds that the sweep still has to look after."""
        partitions = [keys.open_payments(shard) for shard in range(keys.SHARDS)]
        return [str(row["payment_id"]) for partition in partitions for row in self._duty.query(partition)]

    def payments(self, municipality: str) -> dict[str, Payment]:
        """Every payment of the city there is, whether or not its caller ever heard of it."""
        found: dict[str, Payment] = {}
        pages = self._duty.dynamodb.get_paginator("scan").paginate(
            TableName=self._duty.name, ConsistentRead=True, FilterExpression="attribute_exists(verify_until_at)"
        )
        for page in pages:
            for typed in page["Items"]:
                payment = items.payment_from(from_item(typed))
                if payment.municipality == municipality:
                    found[payment.payment_id] = payment
        return found

    def entries(self, municipality: str) -> list[JournalEntry]:
        """The city's journal of these days; the sweep after the storm may have crossed midnight."""
        books = Books(self._duty, self._ledger)
        return [entry for day in self.days() for entry in books.entries(municipality, day)]

    def broken(self, municipality: str) -> list[Broken]:
        """What does not hold of the real tables, by the code of `avarez check-invariants`."""
        books = Books(self._duty, self._ledger)
        long_after = SystemClock().now() + timedelta(hours=3)
        return [one for day in self.days() for one in check(books.book(municipality, day, long_after))]

    def days(self) -> list[str]:
        now = SystemClock().now()
        return sorted({tehran_today(now + step).isoformat() for step in (-LATER, timedelta(0), 2 * LATER)})

    def gateways_book(self) -> dict[str, dict[str, Any]]:
        """The sandbox gateway's own report of these days: order → what it holds."""
        told = self.credentials()
        days = {(datetime.now(UTC) + step).date().isoformat() for step in (-LATER, timedelta(0))}
        rows: dict[str, dict[str, Any]] = {}
        for day in sorted(days):
            answer = Client(self.system.sandbox_url).get(
                f"/api/report?day={day}&merchant={told['merchant']}", {"authorization": f"Bearer {told['secret']}"}
            )
            for row in answer.json["rows"]:
                assert row["order_id"] not in rows, "one page an order"
                rows[row["order_id"]] = row
        return rows

    def credentials(self) -> dict[str, str]:
        """What the sandbox gateway knows us by."""
        secret = self.system.aws("secretsmanager").get_secret_value(
            SecretId=self.system.outputs["GatewaysSecretArn"]
        )
        told: dict[str, str] = json.loads(secret["SecretString"])["sandbox"]
        return told

    def assert_books_agree(self, municipality: str) -> Counter[str]:
        """None lost, none doubled: the gateway's book and ours, reference by reference; how the payments ended."""
        payments = self.payments(municipality)
        unfinished = [of.payment_id for of in payments.values() if of.unfinished]
        assert unfinished == []
        held: Counter[tuple[str, str]] = Counter()
        for entry in self.entries(municipality):
            for posting in entry.postings:
                if posting.account.startswith("gateway_clearing:sandbox"):
                    held[entry.payment_id, entry.reference] += posting.debit_rial - posting.credit_rial
        ours = {key: amount_rial for key, amount_rial in held.items() if amount_rial}
        report = {order: row for order, row in self.gateways_book().items() if order in payments}
        theirs = {
            (order, row["reference"]): int(row["amount"])
            for order, row in report.items()
            if row["state"] == "verified"
        }
        assert ours == theirs
        assert [order for order, row in report.items() if row["state"] == "paid"] == [], "nor kept, nor given back"
        assert self.broken(municipality) == []
        return Counter(of.status.value for of in payments.values())


def lost_responses(fired: Counter[tuple[str, str, str]], operation: str = "") -> int:
    """How many answers were lost after the engine had done its work."""
    return sum(n for (_, of, action), n in fired.items() if LOST in action and operation in ("", of))
