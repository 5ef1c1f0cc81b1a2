"""Scenarios 4 to 7 and 14: callbacks that come often, out of order, late or never."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import permutations

import pytest

from avarez.errors import AvarezError, DutyPaid
from avarez.journal import YearAmount
from functions.pay.gateways.port import Share, Token, TokenRefused
from functions.pay.payments import billing, reconciliation, refunding
from functions.pay.payments.arrival import receive
from functions.pay.payments.cancellation import cancel
from functions.pay.payments.opening import Asked, create
from functions.pay.rules.bills import BillTerms, PaidLine
from functions.pay.rules.records import Payment, Replay
from functions.pay.rules.refunds import RefundStatus
from functions.pay.rules.states import OPEN, TRANSITIONS, Occurrence, Status
from tests.scenarios.emulated import EngineTables
from tests.scenarios.test_crashes_and_lost_answers import opened
from tests.system.conftest import System
from tests.system.journey import assess, follow_callback, press, settled, start_payment
from tests.system.ledger import balances, journal_entries
from tests.system.plates import fresh_plate
from tests.unit.payments.payments_fake import (
    CLERK,
    NOON,
    Crash,
    FakeGateway,
    FakeGateways,
    World,
    quote,
    world,
)
from tests.unit.payments.payments_steps import callback, now_of, occurrences, open_one, sweep

COPIES, AT_ONCE = 100, 16
SWEEP_BOUND_S = 120


# --- 4: the same callback, many times -------------------------------------------------------------------


def test_scenario_04_hundred_duplicates_have_one_effect_and_one_outcome() -> None:
    w = world()
    payment = open_one(w)
    w.gateway.pay(payment.token)
    first, *others = [callback(w, payment) for _ in range(COPIES)]
    assert all(other == first for other in others)
    assert len(w.store.journal) == len(w.store.certificates) == 1
    assert occurrences(w, payment).count(Occurrence.CALLBACK_REPEATED) == COPIES - 1


def test_scenario_04_hundred_duplicates_sixteen_at_once_have_one_effect(engine_tables: EngineTables) -> None:
    """Over the engine: whoever comes while another verifies is told the outcome, or that it is pending."""
    e = engine_tables.fresh(faulty=False)
    payment = opened(e, 1)
    reference = e.w.gateway.pay(payment.token)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda _: callback(e.w, payment, reference=reference), range(COPIES)))
    assert {answer.status for answer in answers if answer is not None} <= {Status.SETTLED, Status.VERIFYING}
    again = [callback(e.w, payment, reference=reference) for _ in range(3)]
    assert {answer.certificate_id for answer in again if answer is not None} == {e.now_of(payment).certificate_id}
    assert len([item for item in e.items("ledger") if "#JOURNAL#" in item["pk"]]) == 1
    assert len([item for item in e.items("duty") if "trace_hash" in item and "kind" in item]) == 1


@pytest.mark.system
def test_scenario_04_callback_delivered_sixteen_times_at_once_settles_once(system: System) -> None:
    clerk, anyone = system.client("clerk"), system.client(None)
    payment = start_payment(clerk, assess(clerk, fresh_plate())).json
    location = press(anyone, payment)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda _: follow_callback(anyone, location), range(AT_ONCE)))
    assert {answer.status for answer in answers} <= {200, 303}
    done = settled(system, clerk, payment["payment_id"])
    after = [follow_callback(anyone, location) for _ in range(2)]
    assert after[0].body == after[1].body
    entries = journal_entries(system, payment["payment_id"])
    assert len(entries) == 1
    assert balances(entries)["debit_rial"] == balances(entries)["credit_rial"] == int(done["amount_rial"])
    assert clerk.get(f"/v1/payments/{payment['payment_id']}").json["certificate_id"] == done["certificate_id"]


# --- 5: out of order ------------------------------------------------------------------------------------


class SameToken(FakeGateway):
    """A gateway that gives the token of before when it is asked again for one order."""

    def request_token(
        self, *, order_id: str, amount_rial: int, callback_url: str, shares: Sequence[Share] = ()
    ) -> Token | TokenRefused:
        for token, slip in self.slips.items():
            if slip.order_id == order_id:
                return Token(token, f"http://gateway.example/pay/{token}")
        return super().request_token(
            order_id=order_id, amount_rial=amount_rial, callback_url=callback_url, shares=shares
        )


@dataclass
class Disorder:
    """A payment whose process died before it knew its page, at a gateway that knows it and takes money for it."""

    inquirable: bool
    w: World = field(default_factory=world)

    def __post_init__(self) -> None:
        gateway = SameToken(self.w.clock, can_inquire_without_callback=self.inquirable)
        self.w.gateway = gateway
        self.w.desk = replace(self.w.desk, gateways=FakeGateways([gateway]))
        self.w.store.crash_after_writes = 0
        with pytest.raises(Crash):
            self.resume()
        (self.payment_id,) = self.w.store.payments
        asked_again = gateway.request_token(order_id=self.payment_id, amount_rial=1_235_000, callback_url="")
        assert isinstance(asked_again, Token)
        self.token = asked_again.token
        gateway.pay(self.token)

    @property
    def payment(self) -> Payment:
        return self.w.store.payments[self.payment_id]

    def resume(self) -> None:
        """The clerk's page asks again, with the key of before."""
        made = quote(self.w.clock)
        self.w.store.quotes[made.assessment_id] = made
        create(self.w.desk, principal=CLERK, key="k1", asked=Asked((made.assessment_id,), "gateway", "", ""))
        for message in self.w.queue.messages:
            reconciliation.retry(self.w.desk, message["payment_id"])

    def told(self, state: str) -> None:
        """The gateway's callback of this state, as it was sent."""
        fields = {
            "order_id": self.payment_id,
            "token": self.token,
            "state": state,
            "reference": self.w.gateway.slips[self.token].reference,
            "amount": "1235000",
        }
        receive(self.w.desk, gateway_name="sandbox", fields=fields)

    def refund(self) -> None:
        """Money back is asked for, whatever has come so far."""
        replay = Replay("clerk", "POST", "r", "hash", "", 1_900_000_000)
        years: list[YearAmount] = []
        refunding.request(self.w.desk, self.payment, years=years, reason="x", requested_by="clerk", replay=replay)

    def does(self, event: str) -> None:
        """One event; what is illegal at this moment is a refusal, or an event that changes nothing."""
        acts: dict[str, Callable[[], object]] = {
            "page": self.resume,
            "paid": lambda: self.told("paid"),
            "failed": lambda: self.told("cancelled"),
            "refunded": lambda: self.told("refunded"),
            "refund asked": self.refund,
            "cancelled at office": lambda: cancel(self.w.desk, self.payment, CLERK),
        }
        kept = len(self.w.store.history[self.payment_id])
        before = self.payment.status
        try:
            acts[event]()
        except AvarezError:
            assert self.payment.status is before or event == "cancelled at office"
        else:
            if event in ("paid", "failed", "refunded"):
                assert len(self.w.store.history[self.payment_id]) > kept, "what a callback says is kept"


