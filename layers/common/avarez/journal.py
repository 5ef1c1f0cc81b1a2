"""The journal: balanced entries, each with its own content hash, as more than one function writes them.

An entry is written unchained, in the transaction of what it records; the city's sequencer chains it afterwards.
The chart of accounts and worked postings: `docs/ledger.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from avarez.canonical import content_hash
from avarez.changed import changed
from avarez.clock import tehran_today, to_rfc3339
from avarez.dynamo import Item
from avarez.money import format_rial


@dataclass(frozen=True, slots=True)
class YearAmount:
    """What one duty year contributes to a payment, before the quote's rounding."""

    year: int
    amount_rial: int


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
    cause: str = ""

    def hashed(self, content_hash: str) -> JournalEntry:
        """The same entry under its hash."""
        return changed(self, content_hash=content_hash)


def debit(account: str, amount_rial: int) -> Posting:
    return Posting(account, amount_rial, 0)


def credit(account: str, amount_rial: int) -> Posting:
    return Posting(account, 0, amount_rial)


def signed(account: str, credit_rial: int) -> list[Posting]:
    """A credit, a debit where the amount is negative, no posting at all where it is nothing."""
    if credit_rial == 0:
        return []
    return [credit(account, credit_rial) if credit_rial > 0 else debit(account, -credit_rial)]


def check_balanced(postings: Sequence[Posting], of: str) -> None:
    """Raises `ValueError` where debits are not credits, or a posting has two sides, none, or a negative one."""
    difference_rial = 0
    for posting in postings:
        debit_rial, credit_rial = posting.debit_rial, posting.credit_rial
        if not (debit_rial == 0 < credit_rial or credit_rial == 0 < debit_rial):
            raise ValueError(f"a posting to {posting.account} needs exactly one positive side")
        difference_rial += debit_rial - credit_rial
    if difference_rial != 0 or not postings:
        raise ValueError(f"the entry of {of} does not balance")


def members_of(made: JournalEntry) -> dict[str, object]:
    """What the content hash is over; amounts are decimal strings, as RFC 8785 wants them."""
    return {
        "journal_id": made.journal_id,
        "payment_id": made.payment_id,
        "municipality": made.municipality,
        "kind": made.kind,
        "gateway": made.gateway,
        "reference": made.reference,
        "day": made.day,
        "created_at": to_rfc3339(made.created_at),
        "cause": made.cause,
        "postings": [
            {
                "account": posting.account,
                "debit_rial": format_rial(posting.debit_rial),
                "credit_rial": format_rial(posting.credit_rial),
            }
            for posting in made.postings
        ],
        "years": [{"year": part.year, "amount_rial": format_rial(part.amount_rial)} for part in made.years],
    }


def booked(
    *,
    journal_id: str,
    payment_id: str,
    municipality: str,
    kind: str,
    postings: Sequence[Posting],
    now: datetime,
    years: Sequence[YearAmount] = (),
    gateway: str = "",
    reference: str = "",
    cause: str = "",
) -> JournalEntry:
    """The entry of this moment under its hash: every entry of the ledger is made here.

    `payment_id` is whatever it stands with in the journal, `cause` what else brought it about, such as a refund.

    Raises:
        ValueError: debits are not credits, or a posting has two sides, none, or a negative one.
    """
    check_balanced(postings, payment_id)
    made = JournalEntry(
        journal_id=journal_id,
        payment_id=payment_id,
        municipality=municipality,
        kind=kind,
        gateway=gateway,
        reference=reference,
        day=tehran_today(now).isoformat(),
        created_at=now,
        postings=tuple(postings),
        years=tuple(years),
        content_hash="",
        cause=cause,
    )
    return made.hashed(content_hash(members_of(made)))


def year_items(years: Sequence[YearAmount]) -> list[Item]:
    return [{"year": part.year, "amount_rial": part.amount_rial} for part in years]


def journal_item(entry: JournalEntry) -> Item:
    """The entry, unchained; the city's sequencer gives it its place in the chain."""
    return {
        "journal_id": entry.journal_id,
        "payment_id": entry.payment_id,
        "municipality": entry.municipality,
        "kind": entry.kind,
        "gateway": entry.gateway,
        "reference": entry.reference,
        "day": entry.day,
        "created_at": to_rfc3339(entry.created_at),
        "postings": [
            {"account": posting.account, "debit_rial": posting.debit_rial, "credit_rial": posting.credit_rial}
            for posting in entry.postings
        ],
        "years": year_items(entry.years),
        "content_hash": entry.content_hash,
        "cause": entry.cause,
    }
