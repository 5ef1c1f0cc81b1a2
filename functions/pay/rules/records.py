"""What a payment is made of: plain values, amounts in whole rial, instants aware in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from avarez.changed import changed
from avarez.journal import YearAmount
from functions.pay.rules.states import OPEN, TRANSITIONS, Occurrence, Status

EVENTS_PER_VERSION = 100
"""Numbers of events: a transition to version v is number 100 v; what changes nothing takes the 99 after it."""


@dataclass(frozen=True, slots=True)
class Quote:
    """An assessment as a payment sees it; `through_year` is the last Jalali year that was asked for.

    `instalments` are the terms that the city gives, if any. A part of an agreement is a quote too: it names the
    agreement, its own number, and the years whose last rial it pays.
    """

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
    instalments: Mapping[str, Any] | None = None
    agreement_id: str = ""
    instalment: int = 0
    completes: tuple[YearAmount, ...] = ()
    vehicle_class: str = ""


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment. `amount_rial` is all that the gateway takes: years + rounding + fee.

    `expires_at` ends the lease of its duties; after `verify_until_at` the gateway has returned whatever
    was not verified. `open_due_at` is the sweep's next look. `suspicion` is why money, if it is there,
    goes to suspense. Every write raises `version` by one.

    `fee_rial` is what the payer pays on top, `city_fee_rial` what the city bears of its own share; of both
    together `office_fee_rial` is the office's and the rest the platform's. `refunded` says what was given back of
    each year, `refunded_rial` all that was. `confirmed_rial` is what was confirmed and stands in suspense.

    At a `terminal`, `typed_by` entered a slip of `typed_rial` by hand, and `released_by` was the first to say that
    nothing was taken.

    A joint payment has `parts` payments under it, one for each assessment, whose `parent_id` names it. It takes
    the money and they take the duties: `parts_rial` is what they come to without fees, known once all of them are
    leased. `confirmed_at` says that the gateway confirmed the whole and the parts are being settled; `releasing`
    that it ended otherwise and they are being given up. Of a part that was refused, `failure` says which and why.

    With an `agreement_id` it pays the part `instalment` of that agreement; `completes` are the years, with all
    that they cost, whose last rial comes with it.

    `vehicle_class` is that of the quote, for the figures alone; nothing is decided on it.
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
    tracking: str = ""
    terminal: str = ""
    typed_by: str = ""
    typed_rial: int = 0
    released_by: str = ""
    bill_id: str = ""
    payment_code: str = ""
    confirmed_rial: int = 0
    refunded: tuple[YearAmount, ...] = ()
    refunded_rial: int = 0
    city_fee_rial: int = 0
    office_fee_rial: int = 0
    parent_id: str = ""
    parts: int = 0
    parts_rial: int = 0
    serves: tuple[str, ...] = ()
    confirmed_at: datetime | None = None
    releasing: bool = False
    failure: Mapping[str, str] = field(default_factory=dict)
    agreement_id: str = ""
    instalment: int = 0
    completes: tuple[YearAmount, ...] = ()
    vehicle_class: str = ""

    def __post_init__(self) -> None:
        total = sum(part.amount_rial for part in self.years) + self.rounding_rial + self.fee_rial + self.parts_rial
        if not self.years and not self.parts:
            total += self.confirmed_rial  # money that was found, in suspense from its birth
        least_rial = 0 if self.parts else 1
        if total != self.amount_rial or self.amount_rial < least_rial or (self.years and self.parts):
            raise ValueError(f"payment {self.payment_id}: the parts do not add up to the amount")

    def next(self, occurrence: Occurrence, *, open_due_at: datetime | None, **changes: Any) -> Payment:
        """The payment after a legal transition, one version on.

        Raises:
            KeyError: the table of transitions has no such one.
        """
        status = TRANSITIONS[self.status, occurrence]
        return changed(self, status=status, version=self.version + 1, open_due_at=open_due_at, **changes)

    def ended(self, occurrence: Occurrence, now: datetime, **changes: Any) -> Payment:
        """The payment, ended without a certificate; its parts are still to be given up."""
        due_at = now if self.parts else None
        return self.next(occurrence, open_due_at=due_at, releasing=bool(self.parts), **changes)

    @property
    def claims(self) -> tuple[tuple[str, int], ...]:
        """What nobody else may charge meanwhile: the vehicle's duty years, or one part of an agreement."""
        if self.agreement_id:
            return ((self.agreement_id, self.instalment),)
        return tuple((self.vehicle_id, part.year) for part in self.years)

    @property
    def pays(self) -> tuple[tuple[tuple[str, int], int], ...]:
        """Each claim with what is paid for it."""
        if self.agreement_id:
            return (((self.agreement_id, self.instalment), self.amount_rial - self.fee_rial),)
        return tuple(((self.vehicle_id, part.year), part.amount_rial) for part in self.years)

    @property
    def certified(self) -> tuple[YearAmount, ...]:
        """The years that its certificate is about; a part that pays no year's last rial has none."""
        return self.completes if self.agreement_id else self.years

    @property
    def held_in_suspense(self) -> bool:
        """Whether money of it was confirmed and is nobody's yet."""
        return self.status is Status.SUSPENSE and self.confirmed_rial > 0

    @property
    def unfinished(self) -> bool:
        """Whether the sweep has to look after it."""
        return self.status in OPEN or self.releasing

    @property
    def holds_for_good(self) -> bool:
        """Whether no time ends its leases: of a part, which its parent ends, and of a sale at a terminal."""
        return bool(self.parent_id or self.terminal)

    def postponed(self, open_due_at: datetime) -> Payment:
        """The same payment, to be looked at again at `open_due_at`."""
        return changed(self, version=self.version + 1, open_due_at=open_due_at)

    def released(self) -> Payment:
        """The same payment, over: its parts are given up."""
        return changed(self, version=self.version + 1, open_due_at=None, releasing=False)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a payment; `before` and `after` are equal when it changed nothing."""

    occurrence: Occurrence
    source: str
    at: datetime
    before: Status | None
    after: Status
    note: Mapping[str, str] = field(default_factory=dict)


class ChunkState(StrEnum):
    """How far the parts of one chunk of a joint payment are."""

    WAITING = "waiting"
    LEASED = "leased"
    SETTLED = "settled"
    RELEASING = "releasing"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Member:
    """A part of a joint payment before it exists: what it pays, and the id that it will have."""

    assessment_id: str
    payment_id: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """A few parts of a joint payment that are worked on together; the sums are known once they are leased."""

    number: int
    state: ChunkState = ChunkState.WAITING
    parts_rial: int = 0
    fee_rial: int = 0


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