EVENTS = ("page", "paid", "failed", "refunded", "refund asked", "cancelled at office")


@pytest.mark.parametrize("inquirable", [True, False], ids=["can be asked", "tells by callback only"])
def test_scenario_05_every_order_of_six_events_ends_in_the_one_right_state(inquirable: bool) -> None:
    """All 720 orders: only the table's transitions; paid money settles once, unless cancelled unopened."""
    for order in permutations(EVENTS):
        disorder = Disorder(inquirable)
        for event in order:
            disorder.does(event)
        for _ in range(3):
            disorder.w.clock.advance(timedelta(minutes=1))
            sweep(disorder.w)
        for kept in disorder.w.store.history[disorder.payment_id]:
            if kept.before is not None and kept.before is not kept.after:
                assert TRANSITIONS[kept.before, kept.occurrence] is kept.after, order
        unopened = order.index("cancelled at office") < order.index("page")
        settled_once = 0 if unopened else 1
        told = (order, occurrences(disorder.w, disorder.payment))
        assert disorder.payment.status is (Status.CANCELLED if unopened else Status.SETTLED), told
        assert len(disorder.w.store.journal) == len(disorder.w.store.certificates) == settled_once, told
        assert {refund.status for refund in disorder.w.store.refunds.values()} <= {RefundStatus.REQUESTED}, told
        disorder.w.clock.advance(timedelta(minutes=15))
        disorder.w.gateway.let_time_pass()
        assert disorder.w.gateway.slips[disorder.token].state == ("reversed" if unopened else "verified"), told


