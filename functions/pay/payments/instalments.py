"""Paying a duty in parts: an agreement that one person asks for and another approves, and what becomes of it.

Obligations, by number:
1. Only where the city's setting of the day allows it, of a quote of today, within the setting's bounds.
2. With the approval the years are bound to the agreement, all or none: its parts pay them, in order, by any
   channel.
3. A part is paid by a payment like any other; with it, in one transaction, the agreement counts it, and every year
   whose last rial came is paid and certified.
4. A part that is late beyond its grace breaks the agreement, unless somebody is paying it at that moment.
5. Whoever may approve may turn it down instead: it has bound nothing by then. In force it ends by its last part,
   which may be paid before it is due, or by breaking.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from avarez.clock import tehran_today
from avarez.errors import (
    AgreementConflict,
    AgreementNotFound,
    AssessmentNotFound,
    FieldError,
    InstalmentsNotOffered,
    InvalidInput,
    SecondPersonRequired,
    TransactionRefused,
)
from avarez.ids import is_id, new_id
from functions.pay.payments.opening import check_quote
from functions.pay.payments.ports import Desk
from functions.pay.rules.instalments import (
    PART_UNIT_RIAL,
    Agreement,
    AgreementStatus,
    divided,
    terms_from,
    with_surcharge,
)
from functions.pay.rules.records import OpenRow, Quote

if TYPE_CHECKING:
    from avarez.http.principal import Principal

PARTS_MIN = 2


def request(desk: Desk, *, principal: Principal, assessment_id: str, parts: int) -> Agreement:
    """An agreement over the years of this quote that waits for its second person.

    Raises:
        AssessmentNotFound, QuoteNotPayable, QuoteExpired, NothingOwed, InstalmentsNotOffered.
        InvalidInput: more parts than the city gives, or parts that are too small.
    """
    now = desk.clock.now()
    quote = desk.store.quote(assessment_id) if is_id("as", assessment_id) else None
    if quote is None or not principal.reaches(quote.municipality):
        raise AssessmentNotFound()
    check_quote(desk, quote, principal.username, now)
    if quote.instalments is None:
        raise InstalmentsNotOffered()
    agreement = drawn_up(
        quote, parts, agreement_id=new_id("ag", now), by=principal.username, office=principal.office or ""
    )
    desk.store.open_agreement(agreement)
    desk.report("agreement_requested")
    return agreement


def drawn_up(quote: Quote, count: int, *, agreement_id: str, by: str, office: str) -> Agreement:
    """The agreement that divides what the quote owes into so many parts.

    Raises: InvalidInput.
    """
    terms = terms_from(quote.instalments or {})
    if not PARTS_MIN <= count <= terms.parts_max:
        raise _refused(
            "parts_out_of_range",
            f"From {PARTS_MIN} to {terms.parts_max} parts.",
            f"تعداد اقساط از {PARTS_MIN} تا {terms.parts_max} است.",
        )
    years = with_surcharge(quote.years, terms.surcharge_ppm)
    years_rial = sum(part.amount_rial for part in years)
    # The quote's own rounding holds unless a surcharge moved the sum; then up to what a bill can take.
    moved = years != quote.years
    rounding_rial = -years_rial % PART_UNIT_RIAL if moved else quote.rounding_rial
    total_rial = years_rial + rounding_rial
    if total_rial // count // PART_UNIT_RIAL * PART_UNIT_RIAL < max(terms.least_rial, 1):
        raise _refused(
            "parts_too_small",
            f"A part would be less than {terms.least_rial} rial; take fewer parts.",
            f"هر قسط کمتر از {terms.least_rial} ریال می‌شود؛ تعداد کمتری برگزینید.",
        )
    return Agreement(
        agreement_id=agreement_id,
        assessment_id=quote.assessment_id,
        municipality=quote.municipality,
        plate=quote.plate,
        vehicle_id=quote.vehicle_id,
        as_of=quote.as_of,
        years=years,
        surcharge_rial=years_rial - sum(part.amount_rial for part in quote.years),
        rounding_rial=rounding_rial,
        parts=divided(total_rial, count, quote.as_of, terms.every_months),
        grace_days=terms.grace_days,
        trace_hash=quote.trace_hash,
        tariff_version=quote.tariff_version,
        requested_by=by,
        office=office,
        vehicle_class=quote.vehicle_class,
    )


def _refused(code: str, message_en: str, message_fa: str) -> InvalidInput:
    return InvalidInput(errors=[FieldError("/parts", code, message_en, message_fa)])


def find(desk: Desk, *, principal: Principal, agreement_id: str) -> Agreement:
    """The agreement, for a caller whom its city concerns.

    Raises: AgreementNotFound.
    """
    agreement = desk.store.agreement(agreement_id) if is_id("ag", agreement_id) else None
    if agreement is None or not principal.reaches(agreement.municipality):
        raise AgreementNotFound()
    return agreement


def approve(desk: Desk, agreement: Agreement, *, by: str) -> Agreement:
    """The agreement, in force: its years are bound to it.

    Raises:
        SecondPersonRequired: whoever asked for it cannot approve it.
        AgreementConflict: it is decided, or of an earlier day, whose amounts hold no more.
        DutyLocked, DutyPaid, BillOpen: a year is not to be had.
    """
    now = desk.clock.now()
    if by == agreement.requested_by:
        raise SecondPersonRequired()
    if agreement.status is not AgreementStatus.REQUESTED or agreement.lapsed(tehran_today(now)):
        raise AgreementConflict(extra={"status": agreement.status.value})
    after = agreement.approved(by)
    try:
        desk.store.start_agreement(agreement, after, now)
    except TransactionRefused as refused:
        raise AgreementConflict() from refused
    desk.report("agreement_in_force")
    return after


def reject(desk: Desk, agreement: Agreement, *, by: str, reason: str) -> Agreement:
    """The agreement, turned down.

    Raises:
        AgreementConflict: it is decided already.
    """
    if agreement.status is not AgreementStatus.REQUESTED:
        raise AgreementConflict(extra={"status": agreement.status.value})
    after = agreement.rejected(by, reason)
    try:
        desk.store.reject_agreement(agreement, after)
    except TransactionRefused as refused:
        raise AgreementConflict() from refused
    desk.report("agreement_rejected")
    return after


def look(desk: Desk, row: OpenRow) -> bool:
    """Whether the agreement broke at this look; its row is forgotten where it waits for nothing.

    A part that somebody is paying at this moment is looked at again by the next sweep.
    """
    agreement = desk.store.agreement(row.payment_id)
    if agreement is None or agreement.due_text != row.due_at:
        desk.store.forget(row)
        return False
    with contextlib.suppress(TransactionRefused):
        desk.store.break_agreement(agreement, agreement.broken(), desk.clock.now())
        desk.report("agreement_broken")
        return True
    return False
