"""Journal entries of payments: balanced by construction, each with its own content hash.

Law: the 1400 law, art. 41: duty and penalty belong to the municipality of residence; what a channel took is owed
to that city from the same instant. The chart of accounts and worked postings: `docs/ledger.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from avarez.journal import JournalEntry, Posting, YearAmount, booked, credit, debit, signed

if TYPE_CHECKING:
    from functions.pay.rules.records import Payment
    from functions.pay.rules.refunds import Refund

SUSPENSE = "suspense"
"""Money that was confirmed and is no payment's own."""
REFUNDS_PAYABLE = "refunds_payable"
"""What was decided to be given back and has not left yet."""
PLATFORM_FEE = "platform_fee"
BANK = "bank"
"""Our own account, from which what no gateway can send back is transferred."""


def clearing(channel: str, operator: str) -> str:
    """What a gateway, a terminal's acquirer or a bank has confirmed and not yet paid to a bank account."""
    return f"{channel}_clearing:{operator}"


def municipality_payable(municipality: str) -> str:
    """What is owed to a city: duty and penalty."""
    return f"municipality_payable:{municipality}"


def municipality_rounding(municipality: str) -> str:
    """What is owed to a city because its quotes are rounded up."""
    return f"municipality_rounding:{municipality}"


def office_fee(office: str) -> str:
    """An office's part of the fees."""
    return f"office_fee:{office}"


def terminal_variance(terminal: str) -> str:
    """What a terminal's closings did not confirm: somebody has to explain it."""
    return f"terminal_variance:{terminal}"


def settled_entry(payment: Payment, *, journal_id: str, now: datetime) -> JournalEntry:
    """The entry of a verified payment: clearing against the city, its rounding, and the fees."""
    years_rial = sum(part.amount_rial for part in payment.years)
    postings = [
        debit(clearing(payment.channel, payment.gateway), payment.amount_rial),
        *signed(municipality_payable(payment.municipality), years_rial - payment.city_fee_rial),
        *signed(municipality_rounding(payment.municipality), payment.rounding_rial),
        *_fees(payment, payment.fee_rial + payment.city_fee_rial),
    ]
    return entry(payment, "payment_settled", postings, payment.years, journal_id=journal_id, now=now)


def suspense_entry(payment: Payment, confirmed_rial: int, *, journal_id: str, now: datetime) -> JournalEntry:
    """The entry of money that was confirmed and is not this payment's own amount."""
    postings = [
        debit(clearing(payment.channel, payment.gateway), confirmed_rial),
        credit(SUSPENSE, confirmed_rial),
    ]
    return entry(payment, "payment_suspense", postings, (), journal_id=journal_id, now=now)


def matched_entry(payment: Payment, source: Payment, *, journal_id: str, now: datetime) -> JournalEntry:
    """The entry of money in suspense that two people gave to a duty: out of suspense, owed to the city."""
    city, years_rial = payment.municipality, sum(part.amount_rial for part in payment.years)
    postings = [
        debit(SUSPENSE, payment.amount_rial),
        *signed(municipality_payable(city), years_rial),
        *signed(municipality_rounding(city), payment.rounding_rial),
    ]
    made = (payment, "suspense_matched", postings, payment.years)
    return entry(*made, journal_id=journal_id, now=now, cause=source.payment_id)


def refund_entry(payment: Payment, refund: Refund, *, whole: bool, journal_id: str, now: datetime) -> JournalEntry:
    """The entry of an approved refund: taken from where it stood, owed to the payer.

    With the whole of a payment its fees go back too, so that its entries cancel out.
    """
    if refund.of_suspense:
        taken = [debit(SUSPENSE, refund.amount_rial)]
    else:
        city_fee_rial = payment.city_fee_rial if whole else 0
        years_rial = sum(part.amount_rial for part in refund.years)
        taken = [
            *signed(municipality_payable(refund.municipality), city_fee_rial - years_rial),
            *signed(municipality_rounding(refund.municipality), -refund.rounding_rial),
            *_fees(payment, -(payment.fee_rial + city_fee_rial) if whole else 0),
        ]
    postings = [*taken, credit(REFUNDS_PAYABLE, refund.amount_rial)]
    return entry(
        payment, "refund_approved", postings, refund.years, journal_id=journal_id, now=now, cause=refund.refund_id
    )


def refund_paid_entry(
    payment: Payment, refund: Refund, *, through_gateway: bool, journal_id: str, now: datetime
) -> JournalEntry:
    """The entry of a refund that has left: through the gateway that took the money, or by bank transfer."""
    source = clearing(payment.channel, payment.gateway) if through_gateway else BANK
    postings = [debit(REFUNDS_PAYABLE, refund.amount_rial), credit(source, refund.amount_rial)]
    return entry(payment, "refund_paid", postings, (), journal_id=journal_id, now=now, cause=refund.refund_id)


def variance_entry(
    payment: Payment, missing_rial: int, *, journal_id: str, now: datetime, cause: str
) -> JournalEntry:
    """The entry of what we booked and the terminal's own list does not have (or has more of, negative)."""
    account = terminal_variance(payment.terminal)
    postings = [
        *signed(account, -missing_rial),
        *signed(clearing(payment.channel, payment.gateway), missing_rial),
    ]
    return entry(payment, "terminal_variance", postings, (), journal_id=journal_id, now=now, cause=cause)


def _fees(payment: Payment, total_rial: int) -> list[Posting]:
    """Fees of the payment, or their return (negative); the office's part was fixed when the payment opened."""
    if total_rial == 0:
        return []
    office_rial = payment.office_fee_rial if total_rial > 0 else -payment.office_fee_rial
    return [
        *signed(office_fee(payment.office), office_rial),
        *signed(PLATFORM_FEE, total_rial - office_rial),
    ]


def entry(
    payment: Payment,
    kind: str,
    postings: Sequence[Posting],
    years: Sequence[YearAmount],
    *,
    journal_id: str,
    now: datetime,
    cause: str = "",
) -> JournalEntry:
    """The entry of a payment; `cause` names a refund or whatever else brought it about.

    Raises:
        ValueError: as `booked`.
    """
    return booked(
        journal_id=journal_id,
        payment_id=payment.payment_id,
        municipality=payment.municipality,
        kind=kind,
        postings=postings,
        now=now,
        years=years,
        gateway=payment.gateway,
        reference=payment.reference,
        cause=cause,
    )
