"""Opening a joint payment: its parts are written down first, then their duties are leased, then its page opens.

Small ones are ready when the call returns. The parts of larger ones are leased by the queue, and the page's
address stands in the payment once all of them are. It is all or none: the first duty that cannot be had ends
the whole.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from avarez.clock import to_rfc3339
from avarez.errors import (
    AssessmentNotFound,
    AvarezError,
    ChannelUnavailable,
    FieldError,
    IdempotencyMismatch,
    InvalidInput,
    ServiceBusy,
    TransactionRefused,
)
from avarez.ids import is_id, new_id
from functions.pay.payments.joint import parts
from functions.pay.payments.opening import (
    IDEMPOTENCY_DAYS,
    LEASE_MARGIN,
    ROUTE,
    Asked,
    Opened,
    check_return_url,
    never_opened,
)
from functions.pay.payments.ports import Desk
from functions.pay.rules.records import Event, Member, Payment, Replay
from functions.pay.rules.states import Occurrence, Status

if TYPE_CHECKING:
    from avarez.http.principal import Principal

NATIONAL = "NATIONAL"
"""The book of a joint payment itself, whose parts are in their cities' books."""
CHUNKS_AT_ONCE = 3
"""A joint payment of so many chunks is ready in a second or two; the queue prepares a larger one."""


def create(desk: Desk, *, principal: Principal, key: str, asked: Asked) -> Opened:
    """A joint payment, with a page to pay on if it is small; repeating the call never makes a second one.

    Raises:
        IdempotencyMismatch, InvalidInput, ReturnUrlRefused, ChannelUnavailable: nothing was written.
        AssessmentNotFound, QuoteExpired, QuoteNotPayable, NothingOwed, DutyLocked, DutyPaid: a part cannot be paid
            (`assessment_id` names it); whatever was leased is given up.
        GatewayUnavailable: no page; the same key resumes, unless the gateway refused outright.
    """
    if (replay := desk.store.replay(principal.username, ROUTE, key)) is not None:
        return _replayed(desk, replay, asked)
    if asked.channel != "gateway":
        raise ChannelUnavailable()
    check_return_url(desk, asked.return_url)
    _check_ids(asked.assessment_ids)
    now = desk.clock.now()
    gateway = desk.gateways.get(asked.gateway or desk.gateways.default())
    members = [Member(assessment_id, new_id("py", now)) for assessment_id in asked.assessment_ids]
    payment_id = new_id("py", now)
    expires_at = now + gateway.page_lifetime + LEASE_MARGIN
    payment = Payment(
        payment_id=payment_id,
        assessment_id="",
        municipality=NATIONAL,
        plate="",
        vehicle_id="",
        years=(),
        rounding_rial=0,
        fee_rial=0,
        amount_rial=0,
        status=Status.CREATED,
        channel=asked.channel,
        gateway=gateway.name,
        created_by=principal.username,
        created_at=now,
        expires_at=expires_at,
        verify_until_at=expires_at + gateway.verify_window,
        trace_hash="",
        tariff_version="",
        office=principal.office or "",
        return_url=asked.return_url,
        open_due_at=now + timedelta(seconds=30),
        parts=len(members),
        serves=_serves(principal),
    )
    replay = Replay(
        caller=principal.username,
        route=ROUTE,
        key=key,
        body_hash=asked.body_hash(),
        payment_id=payment_id,
        expires_epoch_s=int((now + timedelta(days=IDEMPOTENCY_DAYS)).timestamp()),
    )
    desk.store.create_members(payment, parts.chunked(members))
    try:
        desk.store.create(payment, Event(Occurrence.CREATED, "person", now, None, Status.CREATED), replay)
    except TransactionRefused:
        if (other := desk.store.replay(principal.username, ROUTE, key)) is not None:
            return _replayed(desk, other, asked)
        raise ServiceBusy(retry_after_s=1) from None
    desk.report("payment_created")
    return _ready(desk, payment, replayed=False)


def _ready(desk: Desk, payment: Payment, *, replayed: bool) -> Opened:
    """The payment's first answer, after what can be prepared at once."""
    payment = parts.advance(desk, payment, chunks_max=CHUNKS_AT_ONCE)
    if payment.answer is not None:
        return Opened(dict(payment.answer), replayed, payment.payment_id)
    if payment.failure:
        raise _refusal(payment)
    if payment.status is Status.CREATED:
        return Opened(_preparing(payment), replayed, payment.payment_id)
    raise never_opened()


def _replayed(desk: Desk, replay: Replay, asked: Asked) -> Opened:
    if replay.body_hash != asked.body_hash():
        raise IdempotencyMismatch()
    payment = desk.store.payment(replay.payment_id)
    if payment is None:
        raise ServiceBusy(retry_after_s=1)
    return _ready(desk, payment, replayed=True)


def _preparing(payment: Payment) -> dict[str, Any]:
    return {
        "payment_id": payment.payment_id,
        "status": payment.status.value,
        "channel": payment.channel,
        "gateway": payment.gateway,
        "parts": payment.parts,
        "expires_at": to_rfc3339(payment.expires_at),
    }


def _refusal(payment: Payment) -> AvarezError:
    reason = payment.failure.get("reason", "")
    kind = next((error for error in parts.REFUSALS if error.code == reason), ServiceBusy)
    return kind(extra=dict(payment.failure))


def _check_ids(assessment_ids: tuple[str, ...]) -> None:
    seen: set[str] = set()
    for position, assessment_id in enumerate(assessment_ids):
        if not is_id("as", assessment_id):
            raise AssessmentNotFound(extra={"assessment_id": assessment_id})
        if assessment_id in seen:
            message = "This assessment stands in the list already.", "این برآورد پیش‌تر در فهرست آمده است."
            raise InvalidInput(errors=[FieldError(f"/assessment_ids/{position}", "assessment_repeated", *message)])
        seen.add(assessment_id)


def _serves(principal: Principal) -> tuple[str, ...]:
    """The cities whose quotes the caller may pay; the queue asks it again, long after the call."""
    if principal.group == "municipality":
        return (principal.municipality or "",)
    return principal.serves if principal.group == "office" else ("*",)
