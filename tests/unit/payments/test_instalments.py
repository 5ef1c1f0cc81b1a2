"""Instalments: divided to the rial, paid in order by every channel, never twice; late, given back, refused."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avarez.errors import (
    AgreementConflict,
    AgreementNotFound,
    BillOpen,
    DutyByInstalments,
    DutyLocked,
    InstalmentsNotOffered,
    InvalidInput,
    PaymentNotRefundable,
    SecondPersonRequired,
)
from avarez.jalali import format_jalali, parse_jalali
from avarez.journal import YearAmount
from functions.pay.payments import billing, instalments, refunding, terminals
from functions.pay.payments.billing import Taken, take_line
from functions.pay.payments.instalments import drawn_up
from functions.pay.payments.opening import Asked, create
from functions.pay.payments.terminals import Slip
from functions.pay.rules.bills import BillTerms, PaidLine
from functions.pay.rules.fees import Fee
from functions.pay.rules.instalments import Agreement, AgreementStatus, divided, months_after
from functions.pay.rules.records import OpenRow, Payment, Replay
from functions.pay.rules.refunds import Refund, RefundStatus
from functions.pay.rules.states import Status
from functions.pay.rules.terminals import Terminal
from tests.unit.payments.payments_fake import CLERK, OTHER_CLERK, Crash, World, quote, world
from tests.unit.payments.payments_steps import callback, now_of, open_one, sweep

TERMS = {"parts_max": 6, "every_months": 1, "grace_days": 10, "least_rial": "100000", "surcharge_ppm": 0}
TODAY = date(2026, 11, 23)


def request(w: World, parts: int = 4, **terms: Any) -> Agreement:
    made = quote(w.clock, instalments={**TERMS, **terms})
    w.store.quotes[made.assessment_id] = made
    return instalments.request(w.desk, principal=CLERK, assessment_id=made.assessment_id, parts=parts)


def agreed(w: World, parts: int = 4, **terms: Any) -> Agreement:
    return instalments.approve(w.desk, request(w, parts, **terms), by="officer")


def now(w: World, agreement: Agreement) -> Agreement:
    return w.store.agreements[agreement.agreement_id]


def ask(agreement: Agreement, channel: str = "gateway", **more: Any) -> Asked:
    return Asked((), channel, "", "", agreement_id=agreement.agreement_id, **more)


def by_gateway(w: World, agreement: Agreement, key: str) -> Payment:
    opened = create(w.desk, principal=CLERK, key=key, asked=ask(agreement))
    payment = w.store.payments[opened.payment_id]
    w.gateway.pay(payment.token)
    callback(w, payment)
    return now_of(w, payment)


def by_bill(w: World, agreement: Agreement, key: str) -> Payment:
    w.store.terms["TEHRAN"] = BillTerms(101, 10)
    opened = billing.create(w.desk, principal=CLERK, key=key, asked=ask(agreement, "bill"))
    payment = w.store.payments[opened.payment_id]
    take_line(w.desk, line_of(payment, key), bank="melli")
    return now_of(w, payment)


def line_of(payment: Payment, key: str, paid_on: date = TODAY) -> PaidLine:
    number = sum(key.encode())
    return PaidLine(2, "02", paid_on, payment.bill_id, payment.payment_code, f"{number:06d}")


def by_terminal(w: World, agreement: Agreement, key: str) -> Payment:
    w.store.machines["T-1"] = Terminal("T-1", "of1", "saman")
    opened = terminals.create(w.desk, principal=CLERK, key=key, asked=ask(agreement, "pos", terminal="T-1"))
    payment = w.store.payments[opened.payment_id]
    return terminals.approved(w.desk, payment, Slip(f"{sum(key.encode()):012d}", payment.amount_rial))


def balance(w: World, account: str) -> int:
    postings = [posting for entry in w.store.journal for posting in entry.postings if posting.account == account]
    return sum(posting.credit_rial - posting.debit_rial for posting in postings)


# --- the division ---------------------------------------------------------------------------------------


@given(
    years=st.lists(st.integers(1, 10**10), min_size=1, max_size=11),
    count=st.integers(2, 60),
    surcharge_ppm=st.sampled_from([0, 1, 10_000, 333_333]),
)
def test_parts_add_up_to_the_rial_and_each_pays_the_oldest_year_first(
    years: list[int], count: int, surcharge_ppm: int
) -> None:
    amounts = tuple(YearAmount(1395 + number, amount_rial) for number, amount_rial in enumerate(years))
    rounding_rial = -sum(years) % 1_000
    made = replace(
        quote(world().clock),
        years=amounts,
        rounding_rial=rounding_rial,
        owed_rial=sum(years) + rounding_rial,
        instalments={**TERMS, "parts_max": 60, "least_rial": "1000", "surcharge_ppm": surcharge_ppm},
    )
    with suppress(InvalidInput):
        agreement = drawn_up(made, count, agreement_id="ag_1", by="clerk", office="of1")
        assert len({part.amount_rial for part in agreement.parts[1:]}) == 1
        assert all(part.amount_rial % 1_000 == 0 for part in agreement.parts)
        assert agreement.parts[0].amount_rial >= agreement.parts[1].amount_rial
        paid: dict[int, int] = {}
        whole: list[YearAmount] = []
        rounding = 0
        for part in agreement.parts:
            shares, of_rounding = agreement.shares(part.number)
            assert sum(share.amount_rial for share in shares) + of_rounding == part.amount_rial
            assert all(share.amount_rial > 0 for share in shares)
            assert of_rounding >= 0
            for share in shares:
                assert not whole or share.year > whole[-1].year
                paid[share.year] = paid.get(share.year, 0) + share.amount_rial
            whole += agreement.completes(part.number)
            rounding += of_rounding
        assert paid == {part.year: part.amount_rial for part in agreement.years}
        assert tuple(whole) == agreement.years
        assert rounding == agreement.rounding_rial
        assert agreement.total_rial == made.owed_rial + agreement.surcharge_rial + (
            agreement.rounding_rial - made.rounding_rial
        )


def test_first_part_takes_what_is_left_over_and_months_are_jalali() -> None:
    parts = divided(1_235_000, 4, parse_jalali("1405-06-31"), 1)
    assert [part.amount_rial for part in parts] == [311_000, 308_000, 308_000, 308_000]
    assert [format_jalali(part.due_on) for part in parts] == [
        "1405-06-31",
        "1405-07-30",
        "1405-08-30",
        "1405-09-30",
    ]
    assert format_jalali(months_after(parse_jalali("1403-11-30"), 1)) == "1403-12-30"
    assert format_jalali(months_after(parse_jalali("1404-11-30"), 1)) == "1404-12-29"


# --- asked for and approved -----------------------------------------------------------------------------


def test_two_people_bring_it_into_force_and_nothing_else_pays_its_years() -> None:
    w = world()
    asked = request(w)
    assert asked.status is AgreementStatus.REQUESTED
    with pytest.raises(SecondPersonRequired):
        instalments.approve(w.desk, asked, by="clerk")
    with pytest.raises(AgreementConflict):
        create(w.desk, principal=CLERK, key="early", asked=ask(asked))
    agreement = instalments.approve(w.desk, asked, by="officer")
    assert agreement.status is AgreementStatus.IN_FORCE
    with pytest.raises(AgreementConflict):
        instalments.approve(w.desk, agreement, by="another")
    with pytest.raises(DutyByInstalments) as refused:
        open_one(w, number=2)
    assert refused.value.extra == {"agreement_id": agreement.agreement_id}
    with pytest.raises(DutyByInstalments):
        instalments.approve(w.desk, request(w), by="officer")


def test_city_that_does_not_offer_it_and_bounds_that_are_left_are_refused() -> None:
    w = world()
    made = quote(w.clock)
    w.store.quotes[made.assessment_id] = made
    with pytest.raises(InstalmentsNotOffered):
        instalments.request(w.desk, principal=CLERK, assessment_id=made.assessment_id, parts=2)
    for parts in (1, 7):
        with pytest.raises(InvalidInput) as refused:
            request(w, parts)
        assert refused.value.errors[0].code == "parts_out_of_range"
    with pytest.raises(InvalidInput) as refused:
        request(w, 6, least_rial="206000")
    assert refused.value.errors[0].code == "parts_too_small"
    with pytest.raises(AgreementNotFound):
        instalments.find(w.desk, principal=CLERK, agreement_id="ag_none")
    with pytest.raises(AgreementNotFound):
        instalments.find(w.desk, principal=OTHER_CLERK, agreement_id=request(w).agreement_id)


def test_duty_that_somebody_pays_or_bills_is_not_bound() -> None:
    w = world()
    asked = request(w)
    payment = open_one(w)
    with pytest.raises(DutyLocked):
        instalments.approve(w.desk, asked, by="officer")
    w.clock.advance(timedelta(hours=1))
    w.store.terms["TEHRAN"] = BillTerms(101, 10)
    by_quote = Asked((payment.assessment_id,), "bill", "", "")
    billing.create(w.desk, principal=CLERK, key="b", asked=by_quote)
    with pytest.raises(BillOpen):
        instalments.approve(w.desk, asked, by="officer")


def test_request_of_yesterday_is_not_approved() -> None:
    w = world()
    asked = request(w)
    w.clock.advance(timedelta(days=1))
    with pytest.raises(AgreementConflict):
        instalments.approve(w.desk, asked, by="officer")


# --- paid -----------------------------------------------------------------------------------------------


def test_parts_are_paid_in_order_by_every_channel_and_years_are_certified_as_they_become_whole() -> None:
    w = world()
    w.store.fees["TEHRAN"] = Fee(5_000)
    agreement = agreed(w)
    first = by_gateway(w, agreement, "g1")
    assert (first.status, first.instalment, first.amount_rial) == (Status.SETTLED, 1, 316_000)
    assert (first.years, first.certificate_id) == ((YearAmount(1403, 311_000),), "")
    second = by_bill(w, agreement, "b2")
    assert (second.status, second.instalment, second.fee_rial) == (Status.SETTLED, 2, 0)
    third = by_terminal(w, agreement, "t3")
    assert (third.status, third.instalment, third.certificate_id) == (Status.SETTLED, 3, "")
    assert w.store.certificates == {}
    last = by_gateway(w, agreement, "g4")
    assert last.completes == (YearAmount(1403, 1_000_000), YearAmount(1404, 234_500))
    assert w.store.certificates == {last.certificate_id: last.payment_id}
    assert now(w, agreement).status is AgreementStatus.COMPLETED
    paid = {claim: holder for claim, holder in w.store.duties.items() if claim[0] == "ve_1"}
    assert {holder["status"] for holder in paid.values()} == {"paid"}
    assert len(paid) == 2
    assert balance(w, "municipality_payable:TEHRAN") == 1_234_500
    assert balance(w, "municipality_rounding:TEHRAN") == 500
    assert balance(w, "office_fee:of1") == 5_000
    with pytest.raises(AgreementConflict):
        create(w.desk, principal=CLERK, key="more", asked=ask(agreement))
    w.clock.advance(timedelta(days=400))
    assert sweep(w).moved == 0


def test_a_year_is_certified_with_the_part_that_ends_it() -> None:
    w = world()
    made = quote(w.clock, instalments=TERMS)
    years = (YearAmount(1403, 500_000), YearAmount(1404, 734_500))
    w.store.quotes[made.assessment_id] = replace(made, years=years)
    asked = instalments.request(w.desk, principal=CLERK, assessment_id=made.assessment_id, parts=4)
    agreement = instalments.approve(w.desk, asked, by="officer")
    assert by_gateway(w, agreement, "g1").certificate_id == ""
    second = by_gateway(w, agreement, "g2")
    assert second.certified == (YearAmount(1403, 500_000),)
    assert second.years == (YearAmount(1403, 189_000), YearAmount(1404, 119_000))
    assert w.store.duties["ve_1", 1403]["status"] == "paid"
    assert w.store.duties["ve_1", 1404]["status"] == "by_instalments"


def test_two_payers_of_one_part_and_one_who_was_told_twice() -> None:
    w = world()
    agreement = agreed(w)
    opened = create(w.desk, principal=CLERK, key="one", asked=ask(agreement))
    with pytest.raises(DutyLocked):
        create(w.desk, principal=CLERK, key="two", asked=ask(agreement))
    assert create(w.desk, principal=CLERK, key="one", asked=ask(agreement)).replayed
    payment = w.store.payments[opened.payment_id]
    w.gateway.pay(payment.token)
    for _ in range(3):
        callback(w, payment)
    assert now(w, agreement).paid_parts == 1
    assert len([entry for entry in w.store.journal if entry.payment_id == payment.payment_id]) == 1


@pytest.mark.parametrize("survived", range(4))
def test_killed_at_any_write_the_part_is_counted_once(survived: int) -> None:
    w = world()
    agreement = agreed(w)
    payment = w.store.payments[create(w.desk, principal=CLERK, key="k", asked=ask(agreement)).payment_id]
    w.gateway.pay(payment.token)
    w.store.crash_after_writes = survived
    with suppress(Crash):
        callback(w, payment)
    w.store.crash_after_writes = None
    for _ in range(4):
        w.clock.advance(timedelta(minutes=1))
        sweep(w)
    assert now_of(w, payment).status is Status.SETTLED
    assert now(w, agreement).paid_parts == 1


# --- late -----------------------------------------------------------------------------------------------


def test_late_part_breaks_the_agreement_after_its_grace_and_the_years_are_free() -> None:
    w = world()
    agreement = agreed(w)
    by_gateway(w, agreement, "g1")
    w.clock.instant += timedelta(days=30 + 10 + 5)
    sweep(w)
    assert now(w, agreement).status is AgreementStatus.IN_FORCE
    w.clock.instant += timedelta(days=2)
    sweep(w)
    broken = now(w, agreement)
    assert (broken.status, broken.broken_on) == (AgreementStatus.BROKEN, agreement.parts[1].due_on)
    assert broken.credits == (YearAmount(1403, 311_000),)
    assert ("ve_1", 1403) not in w.store.duties
    with pytest.raises(AgreementConflict):
        create(w.desk, principal=CLERK, key="late", asked=ask(agreement))
    assert not [row for row in w.store.opened if row[1] == agreement.agreement_id]


def test_part_that_somebody_is_paying_does_not_break_the_agreement_under_him() -> None:
    w = world()
    agreement = agreed(w)
    w.clock.instant += timedelta(days=15, hours=11, minutes=57)
    opened = create(w.desk, principal=CLERK, key="k", asked=ask(agreement))
    payment = w.store.payments[opened.payment_id]
    w.gateway.pay(payment.token)
    w.gateway.silent = 1
    callback(w, payment)
    assert now_of(w, payment).status is Status.VERIFYING
    w.clock.instant += timedelta(minutes=4)  # past the midnight that would break it
    look = OpenRow(agreement.agreement_id, now(w, agreement).due_text)
    assert not instalments.look(w.desk, look)
    sweep(w)
    assert (now_of(w, payment).status, now(w, agreement).paid_parts) == (Status.SETTLED, 1)
    assert now(w, agreement).status is AgreementStatus.IN_FORCE


def test_bill_of_a_part_that_comes_after_the_break_goes_back() -> None:
    w = world()
    agreement = agreed(w)
    w.store.terms["TEHRAN"] = BillTerms(101, 10)
    opened = billing.create(w.desk, principal=CLERK, key="b", asked=ask(agreement, "bill"))
    bill = w.store.payments[opened.payment_id]
    w.clock.instant += timedelta(days=20)
    sweep(w)
    assert now(w, agreement).status is AgreementStatus.BROKEN
    taken = take_line(w.desk, line_of(bill, "b", w.clock.now().date()), bank="melli")
    assert taken is Taken.SUSPENSE_PAID
    found = next(of for of in w.store.payments.values() if of.status is Status.SUSPENSE)
    assert (found.agreement_id, found.instalment, found.completes) == ("", 0, ())
    assert found.confirmed_rial == bill.amount_rial
    assert len(w.store.refunds) == 1


def test_bill_of_another_city_for_a_bound_year_goes_back() -> None:
    w = world()
    w.store.terms["SHIRAZ"] = BillTerms(102, 10)
    made = quote(w.clock, 5, municipality="SHIRAZ", plate="99B999-99")
    w.store.quotes[made.assessment_id] = made
    by_quote = Asked((made.assessment_id,), "bill", "", "")
    opened = billing.create(w.desk, principal=CLERK, key="b", asked=by_quote)
    agreement = agreed(w)
    assert (
        take_line(w.desk, line_of(w.store.payments[opened.payment_id], "b"), bank="melli") is Taken.SUSPENSE_PAID
    )
    assert len(w.store.refunds) == 1
    assert now(w, agreement).status is AgreementStatus.IN_FORCE


# --- given back -----------------------------------------------------------------------------------------


def back(w: World, payment: Payment, key: str = "r") -> Refund:
    replay = Replay("clerk", "POST", key, "hash", "", 1_900_000_000)
    asked = refunding.request(w.desk, payment, years=[], reason="twice", requested_by="clerk", replay=replay)
    return refunding.approve(w.desk, asked, approved_by="officer")


def test_last_part_goes_back_whole_and_is_to_be_paid_again() -> None:
    w = world()
    agreement = agreed(w, 2)
    first, second = by_gateway(w, agreement, "g1"), by_gateway(w, agreement, "g2")
    assert now(w, agreement).status is AgreementStatus.COMPLETED
    with pytest.raises(PaymentNotRefundable):
        back(w, first)
    replay = Replay("clerk", "POST", "p", "hash", "", 1_900_000_000)
    year = [YearAmount(1404, 1)]
    with pytest.raises(PaymentNotRefundable):
        refunding.request(w.desk, second, years=year, reason="x", requested_by="clerk", replay=replay)
    assert back(w, second).status is RefundStatus.DONE
    assert (now(w, agreement).status, now(w, agreement).paid_parts) == (AgreementStatus.IN_FORCE, 1)
    assert w.store.certificates == {}
    assert w.store.duties["ve_1", 1404]["status"] == "by_instalments"
    assert by_gateway(w, agreement, "g3").status is Status.SETTLED
    assert now(w, agreement).status is AgreementStatus.COMPLETED
    assert balance(w, "municipality_payable:TEHRAN") == 1_234_500
