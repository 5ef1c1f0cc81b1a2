"""Endpoints over DynamoDB (moto): conditions, attempts, what the sweep finds; grants; the HTTP of officers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from moto import mock_aws

from avarez import keys
from avarez.changes.change_table import ChangeTable
from avarez.dynamo import Table, transact
from avarez.errors import TransactionRefused
from avarez.events.chain import GENESIS, EventType, Head, Waiting, chained
from avarez.events.log import EventLog, event_item, head_item
from functions.pay.accounts import wiring as accounts
from functions.pay.accounts.deciding import Desk as ChangesDesk
from functions.pay.delivery import sweep, wiring, worker
from functions.pay.delivery.endpoints import handler
from functions.pay.delivery.endpoints.changing import effects_on
from functions.pay.delivery.endpoints.endpoint import State, confirmed
from functions.pay.delivery.endpoints.registration import Desk
from functions.pay.delivery.endpoints.store import EndpointTable
from functions.pay.delivery.pull import handler as pull
from functions.pay.sequencing.wake_ups import wake_up_text
from tests.contract.pay_counter import Recorder, Used, granted
from tests.contract.payments.test_payment_store import make_tables
from tests.unit.delivery.receivers import START, Town, refused_connection

CITY = "QOM"
OTHER = "YAZD"
DAY = timedelta(days=1)


class Queue:
    def __init__(self) -> None:
        self.sent: list[str] = []

    def send(self, cities: Sequence[str], now: datetime) -> int:
        self.sent += cities
        return len(cities)


class Wired:
    """A town whose endpoints and chains are in tables."""

    def __init__(self, ledger: Table, recorder: Recorder) -> None:
        self.town = Town(CITY, OTHER)
        self.ledger, self.recorder = ledger, recorder
        self.table = EndpointTable(ledger)
        self.log = EventLog(ledger)
        self.queue = Queue()
        effects = effects_on(self.table.find, self.table.write)
        store = ChangeTable(ledger)
        self.officers = ChangesDesk(store, lambda _: {}, self.town.clock, lambda _: None, effects)
        self.desk = Desk(self.table, self.town.outbound, self.officers)

    def grow(self, city: str, count: int) -> None:
        before = self.log.head(city)
        sequence, previous_hash = before.sequence, before.hash
        for _ in range(count):
            waits = Waiting(f"ev_{city}_{sequence + 1}", EventType.PAYMENT_SETTLED, city, "py_1", START, {})
            event = chained(waits, sequence=sequence + 1, previous_hash=previous_hash)
            sequence, previous_hash = event.sequence, event.hash
            key = keys.chain_event(city, sequence)
            transact([self.ledger.put_new(key, event_item(event, "now"))], dynamodb=self.ledger.dynamodb)
        head = self.ledger.put(keys.chain_head(city), head_item(Head(city, sequence, previous_hash)))
        transact([head], dynamodb=self.ledger.dynamodb)

    def used(self, act: Any) -> Used:
        self.recorder.used.clear()
        act()
        return set(self.recorder.used)

    def work(self, city: str = CITY) -> None:
        told = worker.handle({"Records": [{"messageId": "m", "body": wake_up_text(city)}]}, None)
        assert told == {"batchItemFailures": []}

    def register(self, city: str = CITY) -> None:
        told = self.desk.register(city, f"https://{city.lower()}.example.ir/hook", "officer")
        self.town.receivers[city].secrets = [told.secret]


@pytest.fixture
def wired(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wired]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        _, ledger = make_tables()
        recorder = Recorder(ledger.dynamodb)
        made = Wired(Table("ledger", recorder), recorder)
        monkeypatch.setattr(wiring, "clock", made.town.clock)
        monkeypatch.setattr(wiring, "endpoints", lambda: made.table)
        monkeypatch.setattr(wiring, "events", lambda: made.log)
        monkeypatch.setattr(wiring, "outbound", lambda: made.town.outbound)
        monkeypatch.setattr(wiring, "desk", lambda: made.desk)
        monkeypatch.setattr(wiring, "wake_ups", lambda: made.queue)
        monkeypatch.setattr(accounts, "desk", lambda: made.officers)
        yield made


def test_an_endpoint_comes_back_as_it_was_written(wired: Wired) -> None:
    wired.register()
    first = wired.table.find(CITY)
    assert first is not None
    assert (first.state, first.url, first.version) == (State.ACTIVE, "https://qom.example.ir/hook", 2)
    told = replace(
        first, failing_since=START, due_at=START + DAY, overlap_until=START + DAY, failures=3, alerted=1
    )
    assert wired.table.save(first, told) == wired.table.find(CITY)


def test_whoever_writes_knew_the_version_before(wired: Wired) -> None:
    wired.register()
    first = wired.table.find(CITY)
    assert first is not None
    wired.table.save(first, replace(first, delivered=4))
    with pytest.raises(TransactionRefused):
        wired.table.save(first, replace(first, delivered=9))
    with pytest.raises(TransactionRefused):
        wired.table.save(None, confirmed(first))
    now = wired.table.find(CITY)
    assert now is not None
    assert now.delivered == 4


def test_worker_delivers_and_keeps_attempts_within_its_grants(wired: Wired) -> None:
    wired.register()
    wired.grow(CITY, 60)
    assert wired.used(wired.work) <= granted("pay-deliver")
    assert wired.town.receivers[CITY].order == list(range(1, 61))
    attempts = wired.table.attempts(CITY, 100)
    assert [attempt.sequence for attempt in attempts] == [*range(60, 0, -1), 0]
    assert {attempt.status for attempt in attempts} == {204, 200}
    assert [attempt.sequence for attempt in wired.table.attempts(CITY, 3)] == [60, 59, 58]


def test_a_city_without_an_endpoint_is_no_failure(wired: Wired) -> None:
    wired.grow(CITY, 2)
    wired.work()
    assert wired.table.find(CITY) is None


def test_sweep_wakes_who_is_behind_and_due_within_its_grants(wired: Wired) -> None:
    wired.register(CITY)
    wired.register(OTHER)
    wired.grow(CITY, 2)
    used = wired.used(lambda: sweep.handle({}, None))
    assert used <= granted("pay-deliver-sweep")
    assert wired.queue.sent == [CITY]
    wired.town.receivers[CITY].behave = refused_connection
    wired.work()
    wired.queue.sent.clear()
    assert sweep.handle({}, None)["behind"] == 0, "its next try is later"
    wired.town.clock.advance(DAY)
    assert sweep.handle({}, None)["behind"] == 1


def call(
    function: Any, method: str, path: str, body: Any = None, query: dict[str, str] | None = None, **claims: str
) -> Any:
    who = {"group": "municipality", "municipality": CITY, **claims}
    route = path.replace(f"/{CITY}/", "/{code}/").replace(f"/{OTHER}/", "/{code}/")
    scopes = "avarez/webhooks.read avarez/webhooks.write avarez/events.read"
    event = {
        "routeKey": f"{method} {route}",
        "rawPath": path,
        "headers": {"content-type": "application/json"},
        "queryStringParameters": query or {},
        "pathParameters": {"code": path.split("/")[3]},
        "body": json.dumps(body) if body is not None else None,
        "requestContext": {
            "http": {"method": method, "path": path, "sourceIp": "203.0.113.7"},
            "requestId": "r",
            "authorizer": {
                "jwt": {
                    "claims": {
                        "token_use": "access",
                        "iss": "issuer",
                        "client_id": "client",
                        "username": "officer",
                        "cognito:groups": f"[{who['group']}]",
                        "municipality": who["municipality"],
                        "scope": scopes,
                    },
                    "scopes": scopes.split(),
                }
            },
        },
    }
    told = function.handle(event, None)
    return told["statusCode"], json.loads(told["body"])


@pytest.fixture
def officer(wired: Wired, monkeypatch: pytest.MonkeyPatch) -> Wired:
    monkeypatch.setenv("TOKEN_ISSUER", "issuer")
    monkeypatch.setenv("USER_POOL_CLIENT_ID", "client")
    return wired


HOOK = f"/v1/municipalities/{CITY}/webhook"


def test_an_officer_registers_reads_rotates_and_replays(officer: Wired) -> None:
    status, made = call(handler, "PUT", HOOK, {"url": "https://qom.example.ir/hook"})
    assert (status, made["status"], made["challenge_passed"]) == (201, "active", True)
    assert made["secret"].startswith("whsec_")
    officer.town.receivers[CITY].secrets = [made["secret"]]
    officer.grow(CITY, 3)
    officer.work()
    status, shown = call(handler, "GET", HOOK)
    assert (status, shown["delivered_sequence"], shown["head"]) == (200, 3, 3)
    assert "secret" not in shown
    status, rotated = call(handler, "POST", f"{HOOK}/rotations")
    assert (status, rotated["secret_generation"], rotated["next_secret_generation"]) == (201, 1, 2)
    assert (rotated["secret"] != made["secret"], rotated["change"]["value"]) == (True, {"generation": "2"})
    assert call(handler, "POST", f"{HOOK}/rotations", {"reason": "again"})[1]["code"] == "change_open"
    status, told = call(handler, "POST", f"/v1/municipalities/{CITY}/events/replay", {"from_sequence": 2})
    assert (status, told["delivered_sequence"], officer.queue.sent) == (202, 1, [CITY])
    officer.work()
    assert officer.town.receivers[CITY].calls == 5
    status, tried = call(handler, "GET", f"{HOOK}/attempts")
    assert (status, tried["attempts"][0]["sequence"], tried["attempts"][0]["status"]) == (200, 3, 204)
    assert call(handler, "POST", f"{HOOK}/tests")[1]["status"] == 204
    assert call(handler, "POST", f"{HOOK}/resumptions")[1]["status"] == "active"
    assert call(handler, "POST", f"{HOOK}/challenges")[1]["challenge_passed"] is True


def test_refusals_say_what_to_do(officer: Wired) -> None:
    assert call(handler, "GET", HOOK)[0] == 404
    assert call(handler, "GET", HOOK)[1]["code"] == "webhook_not_found"
    for url in ("http://qom.example.ir/hook", "https://inner.example.ir/"):
        status, told = call(handler, "PUT", HOOK, {"url": url})
        assert (status, told["code"]) == (422, "webhook_url_refused")
    assert call(handler, "POST", f"/v1/municipalities/{CITY}/events/replay", {"from_sequence": 0})[0] == 422
    assert call(pull, "GET", f"/v1/municipalities/{CITY}/events", query={"after": "-1"})[0] == 422
    assert officer.table.find(CITY) is None


def test_another_city_does_not_exist(officer: Wired) -> None:
    officer.register(OTHER)
    officer.grow(OTHER, 2)
    for method, path, function in [
        ("GET", f"/v1/municipalities/{OTHER}/webhook", handler),
        ("GET", f"/v1/municipalities/{OTHER}/webhook/attempts", handler),
        ("POST", f"/v1/municipalities/{OTHER}/webhook/rotations", handler),
        ("GET", f"/v1/municipalities/{OTHER}/events", pull),
    ]:
        status, told = call(function, method, path)
        assert (status, told["code"]) == (422, "municipality_unknown")


def test_events_by_pull_are_those_that_were_delivered(officer: Wired) -> None:
    officer.register()
    officer.grow(CITY, 7)
    officer.work()
    found: list[dict[str, Any]] = []
    after = 0
    while True:
        query = {"after": str(after), "limit": "3"}
        status, page = call(pull, "GET", f"/v1/municipalities/{CITY}/events", query=query)
        assert (status, page["head"]) == (200, 7)
        if not page["events"]:
            break
        found += [event["data"] for event in page["events"]]
        after = page["next_after"]
    assert found == list(officer.town.receivers[CITY].taken.values())
    assert found[0]["previous_hash"] == GENESIS
    used = officer.used(lambda: call(pull, "GET", f"/v1/municipalities/{CITY}/events"))
    assert used == granted("pay-events")


def test_another_address_is_a_change_that_a_second_person_approves_within_the_grants(officer: Wired) -> None:
    officer.register()
    change_id = ""

    def propose() -> None:
        nonlocal change_id
        status, told = call(
            handler, "PUT", HOOK, {"url": "https://yazd.example.ir/new", "reason": "a new program"}
        )
        assert (status, told["challenge_passed"], told["candidate_proved"]) == (202, True, True)
        assert (told["url"], told["change"]["status"]) == ("https://qom.example.ir/hook", "proposed")
        change_id = told["change"]["change_id"]

    officer.town.receivers[OTHER].secrets = officer.town.receivers[CITY].secrets
    assert officer.used(propose) <= granted("pay-webhooks")
    assert officer.used(lambda: officer.officers.approve(CITY, change_id, by="second")) <= granted("pay-accounts")
    shown = call(handler, "GET", HOOK)[1]
    assert (shown["next_url"], shown["candidate_url"]) == ("https://yazd.example.ir/new", None)
    officer.grow(CITY, 2)
    officer.work()
    officer.town.clock.advance(3 * DAY)
    officer.grow(CITY, 2)
    assert call(handler, "GET", HOOK)[1]["url"] == "https://yazd.example.ir/new", "by the clock alone"
    assert officer.used(officer.work) <= granted("pay-deliver")
    assert officer.town.receivers[OTHER].order == [3, 4]
    assert officer.used(lambda: sweep.handle({}, None)) <= granted("pay-deliver-sweep")
    change = officer.officers.find(CITY, change_id)
    assert change.status.value == "in_force"
    assert call(handler, "POST", f"{HOOK}/stops")[1]["status"] == "stopped"


def test_an_endpoint_from_before_guarded_changes_is_read(wired: Wired) -> None:
    wired.register()
    key = keys.webhook_endpoint(CITY)
    item = wired.ledger.get(key) or {}
    added = {
        "candidate_proved",
        "handed_out",
        "next_generation",
        "next_generation_from",
        "next_url",
        "next_url_from",
    }
    old = {name: value for name, value in item.items() if name not in {*added, "previous_generation"}}
    transact([wired.ledger.put(key, {**old, "generation": 3})], dynamodb=wired.ledger.dynamodb)
    found = wired.table.find(CITY)
    assert found is not None
    assert (found.generation, found.handed_out, found.previous_generation, found.next_url) == (3, 3, 2, "")
