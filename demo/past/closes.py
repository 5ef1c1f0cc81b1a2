"""A city's days of the past, closed and paid on: the real close and its adapters over tables in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from avarez import keys
from avarez.clock import FixedClock
from avarez.dynamo import Table, from_item
from avarez.events.chain import Event
from avarez.events.log import waiting_from
from demo.seed import ACCOUNTS, PLATFORM
from functions.pay.audit.books_store import entry_from
from functions.pay.settlement.bank.calendar import bank_calendar
from functions.pay.settlement.bank.references import OPERATOR
from functions.pay.settlement.bank.transfer_store import TransferTable
from functions.pay.settlement.bank.transfers import Payee
from functions.pay.settlement.closing import close_next
from functions.pay.settlement.store import CloseTable
from functions.pay.three_way.days import NATIONAL
from functions.pay.three_way.statement import StatementLine
from functions.pay.three_way.store import ThreeWayTable
from simulation.store import MemoryStore
from simulation.tables import MemoryEngine

BANK_OPENS: Final = timedelta(hours=7)
"""In UTC from midnight in Tehran: after PAYA's first cycle, and after the day before was closed."""


class LedgerEngine(MemoryEngine):
    """Tables of the close; journal entries and events that it writes are the store's."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__()
        self._store = store

    def _apply(self, kind: str, write: Mapping[str, Any]) -> None:
        pk, sk = (write["Item"][name]["S"] if kind == "Put" else "" for name in ("pk", "sk"))
        if pk.startswith("OUTBOX#") and sk.startswith(keys.TO_CHAIN_PREFIX):
            self._store.announce(waiting_from(from_item(write["Item"])))
        elif "#JOURNAL#" in pk:
            entry = entry_from(from_item(write["Item"]))
            self._store.journal.append(entry)
            self._store.unplaced[entry.journal_id] = entry.content_hash
        else:
            super()._apply(kind, write)


class ClosesOfChain(CloseTable):
    """Closes of a chain in memory."""

    memory: MemoryStore

    def page(self, municipality: str, after: int, limit: int) -> Sequence[Event]:
        return self.memory.read(municipality, after=after, limit=limit)


class Closes:
    """The clock that closes one city's days, and the bank that tells of the transfers.

    Gateways, terminals and bills paid to our account in these years, whatever the city has settled since.
    """

    def __init__(self, city: str, store: MemoryStore, clock: FixedClock) -> None:
        self.city = city
        self.clock = clock
        self.calendar = bank_calendar()
        self.engine = LedgerEngine(store)
        duty, ledger = Table("duty", self.engine), Table("ledger", self.engine)
        self.transfers = TransferTable(duty, ledger, self)
        self.table = ClosesOfChain(duty, ledger, self.transfers)
        self.table.memory = store
        self.statements = ThreeWayTable(duty, ledger)
        setting = duty.put(keys.municipality_setting(city), {"settlement_mode": "collect"})
        self.engine.transact_write_items(TransactItems=[setting])
        self._due: defaultdict[date, list[tuple[str, int]]] = defaultdict(list)
        self._lines = 0

    def in_force(self, municipality: str, at: datetime) -> Payee | None:
        """The city's account: the port of the transfers."""
        return Payee(ACCOUNTS[municipality], f"Municipality of {municipality.title()} (demonstration)")

    def close(self, day: date) -> None:
        """The day is closed; what it pays on leaves on the next day on which banks work."""
        now = self.clock.now()
        made = close_next(self.table, self.calendar, self.city, now, time_left=lambda: True)
        if made is None or made.day != day.isoformat():
            raise RuntimeError(f"{self.city}: {day} was not closed, but {made and made.day}")
        if made.transfer_rial:
            leaves = self.calendar.next_working_day(day)
            self._due[leaves].append((made.reference, made.transfer_rial))

    def bank_opens(self, day: date) -> None:
        """The bank's statement of the day: each transfer that leaves is one line of it."""
        due = self._due.pop(day, [])
        if due:
            self.clock.advance(BANK_OPENS)
        for reference, rial in due:
            self._lines += 1
            number = f"{self.city[:3]}{self._lines:07d}"
            line = StatementLine(
                PLATFORM["iban"], day, number, rial, 0, OPERATOR, day, "", "", transfer_reference=reference
            )
            self.statements.take_line(line, owner=NATIONAL, taken_by="treasurer", now=self.clock.now())

    def items(self) -> Iterator[dict[str, Any]]:
        """Every item of the ledger table."""
        for (table, _), rows in self.engine.partitions.items():
            if table == "ledger":
                yield from rows.values()
