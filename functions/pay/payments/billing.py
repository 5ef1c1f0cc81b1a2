"""Bills: opened at the office, paid at any bank, told by the bank's daily file.

A bill takes no lease, since it may be paid for days. The numbers are the obligations of `take_line`:
1. A line counts once, whatever file brings it how often: its key is a reference that belongs to one payment.
2. It is matched by its pair of ids and by nothing else; what matches nothing stands in suspense.
3. Paid by the date printed on it, a bill is honoured at its amount. Paid later, its money pays the oldest years at
   what they cost on that day, and what is left stands in suspense and is given back.
4. A duty that is paid already sends the money to suspense, and a refund is opened. One that somebody is paying
   at this moment is waited for.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from avarez.changed import changed
from avarez.clock import TEHRAN, tehran_today
from avarez.errors import (
    AmountNotBillable,
    BillOpen,
    ChannelUnavailable,
    DutyLocked,
    DutyPaid,
    ReferenceReused,
    ServiceBusy,
    TransactionRefused,
)
from avarez.ids import lot, new_id
from avarez.jalali import to_jalali
from avarez.journal import YearAmount
from functions.pay.payments import opening, verification
from functions.pay.payments.ports import Desk
from functions.pay.payments.refunding import of_suspense
from functions.pay.rules import bills
from functions.pay.rules.bills import BillTerms, PaidLine
from functions.pay.rules.ledger import settled_entry, suspense_entry
from functions.pay.rules.records import Event, Payment
from functions.pay.rules.refunds import Found
from functions.pay.rules.states import Occurrence, Status
from functions.pay.rules.suspense import NATIONAL, unexplained

if TYPE_CHECKING:
    from avarez.http.principal import Principal

CHANNEL = "bill"
PAIR_ATTEMPTS_MAX = 5
"""Pairs of ids are drawn by lot among ten thousand million; five in a row that are taken are a defect."""
SOURCE = "bank file"


class Taken(StrEnum):
    """What became of a line."""

    APPLIED = "applied"
    ALREADY = "already"
    APPLIED_IN_PART = "applied_in_part"
    SUSPENSE_PAID = "suspense_duty_paid"
    SUSPENSE_LATE = "suspense_too_little"
    SUSPENSE_UNMATCHED = "suspense_unmatched"
    WAITS = "waits"


# --- opening --------------------------------------------------------------------------------------------


def create(desk: Desk, *, principal: Principal, key: str, asked: opening.Asked) -> opening.Opened:
    """A bill that can be paid at any bank; repeating the call with the same key never makes a second one.

    Raises:
        IdempotencyMismatch, AssessmentNotFound, QuoteNotPayable, QuoteExpired, NothingOwed, ChannelUnavailable,
        AmountNotBillable, BillOpen, DutyLocked, DutyPaid: nothing was written.
    """
    if (known := desk.store.replay(principal.username, opening.ROUTE, key)) is not None:
        return opening.replayed(desk, known, asked)
    now = desk.clock.now()
    quote = opening.payable_quote(desk, principal, asked, now)
    terms = desk.store.bill_terms(quote.municipality)
    if terms is None:
        raise ChannelUnavailable()
    expires_at = _end_of(tehran_today(now) + timedelta(days=terms.valid_days))
    payment = opening.payment_of(
        quote,
        opening.Terms(
            payment_id=new_id("py", now),
            channel=CHANNEL,
            gateway="",
            created_by=principal.username,
            office=principal.office or "",
            expires_at=expires_at,
            verify_until_at=expires_at,
            open_due_at=expires_at,
        ),
        fee=opening.fee_of(desk, quote),
        now=now,
    )
    year_digit = to_jalali(tehran_today(now)).year % 10
    for _ in range(PAIR_ATTEMPTS_MAX):
        bill = _numbered(payment, terms, year_digit)
        replay = opening.replay_of(principal, key, asked, bill, now)
        event = Event(Occurrence.CREATED, "person", now, None, Status.PENDING, {"bill_id": bill.bill_id})
        try:
            desk.store.create(bill, event, replay)
        except BillOpen as refusal:
            if not asked.supersede_bill:
                raise
            opening.supersede_bill(desk, refusal)
            continue
        except TransactionRefused:
            if (known := desk.store.replay(principal.username, opening.ROUTE, key)) is not None:
                return opening.replayed(desk, known, asked)
            continue  # the pair is taken, or a duty was let go meanwhile
        desk.report("payment_created")
        return opening.Opened(dict(bill.answer or {}), False, bill.payment_id)
    raise ServiceBusy(retry_after_s=1)


def _numbered(payment: Payment, terms: BillTerms, year_digit: int) -> Payment:
    """The bill under a pair of ids drawn by lot, with its first answer.

    Raises: AmountNotBillable.
    """
    of_bill = bills.bill_id(1 + lot(bills.FILE_CODES - 1), terms.company_code)
    try:
        code = bills.payment_code(payment.amount_rial, year_digit, lot(100), of_bill)
    except ValueError as error:
        raise AmountNotBillable() from error
    bill = changed(payment, status=Status.PENDING, bill_id=of_bill, payment_code=code)
    answer = opening.first_answer(bill) | {
        "bill_id": of_bill,
        "payment_code": code,
        "barcode": bills.barcode(of_bill, code),
    }
    return changed(bill, answer=answer)


def _end_of(day: date) -> datetime:
    """The last instant of the day in Tehran."""
    midnight = datetime.combine(day + timedelta(days=1), time(), TEHRAN)
    return (midnight - timedelta(milliseconds=1)).astimezone(UTC)


# --- the bank's lines -----------------------------------------------------------------------------------


def take_line(desk: Desk, line: PaidLine, *, bank: str) -> Taken:
    """What became of a line of the bank's file; taking it again changes nothing.

    Raises:
        ServiceBusy: the store is busy; the line is to be taken again.
    """
    # 2
    payment = desk.store.bill(line.bill_id, line.payment_code)
    if payment is None:
        return _unmatched(desk, line, bank, bills.amount_of(line.payment_code))
    for _ in range(verification.WRITE_ATTEMPTS_MAX):
        try:
            return _take(desk, payment, line, bank)
        except ReferenceReused:  # 1
            return Taken.ALREADY
        except TransactionRefused:
            payment = desk.store.payment(payment.payment_id) or payment
    raise ServiceBusy(retry_after_s=1)


def _take(desk: Desk, payment: Payment, line: PaidLine, bank: str) -> Taken:
    if payment.status not in (Status.PENDING, Status.EXPIRED, Status.CANCELLED):
        return _surplus(desk, payment, line, bank, Taken.SUSPENSE_PAID)
    paid = changed(payment, gateway=bank, reference=line.key, tracking=line.tracking)
    left_rial, outcome = 0, Taken.APPLIED
    # What a late part of an agreement means its agreement says: it is the same amount while that is in force.
    if line.paid_on > tehran_today(payment.expires_at) and not payment.agreement_id:
        years = _oldest_first(desk, payment, line.paid_on)
        left_rial = payment.amount_rial - payment.fee_rial - sum(part.amount_rial for part in years)
        if not years:
            return _surplus(desk, payment, line, bank, Taken.SUSPENSE_LATE)
        paid = changed(paid, years=years, rounding_rial=0, amount_rial=payment.amount_rial - left_rial)
        outcome = Taken.APPLIED_IN_PART
    try:
        _settle(desk, payment, paid, left_rial)
    except DutyPaid:  # 4
        return _surplus(desk, payment, line, bank, Taken.SUSPENSE_PAID)
    except DutyLocked:
        return Taken.WAITS
    return outcome


def _settle(desk: Desk, before: Payment, paid: Payment, left_rial: int) -> None:
    now = desk.clock.now()
    certificate_id = new_id("ce", now) if paid.certified else ""
    after = paid.next(Occurrence.BILL_PAID, open_due_at=None, settled_at=now, certificate_id=certificate_id)
    entry = settled_entry(after, journal_id=new_id("je", now), now=now)
    event = Event(Occurrence.BILL_PAID, SOURCE, now, before.status, after.status, {"reference": paid.reference})
    rest = found_money(after, left_rial, now) if left_rial > 0 else None
    desk.store.settle_bill(before, after, event, entry, new_id("ev", now), _with_papers(rest, now))
    desk.report("payment_settled")
    if rest is not None:
        desk.report("suspense")


def _oldest_first(desk: Desk, payment: Payment, paid_on: date) -> tuple[YearAmount, ...]:
    """The years that the bill's money pays at what they cost on the day it was paid, the oldest first."""
    costs = {part.year: part.amount_rial for part in desk.requote(payment, paid_on)}
    left_rial = payment.amount_rial - payment.fee_rial
    covered: list[YearAmount] = []
    for part in sorted(payment.years, key=lambda part: part.year):
        cost_rial = costs.get(part.year)
        if cost_rial is None or cost_rial > left_rial:
            break
        covered.append(YearAmount(part.year, cost_rial))
        left_rial -= cost_rial
    return tuple(covered)


