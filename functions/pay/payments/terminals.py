"""Terminals at the office: the row is written before the sale and completed after it, and the day is closed.

Obligations, by number:
1. The duties are leased before the terminal hears an amount, by a lease that no time ends: somebody may be using a
   card at this moment. It ends by a result, by the terminal's closing, or by release by two people.
2. An answer of the terminal settles; a slip that is typed in by hand settles once a second person has read the
   same from it.
3. At the closing the terminal's own list counts: a sale that it has and we lack stands in suspense, one that we
   have and it lacks is booked as its variance. Nothing is hidden.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from avarez.changed import changed
from avarez.clock import tehran_today
from avarez.errors import (
    DutyLocked,
    Forbidden,
    PosResultConflict,
    ReferenceReused,
    SecondPersonRequired,
    ServiceBusy,
    TerminalNotFound,
    TransactionRefused,
)
from avarez.ids import new_id
from avarez.money import format_rial
from functions.pay.gateways.port import Verified
from functions.pay.payments import opening, verification
from functions.pay.payments.ports import Desk
from functions.pay.rules.ledger import suspense_entry, variance_entry
from functions.pay.rules.records import Event, Payment
from functions.pay.rules.refunds import Found
from functions.pay.rules.states import Occurrence, Status
from functions.pay.rules.suspense import NATIONAL, unexplained
from functions.pay.rules.terminals import Closing, ClosingLine, Sale, Terminal

if TYPE_CHECKING:
    from avarez.http.principal import Principal

CHANNEL = "pos"
SOURCE = "terminal"
LOOKED_AT_AFTER = timedelta(hours=20)
"""A sale that is open so long waits for its terminal's closing; it is counted, and its lease stays."""
ATTEMPTS_MAX = 4


@dataclass(frozen=True, slots=True)
class Slip:
    """What stands on a terminal's slip."""

    reference: str
    amount_rial: int
    tracking: str = ""
    masked_card: str = ""


# --- a sale ---------------------------------------------------------------------------------------------


def create(desk: Desk, *, principal: Principal, key: str, asked: opening.Asked) -> opening.Opened:
    """A sale that the terminal may begin; repeating the call with the same key never makes a second one.

    Raises:
        IdempotencyMismatch, AssessmentNotFound, QuoteNotPayable, QuoteExpired, NothingOwed, ChannelUnavailable,
        TerminalNotFound, BillOpen, DutyLocked, DutyPaid: nothing was written.
    """
    if (known := desk.store.replay(principal.username, opening.ROUTE, key)) is not None:
        return opening.replayed(desk, known, asked)
    now = desk.clock.now()
    quote = opening.payable_quote(desk, principal, asked, now)
    terminal = desk.terminals.terminal(asked.terminal)
    if terminal is None or not principal.office or terminal.office != principal.office:
        raise TerminalNotFound()
    terms = opening.Terms(
        payment_id=new_id("py", now),
        channel=CHANNEL,
        gateway=terminal.acquirer,
        created_by=principal.username,
        office=principal.office,
        expires_at=now + LOOKED_AT_AFTER,
        verify_until_at=now + LOOKED_AT_AFTER,
        open_due_at=now + LOOKED_AT_AFTER,
        terminal=terminal.terminal_id,
    )
    priced = opening.payment_of(quote, terms, fee=opening.fee_of(desk, quote), now=now)
    opened = changed(priced, status=Status.PENDING)
    pos = {"terminal": terminal.terminal_id, "acquirer": terminal.acquirer, "order_id": opened.payment_id}
    pos["amount_rial"] = format_rial(opened.amount_rial)
    payment = changed(opened, answer=opening.first_answer(opened) | {"pos": pos})
    replay = opening.replay_of(principal, key, asked, payment, now)
    event = Event(Occurrence.CREATED, "person", now, None, Status.PENDING, {"terminal": terminal.terminal_id})
    for _ in range(ATTEMPTS_MAX):
        try:
            desk.store.create(payment, event, replay)
        except DutyLocked:
            desk.report("lease_conflict")
            raise
        except TransactionRefused:
            if (known := desk.store.replay(principal.username, opening.ROUTE, key)) is not None:
                return opening.replayed(desk, known, asked)
            continue
        desk.report("payment_created")
        return opening.Opened(dict(payment.answer or {}), False, payment.payment_id)
    raise ServiceBusy(retry_after_s=1)


def approved(desk: Desk, payment: Payment, slip: Slip) -> Payment:
    """The sale, settled by its terminal's own answer; another amount than ours stands in suspense.

    Raises:
        PosResultConflict: the sale is over, or under another reference.
        ReferenceReused: the slip is another sale's.
    """
    for _ in range(ATTEMPTS_MAX):
        if _settled_by(payment, slip):
            return payment
        try:
            began = _begin(desk, payment, slip)
            return verification.confirmed(desk, began, _verdict(began, slip), SOURCE)
        except TransactionRefused:
            payment = desk.store.payment(payment.payment_id) or payment
    raise ServiceBusy(retry_after_s=1)


