"""What a payment is made of: plain values, amounts in whole rial, instants aware in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from functions.pay.rules.states import TRANSITIONS, Occurrence, Status

EVENTS_PER_VERSION = 100
"""Numbers of events: a transition to version v is number 100 v; what changes nothing takes the 99 after it."""


@dataclass(frozen=True, slots=True)
class YearAmount:
    """What one duty year contributes to a payment, before the quote's rounding."""

    year: int
    amount_rial: int


@dataclass(frozen=True, slots=True)
class Quote:
    """An assessment as a payment sees it; `through_year` is the last Jalali year that was asked for."""

    assessment_id: str
    municipality: str
    plate: str
    vehicle_id: str
    as_of: date
    expires_at: datetime
    years: tuple[YearAmount, ...]
    rounding_rial: int
    owed_rial: int
    trace_hash: str
    tariff_version: str
    through_year: int | None = None


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment. `amount_rial` is all that the gateway takes: years + rounding + fee.

    `expires_at` ends the lease of its duties; after `verify_until_at` the gateway has returned whatever
    was not verified. `open_due_at` is the sweep's next look. `suspicion` is why money, if it is there,
    goes to suspense. Every write raises `version` by one.
    """

    payment_id: str
    assessment_id: str
    municipality: str
    plate: str
    vehicle_id: str
    years: tuple[YearAmount, ...]
    rounding_rial: int
    fee_rial: int
    amount_rial: int
    status: Status
    channel: str
    gateway: str
    created_by: str
    created_at: datetime
    expires_at: datetime
    verify_until_at: datetime
    trace_hash: str
    tariff_version: str
    office: str = ""
    return_url: str = ""
    version: int = 1
    open_due_at: datetime | None = None
    token: str = ""
    redirect_url: str = ""
    reference: str = ""
    suspicion: str = ""
    verify_starts: int = 0
    settled_at: datetime | None = None
    certificate_id: str = ""
    answer: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        total = sum(part.amount_rial for part in self.years) + self.rounding_rial + self.fee_rial
        if total != self.amount_rial or self.amount_rial <= 0 or not self.years:
            raise ValueError(f"payment {self.payment_id}: the parts do not add up to the amount")

    def next(self, occurrence: Occurrence, *, open_due_at: datetime | None, **changes: Any) -> Payment:
        """The payment after a legal transition, one version on.

        Raises:
            KeyError: the table of transitions has no such one.
        """
        status = TRANSITIONS[self.status, occurrence]
        return replace(self, status=status, version=self.version + 1, open_due_at=open_due_at, **changes)

    def postponed(self, open_due_at: datetime) -> Payment:
        """The same payment, to be looked at again at `open_due_at`."""
        return replace(self, version=self.version + 1, open_due_at=open_due_at)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a payment; `before` and `after` are equal when it changed nothing."""

    occurrence: Occurrence
    source: str
    at: datetime
    before: Status | None
    after: Status
    note: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Replay:
    """The memory of an Idempotency-Key: whose it is, what was asked, and what came of it."""

    caller: str
    route: str
    key: str
    body_hash: str
    payment_id: str
    expires_epoch_s: int


@dataclass(frozen=True, slots=True)
class OpenRow:
    """An open payment among those whose time has come."""

    payment_id: str
    due_at: str


@dataclass(frozen=True, slots=True)
class Posting:
    """One side of a journal entry; exactly one of the two amounts is not zero."""

    account: str
    debit_rial: int
    credit_rial: int


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A balanced journal entry, not yet chained; `day` is the Gregorian date in Tehran."""

    journal_id: str
    payment_id: str
    municipality: str
    kind: str
    gateway: str
    reference: str
    day: str
    created_at: datetime
    postings: tuple[Posting, ...]
    years: tuple[YearAmount, ...]
    content_hash: str