def test_scenario_05_early_callback_is_parked_and_applied_when_its_page_is_known() -> None:
    """The gateway tells nothing without a callback, and this one came before we knew the page: it is not lost."""
    disorder = Disorder(inquirable=False)
    disorder.told("paid")
    waits = disorder.payment
    assert waits.status is Status.CREATED
    assert occurrences(disorder.w, disorder.payment)[-1] is Occurrence.CALLBACK_EARLY
    disorder.resume()
    assert disorder.payment.status is Status.SETTLED
    assert len(disorder.w.store.journal) == 1


def test_scenario_05_early_callback_of_another_page_is_not_applied() -> None:
    disorder = Disorder(inquirable=False)
    disorder.token, true = "stolen", disorder.token
    disorder.w.gateway.slips["stolen"] = disorder.w.gateway.slips[true]
    disorder.told("paid")
    disorder.resume()
    assert disorder.payment.status is Status.PENDING


def test_scenario_05_failed_after_success_changes_nothing() -> None:
    w = world()
    payment = open_one(w)
    w.gateway.pay(payment.token)
    after = callback(w, payment)
    assert callback(w, payment, "cancelled") == after
    assert occurrences(w, payment)[-1] is Occurrence.CALLBACK_LATE


# --- 6: late, and never verified ------------------------------------------------------------------------


def late_payer(*, pays_after: timedelta, comes_after: timedelta) -> tuple[World, Payment]:
    """Somebody pays at a gateway that tells nothing without a callback, and comes back when it is too late."""
    w = world()
    w.gateway.can_inquire_without_callback = False
    payment = open_one(w)
    w.clock.advance(pays_after)
    w.gateway.pay(payment.token)
    w.clock.advance(comes_after)
    sweep(w)
    return w, payment


def test_scenario_06_late_callback_whose_duty_another_holds_is_not_verified_and_the_money_goes_back() -> None:
    w, payment = late_payer(pays_after=timedelta(minutes=14), comes_after=timedelta(minutes=4))
    assert now_of(w, payment).status is Status.EXPIRED
    other = open_one(w, key="k2", number=2)
    after = callback(w, payment)
    assert after is not None
    assert after.status is Status.EXPIRED
    assert occurrences(w, payment)[-1] is Occurrence.LEASE_LOST
    assert w.gateway.verifies == 0
    assert all(holder["payment_id"] == other.payment_id for holder in w.store.duties.values())
    w.clock.advance(w.gateway.verify_window)
    w.gateway.let_time_pass()
    assert w.gateway.slips[payment.token].state == "reversed"
    assert w.store.journal == []


def test_scenario_06_late_callback_after_the_gateways_window_is_kept_and_not_verified() -> None:
    w, payment = late_payer(pays_after=timedelta(minutes=1), comes_after=timedelta(minutes=32))
    after = callback(w, payment)
    assert after is not None
    assert after.status is Status.EXPIRED
    assert w.gateway.verifies == 0
    assert occurrences(w, payment)[-1] is Occurrence.CALLBACK_LATE
    w.gateway.let_time_pass()
    assert w.gateway.slips[payment.token].state == "reversed"
    assert w.store.journal == []


