"""Scenarios 1 to 3: the process dies, or an answer is lost, at the worst moment."""

from __future__ import annotations

from datetime import timedelta

import pytest

from avarez.journal import YearAmount
from functions.certify.certificates.issuing import Issue
from functions.pay.payments import refunding
from functions.pay.payments.cancellation import cancel
from functions.pay.payments.opening import Asked, create
from functions.pay.rules.records import Payment, Replay
from functions.pay.rules.states import Occurrence, Status
from tests.scenarios.emulated import LOST, Emulated, EngineTables
from tests.system.conftest import System
from tests.system.journey import assess, certificate, follow_callback, press, settled, start_payment
from tests.system.plates import fresh_plate
from tests.unit.payments.payments_fake import CLERK, Crash, World, quote, world
from tests.unit.payments.payments_steps import AMOUNT, callback, now_of, occurrences, open_one, sweep

SWEEP_BOUND_S = 120


# --- 1: killed between the ledger's write and the certificate -------------------------------------------


def test_scenario_01_dies_after_the_ledgers_write_and_the_outbox_row_stands_with_it() -> None:
    """The duty is paid and the outbox row is there by the same write; nothing is there when it died before."""
    for died_before in (True, False):
        w = world()
        payment = open_one(w)
        w.gateway.pay(payment.token)
        w.store.crash_after_writes = 0 if died_before else 1  # the writes: verifying, settled
        with pytest.raises(Crash):
            callback(w, payment)
        settled_now = now_of(w, payment).status is Status.SETTLED
        assert settled_now is not died_before
        paid = {holder["status"] for holder in w.store.duties.values()} == {"paid"}
        assert paid == bool(w.store.outbox) == bool(w.store.certificates) == bool(w.store.journal) == settled_now
        w.clock.advance(timedelta(seconds=31))
        sweep(w)
        assert now_of(w, payment).status is Status.SETTLED
        assert len(w.store.outbox) == len(w.store.certificates) == len(w.store.journal) == 1


@pytest.mark.system
def test_scenario_01_killed_after_ledger_write_the_certificate_comes_after_the_restart(system: System) -> None:
    """Paid, certificate in preparation, never unpaid; and the sweep issues the one certificate."""
    clerk, anyone = system.client("clerk"), system.client(None)
    payment = start_payment(clerk, assess(clerk, fresh_plate())).json
    location = press(anyone, payment)
    system.pause_certificates()
    try:
        follow_callback(anyone, location)
        done = settled(system, clerk, payment["payment_id"])
        waiting = clerk.get(f"/v1/certificates/{done['certificate_id']}").json
        assert waiting["status"] == "preparing"
        assert anyone.get(f"/v1/verify/{done['certificate_id']}").json["verdict"] == "cannot_tell"
        system.crash()
    finally:
        system.resume_certificates()
    record = certificate(system, system.client("clerk"), done["certificate_id"], SWEEP_BOUND_S)
    assert record["certificate_id"] == done["certificate_id"]


# --- 2: died between the gateway's verify and the ledger's write ----------------------------------------


def dies_after_verify(w: World, payment: Payment) -> None:
    """The gateway has confirmed, and the process dies before it writes a word of that."""

    def die() -> None:
        raise Crash

    w.gateway.before_verdict = die
    with pytest.raises(Crash):
        callback(w, payment)
    assert now_of(w, payment).status is Status.VERIFYING
    assert w.gateway.slips[payment.token].state == "verified"
    assert w.store.journal == []


def test_scenario_02_crash_between_verify_and_ledger_posts_once_on_already_verified() -> None:
    w = world()
    payment = open_one(w)
    w.gateway.pay(payment.token)
    dies_after_verify(w, payment)
    w.clock.advance(timedelta(minutes=30))  # verified money never goes back
    sweep(w)
    assert now_of(w, payment).status is Status.SETTLED
    (entry,) = w.store.journal
    assert sum(posting.debit_rial for posting in entry.postings) == payment.amount_rial
    note = next(event.note for event in w.store.events(payment) if event.occurrence is Occurrence.VERIFIED)
    assert note == {"reference": payment.token.replace("token", "ref"), "already": "yes"}
    callback(w, payment)
    assert len(w.store.journal) == len(w.store.certificates) == 1


def test_scenario_02_lost_answer_of_verify_is_success_on_the_next_asking() -> None:
    w = world()
    payment = open_one(w)
    w.gateway.pay(payment.token)
    w.gateway.lost = 1
    callback(w, payment)
    assert now_of(w, payment).status is Status.VERIFYING
    w.clock.advance(timedelta(minutes=30))
    sweep(w)
    assert now_of(w, payment).status is Status.SETTLED
    assert len(w.store.journal) == 1


def test_scenario_02_already_verified_with_another_amount_posts_to_suspense_and_never_to_the_duty() -> None:
    w = world()
    payment = open_one(w)
    w.gateway.pay(payment.token)
    dies_after_verify(w, payment)
    w.gateway.slips[payment.token].amount_rial += 10
    w.clock.advance(timedelta(seconds=31))
    sweep(w)
    assert Occurrence.AMOUNT_DIFFERS in occurrences(w, payment)
    w.clock.advance(timedelta(minutes=1))
    sweep(w)
    assert now_of(w, payment).status is Status.REFUNDED  # by itself
    assert [posting.account for posting in w.store.journal[0].postings] == ["gateway_clearing:sandbox", "suspense"]
    assert w.store.certificates == {}
    assert w.store.duties == {}


