"""Days reconciled over DynamoDB (moto): tasks open and close by themselves, money leaves clearing once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from avarez import keys
from avarez.dynamo import transact
from avarez.errors import GatewayReportInvalid, OutcomeUnknown, StatementConflict, StatementInvalid
from functions.pay.audit.books_store import Books
from functions.pay.audit.checks import balances, check
from functions.pay.gateways.day_reports import ReportLine
from functions.pay.gateways.report import GENERAL, read_report
from functions.pay.rules.records import Payment
from functions.pay.rules.states import Status
from functions.pay.three_way import handler, worker
from functions.pay.three_way.days import NATIONAL, Day
from functions.pay.three_way.statement import COLUMNS, read_statement
from functions.pay.three_way.store import ThreeWayTable
from tests.contract.pay_counter import Counter, granted

DAY = date(2026, 11, 23)
DAY_JALALI = "1405-09-02"
AMOUNT_RIAL = 1_235_000
OURS, CITYS = "IR580540105180021273113007", "IR760170000000000000000001"
HEAD = "reference,order_id,amount_rial,state,paid_at"


class Reports:
    """The gateway's reports: what it gives to whoever asks, and a reader of uploaded ones."""

    def __init__(self) -> None:
        self.texts: dict[tuple[str, date], str] = {}
        self.silent = False

    def fetchable(self) -> Sequence[str]:
        return ["sandbox"]

    def fetch(self, operator: str, day: date) -> str:
        if self.silent or (operator, day) not in self.texts:
            raise OutcomeUnknown()
        return self.texts[operator, day]

    def read(self, operator: str, text: str) -> list[ReportLine]:
        return read_report(text, GENERAL, 1)


class Desk:
    """Three levels over the counter's tables."""

    def __init__(self, counter: Counter, reports: Reports) -> None:
        self.counter = counter
        self.reports = reports
        self.sent: list[date] = []
        store: Any = counter.w.desk.store
        self.table = ThreeWayTable(store.duty, store.ledger)
        self.duty, self.ledger = store.duty, store.ledger

    def send(self, day: date) -> None:
        self.sent.append(day)

    def settled(self, number: int) -> Payment:
        payment = self.counter.open(number)
        self.counter.w.gateway.pay(payment.token)
        self.counter.callback(payment)
        return self.counter.now_of(payment.payment_id)

    def run(self, day: date = DAY) -> Day:
        (found,) = [result for result in worker.reconcile(day) if result.operator == "sandbox"]
        return found

    def states(self, day: date = DAY) -> dict[str, str]:
        found = self.run(day)
        return {item.reference: item.state.value for item in [*found.items, *found.bank]}

    def upload(self, *lines: str, day: date = DAY, complete: bool = True, operator: str = "sandbox") -> None:
        text = "\n".join([HEAD, *lines]) + "\n"
        self.table.take_report(
            operator,
            day,
            read_report(text, GENERAL, 1),
            text=text,
            complete=complete,
            fetched=False,
            taken_by="operator",
            now=self.counter.w.clock.now(),
        )
        self.counter.w.clock.advance(timedelta(seconds=1))

    def statement(self, *lines: str, owner: str = NATIONAL) -> list[bool]:
        text = "\n".join([",".join(COLUMNS), *lines]) + "\n"
        now = self.counter.w.clock.now()
        return [
            self.table.take_line(line, owner=owner, taken_by="operator", now=now)
            for line in read_statement(text, date(2026, 12, 31))
        ]

    def tasks(self, city: str = "TEHRAN") -> list[dict[str, Any]]:
        return list(self.duty.query(keys.task(city, "")[0]))

    def balance(self, city: str, account: str) -> int:
        books = Books(self.duty, self.ledger)
        entries = [entry for step in range(4) for entry in books.entries(city, str(DAY + timedelta(days=step)))]
        debit_rial, credit_rial = balances(entries).get(account, (0, 0))
        return debit_rial - credit_rial


