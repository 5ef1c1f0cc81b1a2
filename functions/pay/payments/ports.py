"""What the use cases of payments need from outside.

`stores/payment_store.py` and the fake of the tests implement the store; one suite holds both to the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Protocol

from avarez.clock import Clock
from avarez.journal import JournalEntry, YearAmount
from avarez.ports import Queue

if TYPE_CHECKING:
    from functions.pay.gateways.port import GatewaySet
    from functions.pay.rules.bills import BillTerms
    from functions.pay.rules.fees import Fee
    from functions.pay.rules.instalments import Agreement
    from functions.pay.rules.records import Chunk, Event, Member, OpenRow, Payment, Quote, Replay
    from functions.pay.rules.refunds import Found, Refund
    from functions.pay.rules.terminals import Closing, Sale, Terminal


class Store(Protocol):
    """The duty and ledger tables as payments see them. Every write is all or nothing.

    Writes that name `before` raise `TransactionRefused` when the payment has moved on since it was read; a
    write of ours whose response was lost is recognised and counts as done.
    """

    def quote(self, assessment_id: str) -> Quote | None: ...

    def fee(self, municipality: str) -> Fee: ...

    def gateway_order(self, municipality: str, office: str) -> Sequence[str]:
        """The gateways that the city, or the office, wants tried in turn; empty where nobody has chosen."""

    def payment(self, payment_id: str) -> Payment | None: ...

    def opened_by_office(self, office: str, day: date, *, before: str, limit: int) -> Sequence[Payment]:
        """What the office opened on the day in Tehran, newest first, from before the payment named on."""

    def agreement(self, agreement_id: str) -> Agreement | None: ...

    def agreements_of(self, municipality: str, *, before: str, limit: int) -> Sequence[Agreement]:
        """The city's agreements as they stand, the newest first, from before the one named on."""

    def open_agreement(self, agreement: Agreement) -> None:
        """Writes an agreement that waits for its second person."""

    def reject_agreement(self, before: Agreement, after: Agreement) -> None:
        """Writes that it was turned down.

        Raises:
            TransactionRefused: the agreement moved on.
        """

    def start_agreement(self, before: Agreement, after: Agreement, now: datetime) -> None:
        """Binds the years to the agreement, all or none: from now on only its parts pay them.

        Raises:
            DutyLocked, DutyPaid, BillOpen: a year is not to be had.
            TransactionRefused: the agreement moved on.
        """

    def break_agreement(self, before: Agreement, after: Agreement, now: datetime) -> None:
        """Lets the years go that are not paid whole; nobody pays a part any more.

        Raises:
            TransactionRefused: somebody is paying the part at this moment, or the agreement moved on.
        """

    def bill(self, bill_id: str, payment_code: str) -> Payment | None:
        """The payment with this pair of ids."""

    def bill_terms(self, municipality: str) -> BillTerms | None:
        """What the city has agreed with the banks; None where it takes no bills."""

    def settle_bill(
        self,
        before: Payment,
        after: Payment,
        event: Event,
        entry: JournalEntry,
        outbox_event_id: str,
        found: Sequence[Found],
    ) -> None:
        """As `settle`, of duties that nobody leased; the reference is taken, and what is left over comes along.

        Raises:
            ReferenceReused: the line was taken before.
            DutyLocked, DutyPaid: a duty is not to be had.
            TransactionRefused: the payment moved on.
        """

    def put_found(self, found: Found) -> None:
        """Money in suspense under a reference of its own; raises `ReferenceReused` when that is taken."""

    def events(self, payment: Payment) -> Sequence[Event]: ...

    def replay(self, caller: str, route: str, key: str) -> Replay | None: ...

    def create(self, payment: Payment, event: Event, replay: Replay) -> None:
        """Writes a new payment with its leases; a bill takes none, and is known by its pair of ids from now on.

        Raises:
            DutyLocked, DutyPaid: another holds a duty, or it is paid.
            BillOpen: a bill of the vehicle in this city can still be paid.
            TransactionRefused: the pair of ids is taken, or the Idempotency-Key was used at the same moment.
        """

    def members(self, payment: Payment, number: int) -> Sequence[Member]:
        """The parts of one chunk of a joint payment."""

    def chunks(self, payment: Payment) -> Sequence[Chunk]: ...

    def create_members(self, payment: Payment, members: Sequence[Sequence[Member]]) -> None:
        """Writes who belongs to a joint payment, chunk by chunk; the payment itself comes after them."""

    def lease_part(self, payment: Payment, part: Payment, chunk: Chunk, event: Event) -> None:
        """Writes a new part of a joint payment with its leases.

        Raises:
            DutyLocked, DutyPaid: another holds a duty, or it is paid.
            TransactionRefused: the part exists, or its chunk waits no longer.
        """

    def move_chunk(self, payment: Payment, before: Chunk, after: Chunk) -> None:
        """Raises `TransactionRefused` when the chunk is no longer in the state of `before`."""

    def holds_duties(self, payment: Payment) -> bool:
        """Whether every duty of the payment is leased to it."""

    def advance(self, before: Payment, after: Payment, event: Event) -> None:
        """A transition that touches no duty."""

    def begin_verifying(self, before: Payment, after: Payment, event: Event) -> None:
        """Stores the gateway's reference as this payment's alone and confirms the leases.

        Raises:
            ReferenceReused: the reference belongs to another payment.
            DutyLocked, DutyPaid: a duty is no longer to be had.
        """

    def resume_waiting(self, before: Payment, after: Payment, event: Event) -> None:
        """Gives the reference up again, and makes the leases lapse by time as before."""

    def close(
        self,
        before: Payment,
        after: Payment,
        event: Event,
        entry: JournalEntry | None = None,
        refund: Refund | None = None,
    ) -> None:
        """Ends the payment without a certificate and frees the duties that it still holds.

        Money that stands in suspense comes with its entry and with the refund that gives it back.
        """

    def settle(
        self, before: Payment, after: Payment, event: Event, entry: JournalEntry, outbox_event_id: str
    ) -> None:
        """Writes the paid duties, the journal entry, the outbox row and the reserved certificate."""

    def postpone(self, before: Payment, after: Payment) -> None: ...

    def record(self, payment: Payment, event: Event) -> bool:
        """Keeps an event that changed nothing; False when this state's events are full."""

    def due(self, shard: int, now: datetime, limit: int) -> Sequence[OpenRow]: ...

    def forget(self, row: OpenRow) -> None:
        """Removes the open row of a payment that is not open."""


