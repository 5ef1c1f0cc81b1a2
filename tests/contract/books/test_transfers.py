"""What pays a close on, over DynamoDB (moto): accounts, files for the bank, lines of bank statements."""

from __future__ import annotations

import csv
import io
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from avarez import keys
from avarez.changes.change_table import ChangeTable
from avarez.errors import StatementConflict, StatementInvalid
from avarez.ids import new_id
from avarez.settlements import Settlement
from functions.pay.accounts.deciding import Desk
from functions.pay.audit.books_store import Books
from functions.pay.audit.checks import balances
from functions.pay.settlement.bank.transfer_store import AccountsInForce
from functions.pay.settlement.bank.transfers import FILE_TRANSFERS_MAX, Payee
from functions.pay.settlement.wiring import parts_over
from functions.pay.three_way import handler as three_way
from functions.pay.three_way.days import NATIONAL
from functions.pay.three_way.statement import COLUMNS, read_statement
from functions.pay.three_way.store import ThreeWayTable
from tests.contract.books.close_desk import (
    CITY,
    IBAN,
    PLATFORM,
    ROUNDING_RIAL,
    YEAR_RIAL,
    CloseDesk,
    running_close_desk,
)
from tests.contract.pay_counter import granted

OWN_RIAL = YEAR_RIAL + ROUNDING_RIAL
DAY_JALALI = "1405-09-03"
ISO = "{urn:iso:std:iso:20022:tech:xsd:pain.001.001.03}"
BATCHES = "/v1/transfer-batches"


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[CloseDesk]:
    yield from running_close_desk(monkeypatch)


def a_close(desk: CloseDesk, payments: int = 2, city: str = CITY) -> Settlement:
    first = int(desk.clock.now().timestamp()) % 10_000 * 100
    for number in range(first, first + payments):
        desk.pay(number, city=city)
    desk.sequence(city)
    desk.next_day()
    made = desk.close(city)
    assert made is not None
    desk.sequence(city)
    return made


def status_of(desk: CloseDesk, close: Settlement) -> str:
    params = {"code": close.municipality, "id": close.settlement_id}
    return str(desk.ask("GET /v1/municipalities/{code}/settlements/{id}", params)[1]["status"])


def balance(desk: CloseDesk, account: str, city: str = CITY) -> int:
    books = Books(desk.duty, desk.ledger)
    days = [str(date(2026, 11, 23) + timedelta(days=step)) for step in range(6)]
    debit_rial, credit_rial = balances([entry for day in days for entry in books.entries(city, day)]).get(
        account, (0, 0)
    )
    return credit_rial - debit_rial


def line(
    desk: CloseDesk, close: Settlement, rial: int, number: str, *, owner: str = NATIONAL, **more: str
) -> bool:
    account = more.get("account", PLATFORM["iban"] if owner == NATIONAL else IBAN)
    cells = [account, DAY_JALALI, number, str(rial), "", "transfer", DAY_JALALI, "", "PAYA", close.reference]
    text = "\n".join([",".join([*COLUMNS, "transfer_reference"]), ",".join(cells)])
    (read,) = read_statement(text, date(2026, 12, 31))
    table = ThreeWayTable(desk.duty, desk.ledger)
    return table.take_line(read, owner=owner, taken_by="operator", now=desk.clock.now())


def test_close_is_paid_on_sent_and_matched_to_the_rial(desk: CloseDesk) -> None:
    close = a_close(desk)
    assert (close.transfer_rial, status_of(desk, close)) == (2 * OWN_RIAL, "open")
    assert balance(desk, f"municipality_payable:{CITY}") == balance(desk, f"municipality_rounding:{CITY}") == 0
    assert balance(desk, f"municipality_transfer:{CITY}") == 2 * OWN_RIAL
    status, batch = desk.ask(f"POST {BATCHES}")
    assert (status, batch["transfers"], batch["total_rial"]) == (201, 1, str(2 * OWN_RIAL))
    assert batch["rows"] == [
        {
            "municipality": CITY,
            "settlement_id": close.settlement_id,
            "reference": f"{CITY}-1",
            "iban": IBAN,
            "holder": "شهرداری شیراز",
            "amount_rial": str(2 * OWN_RIAL),
        }
    ]
    assert status_of(desk, close) == "sent"
    status, refusal = desk.ask(f"POST {BATCHES}")
    assert (status, refusal["code"]) == (409, "nothing_to_transfer")
    assert line(desk, close, 2 * OWN_RIAL, "T-0001") is True
    assert line(desk, close, 2 * OWN_RIAL, "T-0001") is False  # the same line in another file
    assert status_of(desk, close) == "matched"
    assert balance(desk, f"municipality_transfer:{CITY}") == 0
    assert balance(desk, "bank") == 2 * OWN_RIAL
    assert line(desk, close, 2 * OWN_RIAL, "C-0001", owner=CITY)  # the city's own word confirms, and books nothing
    assert (status_of(desk, close), balance(desk, "bank")) == ("matched", 2 * OWN_RIAL)
    assert desk.parts.transfers.outstanding() == []


