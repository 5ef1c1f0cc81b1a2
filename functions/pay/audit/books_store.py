"""Reads the books from DynamoDB; writes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from avarez import keys
from avarez.clock import from_rfc3339
from avarez.dynamo import Item, Table, batch_get
from avarez.journal import JournalEntry, Posting, YearAmount
from functions.pay.audit.checks import Book
from functions.pay.rules.records import Payment
from functions.pay.rules.refunds import certified_claims
from functions.pay.stores import items

SHARD_ENTRIES_MAX = 100_000
"""Entries of one city's day in one shard; a query of more would be a city of a hundred million payments."""


class Books:
    """The journal, and what it is about."""

    def __init__(self, duty: Table, ledger: Table) -> None:
        self._duty = duty
        self._ledger = ledger

    def entries(self, municipality: str, day: str) -> list[JournalEntry]:
        """The city's journal of this Gregorian day in Tehran, in the order of its ids."""
        found: list[JournalEntry] = []
        for shard in range(keys.SHARDS):
            partition = keys.journal_partition(municipality, day, shard)
            found += [entry_from(item) for item in self._ledger.query(partition, limit=SHARD_ENTRIES_MAX)]
        return sorted(found, key=lambda entry: entry.journal_id)

    def book(self, municipality: str, day: str, now: datetime) -> Book:
        """The journal with its payments, duties and certificates, each read consistently."""
        entries = self.entries(municipality, day)
        payments = self._payments({entry.payment_id for entry in entries})
        settled = [payment for payment in payments.values() if payment.settled_at and not payment.parts]
        wanted = {keys.duty(*claim): claim for of in settled for claim in certified_claims(of)}
        duties = batch_get(self._duty, wanted)
        certificates = batch_get(
            self._duty,
            [
                keys.certificate(of.municipality, of.plate, of.certificate_id)
                for of in settled
                if of.certificate_id
            ],
        )
        return Book(
            municipality=municipality,
            day=day,
            entries=entries,
            payments=payments,
            duties={wanted[key]: item for key, item in duties.items()},
            certificates={str(item["certificate_id"]): item for item in certificates.values()},
            now=now,
            reconciled=self._duty.query(*keys.reconciliation(municipality, day, "")),
        )

    def municipalities(self) -> list[str]:
        """The cities that have settings, which are all that take payments."""
        partition, first = keys.municipality_setting("")
        return [str(item["sk"]).removeprefix(first) for item in self._duty.query(partition, first)]

    def _payments(self, payment_ids: Iterable[str]) -> dict[str, Payment]:
        pointers = batch_get(self._duty, [keys.pointer(payment_id) for payment_id in sorted(payment_ids)])
        places = [(str(item["target_pk"]), str(item["target_sk"])) for item in pointers.values()]
        found: Sequence[Item] = list(batch_get(self._duty, places).values())
        return {str(item["payment_id"]): items.payment_from(item) for item in found}


def entry_from(item: Item) -> JournalEntry:
    """The entry in a stored item."""
    return JournalEntry(
        journal_id=str(item["journal_id"]),
        payment_id=str(item["payment_id"]),
        municipality=str(item["municipality"]),
        kind=str(item["kind"]),
        gateway=str(item["gateway"]),
        reference=str(item["reference"]),
        day=str(item["day"]),
        created_at=from_rfc3339(item["created_at"]),
        postings=tuple(
            Posting(str(of["account"]), int(of["debit_rial"]), int(of["credit_rial"])) for of in item["postings"]
        ),
        years=tuple(YearAmount(int(of["year"]), int(of["amount_rial"])) for of in item["years"]),
        content_hash=str(item["content_hash"]),
        cause=str(item.get("cause", "")),
    )