class Terminals(Protocol):
    """Terminals, their sales and the closings of their days."""

    def terminal(self, terminal_id: str) -> Terminal | None: ...

    def register(self, terminal: Terminal) -> None: ...

    def terminals_of(self, office: str) -> Sequence[Terminal]:
        """The office's terminals, by number."""

    def sales(self, terminal_id: str, *, after: str) -> Sequence[Sale]:
        """Sales that began after the payment named, oldest first."""

    def closing(self, terminal_id: str, day: date) -> Closing | None: ...

    def last_closing(self, terminal_id: str) -> Closing | None: ...

    def begin_closing(self, closing: Closing) -> None: ...

    def finish_closing(self, before: Closing, after: Closing) -> None: ...

    def book_variance(self, closing: Closing, payment: Payment, entry: JournalEntry) -> None:
        """Books it once for each payment, whoever repeats it."""


class Refunds(Protocol):
    """Refunds as they are kept, with the payments they are of. Every write is all or nothing."""

    def refund(self, refund_id: str) -> Refund | None: ...

    def of_city(self, municipality: str, *, after: str, limit: int) -> Sequence[Refund]:
        """The city's refunds from `after` (exclusive) on, oldest first."""

    def request(self, refund: Refund, replay: Replay) -> None:
        """Raises `TransactionRefused` when the Idempotency-Key was used at the same moment."""

    def approve(
        self,
        before: Refund,
        after: Refund,
        payment: Payment,
        payment_after: Payment,
        event: Event,
        entry: JournalEntry,
    ) -> None:
        """Moves the money to what is owed to the payer, frees duties given back whole, ends the certificate.

        Raises:
            CertificateInPreparation: the certificate is being made; nothing was written.
            TransactionRefused: the refund or the payment moved on.
        """

    def move(self, before: Refund, after: Refund) -> None: ...

    def finish(
        self,
        before: Refund,
        after: Refund,
        payment: Payment,
        payment_after: Payment,
        event: Event | None,
        entry: JournalEntry,
    ) -> None:
        """The money has left; with an event the payment moves as well."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything a use case of payments works with, wired once.

    `report` counts an event of money. `reassess` gives a fresh quote in its public form, or None; `requote` what
    the years of a payment cost on another day.
    """

    store: Store
    refunds: Refunds
    terminals: Terminals
    gateways: GatewaySet
    queue: Queue
    clock: Clock
    report: Callable[[str], None]
    public_origin: str
    return_origins: frozenset[str]
    reassess: Callable[[Quote, datetime, str], Mapping[str, Any] | None]
    requote: Callable[[Payment, date], Sequence[YearAmount]]
