"""Refunds: two people, never twice, never more than is left; through the gateway, or owed until transferred."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest

from avarez.errors import InvalidInput, PaymentNotRefundable, RefundConflict, SecondPersonRequired
from avarez.journal import YearAmount
from functions.pay.payments import refunding
from functions.pay.rules.fees import Bearer, Fee, split
from functions.pay.rules.records import Payment, Replay
from functions.pay.rules.refunds import Refund, RefundStatus, left_of
from functions.pay.rules.states import Occurrence, Status
from tests.unit.payments.payments_fake import Crash, World, world
from tests.unit.payments.payments_steps import callback, now_of, occurrences, open_one, sweep


def settled(w: World, **changes: object) -> Payment:
    payment = open_one(w, **changes)  # type: ignore[arg-type]
    w.gateway.pay(payment.token)
    after = callback(w, payment)
    assert after is not None
    return after


def ask(w: World, payment: Payment, *years: tuple[int, int], key: str = "r1", by: str = "clerk") -> Refund:
    replay = Replay(by, "POST", key, "hash", "", 1_900_000_000)
    wanted = [YearAmount(year, amount_rial) for year, amount_rial in years]
    return refunding.request(w.desk, payment, years=wanted, reason="wrong car", requested_by=by, replay=replay)


def balance(w: World, account: str) -> int:
    postings = [posting for entry in w.store.journal for posting in entry.postings if posting.account == account]
    return sum(posting.credit_rial - posting.debit_rial for posting in postings)


def test_whole_refund_goes_back_through_the_gateway_and_frees_the_duties() -> None:
    w = world()
    w.store.fees["TEHRAN"] = Fee(5_000)
    payment = settled(w)
    refund = ask(w, payment)
    assert (refund.status, refund.amount_rial) == (RefundStatus.REQUESTED, 1_240_000)

    done = refunding.approve(w.desk, refund, approved_by="officer")

    assert done.status is RefundStatus.DONE
    assert w.gateway.slips[payment.token].state == "reversed"
    after = now_of(w, payment)
    assert (after.status, after.refunded_rial, left_of(after)) == (Status.REFUNDED, 1_240_000, ())
    assert w.store.duties == {}
    assert w.store.certificates == {}
    assert {balance(w, p.account) for entry in w.store.journal for p in entry.postings} == {0}
    assert open_one(w, key="k2", number=2).status is Status.PENDING  # the duty can be paid again


def test_one_year_back_leaves_the_other_paid_and_waits_for_a_transfer() -> None:
    w = world()
    payment = settled(w)
    refund = refunding.approve(w.desk, ask(w, payment, (1404, 234_500)), approved_by="officer")
    assert refund.status is RefundStatus.PAYABLE  # no gateway sends a part back
    after = now_of(w, payment)
    assert (after.status, after.refunded_rial) == (Status.SETTLED, 234_500)
    assert list(w.store.duties) == [("ve_1", 1403)]
    assert balance(w, "refunds_payable") == 234_500
    with pytest.raises(SecondPersonRequired):
        refunding.transferred(w.desk, refund, bank_reference="T-1", entered_by="clerk")
    done = refunding.transferred(w.desk, refund, bank_reference="T-1", entered_by="officer")
    assert (done.status, done.bank_reference) == (RefundStatus.DONE, "T-1")
    assert balance(w, "refunds_payable") == 0
    assert now_of(w, payment).status is Status.SETTLED


def test_part_of_a_year_keeps_the_duty_paid() -> None:
    w = world()
    payment = settled(w)
    refunding.approve(w.desk, ask(w, payment, (1403, 400_000)), approved_by="officer")
    after = now_of(w, payment)
    assert left_of(after) == (YearAmount(1403, 600_000), YearAmount(1404, 234_500))
    assert len(w.store.duties) == 2
    with pytest.raises(InvalidInput):
        ask(w, after, (1403, 600_001), key="r2")


def test_whoever_asked_cannot_decide() -> None:
    w = world()
    refund = ask(w, settled(w))
    with pytest.raises(SecondPersonRequired):
        refunding.approve(w.desk, refund, approved_by="clerk")
    with pytest.raises(SecondPersonRequired):
        refunding.reject(w.desk, refund, rejected_by="clerk", reason="no")
    assert refunding.reject(w.desk, refund, rejected_by="officer", reason="no").status is RefundStatus.REJECTED
    with pytest.raises(RefundConflict):
        refunding.approve(w.desk, w.store.refunds[refund.refund_id], approved_by="officer")


def test_two_refunds_at_once_never_give_back_more_than_is_left() -> None:
    w = world()
    payment = settled(w)
    first, second = ask(w, payment, key="r1"), ask(w, payment, key="r2")
    refunding.approve(w.desk, first, approved_by="officer")
    with pytest.raises(RefundConflict):
        refunding.approve(w.desk, second, approved_by="officer")
    assert balance(w, "gateway_clearing:sandbox") == 0


def test_years_that_became_the_whole_meanwhile_must_be_asked_for_again() -> None:
    w = world()
    w.store.fees["TEHRAN"] = Fee(5_000)
    payment = settled(w)
    one, other = ask(w, payment, (1403, 1_000_000)), ask(w, payment, (1404, 234_500), key="r2")
    refunding.approve(w.desk, one, approved_by="officer")
    with pytest.raises(RefundConflict):  # the whole carries rounding and fee besides
        refunding.approve(w.desk, other, approved_by="officer")
    rest = ask(w, now_of(w, payment), key="r3")
    assert rest.amount_rial == 234_500 + 500 + 5_000
    refunding.approve(w.desk, rest, approved_by="officer")
    assert now_of(w, payment).status is Status.REFUNDING


def test_unpaid_and_refunded_payments_hold_nothing() -> None:
    w = world()
    payment = open_one(w)
    with pytest.raises(PaymentNotRefundable):
        ask(w, payment)
    paid = settled(w, key="k2", number=2, vehicle_id="ve_2")
    refunding.approve(w.desk, ask(w, paid), approved_by="officer")
    with pytest.raises(PaymentNotRefundable):
        ask(w, now_of(w, paid), key="r2")


def test_silent_gateway_is_asked_again_and_a_lost_answer_counts_once() -> None:
    w = world()
    payment = settled(w)
    refund = ask(w, payment)
    w.gateway.silent = 1
    assert refunding.approve(w.desk, refund, approved_by="officer").status is RefundStatus.APPROVED
    w.gateway.lost = 1
    for _ in range(3):
        w.clock.advance(timedelta(minutes=3))
        sweep(w)
    assert w.store.refunds[refund.refund_id].status is RefundStatus.DONE
    assert now_of(w, payment).status is Status.REFUNDED
    assert balance(w, "gateway_clearing:sandbox") == 0
    assert w.store.opened == set()


def test_gateway_that_sends_nothing_back_leaves_it_payable() -> None:
    w = world()
    payment = settled(w)
    w.gateway.reversible = False
    refund = refunding.approve(w.desk, ask(w, payment), approved_by="officer")
    assert refund.status is RefundStatus.PAYABLE
    assert now_of(w, payment).status is Status.REFUNDING
    refunding.transferred(w.desk, refund, bank_reference="T-9", entered_by="officer")
    assert now_of(w, payment).status is Status.REFUNDED
    assert balance(w, "bank") == 1_235_000  # it left our account, and the gateway still owes it
    assert balance(w, "gateway_clearing:sandbox") == -1_235_000


@pytest.mark.parametrize("writes", range(4))
def test_a_crash_after_any_write_is_healed_by_the_sweep(writes: int) -> None:
    w = world()
    payment = settled(w)
    refund = ask(w, payment)
    w.store.crash_after_writes = writes
    with suppress(Crash):
        refunding.approve(w.desk, refund, approved_by="officer")
    w.store.crash_after_writes = None
    current = w.store.refunds[refund.refund_id]
    if current.status is RefundStatus.REQUESTED:
        refunding.approve(w.desk, current, approved_by="officer")
    for _ in range(2):
        w.clock.advance(timedelta(minutes=3))
        sweep(w)
    assert w.store.refunds[refund.refund_id].status is RefundStatus.DONE
    assert [entry.kind for entry in w.store.journal] == ["payment_settled", "refund_approved", "refund_paid"]
    assert occurrences(w, payment)[-2:] == [Occurrence.REFUND_BEGUN, Occurrence.REFUND_DONE]


def test_money_in_suspense_goes_back_by_itself() -> None:
    w = world()
    payment = open_one(w)
    w.gateway.pay(payment.token)
    callback(w, payment, amount=str(payment.amount_rial + 1))
    assert now_of(w, payment).status is Status.SUSPENSE
    (refund,) = w.store.refunds.values()
    assert (refund.requested_by, refund.amount_rial) == ("system", payment.amount_rial)
    sweep(w)
    assert w.store.refunds[refund.refund_id].status is RefundStatus.DONE
    assert now_of(w, payment).status is Status.REFUNDED
    assert balance(w, "suspense") == 0
    assert w.gateway.slips[payment.token].state == "reversed"


@pytest.mark.parametrize(
    ("fee", "office", "payer_rial", "city_rial", "office_rial"),
    [
        (Fee(), True, 0, 0, 0),
        (Fee(5_001, office_ppm=500_000), True, 5_001, 0, 2_500),
        (Fee(5_001, office_ppm=500_000), False, 5_001, 0, 0),
        (Fee(5_000, Bearer.CITY), True, 0, 5_000, 5_000),
        (Fee(5_000, Bearer.CITY, 0), True, 0, 5_000, 0),
    ],
)
def test_last_rial_of_a_fee_is_the_platforms(
    fee: Fee, office: bool, payer_rial: int, city_rial: int, office_rial: int
) -> None:
    made = split(fee, duty_rial=1_000_000, has_office=office)
    assert (made.payer_rial, made.city_rial, made.office_rial) == (payer_rial, city_rial, office_rial)


def test_city_never_bears_more_than_it_gets() -> None:
    assert split(Fee(5_000, Bearer.CITY), duty_rial=3_000, has_office=True).city_rial == 3_000