def found_money(of: Payment, amount_rial: int, now: datetime) -> Payment:
    """Money in suspense that came under the same reference as `of` and is not its own."""
    return changed(
        of,
        payment_id=new_id("py", now),
        years=(),
        rounding_rial=0,
        fee_rial=0,
        city_fee_rial=0,
        office_fee_rial=0,
        amount_rial=amount_rial,
        confirmed_rial=amount_rial,
        status=Status.SUSPENSE,
        version=1,
        open_due_at=None,
        settled_at=None,
        certificate_id="",
        refunded=(),
        refunded_rial=0,
        answer=None,
        bill_id="",
        payment_code="",
        agreement_id="",
        instalment=0,
        completes=(),
        created_at=now,
    )


def _with_papers(payment: Payment | None, now: datetime, *, refunds: bool = True) -> Sequence[Found]:
    if payment is None:
        return ()
    event = Event(Occurrence.CREATED, SOURCE, now, None, Status.SUSPENSE, {"reference": payment.reference})
    entry = suspense_entry(payment, payment.amount_rial, journal_id=new_id("je", now), now=now)
    return (Found(payment, event, entry, of_suspense(payment, now) if refunds else None),)


def _surplus(desk: Desk, payment: Payment, line: PaidLine, bank: str, outcome: Taken) -> Taken:
    """Money for a bill whose duties it cannot pay any more."""
    now = desk.clock.now()
    of = changed(payment, gateway=bank, reference=line.key, tracking=line.tracking)
    (found,) = _with_papers(found_money(of, payment.amount_rial, now), now)
    desk.store.put_found(found)
    desk.report("suspense")
    return outcome


def _unmatched(desk: Desk, line: PaidLine, bank: str, amount_rial: int) -> Taken:
    """Money that no bill of ours explains: it stands in suspense until two people say whose it is."""
    now = desk.clock.now()
    payment = unexplained(
        payment_id=new_id("py", now),
        municipality=NATIONAL,
        channel=CHANNEL,
        gateway=bank,
        reference=line.key,
        amount_rial=amount_rial,
        created_by=SOURCE,
        now=now,
        tracking=line.tracking,
    )
    (found,) = _with_papers(payment, now, refunds=False)
    try:
        desk.store.put_found(found)
    except ReferenceReused:
        return Taken.ALREADY
    desk.report("suspense")
    return Taken.SUSPENSE_UNMATCHED
