"""What the exchange is told: a record for each duty year, signed, and to the rial what the ledger has."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from avarez.events.chain import GENESIS, Waiting, chained
from avarez.journal import JournalEntry, YearAmount, signed
from functions.pay.exchange.form import columns, files_of, read_columns
from functions.pay.exchange.records import Car, Record, payment_of, told_of
from functions.pay.rules import announcing
from functions.pay.rules.ledger import (
    entry,
    matched_entry,
    municipality_payable,
    refund_entry,
    refund_paid_entry,
    settled_entry,
    suspense_entry,
)
from functions.pay.rules.records import Payment
from functions.pay.rules.refunds import Refund
from tests.unit.payments.payments_fake import NOON
from tests.unit.receiver.told import City, refund_of, settled

CITY = "MASHHAD"
IBAN = "IR760170000000000000000001"
CAR = Car("NAS411100E1234567", "1398", "jalali", "car")
DOCS = Path(__file__).resolve().parents[3] / "docs" / "national-exchange.md"


def event(waiting: Waiting) -> Mapping[str, Any]:
    return chained(waiting, sequence=1, previous_hash=GENESIS).data


def of_entry(made: JournalEntry, payment: Payment, refund: Refund | None = None) -> tuple[Record, ...]:
    return told_of(event(announcing.of_entry(made, payment, refund)), CAR, IBAN).records


def paid(**changes: Any) -> Payment:
    return replace(settled(CITY, 1), **changes)


def test_payment_has_a_record_for_each_duty_year_with_all_its_fields() -> None:
    made = paid()
    older, newer = of_entry(settled_entry(made, journal_id="je_1", now=NOON), made)
    assert (older.record_id, newer.record_id) == ("ev_1-1403", "ev_1-1404")
    assert (older.duty_year, older.amount_rial, older.rounding_rial) == (1403, 1_000_001, 0)
    assert (newer.duty_year, newer.amount_rial, newer.rounding_rial) == (1404, 234_500, 500)
    told = newer.told()
    assert {name: told[name] for name in ("kind", "municipality", "municipality_name", "vin", "model_year")} == {
        "kind": "payment",
        "municipality": "MASHHAD",
        "municipality_name": "مشهد",
        "vin": "NAS411100E1234567",
        "model_year": "1398",
    }
    plate = newer.plate_first, newer.plate_letter, newer.plate_serial, newer.plate_region
    assert plate == ("12", "ب", "345", "67")
    assert (newer.bank, newer.account, newer.payment_code) == ("017", IBAN, "r1")
    assert newer.paid_on_jalali == newer.booked_on_jalali
    assert (newer.car_type, newer.channel, newer.operator, newer.lacks) == ("car", "gateway", "sandbox", "")


def test_bill_is_told_by_its_own_payment_code() -> None:
    made = paid(channel="bill", bill_id="1234567890123", payment_code="1234567")
    record = of_entry(settled_entry(made, journal_id="je_1", now=NOON), made)[0]
    assert (record.bill_id, record.payment_code, record.channel) == ("1234567890123", "1234567", "bill")


def test_refund_is_negative_year_by_year_and_cancels_the_payment() -> None:
    made = paid()
    given = refund_of(made)
    payments = of_entry(settled_entry(made, journal_id="je_1", now=NOON), made)
    refunds = of_entry(refund_entry(made, given, whole=True, journal_id="je_2", now=NOON), made, given)
    assert [one.kind for one in refunds] == ["refund", "refund"]
    assert [(one.duty_year, -one.amount_rial, -one.rounding_rial) for one in refunds] == [
        (one.duty_year, one.amount_rial, one.rounding_rial) for one in payments
    ]
    assert {one.payment_id for one in refunds} == {made.payment_id}
    one_year = replace(given, years=(YearAmount(1404, 234_500),), rounding_rial=0, fee_rial=0, amount_rial=234_500)
    (record,) = of_entry(refund_entry(made, one_year, whole=False, journal_id="je_3", now=NOON), made, one_year)
    assert (record.duty_year, record.amount_rial, record.rounding_rial) == (1404, -234_500, 0)


def test_refund_whose_years_the_city_lost_to_its_fee_is_told_all_the_same() -> None:
    """The city's share was nothing, so that no posting names it."""
    years = (YearAmount(1404, 5_000),)
    made = paid(years=years, rounding_rial=0, fee_rial=0, city_fee_rial=5_000, amount_rial=5_000)
    (record,) = of_entry(settled_entry(made, journal_id="je_1", now=NOON), made)
    given = refund_of(made)
    (back,) = of_entry(refund_entry(made, given, whole=True, journal_id="je_2", now=NOON), made, given)
    assert (record.amount_rial, back.amount_rial) == (5_000, -5_000)


