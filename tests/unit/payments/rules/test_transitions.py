"""Every pair of state and occurrence, against the tables of `docs/payments.md` and the words of the rules."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest

from functions.pay.rules.records import Payment
from functions.pay.rules.refunds import REFUND_TRANSITIONS, RefundStatus
from functions.pay.rules.states import OPEN, TRANSITIONS, Occurrence, Status, after
from tests.unit.payments.payments_fake import NOON, a_payment, a_refund

PAGE = Path(__file__).resolve().parents[4] / "docs" / "payments.md"
ROWS = re.findall(r"^\| `(\w+)` \| `(\w+)` \| `(\w+)` \|", PAGE.read_text(encoding="utf-8"), re.M)
LEGAL = {(Status(before), Occurrence(what)): Status(then) for before, what, then in ROWS}
PAIRS = list(product(Status, Occurrence))
LATER = NOON + timedelta(minutes=3)

STORED_WITHOUT_A_TRANSITION = {
    Occurrence.CREATED,
    Occurrence.CALLBACK_REPEATED,
    Occurrence.CALLBACK_EARLY,
    Occurrence.CALLBACK_LATE,
    Occurrence.CALLBACK_REFUSED,
    Occurrence.CALLBACK_UNPROVEN,
    Occurrence.REFERENCE_REUSED,
}
MONEY_IS_OURS = {
    Occurrence.VERIFIED,
    Occurrence.PARENT_SETTLED,
    Occurrence.BILL_PAID,
    Occurrence.CONFIRMED_TOO_LATE,
    Occurrence.AMOUNT_DIFFERS,
    Occurrence.MATCHED,
}
GIVES_UP = {
    Occurrence.CANCELLED,
    Occurrence.CANCELLED_AT_GATEWAY,
    Occurrence.WINDOW_PASSED,
    Occurrence.LEASE_LOST,
    Occurrence.MONEY_RETURNED,
    Occurrence.PARENT_ENDED,
    Occurrence.PART_REFUSED,
    Occurrence.TOKEN_REFUSED,
    Occurrence.BILL_SUPERSEDED,
    Occurrence.RELEASED,
    Occurrence.CLOSED_WITHOUT_SALE,
}


def standing(status: Status) -> Payment:
    return a_payment(status=status, version=7, open_due_at=NOON)


@pytest.mark.parametrize(("status", "occurrence"), PAIRS)
def test_pair_leads_where_the_page_says_or_nowhere(status: Status, occurrence: Occurrence) -> None:
    wanted = LEGAL.get((status, occurrence))
    assert after(status, occurrence) is wanted
    if wanted is None:
        with pytest.raises(KeyError):
            standing(status).next(occurrence, open_due_at=None)
        return
    moved = standing(status).next(occurrence, open_due_at=LATER, tracking="t1")
    assert (moved.status, moved.version, moved.open_due_at, moved.tracking) == (wanted, 8, LATER, "t1")
    assert moved.payment_id == "py_1"


def test_what_is_only_stored_never_moves_a_payment() -> None:
    assert set(Occurrence) - {what for _, what in LEGAL} == STORED_WITHOUT_A_TRANSITION


@pytest.mark.parametrize(("pair", "target"), list(TRANSITIONS.items()))
def test_confirmed_money_ends_in_settled_or_suspense_and_nothing_else_does(
    pair: tuple[Status, Occurrence], target: Status
) -> None:
    before, what = pair
    if what in MONEY_IS_OURS:
        assert target in {Status.SETTLED, Status.SUSPENSE}
    elif what is not Occurrence.PARTLY_REFUNDED:
        assert target not in {Status.SETTLED, Status.SUSPENSE}
    if what in GIVES_UP:
        assert before in OPEN
        assert target in {Status.FAILED, Status.CANCELLED, Status.EXPIRED}


def test_no_time_ends_a_payment_that_is_being_verified() -> None:
    assert after(Status.VERIFYING, Occurrence.WINDOW_PASSED) is None
    assert after(Status.VERIFYING, Occurrence.CANCELLED) is None


def test_the_sweep_looks_after_exactly_the_states_without_a_result() -> None:
    assert {Status.CREATED, Status.PENDING, Status.VERIFYING} == OPEN
    for status in Status:
        assert standing(status).unfinished == (status in {"created", "pending", "verifying"})
        assert a_payment(status=status, releasing=True).unfinished


REFUND_STEPS = {
    ("requested", "approved"),  # it is on its way through the gateway
    ("requested", "payable"),  # nothing can be sent back: it waits for a transfer
    ("requested", "rejected"),
    ("approved", "payable"),  # the gateway refused after all
    ("approved", "done"),
    ("payable", "done"),  # the transfer was entered
}


@pytest.mark.parametrize(("before", "then"), list(product(RefundStatus, RefundStatus)))
def test_refund_moves_by_its_table_only(before: RefundStatus, then: RefundStatus) -> None:
    refund = a_refund(status=before, version=4, open_due_at=NOON)
    assert (then in REFUND_TRANSITIONS[before]) == ((before, then) in REFUND_STEPS)
    if (before, then) not in REFUND_STEPS:
        with pytest.raises(ValueError, match=f"{before}.*{then}"):
            refund.next(then)
        return
    moved = refund.next(then, open_due_at=LATER, decided_by="officer")
    assert (moved.status, moved.version, moved.open_due_at, moved.decided_by) == (then, 5, LATER, "officer")
    assert refund.next(then).open_due_at is None