def test_scenario_06_late_callback_within_the_window_settles_while_the_duty_is_free() -> None:
    w, payment = late_payer(pays_after=timedelta(minutes=14), comes_after=timedelta(minutes=4))
    after = callback(w, payment)
    assert after is not None
    assert after.status is Status.SETTLED


def test_scenario_06_callback_thirty_days_late_is_explained_and_changes_nothing() -> None:
    """Money that nobody verified went back by itself a month ago; the callback is kept with its reason."""
    w, payment = late_payer(pays_after=timedelta(minutes=1), comes_after=timedelta(days=30))
    ended = now_of(w, payment)
    assert ended.status is Status.EXPIRED
    assert callback(w, payment) == ended
    assert w.gateway.verifies == 0
    assert w.store.events(payment)[-1].note["reference"] == w.gateway.slips[payment.token].reference
    w.gateway.let_time_pass()
    assert w.gateway.slips[payment.token].state == "reversed"
    assert w.store.journal == []
    assert w.store.duties == {}


# --- 7: late, and verified already ----------------------------------------------------------------------


def verified_into_a_lost_answer(w: World) -> Payment:
    """The gateway has confirmed, the answer was lost, and another copy of it knew nothing: we wait on."""
    payment = open_one(w)
    w.gateway.pay(payment.token)
    w.gateway.lost = 1
    callback(w, payment)
    w.gateway.lagging = 1
    w.clock.advance(timedelta(seconds=31))
    sweep(w)
    assert now_of(w, payment).status is Status.PENDING
    assert w.gateway.slips[payment.token].state == "verified"
    return payment


def test_scenario_07_verified_money_whose_duty_is_gone_stands_in_suspense_and_goes_back() -> None:
    """Another paid the duty meanwhile: never applied, never at an old tariff, listed as a refund of the city."""
    w = world()
    payment = verified_into_a_lost_answer(w)
    w.clock.advance(timedelta(minutes=18))  # its lease has lapsed
    other = open_one(w, key="k2", number=2)
    w.gateway.pay(other.token)
    callback(w, other)
    for _ in range(3):
        w.clock.advance(timedelta(minutes=15))
        sweep(w)
    assert now_of(w, payment).status is Status.REFUNDED
    assert {"suspense", "payment_suspense", "refund_done"} <= set(w.reports)
    (listed,) = w.desk.refunds.of_city("TEHRAN", after="", limit=10)
    assert (listed.payment_id, listed.amount_rial) == (payment.payment_id, payment.amount_rial)
    kinds = [(entry.kind, entry.payment_id) for entry in w.store.journal if entry.payment_id == payment.payment_id]
    assert [kind for kind, _ in kinds] == ["payment_suspense", "refund_approved", "refund_paid"]
    assert list(w.store.certificates.values()) == [other.payment_id]


@pytest.mark.parametrize("duty", ["free", "paid by another"])
def test_scenario_07_callback_thirty_days_late_of_verified_money_is_credited_or_refunded_by_itself(
    duty: str,
) -> None:
    """The gateway was silent for a month: a free duty is paid then, else the money goes back."""
    w = world()
    payment = verified_into_a_lost_answer(w)
    w.gateway.silent = 10**9
    for _ in range(30):
        w.clock.advance(timedelta(days=1))
        sweep(w)
    assert now_of(w, payment).status is Status.PENDING  # only the gateway ends what was once verified
    w.gateway.silent = 0
    if duty == "paid by another":
        today, midnight = w.clock.now().date(), w.clock.now() + timedelta(hours=9)
        other = open_one(w, key="k2", number=2, as_of=today, expires_at=midnight)
        w.gateway.pay(other.token)
        callback(w, other)
    callback(w, payment)
    for _ in range(3):
        w.clock.advance(timedelta(minutes=2))
        sweep(w)
    after = now_of(w, payment)
    cleared = {posting.account for entry in w.store.journal for posting in entry.postings}
    if duty == "free":
        assert after.status is Status.SETTLED
        assert len(w.store.certificates) == 1
    else:
        assert after.status is Status.REFUNDED
        assert w.gateway.slips[payment.token].state == "reversed"
        assert "suspense" in cleared
    assert w.store.opened == set()


