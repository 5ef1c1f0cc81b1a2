"""What a joint payment writes down: the whole, its parts, their histories; what caller and queue are told."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from avarez.clock import to_rfc3339
from avarez.errors import (
    AssessmentNotFound,
    AvarezError,
    DutyLocked,
    GatewayUnavailable,
    IdempotencyMismatch,
    InvalidInput,
    QuoteExpired,
    ReturnUrlRefused,
    ServiceBusy,
    TransactionRefused,
)
from avarez.http.principal import Principal
from avarez.journal import YearAmount
from functions.pay.payments import reconciliation
from functions.pay.payments.joint import opening as joint
from functions.pay.payments.joint import parts
from functions.pay.payments.opening import Asked, Opened
from functions.pay.rules.fees import Fee
from functions.pay.rules.records import Chunk, ChunkState, Payment, Quote
from functions.pay.rules.states import Status
from tests.unit.payments.payments_books import check_books, history
from tests.unit.payments.payments_fake import CLERK, NOON, Crash, World, world
from tests.unit.payments.payments_steps import now_of, open_one, sweep
from tests.unit.payments.test_joint_payments import come_back, open_joint, parts_of, quotes, run_queue

STEP = timedelta(seconds=1)
BACK = "https://avarez.example/back"
PAGE, WINDOW = timedelta(minutes=17), timedelta(minutes=15)
"""How long a page can be paid on, its margin of two minutes included; how long it can be verified afterwards."""
CITY = Principal("officer", "municipality", "TEHRAN", None, (), frozenset({"payments.write"}))
NOWHERE = replace(CITY, municipality=None)
OPERATOR = Principal("operator", "operator", None, None, (), frozenset({"payments.write"}))


def opened(w: World, ids: tuple[str, ...], key: str = "j1", who: Principal = CLERK, url: str = BACK) -> Opened:
    return joint.create(w.desk, principal=who, key=key, asked=Asked(ids, "gateway", "", url))


def the_parent(w: World) -> Payment:
    return next(payment for payment in w.store.payments.values() if payment.parts)


# --- the whole ------------------------------------------------------------------------------------------


def test_whole_is_written_down_before_it_is_known_what_it_comes_to() -> None:
    w = world()
    answer = opened(w, quotes(w, 130))
    parent = the_parent(w)
    assert parent == Payment(
        payment_id=answer.payment_id,
        assessment_id="",
        municipality="NATIONAL",
        plate="",
        vehicle_id="",
        years=(),
        rounding_rial=0,
        fee_rial=0,
        amount_rial=0,
        status=Status.CREATED,
        channel="gateway",
        gateway="sandbox",
        created_by="clerk",
        created_at=NOON,
        expires_at=NOON + PAGE,
        verify_until_at=NOON + PAGE + WINDOW,
        trace_hash="",
        tariff_version="",
        office="of1",
        return_url=BACK,
        open_due_at=NOON + timedelta(seconds=30),
        parts=130,
        serves=("*",),
    )
    assert answer.answer == {
        "payment_id": parent.payment_id,
        "status": "created",
        "channel": "gateway",
        "gateway": "sandbox",
        "parts": 130,
        "expires_at": to_rfc3339(NOON + PAGE),
    }
    assert answer.replayed is False
    (replay,) = w.store.replays.values()
    assert replay.expires_epoch_s == int((NOON + timedelta(days=90)).timestamp())
    assert w.queue.messages == [{"payment_id": parent.payment_id, "chunk": str(chunk)} for chunk in (3, 4, 5, 6)]
    assert w.reports == ["payment_created"]
    check_books(w)


@pytest.mark.parametrize(
    ("who", "serves", "office"),
    [(CLERK, ("*",), "of1"), (CITY, ("TEHRAN",), ""), (OPERATOR, ("*",), ""), (NOWHERE, ("",), "")],
)
def test_whole_may_pay_the_quotes_of_its_makers_cities(
    who: Principal, serves: tuple[str, ...], office: str
) -> None:
    w = world()
    with suppress(AssessmentNotFound):  # whoever serves no city pays for none
        opened(w, quotes(w, 1), who=who)
    parent = the_parent(w)
    assert (parent.serves, parent.office, parent.created_by) == (serves, office, who.username)


def test_citys_officer_cannot_pay_for_another_city() -> None:
    w = world()
    with pytest.raises(AssessmentNotFound):
        opened(w, quotes(w, 1, city="SHIRAZ"), who=CITY)


@pytest.mark.parametrize(("count", "status"), [(3, "pending"), (130, "created")])
def test_repeated_call_tells_the_same_and_that_it_does(count: int, status: str) -> None:
    w = world()
    ids = quotes(w, count)
    first = opened(w, ids)
    again = opened(w, ids)
    assert (first.replayed, again.replayed) == (False, True)
    assert again.answer == first.answer | {"status": again.answer["status"]}
    assert first.answer["status"] == status
    with pytest.raises(IdempotencyMismatch):
        opened(w, ids[:1])
    assert {whose for whose, _ in w.store.chunk_of} == {first.payment_id}


def blind_once(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next look for the key finds nothing: a twin of the call is writing at this moment."""
    real, looks = w.store.replay, iter([True])
    monkeypatch.setattr(w.store, "replay", lambda *of: None if next(looks, False) else real(*of))


