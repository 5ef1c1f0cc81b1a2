"""Agreements to pay by instalments over DynamoDB (moto): what each step writes, and what rights it needs."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from avarez import keys
from avarez.clock import to_rfc3339
from avarez.dynamo import Item, Table, transact
from avarez.errors import AgreementConflict, DutyByInstalments, DutyLocked, DutyPaid, TransactionRefused
from avarez.journal import YearAmount
from avarez.quotes.store import DutyStore
from functions.pay import sweep as sweep_function
from functions.pay.audit.books_store import Books
from functions.pay.audit.checks import check
from functions.pay.counter import agreements as agreements_function
from functions.pay.payments import instalments, reconciliation, refunding
from functions.pay.payments.opening import Asked, create
from functions.pay.rules.instalments import Agreement, AgreementStatus
from functions.pay.rules.records import Payment, Replay
from functions.pay.rules.refunds import RefundStatus
from functions.pay.rules.states import Status
from tests.contract.pay_counter import Counter, granted
from tests.contract.payments.test_payment_store import quote_writer
from tests.contract.payments.test_refunds import CLIENT, ISSUER, put_in_force
from tests.unit.payments.payments_fake import CLERK, quote


def now(counter: Counter, agreement: Agreement) -> Agreement:
    found = counter.w.desk.store.agreement(agreement.agreement_id)
    assert found is not None
    return found


def duty(counter: Counter, whose: str, number: int) -> Item | None:
    return counter.duty.get(keys.duty(whose, number))


def note(counter: Counter, agreement: Agreement) -> Item:
    found = counter.duty.get(keys.agreement_note(agreement.vehicle_id, agreement.agreement_id))
    assert found is not None
    return found


def test_agreement_comes_back_as_it_was_written_and_binds_its_years(counter: Counter) -> None:
    agreement = counter.agreement(1)
    assert now(counter, agreement) == agreement
    for part in agreement.years:
        bound = duty(counter, "ve_1", part.year)
        assert bound is not None
        assert (bound["status"], bound["agreement_id"]) == ("by_instalments", agreement.agreement_id)
    quote_writer(Table("duty", counter.recorder.dynamodb))(
        quote(counter.w.clock, 2, vehicle_id="ve_1", plate="99B999-99", municipality="SHIRAZ")
    )
    asked = Asked((f"as_{2:036d}",), "gateway", "", "")
    with pytest.raises(DutyByInstalments) as refused:
        create(counter.w.desk, principal=CLERK, key="other", asked=asked)
    assert refused.value.extra == {"agreement_id": agreement.agreement_id}
    known = DutyStore(counter.duty).agreements("ve_1", "TEHRAN")
    assert [(one.agreement_id, one.open_years, one.until) for one in known] == [
        (agreement.agreement_id, frozenset({1403, 1404}), None)
    ]
    assert DutyStore(counter.duty).agreements("ve_1", "SHIRAZ") == []


def test_a_taken_year_or_a_second_approval_is_refused_whole(counter: Counter) -> None:
    counter.open(1)  # leases the years of this car
    with pytest.raises(DutyLocked):
        counter.agreement(1)
    agreement = counter.agreement(3)
    with pytest.raises(AgreementConflict):
        instalments.approve(counter.w.desk, agreement, by="another")
    with pytest.raises(TransactionRefused):
        counter.w.desk.store.break_agreement(
            replace(agreement, version=1), agreement.broken(), counter.w.clock.now()
        )


def test_parts_pay_their_years_and_the_last_one_is_certified(counter: Counter) -> None:
    agreement = counter.agreement(1)
    first = counter.paid_part(agreement, "p1")
    assert (first.status, first.certificate_id, first.completes) == (Status.SETTLED, "", ())
    paid = duty(counter, agreement.agreement_id, 1)
    assert paid is not None
    assert (paid["status"], paid["payment_id"], paid["amount_rial"]) == ("paid", first.payment_id, 618_000)
    assert note(counter, agreement)["open_years"] == [1403, 1404]
    last = counter.paid_part(agreement, "p2")
    key = keys.certificate(last.municipality, last.plate, last.certificate_id)
    certificate = counter.duty.get(key)
    assert certificate is not None
    assert certificate["years"] == [
        {"year": 1403, "amount_rial": 1_000_000},
        {"year": 1404, "amount_rial": 234_500},
    ]
    assert (certificate["amount_rial"], certificate["fee_rial"], certificate["rounding_rial"]) == (1_234_500, 0, 0)
    years = DutyStore(counter.duty).paid_years("ve_1", [1403, 1404])
    assert [(year.year, year.amount_rial, year.payment_id) for year in years] == [
        (1403, 1_000_000, last.payment_id),
        (1404, 234_500, last.payment_id),
    ]
    obligation = counter.duty.get(keys.obligation(last.municipality, last.plate, 1404))
    assert obligation is not None
    assert obligation["payment_id"] == last.payment_id
    assert now(counter, agreement).status is AgreementStatus.COMPLETED
    assert counter.duty.query(keys.open_payments(keys.shard_of(agreement.agreement_id))) == []


def test_two_payments_of_one_part_and_one_that_comes_too_late(counter: Counter) -> None:
    agreement = counter.agreement(1)
    first = counter.part(agreement, "k1")
    with pytest.raises(DutyLocked):
        counter.part(agreement, "k2")
    counter.w.clock.instant = first.expires_at + timedelta(seconds=1)
    second = counter.paid_part(agreement, "k3")
    assert second.status is Status.SETTLED
    counter.w.gateway.pay(first.token)
    counter.callback(first)
    assert counter.now_of(first.payment_id).status is not Status.SETTLED
    assert now(counter, agreement).paid_parts == 1
    late = counter.part(agreement, "k4")
    behind = Payment(**{**_members(late), "instalment": 1, "payment_id": first.payment_id})
    with pytest.raises(DutyPaid):
        counter.w.desk.store._payable(behind)  # type: ignore[attr-defined]


def _members(payment: Payment) -> dict[str, Any]:
    return {name: getattr(payment, name) for name in Payment.__dataclass_fields__}


def test_late_part_frees_the_years_and_leaves_a_credit(counter: Counter) -> None:
    agreement = counter.agreement(1, parts=3)
    counter.paid_part(agreement, "p1")
    counter.w.clock.instant += timedelta(days=46)
    reconciliation.sweep(counter.w.desk, time_left=lambda: True)
    broken = now(counter, agreement)
    assert (broken.status, broken.broken_on) == (AgreementStatus.BROKEN, agreement.parts[1].due_on)
    assert duty(counter, "ve_1", 1403) is None
    void = duty(counter, agreement.agreement_id, 2)
    assert void is not None
    assert void["status"] == "void"
    (known,) = DutyStore(counter.duty).agreements("ve_1", "TEHRAN")
    assert (known.open_years, known.credits, known.until) == (
        frozenset(),
        ((1403, agreement.parts[0].amount_rial),),
        agreement.parts[1].due_on,
    )
    assert counter.duty.query(keys.open_payments(keys.shard_of(agreement.agreement_id))) == []
    with pytest.raises(DutyPaid):
        counter.w.desk.store._explain_claims(  # type: ignore[attr-defined]
            ((agreement.agreement_id, 2),), "py_x", "clerk", counter.w.clock.now()
        )


def test_part_that_is_being_paid_is_not_broken(counter: Counter) -> None:
    agreement = counter.agreement(1)
    counter.w.clock.instant += timedelta(days=20)
    payment = counter.part(agreement)
    with pytest.raises(TransactionRefused):
        counter.w.desk.store.break_agreement(agreement, agreement.broken(), counter.w.clock.now())
    counter.w.gateway.pay(payment.token)
    counter.callback(payment)
    assert now(counter, agreement).paid_parts == 1


def test_refund_of_the_last_part_revokes_and_binds_again(counter: Counter) -> None:
    agreement = counter.agreement(1)
    counter.paid_part(agreement, "p1")
    last = counter.paid_part(agreement, "p2")
    put_in_force(counter, last, last.certificate_id)
    replay = Replay("clerk", "POST", "r", "hash", "", 1_900_000_000)
    asked = refunding.request(counter.w.desk, last, years=[], reason="twice", requested_by="clerk", replay=replay)
    assert refunding.approve(counter.w.desk, asked, approved_by="officer").status is RefundStatus.DONE
    certificate = counter.duty.get(keys.certificate(last.municipality, last.plate, last.certificate_id))
    assert certificate is not None
    assert certificate["status"] == "revoked"
    assert duty(counter, agreement.agreement_id, 2) is None
    bound = duty(counter, "ve_1", 1404)
    assert bound is not None
    assert bound["status"] == "by_instalments"
    assert (now(counter, agreement).status, now(counter, agreement).paid_parts) == (AgreementStatus.IN_FORCE, 1)
    again = counter.paid_part(agreement, "p3")
    assert again.certified == (YearAmount(1403, 1_000_000), YearAmount(1404, 234_500))


def test_invariants_hold_of_parts_and_find_a_part_that_was_lost(counter: Counter) -> None:
    agreement = counter.agreement(1)
    counter.paid_part(agreement, "p1")
    counter.paid_part(agreement, "p2")
    day = counter.w.clock.now().date().isoformat()
    books = Books(counter.duty, Table("ledger", counter.recorder.dynamodb))
    instant = counter.w.clock.now()
    assert check(books.book("TEHRAN", day, instant)) == []
    gone = keys.duty(agreement.agreement_id, 1)
    transact([counter.duty.delete(gone)], dynamodb=counter.duty.dynamodb)
    (broken,) = check(books.book("TEHRAN", day, instant))
    assert broken.invariant == "I4"


# --- over HTTP ------------------------------------------------------------------------------------------


def call(
    monkeypatch: pytest.MonkeyPatch,
    route: str,
    params: dict[str, str],
    body: Any = None,
    query: dict[str, str] | None = None,
    **claims: Any,
) -> tuple[int, dict[str, Any]]:
    monkeypatch.setenv("TOKEN_ISSUER", ISSUER)
    monkeypatch.setenv("USER_POOL_CLIENT_ID", CLIENT)
    monkeypatch.setenv("DUTY_TABLE", "duty")
    method, _, path = route.partition(" ")
    signed_in = {
        "token_use": "access", "iss": ISSUER, "client_id": CLIENT, "username": "clerk",
        "cognito:groups": "[office]", "serves": "*", **claims,
    }  # fmt: skip
    scopes = ["avarez/payments.read", "avarez/payments.write", "avarez/refunds.approve"]
    event = {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path.format(**params),
        "headers": {},
        "pathParameters": params,
        "queryStringParameters": query or {},
        "body": json.dumps(body),
        "isBase64Encoded": False,
        "requestContext": {
            "requestId": "r1",
            "http": {"method": method, "sourceIp": "127.0.0.1"},
            "authorizer": {"jwt": {"claims": signed_in, "scopes": scopes}},
        },
    }
    answer = agreements_function.handle(event, None)
    return answer["statusCode"], json.loads(answer["body"])


def test_agreement_over_http_uses_exactly_what_it_is_granted(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = quote(counter.w.clock, 7, vehicle_id="ve_7")
    offered = quote(
        counter.w.clock, 8, vehicle_id="ve_8",
        instalments={
            "parts_max": 3, "every_months": 2, "grace_days": 5, "least_rial": "1000", "surcharge_ppm": 10_000,
        },
    )  # fmt: skip
    for made in (plain, offered):
        quote_writer(Table("duty", counter.recorder.dynamodb))(made)
    route, one = "POST /v1/instalment-agreements", "GET /v1/instalment-agreements/{id}"
    approval = "POST /v1/instalment-agreements/{id}/approvals"
    listing = "GET /v1/municipalities/{code}/instalment-agreements"

    def everything() -> None:
        body = {"assessment_id": plain.assessment_id, "parts": 2}
        assert call(monkeypatch, route, {}, body)[1]["code"] == "instalments_not_offered"
        status, made = call(monkeypatch, route, {}, {**body, "assessment_id": offered.assessment_id})
        assert (status, made["status"], made["surcharge_rial"]) == (201, "requested", "12345")
        assert (made["rounding_rial"], made["total_rial"]) == ("155", "1247000")
        assert [(part["amount_rial"], part["due_jalali"]) for part in made["parts"]] == [
            ("624000", "1405-09-02"),
            ("623000", "1405-11-02"),
        ]
        own = {"id": made["agreement_id"]}
        officer: dict[str, Any] = {
            "cognito:groups": "[municipality]", "municipality": "SHIRAZ", "username": "officer",
        }  # fmt: skip
        assert call(monkeypatch, one, own, **officer)[1]["code"] == "agreement_not_found"
        assert call(monkeypatch, approval, own)[1]["code"] == "second_person_required"
        officer["municipality"] = "TEHRAN"
        status, told = call(monkeypatch, approval, own, **officer)
        assert (status, told["status"], told["approved_by"]) == (200, "in_force", "officer")
        assert call(monkeypatch, approval, own, **officer)[1]["code"] == "agreement_conflict"
        assert call(monkeypatch, one, own, **officer) == (200, told)
        assert call(monkeypatch, route, {}, {**body, "parts": 0})[1]["code"] == "invalid_input"
        status, page = call(monkeypatch, listing, {"code": "TEHRAN"}, **officer)
        assert (status, [of["agreement_id"] for of in page["agreements"]]) == (200, [own["id"]])

    assert counter.used(everything) == granted("pay-agreements")


def test_city_lists_its_agreements_with_their_states_and_turns_down_what_waits(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    terms = {"parts_max": 3, "every_months": 1, "grace_days": 5, "least_rial": "1000", "surcharge_ppm": 0}
    asked: list[Agreement] = []
    for number in (8, 9):
        made = quote(counter.w.clock, number, vehicle_id=f"ve_{number}", instalments=terms)
        quote_writer(Table("duty", counter.recorder.dynamodb))(made)
        asked.append(
            instalments.request(counter.w.desk, principal=CLERK, assessment_id=made.assessment_id, parts=2)
        )
    running = counter.agreement(1)
    listing, rejection = (
        "GET /v1/municipalities/{code}/instalment-agreements",
        "POST /v1/instalment-agreements/{id}/rejections",
    )
    officer: dict[str, Any] = {
        "cognito:groups": "[municipality]", "municipality": "TEHRAN", "username": "officer",
    }  # fmt: skip

    def states(**query: str) -> list[tuple[str, str]]:
        status, page = call(monkeypatch, listing, {"code": "TEHRAN"}, query=query, **officer)
        assert (status, page["municipality"], page["cursor"]) == (200, "TEHRAN", None)
        return [(of["agreement_id"], of["status"]) for of in page["agreements"]]

    newest_first = [running.agreement_id, asked[1].agreement_id, asked[0].agreement_id]
    assert states() == list(zip(newest_first, ("in_force", "requested", "requested"), strict=True))
    own = {"id": asked[0].agreement_id}
    assert call(monkeypatch, rejection, own, {"reason": "x"}, **officer)[1]["code"] == "invalid_input"
    status, told = call(monkeypatch, rejection, own, {"reason": "owes the city otherwise"}, **officer)
    assert (status, told["status"], told["rejected_by"]) == (200, "rejected", "officer")
    assert told["rejection_reason"] == "owes the city otherwise"
    assert now(counter, asked[0]).rejected_by == "officer"
    for step in (rejection, "POST /v1/instalment-agreements/{id}/approvals"):
        assert call(monkeypatch, step, own, {"reason": "once more"}, **officer)[1]["code"] == "agreement_conflict"
    busy = {"id": running.agreement_id}
    assert call(monkeypatch, rejection, busy, {"reason": "too late"}, **officer)[1]["code"] == "agreement_conflict"
    assert duty(counter, "ve_8", 1403) is None  # it bound nothing, and nothing tells quotes of it
    assert counter.duty.get(keys.agreement_note("ve_8", asked[0].agreement_id)) is None

    counter.w.clock.instant += timedelta(days=40)
    assert states() == list(zip(newest_first, ("in_force", "lapsed", "rejected"), strict=True))
    assert states(status="lapsed") == [(asked[1].agreement_id, "lapsed")]
    assert states(cursor=running.agreement_id) == states()[1:]
    _, page = call(monkeypatch, listing, {"code": "TEHRAN"}, **officer)
    assert page["agreements"][0]["next"]["overdue"] is True
    assert page["agreements"][0]["next"]["number"] == 1
    for query, pointer in (({"cursor": "x"}, "/query/cursor"), ({"status": "x"}, "/query/status")):
        _, refused = call(monkeypatch, listing, {"code": "TEHRAN"}, query=query, **officer)
        assert refused["errors"][0]["pointer"] == pointer
    foreign = officer | {"municipality": "SHIRAZ"}
    assert call(monkeypatch, listing, {"code": "TEHRAN"}, **foreign)[1]["code"] == "municipality_unknown"


def test_sweep_breaks_an_agreement_with_its_own_rights(counter: Counter) -> None:
    agreement = counter.agreement(1)
    counter.w.clock.instant += timedelta(days=17)
    assert to_rfc3339(counter.w.clock.now()) > agreement.due_text
    used = counter.used(lambda: sweep_function.handle({}, None))
    assert used <= granted("pay-sweep")
    assert now(counter, agreement).status is AgreementStatus.BROKEN
