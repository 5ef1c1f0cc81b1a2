"""From a settled payment to its webhook on the running local system: how many a second, and how late.

A payment here is what settles one: its journal entry and its event's row, in one transaction. Everything behind it
is the system's own: the stream, the city's sequencer, the queue, the worker, the signed message over a socket.
"""

from __future__ import annotations

import json
import secrets
import statistics
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from avarez import keys
from avarez.dynamo import Table, transact
from avarez.events.log import waiting_write
from avarez.ids import new_id
from avarez.journal import YearAmount, journal_item
from avarez.municipalities import all_municipalities
from avarez_cli.receiver.listening import Listening
from avarez_cli.receiver.taking import Answer, said
from benchmarks.report import Figure, percentile, plain, spread
from benchmarks.running.desk import Desk
from benchmarks.running.journeys import running_system
from functions.identity.accounts import create_account
from functions.pay.rules import announcing
from functions.pay.rules.ledger import settled_entry
from functions.pay.rules.records import Payment
from functions.pay.rules.states import Status
from infra.local.system import LocalSystem

GROUP = "from a settled payment to its delivered webhook"
FIRST_CITY = 700
"""Cities from this one on have no rolls and no other events in the demonstration."""
PACE_S = 0.5
"""Between two payments of a round that asks how late a message is: the machine is not to be its own queue."""
WAIT_MAX_S = 600.0


