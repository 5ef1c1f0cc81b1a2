"""The parts of a joint payment: leased before its page opens, settled after it is paid, or given up together.

A part is an ordinary payment of one assessment, without money of its own. Parts are worked on in chunks; a chunk's
item says how far it is, so that any number of helpers may work at once, and die, and be called again:

    waiting → leased → settled          the way of a payment that was paid
    waiting or leased → releasing → released    the way of one that was not

The leases of parts do not lapse by time: their parent is looked after until it has a result.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from avarez.changed import changed
from avarez.errors import (
    AssessmentNotFound,
    AvarezError,
    BillOpen,
    DutyLocked,
    DutyPaid,
    InvalidInput,
    NothingOwed,
    QuoteExpired,
    QuoteNotPayable,
    TransactionRefused,
)
from avarez.ids import new_id
from functions.pay.payments import verification
from functions.pay.payments.opening import LEASE_MARGIN, Terms, check_quote, open_page, payment_of
from functions.pay.payments.ports import Desk
from functions.pay.rules.ledger import settled_entry
from functions.pay.rules.records import Chunk, ChunkState, Event, Member, Payment
from functions.pay.rules.states import Occurrence, Status

CHUNK_MEMBERS = 20
"""A chunk takes a second or less, so that a helper which dies costs little."""
PREPARED_WITHIN = timedelta(minutes=15)
"""A joint payment whose duties are not all leased by then is given up."""
FINISH_ATTEMPTS_MAX = 4
REFUSALS: tuple[type[AvarezError], ...] = (
    AssessmentNotFound,
    BillOpen,
    DutyLocked,
    DutyPaid,
    InvalidInput,
    NothingOwed,
    QuoteExpired,
    QuoteNotPayable,
)
"""Why a part may be refused; anything else is a moment's trouble, and is tried again."""


def chunked(members: Sequence[Member]) -> list[tuple[Member, ...]]:
    """The members in the chunks that are worked on together."""
    return [tuple(members[start : start + CHUNK_MEMBERS]) for start in range(0, len(members), CHUNK_MEMBERS)]


def goal_of(payment: Payment) -> ChunkState | None:
    """What the parts are to become next; None when nothing is to be done with them."""
    if payment.releasing:
        return ChunkState.RELEASED
    if payment.status is Status.CREATED:
        return ChunkState.LEASED
    if payment.status is Status.VERIFYING and payment.confirmed_at is not None:
        return ChunkState.SETTLED
    return None


def advance(desk: Desk, payment: Payment, *, chunks_max: int) -> Payment:
    """The payment after at most `chunks_max` chunks were worked on here; the rest is asked of the queue.

    Raises:
        GatewayUnavailable: all parts are leased, and the gateway gave no page.
        ServiceBusy: the store is busy; what was done stands.
    """
    goal = goal_of(payment)
    if not payment.parts or goal is None:
        return payment
    waiting = [chunk for chunk in desk.store.chunks(payment) if chunk.state is not goal]
    for chunk in waiting[:chunks_max]:
        payment = work(desk, payment, chunk)
        if goal_of(payment) is not goal:
            return payment if not payment.releasing else advance(desk, payment, chunks_max=chunks_max)
    left = waiting[chunks_max:]
    desk.queue.send_all([{"payment_id": payment.payment_id, "chunk": str(chunk.number)} for chunk in left])
    return payment if left else finish(desk, payment)


def work_on(desk: Desk, payment: Payment, number: int) -> Payment:
    """The payment after this one chunk was worked on, and finished if it was the last; for the queue."""
    chunk = next((chunk for chunk in desk.store.chunks(payment) if chunk.number == number), None)
    if chunk is None or goal_of(payment) is None:
        return payment
    return finish(desk, work(desk, payment, chunk))


def work(desk: Desk, payment: Payment, chunk: Chunk) -> Payment:
    """Brings the parts of a chunk one step on; harmless to repeat, and at once by several."""
    try:
        match goal_of(payment), chunk.state:
            case ChunkState.LEASED, ChunkState.WAITING:
                return _lease(desk, payment, chunk)
            case ChunkState.SETTLED, ChunkState.LEASED:
                _settle(desk, payment, chunk)
            case ChunkState.RELEASED, ChunkState.WAITING | ChunkState.LEASED | ChunkState.RELEASING:
                _release(desk, payment, chunk)
    except TransactionRefused:
        pass  # somebody else moved the chunk on; whoever comes next reads it anew
    return payment


def finish(desk: Desk, payment: Payment) -> Payment:
    """The payment, one step on, if all its chunks are where they have to be.

    Raises:
        GatewayUnavailable: the gateway gave no page.
    """
    for _ in range(FINISH_ATTEMPTS_MAX):
        goal = goal_of(payment)
        chunks = desk.store.chunks(payment)
        if goal is None or any(chunk.state is not goal for chunk in chunks):
            return payment
        try:
            return _finished(desk, payment, goal, chunks)
        except TransactionRefused:
            payment = desk.store.payment(payment.payment_id) or payment
    return payment


def _finished(desk: Desk, payment: Payment, goal: ChunkState, chunks: Sequence[Chunk]) -> Payment:
    now = desk.clock.now()
    if goal is ChunkState.LEASED:
        return _open(desk, payment, chunks)
    if goal is ChunkState.RELEASED:
        after = payment.released()
        desk.store.postpone(payment, after)
        return after
    after = payment.next(Occurrence.VERIFIED, open_due_at=None, settled_at=now)
    event = Event(Occurrence.VERIFIED, "parts", now, payment.status, after.status, {"parts": str(payment.parts)})
    desk.store.advance(payment, after, event)
    desk.report("joint_payment_settled")
    return after


