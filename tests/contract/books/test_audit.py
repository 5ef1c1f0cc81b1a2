"""The books, looked at again over DynamoDB (moto): whole books say nothing, each tampering is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from avarez import keys
from avarez.dynamo import Item, Table, transact
from avarez.events.chain import Carried
from avarez.events.log import EventLog, carried_item
from functions.pay.audit import handler, hourly
from functions.pay.audit.books_store import Books
from functions.pay.audit.checks import Broken, balances, check
from functions.pay.rules.records import Payment
from functions.pay.sequencing.service import sequence
from functions.pay.sequencing.store import ChainTable
from tests.contract.pay_counter import Counter, granted

DAY = "2026-11-23"
ISSUER, CLIENT = "https://issuer.example/pool", "client-1"


def books(counter: Counter) -> Books:
    store: Any = counter.w.desk.store
    return Books(store.duty, store.ledger)


def settled(counter: Counter, number: int) -> Payment:
    payment = counter.open(number)
    counter.w.gateway.pay(payment.token)
    counter.callback(payment)
    return counter.now_of(payment.payment_id)


def broken(counter: Counter) -> list[Broken]:
    return check(books(counter).book("TEHRAN", DAY, counter.w.clock.now()))


def tamper(table: Table, key: keys.Key, change: Callable[[Item], Item]) -> None:
    item = table.get(key)
    assert item is not None
    transact([table.put(key, change(item))], dynamodb=table.dynamodb)


def test_whole_books_say_nothing_and_balance(counter: Counter) -> None:
    for number in range(1, 4):
        settled(counter, number)
    assert broken(counter) == []
    accounts = balances(books(counter).entries("TEHRAN", DAY))
    assert accounts["gateway_clearing:sandbox"] == (3 * 1_235_000, 0)
    assert sum(debit for debit, _ in accounts.values()) == sum(credit for _, credit in accounts.values())


def test_certificate_that_does_not_come_is_named_after_five_minutes(counter: Counter) -> None:
    payment = settled(counter, 1)
    counter.w.clock.advance(timedelta(minutes=6))
    (one,) = [of for of in broken(counter) if of.invariant != "I12"]
    assert (one.invariant, one.of) == ("I4", payment.payment_id)


@pytest.mark.parametrize(
    ("what", "invariants"),
    [
        ("posting", {"I1", "I8", "I12"}),
        ("both_sides", {"I8", "I12"}),
        ("city", {"I7", "I12"}),
        ("duty_gone", {"I4"}),
        ("duty_of_another", {"I4"}),
        ("payment_unsettled", {"I8"}),
        ("payment_amount", {"I8"}),
        ("certificate_gone", {"I4"}),
        ("twice", {"I5", "I12"}),
    ],
)
def test_each_tampering_breaks_what_it_should(counter: Counter, what: str, invariants: set[str]) -> None:
    payment = settled(counter, 1)
    store: Any = counter.w.desk.store
    duty, ledger = store.duty, store.ledger
    (entry,) = books(counter).entries("TEHRAN", DAY)
    journal = keys.journal("TEHRAN", DAY, payment.payment_id, entry.journal_id)
    own = keys.payment(payment.municipality, payment.plate, payment.payment_id)
    of_duty = keys.duty(payment.vehicle_id, 1403)

    def postings(change: Callable[[list[Item]], None]) -> Callable[[Item], Item]:
        def changed(item: Item) -> Item:
            change(item["postings"])
            return item

        return changed

    if what == "posting":
        tamper(ledger, journal, postings(lambda of: of[0].update(debit_rial=of[0]["debit_rial"] + 1)))
    if what == "both_sides":
        tamper(ledger, journal, postings(lambda of: of[0].update(debit_rial=of[0]["debit_rial"] + 1)))
        tamper(ledger, journal, postings(lambda of: of[1].update(credit_rial=of[1]["credit_rial"] + 1)))
    if what == "city":
        tamper(ledger, journal, postings(lambda of: of[1].update(account="municipality_payable:SHIRAZ")))
    if what == "duty_gone":
        transact([duty.delete(of_duty)], dynamodb=duty.dynamodb)
    if what == "duty_of_another":
        tamper(duty, of_duty, lambda item: {**item, "payment_id": "py_other"})
    if what == "payment_unsettled":
        tamper(duty, own, lambda item: {**item, "status": "expired"})
    if what == "payment_amount":
        tamper(duty, own, lambda item: {**item, "amount_rial": 1_235_500, "rounding_rial": 1_000})
    if what == "certificate_gone":
        key = keys.certificate(payment.municipality, payment.plate, payment.certificate_id)
        transact([duty.delete(key)], dynamodb=duty.dynamodb)
    if what == "twice":
        item = ledger.get(journal)
        twin = keys.journal("TEHRAN", DAY, payment.payment_id, "je_twin")
        transact([ledger.put_new(twin, {**item, "journal_id": "je_twin"})], dynamodb=ledger.dynamodb)
    assert {one.invariant for one in broken(counter)} == invariants


def test_what_was_carried_over_has_no_payments_here_and_stands_in_the_chain_all_the_same(counter: Counter) -> None:
    ledger, duty = counter.w.desk.store.ledger, counter.w.desk.store.duty  # type: ignore[attr-defined]
    chain = ChainTable(ledger)

    def sequenced() -> Carried:
        sequence(chain, "TEHRAN", holder="sq_1", clock=counter.w.clock, time_left=lambda: True)
        head = EventLog(ledger).head("TEHRAN")
        return Carried(head.sequence, head.hash)

    old = settled(counter, 1)
    carried = sequenced()
    own = keys.payment(old.municipality, old.plate, old.payment_id)
    transact([duty.delete(own), duty.delete(keys.pointer(old.payment_id))], dynamodb=duty.dynamodb)
    assert {one.invariant for one in broken(counter)} == {"I8"}
    transact([ledger.put(keys.chain_carried("TEHRAN"), carried_item(carried))], dynamodb=ledger.dynamodb)
    assert broken(counter) == []
    new = settled(counter, 2)
    sequenced()
    assert broken(counter) == []
    transact([duty.delete(keys.duty(new.vehicle_id, 1403))], dynamodb=duty.dynamodb)
    assert [(one.invariant, one.of) for one in broken(counter)] == [("I4", new.payment_id)]
    entry = next(of for of in books(counter).entries("TEHRAN", DAY) if of.payment_id == old.payment_id)
    of_old = keys.journal("TEHRAN", DAY, old.payment_id, entry.journal_id)
    tamper(ledger, of_old, lambda item: {**item, "reference": "another"})
    assert ("I12", entry.journal_id) in {(one.invariant, one.of) for one in broken(counter)}


def test_hourly_check_counts_and_names_and_needs_exactly_its_grants(
    counter: Counter, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    payment = settled(counter, 1)
    setting = keys.municipality_setting("TEHRAN")
    transact([counter.duty.put(setting, {"fee_rial": 0})], dynamodb=counter.duty.dynamodb)
    monkeypatch.setattr(handler, "books", lambda: books(counter))
    monkeypatch.setattr(handler, "clock", counter.w.clock)

    chain = ChainTable(counter.w.desk.store.ledger)  # type: ignore[attr-defined]
    sequence(chain, "TEHRAN", holder="sq_1", clock=counter.w.clock, time_left=lambda: True)

    def everything() -> None:
        assert hourly.handle({}, None) == {"cities": 2, "entries": 1, "broken": 0, "left": 0}

    assert counter.used(everything) == granted("pay-invariants")
    transact([counter.duty.delete(keys.duty(payment.vehicle_id, 1403))], dynamodb=counter.duty.dynamodb)
    with caplog.at_level("INFO"):
        assert hourly.handle({}, None)["broken"] == 1
    assert "invariant_broken" in [record.getMessage() for record in caplog.records]


def test_trial_balance_and_invariants_over_http(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    settled(counter, 1)
    monkeypatch.setattr(handler, "books", lambda: books(counter))
    monkeypatch.setattr(handler, "clock", counter.w.clock)
    monkeypatch.setenv("TOKEN_ISSUER", ISSUER)
    monkeypatch.setenv("USER_POOL_CLIENT_ID", CLIENT)

    def call(what: str, city: str = "TEHRAN", query: dict[str, str] | None = None) -> tuple[int, Any]:
        claims = {"token_use": "access", "iss": ISSUER, "client_id": CLIENT, "username": "officer"}
        claims |= {"cognito:groups": "[municipality]", "municipality": "TEHRAN"}
        event = {
            "version": "2.0",
            "routeKey": f"GET /v1/municipalities/{{code}}/{what}",
            "rawPath": f"/v1/municipalities/{city}/{what}",
            "headers": {},
            "pathParameters": {"code": city},
            "queryStringParameters": query or {},
            "requestContext": {
                "requestId": "r1",
                "http": {"method": "GET", "sourceIp": "127.0.0.1"},
                "authorizer": {"jwt": {"claims": claims, "scopes": ["avarez/ledger.read"]}},
            },
        }
        answer = handler.handle(event, None)
        return answer["statusCode"], json.loads(answer["body"])

    status, told = call("trial-balance")
    assert (status, told["entries"], told["debit_rial"]) == (200, 1, told["credit_rial"])
    assert told["accounts"][0] == {
        "account": "gateway_clearing:sandbox",
        "debit_rial": "1235000",
        "credit_rial": "0",
        "balance_rial": "1235000",
    }
    status, told = call("invariants", query={"day_jalali": "1405-09-02"})
    assert (status, told["broken"], told["entries"]) == (200, [], 1)
    assert call("trial-balance", "SHIRAZ")[0] == call("invariants", "NOWHERE")[0] == 422
    backwards = {"from_jalali": "1405-09-02", "to_jalali": "1405-09-01"}
    assert call("trial-balance", query=backwards)[1]["code"] == "invalid_input"