def test_scenario_07_money_of_a_bill_past_its_date_never_pays_at_the_old_tariff() -> None:
    w = world()
    w.store.terms["TEHRAN"] = BillTerms(123, 10)
    w.costs[:] = [YearAmount(1403, 1_050_000), YearAmount(1404, 240_000)]
    made = quote(w.clock)
    w.store.quotes[made.assessment_id] = made
    asked = Asked((made.assessment_id,), "bill", "", "")
    opened_bill = billing.create(w.desk, principal=CLERK, key="b1", asked=asked)
    bill = w.store.payments[opened_bill.payment_id]
    late_day = w.clock.now().date() + timedelta(days=11)
    w.clock.advance(timedelta(days=12))
    line = PaidLine(2, "02", late_day, bill.bill_id, bill.payment_code, "111111")
    assert billing.take_line(w.desk, line, bank="melli") is billing.Taken.APPLIED_IN_PART
    after = w.store.payments[bill.payment_id]
    assert after.years == (YearAmount(1403, 1_050_000),)  # the oldest year, at what it costs now
    rest = [posting for entry in w.store.journal for posting in entry.postings if posting.account == "suspense"]
    assert sum(posting.credit_rial for posting in rest) == 1_235_000 - 1_050_000
    assert {refund.requested_by for refund in w.store.refunds.values()} == {"system"}


# --- 14: the browser closes before it is sent back ------------------------------------------------------


def test_scenario_14_money_whose_callback_never_comes_is_found_within_two_polls() -> None:
    w = world()
    payment = open_one(w)
    polls = 0
    for second in range(0, 600, 60):
        w.clock.instant = NOON + timedelta(seconds=second)
        if second == 300:
            w.clock.advance(timedelta(seconds=1))
            w.gateway.pay(payment.token)
            paid_at = w.clock.now()
        before = w.gateway.calls
        sweep(w)
        polls += 1 if second > 300 and w.gateway.calls > before else 0
        if now_of(w, payment).status is Status.SETTLED:
            break
    settled_at = now_of(w, payment).settled_at
    assert settled_at is not None
    assert settled_at - paid_at <= timedelta(minutes=2)
    assert polls <= 2
    with pytest.raises(DutyPaid):
        open_one(w, key="k2", number=2)


def test_scenario_14_gateway_that_tells_nothing_without_a_callback_ends_at_its_window() -> None:
    """Where nobody can ask, the payment expires and the money goes back; nobody pays twice meanwhile."""
    w = world()
    w.gateway.can_inquire_without_callback = False
    payment = open_one(w)
    w.gateway.pay(payment.token)
    for _ in range(17):
        w.clock.advance(timedelta(minutes=1))
        sweep(w)
        assert now_of(w, payment).status in OPEN
    w.clock.advance(timedelta(minutes=1))
    sweep(w)
    assert now_of(w, payment).status is Status.EXPIRED
    w.gateway.let_time_pass()
    assert w.gateway.slips[payment.token].state == "reversed"


@pytest.mark.system
def test_scenario_14_callback_that_never_comes_is_resolved_by_the_sweep(system: System) -> None:
    clerk, anyone = system.client("clerk"), system.client(None)
    payment = start_payment(clerk, assess(clerk, fresh_plate())).json
    press(anyone, payment)  # the money is taken; the browser closes before our callback
    done = settled(system, clerk, payment["payment_id"], timeout_s=SWEEP_BOUND_S)
    assert len(journal_entries(system, done["payment_id"])) == 1
