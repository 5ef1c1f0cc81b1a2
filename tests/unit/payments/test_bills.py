"""Bills: ids by the country's rules, open at a time one, paid at any bank, late, twice, or by nobody known."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avarez.errors import AmountNotBillable, BillOpen, ChannelUnavailable, DutyPaid
from avarez.journal import YearAmount
from functions.pay.payments import billing
from functions.pay.payments.billing import Taken, take_line
from functions.pay.payments.cancellation import cancel
from functions.pay.payments.opening import Asked
from functions.pay.rules import bills
from functions.pay.rules.bills import BadLine, BillTerms, Layout, PaidLine
from functions.pay.rules.records import Payment
from functions.pay.rules.states import Status
from tests.unit.payments.payments_fake import CLERK, World, quote, world
from tests.unit.payments.payments_steps import callback, now_of, open_one, sweep

TODAY = date(2026, 11, 23)


# --- ids ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bill", "code", "amount_rial"),
    [
        ("1117753200140", "12070160", 120_000),
        ("7748317800142", "1770160", 17_000),
        ("2050327604613", "1070189", 10_000),
    ],
)
def test_published_pairs_are_valid(bill: str, code: str, amount_rial: int) -> None:
    assert bills.is_pair(bill, code)
    assert bills.amount_of(code) == amount_rial


def test_pair_whose_second_check_is_wrong_is_refused_though_its_bill_id_is_right() -> None:
    assert bills.is_bill_id("9174639504124")
    assert not bills.is_pair("9174639504124", "12908197")


def test_ids_are_made_by_the_same_rules() -> None:
    made = bills.bill_id(12_345_678, 123)
    assert made == "1234567812361"
    assert bills.payment_code(2_450_000, 5, 1, made) == "245050140"
    assert bills.barcode(made, "245050140") == "1234567812361" + "0000245050140"


@given(
    file_code=st.integers(1, bills.FILE_CODES - 1),
    company=st.integers(1, 999),
    thousands=st.integers(1, 10**8 - 1),
    year=st.integers(0, 9),
    period=st.integers(0, 99),
    place=st.integers(0, 12),
    other=st.integers(1, 9),
)
def test_what_is_made_is_valid_and_most_slips_of_a_digit_are_caught(
    file_code: int, company: int, thousands: int, year: int, period: int, place: int, other: int
) -> None:
    bill = bills.bill_id(file_code, company)
    code = bills.payment_code(thousands * 1_000, year, period, bill)
    assert bills.is_pair(bill, code)
    assert bills.amount_of(code) == thousands * 1_000
    assert len(bills.barcode(bill, code)) == 26
    position = place % len(bill)
    slipped = bill[:position] + str((int(bill[position]) + other) % 10) + bill[position + 1 :]
    if bills.is_bill_id(slipped):  # remainders 0 and 1 share a digit, so the first check alone may miss it
        assert bills.check_digit(slipped + code[:-1]) in (int(code[-1]), 0) or not bills.is_pair(slipped, code)


@pytest.mark.parametrize("amount_rial", [0, -1_000, 2_400_001, 100_000_000_000])
def test_amount_that_no_bill_can_carry_is_refused(amount_rial: int) -> None:
    with pytest.raises(ValueError):
        bills.payment_code(amount_rial, 5, 1, "1234567812361")


# --- the bank's file ------------------------------------------------------------------------------------


def line_text(layout: Layout, bill: str, code: str, day: str = "14050902", tracking: str = "123456") -> str:
    dated = day if layout is Layout.NEWER else day[2:]
    return f"001234{'02'}{dated}{bill.zfill(13)}{code.zfill(13)}{tracking}"


@pytest.mark.parametrize("layout", list(Layout))
def test_both_layouts_are_told_apart_and_read(layout: Layout) -> None:
    text = "HEADER\r\n" + line_text(layout, "1117753200140", "12070160") + "\r\n\r\n"
    assert bills.layout_of(text, TODAY) is layout
    (line,) = bills.lines_of(text, layout, TODAY)
    assert isinstance(line, PaidLine)
    assert (line.number, line.channel, line.tracking) == (2, "02", "123456")
    assert (line.bill_id, line.payment_code) == ("1117753200140", "12070160")
    assert line.paid_on == date(2026, 11, 23)


def test_two_digits_of_a_year_mean_the_last_such_day_that_has_been() -> None:
    text = "H\n" + line_text(Layout.OLDER, "1117753200140", "12070160", day="13991230")
    (line,) = bills.lines_of(text, Layout.OLDER, TODAY)
    assert isinstance(line, PaidLine)
    assert line.paid_on == date(2021, 3, 20)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x" * 48, "line_malformed"),
        ("1" * 20, "line_malformed"),
        (line_text(Layout.NEWER, "1117753200140", "12070160", day="14051301"), "date_invalid"),
        (line_text(Layout.NEWER, "1117753200140", "12070160", day="14051201"), "date_invalid"),  # to come
        (line_text(Layout.NEWER, "1117753200140", "12070161"), "check_digit"),
        (line_text(Layout.NEWER, "۱", "12070161"), "line_malformed"),
    ],
)
def test_line_that_cannot_be_read_is_named_and_costs_no_other(text: str, code: str) -> None:
    good = line_text(Layout.NEWER, "1117753200140", "12070160")
    bad, fine = bills.lines_of(f"H\n{text}\n{good}\n", Layout.NEWER, TODAY)
    assert isinstance(bad, BadLine)
    assert (bad.number, bad.code) == (2, code)
    assert isinstance(fine, PaidLine)


def test_text_that_is_no_such_file_has_no_layout() -> None:
    assert bills.layout_of("plate,amount\n1,2\n", TODAY) is None
    assert bills.layout_of("", TODAY) is None


# --- a bill's way ---------------------------------------------------------------------------------------


def bill_world() -> World:
    w = world()
    w.store.terms["TEHRAN"] = BillTerms(123, 10)
    w.costs[:] = [YearAmount(1403, 1_050_000), YearAmount(1404, 240_000)]
    return w


def open_bill(
    w: World, key: str = "b1", number: int = 500, *, supersede: bool = False, **changes: object
) -> Payment:
    made = quote(w.clock, number, **changes)
    w.store.quotes[made.assessment_id] = made
    asked = Asked((made.assessment_id,), "bill", "", "", supersede)
    opened = billing.create(w.desk, principal=CLERK, key=key, asked=asked)
    payment = w.store.payment(opened.payment_id)
    assert payment is not None
    return payment


def paid_line(w: World, payment: Payment, *, days: int = 0, tracking: str = "111111") -> PaidLine:
    day = w.clock.now().date() + timedelta(days=days)
    return PaidLine(2, "02", day, payment.bill_id, payment.payment_code, tracking)


def test_bill_is_open_at_once_and_takes_no_lease() -> None:
    w = bill_world()
    bill = open_bill(w)
    assert bill.status is Status.PENDING
    assert bills.is_pair(bill.bill_id, bill.payment_code)
    assert bill.answer is not None
    assert bill.answer["barcode"] == bills.barcode(bill.bill_id, bill.payment_code)
    assert w.store.duties == {}
    assert open_bill(w).payment_id == bill.payment_id  # the same key


def test_paid_bill_settles_with_its_own_clearing_account() -> None:
    w = bill_world()
    bill = open_bill(w)
    assert take_line(w.desk, paid_line(w, bill), bank="melli") is Taken.APPLIED
    after = now_of(w, bill)
    assert (after.status, after.tracking) == (Status.SETTLED, "111111")
    assert w.store.journal[0].postings[0].account == "bill_clearing:melli"
    assert len(w.store.certificates) == 1
    assert w.store.open_bills == {}


def test_same_line_again_changes_nothing() -> None:
    w = bill_world()
    line = paid_line(w, open_bill(w))
    take_line(w.desk, line, bank="melli")
    assert [take_line(w.desk, line, bank="melli") for _ in range(3)] == [Taken.ALREADY] * 3
    assert len(w.store.journal) == 1


def test_bill_paid_twice_sends_the_second_money_back() -> None:
    w = bill_world()
    bill = open_bill(w)
    take_line(w.desk, paid_line(w, bill), bank="melli")
    assert take_line(w.desk, paid_line(w, bill, tracking="222222"), bank="melli") is Taken.SUSPENSE_PAID
    (refund,) = w.store.refunds.values()
    assert (refund.requested_by, refund.amount_rial) == ("system", bill.amount_rial)
    sweep(w)
    assert w.store.refunds[refund.refund_id].status.value == "payable"
    assert now_of(w, bill).status is Status.SETTLED


def test_other_channels_wait_for_an_open_bill_or_supersede_it() -> None:
    w = bill_world()
    bill = open_bill(w)
    with pytest.raises(BillOpen) as refusal:
        open_one(w, number=7)
    assert refusal.value.extra["payment_id"] == bill.payment_id
    with pytest.raises(BillOpen):
        open_bill(w, key="b2", number=501)
    second = open_bill(w, key="b3", number=502, supersede=True)
    assert now_of(w, bill).status is Status.CANCELLED
    assert second.bill_id != bill.bill_id
    # Its paper is still in somebody's pocket, and the bank takes it all the same.
    assert take_line(w.desk, paid_line(w, bill), bank="melli") is Taken.APPLIED
    assert take_line(w.desk, paid_line(w, second, tracking="3"), bank="melli") is Taken.SUSPENSE_PAID


def test_bill_of_a_duty_that_was_paid_meanwhile_goes_back() -> None:
    w = bill_world()
    bill = open_bill(w)
    cancel(w.desk, bill, CLERK)
    payment = open_one(w, number=7)
    line = paid_line(w, bill)
    assert take_line(w.desk, line, bank="melli") is Taken.WAITS  # somebody is paying at this moment
    w.gateway.pay(payment.token)
    callback(w, payment)
    assert take_line(w.desk, line, bank="melli") is Taken.SUSPENSE_PAID
    with pytest.raises(DutyPaid):
        open_bill(w, key="b9", number=509)


def test_bill_paid_after_its_date_pays_the_oldest_years_and_gives_the_rest_back() -> None:
    w = bill_world()
    bill = open_bill(w)
    w.clock.advance(timedelta(days=12))
    sweep(w)
    assert now_of(w, bill).status is Status.EXPIRED
    assert take_line(w.desk, paid_line(w, bill), bank="melli") is Taken.APPLIED_IN_PART
    after = now_of(w, bill)
    assert after.years == (YearAmount(1403, 1_050_000),)
    assert (after.amount_rial, after.status) == (1_050_000, Status.SETTLED)
    assert list(w.store.duties) == [("ve_1", 1403)]
    (refund,) = w.store.refunds.values()
    assert refund.amount_rial == bill.amount_rial - 1_050_000
    taken = sum(p.debit_rial for entry in w.store.journal for p in entry.postings)
    assert taken == bill.amount_rial
    assert take_line(w.desk, paid_line(w, bill), bank="melli") is Taken.ALREADY


def test_late_money_that_pays_no_whole_year_goes_back() -> None:
    w = bill_world()
    bill = open_bill(w)
    w.costs[:] = [YearAmount(1403, 9_000_000)]
    w.clock.advance(timedelta(days=40))
    assert take_line(w.desk, paid_line(w, bill), bank="melli") is Taken.SUSPENSE_LATE
    assert w.store.duties == {}


def test_bill_paid_on_its_last_day_is_honoured_whenever_the_file_comes() -> None:
    w = bill_world()
    bill = open_bill(w)
    last = paid_line(w, bill, days=10)
    w.clock.advance(timedelta(days=13))
    sweep(w)
    assert take_line(w.desk, last, bank="melli") is Taken.APPLIED
    assert now_of(w, bill).amount_rial == bill.amount_rial


def test_line_that_matches_nothing_stands_in_suspense_and_waits_for_people() -> None:
    w = bill_world()
    line = PaidLine(2, "02", TODAY, "1117753200140", "12070160", "9")
    assert take_line(w.desk, line, bank="melli") is Taken.SUSPENSE_UNMATCHED
    assert take_line(w.desk, line, bank="melli") is Taken.ALREADY
    (found,) = w.store.payments.values()
    assert (found.status, found.amount_rial, found.municipality) == (Status.SUSPENSE, 120_000, "NATIONAL")
    assert w.store.refunds == {}


def test_amounts_and_cities_that_take_no_bills_are_refused() -> None:
    w = bill_world()
    with pytest.raises(AmountNotBillable):
        open_bill(w, years=(YearAmount(1403, 1_000_500),), rounding_rial=0, owed_rial=1_000_500)
    with pytest.raises(ChannelUnavailable):
        open_bill(w, key="b2", number=501, municipality="SHIRAZ")
    assert w.store.payments == {}


# --- a bill in one city, another payer of the same duty in another ----------------------------------------


def in_shiraz(w: World, key: str = "g") -> Payment:
    """The same car's same years, looked up in another city under another plate."""
    return open_one(w, key=key, number=900, municipality="SHIRAZ", plate="99B999-99")


