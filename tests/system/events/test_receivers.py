"""Many cities' receivers at once, behind a way that loses, holds back and doubles a third of what is delivered.

Entries are booked as payments book them and chained, delivered and pulled by the running system. Each receiver has
to come to the ledger of its city's entries, and to notice what is missing at the first message behind it. Then all
days are closed and paid on: what each city's events say, its statements, its rows in the bank's files and its own
accounts in the ledger are one number, to the rial. `make prove` does it with 300 cities.
"""

from __future__ import annotations

import json
import os
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from avarez import keys
from avarez.changes.change_table import ChangeTable
from avarez.clock import SystemClock
from avarez.dynamo import Table, transact
from avarez.events.log import EventLog, waiting_write
from avarez.jalali import format_jalali
from avarez.journal import journal_item
from avarez.municipalities import all_municipalities
from avarez_cli.api import Refused
from avarez_cli.receiver.books import Books
from avarez_cli.receiver.listening import Listening
from avarez_cli.receiver.recovering import Recoverer
from avarez_cli.receiver.taking import Receiver
from functions.identity.accounts import create_account
from functions.pay.accounts.deciding import Desk
from tests.system.books.closed_days import agrees, close_days, iban_of, transfers
from tests.system.conftest import Client, System
from tests.system.events.unreliable import Unreliable
from tests.unit.receiver.told import City

PROVE = os.environ.get("AVAREZ_PROVE") == "1"
pytestmark = [pytest.mark.system, pytest.mark.timeout(14_400 if PROVE else 300)]
CITIES = 300 if PROVE else 4
PAYMENTS = 12 if PROVE else 4
SHARE = 0.3
LOOKED_EVERY_S = 600.0
"""Who wakes a receiver is what it misses; that the last message of all is lost nothing shows: see `whole`."""
WITHIN_S = 3_600.0 if PROVE else 240.0
PASSWORD = "Shahrdari-1405-Azmoon"
FIRST = 700
"""Of the cities without a demonstration, those from this one on are nobody else's in the tests."""
BEGAN = (datetime.now(UTC) - timedelta(days=2)).replace(hour=8, minute=30, second=0, microsecond=0)
"""When the first is paid: two days ago, so that the days of all entries are over."""
PULLING = threading.BoundedSemaphore(8)
"""Cities that fetch at once: the engine starts a process for each call under way, which AWS has room for."""
RESULTS = Path(__file__).resolve().parents[3] / "benchmarks" / "results" / "receivers.json"


@dataclass
class Town:
    """A city with its own account, receiver and books."""

    city: City
    client: Client
    books: Books
    way: Unreliable
    recoverer: Recoverer
    secrets: list[str]

    @property
    def hook(self) -> str:
        return f"/v1/municipalities/{self.city.code}/webhook"

    def whole(self, log: EventLog, at_least: int) -> bool:
        """Whether everything in the chain, no less than so much, was sent to the city and stands in its books."""
        head = log.head(self.city.code).sequence
        if self.way.furthest < max(head, at_least):
            return False
        if self.books.head().sequence < head:
            self.recoverer.wake()  # as its clock would: the last message of all was lost
            return False
        return True


EVENTS = len(list(City("TEHRAN").waiting(PAYMENTS)))
"""Each city has as many of its payments."""


def town_of(system: System, code: str, folder: Path, chance: random.Random) -> Town:
    username = f"azmoon-{code.lower()}"
    create_account(
        cognito=system.aws("cognito-idp"),
        dynamodb=system.aws("dynamodb"),
        user_pool_id=system.outputs["UserPoolId"],
        identity_table=system.outputs["IdentityTableName"],
        username=username,
        password=PASSWORD,
        group="municipality",
        municipality=code,
    )
    client = Client(system.origin)

    def sign_in() -> None:
        credentials = {"username": username, "password": PASSWORD}
        client.token = Client(system.origin).post("/v1/tokens", credentials).json["access_token"]

    def page(after: int) -> Sequence[Mapping[str, Any]]:
        path = f"/v1/municipalities/{code}/events?after={after}&limit=500"
        try:
            with PULLING:
                answer = client.get(path)
                if answer.status == 401:  # a token lasts an hour
                    sign_in()
                    answer = client.get(path)
        except OSError as error:
            raise Refused(str(error)) from error
        if answer.status != 200:
            raise Refused(answer.text)
        return [event["data"] for event in answer.json["events"]]

    sign_in()
    books, clock, secrets = Books(folder / f"{code}.sqlite", code), SystemClock(), list[str]()
    recoverer = Recoverer(books, page, clock.now, lambda words: None, LOOKED_EVERY_S)
    receiver = Receiver(books, lambda: secrets, clock.now, recoverer.wake)
    return Town(
        City(code, "azmoon"), client, books, Unreliable(receiver, books, chance, SHARE), recoverer, secrets
    )


def book(ledger: Table, city: City) -> None:
    """Each entry with its event, in the transactions that payments have."""
    for waiting in city.waiting(PAYMENTS, BEGAN):
        writes = [waiting_write(ledger, waiting)]
        if waiting.journal is not None:
            entry = city.entries[-1]
            key = keys.journal(entry.municipality, entry.day, entry.payment_id, entry.journal_id)
            writes.append(ledger.put_new(key, journal_item(entry)))
        transact(writes, dynamodb=ledger.dynamodb)


