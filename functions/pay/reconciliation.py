"""What becomes of payments that nobody tells us about: asked of the gateway, a bounded number at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from avarez.clock import to_rfc3339
from avarez.errors import ChannelUnavailable, OutcomeUnknown, PaymentNotCancellable, TransactionRefused
from avarez.keys import SHARDS
from functions.pay import verification
from functions.pay.gateways.port import Gateway, Inquiry, Token, TokenRefused, VerifyResult
from functions.pay.payment import INQUIRY_EVERY, may_open_page
from functions.pay.ports import Desk, GatewaySet
from functions.pay.records import OpenRow, Payment
from functions.pay.states import OPEN, Occurrence, Status

ROWS_PER_SHARD_MAX = 50
"""A run looks at no more than 800 payments; those longest overdue come first, the rest wait a minute."""
SILENCES_MAX = 3
"""After so many calls in a row without an answer a gateway is left alone until the next run."""
STALE_VERIFY_EVERY = timedelta(minutes=5)
"""How often a verify without a verdict is asked again once the gateway's window is over."""
_CANCEL_ATTEMPTS_MAX = 4


@dataclass(slots=True)
class Summary:
    """What one run did."""

    looked_at: int = 0
    moved: int = 0
    left: int = 0


def sweep(desk: Desk, *, time_left: Callable[[], bool]) -> Summary:
    """Looks at every open payment whose time has come, until none is left or the time is up."""
    desk = replace(desk, gateways=_Breakers(desk.gateways))
    summary = Summary()
    now = desk.clock.now()
    first = int(now.timestamp()) // 60 % SHARDS  # no shard is always the last one
    for shard in [*range(first, SHARDS), *range(first)]:
        for row in desk.store.due(shard, now, ROWS_PER_SHARD_MAX):
            if not time_left():
                summary.left += 1
                continue
            summary.looked_at += 1
            summary.moved += _look(desk, row)
    return summary


def retry(desk: Desk, payment_id: str) -> Payment | None:
    """The payment after one more verify, if that is what it waits for."""
    payment = desk.store.payment(payment_id)
    if payment is None or payment.status is not Status.VERIFYING:
        return payment
    try:
        gateway = desk.gateways.get(payment.gateway)
    except ChannelUnavailable:
        return payment
    return verification.resolve(desk, gateway, payment, source="queue")


def cancel(desk: Desk, payment: Payment) -> Payment:
    """The payment, cancelled, once the gateway has said that nothing was taken.

    Raises:
        PaymentNotCancellable: money was taken (it goes on to be verified), or the payment is over.
        OutcomeUnknown: the gateway did not say; nothing changed.
    """
    for _ in range(_CANCEL_ATTEMPTS_MAX):
        try:
            return _cancel_once(desk, payment)
        except TransactionRefused:
            payment = desk.store.payment(payment.payment_id) or payment
    raise OutcomeUnknown(retry_after_s=2)


def _cancel_once(desk: Desk, payment: Payment) -> Payment:
    if payment.status is Status.CANCELLED:
        return payment
    if payment.status is Status.CREATED:
        # It has no page that anybody could know of.
        return verification.close(desk, payment, Occurrence.CANCELLED, "person")
    if payment.status is Status.PENDING:
        gateway = desk.gateways.get(payment.gateway)
        if not gateway.can_inquire_without_callback:
            raise PaymentNotCancellable(
                "This gateway cannot say whether money was taken; the payment ends by itself at expires_at.",
                "این درگاه نمی‌تواند بگوید پولی گرفته شده یا نه؛ پرداخت در زمان expires_at خودبه‌خود پایان می‌یابد.",
                extra={"expires_at": to_rfc3339(payment.expires_at)},
            )
        inquiry = gateway.inquire(token=payment.token, order_id=payment.payment_id)
        if inquiry.state != "paid":
            return verification.close(desk, payment, Occurrence.CANCELLED, "person")
        payment = _found_paid(desk, gateway, payment, inquiry, "person")
    elif payment.status is Status.VERIFYING:
        desk.queue.send({"payment_id": payment.payment_id})
    raise PaymentNotCancellable(extra={"status": payment.status.value})