@dataclass
class Arrivals:
    """A city's receiver that only writes down when which event came."""

    came: dict[str, float] = field(default_factory=dict)

    def answer(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """200 to whatever comes, and the challenge's own text."""
        at, told = time.monotonic(), json.loads(body)
        if told["type"] == "endpoint.challenge":
            return said(200, challenge=told["data"]["challenge"])
        self.came.setdefault(str(told["data"].get("event_id", "")), at)
        return said(200)


@dataclass
class Country:
    """The running system with a receiver for each city."""

    local: LocalSystem
    receivers: dict[str, Arrivals]
    codes: Sequence[str]

    def __post_init__(self) -> None:
        self.ledger = Table(self.local.outputs["LedgerTableName"], self.local.admin("dynamodb"))

    def settle(self, code: str) -> tuple[str, float]:
        """A payment of the city is settled: its event's id, and when the write was acknowledged."""
        entry, payment = settled(code, datetime.now(UTC))
        waiting = announcing.of_entry(entry, payment)
        key = keys.journal(entry.municipality, entry.day, entry.payment_id, entry.journal_id)
        writes = [self.ledger.put_new(key, journal_item(entry)), waiting_write(self.ledger, waiting)]
        transact(writes, dynamodb=self.ledger.dynamodb)
        return waiting.event_id, time.monotonic()

    def settle_in(self, codes: Sequence[str]) -> list[tuple[str, str, float]]:
        """A payment in each of these cities, eight at once: city, event and time."""
        with ThreadPoolExecutor(8) as pool:
            return [(code, *made) for code, made in zip(codes, pool.map(self.settle, codes), strict=True)]

    def delays_s(self, made: Sequence[tuple[str, str, float]]) -> list[float]:
        """How long after its settlement each of them came; waits for all of them."""
        deadline = time.monotonic() + WAIT_MAX_S
        while any(event_id not in self.receivers[code].came for code, event_id, _ in made):
            if time.monotonic() > deadline:
                raise RuntimeError("a webhook was not delivered in time")
            time.sleep(0.02)
        return [self.receivers[code].came[event_id] - at for code, event_id, at in made]

    def paced_s(self, count: int, *, also: Sequence[str] = ()) -> tuple[float, float]:
        """p50 and p95 of the delays of payments one by one; beside every second one, one of a city in `also`."""
        made = []
        for number in range(count):
            code = self.codes[number % len(self.codes)]
            made.append((code, *self.settle(code)))
            if also and number % 2:
                self.settle(also[number // 2 % len(also)])
            time.sleep(PACE_S)
        delays = self.delays_s(made)
        return percentile(delays, 0.5), percentile(delays, 0.95)


def settled(code: str, now: datetime) -> tuple[Any, Payment]:
    """A settled payment of three years, and its entry."""
    years = tuple(YearAmount(year, 1_000_000 + year) for year in (1403, 1404, 1405))
    rounding_rial = -sum(part.amount_rial for part in years) % 1_000
    payment = Payment(
        payment_id=new_id("py", now),
        assessment_id=new_id("as", now),
        municipality=code,
        plate="12B345-67",
        vehicle_id=new_id("ve", now),
        years=years,
        rounding_rial=rounding_rial,
        fee_rial=5_000,
        amount_rial=sum(part.amount_rial for part in years) + rounding_rial + 5_000,
        status=Status.SETTLED,
        channel="gateway",
        gateway="sandbox",
        created_by="clerk",
        created_at=now,
        expires_at=now + timedelta(minutes=12),
        verify_until_at=now + timedelta(minutes=27),
        trace_hash="0" * 64,
        tariff_version="0" * 64,
        office="OFFICE-1",
        reference=new_id("rf", now),
        settled_at=now,
        certificate_id=new_id("ce", now),
        office_fee_rial=4_000,
        vehicle_class="passenger",
    )
    return settled_entry(payment, journal_id=new_id("je", now), now=now), payment


@contextmanager
def country(local: LocalSystem, cities: int) -> Iterator[Country]:
    """So many cities, each with an endpoint of its own on one socket."""
    codes = [city.code for city in all_municipalities()][FIRST_CITY : FIRST_CITY + cities]
    receivers = {code: Arrivals() for code in codes}
    by_path = {f"/{code}": receiver for code, receiver in receivers.items()}
    with Listening(0, lambda path: by_path.get(path)) as listening:
        threading.Thread(target=listening.serve_forever, args=(0.05,), daemon=True).start()
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda code: register(local, code, listening.port), codes))
        yield Country(local, receivers, codes)
        listening.shutdown()


def register(local: LocalSystem, code: str, port: int) -> Desk:
    """The city's endpoint is on this port, challenged; its officer's desk."""
    username, password = f"azmoon-{code.lower()}", f"Aa1-{secrets.token_urlsafe(12)}"
    create_account(
        cognito=local.admin("cognito-idp"),
        dynamodb=local.admin("dynamodb"),
        user_pool_id=local.outputs["UserPoolId"],
        identity_table=local.outputs["IdentityTableName"],
        username=username,
        password=password,
        group="municipality",
        municipality=code,
    )
    answer = Desk(local.origin).call("POST", "/v1/tokens", {"username": username, "password": password})[1]
    desk = Desk(local.origin, json.loads(answer)["access_token"])
    hook = f"/v1/municipalities/{code}/webhook"
    desk.call("PUT", hook, {"url": f"http://127.0.0.1:{port}/{code}"}, accepted=(201,))
    if not json.loads(desk.call("POST", f"{hook}/challenges")[1])["challenge_passed"]:
        raise RuntimeError(f"{code} did not pass its challenge")
    return desk


def figures(*, rounds: int, many: int, payments: int) -> list[Figure]:
    """Bursts and single payments at 10 endpoints and at `many`."""
    made: list[Figure] = []
    for cities in (10, many):
        with running_system() as local, country(local, cities) as towns:
            towns.delays_s(towns.settle_in(towns.codes))  # every city once: workers, heads and streams are warm
            made += _bursts(towns, rounds, max(payments, cities))
            paced = [towns.paced_s(payments // 4) for _ in range(rounds)]
            made += [
                plain(GROUP, f"{cities} endpoints, one by one, p50", [one for one, _ in paced], "s", 2),
                plain(GROUP, f"{cities} endpoints, one by one, p95", [one for _, one in paced], "s", 2),
            ]
    return made


def _bursts(towns: Country, rounds: int, payments: int) -> list[Figure]:
    rates, p50, p95 = [], [], []
    for _ in range(rounds):
        codes = [towns.codes[number % len(towns.codes)] for number in range(payments)]
        started = time.monotonic()
        burst = towns.settle_in(codes)
        delays = towns.delays_s(burst)
        last = max(at + delay for (_, _, at), delay in zip(burst, delays, strict=True))
        rates.append(payments / (last - started))
        p50.append(percentile(delays, 0.5))
        p95.append(percentile(delays, 0.95))
    name = f"{len(towns.codes)} endpoints, {payments} payments at once"
    return [
        plain(GROUP, f"{name}, settled and delivered", rates, "a second"),
        Figure(
            GROUP,
            f"{name}, p50 / p95",
            f"{statistics.median(p50):,.2f} / {statistics.median(p95):,.2f} s",
            spread(p95),
        ),
    ]
