"""Opening a payment: one transaction takes the duties, then the gateway gives a page to pay on.

The numbers are the obligations of `create`, and come back in its comments.
1. Once per Idempotency-Key; the same key with the same body gets the first answer again.
2. The quote exists for this caller, is of today, has not expired, and owes something.
3. The duties are leased to this payment, all or none, before the gateway hears of it.
4. A page is opened; a crash or a silent gateway leaves a payment that the same key resumes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

from avarez.canonical import content_hash
from avarez.clock import next_tehran_midnight, tehran_today, to_rfc3339
from avarez.errors import (
    AgreementConflict,
    AgreementNotFound,
    AssessmentNotFound,
    BillOpen,
    ChannelUnavailable,
    DutyLocked,
    FieldError,
    GatewayUnavailable,
    IdempotencyMismatch,
    InvalidInput,
    NothingOwed,
    OutcomeUnknown,
    PaymentNotFound,
    QuoteExpired,
    QuoteNotPayable,
    ReturnUrlRefused,
    ServiceBusy,
    TransactionRefused,
)
from avarez.ids import is_id, new_id
from avarez.money import format_rial
from functions.pay.gateways.port import Gateway, TokenRefused
from functions.pay.payments.ports import Desk
from functions.pay.rules.fees import Fee, split
from functions.pay.rules.leases import IN_FORCE
from functions.pay.rules.records import Event, Payment, Quote, Replay
from functions.pay.rules.states import Occurrence, Status

if TYPE_CHECKING:
    from avarez.http.principal import Principal

ROUTE = "POST /v1/payments"
LEASE_MARGIN = timedelta(minutes=2)
"""A payment lives this much longer than the gateway's page: the time to open it and to come back from it."""

INQUIRY_EVERY = timedelta(seconds=20)
"""A sweep begins each minute and may take 40 s: whatever one run looked at is due again for the next one, so that
money whose callback was lost is found within two minutes of paying."""

IDEMPOTENCY_DAYS = 90
YEARS_MAX = 40
"""Duty years of one payment; a settle transaction has at most 100 items, two of them for a year."""
RETURN_URL_LENGTH_MAX = 1_000
_CREATE_ATTEMPTS_MAX = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """What the caller wants paid, and how."""

    assessment_ids: tuple[str, ...]
    channel: str
    gateway: str
    return_url: str
    supersede_bill: bool = False
    terminal: str = ""
    agreement_id: str = ""

    def body_hash(self) -> str:
        """The same for the same wish, however its JSON was written."""
        return content_hash(
            {
                "assessment_ids": list(self.assessment_ids),
                "channel": self.channel,
                "gateway": self.gateway,
                "return_url": self.return_url,
                "supersede_bill": self.supersede_bill,
                "terminal": self.terminal,
                **({"agreement_id": self.agreement_id} if self.agreement_id else {}),
            }
        )


@dataclass(frozen=True, slots=True)
class Opened:
    """The first answer to a payment, and whether it was given before."""

    answer: dict[str, Any]
    replayed: bool
    payment_id: str


