"""Journal entries of payments: balanced by construction, each with its own content hash.

Law: the 1400 law, art. 41: duty and penalty belong to the municipality of residence; what a gateway took is
owed to that city from the same instant. Accounts and worked postings: `docs/ledger.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from avarez.canonical import content_hash
from avarez.clock import tehran_today, to_rfc3339
from avarez.money import format_rial
from functions.pay.rules.records import JournalEntry, Payment, Posting, YearAmount

FEES_PAYABLE = "fees_payable"
SUSPENSE = "suspense"


def gateway_clearing(gateway: str) -> str:
    """What a gateway has confirmed and not yet paid to a bank account."""
    return f"gateway_clearing:{gateway}"


def municipality_payable(municipality: str) -> str:
    """What is owed to a city."""
    return f"municipality_payable:{municipality}"


def debit(account: str, amount_rial: int) -> Posting:
    return Posting(account, amount_rial, 0)


def credit(account: str, amount_rial: int) -> Posting:
    return Posting(account, 0, amount_rial)


def settled_entry(payment: Payment, *, journal_id: str, now: datetime) -> JournalEntry:
    """The entry of a verified payment: clearing against the city (its rounding included) and the fee."""
    city_rial = payment.amount_rial - payment.fee_rial
    postings = [
        debit(gateway_clearing(payment.gateway), payment.amount_rial),
        credit(municipality_payable(payment.municipality), city_rial),
    ]
    if payment.fee_rial:
        postings.append(credit(FEES_PAYABLE, payment.fee_rial))
    return entry(payment, "payment_settled", postings, payment.years, journal_id=journal_id, now=now)


def suspense_entry(payment: Payment, confirmed_rial: int, *, journal_id: str, now: datetime) -> JournalEntry:
    """The entry of money that the gateway confirmed and that is not this payment's own amount."""
    postings = [debit(gateway_clearing(payment.gateway), confirmed_rial), credit(SUSPENSE, confirmed_rial)]
    return entry(payment, "payment_suspense", postings, (), journal_id=journal_id, now=now)


def entry(
    payment: Payment,
    kind: str,
    postings: Sequence[Posting],
    years: Sequence[YearAmount],
    *,
    journal_id: str,
    now: datetime,
) -> JournalEntry:
    """A journal entry whose debits equal its credits.

    Raises:
        ValueError: they do not, or a posting has two sides, none, or a negative one.
    """
    for posting in postings:
        if min(posting.debit_rial, posting.credit_rial) != 0 or max(posting.debit_rial, posting.credit_rial) <= 0:
            raise ValueError(f"a posting to {posting.account} needs exactly one positive side")
    if sum(posting.debit_rial - posting.credit_rial for posting in postings) != 0 or not postings:
        raise ValueError(f"the entry of {payment.payment_id} does not balance")
    day = tehran_today(now).isoformat()
    hashed = content_hash(
        {
            "journal_id": journal_id,
            "payment_id": payment.payment_id,
            "municipality": payment.municipality,
            "kind": kind,
            "gateway": payment.gateway,
            "reference": payment.reference,
            "day": day,
            "created_at": to_rfc3339(now),
            "postings": [
                {
                    "account": posting.account,
                    "debit_rial": format_rial(posting.debit_rial),
                    "credit_rial": format_rial(posting.credit_rial),
                }
                for posting in postings
            ],
            "years": [{"year": part.year, "amount_rial": format_rial(part.amount_rial)} for part in years],
        }
    )
    return JournalEntry(
        journal_id=journal_id,
        payment_id=payment.payment_id,
        municipality=payment.municipality,
        kind=kind,
        gateway=payment.gateway,
        reference=payment.reference,
        day=day,
        created_at=now,
        postings=tuple(postings),
        years=tuple(years),
        content_hash=hashed,
    )