def test_two_calls_of_one_key_at_once_make_one_payment(monkeypatch: pytest.MonkeyPatch) -> None:
    w = world()
    ids = quotes(w, 2)
    first = opened(w, ids)
    blind_once(w, monkeypatch)
    again = opened(w, ids)
    assert (again.payment_id, again.answer, again.replayed) == (first.payment_id, first.answer, True)
    blind_once(w, monkeypatch)
    with pytest.raises(IdempotencyMismatch):
        opened(w, ids[:1])
    assert len(w.gateway.slips) == 1
    assert w.reports.count("payment_created") == 1


def test_store_that_neither_writes_nor_knows_the_key_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    w = world()
    monkeypatch.setattr(w.store, "create", refuse)
    with pytest.raises(ServiceBusy) as refusal:
        opened(w, quotes(w, 2))
    assert refusal.value.retry_after_s == 1


def refuse(*_: object) -> None:
    raise TransactionRefused(["ConditionalCheckFailed"])


def test_key_whose_payment_is_not_to_be_read_yet_is_to_be_tried_again() -> None:
    w = world()
    ids = quotes(w, 2)
    del w.store.payments[opened(w, ids).payment_id]
    with pytest.raises(ServiceBusy) as refusal:
        opened(w, ids)
    assert refusal.value.retry_after_s == 1


# --- what is refused ------------------------------------------------------------------------------------


def test_refusals_before_anything_is_written_name_their_place() -> None:
    w = world()
    one, other = quotes(w, 2)
    with pytest.raises(InvalidInput) as repeated:
        opened(w, (one, other, one))
    (error,) = repeated.value.errors
    assert (error.pointer, error.code) == ("/assessment_ids/2", "assessment_repeated")
    with pytest.raises(AssessmentNotFound) as unknown:
        opened(w, (one, "nonsense"))
    assert unknown.value.extra == {"assessment_id": "nonsense"}
    with pytest.raises(ReturnUrlRefused):
        opened(w, (one,), url="https://elsewhere.example/")
    assert (w.store.payments, w.store.replays) == ({}, {})


@pytest.mark.parametrize("reason", [kind.code for kind in parts.REFUSALS])
def test_whole_that_failed_repeats_why_to_every_later_call(reason: str) -> None:
    w = world()
    ids = quotes(w, 1)
    payment = the_payment_of(w, opened(w, ids))
    failure = {"assessment_id": ids[0], "reason": reason}
    w.store.payments[payment.payment_id] = replace(payment, answer=None, status=Status.FAILED, failure=failure)
    with pytest.raises(AvarezError) as refusal:
        opened(w, ids)
    assert (refusal.value.code, refusal.value.extra) == (reason, failure)


