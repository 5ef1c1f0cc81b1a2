"""Open money in suspense over DynamoDB (moto): listed with its age, matched to a duty by two people."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from avarez.errors import (
    DutyPaid,
    QuoteNotPayable,
    SecondPersonRequired,
    SuspenseAmountDiffers,
    SuspenseNotMatchable,
)
from functions.pay.audit.books_store import Books
from functions.pay.audit.checks import check
from functions.pay.payments import billing
from functions.pay.payments.arrival import receive
from functions.pay.rules.bills import PaidLine
from functions.pay.rules.records import Payment
from functions.pay.rules.states import Status
from functions.pay.sequencing.service import sequence
from functions.pay.sequencing.store import ChainTable
from functions.pay.suspense import handler
from functions.pay.suspense import match as matching
from functions.pay.suspense.match import MatchStatus
from functions.pay.suspense.store import SuspenseTable
from tests.contract.pay_counter import Counter, granted
from tests.contract.payments.test_payment_store import quote_writer
from tests.unit.payments.payments_fake import NOON, quote

PAIR = ("1117753200140", "12070160")  # 120,000 rial, of no bill of ours
AMOUNT_RIAL = 120_000
REASON = "the payer showed the slip"


@pytest.fixture
def table(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> SuspenseTable:
    store: Any = counter.w.desk.store
    made = SuspenseTable(store)
    monkeypatch.setattr(handler, "suspense", lambda: made)
    monkeypatch.setattr(handler, "clock", counter.w.clock)
    return made


def unmatched(counter: Counter, tracking: str = "123456") -> Payment:
    """Money of a bank's line that no bill of ours explains."""
    line = PaidLine(2, "02", NOON.date(), *PAIR, tracking)
    assert billing.take_line(counter.w.desk, line, bank="melli") is billing.Taken.SUSPENSE_UNMATCHED
    store: Any = counter.w.desk.store
    (found,) = [
        of for of in SuspenseTable(store).open_of("NATIONAL", after="!", limit=100) if of.tracking == tracking
    ]
    return found


def fitting(counter: Counter, number: int = 1, owed_rial: int = AMOUNT_RIAL, vehicle: str = "ve_77") -> str:
    from avarez.journal import YearAmount

    years = (YearAmount(1404, owed_rial - 500),)
    made = quote(counter.w.clock, number, vehicle_id=vehicle, years=years, rounding_rial=500, owed_rial=owed_rial)
    quote_writer(counter.duty)(made)
    return made.assessment_id


def test_two_people_give_open_money_to_a_duty_and_every_step_is_kept(
    counter: Counter, table: SuspenseTable
) -> None:
    payment = unmatched(counter)
    now = counter.w.clock.now()
    proposed = matching.propose(table, payment, assessment_id=fitting(counter), reason=REASON, by="first", now=now)
    assert table.matches([payment.payment_id]) == {payment.payment_id: proposed}
    with pytest.raises(SecondPersonRequired):
        matching.approve(table, payment, by="first", now=now)
    done = matching.approve(table, payment, by="second", now=now)
    assert [(step.what.value, step.by) for step in done.steps] == [("proposed", "first"), ("approved", "second")]
    assert table.match(payment.payment_id) == done
    settled = counter.now_of(done.settled_payment_id)
    assert (settled.status, settled.amount_rial, settled.municipality) == (Status.SETTLED, AMOUNT_RIAL, "TEHRAN")
    moved = counter.now_of(payment.payment_id)
    assert (moved.status, moved.certificate_id) == (Status.SETTLED, settled.certificate_id)
    assert table.open_of("NATIONAL", after="!", limit=100) == []
    store: Any = counter.w.desk.store
    book = Books(store.duty, store.ledger).book("TEHRAN", "2026-11-23", now)
    assert check(book) == []
    (entry,) = book.entries
    assert {of.account: of.debit_rial - of.credit_rial for of in entry.postings} == {
        "suspense": AMOUNT_RIAL,
        "municipality_payable:TEHRAN": -(AMOUNT_RIAL - 500),
        "municipality_rounding:TEHRAN": -500,
    }
    assert store.duty.get(("DUTY#ve_77#1404", "DUTY"))["payment_id"] == settled.payment_id
    with pytest.raises(SuspenseNotMatchable):
        matching.approve(table, moved, by="third", now=now)


