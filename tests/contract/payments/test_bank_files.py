"""Bank files over DynamoDB (moto): taken once by file and by line, resumed, with exactly the rights they need."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from avarez import keys
from avarez.dynamo import transact
from avarez.errors import BankFileInvalid, BillOpen, DutyLocked, DutyPaid
from functions.pay import sweep as sweep_function
from functions.pay.bank_files import service, worker
from functions.pay.bank_files.store import BankFileTable
from functions.pay.payments import billing
from functions.pay.payments.opening import Asked
from functions.pay.rules.bills import Layout
from functions.pay.rules.records import Payment
from functions.pay.rules.states import Status
from tests.contract.pay_counter import Counter, granted, sends
from tests.contract.payments.test_payment_store import quote_writer
from tests.unit.payments.payments_fake import CLERK, quote


class Sqs:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> None:  # noqa: N803
        assert QueueUrl == "queue"
        assert len(Entries) <= 10
        self.sent += [json.loads(entry["MessageBody"]) for entry in Entries]


@pytest.fixture
def files(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> BankFileTable:
    setting = {"bill_company_code": 101, "bill_valid_days": 10}
    duty = counter.duty
    transact([duty.put(keys.municipality_setting("TEHRAN"), setting)], dynamodb=duty.dynamodb)
    table = BankFileTable(replace_client(counter), Sqs(), "queue")
    monkeypatch.setattr(worker, "bank_files", lambda: table)
    monkeypatch.setattr(worker, "desk", lambda: counter.w.desk)
    monkeypatch.setattr(sweep_function, "bank_files", lambda: table)
    return table


def replace_client(counter: Counter) -> Any:
    return counter.w.desk.store.duty  # type: ignore[attr-defined]  # the recorded table


def open_bill(counter: Counter, number: int, *, supersede: bool = False, key: str = "") -> Payment:
    made = quote(counter.w.clock, number, vehicle_id=f"ve_{number % 100}", plate=f"12B3{number % 100:02d}-67")
    quote_writer(counter.duty)(made)
    asked = Asked((made.assessment_id,), "bill", "", "", supersede)
    opened = billing.create(counter.w.desk, principal=CLERK, key=key or f"b{number}", asked=asked)
    return counter.now_of(opened.payment_id)


def file_text(*bills: Payment, tracking: int = 100_000) -> str:
    lines = [
        f"00123402{'14050902'}{bill.bill_id.zfill(13)}{bill.payment_code.zfill(13)}{tracking + place}"
        for place, bill in enumerate(bills)
    ]
    return "\r\n".join(["0012340214050902", *lines]) + "\r\n"


def run_queue(files: BankFileTable) -> None:
    sqs: Sqs = files._sqs
    sent, sqs.sent = sqs.sent, []
    for message in sent * 2:  # each is delivered twice
        worker.take(json.dumps(message))


def take(counter: Counter, files: BankFileTable, text: str) -> service.BankFile:
    now = counter.w.clock.now()
    return service.take_in(files, bank="melli", text=text, layout=None, taken_by="operator", now=now)


def test_file_settles_its_bills_once_whatever_is_delivered_how_often(
    counter: Counter, files: BankFileTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "CHUNK_LINES", 7)
    bills = [open_bill(counter, number) for number in range(1, 13)]
    text = file_text(*bills) + "nonsense\n"
    file = take(counter, files, text)
    assert (file.layout, file.lines, file.chunks) == (Layout.NEWER, 13, 2)

    run_queue(files)

    told = service.file_json(files, file)
    assert told["status"] == "done"
    assert told["outcomes"] == {"applied": 12, "refused:line_malformed": 1}
    assert told["notable"] == [{"line": 14, "outcome": "refused:line_malformed"}]
    assert {counter.now_of(bill.payment_id).status for bill in bills} == {Status.SETTLED}
    assert take(counter, files, text) == replace(file, open_due_at=file.open_due_at)
    again = take(counter, files, text.replace("0012340214050902\r\n", "0012340214050903\r\n", 1))
    assert again.file_id != file.file_id
    run_queue(files)
    assert service.file_json(files, again)["outcomes"]["already"] == 12


def test_line_of_a_duty_that_is_being_paid_is_taken_again_by_the_sweep(
    counter: Counter, files: BankFileTable
) -> None:
    bill = open_bill(counter, 1)
    made = quote(counter.w.clock, 201, vehicle_id="ve_1", plate="12B301-67")
    quote_writer(counter.duty)(made)
    asked = Asked((made.assessment_id,), "gateway", "", "", True)
    from functions.pay.payments.opening import create

    create(counter.w.desk, principal=CLERK, key="g", asked=asked)
    file = take(counter, files, file_text(bill))
    run_queue(files)
    assert service.file_json(files, file)["outcomes"] == {"waits": 1}

    for _ in range(30):
        counter.w.clock.advance(timedelta(minutes=1))
        sweep_function.handle({}, None)
        run_queue(files)

    assert service.file_json(files, file)["outcomes"] == {"applied": 1}
    found = files.find(file.file_id)
    assert found is not None
    assert found.open_due_at is None


def test_text_that_is_no_bank_file_is_refused(counter: Counter, files: BankFileTable) -> None:
    with pytest.raises(BankFileInvalid):
        take(counter, files, "plate,amount\n1,2\n")


def test_bill_of_a_duty_that_another_pays_or_has_paid_is_refused(counter: Counter, files: BankFileTable) -> None:
    payment = counter.open(1)
    with pytest.raises(DutyLocked):
        open_bill(counter, 101)
    counter.w.gateway.pay(payment.token)
    counter.callback(payment)
    with pytest.raises(DutyPaid):
        open_bill(counter, 201)
    bill = open_bill(counter, 2)
    with pytest.raises(BillOpen) as refusal:
        counter.open(2)
    assert refusal.value.extra["payment_id"] == bill.payment_id
    second = open_bill(counter, 302, supersede=True)
    assert counter.now_of(bill.payment_id).status is Status.CANCELLED
    assert counter.w.desk.store.bill(second.bill_id, second.payment_code) == second


def test_lines_need_exactly_what_their_worker_is_granted(counter: Counter, files: BankFileTable) -> None:
    bills = [open_bill(counter, number) for number in range(1, 3)]
    take(counter, files, file_text(*bills))

    def everything() -> None:
        run_queue(files)

    requoting = {("duty", "BatchGetItem")}  # a bill that is paid late is assessed again
    assert counter.used(everything) | requoting == granted("pay-bank-lines")
    assert not sends("pay-bank-lines")


def test_taking_a_file_in_needs_exactly_what_its_handler_is_granted(
    counter: Counter, files: BankFileTable
) -> None:
    text = file_text(open_bill(counter, 1))

    def everything() -> None:
        file = take(counter, files, text)
        service.file_json(files, file)
        take(counter, files, text)

    assert counter.used(everything) == granted("pay-bank-files")