@pytest.mark.parametrize(
    "failure", [{"assessment_id": "as_1"}, {"assessment_id": "as_1", "reason": "service_moved"}]
)
def test_whole_that_failed_for_no_reason_of_a_part_is_a_busy_service(failure: dict[str, str]) -> None:
    w = world()
    ids = quotes(w, 1)
    payment = the_payment_of(w, opened(w, ids))
    w.store.payments[payment.payment_id] = replace(payment, answer=None, status=Status.FAILED, failure=failure)
    with pytest.raises(ServiceBusy) as refusal:
        opened(w, ids)
    assert refusal.value.extra == failure


def test_whole_that_ended_without_a_page_never_gets_one() -> None:
    w = world()
    ids = quotes(w, 1)
    payment = the_payment_of(w, opened(w, ids))
    w.store.payments[payment.payment_id] = replace(payment, answer=None, status=Status.EXPIRED)
    with pytest.raises(GatewayUnavailable):
        opened(w, ids)


def the_payment_of(w: World, answer: Opened) -> Payment:
    return w.store.payments[answer.payment_id]


def test_part_that_is_refused_fails_the_whole_with_its_reason() -> None:
    w = world()
    ids = quotes(w, 3)
    other = open_one(w, number=9, vehicle_id="ve_f2", years=(YearAmount(1404, 2_000),), owed_rial=2_500)
    w.clock.advance(STEP)
    with pytest.raises(DutyLocked) as refusal:
        opened(w, ids)
    why = {
        "assessment_id": ids[1],
        "reason": "duty_locked",
        "locked_until_at": to_rfc3339(other.expires_at),
    }
    assert refusal.value.extra == why
    parent = the_parent(w)
    assert parent.failure == why
    assert history(w, parent) == [
        ("created", "person", None, "created", {}),
        ("part_refused", "parent", "created", "failed", why),
    ]
    (part,) = parts_of(w, parent)
    assert history(w, part) == [
        ("created", "parent", None, "created", {}),
        ("parent_ended", "parent", "created", "cancelled", {}),
    ]
    assert w.store.chunks(parent) == [Chunk(0, ChunkState.RELEASED)]
    assert w.reports[1:] == ["payment_created", "payment_failed", "payment_cancelled"]
    assert parent.open_due_at is None
    check_books(w)


def test_quote_that_is_over_fails_the_whole_after_a_fresh_one_was_made_for_its_payer() -> None:
    w = world()
    asked_for: list[tuple[str, str]] = []

    def reassess(quote: Quote, now: datetime, username: str) -> None:
        asked_for.append((quote.plate, username))

    w.desk = replace(w.desk, reassess=reassess)
    (one,) = quotes(w, 1)
    made = w.store.quotes[one]
    day = timedelta(days=1)
    w.store.quotes[one] = replace(made, as_of=made.as_of - day, expires_at=made.expires_at - day)
    with pytest.raises(QuoteExpired) as refusal:
        opened(w, (one,))
    assert refusal.value.extra == {"assessment_id": one, "reason": "quote_expired"}
    assert asked_for == [(made.plate, "clerk")]


@pytest.mark.parametrize("writes", range(1, 9))
def test_whole_that_failed_while_the_process_died_frees_its_parts_by_the_sweep(writes: int) -> None:
    w = world()
    ids = quotes(w, 3)
    open_one(w, number=9, vehicle_id="ve_f3", years=(YearAmount(1404, 3_000),), owed_rial=3_500)
    w.store.crash_after_writes = writes
    with suppress(Crash, DutyLocked):
        opened(w, ids)
    w.store.crash_after_writes = None
    for _ in range(3):
        w.clock.advance(timedelta(minutes=1))
        sweep(w)
    parents = [of for of in w.store.payments.values() if of.parts]
    assert [(of.status, of.unfinished) for of in parents] == [(Status.FAILED, False)] * len(parents)
    assert w.store.duties.keys() == {("ve_f3", 1404)}
    check_books(w)


