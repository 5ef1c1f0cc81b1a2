"""What a city is told of a journal entry, whichever function booked it. Pure.

A receiver that keeps every event can rebuild its whole ledger: the postings come along, as they were booked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from avarez.events.chain import EventType, JournalPlace, Waiting
from avarez.journal import JournalEntry, YearAmount
from avarez.money import format_rial

TYPE_OF_KIND = {
    "payment_settled": EventType.PAYMENT_SETTLED,
    "suspense_matched": EventType.PAYMENT_SETTLED,
    "refund_approved": EventType.PAYMENT_REFUNDED,
}
"""Every other kind is a `correction.posted`; which, the entry's own kind says.

Money that two people gave to a duty pays it as any other does: a receiver books it by its postings, from suspense.
"""


def event_of(entry: JournalEntry, more: Mapping[str, Any] | None = None) -> Waiting:
    """The one event of this entry, with `more` beside it: its id is the entry's, so there can be no second one."""
    return Waiting(
        event_id=f"ev_{entry.journal_id.partition('_')[2]}",
        type=TYPE_OF_KIND.get(entry.kind, EventType.CORRECTION_POSTED),
        municipality=entry.municipality,
        about=entry.payment_id,
        occurred_at=entry.created_at,
        content={"entry": entry_told(entry), **(more or {})},
        journal=JournalPlace(entry.day, entry.payment_id, entry.journal_id, entry.content_hash),
    )


def entry_told(entry: JournalEntry) -> dict[str, Any]:
    """The entry itself, its postings being the shares of city, office and platform."""
    told: dict[str, Any] = {
        "journal_id": entry.journal_id,
        "kind": entry.kind,
        "day": entry.day,
        "gateway": entry.gateway,
        "reference": entry.reference,
        "postings": [
            {
                "account": posting.account,
                "debit_rial": format_rial(posting.debit_rial),
                "credit_rial": format_rial(posting.credit_rial),
            }
            for posting in entry.postings
        ],
        "years": years_told(entry.years),
        "content_hash": entry.content_hash,
    }
    return {**told, "cause": entry.cause} if entry.cause else told


def years_told(years: Sequence[YearAmount]) -> list[dict[str, Any]]:
    return [{"year": part.year, "amount_rial": format_rial(part.amount_rial)} for part in years]