def test_each_receiver_rebuilds_its_ledger_whatever_was_lost_on_the_way(system: System, tmp_path: Path) -> None:
    began = time.monotonic()
    taken = {account.get("municipality") for account in system.accounts}
    codes = [city.code for city in all_municipalities() if city.code not in taken][FIRST : FIRST + CITIES]
    ledger = Table(system.outputs["LedgerTableName"], system.aws("dynamodb"))
    log = EventLog(ledger)
    with ThreadPoolExecutor(4) as pool:
        towns = list(pool.map(lambda code: town_of(system, code, tmp_path, random.Random(code)), codes))
    ways = {f"/{town.city.code}": town.way for town in towns}
    with Listening(0, lambda path: ways.get(path)) as listening, ThreadPoolExecutor(4) as pool:
        thread = threading.Thread(target=listening.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        list(pool.map(lambda town: register(town, listening.port), towns))
        list(pool.map(lambda town: book(ledger, town.city), towns))
        for town in towns:
            town.recoverer.start()
        system.wait_for(lambda: all(town.whole(log, EVENTS) for town in towns), WITHIN_S)
        delivered_s = time.monotonic() - began
        for town in towns:
            rebuilt(town)
        steps = open_accounts(ledger, towns)
        told = to_the_rial(system, towns, pool.map)
        events = EVENTS + steps + (told["closes"] + told["transfers"]) // CITIES  # each city has as many
        system.wait_for(lambda: all(town.whole(log, events) for town in towns), WITHIN_S)
        for town in towns:
            town.recoverer.stop()
        listening.shutdown()
    befell = {fault: sum(town.way.befell[fault] for town in towns) for fault in towns[0].way.befell}
    for town in towns:
        of_the_system(system, town)
        assert town.books.faults() == []
        assert town.books.contradictions() == []
        assert town.books.gaps(only_open=True) == []
        assert town.way.unnoticed == set()
    found = sum(len(town.books.gaps()) for town in towns)
    assert min(befell["dropped"], befell["reordered"], befell["duplicated"], found) > 0
    if PROVE:
        figures = {"cities": CITIES, "events": sum(town.books.head().sequence for town in towns), **befell}
        figures |= {"gaps_found": found, "gaps_unnoticed": 0, "ledgers_equal": CITIES, **told}
        figures |= {"delivered_s": round(delivered_s), "elapsed_s": round(time.monotonic() - began)}
        RESULTS.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    for town in towns:
        town.books.close()


def rebuilt(town: Town) -> None:
    """The books hold what was paid and given back, account by account."""
    assert {row.account: (row.debit_rial, row.credit_rial) for row in town.books.trial_balance()} == (
        town.city.balance()
    )


def open_accounts(ledger: Table, towns: Sequence[Town]) -> int:
    """Each city has an account of its own now; how many events each was told of it."""
    desk, steps = Desk(ChangeTable(ledger), lambda _: {}, SystemClock(), lambda _: None), 0
    for number, town in enumerate(towns):
        code, account = town.city.code, iban_of(number)
        made = desk.propose_account(
            code, iban=account, holder=f"Municipality {code}", reason="first one", by="one"
        )
        steps = len(desk.approve(code, made.change_id, by="two").steps)
    return steps


def to_the_rial(system: System, towns: Sequence[Town], each: Callable[..., Any]) -> dict[str, int]:
    """Every city's days closed and paid on: closes, transfers (of a day on which nothing is left there is none),
    and how many rial by four books of each city."""
    operator = system.client("operator")
    last = max(entry.created_at for town in towns for entry in town.city.entries)
    closes = list(each(lambda town: close_days(system, town.city.code, last), towns))
    paid = transfers(operator)
    rial = 0
    for number, town in enumerate(towns):
        events = [dict(event.data) for event in town.books.events()]
        rial += agrees(operator, town.city.code, events, closes[number], paid, iban_of(number))
    moved = sum(int(one["transfer_rial"]) > 0 for of_city in closes for one in of_city)
    return {"closes": sum(map(len, closes)), "transfers": moved, "transferred_rial": rial}


def register(town: Town, port: int) -> None:
    made = town.client.put(town.hook, {"url": f"http://127.0.0.1:{port}/{town.city.code}"})
    assert made.status == 201, made.text
    town.secrets.append(made.json["secret"])
    proved = town.client.post(f"{town.hook}/challenges")
    assert proved.json["challenge_passed"] is True, proved.text


def of_the_system(system: System, town: Town) -> None:
    """The system's own trial balance of all these days is the receiver's, what was paid on included."""
    day, until = format_jalali(BEGAN.date()), format_jalali((datetime.now(UTC) + timedelta(days=1)).date())
    path = f"/v1/municipalities/{town.city.code}/trial-balance?from_jalali={day}&to_jalali={until}"
    told = system.client("auditor").get(path).json["accounts"]
    theirs = {row["account"]: (int(row["debit_rial"]), int(row["credit_rial"])) for row in told}
    assert theirs == {row.account: (row.debit_rial, row.credit_rial) for row in town.books.trial_balance()}
