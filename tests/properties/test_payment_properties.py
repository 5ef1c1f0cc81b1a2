"""Payments under every order of events: payers, callbacks, lies, sweeps, cancellations, silences, crashes.

The rules act on the fakes of the unit tests, one call at a time; `before_verdict` runs a whole other call while a
verification is under way. After the storm the system heals: nothing may be left in doubt.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from avarez.errors import AvarezError
from avarez.journal import YearAmount
from functions.pay.payments import reconciliation, refunding
from functions.pay.payments.arrival import receive
from functions.pay.payments.cancellation import cancel
from functions.pay.payments.joint import opening as joint
from functions.pay.payments.opening import Asked, create
from functions.pay.rules.leases import PAID
from functions.pay.rules.records import Payment, Replay
from functions.pay.rules.refunds import RefundStatus, left_of
from functions.pay.rules.states import OPEN, Status
from tests.unit.payments.payments_fake import CLERK, Crash, Slip, quote, world

CARS = st.sampled_from(["ve_1", "ve_2", "ve_3"])
YEARS = st.sampled_from([(1403,), (1403, 1404), (1404,)])
PICK = st.integers(0, 1_000)
AMOUNT_RIAL = 1_000_000


class Payments(RuleBasedStateMachine):
    """Three cars, two duty years, as many payers as come."""

    def __init__(self) -> None:
        super().__init__()
        self.w = world()
        self.keys = 0
        self.quotes = 0

    @initialize(inquirable=st.booleans())
    def gateway_of_this_run(self, inquirable: bool) -> None:
        self.w.gateway.can_inquire_without_callback = inquirable

    # -- helpers -------------------------------------------------------------------------------------

    @property
    def payments(self) -> list[Payment]:
        return list(self.w.store.payments.values())

    def slip_of(self, payment: Payment) -> Slip | None:
        return self.w.gateway.slips.get(payment.token)

    def attempt(self, call: Callable[[], object]) -> None:
        """Refusals are answers, and a crash is the end of one process; anything else is a defect."""
        with suppress(AvarezError, Crash):
            call()

    def sweep(self) -> None:
        reconciliation.sweep(self.w.desk, time_left=lambda: True)

    def callback(self, payment: Payment, state: str, *, reference: str = "", amount_rial: int = 0) -> None:
        fields = {
            "order_id": payment.payment_id,
            "token": payment.token,
            "state": state,
            "reference": reference,
            "amount": str(amount_rial or payment.amount_rial),
        }
        self.attempt(lambda: receive(self.w.desk, gateway_name="sandbox", fields=fields))

    # -- what may happen -----------------------------------------------------------------------------

    @rule(car=CARS, years=YEARS, again=st.booleans())
    def open_payment(self, car: str, years: tuple[int, ...], again: bool) -> None:
        if not again or not self.keys:
            self.keys += 1
            self.quotes += 1
            made = quote(
                self.w.clock,
                self.quotes,
                vehicle_id=car,
                years=tuple(YearAmount(year, AMOUNT_RIAL) for year in years),
                rounding_rial=0,
                owed_rial=AMOUNT_RIAL * len(years),
            )
            self.w.store.quotes[made.assessment_id] = made
        asked = Asked((f"as_{self.quotes:036d}",), "gateway", "", "")
        self.attempt(lambda: create(self.w.desk, principal=CLERK, key=f"k{self.keys}", asked=asked))

    @rule(cars=st.lists(CARS, min_size=2, max_size=3), pays=st.booleans())
    def open_joint_payment(self, cars: list[str], pays: bool) -> None:
        """A fleet: it may name a car twice, and cars that others are paying for."""
        self.keys += 1
        ids = []
        for car in cars:
            self.quotes += 1
            made = quote(
                self.w.clock,
                self.quotes,
                vehicle_id=car,
                years=(YearAmount(1403, AMOUNT_RIAL),),
                rounding_rial=0,
                owed_rial=AMOUNT_RIAL,
            )
            self.w.store.quotes[made.assessment_id] = made
            ids.append(made.assessment_id)
        asked = Asked(tuple(ids), "gateway", "", "")
        self.attempt(lambda: joint.create(self.w.desk, principal=CLERK, key=f"k{self.keys}", asked=asked))
        newest = self.payments[-1:] and [payment for payment in self.payments if payment.parts][-1:]
        if pays and newest and self.slip_of(newest[0]):
            reference = self.w.gateway.pay(newest[0].token)
            self.callback(newest[0], "paid", reference=reference)

    @rule(car=CARS, pick=PICK, tampers=st.booleans())
    def walk_in_and_pay(self, car: str, pick: int, tampers: bool) -> None:
        """The usual way, so that much of the storm falls on payments that have money."""
        self.open_payment(car, (1403, 1404), again=False)
        newest = self.payments[-1:]
        if newest and self.slip_of(newest[0]):
            reference = self.w.gateway.pay(newest[0].token)
            extra_rial = 1 if tampers and pick % 3 == 0 else 0
            self.callback(newest[0], "paid", reference=reference, amount_rial=newest[0].amount_rial + extra_rial)

    @rule(pick=PICK, tells=st.booleans(), tampers=st.booleans())
    def pay(self, pick: int, tells: bool, tampers: bool) -> None:
        opened = [payment for payment in self.payments if self.slip_of(payment)]
        if opened:
            payment = opened[pick % len(opened)]
            reference = self.w.gateway.pay(payment.token)
            if tells and reference:
                self.callback(
                    payment, "paid", reference=reference, amount_rial=payment.amount_rial + (1 if tampers else 0)
                )

    @rule(pick=PICK)
    def repeat_callback(self, pick: int) -> None:
        paid = [payment for payment in self.payments if (slip := self.slip_of(payment)) and slip.reference]
        if paid:
            payment = paid[pick % len(paid)]
            slip = self.slip_of(payment)
            assert slip is not None
            self.callback(payment, "paid", reference=slip.reference)

    @rule(pick=PICK, state=st.sampled_from(["paid", "cancelled", "other"]), stolen=st.booleans())
    def lie(self, pick: int, state: str, stolen: bool) -> None:
        if self.payments:
            references = [slip.reference for slip in self.w.gateway.slips.values() if slip.reference]
            reference = references[pick % len(references)] if stolen and references else f"lie{pick}"
            self.callback(self.payments[pick % len(self.payments)], state, reference=reference)

    @rule(pick=PICK)
    def give_up_at_gateway(self, pick: int) -> None:
        opened = [payment for payment in self.payments if self.slip_of(payment)]
        if opened:
            payment = opened[pick % len(opened)]
            self.w.gateway.abandon(payment.token)
            self.callback(payment, "cancelled")

    @rule(pick=PICK, part=st.booleans(), approves=st.booleans())
    def refund(self, pick: int, part: bool, approves: bool) -> None:
        settled = [payment for payment in self.payments if payment.status is Status.SETTLED]
        if not settled:
            return
        payment = settled[pick % len(settled)]
        self.keys += 1
        replay = Replay("clerk", "POST", f"r{self.keys}", "hash", "", 1_900_000_000)
        years = [YearAmount(payment.years[0].year, AMOUNT_RIAL // 2)] if part and payment.years else []

        def ask_and_approve() -> None:
            asked = refunding.request(
                self.w.desk, payment, years=years, reason="test", requested_by="clerk", replay=replay
            )
            if approves:
                refunding.approve(self.w.desk, asked, approved_by="officer")

        self.attempt(ask_and_approve)

    @rule(pick=PICK)
    def approve_what_was_asked(self, pick: int) -> None:
        asked = list(self.w.store.refunds.values())
        if asked:
            refund = asked[pick % len(asked)]
            self.attempt(lambda: refunding.approve(self.w.desk, refund, approved_by="officer"))

    @rule(pick=PICK)
    def cancel(self, pick: int) -> None:
        if self.payments:
            payment = self.payments[pick % len(self.payments)]
            self.attempt(lambda: cancel(self.w.desk, payment, CLERK))

    @rule()
    def run_sweep(self) -> None:
        self.attempt(self.sweep)

    @rule()
    def run_queue(self) -> None:
        messages, self.w.queue.messages = self.w.queue.messages, []
        for message in messages * 2:  # each is delivered twice
            chunk = int(message["chunk"]) if "chunk" in message else None
            self.attempt(lambda m=message, c=chunk: reconciliation.retry(self.w.desk, m["payment_id"], c))  # type: ignore[misc]

    @rule(seconds=st.sampled_from([1, 31, 61, 400, 1_021]))
    def wait(self, seconds: int) -> None:
        self.w.clock.advance(timedelta(seconds=seconds))

    @rule(fault=st.sampled_from(["silent", "lost", "lagging", "crash", "busy", "none"]), count=st.integers(1, 3))
    def something_will_fail(self, fault: str, count: int) -> None:
        gateway, store = self.w.gateway, self.w.store
        gateway.silent = count if fault == "silent" else 0
        gateway.lost = count if fault == "lost" else 0
        # Where nobody can inquire, a copy that lags and a process that dies at once would leave it to the report.
        gateway.lagging = 1 if fault == "lagging" and gateway.can_inquire_without_callback else 0
        store.crash_after_writes = count - 1 if fault == "crash" else None
        store.busy = count if fault == "busy" else 0

    @rule(pick=PICK, what=st.sampled_from(["sweep", "repeat", "cancel", "queue", "open"]))
    def meanwhile(self, pick: int, what: str) -> None:
        """What somebody else does in the middle of the next verification."""
        self.w.gateway.before_verdict = {
            "sweep": self.run_sweep,
            "repeat": lambda: self.repeat_callback(pick),
            "cancel": lambda: self.cancel(pick),
            "queue": self.run_queue,
            "open": lambda: self.open_payment("ve_1", (1403, 1404), False),
        }[what]

    # -- what holds at every moment ------------------------------------------------------------------

    @invariant()
    def no_duty_is_paid_twice(self) -> None:
        paid = [
            (payment.vehicle_id, part.year)
            for payment in self.payments
            if payment.status is Status.SETTLED
            for part in left_of(payment)
        ]
        assert len(paid) == len(set(paid))
        assert set(paid) == {duty for duty, holder in self.w.store.duties.items() if holder["status"] == PAID}

    @invariant()
    def journal_balances_and_holds_what_the_gateway_confirmed(self) -> None:
        for entry in self.w.store.journal:
            assert sum(posting.debit_rial - posting.credit_rial for posting in entry.postings) == 0
        taken = [entry.payment_id for entry in self.w.store.journal if not entry.cause]
        assert len(taken) == len(set(taken))
        steps = [(entry.cause, entry.kind) for entry in self.w.store.journal if entry.cause]
        assert len(steps) == len(set(steps))

    @invariant()
    def what_is_given_back_is_never_more_than_was_taken(self) -> None:
        for payment in self.payments:
            assert payment.refunded_rial <= max(payment.amount_rial, payment.confirmed_rial)
            approved = [
                entry for entry in self.w.store.journal
                if entry.payment_id == payment.payment_id and entry.kind == "refund_approved"
            ]  # fmt: skip
            owed = sum(
                p.credit_rial for entry in approved for p in entry.postings if p.account == "refunds_payable"
            )
            assert owed == payment.refunded_rial

    @invariant()
    def settled_is_journal_and_outbox_and_certificate_exactly_once(self) -> None:
        settled = sorted(of.payment_id for of in self.payments if of.settled_at and not of.parts)
        in_force = sorted(of.payment_id for of in self.payments if of.status is Status.SETTLED and not of.parts)
        kinds = [entry.payment_id for entry in self.w.store.journal if entry.kind == "payment_settled"]
        assert settled == sorted(kinds)
        assert settled == sorted(self.w.store.outbox.values())
        assert in_force == sorted(self.w.store.certificates.values())

    @invariant()
    def applied_is_the_payments_own_amount(self) -> None:
        for entry in self.w.store.journal:
            if entry.kind == "payment_settled":
                amount_rial = self.w.store.payments[entry.payment_id].amount_rial
                assert sum(posting.debit_rial for posting in entry.postings) == amount_rial

    @invariant()
    def open_payments_and_no_others_have_a_row(self) -> None:
        """The parts of a joint payment are looked after through their parent's row."""
        rows = [payment_id for _, payment_id in self.w.store.opened if payment_id.startswith("py_")]
        looked_after = [of.payment_id for of in self.payments if of.unfinished and not of.parent_id]
        assert sorted(rows) == sorted(looked_after)

    @invariant()
    def a_joint_payment_is_settled_with_all_its_parts(self) -> None:
        for parent in self.payments:
            if parent.parts and parent.status is Status.SETTLED:
                own = [of for of in self.payments if of.parent_id == parent.payment_id]
                assert all(of.settled_at for of in own)
                assert sum(of.amount_rial for of in own) == parent.amount_rial

    # -- afterwards ----------------------------------------------------------------------------------

    def teardown(self) -> None:
        """The storm is over; a few sweeps must bring everything to an end."""
        self.w.gateway.silent = self.w.gateway.lost = self.w.gateway.lagging = self.w.store.busy = 0
        self.w.store.crash_after_writes = self.w.gateway.before_verdict = None
        for _ in range(60):
            self.w.clock.advance(timedelta(minutes=1))
            self.sweep()
        assert self.w.store.opened == set()
        assert {payment.status for payment in self.payments} <= set(Status) - OPEN
        assert all(holder["status"] == PAID for holder in self.w.store.duties.values())
        self.no_duty_is_paid_twice()
        self.settled_is_journal_and_outbox_and_certificate_exactly_once()
        self.every_rial_is_placed()

    def every_rial_is_placed(self) -> None:
        """What the gateway confirmed stands in the ledger; all else it has returned or never took."""
        self.w.gateway.let_time_pass()
        confirmed = sorted(
            (slip.reference, slip.amount_rial)
            for slip in self.w.gateway.slips.values()
            if slip.state == "verified"
        )
        booked: Counter[str] = Counter()
        for entry in self.w.store.journal:
            for posting in entry.postings:
                if posting.account == "gateway_clearing:sandbox":
                    booked[entry.reference] += posting.debit_rial - posting.credit_rial
        assert confirmed == sorted((reference, rial) for reference, rial in booked.items() if rial)
        assert {refund.status for refund in self.w.store.refunds.values()} <= {
            RefundStatus.REQUESTED,
            RefundStatus.PAYABLE,
            RefundStatus.DONE,
        }
        assert not [
            r for r in self.w.store.refunds.values() if r.of_suspense and r.status is RefundStatus.REQUESTED
        ]
        assert {slip.state for slip in self.w.gateway.slips.values()} <= {
            "verified",
            "reversed",
            "expired",
            "cancelled",
        }


TestPayments = Payments.TestCase
TestPayments.settings = settings(
    max_examples=400,
    stateful_step_count=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