def create(desk: Desk, *, principal: Principal, key: str, asked: Asked) -> Opened:
    """A payment with a page to pay on; repeating the call with the same key never makes a second one.

    Raises:
        IdempotencyMismatch, AssessmentNotFound, QuoteNotPayable, QuoteExpired, NothingOwed, ReturnUrlRefused,
        ChannelUnavailable, DutyLocked, DutyPaid: nothing was written.
        GatewayUnavailable: no page; the same key resumes, unless the gateway refused outright.
    """
    # 1
    if (replay := desk.store.replay(principal.username, ROUTE, key)) is not None:
        return replayed(desk, replay, asked)
    # 2
    now = desk.clock.now()
    check_return_url(desk, asked.return_url)
    quote = payable_quote(desk, principal, asked, now)
    gateway, *others = candidates(desk, asked.gateway, quote.municipality, principal.office or "", quote.owed_rial)
    expires_at = now + max(one.page_lifetime for one in (gateway, *others)) + LEASE_MARGIN
    terms = Terms(
        payment_id=new_id("py", now),
        channel=asked.channel,
        gateway=gateway.name,
        created_by=principal.username,
        office=principal.office or "",
        expires_at=expires_at,
        verify_until_at=expires_at + max(one.verify_window for one in (gateway, *others)),
        return_url=asked.return_url,
        # Nobody can open the page any more once the margin is used up; then the sweep frees the duties.
        open_due_at=now + LEASE_MARGIN,
    )
    payment = payment_of(quote, terms, fee=fee_of(desk, quote), now=now)
    # 3
    replay = replay_of(principal, key, asked, payment, now)
    for _ in range(_CREATE_ATTEMPTS_MAX):
        try:
            desk.store.create(payment, Event(Occurrence.CREATED, "person", now, None, Status.CREATED), replay)
        except DutyLocked:
            desk.report("lease_conflict")
            raise
        except BillOpen as refusal:
            if not asked.supersede_bill:
                raise
            supersede_bill(desk, refusal)
            continue
        except TransactionRefused:
            if (other := desk.store.replay(principal.username, ROUTE, key)) is not None:
                return replayed(desk, other, asked)
            continue  # whoever held a duty let it go between the refusal and our look
        desk.report("payment_created")
        # 4
        return Opened(open_page(desk, payment, gateway, others), False, payment.payment_id)
    raise ServiceBusy(retry_after_s=1)


def payable_quote(desk: Desk, principal: Principal, asked: Asked, now: datetime) -> Quote:
    """The one quote that is asked for, if this caller may pay it now.

    Raises:
        AssessmentNotFound, QuoteNotPayable, QuoteExpired, NothingOwed, InvalidInput.
    """
    if asked.agreement_id:
        return next_part(desk, principal, asked.agreement_id, now)
    (assessment_id,) = asked.assessment_ids
    quote = desk.store.quote(assessment_id) if is_id("as", assessment_id) else None
    if quote is None or not principal.concerns(quote.municipality, quote.plate, quote.vehicle_id):
        raise AssessmentNotFound()
    check_quote(desk, quote, principal.username, now)
    return quote


def next_part(desk: Desk, principal: Principal, agreement_id: str, now: datetime) -> Quote:
    """The next part of an agreement, to be paid as any quote is; parts are paid in order.

    Raises:
        AgreementNotFound, AgreementConflict (not in force).
    """
    agreement = desk.store.agreement(agreement_id) if is_id("ag", agreement_id) else None
    if agreement is None or not principal.reaches(agreement.municipality):
        raise AgreementNotFound()
    part = agreement.next_part
    if agreement.status != IN_FORCE or part is None:
        raise AgreementConflict(extra={"status": agreement.status.value})
    years, rounding_rial = agreement.shares(part.number)
    return Quote(
        assessment_id=agreement.assessment_id,
        municipality=agreement.municipality,
        plate=agreement.plate,
        vehicle_id=agreement.vehicle_id,
        as_of=tehran_today(now),
        expires_at=next_tehran_midnight(now),
        years=years,
        rounding_rial=rounding_rial,
        owed_rial=part.amount_rial,
        trace_hash=agreement.trace_hash,
        tariff_version=agreement.tariff_version,
        agreement_id=agreement_id,
        instalment=part.number,
        completes=agreement.completes(part.number),
        vehicle_class=agreement.vehicle_class,
    )


def fee_of(desk: Desk, quote: Quote) -> Fee:
    """The fee of one assessment; of an agreement the first part bears it."""
    return Fee() if quote.instalment > 1 else desk.store.fee(quote.municipality)


def replay_of(principal: Principal, key: str, asked: Asked, payment: Payment, now: datetime) -> Replay:
    """What is remembered of this Idempotency-Key."""
    return Replay(
        caller=principal.username,
        route=ROUTE,
        key=key,
        body_hash=asked.body_hash(),
        payment_id=payment.payment_id,
        expires_epoch_s=int((now + timedelta(days=IDEMPOTENCY_DAYS)).timestamp()),
    )