@pytest.fixture
def desk(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> Desk:
    reports = Reports()
    made = Desk(counter, reports)
    for city, mode in (("TEHRAN", "collect"), ("SHIRAZ", "direct")):
        setting = counter.duty.put(keys.municipality_setting(city), {"settlement_mode": mode})
        transact([setting], dynamodb=counter.duty.dynamodb)
    for module in (worker, handler):
        monkeypatch.setattr(module, "books", lambda: made.table)
        monkeypatch.setattr(module, "reports", lambda: reports)
        monkeypatch.setattr(module, "clock", counter.w.clock)
    monkeypatch.setattr(handler, "queue", lambda: made)
    return made


def line(payment: Payment, state: str = "confirmed", amount_rial: int = 0) -> str:
    return f"{payment.reference},{payment.payment_id},{amount_rial or payment.amount_rial},{state},"


def paid_in(amount_rial: int, number: str, commission_rial: int = 0, account: str = OURS) -> str:
    return f"{account},{DAY_JALALI},{number},{amount_rial},{commission_rial},sandbox,{DAY_JALALI},12:45,PAYA"


def test_day_closes_when_the_three_sides_agree_and_its_money_leaves_clearing_once(desk: Desk) -> None:
    payments = [desk.settled(number) for number in range(1, 4)]
    total_rial = 3 * AMOUNT_RIAL
    assert set(desk.states().values()) == {"awaits_report"}
    desk.upload(*(line(payment) for payment in payments))
    assert desk.states() == {of.reference: "matched" for of in payments} | {"BANK:NATIONAL": "awaits_bank"}
    assert desk.balance("TEHRAN", "gateway_clearing:sandbox") == total_rial
    assert desk.statement(paid_in(total_rial - AMOUNT_RIAL, "B-0001")) == [True]
    assert desk.states()["BANK:NATIONAL"] == "awaits_bank"
    assert desk.statement(paid_in(AMOUNT_RIAL - 3_000, "B-0002", 3_000)) == [True]
    for _ in range(3):
        found = desk.run()
        assert found.closed
    assert desk.balance("TEHRAN", "gateway_clearing:sandbox") == 0
    assert desk.balance(NATIONAL, "bank") == total_rial - 3_000
    assert desk.balance(NATIONAL, "gateway_commission:sandbox") == 3_000
    both = [desk.balance(city, "gateway_settlement:sandbox") for city in ("TEHRAN", NATIONAL)]
    assert both == [total_rial, -total_rial]
    assert desk.table.open_days() == [DAY]  # it is not over yet
    desk.counter.w.clock.advance(timedelta(days=1))
    assert desk.run().closed
    assert desk.table.open_days() == []


def test_gateway_that_pays_the_city_settles_what_is_the_citys_own(desk: Desk) -> None:
    fee = desk.counter.duty.put(
        keys.municipality_setting("TEHRAN"), {"settlement_modes": {"sandbox": "direct"}, "fee_rial": 5_000}
    )
    transact([fee], dynamodb=desk.counter.duty.dynamodb)
    payment = desk.settled(1)
    assert payment.amount_rial == AMOUNT_RIAL + 5_000
    desk.upload(line(payment))
    desk.statement(paid_in(AMOUNT_RIAL, "C-0001", account=CITYS), owner="TEHRAN")
    assert desk.states() == {
        payment.reference: "matched",
        "BANK:TEHRAN": "matched",
        "BANK:NATIONAL": "awaits_bank",
    }
    assert desk.balance("TEHRAN", "gateway_clearing:sandbox") == payment.amount_rial
    desk.statement(paid_in(5_000, "B-0001"))
    assert desk.run().closed
    for account in ("gateway_clearing:sandbox", "municipality_payable:TEHRAN", "municipality_rounding:TEHRAN"):
        assert desk.balance("TEHRAN", account) == 0, account
    assert desk.balance("TEHRAN", "municipality_received:TEHRAN") == 0
    transit = sum(desk.balance(city, "gateway_settlement:sandbox") for city in ("TEHRAN", NATIONAL))
    assert transit == 0


def test_tampered_report_opens_one_task_and_the_right_one_closes_it(desk: Desk) -> None:
    payment, invented = desk.settled(1), "x" * 24
    desk.upload(line(payment, amount_rial=AMOUNT_RIAL - 1), f"{invented},,999000,confirmed,")
    for _ in range(2):
        assert desk.states() == {payment.reference: "amounts_differ", invented: "only_theirs"}
    (mine,) = desk.tasks()
    assert (mine["status"], mine["state"], mine["owner"], mine["open_rial"]) == ("open", "amounts_differ", "us", 1)
    (unknown,) = desk.tasks(NATIONAL)
    assert (unknown["status"], unknown["theirs_rial"]) == ("open", 999_000)
    assert desk.table.results_of("TEHRAN", DAY)[0]["unexplained_rial"] == 1
    desk.upload(line(payment))
    found = desk.run()
    assert (found.contradicted, [item.state.value for item in found.items]) == (1, ["matched"])
    assert [task["status"] for task in [*desk.tasks(), *desk.tasks(NATIONAL)]] == ["done", "done"]
    assert desk.table.results_of("TEHRAN", DAY)[0]["unexplained_rial"] == 0
    desk.upload(line(payment, amount_rial=AMOUNT_RIAL - 1), f"{invented},,999000,confirmed,")
    assert desk.run().items[0].state.value == "amounts_differ"  # the newest word counts, whoever said it before
    assert [task["status"] for task in desk.tasks()] == ["open"]


def test_what_is_still_open_a_day_later_breaks_the_invariants_of_its_own_book(desk: Desk) -> None:
    payment = desk.settled(1)
    desk.upload(line(payment, amount_rial=AMOUNT_RIAL - 1), f"{'x' * 24},,999000,confirmed,")
    desk.run()

    def broken(city: str) -> list[tuple[str, str]]:
        book = Books(desk.duty, desk.ledger).book(city, DAY.isoformat(), desk.counter.w.clock.now())
        return [(one.invariant, one.how) for one in check(book) if one.invariant in ("I2", "I6")]

    assert broken("TEHRAN") == broken(NATIONAL) == []
    desk.counter.w.clock.advance(timedelta(days=1))
    assert broken("TEHRAN") == [("I2", "amounts_differ: 1 rial")]
    assert broken(NATIONAL) == [("I6", "only_theirs: 999000 rial")]
    desk.upload(line(payment))
    desk.run()
    assert broken("TEHRAN") == broken(NATIONAL) == []


def test_report_fetched_before_its_day_was_over_lacks_nothing_yet(desk: Desk) -> None:
    first = desk.settled(1)
    desk.reports.texts["sandbox", DAY] = f"{HEAD}\n{line(first)}\n"
    assert desk.states()[first.reference] == "matched"
    second = desk.settled(2)
    assert desk.states()[second.reference] == "awaits_report"
    desk.counter.w.clock.advance(timedelta(days=1))
    assert desk.states()[second.reference] == "only_ours"  # the same report, fetched when the day was over


def test_report_that_comes_in_parts_and_late_ends_as_one_that_came_whole(desk: Desk) -> None:
    payments = [desk.settled(number) for number in range(1, 4)]
    desk.upload(line(payments[0]), complete=False)
    assert sorted(desk.states().values()) == ["awaits_bank", "awaits_report", "awaits_report", "matched"]
    assert desk.tasks() == []
    desk.counter.w.clock.advance(timedelta(days=3))
    desk.run()
    assert sorted(task["state"] for task in desk.tasks()) == ["awaits_report"] * 2
    desk.upload(*(line(payment) for payment in payments))
    desk.statement(paid_in(3 * AMOUNT_RIAL, "B-0001"))
    assert desk.run().closed
    assert {task["status"] for task in desk.tasks()} == {"done"}


def test_money_that_nobody_verified_waits_for_its_return_and_ends_there(desk: Desk) -> None:
    payment = desk.counter.open(1)
    lost = f"{'r' * 24},{payment.payment_id},{payment.amount_rial}"
    desk.upload(f"{lost},paid,")
    assert desk.states() == {"r" * 24: "awaits_return"}
    assert desk.tasks() == []
    desk.upload(f"{lost},returned,")
    found = desk.run()
    assert (found.closed, [item.state.value for item in found.items]) == (True, ["returned"])
    assert desk.table.results_of("TEHRAN", DAY)[0]["open_count"] == 0


def test_confirmed_money_that_we_do_not_know_stands_in_suspense_after_a_day(desk: Desk) -> None:
    payment = desk.counter.open(1)
    reference = "f" * 24
    text = f"{HEAD}\n{reference},{payment.payment_id},{payment.amount_rial},confirmed,\n"
    desk.reports.texts["sandbox", DAY] = text
    assert desk.states() == {reference: "only_theirs"}
    desk.counter.w.clock.advance(timedelta(days=1))
    found = desk.run()
    (item,) = found.items
    assert (item.state.value, item.in_suspense, item.municipality) == ("matched", True, "TEHRAN")
    held = desk.counter.now_of(item.payment_id)
    assert (held.status, held.confirmed_rial, held.reference) == (Status.SUSPENSE, payment.amount_rial, reference)
    assert desk.balance("TEHRAN", "suspense") == -payment.amount_rial
    assert [task["status"] for task in desk.tasks()] == ["done"]
    again = desk.run()
    assert [(of.state.value, of.payment_id) for of in again.items] == [("matched", item.payment_id)]


def test_unknown_money_of_an_uploaded_report_alone_is_never_booked(desk: Desk) -> None:
    desk.upload(f"{'f' * 24},,777000,confirmed,")
    desk.counter.w.clock.advance(timedelta(days=30))
    assert desk.states() == {"f" * 24: "only_theirs"}
    assert desk.balance(NATIONAL, "suspense") == 0


def test_reversed_money_is_returned_by_both_and_else_named(desk: Desk) -> None:
    payment = desk.settled(1)
    desk.upload(line(payment, "returned"))
    assert desk.states() == {payment.reference: "states_differ"}
    gone = replace(payment, status=Status.REFUNDING)
    store: Any = desk.counter.w.desk.store
    from functions.pay.stores import items
    from functions.pay.stores.payment_reads import payment_key

    transact([store.duty.put(payment_key(gone), items.payment_item(gone))], dynamodb=store.duty.dynamodb)
    assert desk.states() == {payment.reference: "returned"}


def test_gateway_that_is_silent_leaves_the_day_open_and_is_asked_again(desk: Desk) -> None:
    payment = desk.settled(1)
    desk.reports.silent = True
    assert desk.states() == {payment.reference: "awaits_report"}
    desk.reports.silent = False
    desk.reports.texts["sandbox", DAY] = f"{HEAD}\n{line(payment)}\n"
    desk.counter.w.clock.advance(timedelta(days=1))
    assert worker.handle_clock({}, None) == {"days": 1, "left": 0, "failed": 0}
    assert desk.table.results_of("TEHRAN", DAY)[0]["counts"] == {"matched": 1}
    assert desk.table.open_days() == [DAY]  # the bank has not spoken


def test_line_of_a_statement_counts_once_and_contradictions_are_refused(desk: Desk) -> None:
    first = paid_in(1_000, "B-0001")
    assert desk.statement(first) == [True]
    assert desk.statement(first, paid_in(2_000, "B-0002")) == [False, True]
    assert desk.balance(NATIONAL, "bank") == 3_000
    with pytest.raises(StatementConflict):
        desk.statement(paid_in(1_001, "B-0001"))
    with pytest.raises(StatementConflict):
        desk.statement(first, owner="TEHRAN")
    with pytest.raises(StatementInvalid):
        desk.statement(first.replace(OURS, OURS[:-1] + "8"))
    assert desk.states() == {"BANK:NATIONAL": "bank_differs"}
    (task,) = desk.tasks(NATIONAL)
    assert (task["owner"], task["open_rial"]) == ("bank", 3_000)


def test_run_needs_exactly_what_it_is_granted(desk: Desk) -> None:
    def everything() -> None:
        payment = desk.settled(1)
        desk.reports.texts["sandbox", DAY] = f"{HEAD}\n{line(payment, amount_rial=5)}\n"
        worker.take(json.dumps({"day": DAY.isoformat()}))
        desk.reports.texts["sandbox", DAY] = f"{HEAD}\n{line(payment)}\n"
        desk.statement(paid_in(AMOUNT_RIAL, "B-0001"))
        desk.counter.w.clock.advance(timedelta(days=1))
        worker.handle_clock({}, None)

    used = desk.counter.used(everything) - {("duty", "ConditionCheckItem")}  # of the payment that was made for it
    assert used == granted("pay-reconcile") == granted("pay-reconcile-queue")


# --- over HTTP ------------------------------------------------------------------------------------------


def call(
    monkeypatch: pytest.MonkeyPatch, route: str, body: Any = None, *, group: str = "operator", **path: str
) -> tuple[int, Any]:
    monkeypatch.setenv("TOKEN_ISSUER", "https://issuer.example/pool")
    monkeypatch.setenv("USER_POOL_CLIENT_ID", "client-1")
    claims = {"token_use": "access", "iss": "https://issuer.example/pool", "client_id": "client-1"}
    claims |= {"username": "somebody", "cognito:groups": f"[{group}]", "municipality": "TEHRAN"}
    query = {"day_jalali": path.pop("day")} if "day" in path else {}
    scopes = ["avarez/ledger.read", "avarez/statements.write", "avarez/bank-files.write"]
    event = {
        "version": "2.0",
        "routeKey": route,
        "rawPath": "/",
        "headers": {"content-type": "application/json"},
        "pathParameters": path,
        "queryStringParameters": query,
        "body": json.dumps(body) if body is not None else None,
        "requestContext": {
            "requestId": "r1",
            "http": {"method": route.partition(" ")[0], "sourceIp": "127.0.0.1"},
            "authorizer": {"jwt": {"claims": claims, "scopes": scopes}},
        },
    }
    answer = handler.handle(event, None)
    return answer["statusCode"], json.loads(answer["body"])


def test_reports_statements_and_results_over_http(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    payment = desk.settled(1)
    report = {"operator": "sandbox", "day_jalali": DAY_JALALI, "content": f"{HEAD}\n{line(payment)}\n"}
    status, told = call(monkeypatch, "POST /v1/gateway-reports", report)
    assert (status, told["lines"], desk.sent) == (202, 1, [DAY])
    again = call(monkeypatch, "POST /v1/gateway-reports", report)[1]
    assert again["report_id"] == told["report_id"]
    assert call(monkeypatch, "POST /v1/gateway-reports", {**report, "content": "x\n"})[1]["code"] == (
        GatewayReportInvalid.code
    )
    late = {**report, "day_jalali": "1406-01-01"}
    assert call(monkeypatch, "POST /v1/gateway-reports", late)[0] == 422
    statements = "POST /v1/municipalities/{code}/bank-statements"
    text = "\n".join([",".join(COLUMNS), paid_in(AMOUNT_RIAL, "B-0001")])
    status, told = call(monkeypatch, statements, {"content": text}, code=NATIONAL)
    assert (status, told["new"], told["already"]) == (202, 1, 0)
    status, told = call(monkeypatch, statements, {"content": text}, code=NATIONAL)
    assert (status, told["new"], told["already"]) == (202, 0, 1)
    assert call(monkeypatch, statements, {"content": text}, code="TEHRAN")[1]["code"] == "statement_conflict"
    wrong = {"content": text.replace("12:45", "13:00")}
    assert call(monkeypatch, statements, wrong, code=NATIONAL)[1]["code"] == "statement_invalid"
    assert call(monkeypatch, statements, {"content": text}, code=NATIONAL, group="municipality")[0] == 422
    assert call(monkeypatch, "POST /v1/reconciliations", {"day_jalali": DAY_JALALI})[0] == 202
    worker.take(json.dumps({"day": desk.sent[-1].isoformat()}))
    read = "GET /v1/municipalities/{code}/reconciliations"
    for code in ("TEHRAN", NATIONAL):
        status, told = call(monkeypatch, read, code=code, day=DAY_JALALI)
        (gateway,) = told["gateways"]
        assert (status, told["status"], gateway["explained_percent"]) == (200, "closed", "100.000")
        assert (gateway["unexplained_rial"], gateway["open"], gateway["age_bucket"]) == ("0", [], "0-1")
        assert gateway["payments"] == [{"state": "matched", "count": 1, "amount_rial": str(AMOUNT_RIAL)}]
    assert call(monkeypatch, read, code="SHIRAZ", group="municipality")[0] == 422
    assert call(monkeypatch, read, code="TEHRAN", day="1405-09-01")[1]["gateways"] == []


def test_handing_in_needs_exactly_what_its_handler_is_granted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def everything() -> None:
        report = {"operator": "sandbox", "day_jalali": DAY_JALALI, "content": f"{HEAD}\nr1,,5,paid,\n"}
        call(monkeypatch, "POST /v1/gateway-reports", report)
        text = "\n".join([",".join(COLUMNS), paid_in(AMOUNT_RIAL, "B-0001")])
        call(monkeypatch, "POST /v1/municipalities/{code}/bank-statements", {"content": text}, code=NATIONAL)
        call(monkeypatch, "GET /v1/municipalities/{code}/reconciliations", code=NATIONAL)

    # What lines of our own transfers need besides: tests/contract/books/test_transfers.py.
    of_transfers = {("ledger", "GetItem"), ("ledger", "DeleteItem"), ("duty", "UpdateItem")}
    assert desk.counter.used(everything) | of_transfers == granted("pay-reconciliation")