def test_matched_duty_that_loses_its_certificate_is_named_by_the_invariants(
    counter: Counter, table: SuspenseTable
) -> None:
    payment, now = unmatched(counter), counter.w.clock.now()
    matching.propose(table, payment, assessment_id=fitting(counter), reason=REASON, by="first", now=now)
    matching.approve(table, payment, by="second", now=now)
    store: Any = counter.w.desk.store
    chain = ChainTable(store.ledger)
    sequence(chain, "TEHRAN", holder="sq_1", clock=counter.w.clock, time_left=lambda: True)
    book = Books(store.duty, store.ledger).book("TEHRAN", "2026-11-23", now + timedelta(minutes=6))
    assert {one.invariant for one in check(book)} == {"I4"}


def test_proposal_that_is_turned_down_gives_way_to_another(counter: Counter, table: SuspenseTable) -> None:
    payment, now = unmatched(counter), counter.w.clock.now()
    first = fitting(counter)
    matching.propose(table, payment, assessment_id=first, reason=REASON, by="first", now=now)
    with pytest.raises(SuspenseNotMatchable):
        matching.propose(table, payment, assessment_id=first, reason=REASON, by="second", now=now)
    matching.reject(table, payment, reason="another car", by="second", now=now)
    with pytest.raises(SuspenseNotMatchable):
        matching.approve(table, payment, by="second", now=now)
    other = fitting(counter, 2, vehicle="ve_78")
    again = matching.propose(table, payment, assessment_id=other, reason=REASON, by="second", now=now)
    assert [step.what for step in again.steps] == [
        MatchStatus.PROPOSED,
        MatchStatus.REJECTED,
        MatchStatus.PROPOSED,
    ]
    with pytest.raises(SecondPersonRequired):
        matching.approve(table, payment, by="second", now=now)
    assert matching.approve(table, payment, by="first", now=now).status is MatchStatus.APPROVED


def test_only_the_whole_amount_of_a_quote_of_today_is_matched(counter: Counter, table: SuspenseTable) -> None:
    payment, now = unmatched(counter), counter.w.clock.now()

    def proposed(assessment_id: str) -> None:
        matching.propose(table, payment, assessment_id=assessment_id, reason=REASON, by="first", now=now)

    for number, owed_rial in ((1, AMOUNT_RIAL - 1_000), (2, AMOUNT_RIAL + 1_000)):
        with pytest.raises(SuspenseAmountDiffers):
            proposed(fitting(counter, number, owed_rial))
    assessment_id = fitting(counter, 3)
    proposed(assessment_id)
    tomorrow = now + timedelta(days=1)
    with pytest.raises(QuoteNotPayable):
        matching.approve(table, payment, by="second", now=tomorrow)


def test_duty_that_is_paid_meanwhile_keeps_the_money_in_suspense(counter: Counter, table: SuspenseTable) -> None:
    first, second = unmatched(counter), unmatched(counter, "654321")
    now, assessment_id = counter.w.clock.now(), fitting(counter)
    for payment in (first, second):
        matching.propose(table, payment, assessment_id=assessment_id, reason=REASON, by="first", now=now)
    matching.approve(table, first, by="second", now=now)
    with pytest.raises(DutyPaid):
        matching.approve(table, second, by="second", now=now)
    assert [of.payment_id for of in table.open_of("NATIONAL", after="!", limit=100)] == [second.payment_id]


