"""Many cities' receivers at once, behind a way that loses, holds back and doubles a third of what is delivered.

Entries are booked as payments book them and chained, delivered and pulled by the running system. Each receiver has
to come to the ledger of its city's entries, and to notice what is missing at the first message behind it.
`make prove` does it with 300 cities.
"""

from __future__ import annotations

import json
import os
import random
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from avarez import keys
from avarez.clock import SystemClock
from avarez.dynamo import Table, transact
from avarez.events.log import waiting_write
from avarez.jalali import format_jalali
from avarez.journal import journal_item
from avarez.municipalities import all_municipalities
from avarez_cli.api import Refused
from avarez_cli.receiver.books import Books
from avarez_cli.receiver.listening import Listening
from avarez_cli.receiver.recovering import Recoverer
from avarez_cli.receiver.taking import Receiver
from functions.identity.accounts import create_account
from tests.system.conftest import Client, System
from tests.system.unreliable import Unreliable
from tests.unit.payments.payments_fake import NOON
from tests.unit.receiver.told import City

PROVE = os.environ.get("AVAREZ_PROVE") == "1"
pytestmark = [pytest.mark.system, pytest.mark.timeout(7_200 if PROVE else 300)]
CITIES = 300 if PROVE else 4
PAYMENTS = 12 if PROVE else 4
SHARE = 0.3
LOOKED_EVERY_S = 60.0 if PROVE else 2.0
WITHIN_S = 3_600.0 if PROVE else 240.0
PASSWORD = "Shahrdari-1405-Azmoon"
FIRST = 700
"""Cities from this one on are nobody else's in the tests."""
RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results" / "receivers.json"


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

    def whole(self) -> bool:
        return self.books.head().sequence == EVENTS


EVENTS = len(list(City("TEHRAN").waiting(PAYMENTS)))
"""Each city has as many."""


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
    signed_in = Client(system.origin).post("/v1/tokens", {"username": username, "password": PASSWORD})
    client = Client(system.origin, signed_in.json["access_token"])

    def page(after: int) -> Sequence[Mapping[str, Any]]:
        try:
            answer = client.get(f"/v1/municipalities/{code}/events?after={after}&limit=500")
        except OSError as error:
            raise Refused(str(error)) from error
        if answer.status != 200:
            raise Refused(answer.text)
        return [event["data"] for event in answer.json["events"]]

    books, clock, secrets = Books(folder / f"{code}.sqlite", code), SystemClock(), list[str]()
    recoverer = Recoverer(books, page, clock.now, lambda words: None, LOOKED_EVERY_S)
    receiver = Receiver(books, lambda: secrets, clock.now, recoverer.wake)
    return Town(
        City(code, "azmoon"), client, books, Unreliable(receiver, books, chance, SHARE), recoverer, secrets
    )


def book(ledger: Table, city: City) -> None:
    """Each entry with its event, in the transactions that payments have."""
    for waiting in city.waiting(PAYMENTS):
        writes = [waiting_write(ledger, waiting)]
        if waiting.journal is not None:
            entry = city.entries[-1]
            key = keys.journal(entry.municipality, entry.day, entry.payment_id, entry.journal_id)
            writes.append(ledger.put_new(key, journal_item(entry)))
        transact(writes, dynamodb=ledger.dynamodb)


def test_each_receiver_rebuilds_its_ledger_whatever_was_lost_on_the_way(system: System, tmp_path: Path) -> None:
    began = time.monotonic()
    codes = [city.code for city in all_municipalities()][FIRST : FIRST + CITIES]
    ledger = Table(system.outputs["LedgerTableName"], system.aws("dynamodb"))
    with ThreadPoolExecutor(8) as pool:
        towns = list(pool.map(lambda code: town_of(system, code, tmp_path, random.Random(code)), codes))
    ways = {f"/{town.city.code}": town.way for town in towns}
    with Listening(0, lambda path: ways.get(path)) as listening, ThreadPoolExecutor(8) as pool:
        thread = threading.Thread(target=listening.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        list(pool.map(lambda town: register(town, listening.port), towns))
        list(pool.map(lambda town: book(ledger, town.city), towns))
        for town in towns:
            town.recoverer.start()
        system.wait_for(lambda: all(town.whole() for town in towns), WITHIN_S)
        for town in towns:
            town.recoverer.stop()
        listening.shutdown()
    befell = {fault: sum(town.way.befell[fault] for town in towns) for fault in towns[0].way.befell}
    for town in towns:
        of_the_system(system, town)
        assert {row.account: (row.debit_rial, row.credit_rial) for row in town.books.trial_balance()} == (
            town.city.balance()
        )
        assert town.books.faults() == []
        assert town.books.contradictions() == []
        assert town.books.gaps(only_open=True) == []
        assert town.way.unnoticed == set()
    found = sum(len(town.books.gaps()) for town in towns)
    assert min(befell["dropped"], befell["reordered"], befell["duplicated"], found) > 0
    if PROVE:
        told = {"cities": CITIES, "events": CITIES * EVENTS, **befell, "gaps_found": found, "gaps_unnoticed": 0}
        told |= {"ledgers_equal": CITIES, "elapsed_s": round(time.monotonic() - began)}
        RESULTS.write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    for town in towns:
        town.books.close()


def register(town: Town, port: int) -> None:
    made = town.client.put(town.hook, {"url": f"http://127.0.0.1:{port}/{town.city.code}"})
    assert made.status == 201, made.text
    town.secrets.append(made.json["secret"])
    proved = town.client.post(f"{town.hook}/challenges")
    assert proved.json["challenge_passed"] is True, proved.text


def of_the_system(system: System, town: Town) -> None:
    """The system's own trial balance of these days is the receiver's."""
    day = format_jalali(NOON.date())
    until = format_jalali(max(entry.created_at for entry in town.city.entries).date())
    path = f"/v1/municipalities/{town.city.code}/trial-balance?from_jalali={day}&to_jalali={until}"
    told = town.client.get(path).json["accounts"]
    theirs = {row["account"]: (int(row["debit_rial"]), int(row["credit_rial"])) for row in told}
    assert theirs == {row.account: (row.debit_rial, row.credit_rial) for row in town.books.trial_balance()}
