"""What a bill writes down: its row, its answer, its day; the bank's money that pays it, part of it, or nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from avarez.errors import BillOpen, IdempotencyMismatch, ServiceBusy, TransactionRefused
from avarez.ids import drawn_from, is_id
from avarez.journal import YearAmount
from functions.pay.payments import billing, opening
from functions.pay.payments.billing import Taken, take_line
from functions.pay.payments.cancellation import cancel
from functions.pay.rules import bills
from functions.pay.rules.bills import PaidLine
from functions.pay.rules.fees import Bearer, Fee
from functions.pay.rules.records import Payment
from functions.pay.rules.states import Status
from tests.unit.payments.payments_books import check_books, history
from tests.unit.payments.payments_fake import CLERK, NOON, World, a_payment, quote
from tests.unit.payments.payments_steps import callback, now_of, open_one
from tests.unit.payments.test_bills import bill_world, open_bill, paid_line

LAST_INSTANT = datetime(2026, 12, 3, 20, 29, 59, 999_000, tzinfo=UTC)
"""Ten days after the 23rd, a millisecond before midnight in Tehran."""
OWED_RIAL = 1_235_000
STEP = timedelta(seconds=1)


def asked(w: World, number: int = 500, *, supersede: bool = False, **changes: Any) -> opening.Asked:
    made = quote(w.clock, number, **changes)
    w.store.quotes[made.assessment_id] = made
    return opening.Asked((made.assessment_id,), "bill", "", "", supersede)


def opened(w: World, wish: opening.Asked, key: str = "b1", who: Any = CLERK) -> opening.Opened:
    return billing.create(w.desk, principal=who, key=key, asked=wish)


# --- opening --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("office", "of_office"), [("of1", 4_000), (None, 0)])
def test_bill_is_written_down_as_it_stands_on_its_paper(office: str | None, of_office: int) -> None:
    w = bill_world()
    w.store.fees["TEHRAN"] = Fee(5_000, office_ppm=800_000)
    answer = opened(w, asked(w), who=replace(CLERK, office=office))
    bill = w.store.payments[answer.payment_id]
    made = w.store.quotes[bill.assessment_id]
    assert bill == Payment(
        payment_id=bill.payment_id,
        assessment_id=made.assessment_id,
        municipality="TEHRAN",
        plate=made.plate,
        vehicle_id="ve_1",
        years=made.years,
        rounding_rial=500,
        fee_rial=5_000,
        office_fee_rial=of_office,
        amount_rial=1_240_000,
        status=Status.PENDING,
        channel="bill",
        gateway="",
        created_by="clerk",
        created_at=NOON,
        expires_at=LAST_INSTANT,
        verify_until_at=LAST_INSTANT,
        trace_hash=made.trace_hash,
        tariff_version=made.tariff_version,
        office=office or "",
        open_due_at=LAST_INSTANT,
        bill_id=bill.bill_id,
        payment_code=bill.payment_code,
        answer=answer.answer,
    )
    assert bills.is_pair(bill.bill_id, bill.payment_code)
    assert bill.bill_id[-5:-1] == "1236"  # the company's code and the municipalities' service
    assert bill.payment_code[:-5] == "1240"
    assert bill.payment_code[-5] == "5"  # of 1405
    assert answer.answer == {
        "payment_id": bill.payment_id,
        "status": "pending",
        "assessment_id": made.assessment_id,
        "channel": "bill",
        "amount_rial": "1240000",
        "fee_rial": "5000",
        "expires_at": "2026-12-03T20:29:59.999Z",
        "bill_id": bill.bill_id,
        "payment_code": bill.payment_code,
        "barcode": bills.barcode(bill.bill_id, bill.payment_code),
    }
    assert answer.replayed is False
    assert history(w, bill) == [("created", "person", None, "pending", {"bill_id": bill.bill_id})]
    assert w.reports == ["payment_created"]
    check_books(w)


@pytest.mark.parametrize(
    ("drawn", "file_code", "period"),
    [(0, 1, 0), (bills.FILE_CODES - 2, bills.FILE_CODES - 1, 98), (bills.FILE_CODES - 1, 1, 99)],
)
def test_lots_reach_every_file_code_but_none_and_every_period(drawn: int, file_code: int, period: int) -> None:
    w = bill_world()
    with drawn_from(lambda bits: drawn):
        bill = w.store.payments[opened(w, asked(w)).payment_id]
    assert bill.bill_id[:-5] == str(file_code)
    assert bill.payment_code[-4:-2] == f"{period:02d}"


def test_same_key_gives_the_same_bill_and_says_so() -> None:
    w = bill_world()
    first, again = opened(w, asked(w)), opened(w, asked(w))
    assert (again.answer, again.replayed) == (first.answer, True)
    with pytest.raises(IdempotencyMismatch):
        opened(w, asked(w, 501))
    assert opened(w, asked(w, 502, vehicle_id="ve_2"), who=replace(CLERK, username="other")).replayed is False


def test_same_key_gives_the_same_bill_when_its_quote_is_long_over() -> None:
    w = bill_world()
    wish = asked(w)
    first = opened(w, wish)
    w.clock.advance(timedelta(days=3))
    assert opened(w, wish) == replace(first, replayed=True)


def blind_once(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next look for the key finds nothing: a twin of the call is writing at this moment."""
    real, looks = w.store.replay, iter([True])
    monkeypatch.setattr(w.store, "replay", lambda *of: None if next(looks, False) else real(*of))