def test_refusal_without_a_term_names_none() -> None:
    w = world()
    ids = quotes(w, 2)
    come_back(w, open_joint(w, ids))
    with pytest.raises(AvarezError) as refusal:
        opened(w, ids, key="j2")
    assert refusal.value.extra == {"assessment_id": ids[0], "reason": "duty_paid"}


# --- its parts ------------------------------------------------------------------------------------------


def test_part_is_an_ordinary_payment_of_its_quote_without_money_of_its_own() -> None:
    w = world()
    w.store.fees["TEHRAN"] = Fee(500, office_ppm=400_000)
    ids = quotes(w, 2)
    w.clock.advance(STEP)
    parent = open_joint(w, ids)
    second = next(part for part in parts_of(w, parent) if part.assessment_id == ids[1])
    quote = w.store.quotes[ids[1]]
    assert second == Payment(
        payment_id=second.payment_id,
        assessment_id=ids[1],
        municipality="TEHRAN",
        plate=quote.plate,
        vehicle_id="ve_f2",
        years=(YearAmount(1404, 2_000),),
        rounding_rial=0,
        fee_rial=500,
        office_fee_rial=200,
        amount_rial=2_500,
        status=Status.CREATED,
        channel="gateway",
        gateway="sandbox",
        created_by="clerk",
        office="of1",
        created_at=NOON + STEP,
        expires_at=NOON + STEP + PAGE,
        verify_until_at=NOON + STEP + PAGE + WINDOW,
        trace_hash=quote.trace_hash,
        tariff_version=quote.tariff_version,
        parent_id=parent.payment_id,
    )
    assert (parent.parts_rial, parent.fee_rial, parent.amount_rial) == (3_000, 1_000, 4_000)
    assert (parent.expires_at, parent.verify_until_at) == (NOON + STEP + PAGE, NOON + STEP + PAGE + WINDOW)
    assert w.store.chunks(parent) == [Chunk(0, ChunkState.LEASED, 3_000, 1_000)]
    check_books(w)


def test_page_that_opens_late_lives_from_then_on() -> None:
    w = world()
    opened(w, quotes(w, 130))
    w.clock.advance(timedelta(minutes=10))
    run_queue(w)
    parent = the_parent(w)
    assert (parent.status, parent.expires_at) == (Status.PENDING, NOON + timedelta(minutes=10) + PAGE)
    assert parent.verify_until_at == NOON + timedelta(minutes=10) + PAGE + WINDOW
    check_books(w)


def test_paid_whole_settles_each_part_under_its_reference_in_one_way() -> None:
    w = world()
    parent = open_joint(w, quotes(w, 3))
    w.clock.advance(STEP)
    after = come_back(w, parent)
    assert [(what, source, then) for what, source, _, then, _ in history(w, parent)] == [
        ("created", "person", "created"),
        ("token_given", "gateway", "pending"),
        ("paid_at_gateway", "callback", "verifying"),
        ("confirmed", "callback", "verifying"),
        ("verified", "parts", "settled"),
    ]
    assert history(w, parent)[-1] == ("verified", "parts", "verifying", "settled", {"parts": "3"})
    assert (after.settled_at, after.open_due_at) == (NOON + STEP, None)
    for part in parts_of(w, parent):
        assert history(w, part) == [
            ("created", "parent", None, "created", {}),
            ("parent_settled", "parent", "created", "settled", {"reference": after.reference}),
        ]
        assert (part.reference, part.tracking, part.settled_at) == (after.reference, after.tracking, NOON + STEP)
    assert w.reports == ["payment_created", *["payment_settled"] * 3, "joint_payment_settled"]
    check_books(w)


