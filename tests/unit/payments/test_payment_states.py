"""The table of states, held to itself and to its page."""

from __future__ import annotations

import re
from pathlib import Path

from functions.pay.rules.states import OPEN, TRANSITIONS, Occurrence, Status, after

PAGE = Path(__file__).resolve().parents[3] / "docs" / "payments.md"
ENDS = {Status.FAILED, Status.REFUNDED}


def test_every_state_but_the_ends_leads_somewhere_and_the_ends_nowhere() -> None:
    leaving = {status for status, _ in TRANSITIONS}
    assert leaving == set(Status) - ENDS


def test_every_state_is_reached_from_created() -> None:
    reached = {Status.CREATED}
    for _ in Status:
        reached |= {target for (status, _), target in TRANSITIONS.items() if status in reached}
    assert reached == set(Status)


def test_settled_is_reached_by_a_verified_payment_a_paid_bill_or_two_people_alone() -> None:
    assert {key for key, target in TRANSITIONS.items() if target is Status.SETTLED} - {
        (Status.SETTLED, Occurrence.PARTLY_REFUNDED)
    } == {
        (Status.VERIFYING, Occurrence.VERIFIED),
        (Status.CREATED, Occurrence.PARENT_SETTLED),
        (Status.PENDING, Occurrence.BILL_PAID),
        (Status.EXPIRED, Occurrence.BILL_PAID),
        (Status.CANCELLED, Occurrence.BILL_PAID),
        (Status.SUSPENSE, Occurrence.MATCHED),
    }


def test_paid_money_never_leads_to_an_open_payment_again() -> None:
    for (status, _), target in TRANSITIONS.items():
        if status in {Status.SETTLED, Status.SUSPENSE, Status.REFUNDING}:  # refunds lead on, never back
            assert target not in OPEN | {Status.EXPIRED, Status.CANCELLED, Status.FAILED}


def test_unknown_transition_is_none() -> None:
    assert after(Status.SETTLED, Occurrence.CANCELLED) is None


def test_the_page_lists_exactly_the_table() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| `(\w+)` \|", PAGE.read_text(encoding="utf-8"), re.M)
    assert {((Status(a), Occurrence(b)), Status(c)) for a, b, c in rows} == set(TRANSITIONS.items())
    assert len(rows) == len(TRANSITIONS)