def supersede_bill(desk: Desk, refusal: BillOpen) -> None:
    """Gives up the bill that stands in the way; money that still comes for it is dealt with when it comes."""
    other = desk.store.payment(str(refusal.extra.get("payment_id", "")))
    if other is None or other.status is not Status.PENDING:
        return
    now = desk.clock.now()
    after = other.ended(Occurrence.BILL_SUPERSEDED, now)
    event = Event(Occurrence.BILL_SUPERSEDED, "person", now, other.status, after.status)
    with contextlib.suppress(TransactionRefused):
        desk.store.close(other, after, event)


def find(desk: Desk, *, principal: Principal, payment_id: str) -> Payment:
    """The payment, for a caller whom its city concerns.

    Raises:
        PaymentNotFound: there is none, or it is another's.
    """
    payment = desk.store.payment(payment_id) if is_id("py", payment_id) else None
    if payment is None or not _sees(principal, payment):
        raise PaymentNotFound()
    return payment


def _sees(principal: Principal, payment: Payment) -> bool:
    """A joint payment is its maker's and its office's, its parts their cities'; an owner's is what he opened."""
    if principal.owner is not None:
        its_car = principal.concerns(payment.municipality, payment.plate, payment.vehicle_id)
        return its_car and payment.created_by == principal.username
    if principal.reaches(payment.municipality):
        return True
    its_office = bool(payment.office) and payment.office == principal.office
    return bool(payment.parts) and (its_office or payment.created_by == principal.username)


def replayed(desk: Desk, replay: Replay, asked: Asked) -> Opened:
    if replay.body_hash != asked.body_hash():
        raise IdempotencyMismatch()
    payment = desk.store.payment(replay.payment_id)
    if payment is None:
        raise ServiceBusy(retry_after_s=1)
    if payment.answer is not None:
        return Opened(dict(payment.answer), True, payment.payment_id)
    if payment.status is Status.CREATED:
        answer = open_page(desk, payment, desk.gateways.get(payment.gateway))
        desk.queue.send({"payment_id": payment.payment_id})  # a callback may have come before we knew the page
        return Opened(answer, True, payment.payment_id)
    raise never_opened()


def never_opened() -> GatewayUnavailable:
    return GatewayUnavailable(
        "This payment never got a page to pay on, and no money was taken; begin again with a new Idempotency-Key.",
        "برای این پرداخت صفحه‌ای باز نشد و پولی کم نشده است؛ با یک Idempotency-Key تازه دوباره آغاز کنید.",
    )


def check_return_url(desk: Desk, return_url: str) -> None:
    """Refuses every address that is not on a registered origin, and every trick with one."""
    if not return_url:
        return
    if len(return_url) > RETURN_URL_LENGTH_MAX or not return_url.isascii() or "\\" in return_url:
        raise ReturnUrlRefused()
    if any(character <= " " or character == "\x7f" for character in return_url):
        raise ReturnUrlRefused()
    try:
        parts = urlsplit(return_url)
        origin = f"{parts.scheme}://{parts.netloc}"
    except ValueError:
        raise ReturnUrlRefused() from None
    if origin not in desk.return_origins:
        raise ReturnUrlRefused()


def check_quote(desk: Desk, quote: Quote, username: str, now: datetime) -> None:
    """Refuses a quote that cannot be paid now; it expires at the midnight after the day it was made on.

    Raises:
        QuoteNotPayable, QuoteExpired, NothingOwed, InvalidInput (too many years).
    """
    made_on = tehran_today(quote.expires_at - timedelta(milliseconds=1))
    if quote.as_of != made_on:
        raise QuoteNotPayable()
    if now >= quote.expires_at:
        extra: dict[str, Any] = {"assessment_needed": {"municipality": quote.municipality, "plate": quote.plate}}
        if (fresh := desk.reassess(quote, now, username)) is not None:
            extra["assessment"] = dict(fresh)
        raise QuoteExpired(extra=extra)
    if quote.as_of != tehran_today(now):
        raise QuoteNotPayable()
    if quote.owed_rial <= 0 or not quote.years:
        raise NothingOwed()
    if len(quote.years) > YEARS_MAX:
        raise InvalidInput(
            errors=[
                FieldError(
                    "/assessment_id",
                    "too_many_years",
                    f"One payment takes at most {YEARS_MAX} duty years; assess with an earlier through_year.",
                    f"هر پرداخت حداکثر {YEARS_MAX} سال را می‌پذیرد؛ با through_year زودتر برآورد بگیرید.",
                )
            ]
        )


