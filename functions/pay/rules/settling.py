"""What a gateway pays out: journal entries of a bank statement's line, and of a day that has arrived whole.

A line debits the account that it came to and credits the gateway's settlement account; a day that has arrived
leaves the clearing account against it, in each city's book. What differs stays on the settlement account, where it
is seen.
Worked postings: `docs/ledger.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from avarez.journal import JournalEntry, Posting, booked, signed
from functions.pay.rules.ledger import BANK, clearing, municipality_payable, municipality_rounding

if TYPE_CHECKING:
    from functions.pay.rules.records import Payment


@dataclass(frozen=True, slots=True)
class Share:
    """What payments hold in one city's book: all that the gateway took, and of it what is the city's own."""

    municipality: str
    rial: int
    payable_rial: int
    rounding_rial: int

    def plus(self, other: Share) -> Share:
        return Share(
            self.municipality,
            self.rial + other.rial,
            self.payable_rial + other.payable_rial,
            self.rounding_rial + other.rounding_rial,
        )


def share_of(payment: Payment) -> Share:
    """What one payment, or one part of a joint one, holds; money in suspense is nobody's own."""
    if payment.confirmed_rial:
        return Share(payment.municipality, payment.confirmed_rial, 0, 0)
    years_rial = sum(part.amount_rial for part in payment.years)
    return Share(
        payment.municipality,
        payment.amount_rial,
        years_rial - payment.city_fee_rial,
        payment.rounding_rial,
    )


def split(operator: str) -> tuple[str, str]:
    """Channel and name: `sandbox` is a gateway, `bill:melli` a bank's bills, `pos:saman` an acquirer's sales."""
    channel, _, name = operator.rpartition(":")
    return channel or "gateway", name


def operator_of_account(account: str) -> str:
    """Whose clearing account this is; empty for any other account."""
    kind, _, name = account.partition(":")
    channel = kind.removesuffix("_clearing")
    if channel == kind:
        return ""
    return name if channel == "gateway" else f"{channel}:{name}"


def settlement(operator: str) -> str:
    """What a gateway has paid out, against what of it has left its clearing: nothing once its days are whole."""
    channel, name = split(operator)
    return f"{channel}_settlement:{name}"


def commission(operator: str) -> str:
    """What a gateway keeps of what it pays out."""
    channel, name = split(operator)
    return f"{channel}_commission:{name}"


def municipality_received(municipality: str) -> str:
    """What a gateway paid straight to a city's account."""
    return f"municipality_received:{municipality}"


def arrival_entry(
    *,
    operator: str,
    municipality: str,
    to_city: bool,
    amount_rial: int,
    commission_rial: int,
    line_id: str,
    reference: str,
    journal_id: str,
    now: datetime,
) -> JournalEntry:
    """The entry of one line of a bank statement, in the book of whoever the account belongs to."""
    account = municipality_received(municipality) if to_city else BANK
    postings = [
        *signed(account, -amount_rial),
        *signed(commission(operator), -commission_rial),
        *signed(settlement(operator), amount_rial + commission_rial),
    ]
    return _entry("bank_arrival", postings, operator, municipality, line_id, reference, journal_id, now)


def paid_out_entry(operator: str, share: Share, *, day: date, journal_id: str, now: datetime) -> JournalEntry:
    """The entry of a gateway's day that arrived, in one city's book.

    Where the gateway pays to the city itself, what is the city's own is settled with it.
    """
    own_rial = share.payable_rial + share.rounding_rial
    postings = [
        *signed(settlement(operator), -share.rial),
        *signed(clearing(*split(operator)), share.rial),
        *signed(municipality_payable(share.municipality), -share.payable_rial),
        *signed(municipality_rounding(share.municipality), -share.rounding_rial),
        *signed(municipality_received(share.municipality), own_rial),
    ]
    of = f"{operator}-{day.isoformat()}"
    return _entry("gateway_paid_out", postings, operator, share.municipality, of, of, journal_id, now)


def _entry(
    kind: str,
    postings: list[Posting],
    operator: str,
    municipality: str,
    cause: str,
    reference: str,
    journal_id: str,
    now: datetime,
) -> JournalEntry:
    return booked(
        journal_id=journal_id,
        payment_id=cause,
        municipality=municipality,
        kind=kind,
        postings=postings,
        now=now,
        gateway=split(operator)[1],
        reference=reference,
        cause=cause,
    )
