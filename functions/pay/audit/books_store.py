"""Reads the books from DynamoDB; writes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Final

from avarez import keys
from avarez.clock import from_rfc3339, tehran_today
from avarez.dynamo import Item, Table, batch_get
from avarez.events.chain import Event, faults, hash_of
from avarez.events.log import READ_MAX, EventLog, event_from
from avarez.journal import JournalEntry, Posting, YearAmount
from avarez.settlements import Settlement, batch_hash, lines_from, settlement_from
from functions.pay.audit.chain import Link, Place, Run, head_faults, link_of, upto_later_day
from functions.pay.audit.checks import Book, is_carried
from functions.pay.audit.settled import ClosedDay, Moved
from functions.pay.rules.records import Payment
from functions.pay.rules.refunds import certified_claims
from functions.pay.stores import items

SHARD_ENTRIES_MAX: Final = 100_000
"""Entries of one city's day in one shard; a query of more would be a city of a hundred million payments."""
OTHER_CONTENT: Final = "its content is not what its hash says"


class Books:
    """The journal, and what it is about."""

    def __init__(self, duty: Table, ledger: Table) -> None:
        self._duty = duty
        self._ledger = ledger
        self._log = EventLog(ledger)

    def entries(self, municipality: str, day: str) -> list[JournalEntry]:
        """The city's journal of this Gregorian day in Tehran, in the order of its ids."""
        return [entry_from(item) for item in self._journal(municipality, day)]

    def _journal(self, municipality: str, day: str) -> list[Item]:
        found: list[Item] = []
        for shard in range(keys.SHARDS):
            partition = keys.journal_partition(municipality, day, shard)
            found += self._ledger.query(partition, limit=SHARD_ENTRIES_MAX)
        return sorted(found, key=lambda item: str(item["journal_id"]))

    def book(self, municipality: str, day: str, now: datetime) -> Book:
        """The journal with its payments, duties and certificates, each read consistently."""
        journal = self._journal(municipality, day)
        entries = [entry_from(item) for item in journal]
        places = {str(item["journal_id"]): place_from(item) for item in journal if "sequence" in item}
        carried = self._log.carried(municipality).sequence
        ours = [entry for entry in entries if not is_carried(entry, places, carried)]
        payments = self._payments({entry.payment_id for entry in ours})
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
            places=places,
            run=self.run(municipality, day, places),
            closed=self.closed_day(municipality, day),
            carried=carried,
        )

    def closed_day(self, municipality: str, day: str) -> ClosedDay | None:
        """The day's close with what it is held to; None where the day is not closed."""
        head = self._ledger.get(keys.settled_head(municipality))
        if head is None or not str(head["day"]) >= day:
            return None
        # Each day has its close, one number a day: the number follows from the last one's.
        number = int(head["number"]) - (date.fromisoformat(str(head["day"])) - date.fromisoformat(day)).days
        made = self._close(municipality, number)
        if made is None:
            return None
        partition, _ = keys.settlement_lines(municipality, made.settlement_id, 0)
        kept = [lines_from(item["lines"]) for item in self._ledger.query(partition, limit=SHARD_ENTRIES_MAX)]
        return ClosedDay(
            settlement=made,
            before=self._close(municipality, number - 1),
            lines=[line for batch in kept for line in batch],
            batch_hashes=[batch_hash(batch) for batch in kept],
            events=list(self._moved(made)),
        )

    def _close(self, municipality: str, number: int) -> Settlement | None:
        if number < 1:
            return None
        pointer = self._ledger.get(keys.settled_number(municipality, number))
        key = keys.settlement(municipality, "" if pointer is None else str(pointer["settlement_id"]))
        item = None if pointer is None else self._ledger.get(key)
        return None if item is None else settlement_from(item)

    def _moved(self, made: Settlement) -> Iterator[Moved]:
        """The events of the close's range, a page at a time."""
        from functions.pay.settlement.rules import Own, movement  # who only looks up entries does without

        last = made.from_sequence - 1
        while last < made.to_sequence:
            page = self._log.read(made.municipality, after=last, limit=min(READ_MAX, made.to_sequence - last))
            for event in page:
                own = movement(event.data, made.municipality)
                yield Moved(event.sequence, str(event.data.get("hash")), None if own == Own() else own.rial)
            if not page:
                return
            last = page[-1].sequence

    def run(self, municipality: str, day: str, places: Mapping[str, Place]) -> Run:
        """The chain from the first event of the day to the first of a later day, proved while it is read."""
        head = self._log.head(municipality)
        first = self._first(municipality, day, places, head.sequence)
        wrong: list[tuple[int, str]] = []
        previous_hash = self._log.hash_at(municipality, first - 1)
        if previous_hash is None:
            wrong.append((first - 1, "is not in the chain"))
        links: list[Link] = []
        last, last_hash, later, whole_page = first - 1, previous_hash or "", False, True
        while whole_page and not later:
            page = self._log.read(municipality, after=last)
            whole_page = len(page) == READ_MAX
            events, later = upto_later_day(page, day)
            wrong += faults(municipality, events, after_sequence=last, after_hash=last_hash)
            links += [link for link in map(link_of, events) if link is not None]
            if events:
                last, last_hash = events[-1].sequence, str(events[-1].data.get("hash"))
        if not later:
            wrong += head_faults(head, self._log.head(municipality), last, last_hash)
        elsewhere = [place.sequence for place in places.values() if not first <= place.sequence <= last]
        apart = self._apart(municipality, elsewhere)
        wrong += [
            (event.sequence, OTHER_CONTENT) for event in apart if event.data.get("hash") != hash_of(event.data)
        ]
        links += [link for link in map(link_of, apart) if link is not None]
        return Run(head=head, first=first, last=last, faults=wrong, links=links)

    def _first(self, municipality: str, day: str, places: Mapping[str, Place], head: int) -> int:
        """Where the day begins in the chain: its entries' first place; without any, the first event of the day."""
        if places:
            return max(1, min(place.sequence for place in places.values()))
        low, high = 1, max(1, head)
        while low < high:
            middle = (low + high) // 2
            if self._day_at(municipality, middle) < day:
                low = middle + 1
            else:
                high = middle
        return low

    def _day_at(self, municipality: str, sequence: int) -> str:
        """The Gregorian day in Tehran of the event in this place; empty where none can be read."""
        item = self._ledger.get(keys.chain_event(municipality, sequence))
        told = {} if item is None else event_from(item).data
        try:
            return tehran_today(from_rfc3339(told["occurred_at"])).isoformat()
        except (KeyError, TypeError, ValueError):
            return ""

    def _apart(self, municipality: str, sequences: Sequence[int]) -> list[Event]:
        """Events in these places, which lie outside the day's part of the chain: entries chained long after."""
        found = (self._ledger.get(keys.chain_event(municipality, sequence)) for sequence in sorted(sequences))
        return [event_from(item) for item in found if item is not None]

    def municipalities(self) -> list[str]:
        """The cities that have settings, which are all that take payments."""
        partition, first = keys.municipality_setting("")
        return [str(item["sk"]).removeprefix(first) for item in self._duty.query(partition, first)]

    def _payments(self, payment_ids: Iterable[str]) -> dict[str, Payment]:
        pointers = batch_get(self._duty, [keys.pointer(payment_id) for payment_id in sorted(payment_ids)])
        places = map(keys.target, pointers.values())
        found: Sequence[Item] = list(batch_get(self._duty, places).values())
        return {str(item["payment_id"]): items.payment_from(item) for item in found}


def place_from(item: Item) -> Place:
    """What a chained entry says of its place."""
    return Place(int(item["sequence"]), str(item.get("previous_hash")), str(item.get("hash")))


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