def test_tracking_number_of_the_whole_is_that_of_each_part() -> None:
    w = world()
    parent = open_joint(w, quotes(w, 2))
    w.gateway.pay(parent.token)
    stands = replace(parent, tracking="TR-77", status=Status.VERIFYING, confirmed_at=NOON, reference="r7")
    w.store.payments[parent.payment_id] = stands
    parts.advance(w.desk, stands, chunks_max=9)
    assert {(part.tracking, part.reference) for part in parts_of(w, parent)} == {("TR-77", "r7")}


def test_part_whose_duty_is_gone_is_set_aside_under_the_wholes_name() -> None:
    w = world()
    parent = open_joint(w, quotes(w, 2))
    w.store.duties["ve_f1", 1404]["payment_id"] = "py_somebody"
    after = come_back(w, parent)
    aside = next(part for part in parts_of(w, parent) if part.status is Status.SUSPENSE)
    assert (aside.confirmed_rial, aside.amount_rial, aside.reference) == (1_000, 1_000, after.reference)
    assert history(w, aside)[-1] == ("confirmed_too_late", "parent", "created", "suspense", {})
    assert w.reports.count("suspense") == 1
    check_books(w)


def test_given_up_parts_go_by_way_of_releasing(monkeypatch: pytest.MonkeyPatch) -> None:
    w = world()
    parent = open_joint(w, quotes(w, 25))
    moved: list[tuple[ChunkState, ChunkState]] = []
    real = w.store.move_chunk

    def watched(of: Payment, before: Chunk, after: Chunk) -> None:
        moved.append((before.state, after.state))
        real(of, before, after)

    monkeypatch.setattr(w.store, "move_chunk", watched)
    w.clock.advance(timedelta(minutes=40))
    for _ in range(3):
        w.clock.advance(timedelta(minutes=1))
        sweep(w)
    steps = [(ChunkState.LEASED, ChunkState.RELEASING), (ChunkState.RELEASING, ChunkState.RELEASED)]
    assert moved == steps * 2
    assert {history(w, part)[-1][0] for part in parts_of(w, parent)} == {"parent_ended"}
    check_books(w)


def test_release_that_died_in_the_middle_is_gone_on_with() -> None:
    w = world()
    parent = open_joint(w, quotes(w, 2))
    ended = replace(parent, status=Status.EXPIRED, releasing=True)
    w.store.payments[parent.payment_id] = ended
    w.store.chunk_of[parent.payment_id, 0] = Chunk(0, ChunkState.RELEASING, 3_000, 0)
    parts.advance(w.desk, ended, chunks_max=1)
    assert w.store.duties == {}
    assert w.store.chunks(parent) == [Chunk(0, ChunkState.RELEASED, 3_000, 0)]


# --- several at once ------------------------------------------------------------------------------------


def meanwhile(w: World, monkeypatch: pytest.MonkeyPatch, method: str, **changes: Any) -> None:
    """Somebody else writes the payment just before our next write by this method."""
    real, due = getattr(w.store, method), iter([True])

    def first(before: Payment, *rest: Any) -> Any:
        if next(due, False):
            stands = w.store.payments[before.payment_id]
            w.store.payments[before.payment_id] = replace(stands, version=stands.version + 1, **changes)
        return real(before, *rest)

    monkeypatch.setattr(w.store, method, first)


def test_whole_that_somebody_postponed_meanwhile_settles_at_the_next_try(monkeypatch: pytest.MonkeyPatch) -> None:
    w = world()
    parent = open_joint(w, quotes(w, 2))
    w.gateway.pay(parent.token)
    stands = replace(parent, status=Status.VERIFYING, confirmed_at=NOON, reference="r7")
    w.store.payments[parent.payment_id] = stands
    meanwhile(w, monkeypatch, "advance")
    after = parts.advance(w.desk, stands, chunks_max=9)
    assert after.status is Status.SETTLED
    assert now_of(w, parent) == after
    assert len(w.store.certificates) == 2


