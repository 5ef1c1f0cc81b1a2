"""What a refund is and may become. Pure.

A refund gives back whole duty years, parts of years, or all of a payment; or money that stands in suspense. One
person asks for it, another approves it. Money in suspense is nobody's: the system asks, and a rule approves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from avarez.changed import changed
from avarez.journal import JournalEntry, YearAmount
from functions.pay.rules.records import Event, Payment
from functions.pay.rules.states import Status

SYSTEM = "system"
"""Who asks for the return of money in suspense."""


class RefundStatus(StrEnum):
    """Where a refund stands."""

    REQUESTED = "requested"
    REJECTED = "rejected"
    APPROVED = "approved"
    PAYABLE = "payable"
    DONE = "done"


REFUND_TRANSITIONS: Mapping[RefundStatus, frozenset[RefundStatus]] = {
    RefundStatus.REQUESTED: frozenset({RefundStatus.REJECTED, RefundStatus.APPROVED, RefundStatus.PAYABLE}),
    RefundStatus.APPROVED: frozenset({RefundStatus.PAYABLE, RefundStatus.DONE}),
    RefundStatus.PAYABLE: frozenset({RefundStatus.DONE}),
    RefundStatus.REJECTED: frozenset(),
    RefundStatus.DONE: frozenset(),
}
"""`approved` is on its way through the gateway; `payable` is owed to the payer and waits for a bank transfer."""


@dataclass(frozen=True, slots=True)
class Refund:
    """One refund. `amount_rial` = years + `rounding_rial` + `fee_rial`, or the whole of the money in suspense."""

    refund_id: str
    payment_id: str
    municipality: str
    plate: str
    gateway: str
    reference: str
    of_suspense: bool
    years: tuple[YearAmount, ...]
    rounding_rial: int
    fee_rial: int
    amount_rial: int
    reason: str
    requested_by: str
    requested_at: datetime
    status: RefundStatus = RefundStatus.REQUESTED
    decided_by: str = ""
    decided_at: datetime | None = None
    bank_reference: str = ""
    done_at: datetime | None = None
    task_id: str = ""
    in_joint: bool = False
    version: int = 1
    open_due_at: datetime | None = None

    def next(self, status: RefundStatus, *, open_due_at: datetime | None = None, **changes: Any) -> Refund:
        """The refund after a legal step.

        Raises:
            ValueError: it cannot become that.
        """
        if status not in REFUND_TRANSITIONS[self.status]:
            raise ValueError(f"a refund that is {self.status} cannot become {status}")
        return changed(self, status=status, version=self.version + 1, open_due_at=open_due_at, **changes)


@dataclass(frozen=True, slots=True)
class Found:
    """Money that came and is no payment's own: a payment in suspense from its birth, with its entry.

    `refund` gives it back; None while nobody knows whose it is.
    """

    payment: Payment
    event: Event
    entry: JournalEntry
    refund: Refund | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be given back: duty years with amounts, rounding and fee only with the whole."""

    years: tuple[YearAmount, ...]
    rounding_rial: int
    fee_rial: int

    @property
    def amount_rial(self) -> int:
        return sum(part.amount_rial for part in self.years) + self.rounding_rial + self.fee_rial


def left_of(payment: Payment) -> tuple[YearAmount, ...]:
    """What each duty year of the payment still holds; years that hold nothing any more are left out."""
    if not payment.refunded:
        return tuple([part for part in payment.years if part.amount_rial > 0])
    gone = {part.year: part.amount_rial for part in payment.refunded}
    left = (YearAmount(part.year, part.amount_rial - gone.get(part.year, 0)) for part in payment.years)
    return tuple(part for part in left if part.amount_rial > 0)


def held_claims(payment: Payment) -> tuple[tuple[str, int], ...]:
    """The duties, or the part of an agreement, that the payment still pays after what was given back."""
    if payment.agreement_id:
        return payment.claims if left_of(payment) else ()
    return tuple((payment.vehicle_id, part.year) for part in left_of(payment))


def certified_claims(payment: Payment) -> tuple[tuple[str, int], ...]:
    """What must be paid by it: its claims, and of a part also the years whose last rial it paid."""
    held = held_claims(payment)
    ended = ((payment.vehicle_id, part.year) for part in payment.completes) if held else ()
    return (*held, *ended)


def wanted_of(payment: Payment, asked: Sequence[YearAmount]) -> Wanted:
    """What a request comes to; nothing asked means all that is left, rounding and fee included.

    Raises:
        ValueError: a year is named twice, is not there, or holds less than is asked for.
    """
    left = {part.year: part.amount_rial for part in left_of(payment)}
    if not asked:
        return Wanted(left_of(payment), payment.rounding_rial, payment.fee_rial)
    if len({part.year for part in asked}) != len(asked):
        raise ValueError("a year is named twice")
    for part in asked:
        if not 0 < part.amount_rial <= left.get(part.year, 0):
            raise ValueError(f"{part.year} holds {left.get(part.year, 0)} rial")
    whole = all(left[part.year] == part.amount_rial for part in asked) and len(asked) == len(left)
    extra = (payment.rounding_rial, payment.fee_rial) if whole else (0, 0)
    return Wanted(tuple(sorted(asked, key=lambda part: part.year)), *extra)


def after_refund(payment: Payment, refund: Refund) -> tuple[YearAmount, ...]:
    """All that has been given back of each year, this refund included."""
    gone = {part.year: part.amount_rial for part in payment.refunded}
    for part in refund.years:
        gone[part.year] = gone.get(part.year, 0) + part.amount_rial
    return tuple(YearAmount(year, amount_rial) for year, amount_rial in sorted(gone.items()))


def is_whole(payment: Payment, refund: Refund) -> bool:
    """Whether nothing of the payment is left afterwards."""
    return payment.status is Status.SUSPENSE or not left_of(
        changed(payment, refunded=after_refund(payment, refund))
    )