def _look(desk: Desk, row: OpenRow) -> bool:
    """Whether the payment of this row changed its state."""
    payment = desk.store.payment(row.payment_id)
    if payment is None or payment.status not in OPEN or _due_text(payment) != row.due_at:
        desk.store.forget(row)
        return False
    try:
        after = _step(desk, payment)
        if after.status is payment.status and after.version == payment.version:
            desk.store.postpone(payment, payment.postponed(_next_look(payment, desk.clock.now())))
    except (TransactionRefused, ChannelUnavailable):
        return False  # somebody else is at it, or its gateway is not set up: the next run sees
    return after.status is not payment.status


def _step(desk: Desk, payment: Payment) -> Payment:
    gateway = desk.gateways.get(payment.gateway)
    now = desk.clock.now()
    if payment.status is Status.CREATED:
        if may_open_page(payment, gateway, now):
            return payment
        return verification.close(desk, payment, Occurrence.WINDOW_PASSED, "sweep")
    if payment.status is Status.VERIFYING:
        return verification.resolve(desk, gateway, payment, source="sweep")
    if not gateway.can_inquire_without_callback:
        if now <= payment.expires_at:
            return payment
        return verification.close(desk, payment, Occurrence.WINDOW_PASSED, "sweep")
    try:
        inquiry = gateway.inquire(token=payment.token, order_id=payment.payment_id)
    except OutcomeUnknown:
        if now <= payment.verify_until_at:
            return payment
        # Whatever was paid has gone back by now: nobody verified it.
        return verification.close(desk, payment, Occurrence.WINDOW_PASSED, "sweep")
    match inquiry.state:
        case "paid":
            return _found_paid(desk, gateway, payment, inquiry, "sweep")
        case "cancelled":
            return verification.close(desk, payment, Occurrence.CANCELLED_AT_GATEWAY, "sweep")
        case "returned":
            return verification.close(desk, payment, Occurrence.MONEY_RETURNED, "sweep")
        case _:
            if now <= payment.expires_at:
                return payment
            return verification.close(desk, payment, Occurrence.WINDOW_PASSED, "sweep")


def _found_paid(desk: Desk, gateway: Gateway, payment: Payment, inquiry: Inquiry, source: str) -> Payment:
    """The same way as a callback's: reference, lease, verify."""
    suspicion = "" if inquiry.amount_rial == payment.amount_rial else verification.AMOUNT_IN_INQUIRY
    payment = verification.begin(desk, payment, reference=inquiry.reference, suspicion=suspicion, source=source)
    return verification.resolve(desk, gateway, payment, source=source)


def _next_look(payment: Payment, now: datetime) -> datetime:
    stale = payment.status is Status.VERIFYING and now > payment.verify_until_at
    return now + (STALE_VERIFY_EVERY if stale else INQUIRY_EVERY)


def _due_text(payment: Payment) -> str:
    return to_rfc3339(payment.open_due_at) if payment.open_due_at else ""


class _Breakers:
    """The gateways of one run; one that stays silent is not asked again in it."""

    def __init__(self, gateways: GatewaySet) -> None:
        self._gateways = gateways
        self._known: dict[str, _Breaker] = {}

    def get(self, name: str) -> Gateway:
        if name not in self._known:
            self._known[name] = _Breaker(self._gateways.get(name))
        return self._known[name]

    def default(self) -> str:
        return self._gateways.default()


class _Breaker:
    """A gateway that answers `OutcomeUnknown` at once after too many silences in a row."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._silences = 0
        self.name = gateway.name
        self.rial_per_unit = gateway.rial_per_unit
        self.page_lifetime = gateway.page_lifetime
        self.verify_window = gateway.verify_window
        self.can_inquire_without_callback = gateway.can_inquire_without_callback
        self.read_callback = gateway.read_callback

    def request_token(self, *, order_id: str, amount_rial: int, callback_url: str) -> Token | TokenRefused:
        return self._gateway.request_token(order_id=order_id, amount_rial=amount_rial, callback_url=callback_url)

    def verify(self, *, token: str, reference: str, order_id: str, amount_rial: int) -> VerifyResult:
        with self:
            return self._gateway.verify(
                token=token, reference=reference, order_id=order_id, amount_rial=amount_rial
            )
        raise AssertionError("unreachable")

    def inquire(self, *, token: str, order_id: str) -> Inquiry:
        with self:
            return self._gateway.inquire(token=token, order_id=order_id)
        raise AssertionError("unreachable")

    def __enter__(self) -> None:
        if self._silences >= SILENCES_MAX:
            raise OutcomeUnknown()

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._silences = self._silences + 1 if isinstance(error, OutcomeUnknown) else 0
