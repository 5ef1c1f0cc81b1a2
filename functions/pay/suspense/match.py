"""Money in suspense given to a duty: one person proposes, another decides.

Obligations, by number:
1. Only money whose payer is unknown is matched; a payment's own money that went to suspense goes back by itself.
2. The quote is payable today and of exactly the money's amount: nothing is matched in part.
3. With the approval, in one transaction: the money leaves suspense, the duty is paid, a certificate is reserved.
4. Every step is kept, with who and when. A refund of the money is asked for as of any payment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from avarez.clock import tehran_today
from avarez.errors import (
    AssessmentNotFound,
    QuoteNotPayable,
    SecondPersonRequired,
    SuspenseAmountDiffers,
    SuspenseNotMatchable,
    TransactionRefused,
)
from avarez.ids import new_id
from avarez.journal import JournalEntry
from functions.pay.rules.ledger import matched_entry
from functions.pay.rules.records import Event, Payment, Quote
from functions.pay.rules.states import Occurrence, Status

SOURCE = "two people"


class MatchStatus(StrEnum):
    """Where a proposal stands."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a proposal: what was done, by whom, when, and why."""

    what: MatchStatus
    by: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Match:
    """A proposal for one payment in suspense, with every step since the first proposal."""

    payment_id: str
    assessment_id: str
    status: MatchStatus
    steps: tuple[Step, ...]
    settled_payment_id: str = ""

    @property
    def proposed_by(self) -> str:
        return next(step.by for step in reversed(self.steps) if step.what is MatchStatus.PROPOSED)


class Suspense(Protocol):
    """Money in suspense as it is kept; every write is all or nothing."""

    def open_of(self, municipality: str, *, after: str, limit: int) -> Sequence[Payment]: ...

    def payment(self, payment_id: str) -> Payment | None: ...

    def quote(self, assessment_id: str) -> Quote | None: ...

    def match(self, payment_id: str) -> Match | None: ...

    def matches(self, payment_ids: Sequence[str]) -> Mapping[str, Match]: ...

    def keep(self, before: Match | None, after: Match) -> None:
        """Raises `TransactionRefused` when the proposal moved on."""

    def settle(
        self,
        before: Match,
        after: Match,
        source: tuple[Payment, Payment],
        event: Event,
        settled: Payment,
        entry: JournalEntry,
    ) -> None:
        """Raises: DutyLocked, DutyPaid, TransactionRefused."""


def propose(
    suspense: Suspense, payment: Payment, *, assessment_id: str, reason: str, by: str, now: datetime
) -> Match:
    """The proposal, waiting for a second person.

    Raises:
        SuspenseNotMatchable, SuspenseAmountDiffers, AssessmentNotFound, QuoteNotPayable.
    """
    _quote(suspense, payment, assessment_id, now)
    before = suspense.match(payment.payment_id)
    if before is not None and before.status is not MatchStatus.REJECTED:
        raise SuspenseNotMatchable()
    step = Step(MatchStatus.PROPOSED, by, now, reason)
    steps = (*(before.steps if before else ()), step)
    after = Match(payment.payment_id, assessment_id, MatchStatus.PROPOSED, steps)
    _keep(suspense, before, after)
    return after


def reject(suspense: Suspense, payment: Payment, *, reason: str, by: str, now: datetime) -> Match:
    """The proposal, turned down; whoever made it may take it back. Another one may be made.

    Raises:
        SuspenseNotMatchable: there is none.
    """
    before = _proposed(suspense, payment)
    step = Step(MatchStatus.REJECTED, by, now, reason)
    after = replace(before, status=MatchStatus.REJECTED, steps=(*before.steps, step))
    _keep(suspense, before, after)
    return after


def approve(suspense: Suspense, payment: Payment, *, by: str, now: datetime) -> Match:
    """The proposal, carried out: the duty is paid by the money.

    Raises:
        SecondPersonRequired: whoever proposed it cannot approve it.
        SuspenseNotMatchable, SuspenseAmountDiffers, AssessmentNotFound, QuoteNotPayable, DutyLocked, DutyPaid:
        nothing was written.
    """
    before = _proposed(suspense, payment)
    if before.proposed_by == by:
        raise SecondPersonRequired()
    quote = _quote(suspense, payment, before.assessment_id, now)
    settled = _settled(payment, quote, before, now)
    after = replace(
        before,
        status=MatchStatus.APPROVED,
        steps=(*before.steps, Step(MatchStatus.APPROVED, by, now, "")),
        settled_payment_id=settled.payment_id,
    )
    moved = payment.next(Occurrence.MATCHED, open_due_at=None, certificate_id=settled.certificate_id)
    note = {"proposed_by": before.proposed_by, "approved_by": by, "settled": settled.payment_id}
    event = Event(Occurrence.MATCHED, SOURCE, now, payment.status, moved.status, note)
    entry = matched_entry(settled, payment, journal_id=new_id("je", now), now=now)
    try:
        suspense.settle(before, after, (payment, moved), event, settled, entry)
    except TransactionRefused as refused:
        raise SuspenseNotMatchable() from refused
    return after


def _proposed(suspense: Suspense, payment: Payment) -> Match:
    found = suspense.match(payment.payment_id)
    if found is None or found.status is not MatchStatus.PROPOSED:
        raise SuspenseNotMatchable()
    return found


def _quote(suspense: Suspense, payment: Payment, assessment_id: str, now: datetime) -> Quote:
    if not payment.held_in_suspense or payment.vehicle_id or payment.years:  # 1
        raise SuspenseNotMatchable()
    quote = suspense.quote(assessment_id)
    if quote is None:
        raise AssessmentNotFound()
    if quote.as_of != tehran_today(now) or now >= quote.expires_at:
        raise QuoteNotPayable()
    if quote.owed_rial != payment.confirmed_rial:  # 2
        raise SuspenseAmountDiffers()
    return quote


def _settled(source: Payment, quote: Quote, match: Match, now: datetime) -> Payment:
    return Payment(
        payment_id=new_id("py", now),
        assessment_id=quote.assessment_id,
        municipality=quote.municipality,
        plate=quote.plate,
        vehicle_id=quote.vehicle_id,
        years=quote.years,
        rounding_rial=quote.rounding_rial,
        fee_rial=0,
        amount_rial=quote.owed_rial,
        status=Status.SETTLED,
        channel=source.channel,
        gateway=source.gateway,
        created_by=match.proposed_by,
        created_at=now,
        expires_at=now,
        verify_until_at=now,
        trace_hash=quote.trace_hash,
        tariff_version=quote.tariff_version,
        reference=source.reference,
        tracking=source.tracking,
        settled_at=now,
        certificate_id=new_id("ce", now),
        vehicle_class=quote.vehicle_class,
    )


def _keep(suspense: Suspense, before: Match | None, after: Match) -> None:
    try:
        suspense.keep(before, after)
    except TransactionRefused as refused:
        raise SuspenseNotMatchable() from refused