def _open(desk: Desk, payment: Payment, chunks: Sequence[Chunk]) -> Payment:
    """The payment with its page; only now is known what it comes to."""
    now = desk.clock.now()
    gateway = desk.gateways.get(payment.gateway)
    parts_rial = sum(chunk.parts_rial for chunk in chunks)
    fee_rial = sum(chunk.fee_rial for chunk in chunks)
    expires_at = now + gateway.page_lifetime + LEASE_MARGIN
    priced = changed(
        payment,
        parts_rial=parts_rial,
        fee_rial=fee_rial,
        amount_rial=parts_rial + fee_rial,
        expires_at=expires_at,
        verify_until_at=expires_at + gateway.verify_window,
    )
    open_page(desk, priced, gateway)
    return desk.store.payment(payment.payment_id) or payment


# -- one chunk ---------------------------------------------------------------------------------------


def _lease(desk: Desk, payment: Payment, chunk: Chunk) -> Payment:
    """Leases every part of the chunk; the payment, failed, if one of them cannot be had."""
    parts_rial = fee_rial = 0
    for member in desk.store.members(payment, chunk.number):
        part = desk.store.payment(member.payment_id)
        if part is None:
            try:
                part = _leased(desk, payment, chunk, member)
            except REFUSALS as refusal:
                return _fail(desk, payment, member, refusal)
        parts_rial += part.amount_rial - part.fee_rial
        fee_rial += part.fee_rial
    desk.store.move_chunk(payment, chunk, Chunk(chunk.number, ChunkState.LEASED, parts_rial, fee_rial))
    return payment


def _leased(desk: Desk, payment: Payment, chunk: Chunk, member: Member) -> Payment:
    """The part, with its leases.

    Raises:
        one of `REFUSALS`; TransactionRefused: a twin of ours made it, or the whole was given up.
    """
    now = desk.clock.now()
    quote = desk.store.quote(member.assessment_id)
    if quote is None or not {"*", quote.municipality} & set(payment.serves):
        raise AssessmentNotFound()
    check_quote(desk, quote, payment.created_by, payment.created_at)
    terms = Terms(
        payment_id=member.payment_id,
        channel=payment.channel,
        gateway=payment.gateway,
        created_by=payment.created_by,
        office=payment.office,
        expires_at=payment.expires_at,
        verify_until_at=payment.verify_until_at,
        parent_id=payment.payment_id,
    )
    part = payment_of(quote, terms, fee=desk.store.fee(quote.municipality), now=now)
    event = Event(Occurrence.CREATED, "parent", now, None, Status.CREATED)
    desk.store.lease_part(payment, part, chunk, event)
    return part


def _fail(desk: Desk, payment: Payment, member: Member, refusal: AvarezError) -> Payment:
    """The payment, failed because of this part; its parts are given up next."""
    now = desk.clock.now()
    failure = {"assessment_id": member.assessment_id, "reason": refusal.code}
    until = refusal.extra.get("locked_until_at")
    if until:
        failure["locked_until_at"] = str(until)
    for _ in range(FINISH_ATTEMPTS_MAX):
        if payment.status is not Status.CREATED:
            break
        after = payment.ended(Occurrence.PART_REFUSED, now, failure=failure)
        event = Event(Occurrence.PART_REFUSED, "parent", now, payment.status, after.status, failure)
        try:
            desk.store.close(payment, after, event)
        except TransactionRefused:
            payment = desk.store.payment(payment.payment_id) or payment
            continue
        desk.report("payment_failed")
        return after
    return payment


def _settle(desk: Desk, payment: Payment, chunk: Chunk) -> None:
    for member in desk.store.members(payment, chunk.number):
        _settled(desk, payment, member)
    desk.store.move_chunk(payment, chunk, changed(chunk, state=ChunkState.SETTLED))


def _settled(desk: Desk, payment: Payment, member: Member) -> None:
    """Settles one part: one transaction, as of any payment. One whose duty is gone stands in suspense."""
    for _ in range(FINISH_ATTEMPTS_MAX):
        part = desk.store.payment(member.payment_id)
        if part is None or part.status is not Status.CREATED:
            return
        now = desk.clock.now()
        paid = changed(part, reference=payment.reference, tracking=payment.tracking)
        after = paid.next(
            Occurrence.PARENT_SETTLED, open_due_at=None, settled_at=now, certificate_id=new_id("ce", now)
        )
        entry = settled_entry(after, journal_id=new_id("je", now), now=now)
        event = Event(
            Occurrence.PARENT_SETTLED, "parent", now, part.status, after.status, {"reference": payment.reference}
        )
        try:
            desk.store.settle(part, after, event, entry, new_id("ev", now))
        except TransactionRefused:
            if desk.store.holds_duties(part):
                continue
            _set_aside(desk, paid)
            return
        desk.report("payment_settled")
        return


def _set_aside(desk: Desk, part: Payment) -> None:
    desk.report("suspense")
    verification.close(desk, part, Occurrence.CONFIRMED_TOO_LATE, "parent", confirmed_rial=part.amount_rial)


def _release(desk: Desk, payment: Payment, chunk: Chunk) -> None:
    """Gives the parts of the chunk up; from the first step on, nobody leases one of them any more."""
    if chunk.state is not ChunkState.RELEASING:
        releasing = changed(chunk, state=ChunkState.RELEASING)
        desk.store.move_chunk(payment, chunk, releasing)
        chunk = releasing
    for member in desk.store.members(payment, chunk.number):
        part = desk.store.payment(member.payment_id)
        if part is not None and part.status is Status.CREATED:
            verification.close(desk, part, Occurrence.PARENT_ENDED, "parent")
    desk.store.move_chunk(payment, chunk, changed(chunk, state=ChunkState.RELEASED))
