"""The cities' days: closed, paid on by a file, and found again in the bank's statements, while everything fails.

The real code of the daily close and its real adapters, over tables in memory. The bank is written anew: it reads
the file with a parser of XML, pays what each file asks for once, and keeps its own book of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree

from avarez import keys
from avarez.clock import tehran_today
from avarez.dynamo import BotoCoreError, ClientError, Table, from_item
from avarez.events.chain import Event
from avarez.events.log import waiting_from
from avarez.settlements import Settlement
from functions.pay.audit.books_store import entry_from
from functions.pay.settlement.bank.calendar import bank_calendar
from functions.pay.settlement.bank.paya import paya_file
from functions.pay.settlement.bank.references import OPERATOR
from functions.pay.settlement.bank.transfer_store import TransferTable
from functions.pay.settlement.bank.transfers import Debtor, Payee
from functions.pay.settlement.closing import close_next
from functions.pay.settlement.store import CloseTable
from functions.pay.settlement.wiring import Parts
from functions.pay.three_way.days import NATIONAL
from functions.pay.three_way.statement import StatementLine
from functions.pay.three_way.store import ThreeWayTable
from simulation.store import Crash
from simulation.tables import MemoryEngine

if TYPE_CHECKING:
    from simulation.world import World

DEBTOR = Debtor("avarez", "IR580540105180021273113007", "BMJIIRTHXXX")
IBANS = {
    "TEHRAN": "IR760170000000000000000001",
    "MASHHAD": "IR490170000000000000000002",
    "SHIRAZ": "IR220170000000000000000003",
}
WITHOUT_ACCOUNT = "MASHHAD"
"""Two people bring its account into force when the storm is over: until then what it is owed waits."""
OWN_STATEMENTS = ("SHIRAZ",)
"""Who hands in its own bank's statements as well."""
OFFICER = "treasurer"
_PAIN: Final = "{urn:iso:std:iso:20022:tech:xsd:pain.001.001.03}"


