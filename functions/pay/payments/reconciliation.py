"""What becomes of payments that nobody tells us about: asked of the gateway, a bounded number at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from avarez.clock import from_rfc3339, to_rfc3339
from avarez.errors import (
    ChannelUnavailable,
    GatewayUnavailable,
    OutcomeUnknown,
    RefundConflict,
    TransactionRefused,
)
from avarez.ids import is_id
from avarez.keys import SHARDS
from avarez.observability import log_failure
from functions.pay.gateways.breaker import Breakers
from functions.pay.gateways.port import Gateway, Inquiry
from functions.pay.payments import arrival, refunding, verification
from functions.pay.payments.joint import parts
from functions.pay.payments.opening import INQUIRY_EVERY, may_open_page
from functions.pay.payments.ports import Desk
from functions.pay.rules.records import OpenRow, Payment
from functions.pay.rules.states import OPEN, Occurrence, Status

ROWS_PER_SHARD_MAX = 50
"""A run looks at no more than 800 payments; those longest overdue come first, the rest wait a minute."""
OPEN_SALE_EVERY = timedelta(hours=1)
"""How often a sale that its terminal left open is counted, until the terminal is closed."""
_AFTER = timedelta(milliseconds=1)
"""Instants are kept in milliseconds: the first one after an end."""
STALE_VERIFY_EVERY = timedelta(minutes=5)
"""How often a verify without a verdict is asked again once the gateway's window is over."""


@dataclass(slots=True)
class Summary:
    """What one run did, and how long the oldest gateway payment has waited that is open still.

    A payment waits from its creation; one that was not reached, or failed, at least since its time has come.
    """

    looked_at: int = 0
    moved: int = 0
    left: int = 0
    failed: int = 0
    oldest_unresolved_s: int = 0

    def waits_since(self, since: datetime, now: datetime) -> None:
        """One more that is open still."""
        self.oldest_unresolved_s = max(self.oldest_unresolved_s, int((now - since).total_seconds()))


def sweep(
    desk: Desk, *, time_left: Callable[[], bool], others: Callable[[str, str], bool | None] = lambda _, __: None
) -> Summary:
    """Looks at every open payment and refund whose time has come, until none is left or the time is up.

    `others` looks at rows of other kinds; None says that the row is to be forgotten.
    """
    desk = replace(desk, gateways=Breakers(desk.gateways))
    summary = Summary()
    now = desk.clock.now()
    first = int(now.timestamp()) // 60 % SHARDS  # no shard is always the last one
    for shard in [*range(first, SHARDS), *range(first)]:
        for row in desk.store.due(shard, now, ROWS_PER_SHARD_MAX):
            if not time_left():
                summary.left += 1
                summary.waits_since(from_rfc3339(row.due_at), now)
                continue
            summary.looked_at += 1
            try:
                summary.moved += _look(desk, row, others, summary)
            except Exception:  # noqa: BLE001 - the outermost edge of one row: it must not keep the others waiting
                summary.failed += 1
                summary.waits_since(from_rfc3339(row.due_at), now)
                desk.report("sweep_row_failed")
                log_failure("sweep_row_failed", payment_id=row.payment_id)
    return summary


def retry(desk: Desk, payment_id: str, chunk: int | None = None) -> Payment | None:
    """The payment after one more verify, one chunk of its parts, or what was parked: whatever it waits for."""
    payment = desk.store.payment(payment_id)
    if payment is None:
        return None
    if payment.parts and parts.goal_of(payment) is not None:
        try:
            if chunk is not None:
                return parts.work_on(desk, payment, chunk)
            return parts.advance(desk, payment, chunks_max=1)
        except GatewayUnavailable:
            return payment  # the sweep asks for the page again
    if payment.status not in (Status.PENDING, Status.VERIFYING) or payment.channel != "gateway":
        return payment
    try:
        gateway = desk.gateways.get(payment.gateway)
        if payment.status is Status.PENDING:
            return arrival.apply_parked(desk, gateway, payment)
    except (ChannelUnavailable, TransactionRefused):
        return payment
    return verification.resolve(desk, gateway, payment, source="queue")


def _look(desk: Desk, row: OpenRow, others: Callable[[str, str], bool | None], summary: Summary) -> bool:
    """Whether the payment, or the refund, of this row changed its state."""
    if is_id("rf", row.payment_id):
        return _look_at_refund(desk, row)
    if is_id("ag", row.payment_id):
        from functions.pay.payments import instalments  # few rows are an agreement's

        return instalments.look(desk, row)
    if not is_id("py", row.payment_id) and (done := others(row.payment_id, row.due_at)) is not None:
        return done
    payment = desk.store.payment(row.payment_id)
    if payment is None or not payment.unfinished or _due_text(payment) != row.due_at:
        desk.store.forget(row)
        return False
    try:
        after = _step(desk, payment)
        if after.status is payment.status and after.version == payment.version:
            desk.store.postpone(payment, payment.postponed(_next_look(desk, payment)))
    except (TransactionRefused, ChannelUnavailable):
        return False  # somebody else is at it, or its gateway is not set up: the next run sees
    if after.status in OPEN and after.channel == "gateway":
        summary.waits_since(after.created_at, desk.clock.now())
    return after.status is not payment.status