def typed_in(desk: Desk, payment: Payment, slip: Slip, *, by: str) -> Payment:
    """The sale, waiting for a second person to read the same from its slip.

    Raises: PosResultConflict, ReferenceReused.
    """
    if _settled_by(payment, slip):
        return payment
    try:
        return _begin(desk, payment, slip, typed_by=by)
    except TransactionRefused as refused:
        raise PosResultConflict() from refused


def looked_at_again(desk: Desk, payment: Payment, slip: Slip, *, by: str) -> Payment:
    """The sale, settled: a second person has read from the slip what the first one typed.

    Raises:
        SecondPersonRequired: it is the same person.
        PosResultConflict: the two differ (it waits again for a result), or nothing was typed in.
    """
    if _settled_by(payment, slip):
        return payment
    if payment.status is not Status.VERIFYING or not payment.typed_by:
        raise PosResultConflict()
    if by == payment.typed_by:
        raise SecondPersonRequired()
    first = payment.reference, payment.typed_rial
    if first != (_reference(payment, slip.reference), slip.amount_rial):
        verification.resume_waiting(desk, payment, "second look")
        raise PosResultConflict(
            "The two readings of the slip differ; read it again, both of you.",
            "دو خوانش از رسید یکی نیست؛ هر دو نفر دوباره آن را بخوانید.",
        )
    try:
        return verification.confirmed(desk, payment, _verdict(payment, slip), "second look")
    except TransactionRefused as refused:
        raise PosResultConflict() from refused


def declined(desk: Desk, payment: Payment) -> Payment:
    """The sale, cancelled: its terminal says that nothing was taken; the duties are free.

    Raises: PosResultConflict.
    """
    if payment.status is Status.CANCELLED:
        return payment
    if payment.status is not Status.PENDING:
        raise PosResultConflict()
    try:
        return verification.close(desk, payment, Occurrence.CANCELLED, SOURCE)
    except TransactionRefused as refused:
        raise PosResultConflict() from refused


def release(desk: Desk, payment: Payment, *, by: str) -> Payment:
    """The sale, given up once two people have said that nothing was taken; after the first it only says so.

    Raises: PosResultConflict, SecondPersonRequired.
    """
    if payment.status is Status.CANCELLED:
        return payment
    if payment.status is not Status.PENDING:
        raise PosResultConflict()
    try:
        if not payment.released_by:
            after = changed(payment, version=payment.version + 1, released_by=by)
            desk.store.postpone(payment, after)
            return after
        if payment.released_by == by:
            raise SecondPersonRequired()
        note = {"first": payment.released_by, "second": by}
        return verification.close(desk, payment, Occurrence.RELEASED, "two people", note=note)
    except TransactionRefused as refused:
        raise PosResultConflict() from refused


def check_its_office(payment: Payment, principal: Principal) -> None:
    """Raises `Forbidden` for whoever is not of the office that opened the sale."""
    if payment.channel != CHANNEL or not payment.office or payment.office != principal.office:
        raise Forbidden(
            "Only the office whose terminal it is may say what became of a sale.",
            "تنها دفتری که پایانه از آن اوست می‌تواند نتیجهٔ فروش را ثبت کند.",
        )


def _begin(desk: Desk, payment: Payment, slip: Slip, *, typed_by: str = "") -> Payment:
    """The sale under its slip's reference; as it stands when that was done before."""
    reference = _reference(payment, slip.reference)
    if payment.status is Status.VERIFYING and payment.reference == reference and not typed_by:
        return payment
    if payment.status is not Status.PENDING:
        raise PosResultConflict()
    now = desk.clock.now()
    after = payment.next(
        Occurrence.PAID_AT_GATEWAY,
        open_due_at=payment.open_due_at,
        reference=reference,
        typed_by=typed_by,
        typed_rial=slip.amount_rial if typed_by else 0,
        tracking=slip.tracking,
    )
    note = {"reference": reference, **({"typed_by": typed_by} if typed_by else {})}
    event = Event(Occurrence.PAID_AT_GATEWAY, SOURCE, now, payment.status, after.status, note)
    try:
        desk.store.begin_verifying(payment, after, event)
    except ReferenceReused:
        desk.report("reference_reused")
        raise
    return after


def _verdict(payment: Payment, slip: Slip) -> Verified:
    return Verified(payment.reference, slip.amount_rial, already=False, tracking=slip.tracking)


def _settled_by(payment: Payment, slip: Slip) -> bool:
    ended = payment.status in (Status.SETTLED, Status.SUSPENSE, Status.REFUNDING, Status.REFUNDED)
    return ended and payment.reference == _reference(payment, slip.reference)


def _reference(payment: Payment, on_slip: str) -> str:
    return f"{payment.terminal}-{on_slip}"


# --- the end of the day ---------------------------------------------------------------------------------


