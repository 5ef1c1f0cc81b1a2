"""The city's chain: one suite over the store in memory and over DynamoDB (moto), then the functions around it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

import pytest
from botocore.exceptions import ReadTimeoutError
from moto import mock_aws

from avarez import keys
from avarez.clock import FixedClock
from avarez.dynamo import Table, transact
from avarez.errors import TransactionRefused
from avarez.events.chain import GENESIS, Event, EventType, Head, Waiting, chained, faults
from avarez.events.log import EventLog, waiting_from, waiting_write
from avarez.journal import JournalEntry, journal_item
from functions.pay.rules import announcing
from functions.pay.rules.ledger import settled_entry
from functions.pay.rules.records import Payment
from functions.pay.rules.states import Status
from functions.pay.sequencing import relay, sweep, wiring, worker
from functions.pay.sequencing.queue_store import Overlooked
from functions.pay.sequencing.service import ChainStore, Sequenced, sequence
from functions.pay.sequencing.store import ChainTable
from functions.pay.sequencing.wake_ups import read_wake_up, wake_up_text
from functions.pay.sequencing.wiring import Parts
from simulation.chain_store import MemoryChain
from tests.contract.pay_counter import Counter, granted
from tests.contract.payments.test_payment_store import make_tables, payment
from tests.unit.payments.payments_fake import NOON

CITY = "TEHRAN"


class Chain(ChainStore, Protocol):
    def head(self, municipality: str) -> Head: ...

    def read(self, municipality: str, *, after: int, limit: int = 1_000) -> Sequence[Event]: ...


@dataclass
class Backend:
    chain: Chain
    book: Callable[[JournalEntry, Payment], None]
    announce: Callable[[Waiting], None]
    clock: FixedClock

    def settle(self, number: int) -> JournalEntry:
        """The entry of a settled payment, with its event waiting."""
        made = settled(number)
        entry = settled_entry(made, journal_id=f"je_{number:036d}", now=NOON)
        self.book(entry, made)
        return entry

    def run(self, holder: str = "sq_1") -> Sequenced:
        return sequence(self.chain, CITY, holder=holder, clock=self.clock, time_left=lambda: True)


def settled(number: int) -> Payment:
    changes: dict[str, Any] = {"reference": f"r{number}", "certificate_id": f"ce_{number:036d}"}
    return payment(number, status=Status.SETTLED, settled_at=NOON, **changes)


def of_dynamodb(ledger: Table) -> Backend:
    def book(entry: JournalEntry, made: Payment) -> None:
        key = keys.journal(entry.municipality, entry.day, entry.payment_id, entry.journal_id)
        waits = waiting_write(ledger, announcing.of_entry(entry, made))
        transact([ledger.put_new(key, journal_item(entry)), waits], dynamodb=ledger.dynamodb)

    def announce(event: Waiting) -> None:
        transact([waiting_write(ledger, event)], dynamodb=ledger.dynamodb)

    return Backend(ChainTable(ledger), book, announce, FixedClock(NOON))


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield make_tables()[1]


@pytest.fixture(params=["memory", "dynamodb"])
def backend(request: pytest.FixtureRequest) -> Backend:
    if request.param == "memory":
        memory = MemoryChain()
        return Backend(memory, memory.book, memory.announce, FixedClock(NOON))
    return of_dynamodb(request.getfixturevalue("ledger"))


# --- the suite of both stores ----------------------------------------------------------------------------


def test_events_get_their_places_in_order_without_a_gap(backend: Backend) -> None:
    entries = [backend.settle(number) for number in range(1, 66)]  # more than two transactions hold
    assert backend.run() == Sequenced(65)
    events = backend.chain.read(CITY, after=0)
    assert [event.sequence for event in events] == list(range(1, 66))
    assert events[0].data["previous_hash"] == GENESIS
    assert list(faults(CITY, events)) == []
    assert [event.data["entry"]["journal_id"] for event in events] == [entry.journal_id for entry in entries]
    assert (backend.chain.head(CITY).sequence, backend.chain.head(CITY).hash) == (65, events[-1].hash)
    assert backend.chain.waiting(CITY) == []


def test_second_run_and_later_events_go_on_from_the_head(backend: Backend) -> None:
    backend.settle(1)
    assert backend.run().events == 1
    assert backend.run().events == 0
    backend.settle(2)
    backend.announce(Waiting("ev_9", EventType.CERTIFICATE_REVOKED, CITY, "py_9", NOON, {"certificate": {}}))
    assert backend.run("sq_2").events == 2
    assert list(faults(CITY, backend.chain.read(CITY, after=0))) == []
    (last,) = backend.chain.read(CITY, after=2)
    assert (last.sequence, last.data["type"]) == (3, "certificate.revoked")


def test_city_that_is_held_is_left_alone_until_the_lease_is_over(backend: Backend) -> None:
    backend.settle(1)
    assert backend.chain.hold(CITY, "sq_other", NOON, NOON + timedelta(seconds=20)) is not None
    assert backend.run() == Sequenced(held=True)
    backend.clock.advance(timedelta(seconds=21))
    assert backend.run() == Sequenced(1)


def test_writer_whose_head_has_moved_writes_nothing(backend: Backend) -> None:
    backend.settle(1)
    stale = backend.chain.hold(CITY, "sq_slow", NOON, NOON)
    assert stale is not None
    (row,) = backend.chain.waiting(CITY)
    backend.clock.advance(timedelta(seconds=1))
    assert backend.run("sq_fast").events == 1
    event = chained(row, sequence=1, previous_hash=GENESIS)
    with pytest.raises(TransactionRefused):
        backend.chain.append(stale, replace(stale, sequence=1, hash=event.hash), [event], NOON)
    backend.chain.release(stale)
    assert [one.event_id for one in backend.chain.read(CITY, after=0)] == [row.event_id]


def test_event_that_has_its_place_gets_no_second_one_and_the_others_go_on(backend: Backend) -> None:
    backend.settle(1)
    (row,) = backend.chain.waiting(CITY)
    assert backend.run().events == 1
    backend.announce(row)  # somebody put the row back
    backend.settle(2)
    assert backend.run() == Sequenced(1, aside=(row.event_id,))
    assert len(backend.chain.read(CITY, after=0)) == 2
    assert [left.event_id for left in backend.chain.waiting(CITY)] == [row.event_id]


def test_entry_that_is_not_what_its_event_says_is_set_aside(backend: Backend) -> None:
    backend.settle(1)
    (row,) = backend.chain.waiting(CITY)
    backend.run()
    other = settled_entry(settled(2), journal_id="je_2", now=NOON)
    backend.settle(3)
    changed = replace(announcing.of_entry(other, None), event_id=f"{row.event_id}0")  # its entry is not there
    backend.announce(changed)
    assert backend.run() == Sequenced(1, aside=(changed.event_id,))


def test_what_happened_first_comes_first_whatever_the_ids_say(backend: Backend) -> None:
    entry = backend.settle(9)
    later = NOON + timedelta(milliseconds=1)
    backend.announce(
        Waiting("ev_0", EventType.CERTIFICATE_ISSUED, CITY, entry.payment_id, later, {"certificate": {}})
    )
    backend.run()
    types = [event.data["type"] for event in backend.chain.read(CITY, after=0)]
    assert types == ["payment.settled", "certificate.issued"]


def test_cities_have_chains_of_their_own(backend: Backend) -> None:
    backend.settle(1)
    backend.announce(Waiting("ev_9", EventType.CERTIFICATE_REVOKED, "SHIRAZ", "py_9", NOON, {}))
    assert backend.run().events == 1
    assert backend.chain.head("SHIRAZ").sequence == 0
    assert sequence(backend.chain, "SHIRAZ", holder="h", clock=backend.clock, time_left=lambda: True).events == 1
    (event,) = backend.chain.read("SHIRAZ", after=0)
    assert (event.sequence, event.data["previous_hash"]) == (1, GENESIS)


# --- what only DynamoDB shows ----------------------------------------------------------------------------


def test_journal_entry_learns_its_place_and_nothing_else_of_it_changes(ledger: Table) -> None:
    backend = of_dynamodb(ledger)
    entry = backend.settle(1)
    key = keys.journal(CITY, entry.day, entry.payment_id, entry.journal_id)
    before = ledger.get(key)
    backend.run()
    after = ledger.get(key)
    assert before is not None
    assert after is not None
    (event,) = backend.chain.read(CITY, after=0)
    place = {"sequence": 1, "previous_hash": GENESIS, "hash": event.hash}
    assert after == {**before, **place}


def test_chain_is_read_across_the_partitions_of_the_log(ledger: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "EVENTS_PER_PARTITION", 10)
    backend = of_dynamodb(ledger)
    for number in range(1, 36):
        backend.settle(number)
    backend.run()
    assert [event.sequence for event in backend.chain.read(CITY, after=7, limit=20)] == list(range(8, 28))
    assert [event.sequence for event in backend.chain.read(CITY, after=34)] == [35]
    assert list(backend.chain.read(CITY, after=35)) == []
    partitions = {keys.chain_event(CITY, number)[0] for number in (9, 10, 35)}
    assert partitions == {"TEHRAN#EVENTS#0", "TEHRAN#EVENTS#1", "TEHRAN#EVENTS#3"}
    assert EventLog(ledger).hash_at(CITY, 35) == backend.chain.head(CITY).hash
    assert (EventLog(ledger).hash_at(CITY, 0), EventLog(ledger).hash_at(CITY, 36)) == (GENESIS, None)


class LosesResponses:
    """Every transaction takes effect, and its answer is lost; every second one is sent again besides."""

    def __init__(self, dynamodb: Any) -> None:
        self._dynamodb = dynamodb
        self.lost = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dynamodb, name)

    def transact_write_items(self, **request: Any) -> Any:
        self._dynamodb.transact_write_items(**request)
        self.lost += 1
        if self.lost % 2:
            raise ReadTimeoutError(endpoint_url="x")
        return self._dynamodb.transact_write_items(**request)


def test_lost_responses_of_every_write_are_recognised_as_own_work(ledger: Table) -> None:
    flaky = LosesResponses(ledger.dynamodb)
    plain = of_dynamodb(ledger)
    for number in range(1, 100):
        plain.settle(number)
    backend = replace(plain, chain=ChainTable(Table("ledger", flaky)))
    assert backend.run() == Sequenced(99)
    assert flaky.lost >= 6
    events = plain.chain.read(CITY, after=0)
    assert len(events) == 99
    assert list(faults(CITY, events)) == []


def test_row_that_cannot_be_read_holds_nobody_up(ledger: Table) -> None:
    backend = of_dynamodb(ledger)
    key = keys.to_chain(CITY, "py_1", "ev_0")
    transact([ledger.put_new(key, {"event_id": "ev_0", "content": "{"})], dynamodb=ledger.dynamodb)
    backend.settle(1)
    assert backend.run() == Sequenced(1)
    assert ledger.get(key) is not None


def test_row_and_event_are_read_back_as_they_were(ledger: Table) -> None:
    backend = of_dynamodb(ledger)
    made = settled(1)
    entry = settled_entry(made, journal_id="je_1", now=NOON)
    wanted = announcing.of_entry(entry, made)
    backend.book(entry, made)
    item = ledger.get(keys.to_chain(CITY, made.payment_id, wanted.event_id))
    assert item is not None
    assert waiting_from(item) == wanted
    backend.run()
    assert backend.chain.read(CITY, after=0) == [chained(wanted, sequence=1, previous_hash=GENESIS)]


# --- the functions around it -----------------------------------------------------------------------------


class Queue:
    def __init__(self) -> None:
        self.sent: list[list[str]] = []

    def send(self, cities: Sequence[str], now: datetime) -> int:
        self.sent.append(list(cities))
        return len(cities)


class NoIndex:
    """The index as moto would have it, read from the table itself."""

    def __init__(self, ledger: Table) -> None:
        self.ledger = ledger

    def waiting(self, created_before: datetime, limit: int) -> list[tuple[str, str]]:
        rows = []
        for shard in range(keys.SHARDS):
            for item in self.ledger.query(keys.outbox_partition(CITY, shard), keys.TO_CHAIN_PREFIX):
                rows.append((str(item["pk"]), str(item["created_at"])))
        return rows


@pytest.fixture
def wired(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> tuple[Counter, Table, Queue]:
    """The entry points over the tables of a counter, whose calls are recorded."""
    table = Table("ledger", counter.recorder)
    queue = Queue()
    parts: Any = Parts(ChainTable(table), NoIndex(table), queue, Queue(), counter.w.clock)  # type: ignore[arg-type]
    monkeypatch.setattr(wiring, "parts", lambda: parts)
    return counter, table, queue


def paid(counter: Counter, number: int) -> Payment:
    made = counter.open(number)
    counter.w.gateway.pay(made.token)
    counter.callback(made)
    return counter.now_of(made.payment_id)


def test_worker_places_what_a_payment_left_and_needs_exactly_its_grants(
    wired: tuple[Counter, Table, Queue],
) -> None:
    counter, table, _ = wired
    first = paid(counter, 1)

    def everything() -> None:
        told = worker.handle({"Records": [{"messageId": "m", "body": wake_up_text(CITY)}]}, None)
        assert told == {"batchItemFailures": []}

    assert counter.used(everything) == granted("pay-sequencer")
    (event,) = EventLog(table).read(CITY, after=0)
    data = event.data
    assert (data["type"], data["payment"]["payment_id"]) == ("payment.settled", first.payment_id)
    assert data["payment"]["certificate_id"] == first.certificate_id
    assert [year["year"] for year in data["payment"]["years"]] == [1403, 1404]
    assert {of["account"] for of in data["entry"]["postings"]} >= {f"municipality_payable:{CITY}"}
    assert list(faults(CITY, [event])) == []


def test_sweep_places_what_nobody_woke_for_and_reports_what_waited_too_long(
    wired: tuple[Counter, Table, Queue], capsys: pytest.CaptureFixture[str]
) -> None:
    counter, table, queue = wired
    paid(counter, 1)
    counter.w.clock.advance(timedelta(seconds=61))
    told = sweep.handle({}, None)
    assert (told["events"], told["too_old"], told["left"]) == (1, 1, 0)
    assert '"entries_unchained": 1' in capsys.readouterr().out
    assert EventLog(table).head(CITY).sequence == 1
    assert sweep.handle({}, None)["rows"] == 0
    assert queue.sent == [[], []]


def test_sweep_wakes_the_queue_for_cities_that_it_has_no_time_for(
    wired: tuple[Counter, Table, Queue], monkeypatch: pytest.MonkeyPatch
) -> None:
    counter, _, queue = wired
    paid(counter, 1)
    monkeypatch.setattr(sweep, "RUN_SECONDS_MAX", -1)
    assert sweep.handle({}, None)["left"] == 1
    assert queue.sent == [[CITY]]


def test_stream_wakes_each_city_once_for_new_rows_of_the_chain(wired: tuple[Counter, Table, Queue]) -> None:
    _, _, queue = wired

    def record(name: str, pk: str, sk: str) -> dict[str, Any]:
        return {"eventName": name, "dynamodb": {"Keys": {"pk": {"S": pk}, "sk": {"S": sk}}}}

    records = [
        record("INSERT", "OUTBOX#TEHRAN#3", "CHAIN#ev_1"),
        record("INSERT", "OUTBOX#TEHRAN#5", "CHAIN#ev_2"),
        record("INSERT", "OUTBOX#SHIRAZ#5", "CHAIN#ev_3"),
        record("INSERT", "OUTBOX#TABRIZ#5", "ev_4"),
        record("REMOVE", "OUTBOX#TABRIZ#5", "CHAIN#ev_5"),
    ]
    assert relay.handle({"Records": records}, None) == {"batchItemFailures": []}
    assert queue.sent == [["TEHRAN", "SHIRAZ"]]


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"municipality": "NOWHERE"}', '{"municipality": 5}', '{"a": "' + "x" * 300 + '"}']
)
def test_message_that_names_no_city_fails_alone(text: str) -> None:
    with pytest.raises(ValueError):
        read_wake_up(text)
    told = worker.handle({"Records": [{"messageId": "m", "body": text}]}, None)
    assert told == {"batchItemFailures": [{"itemIdentifier": "m"}]}


def test_wake_up_names_its_city() -> None:
    assert json.loads(wake_up_text("TEHRAN")) == {"municipality": "TEHRAN"}
    assert (read_wake_up(wake_up_text("TEHRAN")), read_wake_up(wake_up_text("NATIONAL"))) == ("TEHRAN", "NATIONAL")


def test_index_is_asked_for_rows_of_the_chain_only() -> None:
    class Client:
        def query(self, **request: Any) -> Any:
            assert request["IndexName"] == "pending"
            shard = request["ExpressionAttributeValues"][":shard"]["S"]
            found = [{"pk": {"S": "OUTBOX#TEHRAN#3"}, "created_at": {"S": "2026"}}] if shard == "CHAIN-3" else []
            return {"Items": found}

    assert Overlooked(Table("ledger", Client())).waiting(NOON, 10) == [("OUTBOX#TEHRAN#3", "2026")]
