"""Journal entries: the golden postings of `docs/ledger.md`, and what is refused."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from avarez.journal import JournalEntry, YearAmount, credit, debit
from functions.pay.rules.ledger import entry, refund_entry, refund_paid_entry, settled_entry, suspense_entry
from functions.pay.rules.records import Payment
from functions.pay.rules.refunds import Refund
from tests.unit.payments.payments_fake import NOON, a_payment, a_refund

PAGE = Path(__file__).resolve().parents[3] / "docs" / "ledger.md"


def city_bears() -> Payment:
    return a_payment(fee_rial=0, city_fee_rial=5_000, amount_rial=1_235_000)


def one_year() -> Refund:
    return a_refund()


def whole() -> Refund:
    years = (YearAmount(1403, 1_000_000), YearAmount(1404, 234_500))
    return a_refund(years=years, rounding_rial=500, fee_rial=5_000, amount_rial=1_240_000)


def paid_back() -> JournalEntry:
    return refund_paid_entry(a_payment(), whole(), through_gateway=True, journal_id="je_1", now=NOON)


def test_whole_refund_cancels_the_settlement_out_account_by_account() -> None:
    for payment, refund in (
        (a_payment(), whole()),
        (city_bears(), a_refund(years=whole().years, rounding_rial=500, amount_rial=1_235_000)),
    ):
        balances: Counter[str] = Counter()
        for made in (
            settled_entry(payment, journal_id="je_1", now=NOON),
            refund_entry(payment, refund, whole=True, journal_id="je_2", now=NOON),
            refund_paid_entry(payment, refund, through_gateway=True, journal_id="je_3", now=NOON),
        ):
            for posting in made.postings:
                balances[posting.account] += posting.debit_rial - posting.credit_rial
        assert set(balances.values()) == {0}


def test_settled_payment_owes_the_city_its_years_and_rounding_and_the_fee_apart() -> None:
    written = settled_entry(a_payment(), journal_id="je_1", now=NOON)
    assert [(p.account, p.debit_rial, p.credit_rial) for p in written.postings] == [
        ("gateway_clearing:sandbox", 1_240_000, 0),
        ("municipality_payable:TEHRAN", 0, 1_234_500),
        ("municipality_rounding:TEHRAN", 0, 500),
        ("office_fee:OFFICE-1", 0, 4_000),
        ("platform_fee", 0, 1_000),
    ]
    assert written.day == "2026-11-23"


def test_the_page_shows_exactly_these_postings() -> None:
    tables = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.M)
    shown = {
        table.splitlines()[0]: [
            (account, int(debit_text.replace(",", "") or 0), int(credit_text.replace(",", "") or 0))
            for account, debit_text, credit_text in re.findall(
                r"^\| `(.+?)` \| ([\d,]*) ?\| ([\d,]*) ?\|$", table, re.M
            )
        ]
        for table in tables
    }
    for title, written in (
        ("Settlement of a payment", settled_entry(a_payment(), journal_id="je_1", now=NOON)),
        ("Money in suspense", suspense_entry(a_payment(), 1_240_001, journal_id="je_1", now=NOON)),
        ("A fee that the city bears", settled_entry(city_bears(), journal_id="je_1", now=NOON)),
        ("A refund of the whole", refund_entry(a_payment(), whole(), whole=True, journal_id="je_1", now=NOON)),
        ("A refund of one year", refund_entry(a_payment(), one_year(), whole=False, journal_id="je_1", now=NOON)),
        ("A refund that has left", paid_back()),
    ):
        assert shown[title] == [(p.account, p.debit_rial, p.credit_rial) for p in written.postings]
        assert f"`{written.kind}`" in PAGE.read_text(encoding="utf-8")


def test_without_a_fee_there_is_no_posting_of_it() -> None:
    free = a_payment(fee_rial=0, office_fee_rial=0, amount_rial=1_235_000)
    written = settled_entry(free, journal_id="je_1", now=NOON)
    assert [p.account for p in written.postings] == [
        "gateway_clearing:sandbox",
        "municipality_payable:TEHRAN",
        "municipality_rounding:TEHRAN",
    ]


def test_suspense_takes_what_the_gateway_confirmed() -> None:
    written = suspense_entry(a_payment(), 1_240_001, journal_id="je_1", now=NOON)
    assert [(p.account, p.debit_rial, p.credit_rial) for p in written.postings] == [
        ("gateway_clearing:sandbox", 1_240_001, 0),
        ("suspense", 0, 1_240_001),
    ]


def test_day_is_that_of_tehran() -> None:
    late = datetime.fromisoformat("2026-11-23T20:30:00+00:00")
    assert settled_entry(a_payment(), journal_id="je_1", now=late).day == "2026-11-24"


def test_content_hash_depends_on_every_posting_and_on_nothing_else() -> None:
    first = settled_entry(a_payment(), journal_id="je_1", now=NOON)
    again = settled_entry(a_payment(), journal_id="je_1", now=NOON)
    other = settled_entry(
        a_payment(fee_rial=4_999, rounding_rial=501, office_fee_rial=4_999), journal_id="je_1", now=NOON
    )
    assert first.content_hash == again.content_hash != other.content_hash
    assert len(first.content_hash) == 64


@pytest.mark.parametrize(
    "postings",
    [
        [],
        [debit("a", 5), credit("b", 4)],
        [debit("a", 0), credit("b", 0)],
        [debit("a", -5), credit("b", -5)],
        [replace(debit("a", 5), credit_rial=5)],
    ],
)
def test_unbalanced_or_malformed_entry_is_refused(postings: list[object]) -> None:
    with pytest.raises(ValueError):
        entry(a_payment(), "test", postings, (), journal_id="je_1", now=NOON)  # type: ignore[arg-type]


@pytest.mark.parametrize("changes", [{"amount_rial": 1_240_001}, {"fee_rial": 0}, {"years": ()}])
def test_payment_whose_parts_do_not_add_up_cannot_exist(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        a_payment(**changes)
