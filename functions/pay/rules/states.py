"""The states of a payment and every legal transition between them, in ONE table.

A transition that is not in the table does not happen: what arrived is stored as an event and changes nothing.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType


class Status(StrEnum):
    """Where a payment stands; the words are those of the public contract."""

    CREATED = "created"
    PENDING = "pending"
    VERIFYING = "verifying"
    SETTLED = "settled"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REFUNDING = "refunding"
    REFUNDED = "refunded"
    SUSPENSE = "suspense"


class Occurrence(StrEnum):
    """What can happen to a payment."""

    CREATED = "created"
    TOKEN_GIVEN = "token_given"  # noqa: S105 - the name of an occurrence
    GATEWAY_CHANGED = "gateway_changed"
    TOKEN_REFUSED = "token_refused"  # noqa: S105 - the name of an occurrence
    CANCELLED = "cancelled"
    CANCELLED_AT_GATEWAY = "cancelled_at_gateway"
    WINDOW_PASSED = "window_passed"
    PAID_AT_GATEWAY = "paid_at_gateway"
    LEASE_LOST = "lease_lost"
    CONFIRMED = "confirmed"
    PART_REFUSED = "part_refused"
    PARENT_SETTLED = "parent_settled"
    PARENT_ENDED = "parent_ended"
    VERIFIED = "verified"
    AMOUNT_DIFFERS = "amount_differs"
    CONFIRMED_TOO_LATE = "confirmed_too_late"
    NOT_PAID = "not_paid"
    MONEY_RETURNED = "money_returned"
    REFUND_BEGUN = "refund_begun"
    REFUND_DONE = "refund_done"
    PARTLY_REFUNDED = "partly_refunded"
    BILL_PAID = "bill_paid"
    BILL_SUPERSEDED = "bill_superseded"
    RELEASED = "released"
    MATCHED = "matched"
    CLOSED_WITHOUT_SALE = "closed_without_sale"
    # what is stored without a transition
    CALLBACK_REPEATED = "callback_repeated"
    CALLBACK_EARLY = "callback_early"
    CALLBACK_LATE = "callback_late"
    CALLBACK_REFUSED = "callback_refused"
    CALLBACK_UNPROVEN = "callback_unproven"
    REFERENCE_REUSED = "reference_reused"


TRANSITIONS: MappingProxyType[tuple[Status, Occurrence], Status] = MappingProxyType(
    {
        (Status.CREATED, Occurrence.TOKEN_GIVEN): Status.PENDING,
        (Status.CREATED, Occurrence.GATEWAY_CHANGED): Status.CREATED,
        (Status.CREATED, Occurrence.TOKEN_REFUSED): Status.FAILED,
        (Status.CREATED, Occurrence.CANCELLED): Status.CANCELLED,
        (Status.CREATED, Occurrence.WINDOW_PASSED): Status.EXPIRED,
        # A joint payment: its parts are leased before the page, and settled after the gateway confirmed the whole.
        (Status.CREATED, Occurrence.PART_REFUSED): Status.FAILED,
        (Status.VERIFYING, Occurrence.CONFIRMED): Status.VERIFYING,
        (Status.CREATED, Occurrence.PARENT_SETTLED): Status.SETTLED,
        (Status.CREATED, Occurrence.PARENT_ENDED): Status.CANCELLED,
        (Status.CREATED, Occurrence.CONFIRMED_TOO_LATE): Status.SUSPENSE,
        (Status.PENDING, Occurrence.PAID_AT_GATEWAY): Status.VERIFYING,
        (Status.PENDING, Occurrence.CANCELLED): Status.CANCELLED,
        (Status.PENDING, Occurrence.CANCELLED_AT_GATEWAY): Status.CANCELLED,
        (Status.PENDING, Occurrence.WINDOW_PASSED): Status.EXPIRED,
        (Status.PENDING, Occurrence.LEASE_LOST): Status.EXPIRED,
        (Status.PENDING, Occurrence.MONEY_RETURNED): Status.EXPIRED,
        (Status.VERIFYING, Occurrence.VERIFIED): Status.SETTLED,
        (Status.VERIFYING, Occurrence.AMOUNT_DIFFERS): Status.SUSPENSE,
        (Status.VERIFYING, Occurrence.NOT_PAID): Status.PENDING,
        (Status.VERIFYING, Occurrence.MONEY_RETURNED): Status.EXPIRED,
        # A late payer, while the gateway's window lasts and nobody else holds the duty.
        (Status.EXPIRED, Occurrence.PAID_AT_GATEWAY): Status.VERIFYING,
        # Verified, but no longer this payment's to take: the money is kept in suspense, never lost.
        (Status.PENDING, Occurrence.CONFIRMED_TOO_LATE): Status.SUSPENSE,
        (Status.EXPIRED, Occurrence.CONFIRMED_TOO_LATE): Status.SUSPENSE,
        (Status.CANCELLED, Occurrence.CONFIRMED_TOO_LATE): Status.SUSPENSE,
        # A bill may be paid at any bank, whatever became of it here: the duty's own item decides.
        (Status.PENDING, Occurrence.BILL_PAID): Status.SETTLED,
        (Status.EXPIRED, Occurrence.BILL_PAID): Status.SETTLED,
        (Status.CANCELLED, Occurrence.BILL_PAID): Status.SETTLED,
        (Status.PENDING, Occurrence.BILL_SUPERSEDED): Status.CANCELLED,
        # A terminal's lease ends by a result, by two people, or by the terminal's closing; never by time.
        (Status.PENDING, Occurrence.RELEASED): Status.CANCELLED,
        (Status.PENDING, Occurrence.CLOSED_WITHOUT_SALE): Status.CANCELLED,
        (Status.VERIFYING, Occurrence.CLOSED_WITHOUT_SALE): Status.CANCELLED,
        (Status.SETTLED, Occurrence.REFUND_BEGUN): Status.REFUNDING,
        (Status.SETTLED, Occurrence.PARTLY_REFUNDED): Status.SETTLED,
        (Status.SUSPENSE, Occurrence.MATCHED): Status.SETTLED,
        (Status.SUSPENSE, Occurrence.REFUND_BEGUN): Status.REFUNDING,
        (Status.REFUNDING, Occurrence.REFUND_DONE): Status.REFUNDED,
    }
)

OPEN = frozenset({Status.CREATED, Status.PENDING, Status.VERIFYING})
"""States that the sweep looks after; each has a row among the open payments."""


def after(status: Status, occurrence: Occurrence) -> Status | None:
    """The state that follows, or None where the table knows no such transition."""
    return TRANSITIONS.get((status, occurrence))