class ClosesEngine(MemoryEngine):
    """The tables of the close, whose journal entries and events are the world's; writes fail as anywhere."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.w = world

    def transact_write_items(self, *, TransactItems: Sequence[Mapping[str, Any]]) -> None:  # noqa: N803
        kind = self.w.faults.often("closing", 2)
        if kind == "busy":
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "TransactWriteItems")
        if kind == "killed_before":
            raise Crash
        super().transact_write_items(TransactItems=TransactItems)
        if kind == "killed_after":
            raise Crash
        if kind == "answer_lost":
            raise BotoCoreError
        if kind == "sent_again":
            super().transact_write_items(TransactItems=TransactItems)

    def _apply(self, kind: str, write: Mapping[str, Any]) -> None:
        pk, sk = (write["Item"][name]["S"] if kind == "Put" else "" for name in ("pk", "sk"))
        if pk.startswith("OUTBOX#") and sk.startswith(keys.TO_CHAIN_PREFIX):
            self.w.store.announce(waiting_from(from_item(write["Item"])))
        elif "#JOURNAL#" in pk:
            entry = entry_from(from_item(write["Item"]))
            self.w.store.journal.append(entry)
            self.w.store.unplaced[entry.journal_id] = entry.content_hash
        super()._apply(kind, write)


class ClosesOfChain(CloseTable):
    """Closes of the chains in the world's memory; a second closer may come in the middle of one's reading."""

    world: World

    def page(self, municipality: str, after: int, limit: int) -> Sequence[Event]:
        page = self.world.store.read(municipality, after=after, limit=limit)
        self.world.closes.rival(municipality)
        return page


class Bank:
    """Our bank: `paid` is its own book of transfers, by reference and account."""

    def __init__(self) -> None:
        self.files: set[str] = set()
        self.paid: Counter[tuple[str, str]] = Counter()
        self.lines: list[StatementLine] = []

    def take(self, file: bytes, today: date) -> list[tuple[str, str, int]]:
        """What the file asks for: reference, account and amount; nothing for a file that came before."""
        root = ElementTree.fromstring(file)  # noqa: S314 - our own file
        message = root.findtext(f".//{_PAIN}MsgId") or ""
        if message in self.files:
            return []
        self.files.add(message)
        asked: list[tuple[str, str, int]] = []
        for one in root.iter(f"{_PAIN}CdtTrfTxInf"):
            reference = one.findtext(f"{_PAIN}PmtId/{_PAIN}EndToEndId") or ""
            iban = one.findtext(f"{_PAIN}CdtrAcct/{_PAIN}Id/{_PAIN}IBAN") or ""
            rial = int(one.findtext(f"{_PAIN}Amt/{_PAIN}InstdAmt") or "")
            self.paid[reference, iban] += rial
            asked.append((reference, iban, rial))
        return asked

    def paid_to(self, iban: str) -> int:
        """What has gone to this account in all."""
        return sum(rial for (_, to), rial in self.paid.items() if to == iban)


class Closes:
    """The clock that closes, the treasurer who closes early and sends files, the statements."""

    def __init__(self, world: World, names: Sequence[str]) -> None:
        self.w = world
        self.names = names
        self.bank = Bank()
        self.accounts = {name: Payee(IBANS[name], name) for name in names if name != WITHOUT_ACCOUNT}
        self.statement_lines: list[tuple[StatementLine, str]] = []
        self.handed_in: set[str] = set()
        self.engine = ClosesEngine(world)
        duty, ledger = Table("duty", self.engine), Table("ledger", self.engine)
        transfers = TransferTable(duty, ledger, self)
        closes = ClosesOfChain(duty, ledger, transfers)
        closes.world = world
        self.of = Parts(closes, transfers, bank_calendar(), duty, world.clock)
        self.statements = ThreeWayTable(duty, ledger)
        self._number = 0
        self._closing = False
        for name in names:
            setting = duty.put(keys.municipality_setting(name), {"settlement_mode": "collect"})
            MemoryEngine.transact_write_items(self.engine, TransactItems=[setting])

    def in_force(self, municipality: str, at: datetime) -> Payee | None:
        """The account of a city: the port of the transfers."""
        return self.accounts.get(municipality)

    # -- closing -------------------------------------------------------------------------------------

    def run(self) -> None:
        """The clock's run: every day that is over, and transfers looked at again."""
        for name in self.names:
            while isinstance(self.w.attempt(partial(self._close, name)), Settlement):
                pass
        self._look_again()

    def _look_again(self) -> None:
        for transfer in self.of.transfers.outstanding():
            self.w.attempt(partial(self.of.transfers.look_again, transfer, self.w.clock.now()))

    def early(self, name: str) -> None:
        """The treasurer closes today now."""
        today = tehran_today(self.w.clock.now())
        self.w.attempt(partial(self._close, name, by=OFFICER, through=today))

    def rival(self, name: str) -> None:
        """A second closer comes in the middle of a close."""
        if self._closing or self.w.faults.at("closer") != "two_closers":
            return
        self._closing = True
        try:
            self.w.attempt(partial(self._close, name))
        finally:
            self._closing = False

    def _close(self, name: str, by: str = "schedule", through: date | None = None) -> Settlement | None:
        now = self.w.clock.now()
        return close_next(
            self.of.closes, self.of.calendar, name, now, by=by, through=through, time_left=lambda: True
        )

    def closes(self, name: str) -> list[Settlement]:
        """The city's closes, the oldest first."""
        return list(self.of.closes.settlements(name, before="", limit=1_000))[::-1]

    def after(self, turn: str) -> None:
        """The storm is over: accounts are in force, files sent, statements told; one city closes all of its days.

        The others finish what was begun: to close every day of every city would make a run a tenth longer.
        """
        for name in self.names:
            self.accounts[name] = Payee(IBANS[name], name)
            while name == turn or self.of.closes.plan(name) is not None:
                if not isinstance(self.w.attempt(partial(self._close, name)), Settlement):
                    break
        self._look_again()
        self.send_file()
        self.statement()

    def unrest(self, turn: str) -> list[str]:
        """What of the closes has not come to its end: one that was begun, money that no statement has told of."""
        told = [f"{name}: a close is begun" for name in self.names if self.of.closes.plan(name) is not None]
        told += [f"{transfer.reference} is {transfer.status}" for transfer in self.of.transfers.outstanding()]
        yesterday = tehran_today(self.w.clock.now()) - timedelta(days=1)
        if (closed := self.of.closes.position(turn).day) != yesterday.isoformat():
            told.append(f"{turn}: days are closed up to {closed}")
        return [*told, *(f"line {line.key} waits" for line, _ in self.statement_lines)]

    # -- paying on -----------------------------------------------------------------------------------

    def send_file(self) -> None:
        """The treasurer makes a file of what is ready, and hands in each file that the bank has not had."""
        today = tehran_today(self.w.clock.now())
        day = self.of.calendar.next_working_day(today).isoformat()
        make = self.of.transfers.make_batch
        self.w.attempt(partial(make, DEBTOR, execution_day=day, by=OFFICER, now=self.w.clock.now()))
        for batch in self.of.transfers.batches(limit=1_000):
            if batch.status != "ready" or batch.batch_id in self.handed_in:
                continue
            file = paya_file(batch, self.of.transfers.rows(batch.batch_id))
            for reference, iban, rial in self.bank.take(file, today):
                self._tells(reference, iban, rial, today)
            self.handed_in.add(batch.batch_id)

    def _tells(self, reference: str, iban: str, rial: int, today: date) -> None:
        """Lines of the bank's statement; some in two parts, and the city's own bank tells of it as well."""
        kind = self.w.faults.often("statement", 30)
        parts = [rial // 2, rial - rial // 2] if kind == "in_parts" and rial > 1 else [rial]
        self.statement_lines += [(self._line(reference, DEBTOR.iban, part, today), NATIONAL) for part in parts]
        if kind == "repeated":
            self.statement_lines.append(self.statement_lines[-1])
        name = reference.rpartition("-")[0]
        if name in OWN_STATEMENTS:
            self.statement_lines.append((self._line(reference, iban, rial, today), name))

    def _line(self, reference: str, account: str, rial: int, today: date) -> StatementLine:
        self._number += 1
        return StatementLine(
            account, today, f"B{self._number:06d}", rial, 0, OPERATOR, today, "", "", transfer_reference=reference
        )

    def statement(self) -> None:
        """The statements of the day; a line that could not be taken comes again."""
        waiting: list[tuple[StatementLine, str]] = []
        for line, owner in self.statement_lines:
            take = partial(self.statements.take_line, line, owner=owner, taken_by=OFFICER, now=self.w.clock.now())
            if not isinstance(self.w.attempt(take), bool):
                waiting.append((line, owner))
        self.statement_lines = waiting
