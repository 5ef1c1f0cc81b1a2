"""I12 on the real tables (moto): a whole chain says nothing, each forgery of it is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from avarez import keys
from avarez.canonical import canonical_bytes
from avarez.dynamo import Item, Table, transact
from avarez.events.chain import hash_of
from functions.pay.audit import handler, hourly
from functions.pay.audit.checks import Broken, check
from functions.pay.rules.ledger import settled_entry
from functions.pay.rules.records import Payment
from functions.pay.sequencing.service import sequence
from functions.pay.sequencing.store import ChainTable
from tests.contract.books.test_audit import DAY, books, settled, tamper
from tests.contract.events.test_sequencing import of_dynamodb
from tests.contract.events.test_sequencing import settled as settled_payment
from tests.contract.pay_counter import Counter

CITY = "TEHRAN"
NEXT_DAY = "2026-11-24"


def ledger_of(counter: Counter) -> Table:
    store: Any = counter.w.desk.store
    made: Table = store.ledger
    return made


def place(counter: Counter) -> None:
    """One run of the city's sequencer."""
    chain = ChainTable(ledger_of(counter))
    sequence(chain, CITY, holder="sq_1", clock=counter.w.clock, time_left=lambda: True)


def paid(counter: Counter, *numbers: int) -> list[Payment]:
    """Payments whose entries stand in the chain."""
    made = [settled(counter, number) for number in numbers]
    place(counter)
    return made


def paid_tomorrow(counter: Counter, number: int) -> None:
    """A day later, another entry; its quote and its payment matter to nobody here."""
    counter.w.clock.advance(timedelta(days=1))
    made = settled_payment(number)
    entry = settled_entry(made, journal_id=f"je_{number:036d}", now=counter.w.clock.now())
    of_dynamodb(ledger_of(counter)).book(entry, made)
    place(counter)


def rechained(changed: dict[str, Any]) -> Callable[[Item], Item]:
    """The event with other content under a hash that fits it."""

    def change(item: Item) -> Item:
        data = {**json.loads(item["data"]), **changed}
        data["hash"] = hash_of(data)
        return {**item, "hash": data["hash"], "data": canonical_bytes(data).decode()}

    return change


def chain_faults(counter: Counter, day: str = DAY) -> list[Broken]:
    return [one for one in check(books(counter).book(CITY, day, counter.w.clock.now())) if one.invariant == "I12"]


def test_whole_chain_over_two_days_says_nothing(counter: Counter) -> None:
    paid(counter, 1, 2)
    paid_tomorrow(counter, 3)
    now = counter.w.clock.now()
    assert chain_faults(counter) == chain_faults(counter, NEXT_DAY) == []
    assert chain_faults(counter, "2026-11-25") == []
    first, second = (books(counter).book(CITY, day, now).run for day in (DAY, NEXT_DAY))
    assert (first.first, first.last, second.first, second.last) == (1, 3, 3, 3)


def test_entry_without_a_place_is_named_after_a_minute(counter: Counter) -> None:
    settled(counter, 1)
    assert chain_faults(counter) == []
    counter.w.clock.advance(timedelta(seconds=61))
    (entry,) = books(counter).entries(CITY, DAY)
    assert [(one.of, one.how) for one in chain_faults(counter)] == [
        (entry.journal_id, "has no place in the chain after a minute")
    ]
    place(counter)
    assert chain_faults(counter) == []


@pytest.mark.parametrize(
    ("what", "named"),
    [
        ("event_gone", "stands after 1 and says 3"),
        ("last_event_gone", "the chain ends here, and its head says 3"),
        ("content", "its content is not what its hash says"),
        ("content_and_hash", "does not hold the hash of the event before it"),
        ("previous_hash", "does not hold the hash of the event before it"),
        ("unreadable", "its content is not what its hash says"),
        ("moved", "stands after 1 and says 7"),
        ("other_city", "is of another city or another form"),
        ("row_beyond_the_head", "stands beyond the head, which says 3"),
        ("head", "is not the event that the head names"),
        ("head_back", "stands beyond the head, which says 2"),
        ("entry_gone", "event 2 tells of it, and the ledger does not have it"),
        ("event_of_nothing", "event 3 tells of it, and the ledger does not have it"),
        ("entry_without_its_place", "has no place in the chain after a minute"),
        ("entry_of_another_place", "says that its event is 1, which is not the one at 2"),
        ("entry_and_its_hash", "event 2 tells of it something else than it says"),
        ("event_tells_less", "event 3 tells of it something else than it says"),
    ],
)
def test_each_forgery_is_named(counter: Counter, what: str, named: str) -> None:
    paid(counter, 1, 2, 3)
    counter.w.clock.advance(timedelta(seconds=61))
    assert chain_faults(counter) == []
    forge(ledger_of(counter), what)
    assert named in [one.how for one in chain_faults(counter)]


