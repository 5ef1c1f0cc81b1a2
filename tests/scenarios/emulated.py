"""The local engine with its tables, reached directly or through a proxy that injects faults on the way."""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from avarez import keys
from avarez.dynamo import Table, from_item
from functions.certify.certificates.issuing import Issue, issue_certificate
from functions.certify.certificates.outbox import OUTBOX_PREFIX, OutboxKey
from functions.certify.certificates.record import Paper
from functions.certify.stores.issuing_store import IssuingTable
from functions.pay.rules.records import Payment, Quote
from functions.pay.stores.payment_store import DynamoStore
from infra.local.engine import REGION, Engine
from infra.local.process import Child, any_free_port, bare_environment
from simulation.certificates import LocalSigner, MemoryDocuments
from tests.contract.payments.test_payment_store import quote_writer
from tests.unit.payments.payments_fake import World, world

START_TIMEOUT_S = 30.0
TABLES = ("duty", "ledger")
LOST = {"response": {"abort_frac": 0}}
"""The engine has done it, and nobody hears of it."""
THROTTLED = {"error": {"code": "ProvisionedThroughputExceededException"}}
CONFLICT = {
    "error": {
        "code": "TransactionCanceledException",
        "fields": {"CancellationReasons": [{"Code": "TransactionConflict"}]},
    }
}


class Proxy:
    """The fault proxy before an engine; rules say what befalls which operation."""

    def __init__(self, upstream: str, folder: Path) -> None:
        self.port = any_free_port(set())
        self.url = f"http://127.0.0.1:{self.port}"
        command = [str(Path(sys.executable).with_name("microburst")), "--upstream", upstream, "--no-resign"]
        command += ["--host", "127.0.0.1", "--port", str(self.port)]
        self._child = Child(command, env=bare_environment(), cwd=folder, log=folder / "proxy.log")
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._answers():
            assert self._child.running(), self._child.output()
            assert time.monotonic() < deadline, "the proxy did not answer"
            time.sleep(0.02)

    def _call(self, method: str, path: str, body: object = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            sent = None if body is None else json.dumps(body)
            kind = {} if body is None else {"content-type": "application/json"}
            connection.request(method, f"/_microburst/{path}", sent, kind)
            answer = connection.getresponse()
            text = answer.read()
            assert answer.status < 300, text
            return json.loads(text) if text else None
        finally:
            connection.close()

    def _answers(self) -> bool:
        try:
            return bool(self._call("GET", "health")["status"] == "ok")
        except OSError:
            return False

    def faults(self, *rules: dict[str, Any]) -> None:
        """From now on these befall DynamoDB's calls, and no others."""
        self._call("DELETE", "fired")
        self._call("POST", "rules", [{"service": "dynamodb", **rule} for rule in rules])

    def calm(self) -> None:
        self._call("POST", "rules", [])

    def fired(self) -> list[dict[str, Any]]:
        """What befell since the rules were set."""
        told: list[dict[str, Any]] = self._call("GET", "fired?limit=100000")
        return told

    def stop(self) -> None:
        self._child.kill()


@dataclass
class Emulated:
    """Payments over the engine's tables: `w` calls it directly or through the proxy, `tables` always directly."""

    w: World
    tables: dict[str, Table]
    proxy: Proxy
    signer: LocalSigner = field(default_factory=LocalSigner)

    def put_quote(self, made: Quote) -> Quote:
        quote_writer(self.tables["duty"])(made)
        return made

    def items(self, name: str) -> list[dict[str, Any]]:
        """Everything in a table, as plain values."""
        return list(scan(self.tables[name]))

    def issue_all(self) -> list[Issue]:
        """Each row that asks for a certificate, taken by the real issuer over the same tables as the payments."""
        store = self.w.desk.store
        assert isinstance(store, DynamoStore)
        rows = [
            row
            for row in self.items("ledger")
            if row["pk"].startswith(OUTBOX_PREFIX) and not row["sk"].startswith(keys.TO_CHAIN_PREFIX)
        ]
        return [
            issue_certificate(
                OutboxKey(row["pk"], row["sk"]),
                certificates=IssuingTable(store.duty, store.ledger),
                documents=MemoryDocuments(),
                signer=lambda: self.signer,
                typeset=lambda record: dict.fromkeys(Paper, record.certificate_id.encode()),
                now=self.w.clock.now(),
            )
            for row in rows
        ]

    def now_of(self, payment: Payment) -> Payment:
        """The payment as it stands in the table."""
        stored = DynamoStore(self.tables["duty"], self.tables["ledger"]).payment(payment.payment_id)
        assert stored is not None
        return stored


def scan(table: Table) -> Iterator[dict[str, Any]]:
    for page in table.dynamodb.get_paginator("scan").paginate(TableName=table.name):
        yield from (from_item(item) for item in page["Items"])


class EngineTables:
    """One engine and one proxy for a whole run of tests; each asks for tables of its own."""

    def __init__(self, folder: Path) -> None:
        self.engine = Engine(folder / "data", any_free_port(set()))
        self.engine.start()
        self.proxy = Proxy(self.engine.url, folder)
        self._numbers = iter(range(1, 10_000))
        self._lock = threading.Lock()

    def client(self, url: str, attempts: int, pool: int = 40) -> Any:
        """A client of DynamoDB that tries so often by itself."""
        return boto3.client(
            "dynamodb",
            endpoint_url=url,
            region_name=REGION,
            aws_access_key_id=self.engine.key.access_key_id,
            aws_secret_access_key=self.engine.key.secret_access_key,
            config=Config(
                retries={"mode": "standard", "total_max_attempts": attempts},
                connect_timeout=5,
                read_timeout=60,
                max_pool_connections=pool,
            ),
        )

    def fresh(self, *, faulty: bool, attempts: int = 4) -> Emulated:
        """New tables, and payments over them."""
        with self._lock:
            number = next(self._numbers)
        plain = self.client(self.engine.url, 4)
        names = {name: f"{name}-{number}" for name in TABLES}
        for name in names.values():
            plain.create_table(
                TableName=name,
                BillingMode="PAY_PER_REQUEST",
                KeySchema=[
                    {"AttributeName": "pk", "KeyType": "HASH"},
                    {"AttributeName": "sk", "KeyType": "RANGE"},
                ],
                AttributeDefinitions=[
                    {"AttributeName": "pk", "AttributeType": "S"},
                    {"AttributeName": "sk", "AttributeType": "S"},
                ],
            )
        used = self.client(self.proxy.url, attempts) if faulty else plain
        store = DynamoStore(Table(names["duty"], used), Table(names["ledger"], used))
        return Emulated(
            world(store),
            {name: Table(names[name], plain) for name in TABLES},
            self.proxy,
        )

    def stop(self) -> None:
        self.proxy.stop()
        self.engine.kill()