def close_day(
    desk: Desk, terminal: Terminal, *, day: date, lines: Sequence[ClosingLine], closed_by: str
) -> Closing:
    """The terminal's day, closed against its own list; the same day and list again change nothing more.

    Every sale since the last closing comes to its end here. Interrupted, it is gone on with by calling it again.

    Raises:
        PosResultConflict: the day was closed with another list.
        ServiceBusy: the store is busy; call it again.
    """
    known = desk.terminals.closing(terminal.terminal_id, day)
    if known is not None and known.lines_hash != Closing.hash_of(lines):
        raise PosResultConflict()
    if known is not None and known.done:
        return known
    now = desk.clock.now()
    closing = known or Closing.begun(terminal, day, lines, closed_by, now)
    if known is None:
        desk.terminals.begin_closing(closing)
    listed = {line.reference: line for line in lines}
    found = desk.terminals.sales(terminal.terminal_id, after=closing.after_payment_id)
    sales = [payment for sale in found if (payment := desk.store.payment(sale.payment_id)) is not None]
    of_day = [payment for payment in sales if tehran_today(payment.created_at) <= day]
    matched: dict[str, int] = {}
    for payment in of_day:
        _close_sale(desk, closing, payment, listed, matched)
    for reference, line in listed.items():
        if reference not in matched:
            _unknown_sale(desk, terminal, line, now)
    done = changed(
        closing,
        done=True,
        last_payment_id=max((of.payment_id for of in of_day), default=closing.after_payment_id),
        ours_rial=sum(matched.values()),
        variance_rial=sum(line.amount_rial for line in lines) - sum(matched.values()),
    )
    desk.terminals.finish_closing(closing, done)
    desk.report("terminal_closed")
    if done.variance_rial:
        desk.report("terminal_variance")
    return done


def _close_sale(
    desk: Desk,
    closing: Closing,
    payment: Payment,
    listed: Mapping[str, ClosingLine],
    matched: dict[str, int],
) -> None:
    """Ends one sale by what the terminal's list says of it."""
    if payment.status is Status.PENDING:
        line = next((line for line in listed.values() if line.order_id == payment.payment_id), None)
        if line is None:
            verification.close(desk, payment, Occurrence.CLOSED_WITHOUT_SALE, "closing")
            return
        payment = approved(desk, payment, Slip(line.reference, line.amount_rial, line.tracking))
    on_slip = payment.reference.removeprefix(f"{payment.terminal}-")
    line = listed.get(on_slip)
    if payment.status is Status.VERIFYING:
        if line is None:
            verification.close(desk, payment, Occurrence.CLOSED_WITHOUT_SALE, "closing")
            return
        payment = verification.confirmed(
            desk, payment, _verdict(payment, Slip(on_slip, line.amount_rial, line.tracking)), "closing"
        )
    taken_rial = payment.confirmed_rial or payment.amount_rial
    if payment.settled_at is None and payment.status not in (Status.SUSPENSE, Status.REFUNDING, Status.REFUNDED):
        return
    if line is not None:
        matched[on_slip] = taken_rial
    missing_rial = taken_rial - (line.amount_rial if line is not None else 0)
    if missing_rial:
        _book_variance(desk, closing, payment, missing_rial)


def _book_variance(desk: Desk, closing: Closing, payment: Payment, missing_rial: int) -> None:
    """What we booked and the terminal does not have leaves its clearing; once for a sale, whoever repeats it."""
    now = desk.clock.now()
    entry = variance_entry(payment, missing_rial, journal_id=new_id("je", now), now=now, cause=closing.closing_id)
    desk.terminals.book_variance(closing, payment, entry)


def _unknown_sale(desk: Desk, terminal: Terminal, line: ClosingLine, now: datetime) -> None:
    """A sale that the terminal has and we lack: its money stands in suspense, its payer is unknown."""
    payment = unexplained(
        payment_id=new_id("py", now),
        municipality=NATIONAL,
        channel=CHANNEL,
        gateway=terminal.acquirer,
        reference=f"{terminal.terminal_id}-{line.reference}",
        amount_rial=line.amount_rial,
        created_by="closing",
        now=now,
        tracking=line.tracking,
        office=terminal.office,
        terminal=terminal.terminal_id,
    )
    event = Event(Occurrence.CREATED, "closing", now, None, Status.SUSPENSE, {"reference": payment.reference})
    entry = suspense_entry(payment, line.amount_rial, journal_id=new_id("je", now), now=now)
    try:
        desk.store.put_found(Found(payment, event, entry, None))
    except ReferenceReused:
        return
    desk.report("suspense")


def terminal_of(desk: Desk, principal: Principal, terminal_id: str) -> Terminal:
    """The terminal, for its own office, operators and auditors.

    Raises: TerminalNotFound.
    """
    terminal = desk.terminals.terminal(terminal_id)
    if terminal is None or (principal.group == "office" and terminal.office != principal.office):
        raise TerminalNotFound()
    return terminal


def sales_of(desk: Desk, terminal: Terminal) -> Sequence[Sale]:
    """The terminal's sales since its last closing."""
    last = desk.terminals.last_closing(terminal.terminal_id)
    return desk.terminals.sales(terminal.terminal_id, after=last.last_payment_id if last else "")