def test_payments_own_money_is_not_matched_since_it_goes_back(counter: Counter, table: SuspenseTable) -> None:
    payment = counter.open(1)
    counter.w.gateway.pay(payment.token)
    fields = {
        "order_id": payment.payment_id,
        "token": payment.token,
        "state": "paid",
        "reference": counter.w.gateway.slips[payment.token].reference,
        "amount": str(payment.amount_rial + 1),
    }
    receive(counter.w.desk, gateway_name="sandbox", fields=fields)
    held = counter.now_of(payment.payment_id)
    assert held.status is Status.SUSPENSE
    assert [of.payment_id for of in table.open_of("TEHRAN", after="!", limit=100)] == [held.payment_id]
    with pytest.raises(SuspenseNotMatchable):
        matching.propose(
            table, held, assessment_id=fitting(counter), reason=REASON, by="first", now=counter.w.clock.now()
        )


# --- over HTTP ------------------------------------------------------------------------------------------


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, Any]]:
    monkeypatch.setenv("TOKEN_ISSUER", "https://issuer.example/pool")
    monkeypatch.setenv("USER_POOL_CLIENT_ID", "client-1")

    def called(route: str, body: Any = None, *, by: str = "first", **path: str) -> tuple[int, Any]:
        group = "municipality" if by == "officer" else "operator"
        claims = {"token_use": "access", "iss": "https://issuer.example/pool", "client_id": "client-1"}
        claims |= {"username": by, "cognito:groups": f"[{group}]", "municipality": "TEHRAN"}
        event = {
            "version": "2.0",
            "routeKey": route,
            "rawPath": "/",
            "headers": {"content-type": "application/json"},
            "pathParameters": path,
            "queryStringParameters": {},
            "body": json.dumps(body) if body is not None else None,
            "requestContext": {
                "requestId": "r1",
                "http": {"method": route.partition(" ")[0], "sourceIp": "127.0.0.1"},
                "authorizer": {
                    "jwt": {"claims": claims, "scopes": ["avarez/ledger.read", "avarez/refunds.approve"]}
                },
            },
        }
        answer = handler.handle(event, None)
        return answer["statusCode"], json.loads(answer["body"])

    return called


LIST = "GET /v1/municipalities/{code}/suspense"
MATCH, APPROVE, REJECT = (f"POST /v1/suspense/{{id}}/{what}" for what in ("matches", "approvals", "rejections"))


def test_suspense_over_http_with_age_and_exactly_the_rights_that_are_granted(
    counter: Counter, table: SuspenseTable, call: Callable[..., tuple[int, Any]]
) -> None:
    payment = unmatched(counter)
    counter.w.clock.advance(timedelta(hours=1))

    def everything() -> None:
        status, told = call(LIST, code="NATIONAL")
        (row,) = told["suspense"]
        assert (status, row["amount_rial"], row["age_bucket"], row["match"]) == (200, "120000", "0-1", None)
        body = {"assessment_id": fitting(counter), "reason": REASON}
        assert call(MATCH, body, by="officer", id=payment.payment_id)[1]["code"] == "payment_not_found"
        assert call(MATCH, {**body, "assessment_id": "as_none"}, id=payment.payment_id)[0] == 404
        assert call(MATCH, body, id=payment.payment_id)[0] == 201
        assert call(APPROVE, id=payment.payment_id)[1]["code"] == "second_person_required"
        assert call(REJECT, {"reason": "no such car"}, id=payment.payment_id)[0] == 200
        assert call(APPROVE, by="second", id=payment.payment_id)[1]["code"] == "suspense_not_matchable"
        assert call(MATCH, body, id=payment.payment_id)[0] == 201
        status, told = call(APPROVE, by="second", id=payment.payment_id)
        assert (status, told["match"]["status"], len(told["match"]["steps"])) == (200, "approved", 4)
        assert call(LIST, code="NATIONAL")[1]["suspense"] == []
        wrong = {**body, "assessment_id": fitting(counter, 9, 5_000)}
        other = unmatched(counter, "222222")
        assert call(MATCH, wrong, id=other.payment_id)[1]["code"] == "suspense_amount_differs"

    assert counter.used(everything) == granted("pay-suspense")
    assert call(LIST, by="officer", code="NATIONAL")[0] == 422