def test_money_of_nobody_has_no_record() -> None:
    made = paid()
    given = replace(refund_of(made), of_suspense=True)
    for booked in (
        suspense_entry(made, 5, journal_id="je_1", now=NOON),
        refund_entry(made, given, whole=True, journal_id="je_2", now=NOON),
        refund_paid_entry(made, given, through_gateway=True, journal_id="je_3", now=NOON),
    ):
        assert of_entry(booked, made, given) == (), booked.kind
    assert payment_of(event(list(City(CITY).waiting(1))[1])) is None, "a certificate"


def test_money_that_was_matched_is_a_payment() -> None:
    made = paid(fee_rial=0, amount_rial=1_235_001)
    found = of_entry(matched_entry(made, paid(payment_id="py_source"), journal_id="je_1", now=NOON), made)
    assert [(one.kind, one.amount_rial) for one in found] == [("payment", 1_000_001), ("payment", 234_500)]


@pytest.mark.parametrize("rial", [7_000, -7_000])
def test_entry_of_a_new_kind_is_a_correction_with_the_sign_of_what_it_moved(rial: int) -> None:
    made = paid()
    postings = [*signed(municipality_payable(CITY), rial), *signed("bank", -rial)]
    booked = entry(made, "of_tomorrow", postings, (YearAmount(1403, 7_000),), journal_id="je_1", now=NOON)
    (record,) = of_entry(booked, made)
    assert (record.kind, record.amount_rial) == ("correction", rial)


def test_what_is_not_known_is_empty_and_named() -> None:
    made = paid(plate="X-ABC12345")
    booked = settled_entry(made, journal_id="je_1", now=NOON)
    told = told_of(event(announcing.of_entry(booked, made)), Car(), "")
    assert {one.lacks for one in told.records} == {"vin model_year plate_serial car_type account"}
    assert (told.records[0].bank, told.records[0].vin, len(told.records)) == ("", "", 2)


def test_records_of_a_chain_come_to_what_the_city_is_owed() -> None:
    city = City(CITY)
    told = [told_of(made.data, CAR, IBAN) for made in city.pay(23)]
    records = [record for one in told for record in one.records]
    balance = city.balance()
    own = (f"municipality_payable:{CITY}", f"municipality_rounding:{CITY}")
    owed_rial = sum(balance[account][1] - balance[account][0] for account in own)
    fees_rial = sum(one.city_fee_rial for one in told)
    assert sum(one.amount_rial + one.rounding_rial for one in records) - fees_rial == owed_rial > 0
    assert len({one.record_id for one in records}) == len(records) > 40
    borne = paid(fee_rial=0, city_fee_rial=3_000, amount_rial=1_235_001)
    booked = settled_entry(borne, journal_id="je_1", now=NOON)
    assert told_of(event(announcing.of_entry(booked, borne)), CAR, IBAN).city_fee_rial == 3_000


def test_table_keeps_negative_amounts_as_numbers_and_computes_nothing() -> None:
    made = paid(reference="=1+1")
    given = refund_of(made)
    records = of_entry(refund_entry(made, given, whole=True, journal_id="je_2", now=NOON), made, given)
    lines, table = files_of(7, records, columns())
    assert (lines.name, table.name) == ("exchange-000000000007.jsonl", "exchange-000000000007.csv")
    rows = list(csv.DictReader(io.StringIO(table.content.decode("utf-8-sig"), newline="")))
    assert [row["amount_rial"] for row in rows] == ["-1000001", "-234500"]
    assert {row["payment_code"] for row in rows} == {"'=1+1"}
    told = [json.loads(line) for line in lines.content.splitlines()]
    assert [one["amount_rial"] for one in told] == ["-1000001", "-234500"]
    assert list(rows[0]) == [one.column for one in columns()]
    assert set(told[0]) == set(rows[0])


def test_columns_are_data_that_is_checked_and_documented() -> None:
    with pytest.raises(ValueError, match="no field of a record: colour"):
        read_columns({"columns": [{"column": "a", "field": "colour", "fa": ""}]})
    twice = {"column": "a", "field": "vin", "fa": ""}
    with pytest.raises(ValueError, match="twice"):
        read_columns({"columns": [twice, twice]})
    page = DOCS.read_text("utf-8").partition("## A record")[2].partition("## A batch")[0]
    listed = [line.split("|")[1].strip(" `") for line in page.splitlines() if line.startswith("| `")]
    assert listed == [one.column for one in columns()]