@dataclass(frozen=True, slots=True)
class Terms:
    """What a payment is apart from the quote that it pays."""

    payment_id: str
    channel: str
    gateway: str
    created_by: str
    office: str
    expires_at: datetime
    verify_until_at: datetime
    return_url: str = ""
    parent_id: str = ""
    open_due_at: datetime | None = None
    terminal: str = ""


def payment_of(quote: Quote, terms: Terms, *, fee: Fee, now: datetime) -> Payment:
    """A new payment of this quote.

    Raises:
        ValueError: the quote's years do not add up to what it says is owed.
    """
    total_rial = sum(part.amount_rial for part in quote.years) + quote.rounding_rial
    if total_rial != quote.owed_rial:
        raise ValueError(f"the years of {quote.assessment_id} do not add up to what is owed")
    fees = split(fee, duty_rial=total_rial - quote.rounding_rial, has_office=bool(terms.office))
    return Payment(
        payment_id=terms.payment_id,
        assessment_id=quote.assessment_id,
        municipality=quote.municipality,
        plate=quote.plate,
        vehicle_id=quote.vehicle_id,
        years=quote.years,
        rounding_rial=quote.rounding_rial,
        fee_rial=fees.payer_rial,
        city_fee_rial=fees.city_rial,
        office_fee_rial=fees.office_rial,
        amount_rial=total_rial + fees.payer_rial,
        status=Status.CREATED,
        channel=terms.channel,
        gateway=terms.gateway,
        created_by=terms.created_by,
        office=terms.office,
        created_at=now,
        expires_at=terms.expires_at,
        verify_until_at=terms.verify_until_at,
        trace_hash=quote.trace_hash,
        tariff_version=quote.tariff_version,
        return_url=terms.return_url,
        parent_id=terms.parent_id,
        open_due_at=terms.open_due_at,
        terminal=terms.terminal,
        agreement_id=quote.agreement_id,
        instalment=quote.instalment,
        completes=quote.completes,
        vehicle_class=quote.vehicle_class,
    )


def may_open_page(payment: Payment, gateway: Gateway, now: datetime) -> bool:
    """Whether a page opened now would close before the payment's leases end."""
    return now + gateway.page_lifetime <= payment.expires_at


def candidates(desk: Desk, asked: str, municipality: str, office: str, owed_rial: int) -> list[Gateway]:
    """The gateways to be tried in turn: the one asked for, or those of the office's or the city's list.

    Raises:
        ChannelUnavailable: none of them is set up, or takes such an amount.
    """
    names = [asked] if asked else list(desk.store.gateway_order(municipality, office)) or [desk.gateways.default()]
    found: list[Gateway] = []
    for name in names:
        with contextlib.suppress(ChannelUnavailable):
            found.append(desk.gateways.get(name))
    fit = [one for one in found if one.amount_min_rial <= owed_rial <= one.amount_max_rial] or found[:1]
    if not fit:
        raise ChannelUnavailable()
    awake = [one for one in fit if not getattr(one, "rests", False)]
    return awake or fit