# --- 3: the response of a write is lost -----------------------------------------------------------------


def opened(e: Emulated, number: int) -> Payment:
    made = e.put_quote(quote(e.w.clock, number, vehicle_id=f"ve_{number}", plate=f"12B{number:03d}-67"))
    asked = Asked((made.assessment_id,), "gateway", "", "")
    answer = create(e.w.desk, principal=CLERK, key=f"k{number}", asked=asked)
    payment = e.w.desk.store.payment(answer.payment_id)
    assert payment is not None
    return payment


def paid(e: Emulated, payment: Payment, **changes: str) -> Payment:
    reference = e.w.gateway.pay(payment.token)
    after = callback(e.w, payment, **{"reference": reference, **changes})
    assert after is not None
    return after


def journey(e: Emulated) -> None:
    """Every write of a payment's life: opened, verified, settled; refused, resumed, closed; given back."""
    settled_one = paid(e, opened(e, 1))
    assert settled_one.status is Status.SETTLED

    lied_about = opened(e, 2)
    assert callback(e.w, lied_about, reference="invented") is not None  # verifying, and back to waiting
    assert e.now_of(lied_about).status is Status.PENDING
    e.w.gateway.abandon(lied_about.token)
    assert cancel(e.w.desk, e.now_of(lied_about), CLERK).status is Status.CANCELLED

    tampered = paid(e, opened(e, 3), amount="1")
    assert tampered.status is Status.SUSPENSE
    e.w.clock.advance(timedelta(minutes=1))
    sweep(e.w)  # the refund of what is in suspense leaves
    assert e.now_of(tampered).status is Status.REFUNDED

    assert e.issue_all() == [Issue.ISSUED]
    replay = Replay("clerk", "POST", "r1", "hash", "", 1_900_000_000)
    asked = refunding.request(
        e.w.desk,
        e.now_of(settled_one),
        years=[YearAmount(1404, 234_500)],
        reason="wrong year",
        requested_by="clerk",
        replay=replay,
    )
    refunding.approve(e.w.desk, asked, approved_by="officer")
    assert e.now_of(settled_one).refunded_rial == 234_500
    assert e.issue_all() == [Issue.ISSUED]  # of the year that is left


WRITES_OF_THE_JOURNEY = 15
"""Fewer would mean that the storm passed some of them by."""


@pytest.mark.parametrize("operation", ["TransactWriteItems", "GetItem", "Query"])
@pytest.mark.parametrize("attempts", [1, 4], ids=["asked once", "asked again by the SDK"])
def test_scenario_03_lost_response_of_every_call_is_read_back_and_counts_once(
    engine_tables: EngineTables, operation: str, attempts: int
) -> None:
    """Each other response is lost after the engine has acted; the next try, or our read-back, clears it up."""
    if operation != "TransactWriteItems" and attempts == 1:
        pytest.skip("a read that nobody repeats is an honest 503, and changes nothing")
    e = engine_tables.fresh(faulty=True, attempts=attempts)
    e.proxy.faults({"operation": operation, "sequence": {"fail": 1, "pass": 1}, **LOST})
    journey(e)
    lost = [fault for fault in e.proxy.fired() if fault["operation"] == operation]
    e.proxy.calm()
    if operation == "TransactWriteItems":
        assert len(lost) >= WRITES_OF_THE_JOURNEY // (1 if attempts == 4 else 2)
    assert lost
    entries = [item for item in e.items("ledger") if "#JOURNAL#" in item["pk"]]
    kinds = sorted(item["kind"] for item in entries)
    assert kinds == ["payment_settled", "payment_suspense", *["refund_approved"] * 2, "refund_paid"]
    standing = sorted(item["status"] for item in e.items("duty") if "trace_hash" in item and "kind" in item)
    assert standing == ["in_force", "superseded"]
    cleared = sum(
        int(posting.get("debit_rial", 0)) - int(posting.get("credit_rial", 0))
        for item in entries
        for posting in item["postings"]
        if posting["account"].startswith("gateway_clearing")
    )
    assert cleared == int(AMOUNT)


def test_scenario_03_lost_responses_leave_the_same_history_as_a_quiet_day(engine_tables: EngineTables) -> None:
    """With every answer of a write lost, the tables hold what they hold on a day without faults."""
    told = []
    for attempts in (4, 1):
        e = engine_tables.fresh(faulty=attempts == 1, attempts=attempts)
        if attempts == 1:
            e.proxy.faults({"operation": "TransactWriteItems", **LOST})
        payment = paid(e, opened(e, 1))
        e.proxy.calm()
        happened = [event.occurrence for event in e.w.desk.store.events(payment)]
        told.append((payment.status, payment.version, happened, sorted(kinds_of(e))))
    assert told[0] == told[1]


def kinds_of(e: Emulated) -> list[tuple[str, str]]:
    """Each item's table, and the first word of its key: what there is, and how often."""
    return [(name, str(item["pk"]).partition("#")[0]) for name in e.tables for item in e.items(name)]