def test_whole_that_somebody_settled_meanwhile_is_returned_as_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    w = world()
    parent = open_joint(w, quotes(w, 2))
    stands = replace(parent, status=Status.VERIFYING, confirmed_at=NOON, reference="r7")
    w.store.payments[parent.payment_id] = stands
    meanwhile(w, monkeypatch, "advance", status=Status.SETTLED)
    assert parts.advance(w.desk, stands, chunks_max=9) == now_of(w, parent)
    assert now_of(w, parent).status is Status.SETTLED


def test_whole_that_fails_while_somebody_postpones_it_fails_once(monkeypatch: pytest.MonkeyPatch) -> None:
    w = world()
    ids = quotes(w, 2)
    open_one(w, number=9, vehicle_id="ve_f2", years=(YearAmount(1404, 2_000),), owed_rial=2_500)
    meanwhile(w, monkeypatch, "close")
    with pytest.raises(DutyLocked):
        opened(w, ids)
    parent = the_parent(w)
    assert (parent.status, parent.unfinished) == (Status.FAILED, False)
    assert [what for what, *_ in history(w, parent)] == ["created", "part_refused"]


def test_whole_that_somebody_gave_up_before_it_failed_stays_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    w = world()
    ids = quotes(w, 2)
    open_one(w, number=9, vehicle_id="ve_f2", years=(YearAmount(1404, 2_000),), owed_rial=2_500)
    meanwhile(w, monkeypatch, "close", status=Status.CANCELLED, releasing=True)
    with pytest.raises(GatewayUnavailable):
        opened(w, ids)
    parent = the_parent(w)
    assert (parent.status, parent.releasing, parent.failure) == (Status.CANCELLED, False, {})
    assert w.store.duties.keys() == {("ve_f2", 1404)}


def test_part_that_is_refused_by_chance_while_its_duty_is_ours_is_settled_at_the_next_try(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    w = world()
    parent = open_joint(w, quotes(w, 2))
    meanwhile(w, monkeypatch, "settle")
    assert come_back(w, parent).status is Status.SETTLED
    assert {part.status for part in parts_of(w, parent)} == {Status.SETTLED}
    assert len(w.store.certificates) == 2
    assert "suspense" not in w.reports


def test_message_for_a_chunk_that_is_none_and_for_a_payment_without_parts_changes_nothing() -> None:
    w = world()
    parent, single = open_joint(w, quotes(w, 2)), open_one(w, number=9)
    before = dict(w.store.payments), dict(w.store.chunk_of)
    for chunk in (0, 7):
        reconciliation.retry(w.desk, parent.payment_id, chunk)
    assert parts.work_on(w.desk, parent, 7) == parent
    assert parts.work_on(w.desk, parent, 0) == parent
    young = replace(parent, status=Status.CREATED)
    assert parts.work_on(w.desk, young, 7) is young
    created = replace(single, status=Status.CREATED)
    assert parts.advance(w.desk, created, chunks_max=3) is created
    assert (w.store.payments, w.store.chunk_of) == before


def test_whole_that_is_over_asks_nobody_for_its_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    w = world()
    parent = come_back(w, open_joint(w, quotes(w, 2)))
    monkeypatch.setattr(w.store, "chunks", lambda payment: pytest.fail("asked"))
    assert parts.advance(w.desk, parent, chunks_max=3) is parent


def test_lease_by_the_queue_of_all_but_one_chunk_leaves_the_page_closed() -> None:
    w = world()
    opened(w, quotes(w, 130))
    *some, last = w.queue.messages
    for message in some:
        reconciliation.retry(w.desk, message["payment_id"], int(message["chunk"]))
    assert the_parent(w).status is Status.CREATED
    assert w.gateway.slips == {}
    reconciliation.retry(w.desk, last["payment_id"], int(last["chunk"]))
    assert the_parent(w).status is Status.PENDING
    assert len(w.gateway.slips) == 1