def _changed(desk: Desk, payment: Payment, gateway: Gateway) -> Payment:
    """The payment, to be opened at the next gateway; the page that the first may have made has no address.

    Raises: GatewayUnavailable when a twin of this request moved it meanwhile.
    """
    now = desk.clock.now()
    after = payment.next(Occurrence.GATEWAY_CHANGED, open_due_at=payment.open_due_at, gateway=gateway.name)
    note = {"from": payment.gateway, "to": gateway.name}
    event = Event(Occurrence.GATEWAY_CHANGED, "gateway", now, payment.status, after.status, note)
    try:
        desk.store.advance(payment, after, event)
    except TransactionRefused as refused:
        raise GatewayUnavailable(retry_after_s=5) from refused
    desk.report("gateway_changed")
    return after


def open_page(desk: Desk, payment: Payment, gateway: Gateway, others: Sequence[Gateway] = ()) -> dict[str, Any]:
    """The first answer of a payment that has got its page, from us or from a twin of this request.

    A gateway that is silent or refuses gives way to the next of `others`, before anybody has a page.
    """
    now = desk.clock.now()
    if not may_open_page(payment, gateway, now):
        raise never_opened()
    try:
        result = gateway.request_token(
            order_id=payment.payment_id,
            amount_rial=payment.amount_rial,
            callback_url=f"{desk.public_origin}/v1/callbacks/{payment.gateway}?payment={payment.payment_id}",
        )
    except OutcomeUnknown as unknown:
        desk.report("gateway_unavailable")
        if not others:
            raise GatewayUnavailable(retry_after_s=5) from unknown
        return open_page(desk, _changed(desk, payment, others[0]), others[0], others[1:])
    if isinstance(result, TokenRefused) and others:
        return open_page(desk, _changed(desk, payment, others[0]), others[0], others[1:])
    if isinstance(result, TokenRefused):
        _refused(desk, payment, result, now)
    after = payment.next(
        Occurrence.TOKEN_GIVEN,
        open_due_at=now + INQUIRY_EVERY,
        token=result.token,
        redirect_url=result.redirect_url,
        answer=first_answer(payment) | {"gateway": payment.gateway, "redirect_url": result.redirect_url},
    )
    event = Event(Occurrence.TOKEN_GIVEN, "gateway", now, payment.status, after.status)
    try:
        desk.store.advance(payment, after, event)
    except TransactionRefused:
        current = desk.store.payment(payment.payment_id)
        if current is None or current.answer is None:
            raise never_opened() from None
        return dict(current.answer)
    assert after.answer is not None  # noqa: S101 - set four lines above
    return dict(after.answer)


def first_answer(payment: Payment) -> dict[str, Any]:
    """What every channel answers with; the channel's own members come besides."""
    return {
        "payment_id": payment.payment_id,
        "status": Status.PENDING.value,
        **({"parts": payment.parts} if payment.parts else {"assessment_id": payment.assessment_id}),
        **instalment_members(payment),
        "channel": payment.channel,
        "amount_rial": format_rial(payment.amount_rial),
        "fee_rial": format_rial(payment.fee_rial),
        "expires_at": to_rfc3339(payment.expires_at),
    }


def instalment_members(payment: Payment) -> dict[str, Any]:
    """Which part of which agreement it pays, in public form."""
    if not payment.agreement_id:
        return {}
    return {"agreement_id": payment.agreement_id, "instalment": payment.instalment}


def _refused(desk: Desk, payment: Payment, refusal: TokenRefused, now: datetime) -> NoReturn:
    """The gateway said no: the payment has failed and its duties are free."""
    after = payment.ended(Occurrence.TOKEN_REFUSED, now)
    event = Event(
        Occurrence.TOKEN_REFUSED, "gateway", now, payment.status, after.status, {"reason": refusal.reason}
    )
    try:
        desk.store.close(payment, after, event)
    except TransactionRefused:
        raise GatewayUnavailable(retry_after_s=5) from None
    desk.report("payment_failed")
    raise GatewayUnavailable(
        "The payment gateway refused this payment; no money was taken. Begin again with a new Idempotency-Key.",
        "درگاه این پرداخت را نپذیرفت؛ پولی کم نشده است. با یک Idempotency-Key تازه دوباره آغاز کنید.",
    )