def forge(ledger: Table, what: str) -> None:
    """Changes the tables as nobody of ours would."""
    second, last = keys.chain_event(CITY, 2), keys.chain_event(CITY, 3)
    event = ledger.get(second)
    assert event is not None
    told = event["journal"]
    entry = keys.journal(CITY, told["day"], told["payment_id"], told["journal_id"])
    head = keys.chain_head(CITY)
    match what:
        case "event_gone":
            transact([ledger.delete(second)], dynamodb=ledger.dynamodb)
        case "last_event_gone":
            transact([ledger.delete(last)], dynamodb=ledger.dynamodb)
        case "content":
            forged = event["data"].replace('"payment.settled"', '"payment.refunded"')
            tamper(ledger, second, lambda item: {**item, "data": forged})
        case "content_and_hash":
            tamper(ledger, second, rechained({"type": "payment.refunded"}))
        case "previous_hash":
            tamper(ledger, second, rechained({"previous_hash": "0" * 64}))
        case "unreadable":
            tamper(ledger, second, lambda item: {**item, "data": "{"})
        case "moved":
            tamper(ledger, second, rechained({"sequence": 7}))
        case "other_city":
            tamper(ledger, last, rechained({"municipality": "SHIRAZ"}))
        case "row_beyond_the_head":
            transact([ledger.put_new(keys.chain_event(CITY, 4), event)], dynamodb=ledger.dynamodb)
        case "head":
            tamper(ledger, head, lambda item: {**item, "hash": "0" * 64})
        case "head_back":
            tamper(ledger, head, lambda item: {**item, "sequence": 2, "hash": event["hash"]})
        case "entry_gone":
            transact([ledger.delete(entry)], dynamodb=ledger.dynamodb)
        case "event_of_nothing":
            journal = {**told, "journal_id": "je_nowhere"}
            tamper(ledger, last, lambda item: {**item, "journal": journal})
        case "entry_without_its_place":
            tamper(ledger, entry, lambda item: {name: item[name] for name in item if name != "sequence"})
        case "entry_of_another_place":
            tamper(ledger, entry, lambda item: {**item, "sequence": 1})
        case "entry_and_its_hash":
            tamper(ledger, entry, lambda item: {**item, "reference": "r9"})
        case "event_tells_less":
            tamper(ledger, last, rechained({"entry": {}}))
        case _:
            raise AssertionError(what)


def test_days_whose_whole_journal_is_gone_are_found_by_their_events(counter: Counter) -> None:
    paid(counter, 1, 2)
    paid_tomorrow(counter, 3)
    ledger = ledger_of(counter)
    for shard in range(keys.SHARDS):
        for item in ledger.query(keys.journal_partition(CITY, DAY, shard)):
            transact([ledger.delete((item["pk"], item["sk"]))], dynamodb=ledger.dynamodb)
    assert len(chain_faults(counter)) == 2
    assert chain_faults(counter, NEXT_DAY) == []


def test_entry_that_was_chained_days_later_is_looked_up_in_its_place(counter: Counter) -> None:
    settled(counter, 1)
    (early,) = books(counter).entries(CITY, DAY)
    chain = ledger_of(counter)
    key = keys.to_chain(CITY, early.payment_id, f"ev_{early.journal_id.partition('_')[2]}")
    row = chain.get(key)
    assert row is not None
    transact([chain.delete(key)], dynamodb=chain.dynamodb)
    paid(counter, 2)
    paid_tomorrow(counter, 3)
    transact([chain.put_new(key, row)], dynamodb=chain.dynamodb)
    place(counter)
    assert chain_faults(counter) == chain_faults(counter, NEXT_DAY) == []
    tamper(chain, keys.chain_event(CITY, 3), rechained({"entry": {}}))
    assert "event 3 tells of it something else than it says" in [one.how for one in chain_faults(counter)]
    tamper(chain, keys.chain_event(CITY, 3), lambda item: {**item, "data": "{"})
    assert "its content is not what its hash says" in [one.how for one in chain_faults(counter)]


def test_hourly_check_reports_a_forged_event(
    counter: Counter, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    paid(counter, 1, 2)
    transact([counter.duty.put(keys.municipality_setting(CITY), {"fee_rial": 0})], dynamodb=counter.duty.dynamodb)
    monkeypatch.setattr(handler, "books", lambda: books(counter))
    monkeypatch.setattr(handler, "clock", counter.w.clock)
    assert hourly.handle({}, None)["broken"] == 0
    forge(ledger_of(counter), "content")
    with caplog.at_level("INFO"):
        assert hourly.handle({}, None)["broken"] == 1
    assert "invariant_broken" in [record.getMessage() for record in caplog.records]
