"""Journal entries in full: what each says of itself, what its hash is over, and what shares add up to."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import date, datetime
from itertools import product
from pathlib import Path

import pytest

from avarez.canonical import content_hash
from avarez.journal import (
    JournalEntry,
    Posting,
    YearAmount,
    booked,
    check_balanced,
    credit,
    debit,
    journal_item,
    members_of,
    signed,
)
from functions.pay.rules.ledger import (
    entry,
    matched_entry,
    refund_entry,
    refund_paid_entry,
    settled_entry,
    suspense_entry,
    variance_entry,
)
from functions.pay.rules.settling import Share, arrival_entry, operator_of_account, paid_out_entry, share_of
from functions.pay.rules.states import Status
from tests.unit.payments.payments_fake import NOON, a_payment, a_refund

PAGE = Path(__file__).resolve().parents[4] / "docs" / "ledger.md"
LATE = datetime.fromisoformat("2026-11-23T20:30:00.250000+00:00")
"""Midnight in Tehran: the 24th there."""
YEARS = (YearAmount(1403, 1_000_000), YearAmount(1404, 234_500))
SALE = a_payment(channel="pos", gateway="saman", terminal="T-1")
MATCHED = a_payment(
    payment_id="py_9",
    years=(YearAmount(1404, 119_500),),
    fee_rial=0,
    office_fee_rial=0,
    amount_rial=120_000,
    status=Status.SETTLED,
    channel="bill",
    gateway="melli",
)


def arrival(*, to_city: bool = False) -> JournalEntry:
    return arrival_entry(
        operator="bill:melli",
        municipality="TEHRAN" if to_city else "NATIONAL",
        to_city=to_city,
        amount_rial=1_236_500,
        commission_rial=3_500,
        line_id="bl_1",
        reference="B-0001",
        journal_id="je_1",
        now=LATE,
    )


def paid_out(share: Share, operator: str = "bill:melli") -> JournalEntry:
    return paid_out_entry(operator, share, day=date(2026, 11, 22), journal_id="je_1", now=LATE)


OF_PAYMENT = ("py_1", "TEHRAN", "sandbox", "r1")
OF_DAY = "bill:melli-2026-11-22"
Made = Callable[[], JournalEntry]
ENTRIES: dict[str, tuple[Made, tuple[str, ...], tuple[YearAmount, ...], str]] = {
    # how it is made, its (payment, book, gateway, reference), its years, its cause
    "payment_settled": (lambda: settled_entry(a_payment(), journal_id="je_1", now=LATE), OF_PAYMENT, YEARS, ""),
    "payment_suspense": (lambda: suspense_entry(a_payment(), 7, journal_id="je_1", now=LATE), OF_PAYMENT, (), ""),
    "suspense_matched": (
        lambda: matched_entry(MATCHED, a_payment(payment_id="py_found"), journal_id="je_1", now=LATE),
        ("py_9", "TEHRAN", "melli", "r1"),
        (YearAmount(1404, 119_500),),
        "py_found",
    ),
    "refund_approved": (
        lambda: refund_entry(a_payment(), a_refund(), whole=False, journal_id="je_1", now=LATE),
        OF_PAYMENT,
        (YearAmount(1404, 234_500),),
        "rf_1",
    ),
    "refund_paid": (
        lambda: refund_paid_entry(a_payment(), a_refund(), through_gateway=False, journal_id="je_1", now=LATE),
        OF_PAYMENT,
        (),
        "rf_1",
    ),
    "terminal_variance": (
        lambda: variance_entry(SALE, 5_000, journal_id="je_1", now=LATE, cause="T-1-2026-11-23"),
        ("py_1", "TEHRAN", "saman", "r1"),
        (),
        "T-1-2026-11-23",
    ),
    "bank_arrival": (arrival, ("bl_1", "NATIONAL", "melli", "B-0001"), (), "bl_1"),
    "gateway_paid_out": (
        lambda: paid_out(Share("TEHRAN", 1_240_000, 0, 0)),
        (OF_DAY, "TEHRAN", "melli", OF_DAY),
        (),
        OF_DAY,
    ),
}


@pytest.mark.parametrize("kind", ENTRIES)
def test_entry_says_whose_it_is_when_it_was_made_and_why(kind: str) -> None:
    make, whose, years, cause = ENTRIES[kind]
    made = make()
    assert made.kind == kind
    assert (made.payment_id, made.municipality, made.gateway, made.reference) == whose
    assert (made.journal_id, made.created_at, made.day) == ("je_1", LATE, "2026-11-24")
    assert (made.years, made.cause) == (years, cause)


@pytest.mark.parametrize("kind", ENTRIES)
def test_hash_is_that_of_the_entry_as_the_page_spells_it(kind: str) -> None:
    """Spelt out by hand in the order of RFC 8785, so that an auditor without our code gets the same."""
    made = ENTRIES[kind][0]()
    postings = ",".join(
        f'{{"account":"{of.account}","credit_rial":"{of.credit_rial}","debit_rial":"{of.debit_rial}"}}'
        for of in made.postings
    )
    years = ",".join(f'{{"amount_rial":"{of.amount_rial}","year":{of.year}}}' for of in made.years)
    text = (
        f'{{"cause":"{made.cause}","created_at":"2026-11-23T20:30:00.250Z","day":"{made.day}",'
        f'"gateway":"{made.gateway}","journal_id":"je_1","kind":"{kind}","municipality":"{made.municipality}",'
        f'"payment_id":"{made.payment_id}","postings":[{postings}],"reference":"{made.reference}","years":[{years}]}}'
    )
    assert made.content_hash == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("kind", ENTRIES)
def test_item_has_the_members_of_the_page_and_nothing_that_the_hash_does_not_see(kind: str) -> None:
    made = ENTRIES[kind][0]()
    item = journal_item(made)
    named = PAGE.read_text(encoding="utf-8").partition("Attributes: ")[2].partition(".\n")[0]
    assert set(item) == set(re.findall(r"`(\w+)`", named))
    assert item.pop("content_hash") == made.content_hash
    amounts = {"debit_rial", "credit_rial", "amount_rial"}
    for of in (*item["postings"], *item["years"]):
        for name in amounts & set(of):
            assert type(of[name]) is int
            of[name] = str(of[name])
    assert item == members_of(made)


@pytest.mark.parametrize("kind", ENTRIES)
def test_entry_adds_up_to_nothing_with_one_positive_side_a_posting(kind: str) -> None:
    made = ENTRIES[kind][0]()
    assert sum(of.debit_rial - of.credit_rial for of in made.postings) == 0
    assert all(
        sorted((of.debit_rial, of.credit_rial))[0] == 0 < of.debit_rial + of.credit_rial for of in made.postings
    )


def test_page_shows_the_postings_of_a_match_and_of_both_accounts_of_a_day() -> None:
    page = PAGE.read_text(encoding="utf-8")
    tables = [
        {
            account: int(left.replace(",", "") or 0) - int(right.replace(",", "") or 0)
            for account, left, right in re.findall(r"^\| `(.+?)` \| ([\d,]*) ?\| ([\d,]*) ?\|$", block, re.M)
        }
        for block in page.split("\n\n")
    ]
    shares = Share("TEHRAN", 1_240_000, 0, 0), Share("TEHRAN", 1_240_000, 1_234_500, 500)
    collect, direct = (paid_out(share, "sandbox") for share in shares)
    for made in (ENTRIES["suspense_matched"][0](), collect, direct):
        assert {of.account: of.debit_rial - of.credit_rial for of in made.postings} in tables


@pytest.mark.parametrize("whole", [False, True])
def test_fee_that_the_city_bore_comes_back_to_it_with_the_whole_alone(whole: bool) -> None:
    payment = a_payment(fee_rial=0, city_fee_rial=5_000, amount_rial=1_235_000)
    refund = a_refund(years=YEARS, rounding_rial=500, amount_rial=1_235_000) if whole else a_refund()
    made = refund_entry(payment, refund, whole=whole, journal_id="je_1", now=NOON)
    taken = {of.account: of.debit_rial for of in made.postings if of.debit_rial}
    if whole:
        assert taken["municipality_payable:TEHRAN"] == 1_229_500
        assert (taken["office_fee:OFFICE-1"], taken["platform_fee"]) == (4_000, 1_000)
    else:
        assert taken == {"municipality_payable:TEHRAN": 234_500}


def test_refund_of_money_in_suspense_leaves_suspense_and_nothing_else() -> None:
    refund = a_refund(of_suspense=True, years=(), amount_rial=1_240_001)
    made = refund_entry(a_payment(), refund, whole=True, journal_id="je_1", now=NOON)
    assert made.postings == (Posting("suspense", 1_240_001, 0), Posting("refunds_payable", 0, 1_240_001))


@pytest.mark.parametrize(("missing_rial", "variance"), [(5_000, (5_000, 0)), (-1, (0, 1))])
def test_variance_is_a_debit_of_what_the_terminal_lacks(missing_rial: int, variance: tuple[int, int]) -> None:
    made = variance_entry(SALE, missing_rial, journal_id="je_1", now=NOON, cause="c")
    ours, clearing = made.postings
    assert ours == Posting("terminal_variance:T-1", *variance)
    assert clearing == Posting("pos_clearing:saman", *reversed(variance))


@pytest.mark.parametrize(
    ("credit_rial", "postings"),
    [(0, []), (1, [Posting("a", 0, 1)]), (-1, [Posting("a", 1, 0)]), (900, [Posting("a", 0, 900)])],
)
def test_signed_amount_is_one_posting_on_its_side_or_none(credit_rial: int, postings: list[Posting]) -> None:
    assert signed("a", credit_rial) == postings


@pytest.mark.parametrize(("fee_rial", "office_rial"), list(product((0, 1, 2), (0, 1))))
def test_smallest_fees_stand_with_office_and_platform(fee_rial: int, office_rial: int) -> None:
    if office_rial > fee_rial:
        return
    years = (YearAmount(1404, 10),)
    payment = a_payment(
        years=years, rounding_rial=0, fee_rial=fee_rial, office_fee_rial=office_rial, amount_rial=10 + fee_rial
    )
    made = settled_entry(payment, journal_id="je_1", now=NOON)
    stand = {of.account: of.credit_rial for of in made.postings}
    assert stand.get("office_fee:OFFICE-1", 0) == office_rial
    assert stand.get("platform_fee", 0) == fee_rial - office_rial
    refund = a_refund(years=years, fee_rial=fee_rial, amount_rial=10 + fee_rial)
    back = refund_entry(payment, refund, whole=True, journal_id="je_1", now=NOON)
    gone = {of.account: of.debit_rial for of in back.postings}
    assert gone.get("office_fee:OFFICE-1", 0) == office_rial
    assert gone.get("platform_fee", 0) == fee_rial - office_rial


@pytest.mark.parametrize(
    ("postings", "told"),
    [
        ([], "py_7"),
        ([debit("a", 5), credit("b", 4)], "py_7"),
        ([debit("till", 0), credit("b", 0)], "till"),
        ([debit("till", -1), credit("b", -1)], "till"),
        ([debit("a", 1), Posting("till", 1, 1)], "till"),
    ],
)
def test_what_does_not_balance_is_refused_by_name(postings: list[Posting], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        check_balanced(postings, "py_7")


def test_single_rial_balances_and_what_does_not_names_its_payment() -> None:
    check_balanced([debit("a", 1), credit("b", 1)], "py_7")
    with pytest.raises(ValueError, match="py_1"):
        entry(a_payment(), "test", [debit("a", 1)], (), journal_id="je_1", now=NOON)


# --- what a day's payments hold -------------------------------------------------------------------------


def test_share_of_a_payment_is_all_that_came_and_of_it_the_citys_own() -> None:
    assert share_of(a_payment()) == Share("TEHRAN", 1_240_000, 1_234_500, 500)
    city_bears = a_payment(fee_rial=0, city_fee_rial=5_000, amount_rial=1_235_000)
    assert share_of(city_bears) == Share("TEHRAN", 1_235_000, 1_229_500, 500)


def test_money_in_suspense_is_nobodys_own() -> None:
    assert share_of(a_payment(confirmed_rial=1_240_001)) == Share("TEHRAN", 1_240_001, 0, 0)


def test_shares_of_a_city_add_up_member_by_member() -> None:
    assert Share("TEHRAN", 100, 70, 7).plus(Share("TEHRAN", 2_000, 500, 50)) == Share("TEHRAN", 2_100, 570, 57)


@pytest.mark.parametrize(
    ("account", "operator"),
    [
        ("gateway_clearing:sandbox", "sandbox"),
        ("bill_clearing:melli", "bill:melli"),
        ("pos_clearing:saman:2", "pos:saman:2"),
        ("gateway_settlement:sandbox", ""),
        ("suspense", ""),
        ("clearing", ""),
    ],
)
def test_clearing_account_names_its_operator_and_no_other_does(account: str, operator: str) -> None:
    assert operator_of_account(account) == operator


def test_nothing_is_no_entry_of_a_day_either() -> None:
    with pytest.raises(ValueError, match="bill:melli-2026-11-22"):
        paid_out(Share("TEHRAN", 0, 0, 0))


def test_entry_without_gateway_reference_and_cause_says_nothing_of_them() -> None:
    made = booked(
        journal_id="je_1",
        payment_id="ve_1",
        municipality="SHIRAZ",
        kind="duty_written_off",
        postings=[debit("municipality_written_off:SHIRAZ", 7), credit("duty_waived:SHIRAZ", 7)],
        now=LATE,
    )
    assert (made.gateway, made.reference, made.cause, made.years) == ("", "", "", ())
    assert made.day == "2026-11-24"  # midnight in Tehran
    assert made.content_hash == content_hash(members_of(made))