def test_two_calls_of_one_key_at_once_make_one_bill(monkeypatch: pytest.MonkeyPatch) -> None:
    w = bill_world()
    first = opened(w, asked(w))
    blind_once(w, monkeypatch)
    assert opened(w, asked(w)) == replace(first, replayed=True)
    blind_once(w, monkeypatch)
    with pytest.raises(IdempotencyMismatch):
        opened(w, asked(w, 501))


@pytest.mark.parametrize(("taken", "made"), [(1, True), (4, True), (5, False)])
def test_pair_that_is_taken_is_drawn_anew_at_most_five_times(
    taken: int, made: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    w = bill_world()
    real, refusals = w.store.create, iter(range(taken))

    def create(*of: Any) -> None:
        if next(refusals, None) is not None:
            raise TransactionRefused(["ConditionalCheckFailed"])
        real(*of)

    monkeypatch.setattr(w.store, "create", create)
    if made:
        assert opened(w, asked(w)).replayed is False
        return
    with pytest.raises(ServiceBusy) as refusal:
        opened(w, asked(w))
    assert refusal.value.retry_after_s == 1


def test_bill_that_gives_way_says_by_whom() -> None:
    w = bill_world()
    old = open_bill(w)
    with pytest.raises(BillOpen):
        opened(w, asked(w, 501), key="b2")
    opened(w, asked(w, 501, supersede=True), key="b2")
    assert history(w, old)[-1] == ("bill_superseded", "person", "pending", "cancelled", {})
    check_books(w)


# --- money for a bill -----------------------------------------------------------------------------------


def test_paid_bill_says_by_which_line_of_which_bank() -> None:
    w = bill_world()
    bill = open_bill(w)
    w.clock.advance(STEP)
    line = paid_line(w, bill)
    assert take_line(w.desk, line, bank="melli") is Taken.APPLIED
    after = now_of(w, bill)
    assert (after.gateway, after.reference, after.tracking) == ("melli", line.key, "111111")
    assert (after.settled_at, after.open_due_at) == (NOON + STEP, None)
    assert history(w, bill)[-1] == ("bill_paid", "bank file", "pending", "settled", {"reference": line.key})
    assert w.reports == ["payment_created", "payment_settled"]
    assert w.store.refunds == {}
    check_books(w)


LATE = timedelta(days=12)


@pytest.mark.parametrize(
    ("costs", "applied_years", "left_rial"),
    [
        ({1403: 1_050_000, 1404: 240_000}, [1403], 185_000),
        ({1403: 1_000_000, 1404: 235_000}, [1403, 1404], 0),  # to the rial
        ({1403: 1_000_000, 1404: 234_999}, [1403, 1404], 1),
        ({1403: 1_000_000, 1404: 235_001}, [1403], 235_000),
        ({1403: 1_235_000}, [1403], 0),
        ({1403: 1_235_001, 1404: 1}, [], OWED_RIAL),  # the oldest first, or none
        ({1404: 1}, [], OWED_RIAL),  # a year that has no cost any more stops what follows it
        ({1403: 1}, [1403], OWED_RIAL - 1),
    ],
)
@pytest.mark.parametrize("fee", [Fee(), Fee(5_000), Fee(5_000, Bearer.CITY)])
def test_late_money_pays_whole_years_oldest_first_and_the_rest_stands_in_suspense(
    costs: dict[int, int], applied_years: list[int], left_rial: int, fee: Fee
) -> None:
    w = bill_world()
    w.store.fees["TEHRAN"] = fee
    w.costs[:] = [YearAmount(year, cost) for year, cost in reversed(costs.items())]
    bill = open_bill(w)
    payer_fee = fee.amount_rial if fee.borne_by is Bearer.PAYER else 0
    assert bill.amount_rial == OWED_RIAL + payer_fee
    line = paid_line(w, bill, days=12)
    w.clock.advance(LATE)
    outcome = take_line(w.desk, line, bank="melli")
    after = now_of(w, bill)
    found = [of for of in w.store.payments.values() if of.payment_id != bill.payment_id]
    if applied_years:
        assert outcome is Taken.APPLIED_IN_PART
        assert after.years == tuple(YearAmount(year, costs[year]) for year in applied_years)
        assert (after.rounding_rial, after.fee_rial, after.status) == (0, payer_fee, Status.SETTLED)
        assert after.amount_rial == bill.amount_rial - left_rial
        assert [of.amount_rial for of in found] == ([left_rial] if left_rial else [])
    else:
        assert (outcome, after.status) == (Taken.SUSPENSE_LATE, Status.PENDING)
        assert [of.amount_rial for of in found] == [bill.amount_rial]
    assert w.reports.count("suspense") == len(found)
    assert all((of.gateway, of.reference, of.tracking) == ("melli", line.key, "111111") for of in found)
    taken = sum(
        p.debit_rial for made in w.store.journal for p in made.postings if p.account == "bill_clearing:melli"
    )
    assert taken == bill.amount_rial
    check_books(w)


def test_years_are_priced_for_the_day_of_the_line() -> None:
    w = bill_world()
    days: list[tuple[str, date]] = []

    def requote(payment: Payment, day: date) -> list[YearAmount]:
        days.append((payment.payment_id, day))
        return w.costs

    w.desk = replace(w.desk, requote=requote)
    bill = open_bill(w)
    line = paid_line(w, bill, days=11)
    w.clock.advance(timedelta(days=14))
    take_line(w.desk, line, bank="melli")
    assert days == [(bill.payment_id, date(2026, 12, 4))]


def test_found_money_is_its_own_payment_without_duty_bill_or_certificate() -> None:
    of = a_payment(
        city_fee_rial=3,
        status=Status.SETTLED,
        version=6,
        open_due_at=NOON,
        settled_at=NOON,
        certificate_id="ce_1",
        refunded=(YearAmount(1404, 1),),
        refunded_rial=1,
        answer={"payment_id": "py_1"},
        bill_id="1117753200140",
        payment_code="12070160",
        tracking="9",
    )
    found = billing.found_money(of, 777, NOON + STEP)
    assert is_id("py", found.payment_id)
    assert found == a_payment(
        payment_id=found.payment_id,
        years=(),
        rounding_rial=0,
        fee_rial=0,
        office_fee_rial=0,
        amount_rial=777,
        confirmed_rial=777,
        status=Status.SUSPENSE,
        created_at=NOON + STEP,
        tracking="9",
    )


def test_second_money_stands_in_suspense_with_entry_refund_and_history() -> None:
    w = bill_world()
    bill = open_bill(w)
    take_line(w.desk, paid_line(w, bill), bank="melli")
    w.clock.advance(STEP)
    line = paid_line(w, bill, tracking="222222")
    assert take_line(w.desk, line, bank="saman") is Taken.SUSPENSE_PAID
    found = next(of for of in w.store.payments.values() if of.status is Status.SUSPENSE)
    assert (found.gateway, found.reference, found.tracking) == ("saman", line.key, "222222")
    assert history(w, found) == [("created", "bank file", None, "suspense", {"reference": line.key})]
    entry = w.store.journal[-1]
    assert (entry.kind, entry.payment_id, entry.gateway) == ("payment_suspense", found.payment_id, "saman")
    assert [(p.account, p.debit_rial - p.credit_rial) for p in entry.postings] == [
        ("bill_clearing:saman", bill.amount_rial),
        ("suspense", -bill.amount_rial),
    ]
    (refund,) = w.store.refunds.values()
    assert (refund.payment_id, refund.amount_rial) == (found.payment_id, bill.amount_rial)
    check_books(w)


def test_money_for_a_duty_that_another_channel_paid_stands_with_the_bank_that_took_it() -> None:
    w = bill_world()
    bill = open_bill(w)
    cancel(w.desk, bill, CLERK)
    payment = open_one(w, number=7)
    w.gateway.pay(payment.token)
    callback(w, payment)
    line = paid_line(w, bill)
    assert take_line(w.desk, line, bank="melli") is Taken.SUSPENSE_PAID
    (found,) = [of for of in w.store.payments.values() if of.status is Status.SUSPENSE]
    assert (found.gateway, found.reference) == ("melli", line.key)
    check_books(w)


def test_money_that_no_bill_explains_stands_under_the_nations_book_and_waits_for_people() -> None:
    w = bill_world()
    w.clock.advance(STEP)
    line = PaidLine(2, "02", date(2026, 11, 23), "1117753200140", "12070160", "9")
    assert take_line(w.desk, line, bank="melli") is Taken.SUSPENSE_UNMATCHED
    (found,) = w.store.payments.values()
    assert found == Payment(
        payment_id=found.payment_id,
        assessment_id="",
        municipality="NATIONAL",
        plate="",
        vehicle_id="",
        years=(),
        rounding_rial=0,
        fee_rial=0,
        amount_rial=120_000,
        status=Status.SUSPENSE,
        channel="bill",
        gateway="melli",
        created_by="bank file",
        created_at=NOON + STEP,
        expires_at=NOON + STEP,
        verify_until_at=NOON + STEP,
        trace_hash="",
        tariff_version="",
        reference=line.key,
        tracking="9",
        confirmed_rial=120_000,
    )
    assert w.store.refunds == {}
    assert w.reports == ["suspense"]
    check_books(w)


# --- several at once ------------------------------------------------------------------------------------


def test_bill_that_somebody_moved_meanwhile_is_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    w = bill_world()
    bill = open_bill(w)
    real, due = w.store.settle_bill, iter([True])

    def settle_bill(*of: Any) -> None:
        if next(due, False):
            stands = replace(now_of(w, bill), version=5, status=Status.EXPIRED)
            w.store.payments[bill.payment_id] = stands
        real(*of)

    monkeypatch.setattr(w.store, "settle_bill", settle_bill)
    assert take_line(w.desk, paid_line(w, bill), bank="melli") is Taken.APPLIED
    assert (now_of(w, bill).status, now_of(w, bill).version) == (Status.SETTLED, 6)


def test_line_whose_writes_are_refused_four_times_is_to_be_taken_again(monkeypatch: pytest.MonkeyPatch) -> None:
    w = bill_world()
    bill = open_bill(w)
    writes: list[object] = []

    def refuse(*of: object) -> None:
        writes.append(of)
        raise TransactionRefused(["TransactionConflict"])

    monkeypatch.setattr(w.store, "settle_bill", refuse)
    with pytest.raises(ServiceBusy) as refusal:
        take_line(w.desk, paid_line(w, bill), bank="melli")
    assert (refusal.value.retry_after_s, len(writes)) == (1, 4)
    assert now_of(w, bill).status is Status.PENDING