def test_file_for_the_bank_holds_the_transfers_and_their_sum(desk: CloseDesk) -> None:
    desk.set_city("TABRIZ")
    desk.accounts.by_city["TABRIZ"] = Payee("IR580540105180021273113007", "شهرداری <تبریز> & حومه")
    noon = desk.clock.instant
    closes = [a_close(desk)]
    desk.clock.instant = noon
    closes.append(a_close(desk, 3, "TABRIZ"))
    _, batch = desk.ask(f"POST {BATCHES}")
    of = {"id": batch["batch_id"]}
    _, text = desk.ask(f"GET {BATCHES}/{{id}}/paya.xml", of)
    root = ElementTree.fromstring(text)
    assert root.tag == f"{ISO}Document"
    assert [one.text for one in root.iter(f"{ISO}CtrlSum")] == [str(5 * OWN_RIAL)] * 2
    assert [one.text for one in root.iter(f"{ISO}NbOfTxs")] == ["2", "2"]
    amounts = [int(str(one.text)) for one in root.iter(f"{ISO}InstdAmt")]
    assert sum(amounts) == sum(close.transfer_rial for close in closes) == 5 * OWN_RIAL
    assert [one.text for one in root.iter(f"{ISO}EndToEndId")] == [f"{CITY}-1", "TABRIZ-1"]
    assert [one.text for one in root.iter(f"{ISO}IBAN")] == [PLATFORM["iban"], IBAN, PLATFORM["iban"]]
    assert "شهرداری <تبریز> & حومه" in [one.text for one in root.iter(f"{ISO}Nm")]
    message = next(root.iter(f"{ISO}MsgId")).text
    assert (message, len(str(message))) == (f"{PLATFORM['iban']}000000001", 35)
    assert next(root.iter(f"{ISO}ReqdExctnDt")).text == "2026-11-24"
    _, ccti = desk.ask(f"GET {BATCHES}/{{id}}/paya.ccti", of)
    assert "<ReqdExctnDt>1405-09-03</ReqdExctnDt>" in ccti
    assert desk.ask(f"GET {BATCHES}/{{id}}", of)[1]["rows"] == batch["rows"]
    assert [one["batch_id"] for one in desk.ask(f"GET {BATCHES}")[1]["batches"]] == [batch["batch_id"]]
    for unknown in ("tb_1", new_id("tb", desk.clock.now())):
        assert desk.ask(f"GET {BATCHES}/{{id}}", {"id": unknown})[1]["code"] == "transfer_batch_not_found"


def test_city_without_an_account_is_closed_and_its_transfer_waits_with_a_task(desk: CloseDesk) -> None:
    desk.accounts.by_city.clear()
    close = a_close(desk)
    assert status_of(desk, close) == "waiting"
    (task,) = desk.tasks()
    assert (task["kind"], task["status"], task["amount_rial"]) == ("account_missing", "open", 2 * OWN_RIAL)
    assert desk.ask(f"POST {BATCHES}")[1]["code"] == "nothing_to_transfer"
    assert desk.run()["waiting"] == 1
    desk.accounts.by_city[CITY] = Payee(IBAN, "شهرداری شیراز")
    assert desk.run()["open"] == 1
    assert [task["status"] for task in desk.tasks()] == ["done"]
    assert desk.ask(f"POST {BATCHES}")[1]["rows"][0]["iban"] == IBAN


def test_account_that_two_people_brought_into_force_is_the_one_paid_to(desk: CloseDesk) -> None:
    accounts = AccountsInForce(desk.ledger)
    desk.parts = parts_over(desk.duty, desk.ledger, desk.clock, accounts)
    people = Desk(ChangeTable(desk.ledger), lambda city: {}, desk.clock, lambda name: None)
    asked = people.propose_account(CITY, iban=IBAN, holder="شهرداری شیراز", reason="first account", by="first")
    close = a_close(desk)
    assert status_of(desk, close) == "waiting"  # one person is not enough
    people.approve(CITY, asked.change_id, by="second")
    assert accounts.in_force(CITY, desk.clock.now()) == Payee(IBAN, "شهرداری شیراز")
    other = "IR580540105180021273113007"
    later = people.propose_account(CITY, iban=other, holder="شهرداری شیراز", reason="another bank", by="first")
    people.approve(CITY, later.change_id, by="second")  # cools off: money goes to the old one meanwhile
    assert desk.ask(f"POST {BATCHES}")[1]["rows"][0]["iban"] == IBAN