def refunds_of(w: World) -> list[tuple[str, int]]:
    return [(refund.status.value, refund.amount_rial) for refund in w.store.refunds.values()]


def test_gateway_in_another_city_wins_and_the_bills_money_goes_back_by_itself() -> None:
    w = bill_world()
    bill = open_bill(w)
    payment = in_shiraz(w)  # a bill is announced in its own city only: the duty's item decides, not the bill
    w.gateway.pay(payment.token)
    callback(w, payment)
    assert now_of(w, payment).status is Status.SETTLED
    assert take_line(w.desk, paid_line(w, bill), bank="melli") is Taken.SUSPENSE_PAID
    sweep(w)
    assert refunds_of(w) == [("payable", 1_235_000)]
    assert list(w.store.certificates.values()) == [payment.payment_id]
    settled = [of.payment_id for of in w.store.payments.values() if of.status is Status.SETTLED]
    assert settled == [payment.payment_id]


def test_bill_of_another_city_wins_and_the_gateway_keeps_nothing() -> None:
    w = bill_world()
    bill = open_bill(w)
    payment = in_shiraz(w)
    w.gateway.pay(payment.token)  # and his callback is late
    assert take_line(w.desk, paid_line(w, bill), bank="melli") is Taken.WAITS  # his lease holds
    w.clock.instant = payment.expires_at + timedelta(seconds=1)
    assert take_line(w.desk, paid_line(w, bill), bank="melli") is Taken.APPLIED
    callback(w, payment)
    assert now_of(w, payment).status is Status.EXPIRED
    assert w.gateway.slips[payment.token].state == "paid", "never verified, so it goes back by itself"
    assert w.store.refunds == {}
    assert list(w.store.certificates.values()) == [bill.payment_id]


def test_bills_of_two_cities_for_one_duty_are_one_winner_and_one_refund() -> None:
    w = bill_world()
    w.store.terms["SHIRAZ"] = BillTerms(124, 10)
    first = open_bill(w)
    second = open_bill(w, "b2", 901, municipality="SHIRAZ", plate="99B999-99")
    assert take_line(w.desk, paid_line(w, second), bank="melli") is Taken.APPLIED
    assert take_line(w.desk, paid_line(w, first, tracking="222222"), bank="melli") is Taken.SUSPENSE_PAID
    sweep(w)
    assert refunds_of(w) == [("payable", 1_235_000)]
    assert list(w.store.certificates.values()) == [second.payment_id]
