"""Sales at a terminal: the row before the sale, answers lost, slips read twice, the day closed against a list."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta

import pytest

from avarez.errors import (
    DutyLocked,
    Forbidden,
    PosResultConflict,
    ReferenceReused,
    SecondPersonRequired,
    TerminalNotFound,
)
from functions.pay.payments import terminals
from functions.pay.payments.opening import Asked
from functions.pay.payments.terminals import Slip
from functions.pay.rules.records import Payment
from functions.pay.rules.states import Occurrence, Status
from functions.pay.rules.terminals import Closing, ClosingLine, Terminal
from tests.unit.payments.payments_fake import CLERK, OTHER_CLERK, Crash, World, quote, world
from tests.unit.payments.payments_steps import now_of, occurrences, open_one, sweep

TODAY = date(2026, 11, 23)
AMOUNT_RIAL = 1_235_000


def shop() -> World:
    w = world()
    w.store.machines["T-1"] = Terminal("T-1", "of1", "saman")
    return w


def sell(w: World, number: int = 1, *, terminal: str = "T-1") -> Payment:
    made = quote(w.clock, 700 + number, vehicle_id=f"ve_{number}")
    w.store.quotes[made.assessment_id] = made
    asked = Asked((made.assessment_id,), "pos", "", "", terminal=terminal)
    opened = terminals.create(w.desk, principal=CLERK, key=f"s{number}", asked=asked)
    payment = w.store.payment(opened.payment_id)
    assert payment is not None
    return payment


def close(w: World, *lines: ClosingLine, day: date = TODAY) -> Closing:
    terminal = w.store.machines["T-1"]
    return terminals.close_day(w.desk, terminal, day=day, lines=lines, closed_by="clerk")


def balance(w: World, account: str) -> int:
    found = [posting for entry in w.store.journal for posting in entry.postings if posting.account == account]
    return sum(posting.debit_rial - posting.credit_rial for posting in found)


def test_row_is_written_before_the_sale_and_no_time_ends_its_lease() -> None:
    w = shop()
    sale = sell(w)
    assert sale.status is Status.PENDING
    assert sale.answer is not None
    assert sale.answer["pos"]["amount_rial"] == str(AMOUNT_RIAL)
    w.clock.advance(timedelta(days=3))
    sweep(w)
    with pytest.raises(DutyLocked):
        open_one(w, number=9, expires_at=w.clock.now() + timedelta(hours=1), as_of=date(2026, 11, 26))
    assert now_of(w, sale).status is Status.PENDING
    assert "pos_left_open" in w.reports


def test_approved_sale_settles_and_its_repetition_changes_nothing() -> None:
    w = shop()
    sale = sell(w)
    slip = Slip("123456789012", AMOUNT_RIAL, "4711")
    for _ in range(3):
        after = terminals.approved(w.desk, now_of(w, sale), slip)
    assert (after.status, after.tracking, after.reference) == (Status.SETTLED, "4711", "T-1-123456789012")
    assert balance(w, "pos_clearing:saman") == AMOUNT_RIAL
    assert len(w.store.journal) == 1


def test_another_amount_on_the_terminal_stands_in_suspense() -> None:
    w = shop()
    sale = sell(w)
    after = terminals.approved(w.desk, sale, Slip("1234", AMOUNT_RIAL + 10))
    assert (after.status, after.confirmed_rial) == (Status.SUSPENSE, AMOUNT_RIAL + 10)
    sweep(w)
    (refund,) = w.store.refunds.values()
    assert refund.status.value == "payable"


def test_one_slip_pays_one_sale() -> None:
    w = shop()
    first, second = sell(w, 1), sell(w, 2)
    terminals.approved(w.desk, first, Slip("1234", AMOUNT_RIAL))
    with pytest.raises(ReferenceReused):
        terminals.approved(w.desk, second, Slip("1234", AMOUNT_RIAL))
    assert now_of(w, second).status is Status.PENDING


def test_slip_that_is_typed_in_needs_a_second_look() -> None:
    w = shop()
    sale = terminals.typed_in(w.desk, sell(w), Slip("1234", AMOUNT_RIAL), by="clerk")
    assert sale.status is Status.VERIFYING
    with pytest.raises(SecondPersonRequired):
        terminals.looked_at_again(w.desk, sale, Slip("1234", AMOUNT_RIAL), by="clerk")
    after = terminals.looked_at_again(w.desk, sale, Slip("1234", AMOUNT_RIAL), by="other")
    assert after.status is Status.SETTLED


@pytest.mark.parametrize("slip", [Slip("1235", AMOUNT_RIAL), Slip("1234", AMOUNT_RIAL + 1)])
def test_two_readings_that_differ_settle_nothing_and_may_be_made_again(slip: Slip) -> None:
    w = shop()
    sale = terminals.typed_in(w.desk, sell(w), Slip("1234", AMOUNT_RIAL), by="clerk")
    with pytest.raises(PosResultConflict):
        terminals.looked_at_again(w.desk, sale, slip, by="other")
    again = now_of(w, sale)
    assert (again.status, w.store.journal) == (Status.PENDING, [])
    again = terminals.typed_in(w.desk, again, Slip("1234", AMOUNT_RIAL), by="other")
    assert terminals.looked_at_again(w.desk, again, Slip("1234", AMOUNT_RIAL), by="clerk").settled_at


def test_declined_sale_frees_the_duties() -> None:
    w = shop()
    after = terminals.declined(w.desk, sell(w))
    assert (after.status, w.store.duties) == (Status.CANCELLED, {})
    assert terminals.declined(w.desk, after) == after


def test_release_takes_two_people() -> None:
    w = shop()
    sale = terminals.release(w.desk, sell(w), by="clerk")
    assert (sale.status, sale.released_by) == (Status.PENDING, "clerk")
    with pytest.raises(SecondPersonRequired):
        terminals.release(w.desk, sale, by="clerk")
    assert terminals.release(w.desk, sale, by="other").status is Status.CANCELLED
    assert w.store.duties == {}
    with pytest.raises(PosResultConflict):
        terminals.approved(w.desk, now_of(w, sale), Slip("1", AMOUNT_RIAL))


def test_another_offices_terminal_and_sale_are_out_of_reach() -> None:
    w = shop()
    w.store.machines["T-2"] = Terminal("T-2", "of2", "saman")
    for terminal in ("T-2", "T-9", ""):
        with pytest.raises(TerminalNotFound):
            sell(w, terminal=terminal)
    with pytest.raises(Forbidden):
        terminals.check_its_office(sell(w), OTHER_CLERK)


def test_closing_that_agrees_has_no_variance() -> None:
    w = shop()
    terminals.approved(w.desk, sell(w, 1), Slip("1001", AMOUNT_RIAL))
    terminals.declined(w.desk, sell(w, 2))
    closing = close(w, ClosingLine("1001", AMOUNT_RIAL))
    assert (closing.ours_rial, closing.variance_rial, closing.done) == (AMOUNT_RIAL, 0, True)
    assert close(w, ClosingLine("1001", AMOUNT_RIAL)) == closing
    with pytest.raises(PosResultConflict):
        close(w, ClosingLine("1001", AMOUNT_RIAL + 1))


def test_lost_answer_is_found_at_the_closing_by_what_the_terminal_was_told() -> None:
    w = shop()
    lost, unsold = sell(w, 1), sell(w, 2)
    close(w, ClosingLine("1001", AMOUNT_RIAL, order_id=lost.payment_id))
    assert now_of(w, lost).status is Status.SETTLED
    assert now_of(w, unsold).status is Status.CANCELLED
    assert occurrences(w, unsold)[-1] is Occurrence.CLOSED_WITHOUT_SALE


def test_sale_that_the_terminal_lacks_is_booked_as_its_variance_once() -> None:
    w = shop()
    terminals.approved(w.desk, sell(w, 1), Slip("1001", AMOUNT_RIAL))
    typed = terminals.typed_in(w.desk, sell(w, 2), Slip("1002", AMOUNT_RIAL), by="clerk")
    closing = close(w)
    assert (closing.counted_rial, closing.ours_rial, closing.variance_rial) == (0, 0, 0)
    assert balance(w, "terminal_variance:T-1") == AMOUNT_RIAL
    assert balance(w, "pos_clearing:saman") == 0
    assert now_of(w, typed).status is Status.CANCELLED


def test_smaller_sum_on_the_list_books_the_difference() -> None:
    w = shop()
    terminals.approved(w.desk, sell(w, 1), Slip("1001", AMOUNT_RIAL))
    closing = close(w, ClosingLine("1001", AMOUNT_RIAL - 5_000))
    assert closing.variance_rial == -5_000
    assert balance(w, "terminal_variance:T-1") == 5_000
    assert balance(w, "pos_clearing:saman") == AMOUNT_RIAL - 5_000


def test_sale_that_we_lack_stands_in_suspense() -> None:
    w = shop()
    closing = close(w, ClosingLine("9009", 700_000))
    assert (closing.counted_rial, closing.variance_rial) == (700_000, 700_000)
    (found,) = w.store.payments.values()
    assert (found.status, found.amount_rial, found.terminal) == (Status.SUSPENSE, 700_000, "T-1")
    assert (found.office, found.reference, found.created_by) == (CLERK.office, "T-1-9009", "closing")
    assert balance(w, "pos_clearing:saman") == 700_000


def test_next_day_closes_only_its_own_sales() -> None:
    w = shop()
    terminals.approved(w.desk, sell(w, 1), Slip("1001", AMOUNT_RIAL))
    close(w, ClosingLine("1001", AMOUNT_RIAL))
    w.clock.advance(timedelta(days=1))
    made = quote(w.clock, 800, vehicle_id="ve_8", as_of=date(2026, 11, 24))
    w.store.quotes[made.assessment_id] = replace(made, expires_at=made.expires_at + timedelta(days=1))
    asked = Asked((made.assessment_id,), "pos", "", "", terminal="T-1")
    opened = terminals.create(w.desk, principal=CLERK, key="n", asked=asked)
    payment = w.store.payments[opened.payment_id]
    terminals.approved(w.desk, payment, Slip("1002", AMOUNT_RIAL))
    closing = close(w, ClosingLine("1002", AMOUNT_RIAL), day=TODAY + timedelta(days=1))
    assert (closing.ours_rial, closing.variance_rial) == (AMOUNT_RIAL, 0)
    assert balance(w, "terminal_variance:T-1") == 0


@pytest.mark.parametrize("writes", range(1, 12))
def test_closing_that_is_interrupted_is_gone_on_with(writes: int) -> None:
    w = shop()
    terminals.approved(w.desk, sell(w, 1), Slip("1001", AMOUNT_RIAL))
    lost, unsold = sell(w, 2), sell(w, 3)
    missing = terminals.approved(w.desk, sell(w, 4), Slip("1004", AMOUNT_RIAL))
    lines = (
        ClosingLine("1001", AMOUNT_RIAL),
        ClosingLine("1002", AMOUNT_RIAL, order_id=lost.payment_id),
        ClosingLine("9009", 700_000),
    )
    w.store.crash_after_writes = writes
    with suppress(Crash):
        close(w, *lines)
    w.store.crash_after_writes = None
    closing = close(w, *lines)
    assert closing.done
    assert (closing.ours_rial, closing.variance_rial) == (2 * AMOUNT_RIAL, 700_000)
    assert now_of(w, lost).status is Status.SETTLED
    assert now_of(w, unsold).status is Status.CANCELLED
    assert balance(w, "terminal_variance:T-1") == missing.amount_rial
    assert balance(w, "pos_clearing:saman") == 2 * AMOUNT_RIAL + 700_000
