"""What a gateway pays out, as postings: the tables of docs/ledger.md; and a statement's lines, read or refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from avarez.errors import StatementInvalid
from avarez.journal import JournalEntry
from functions.pay.rules.settling import (
    Share,
    arrival_entry,
    operator_of_account,
    paid_out_entry,
    settlement,
    split,
)
from functions.pay.three_way import statement
from functions.pay.three_way.statement import COLUMNS, StatementLine, read_statement

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
TODAY = date(2026, 11, 24)
IBAN = "IR580540105180021273113007"
GOOD = f"{IBAN},1405-09-03,B-0001,1236500,3500,sandbox,1405-09-02,12:45,PAYA"


def postings(entry: JournalEntry) -> dict[str, int]:
    return {of.account: of.debit_rial - of.credit_rial for of in entry.postings}


def arrival(**changes: Any) -> JournalEntry:
    values: dict[str, Any] = {
        "operator": "sandbox",
        "municipality": "NATIONAL",
        "to_city": False,
        "amount_rial": 1_236_500,
        "commission_rial": 3_500,
        "line_id": "bl_1",
        "reference": "B-0001",
        "journal_id": "je_1",
        "now": NOW,
        **changes,
    }
    return arrival_entry(**values)


def test_line_of_our_account() -> None:
    assert postings(arrival()) == {
        "bank": 1_236_500,
        "gateway_commission:sandbox": 3_500,
        "gateway_settlement:sandbox": -1_240_000,
    }


def test_line_of_a_citys_own_account() -> None:
    entry = arrival(municipality="TEHRAN", to_city=True, amount_rial=1_235_000, commission_rial=0)
    assert postings(entry) == {
        "municipality_received:TEHRAN": 1_235_000,
        "gateway_settlement:sandbox": -1_235_000,
    }
    assert (entry.municipality, entry.cause, entry.kind) == ("TEHRAN", "bl_1", "bank_arrival")


def test_day_that_is_collected() -> None:
    share = Share("TEHRAN", 1_240_000, 0, 0)
    entry = paid_out_entry("sandbox", share, day=date(2026, 11, 23), journal_id="je_1", now=NOW)
    assert postings(entry) == {"gateway_settlement:sandbox": 1_240_000, "gateway_clearing:sandbox": -1_240_000}


def test_day_that_the_gateway_paid_to_the_city() -> None:
    share = Share("TEHRAN", 1_240_000, 1_234_500, 500)
    entry = paid_out_entry("sandbox", share, day=date(2026, 11, 23), journal_id="je_1", now=NOW)
    assert postings(entry) == {
        "gateway_settlement:sandbox": 1_240_000,
        "gateway_clearing:sandbox": -1_240_000,
        "municipality_payable:TEHRAN": 1_234_500,
        "municipality_rounding:TEHRAN": 500,
        "municipality_received:TEHRAN": -1_235_000,
    }


def test_less_than_before_is_booked_back() -> None:
    entry = paid_out_entry("sandbox", Share("TEHRAN", -10, 0, 0), day=TODAY, journal_id="je_1", now=NOW)
    assert postings(entry) == {"gateway_settlement:sandbox": -10, "gateway_clearing:sandbox": 10}


def test_accounts_and_operators_name_each_other() -> None:
    for operator, account in (("sandbox", "gateway_clearing:sandbox"), ("bill:melli", "bill_clearing:melli")):
        assert operator_of_account(account) == operator
        assert settlement(operator) == account.replace("clearing", "settlement")
    assert split("pos:saman") == ("pos", "saman")
    assert operator_of_account("municipality_payable:TEHRAN") == operator_of_account("suspense") == ""


def read(*lines: str, head: str = ",".join(COLUMNS)) -> list[StatementLine]:
    return read_statement("\r\n".join([head, *lines]) + "\r\n", TODAY)


def test_statement_is_read_with_persian_digits_and_a_byte_order_mark() -> None:
    (line,) = read(GOOD.replace("1236500", "۱۲۳۶۵۰۰"), head="\ufeff" + ",".join(COLUMNS))
    assert (line.amount_rial, line.commission_rial, line.gross_rial) == (1_236_500, 3_500, 1_240_000)
    assert (line.settles, line.booked_on, line.cycle) == (date(2026, 11, 23), TODAY, "12:45")
    assert line.key == f"{IBAN}#B-0001"
    (other,) = read(GOOD.replace(",PAYA", ",another word"))
    assert other.digest == line.digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (IBAN, IBAN[:-1] + "8"),
        ("1405-09-03", "1405-09-04"),
        ("1405-09-03", "1405-13-01"),
        ("B-0001", "B 1"),
        ("1236500", "0"),
        ("1236500", "-5"),
        ("1236500", "1e6"),
        (",3500,", ",x,"),
        ("sandbox", "Sandbox"),
        ("1405-09-02", "1405-09-04"),
        ("12:45", "13:00"),
    ],
)
def test_statement_with_one_line_that_cannot_be_read_is_refused(old: str, new: str) -> None:
    with pytest.raises(StatementInvalid) as refusal:
        read(GOOD.replace("B-0001", "B-0000"), GOOD.replace(old, new, 1))
    assert [fault.pointer for fault in refusal.value.errors] == ["/content/3"]


def test_money_that_came_before_the_day_it_is_for_is_refused() -> None:
    with pytest.raises(StatementInvalid):
        read(GOOD.replace("1405-09-03,", "1405-09-01,", 1))


def test_statement_without_its_columns_lines_or_with_one_line_twice_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for text, code in (
        (["a,b", "1,2"], "column_wrong"),
        ([",".join(COLUMNS) + ",balance"], "column_wrong"),
        ([",".join(COLUMNS)], "no_lines"),
        ([",".join(COLUMNS), GOOD, GOOD], "line_repeated"),
    ):
        with pytest.raises(StatementInvalid) as refusal:
            read_statement("\n".join(text), TODAY)
        assert {fault.code for fault in refusal.value.errors} == {code}
    monkeypatch.setattr(statement, "LINES_MAX", 1)
    with pytest.raises(StatementInvalid) as refusal:
        read(GOOD, GOOD.replace("B-0001", "B-0002"))
    assert refusal.value.errors[0].code == "too_many_lines"
