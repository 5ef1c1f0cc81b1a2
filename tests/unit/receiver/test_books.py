"""A receiver's books: whatever order events come in, the ledger is the one that the city's entries make."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from avarez.events.chain import Event, EventType, Waiting, chained
from avarez_cli.api import Refused
from avarez_cli.receiver.books import Books, Gap, Outcome, WrongBooks
from avarez_cli.receiver.reading import Unreadable, read_event, read_message
from avarez_cli.receiver.recovering import Broken, recover
from tests.unit.payments.payments_fake import NOON
from tests.unit.receiver.told import City

CITY = "MASHHAD"


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    made = Books(tmp_path / "books.sqlite", CITY)
    yield made
    made.close()


def city(payments: int = 10) -> City:
    made = City(CITY)
    made.pay(payments)
    return made


def take(books: Books, event: Event) -> Outcome:
    return books.take(read_event(event.data, CITY), NOON)


def balance(books: Books) -> dict[str, tuple[int, int]]:
    return {row.account: (row.debit_rial, row.credit_rial) for row in books.trial_balance()}


def pulled(city: City, page: int = 7) -> Any:
    def of(after: int) -> Sequence[Mapping[str, Any]]:
        return [event.data for event in city.events[after : after + page]]

    return of


def test_events_in_their_order_make_the_citys_ledger(books: Books) -> None:
    of = city()
    assert {take(books, event) for event in of.events} == {Outcome.PLACED}
    assert balance(books) == of.balance()
    assert (books.head().sequence, books.head().hash) == (len(of.events), of.events[-1].hash)
    assert books.gaps() == []
    assert books.faults() == []
    half = books.trial_balance(books.days()[0], books.days()[0])
    assert sum(row.debit_rial for row in half) < sum(debit for debit, _ in of.balance().values())


@pytest.mark.parametrize("seed", range(20))
def test_events_in_any_order_and_twice_make_the_same_ledger(books: Books, seed: int) -> None:
    of = city(6)
    chance = random.Random(seed)
    came = of.events + chance.sample(of.events, len(of.events) // 2)
    chance.shuffle(came)
    for event in came:
        assert take(books, event) is not Outcome.CONTRADICTS
    assert balance(books) == of.balance()
    assert [event.data for event in books.events()] == [event.data for event in of.events]
    assert books.gaps(only_open=True) == []
    assert books.faults() == []


def test_gap_is_found_by_the_first_message_behind_it_and_closed_by_pull(books: Books) -> None:
    of = city()
    take(books, of.events[0])
    assert take(books, of.events[3]) is Outcome.PARKED
    assert books.gaps() == [Gap(2, 3, 4, None)]
    assert take(books, of.events[4]) is Outcome.PARKED
    assert take(books, of.events[7]) is Outcome.PARKED
    assert books.gaps() == [Gap(2, 3, 4, None), Gap(6, 7, 8, None)]
    assert take(books, of.events[3]) is Outcome.KNOWN
    assert books.head().sequence == 1
    assert recover(books, pulled(of), lambda: NOON) == len(of.events) - 1
    assert books.gaps(only_open=True) == []
    assert [gap.found_by for gap in books.gaps()] == [4, 8]
    assert balance(books) == of.balance()
    assert recover(books, pulled(of), lambda: NOON) == 0


def test_recovery_that_breaks_off_keeps_what_it_placed(books: Books) -> None:
    of = city()
    whole = pulled(of)

    def breaks(after: int) -> Sequence[Mapping[str, Any]]:
        if after:
            raise Refused("gone")
        found: Sequence[Mapping[str, Any]] = whole(after)
        return found

    with pytest.raises(Refused):
        recover(books, breaks, lambda: NOON)
    assert books.head().sequence == 7
    recover(books, whole, lambda: NOON)
    assert balance(books) == of.balance()


def other(event: Event, **changes: Any) -> Event:
    """Another event in the same place, whole by its own hash."""
    content = {"certificate": {"certificate_id": "ce_other"}, **changes}
    waiting = Waiting("ev_other", EventType.CERTIFICATE_REVOKED, CITY, "py_1", NOON, content)
    return chained(waiting, sequence=event.sequence, previous_hash=str(event.data["previous_hash"]))


def test_what_contradicts_the_books_is_refused_and_kept_as_evidence(books: Books) -> None:
    of = city()
    for event in of.events[:3]:
        take(books, event)
    forged = other(of.events[1])
    assert take(books, forged) is Outcome.CONTRADICTS
    assert take(books, forged) is Outcome.CONTRADICTS
    fork = chained(
        Waiting("ev_x", EventType.CERTIFICATE_REVOKED, CITY, "py_1", NOON, {}),
        sequence=4,
        previous_hash=forged.hash,
    )
    assert take(books, fork) is Outcome.CONTRADICTS
    assert [sequence for sequence, _ in books.contradictions()] == [2, 4]
    for event in of.events[3:]:
        assert take(books, event) is Outcome.PLACED
    assert balance(books) == of.balance()


def test_event_that_stands_twice_in_the_chain_is_booked_once(books: Books) -> None:
    of = city()
    take(books, of.events[0])
    of_the_chain = {
        "schema",
        "municipality",
        "sequence",
        "previous_hash",
        "hash",
        "event_id",
        "type",
        "occurred_at",
    }
    data = of.events[0].data
    content = {name: value for name, value in data.items() if name not in of_the_chain}
    waiting = Waiting(str(data["event_id"]), EventType(data["type"]), CITY, "py_1", NOON, content)
    again = chained(waiting, sequence=2, previous_hash=of.events[0].hash)
    assert take(books, again) is Outcome.CONTRADICTS
    assert books.head().sequence == 1


def test_what_waited_and_does_not_fit_makes_room_for_the_true_one(books: Books) -> None:
    of = city()
    take(books, of.events[0])
    false = chained(
        Waiting("ev_x", EventType.CERTIFICATE_REVOKED, CITY, "py_1", NOON, {}), sequence=3, previous_hash="f" * 64
    )
    assert take(books, false) is Outcome.PARKED
    assert take(books, of.events[2]) is Outcome.CONTRADICTS
    assert take(books, of.events[1]) is Outcome.PLACED
    assert books.head().sequence == 2
    recover(books, pulled(of), lambda: NOON)
    assert balance(books) == of.balance()


def test_service_whose_chain_is_another_one_is_named(books: Books) -> None:
    of = city()
    for event in of.events[:3]:
        take(books, event)
    with pytest.raises(Broken, match="event 4 contradicts"):
        recover(books, lambda after: [_fork(of)], lambda: NOON)
    with pytest.raises(Broken, match="not what its hash says"):
        recover(books, lambda after: [{**of.events[3].data, "added": "1"}], lambda: NOON)
    assert books.head().sequence == 3


def _fork(of: City) -> Mapping[str, Any]:
    waiting = Waiting("ev_x", EventType.CERTIFICATE_REVOKED, CITY, "py_1", NOON, {})
    return chained(waiting, sequence=4, previous_hash=other(of.events[2]).hash).data


def test_books_that_somebody_changed_say_where(books: Books, tmp_path: Path) -> None:
    for event in city().events:
        take(books, event)
    with sqlite3.connect(tmp_path / "books.sqlite") as rows:
        rows.execute("UPDATE postings SET credit_rial = credit_rial + 1 WHERE sequence = 3 AND line = 1")
        rows.execute("UPDATE events SET data = replace(data, '12B345-67', '12B345-68') WHERE sequence = 5")
        rows.execute("DELETE FROM events WHERE sequence = 7")
    assert {sequence for sequence, _ in books.faults()} == {3, 5, 8}


def test_books_belong_to_one_city_and_go_on_where_they_were(tmp_path: Path) -> None:
    of = city()
    path = tmp_path / "books.sqlite"
    first = Books(path, CITY)
    take(first, of.events[0])
    take(first, of.events[2])
    first.close()
    second = Books(path, CITY)
    assert (second.head().sequence, second.gaps()) == (1, [Gap(2, 2, 3, None)])
    take(second, of.events[1])
    assert second.head().sequence == 3
    second.close()
    with pytest.raises(WrongBooks, match=CITY):
        Books(path, "TEHRAN")


EVENT = city(1).events[0].data
UNREADABLE: dict[str, tuple[dict[str, Any], str]] = {
    "no sequence": ({"sequence": None}, "sequence"),
    "sequence 0": ({"sequence": 0}, "sequence"),
    "a sequence that is true": ({"sequence": True}, "sequence"),
    "a sequence in text": ({"sequence": "1"}, "sequence"),
    "another city's": ({"municipality": "TEHRAN"}, "another city"),
    "another schema": ({"schema": 2}, "schema"),
    "no id": ({"event_id": None}, "lacks"),
    "another amount": ({"entry": {}}, "hash"),
    "a float": ({"more": 1.5}, "hash"),
    "an integer that is too large": ({"more": 2**53}, "hash"),
    "half a character": ({"more": "\ud800"}, "hash"),
}


@pytest.mark.parametrize("how", list(UNREADABLE))
def test_event_that_is_none_is_refused(how: str) -> None:
    changes, words = UNREADABLE[how]
    with pytest.raises(Unreadable, match=words):
        read_event({**EVENT, **changes}, CITY)


@pytest.mark.parametrize(
    "postings",
    [
        [{"account": "a", "debit_rial": "1", "credit_rial": "0"}],
        [{"account": "a", "debit_rial": "1e3", "credit_rial": "0"}],
        [{"account": "a", "debit_rial": "۱", "credit_rial": "۱"}],
        [{"account": "a"}],
        "none",
        [{"account": "a", "debit_rial": "0", "credit_rial": "0"}] * 1_001,
    ],
)
def test_entry_that_cannot_be_booked_is_refused(postings: Any) -> None:
    content = {"entry": {"postings": postings, "day": "2026-11-27"}}
    event = chained(
        Waiting("ev_1", EventType.PAYMENT_SETTLED, CITY, "py_1", NOON, content), sequence=1, previous_hash="0" * 64
    )
    with pytest.raises(Unreadable, match="entry"):
        read_event(event.data, CITY)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"type":"a"}', b'{"type":1,"data":{}}',
     b'{"type":"a","data":[]}', b'{"type":"a","type":"b","data":{}}', b'{"type":"a","data":{"x":1,"x":2}}',
     b'{"type":"a","data":{"x":' + b"9" * 5_000 + b"}}"],
)  # fmt: skip
def test_body_that_is_no_message_is_refused(body: bytes) -> None:
    with pytest.raises(Unreadable):
        read_message(body)
