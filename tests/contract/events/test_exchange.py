"""The national exchange over DynamoDB and S3 (moto): every duty year once, whoever is killed or runs twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

import boto3
import pytest

from avarez import dynamo, keys
from avarez.changes.change import Subject, approved, come_into_force, proposed
from avarez.changes.change_table import ChangeTable
from avarez.dynamo import transact
from avarez.errors import ServiceBusy
from avarez.events.chain import Carried
from avarez.events.log import EventLog, carried_item
from avarez.quotes.store import row_key, whereabouts
from functions.identity.groups import GROUP_SCOPES
from functions.pay.exchange import reporting, wiring, worker
from functions.pay.exchange.form import File
from functions.pay.exchange.reporting import Batch, BatchUnsound, Outcome, Reporter
from functions.pay.exchange.store import BatchTable, ExchangeObjects
from functions.pay.rules import announcing
from functions.pay.rules.ledger import refund_entry
from functions.pay.rules.records import Payment
from tests.contract.books.close_desk import CITY, IBAN, CloseDesk, running_close_desk
from tests.contract.pay_counter import granted
from tests.unit.receiver.told import refund_of

OTHER_IBAN = "IR580540105180021273113007"
OTHER_CITY = "YAZD"
VIN = "NAS411100E1234567"
FACTS = {"vehicle_class": "car", "model_year": 1398, "model_calendar": "jalali"}
HOUR = timedelta(hours=1)


@dataclass
class Exchange:
    """A desk of payments, and the exchange that reads its chains."""

    desk: CloseDesk
    objects: ExchangeObjects = field(default_factory=lambda: ExchangeObjects("documents", boto3.client("s3")))

    @property
    def reporter(self) -> Reporter:
        return wiring.reporter_over(self.desk.duty, self.desk.ledger, self.objects)

    def report(self) -> Outcome:
        return self.reporter.report(self.desk.clock.now(), lambda: True)

    def batches(self) -> list[Batch]:
        return BatchTable(self.desk.ledger).listed(before=0, limit=100)[::-1]

    def manifest(self, batch: Batch) -> Any:
        return json.loads(self.objects.read(str(batch.files[-1]["key"])))

    def records(self) -> list[dict[str, Any]]:
        """What all batches have told, in order."""
        texts = [self.objects.read(str(batch.files[0]["key"])).decode() for batch in self.batches()]
        return [json.loads(line) for text in texts for line in text.splitlines()]

    def know(self, payment: Payment, *, version: int = 3, vin: str = VIN, **facts: Any) -> None:
        """The assessment of the payment, and the row of the roll that it read."""
        city, plate, vehicle = payment.municipality, payment.plate, payment.vehicle_id
        quote = {"assessment_id": payment.assessment_id, "municipality": city, "plate": plate,
                 "vehicle_id": vehicle, "roll_version": version, "facts": {**FACTS, **facts}}  # fmt: skip
        self.put(keys.assessment(city, plate, payment.assessment_id), quote)
        self.row(payment, version=version, vin=vin)

    def row(self, payment: Payment, *, version: int, vin: str) -> None:
        city, plate, vehicle = payment.municipality, payment.plate, payment.vehicle_id
        row = {"municipality": city, "plate": plate, "vehicle_id": vehicle, "version": version, "vin": vin,
               "facts": {**FACTS, "model_year": 1390 + version}}  # fmt: skip
        self.put(row_key(city, plate, version, vehicle), row)
        self.put(whereabouts(vehicle, city, plate), {"municipality": city, "plate_key": plate})
        self.put(keys.roll_pointer(city), {"versions": [version]})

    def put(self, key: keys.Key, item: dict[str, Any]) -> None:
        transact([self.desk.duty.put(key, item)], dynamodb=self.desk.duty.dynamodb)

    def account(self, iban: str, cooling_off: timedelta, *, initial: bool = False) -> None:
        now, value = self.desk.clock.now(), {"iban": iban, "holder": "شهرداری شیراز"}
        change = proposed(CITY, Subject.ACCOUNT, value, by="one", now=now, reason="", initial=initial)
        changes = ChangeTable(self.desk.ledger)
        changes.save(None, change)
        decided = approved(change, by="two", now=now, cooling_off=cooling_off)
        changes.save(change, decided)
        if initial:
            changes.save(decided, come_into_force(decided, now))

    def pay(self, number: int, city: str = CITY, **changes: Any) -> Payment:
        made = self.desk.pay(number, city=city, **changes)
        self.desk.sequence(city)
        return made

    def refund(self, made: Payment) -> None:
        given = refund_of(made)
        booked = refund_entry(
            made, given, whole=True, journal_id=f"je_r{made.payment_id[-3:]}", now=self.desk.clock.now()
        )
        self.desk.book(booked, announced=announcing.of_entry(booked, made, given))
        self.desk.sequence(made.municipality)


@pytest.fixture
def exchange(monkeypatch: pytest.MonkeyPatch) -> Iterator[Exchange]:
    dynamo.client.cache_clear()
    with contextmanager(running_close_desk)(monkeypatch) as desk:
        boto3.client("s3").create_bucket(Bucket="documents")
        made = Exchange(desk)
        monkeypatch.setattr(wiring, "reporter", lambda: made.reporter)
        monkeypatch.setattr(wiring, "batches", lambda: BatchTable(desk.ledger))
        monkeypatch.setattr(wiring, "objects", lambda: made.objects)
        monkeypatch.setattr(wiring, "clock", desk.clock)
        yield made
    dynamo.client.cache_clear()


def ids(exchange: Exchange) -> list[str]:
    return [str(record["record_id"]) for record in exchange.records()]


def test_what_was_carried_over_with_the_books_is_not_told_again(exchange: Exchange) -> None:
    exchange.pay(1)
    head = EventLog(exchange.desk.ledger).head(CITY)
    carried = exchange.desk.ledger.put(keys.chain_carried(CITY), carried_item(Carried(head.sequence, head.hash)))
    transact([carried], dynamodb=exchange.desk.ledger.dynamodb)
    assert exchange.report() == Outcome()
    exchange.desk.clock.advance(HOUR)
    new = exchange.pay(2)
    exchange.report()
    (run,) = exchange.manifest(exchange.batches()[0])["runs"]
    assert (run["sequence_from"], run["previous_hash"]) == (head.sequence + 1, head.hash)
    assert {record["payment_id"] for record in exchange.records()} == {new.payment_id}


def test_payments_and_refunds_are_told_once_in_batches_that_follow_each_other(exchange: Exchange) -> None:
    exchange.account(IBAN, timedelta(0), initial=True)
    exchange.desk.clock.advance(HOUR)
    first = exchange.pay(1)
    exchange.know(first)
    exchange.pay(1, OTHER_CITY, payment_id="py_other", vehicle_id="ve_2")
    assert exchange.report().batch == exchange.batches()[0]
    assert exchange.report() == Outcome()
    exchange.desk.clock.advance(HOUR)
    exchange.refund(first)
    exchange.report()
    one, two = map(exchange.manifest, exchange.batches())
    paid, elsewhere, back = exchange.records()
    assert (paid["vin"], paid["production_year"], paid["car_type"], paid["lacks"]) == (VIN, "1398", "car", "")
    assert (paid["account"], paid["bank"], paid["amount_rial"], paid["rounding_rial"]) == (
        IBAN,
        "017",
        "1234500",
        "500",
    )
    assert (elsewhere["municipality_id"], elsewhere["lacks"]) == (OTHER_CITY, "vin model_year car_type account")
    assert (back["kind"], back["amount_rial"], back["payment_id"]) == ("refund", "-1234500", first.payment_id)
    assert (one["previous_manifest"], two["previous_manifest"]) == (
        "0" * 64,
        exchange.batches()[0].manifest_sha256,
    )
    assert [(run["municipality"], run["sequence_from"], run["sequence_to"]) for run in one["runs"]] == [
        (CITY, 1, 4),
        (OTHER_CITY, 1, 1),
    ]
    (run,) = two["runs"]
    assert (run["sequence_from"], run["previous_hash"]) == (5, one["runs"][0]["hash"])
    assert [place["sequence"] for place in two["places"]] == [5, 1]
    assert (one["records"], one["incomplete"]) == ({"correction": 0, "payment": 2, "refund": 0}, 1)
    assert (two["amount_rial"], two["rounding_rial"], two["city_fee_rial"]) == ("-1234500", "-500", "0")
    for batch in exchange.batches():
        for of in batch.files:
            content = exchange.objects.read(str(of["key"]))
            assert (sha256(content).hexdigest(), len(content)) == (of["sha256"], of["size_bytes"])


def test_vehicle_is_told_as_it_was_assessed_and_the_account_as_it_was(exchange: Exchange) -> None:
    exchange.account(IBAN, timedelta(0), initial=True)
    exchange.desk.clock.advance(HOUR)
    made = exchange.pay(1)
    exchange.know(made)
    exchange.row(made, version=4, vin="NAS411100E7654321")
    exchange.account(OTHER_IBAN, 2 * HOUR)
    exchange.desk.clock.advance(HOUR)
    exchange.pay(2)
    exchange.desk.clock.advance(2 * HOUR)
    exchange.pay(3)
    exchange.report()
    assert [(one["vin"], one["production_year"], one["account"]) for one in exchange.records()] == [
        (VIN, "1398", IBAN),
        (VIN, "1398", IBAN),
        (VIN, "1398", OTHER_IBAN),
    ]


def test_vehicle_of_an_assessment_that_is_gone_is_told_as_it_stands(exchange: Exchange) -> None:
    exchange.row(exchange.pay(1), version=4, vin=VIN)
    exchange.pay(2, vehicle_id="ve_9", vehicle_class="taxi")
    exchange.report()
    known, unknown = exchange.records()
    assert (known["vin"], known["production_year"], known["lacks"]) == (VIN, "1394", "account")
    assert (unknown["vin"], unknown["car_type"], unknown["lacks"]) == ("", "taxi", "vin model_year account")


@pytest.mark.parametrize("dies_at", range(1, 4))
def test_a_run_that_is_killed_at_any_write_leaves_nothing_that_counts(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch, dies_at: int
) -> None:
    exchange.pay(1)
    genuine, calls = ExchangeObjects.keep, 0

    def keep(self: ExchangeObjects, number: int, file: File) -> str:
        nonlocal calls
        key, calls = genuine(self, number, file), calls + 1
        if calls == dies_at:
            raise ServiceBusy()
        return key

    monkeypatch.setattr(ExchangeObjects, "keep", keep)
    with pytest.raises(ServiceBusy):
        exchange.report()
    assert exchange.batches() == []
    exchange.pay(2)
    exchange.report()
    assert ids(exchange) == [f"ev_{number:036d}-1404" for number in (1, 2)]


def test_of_two_runs_at_once_one_counts_and_a_lost_answer_is_no_refusal(exchange: Exchange) -> None:
    exchange.pay(1)
    genuine = exchange.reporter

    class Late(BatchTable):
        def add(self, batch: Batch) -> bool:
            exchange.desk.clock.advance(HOUR)
            exchange.pay(2)
            assert exchange.report().batch is not None
            return super().add(batch)

    late = replace(genuine, batches=Late(exchange.desk.ledger))
    assert late.report(exchange.desk.clock.now(), lambda: True).batch is None
    assert ids(exchange) == [f"ev_{number:036d}-1404" for number in (1, 2)]
    (batch,) = exchange.batches()
    assert BatchTable(exchange.desk.ledger).add(batch), "our own, whose answer was lost"
    assert not BatchTable(exchange.desk.ledger).add(replace(batch, records=9))


def test_many_records_are_cut_into_batches_that_hold_each_once(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporting, "PAGE", 2)
    monkeypatch.setattr(reporting, "RECORDS_MAX", 3)
    for number in range(1, 8):
        exchange.desk.pay(number)
    exchange.desk.sequence()
    exchange.pay(8, OTHER_CITY)
    assert worker.handle({}, None) == {"batches": 3, "records": 8, "incomplete": 8, "broken": 0}
    assert sorted(ids(exchange)) == [f"ev_{number:036d}-1404" for number in range(1, 9)]
    assert [batch.records for batch in exchange.batches()] == [4, 3, 1]
    done = exchange.reporter.report(exchange.desk.clock.now(), lambda: False)
    assert (done.batch, done.more) == (None, False)


def test_city_whose_chain_does_not_hold_waits_and_holds_nobody_up(
    exchange: Exchange, capsys: pytest.CaptureFixture[str]
) -> None:
    exchange.pay(1)
    worker.handle({}, None)
    for number in (2, 3):
        exchange.pay(number)
    exchange.pay(4, OTHER_CITY)
    key = keys.chain_event(CITY, 2)
    right = exchange.desk.ledger.get(key)
    assert right is not None
    ledger = exchange.desk.ledger
    changed = {**right, "data": str(right["data"]).replace("1234500", "1234501")}
    transact([ledger.put(key, changed)], dynamodb=ledger.dynamodb)
    capsys.readouterr()
    assert worker.handle({}, None)["broken"] == 1
    assert '"exchange_refused": 1' in capsys.readouterr().out
    assert [record["municipality_id"] for record in exchange.records()] == [CITY, OTHER_CITY]
    transact([ledger.put(key, right)], dynamodb=ledger.dynamodb)
    assert worker.handle({}, None) == {"batches": 1, "records": 2, "incomplete": 2, "broken": 0}
    assert len(set(ids(exchange))) == 4


def test_manifest_that_is_not_what_its_row_says_stops_everything(exchange: Exchange) -> None:
    exchange.pay(1)
    exchange.report()
    key = str(exchange.batches()[0].files[-1]["key"])
    boto3.client("s3").put_object(Bucket="documents", Key=key, Body=b'{"places": []}')
    exchange.pay(2)
    with pytest.raises(BatchUnsound):
        exchange.report()


def test_run_stays_within_its_grants(exchange: Exchange) -> None:
    exchange.account(IBAN, timedelta(0), initial=True)
    exchange.know(exchange.pay(1))
    exchange.row(exchange.pay(2, assessment_id="as_gone"), version=5, vin=VIN)
    exchange.desk.recorder.used.clear()
    assert worker.handle({}, None)["records"] == 2
    assert BatchTable(exchange.desk.ledger).add(exchange.batches()[0]), "as after a lost answer"
    assert exchange.desk.recorder.used <= granted("pay-settle")


def test_operators_list_the_batches_and_fetch_their_files(exchange: Exchange) -> None:
    exchange.pay(1)
    exchange.report()
    exchange.pay(2)
    exchange.report()
    ask = exchange.desk.ask
    scopes: dict[str, Any] = {"scopes": ["avarez/exchange.read"]}
    exchange.desk.recorder.used.clear()
    status, told = ask("GET /v1/exchange/batches", **scopes)
    assert (status, [one["number"] for one in told["batches"]], told["cursor"]) == (200, [2, 1], None)
    status, older = ask("GET /v1/exchange/batches", query={"cursor": "2"}, **scopes)
    assert [one["number"] for one in older["batches"]] == [1]
    assert ask("GET /v1/exchange/batches", query={"cursor": "1"}, **scopes)[1]["batches"] == []
    status, one = ask("GET /v1/exchange/batches/{number}", {"number": "1"}, **scopes)
    assert (status, one["records"], one["incomplete"]) == (200, 1, 1)
    assert [of["name"].partition(".")[2] for of in one["files"]] == ["jsonl", "csv", "manifest.json"]
    assert all("/exchange/000000000001/" in of["url"] for of in one["files"])
    assert exchange.desk.recorder.used <= granted("pay-settlements")
    for number in ("3", "0", "x", "1" * 13):
        status, told = ask("GET /v1/exchange/batches/{number}", {"number": number}, **scopes)
        assert (status, told["code"]) == (404, "exchange_batch_not_found"), number
    assert ask("GET /v1/exchange/batches", query={"cursor": "۲"}, **scopes)[0] == 422
    assert ask("GET /v1/exchange/batches", scopes=["avarez/ledger.read"])[0] == 403
    assert {group for group, may in GROUP_SCOPES.items() if "exchange.read" in may} == {"operator", "auditor"}