def _look_at_refund(desk: Desk, row: OpenRow) -> bool:
    refund = desk.refunds.refund(row.payment_id)
    if refund is None or refund.open_due_at is None or to_rfc3339(refund.open_due_at) != row.due_at:
        desk.store.forget(row)
        return False
    try:
        after = refunding.proceed(desk, refund)
        if after.version == refund.version:
            later = replace(refund, version=refund.version + 1, open_due_at=refunding.next_look(desk.clock.now()))
            desk.refunds.move(refund, later)
    except (TransactionRefused, RefundConflict):
        return False  # somebody else is at it
    return after.status is not refund.status


def _step(desk: Desk, payment: Payment) -> Payment:
    now = desk.clock.now()
    if payment.channel != "gateway":
        if payment.channel == "bill" and now > payment.expires_at:
            return verification.close(desk, payment, Occurrence.WINDOW_PASSED, "sweep")
        if payment.channel == "pos":
            desk.report("pos_left_open")
        return payment
    gateway = desk.gateways.get(payment.gateway)
    if parts.goal_of(payment) is not None and payment.parts:
        return _parts_step(desk, payment, now)
    if payment.status is Status.CREATED:
        if may_open_page(payment, gateway, now):
            return payment
        return verification.close(desk, payment, Occurrence.WINDOW_PASSED, "sweep")
    if payment.status is Status.VERIFYING:
        return verification.resolve(desk, gateway, payment, source="sweep")
    if not gateway.can_inquire_without_callback:
        after = arrival.apply_parked(desk, gateway, payment)
        if after.version != payment.version or now <= payment.expires_at:
            return after
        return verification.close(desk, payment, Occurrence.WINDOW_PASSED, "sweep")
    try:
        inquiry = gateway.inquire(token=payment.token, order_id=payment.payment_id)
    except OutcomeUnknown:
        # Once we asked to verify, the answer may have been lost: only the gateway's word ends it then.
        if now <= payment.verify_until_at or payment.verify_starts:
            return payment
        # Whatever was paid has gone back by now: nobody verified it.
        return verification.close(desk, payment, Occurrence.WINDOW_PASSED, "sweep")
    match inquiry.state:
        case "paid":
            return found_paid(desk, gateway, payment, inquiry, "sweep")
        case "cancelled":
            return verification.close(desk, payment, Occurrence.CANCELLED_AT_GATEWAY, "sweep")
        case "returned":
            return verification.close(desk, payment, Occurrence.MONEY_RETURNED, "sweep")
        case _:
            if now <= payment.expires_at:
                return payment
            return verification.close(desk, payment, Occurrence.WINDOW_PASSED, "sweep")


def _parts_step(desk: Desk, payment: Payment, now: datetime) -> Payment:
    """A joint payment whose parts are to be leased, settled or given up: one chunk here, the rest by the queue."""
    if payment.status is Status.CREATED and now > payment.created_at + parts.PREPARED_WITHIN:
        return verification.close(desk, payment, Occurrence.WINDOW_PASSED, "sweep")
    try:
        return parts.advance(desk, payment, chunks_max=1)
    except GatewayUnavailable:
        return desk.store.payment(payment.payment_id) or payment


def found_paid(desk: Desk, gateway: Gateway, payment: Payment, inquiry: Inquiry, source: str) -> Payment:
    """The same way as a callback's: reference, lease, verify."""
    payment = verification.begin(
        desk,
        payment,
        reference=inquiry.reference,
        suspicion=verification.suspicion_of(inquiry, payment),
        source=source,
    )
    if payment.status is Status.PENDING:
        return verification.confirmed_without_duty(desk, gateway, payment, inquiry.reference, source)
    return verification.resolve(desk, gateway, payment, source=source)


def _next_look(desk: Desk, payment: Payment) -> datetime:
    """When the payment is looked at again; nobody is asked before there is something to be heard."""
    now = desk.clock.now()
    if payment.channel == "pos":
        return now + OPEN_SALE_EVERY
    if payment.status is Status.VERIFYING and now > payment.verify_until_at:
        return now + STALE_VERIFY_EVERY
    waits = payment.channel == "gateway" and payment.status is Status.PENDING and now <= payment.expires_at
    if waits and not desk.gateways.get(payment.gateway).can_inquire_without_callback:
        return payment.expires_at + _AFTER
    return now + INQUIRY_EVERY


def _due_text(payment: Payment) -> str:
    return to_rfc3339(payment.open_due_at) if payment.open_due_at else ""