def test_line_of_another_amount_differs_and_the_right_one_in_the_city_is_no_cure(desk: CloseDesk) -> None:
    close = a_close(desk)
    desk.ask(f"POST {BATCHES}")
    line(desk, close, 2 * OWN_RIAL - 1, "T-0001")
    assert status_of(desk, close) == "differs"
    (task,) = desk.tasks()
    assert (task["kind"], task["status"], task["left_rial"]) == ("transfer_differs", "open", 2 * OWN_RIAL - 1)
    assert balance(desk, f"municipality_transfer:{CITY}") == 1  # the rial that is missing has a name
    line(desk, close, 2 * OWN_RIAL, "C-0001", owner=CITY)
    assert status_of(desk, close) == "differs"
    line(desk, close, 1, "T-0002")
    assert status_of(desk, close) == "matched"
    assert [task["status"] for task in desk.tasks()] == ["done"]
    assert balance(desk, f"municipality_transfer:{CITY}") == 0


def test_lines_that_name_no_transfer_are_refused_and_nothing_is_guessed(
    desk: CloseDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    close = a_close(desk)
    desk.ask(f"POST {BATCHES}")
    table = ThreeWayTable(desk.duty, desk.ledger)
    monkeypatch.setattr(three_way, "books", lambda: table)
    with pytest.raises(StatementInvalid):
        line(desk, replace(close, municipality="nowhere"), 1, "T-0001")
    with pytest.raises(StatementConflict):
        line(desk, replace(close, number=7), 1, "T-0001")
    read = read_statement(
        "\n".join(
            [
                ",".join([*COLUMNS, "transfer_reference"]),
                f"{PLATFORM['iban']},{DAY_JALALI},T-0009,5,,transfer,{DAY_JALALI},,,{CITY}-9",
                f"{PLATFORM['iban']},{DAY_JALALI},T-0010,5,,transfer,{DAY_JALALI},,,{close.reference}",
            ]
        ),
        date(2026, 12, 31),
    )
    with pytest.raises(StatementInvalid) as refused:
        three_way._check_transfers(NATIONAL, read)
    assert [fault.code for fault in refused.value.errors] == ["transfer_unknown"]
    with pytest.raises(StatementInvalid) as refused:  # our account is not the city's: paid elsewhere
        three_way._check_transfers(CITY, read)
    assert len(refused.value.errors) == 2
    with pytest.raises(StatementInvalid) as refused:
        three_way._check_transfers("TABRIZ", read[1:])
    assert len(refused.value.errors) == 1


class Killed(BaseException):
    """The process ends here."""


def test_file_of_many_transfers_killed_at_each_write_has_each_once(desk: CloseDesk) -> None:
    cities = [f"CITY{number}" for number in range(60)]
    opened: list[Any] = []
    close = a_close(desk)
    for city in cities:
        desk.accounts.by_city[city] = Payee(IBAN, city)
        transfer = replace(close, municipality=city, transfer_rial=1_000)
        opened += desk.parts.transfers.opening(transfer)
    desk.recorder.dynamodb.transact_write_items(TransactItems=opened[:60])
    desk.recorder.dynamodb.transact_write_items(TransactItems=opened[60:])
    inner, kills = desk.recorder.dynamodb, 0

    class Killing:
        """Each run comes one write further; the answer to the write is lost."""

        def __getattr__(self, name: str) -> Any:
            def act(**request: Any) -> Any:
                answer = getattr(inner, name)(**request)
                if name == "transact_write_items":
                    raise Killed
                return answer

            return act

    def attempt() -> tuple[int, Any]:
        return desk.ask(f"POST {BATCHES}")

    desk.recorder.dynamodb = Killing()
    while True:
        try:
            _, told = attempt()
            break
        except Killed:
            kills += 1
            assert kills < 10
    assert told["code"] == "nothing_to_transfer"  # the last write was made, and its answer lost
    desk.recorder.dynamodb = inner
    (batch,) = desk.parts.transfers.batches(10)
    rows = desk.parts.transfers.rows(batch.batch_id)
    assert kills == 4  # three chunks and the end
    assert (batch.status, batch.transfers, len(rows)) == ("ready", 61, 61)
    assert len({row.municipality for row in rows}) == 61 <= FILE_TRANSFERS_MAX
    assert batch.total_rial == sum(row.amount_rial for row in rows) == 60_000 + close.transfer_rial
    assert all(of.batch_id == batch.batch_id for of in desk.parts.transfers.outstanding())


def test_platform_without_an_account_makes_no_file(desk: CloseDesk) -> None:
    a_close(desk)
    desk.recorder.delete_item(TableName="duty", Key={"pk": {"S": "SETTING"}, "sk": {"S": "PLATFORM"}})
    assert desk.ask(f"POST {BATCHES}")[1]["code"] == "platform_account_missing"


def test_closing_and_paying_need_exactly_what_they_are_granted(desk: CloseDesk) -> None:
    def used(act: Any) -> set[tuple[str, str]]:
        desk.recorder.used.clear()
        act()
        return set(desk.recorder.used)

    desk.accounts.by_city.clear()
    desk.pay(1)
    desk.sequence()
    desk.next_day()

    def by_clock() -> None:
        desk.run()
        desk.accounts.by_city[CITY] = Payee(IBAN, "شهرداری شیراز")
        desk.run()

    ran = used(by_clock)
    assert ran == granted("pay-settle")
    (close,) = desk.parts.closes.settlements(CITY, before="", limit=1)
    desk.accounts.by_city.clear()
    desk.clock.advance(timedelta(days=1))
    desk.pay(2)
    desk.sequence()
    desk.clock.advance(timedelta(minutes=1))

    def by_hand() -> None:
        city = {"code": CITY}
        desk.ask("POST /v1/municipalities/{code}/settlements", city, {"day_jalali": "1405-09-04"})
        desk.ask("GET /v1/municipalities/{code}/settlements", city)
        desk.accounts.by_city[CITY] = Payee(IBAN, "شهرداری شیراز")
        desk.ask(f"POST {BATCHES}")

    assert used(by_hand) | {("duty", "Query"), ("duty", "BatchGetItem")} == granted("pay-settlements")
    both = used(lambda: (line(desk, close, 5, "T-0001"), line(desk, close, OWN_RIAL - 5, "T-0002")))
    assert both <= granted("pay-reconciliation")
    assert {("ledger", "GetItem"), ("ledger", "DeleteItem"), ("duty", "UpdateItem")} <= both
    assert keys.transfer(CITY, close.settlement_id)[0].endswith("#TRANSFERS")


def test_events_statements_file_and_ledger_come_to_the_same_rial(desk: CloseDesk) -> None:
    cities = (CITY, "TABRIZ")
    desk.set_city("TABRIZ")
    desk.accounts.by_city["TABRIZ"] = Payee("IR050130140500000000000505", "شهرداری تبریز")
    number = 0
    for day in range(2):
        for city in cities:
            for _ in range(day + 1):
                number += 1
                desk.pay(number, city=city, fee_rial=number)
            desk.sequence(city)
        desk.clock.advance(timedelta(days=1))
    desk.run()
    for city in cities:
        desk.sequence(city)
    closes = [close for city in cities for close in desk.parts.closes.settlements(city, before="", limit=9)]
    _, batch = desk.ask(f"POST {BATCHES}")
    own = [
        line
        for close in closes
        for line in csv.DictReader(
            io.StringIO(
                desk.ask(
                    "GET /v1/municipalities/{code}/settlements/{id}/statement.csv",
                    {"code": close.municipality, "id": close.settlement_id},
                )[1][1:]
            )
        )
        if line["kind"] == "payment"
    ]
    of_events = sum(
        int(posting["credit_rial"])
        for city in cities
        for event in desk.events(city)
        if event["type"] == "payment.settled"
        for posting in event["entry"]["postings"]
        if posting["account"].startswith("municipality_")
    )
    _, file = desk.ask(f"GET {BATCHES}/{{id}}/paya.xml", {"id": batch["batch_id"]})
    of_file = sum(int(str(of.text)) for of in ElementTree.fromstring(file).iter(f"{ISO}InstdAmt"))
    of_ledger = sum(balance(desk, f"municipality_transfer:{city}", city) for city in cities)
    told = {of_events, sum(int(line["city_rial"]) for line in own), of_file, int(batch["total_rial"]), of_ledger}
    assert told == {number * OWN_RIAL}
    assert (len(own), len(closes)) == (number, 4)
