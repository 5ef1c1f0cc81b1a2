"""The books of three levels in DynamoDB: reports, statement lines, differences with their tasks, results."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from avarez import keys
from avarez.clock import from_rfc3339, tehran_today, to_rfc3339
from avarez.dynamo import Item as Row
from avarez.dynamo import Table, batch_get, transact
from avarez.errors import ServiceBusy, StatementConflict, TransactionRefused
from avarez.ids import new_id
from avarez.journal import JournalEntry
from functions.pay.audit.books_store import Books
from functions.pay.gateways.day_reports import ReportLine
from functions.pay.rules.records import Payment
from functions.pay.rules.refunds import Found
from functions.pay.rules.settling import arrival_entry
from functions.pay.settlement.bank.references import read_reference
from functions.pay.stores import items
from functions.pay.stores.payment_store import DynamoStore
from functions.pay.three_way import results
from functions.pay.three_way.days import NATIONAL, Day, Opened, Paid, Told
from functions.pay.three_way.matching import EXPLAINED, Item
from functions.pay.three_way.statement import StatementLine

if TYPE_CHECKING:
    from functions.pay.settlement.bank.transfer_store import TransferTable
    from functions.pay.settlement.bank.transfers import Transfer

CHUNK_LINES: Final = 1_000
"""A chunk of a report has some 150 kilobytes; an item may have 400."""
CHUNKS_A_WRITE: Final = 20
OPEN_MAX: Final = 10_000
"""Open differences of one gateway's day; more is no day but a catastrophe, and the counts still hold."""
WRITES_MAX: Final = 90
OPEN_DAYS_MAX: Final = 400
REFUNDS_READ_MAX: Final = 200


class ThreeWayTable:
    """Everything over the duty and the ledger table."""

    def __init__(self, duty: Table, ledger: Table) -> None:
        self._duty = duty
        self._books = Books(duty, ledger)
        self._store = DynamoStore(duty, ledger)
        self._ledger = ledger
        self._modes: dict[str, Row] = {}

    # -- ours ----------------------------------------------------------------------------------------

    def municipalities(self) -> Sequence[str]:
        return self._books.municipalities()

    def entries(self, municipality: str, day: str) -> Sequence[JournalEntry]:
        return self._books.entries(municipality, day)

    def direct(self, municipality: str, operator: str) -> bool:
        """`settlement_modes` by gateway, else the city's `settlement_mode`; only gateways can split."""
        if municipality == NATIONAL or ":" in operator:
            return False
        if municipality not in self._modes:
            self._modes[municipality] = self._duty.get(keys.municipality_setting(municipality)) or {}
        settings = self._modes[municipality]
        mode = settings.get("settlement_modes", {}).get(operator) or settings.get("settlement_mode", "collect")
        return bool(mode == "direct")

    def by_reference(self, operator: str, references: Iterable[str]) -> Mapping[str, Payment]:
        wanted = {keys.reference(operator, reference): reference for reference in sorted(references)}
        owners = batch_get(self._duty, wanted)
        ids = {wanted[key]: str(item["payment_id"]) for key, item in owners.items()}
        payments = self.payments(ids.values())
        return {reference: payments[of] for reference, of in ids.items() if of in payments}

    def payments(self, payment_ids: Iterable[str]) -> Mapping[str, Payment]:
        pointers = batch_get(self._duty, [keys.pointer(of) for of in sorted(set(payment_ids))])
        places = map(keys.target, pointers.values())
        return {
            str(item["payment_id"]): items.payment_from(item) for item in batch_get(self._duty, places).values()
        }

    def parts_of(self, payment: Payment) -> Sequence[Payment]:
        if not payment.parts:
            return ()
        chunks = self._store.chunks(payment)
        ids = [of.payment_id for chunk in chunks for of in self._store.members(payment, chunk.number)]
        return [part for part in self.payments(ids).values() if part.settled_at or part.confirmed_rial]

    def sent_back(self, payment: Payment) -> bool:
        partition, first = keys.refund(payment.municipality, payment.plate, "")
        found = self._duty.query(partition, first, limit=REFUNDS_READ_MAX)
        of_payment = [items.refund_from(item) for item in found if item["payment_id"] == payment.payment_id]
        return any(refund.done_at is not None and not refund.bank_reference for refund in of_payment)

    def put_found(self, found: Found) -> None:
        self._store.put_found(found)

    # -- reports -------------------------------------------------------------------------------------

    def take_report(
        self,
        operator: str,
        day: date,
        lines: Sequence[ReportLine],
        *,
        text: str,
        complete: bool,
        fetched: bool,
        taken_by: str,
        now: datetime,
    ) -> str:
        """The report's id; the same content again is the same report, and the newest word on its day once more."""
        digest = sha256(text.encode()).hexdigest()
        content = keys.report_content(operator, day.isoformat(), digest)
        known = self._duty.get(content)
        report_id = str(known["report_id"]) if known else new_id("rp", now)
        head = {
            "report_id": report_id,
            "content_sha256": digest,
            "complete": complete,
            "fetched": fetched,
            "lines": len(lines),
            "taken_by": taken_by,
            "told_at": to_rfc3339(now),
        }
        writes = [
            self._duty.put(
                keys.report_lines(operator, day.isoformat(), report_id, number),
                {"lines": [_line_row(line) for line in lines[start : start + CHUNK_LINES]]},
            )
            for number, start in enumerate(range(0, len(lines), CHUNK_LINES))
        ]
        for start in range(0, 0 if known else len(writes), CHUNKS_A_WRITE):
            transact(writes[start : start + CHUNKS_A_WRITE], dynamodb=self._duty.dynamodb)
        transact(
            [
                self._duty.put(keys.report_head(operator, day.isoformat(), report_id), head),
                self._duty.put(content, {"report_id": report_id}),
                self._duty.put(keys.reporter(day.isoformat(), operator), {"operator": operator}),
                self._duty.put(keys.open_day(day.isoformat()), {"day": day.isoformat()}),
            ],
            dynamodb=self._duty.dynamodb,
        )
        return report_id

    def told(self, operator: str, day: date) -> Told:
        """The newest report of the whole day, with the parts that came after it (or all parts, without one)."""
        partition, first = keys.report_head(operator, day.isoformat(), "")
        heads = sorted(self._duty.query(partition, first), key=lambda head: (head["told_at"], head["report_id"]))
        whole = [place for place, head in enumerate(heads) if head["complete"]]
        counting = heads[whole[-1] :] if whole else heads
        lines: dict[str, ReportLine] = {}
        for head in counting:
            lines |= {line.key: line for line in self._lines(operator, day, str(head["report_id"]))}
        contradicted = {
            line.key
            for head in heads
            if head not in counting
            for line in self._lines(operator, day, str(head["report_id"]))
            if line.key in lines and lines[line.key].amount_rial != line.amount_rial
        }
        return Told(
            lines=tuple(lines.values()),
            complete=bool(whole),
            final=bool(whole) and _is_final(heads[whole[-1]], day),
            fetched=bool(counting) and all(head["fetched"] for head in counting),
            contradicted=len(contradicted),
        )

    def reporters(self, day: date) -> Sequence[str]:
        partition, first = keys.reporter(day.isoformat(), "")
        return [str(row["operator"]) for row in self._duty.query(partition, first)]

    def _lines(self, operator: str, day: date, report_id: str) -> Iterator[ReportLine]:
        partition, first = keys.report_lines(operator, day.isoformat(), report_id, 0)
        for chunk in self._duty.query(partition, first[:-5]):
            yield from (_line_from(row) for row in chunk["lines"])

    # -- the bank ------------------------------------------------------------------------------------

    def take_line(self, line: StatementLine, *, owner: str, taken_by: str, now: datetime) -> bool:
        """Whether the line is new; its entry is written with it, once.

        Raises:
            StatementConflict: the bank's number stands for another line already.
        """
        line_id = keys.statement_line_id(line.key)
        key = keys.statement_line(line.account, line.bank_reference)
        row = {**_statement_row(line), "line_id": line_id, "owner": owner, "digest": line.digest}
        taken = self._duty.put_new(key, {**row, "taken_by": taken_by, "taken_at": to_rfc3339(now)})
        booked = (self._transfer_line if line.transfer_reference else self._arrival_line)(
            line, owner, line_id, now
        )
        try:
            transact([taken, *booked], dynamodb=self._duty.dynamodb)
        except TransactionRefused as refused:
            standing = self._duty.get(key)
            if standing is None and line.transfer_reference:
                raise ServiceBusy(retry_after_s=1) from refused  # another line of the transfer was faster
            if standing is None or standing["digest"] != line.digest or standing["owner"] != owner:
                raise StatementConflict(extra={"bank_reference": line.bank_reference}) from refused
            return False
        return True

    @functools.cached_property
    def _transfers(self) -> TransferTable:
        """What pays cities on: few statements have a line of it, and only those load it."""
        from functions.pay.settlement.bank.transfer_store import AccountsInForce, TransferTable

        return TransferTable(self._duty, self._ledger, AccountsInForce(self._ledger))

    def transfer(self, line: StatementLine) -> Transfer | None:
        """The transfer of ours that the line names; None where it names none that there is."""
        named = read_reference(line.transfer_reference)
        pointer = None if named is None else self._ledger.get(keys.settled_number(*named))
        return (
            None if named is None or pointer is None else self._transfers.find(named[0], pointer["settlement_id"])
        )

    def _transfer_line(self, line: StatementLine, owner: str, line_id: str, now: datetime) -> list[Row]:
        transfer = self.transfer(line)
        if transfer is None:
            raise StatementConflict(extra={"bank_reference": line.bank_reference})
        return self._transfers.line_writes(transfer, line.amount_rial, owner=owner, line_id=line_id, now=now)

    def _arrival_line(self, line: StatementLine, owner: str, line_id: str, now: datetime) -> list[Row]:
        entry = arrival_entry(
            operator=line.operator,
            municipality=owner,
            to_city=owner != NATIONAL,
            amount_rial=line.amount_rial,
            commission_rial=line.commission_rial,
            line_id=line_id,
            reference=line.bank_reference,
            journal_id=new_id("je", now),
            now=now,
        )
        day = line.settles.isoformat()
        return [
            self._duty.put_new(keys.arrival(line.operator, day, line_id), {"account": owner, **_sums(line)}),
            self._duty.put(keys.reporter(day, line.operator), {"operator": line.operator}),
            self._duty.put(keys.open_day(day), {"day": day}),
            *self._store.journal(entry),
        ]

    def arrived(self, operator: str, day: date) -> Mapping[str, int]:
        partition, first = keys.arrival(operator, day.isoformat(), "")
        total: dict[str, int] = {}
        for row in self._duty.query(partition, first):
            gross_rial = int(row["amount_rial"]) + int(row["commission_rial"])
            total[str(row["account"])] = total.get(str(row["account"]), 0) + gross_rial
        return total

    def paid_out(self, operator: str, day: date) -> Mapping[str, Paid]:
        partition, first = keys.paid_out(operator, day.isoformat(), "")
        rows = self._duty.query(partition, first, limit=keys.PAID_OUT_MAX)
        return {str(row["municipality"]): _paid_from(row) for row in rows}

    def book_paid_out(
        self, operator: str, day: date, before: Paid | None, after: Paid, entry: JournalEntry
    ) -> None:
        key = keys.paid_out(operator, day.isoformat(), after.municipality)
        row = asdict(after)
        put = (
            self._duty.put_new(key, row)
            if before is None
            else self._duty.put(
                key,
                row,
                "rial = :rial AND payable_rial = :payable AND rounding_rial = :rounding",
                rial=before.rial,
                payable=before.payable_rial,
                rounding=before.rounding_rial,
            )
        )
        transact(
            [put, *self._store.journal(entry)],
            mine=lambda: self.paid_out(operator, day).get(after.municipality) == after,
            dynamodb=self._duty.dynamodb,
        )

    # -- results -------------------------------------------------------------------------------------

    def opened(self, operator: str, day: date) -> Mapping[str, Opened]:
        rows = self._duty.query(keys.differences(operator, day.isoformat()), limit=OPEN_MAX)
        return {
            str(row["name"]): Opened(
                str(row["name"]), str(row["municipality"]), str(row["state"]), bool(row["task"])
            )
            for row in rows
        }

    def keep(self, day: Day, before: Mapping[str, Opened], tasks: Callable[[Item], bool]) -> None:
        """Differences and tasks first, the results that speak of them last."""
        standing = {results.name_of(item): item for item in [*day.items, *day.bank] if item.state not in EXPLAINED}
        writes = [
            write for name, old in before.items() if name not in standing for write in self._closed(day, name, old)
        ]
        for name, item in list(standing.items())[:OPEN_MAX]:
            writes += self._standing(day, name, item, before.get(name), task=tasks(item))
        for start in range(0, len(writes), WRITES_MAX):
            transact(writes[start : start + WRITES_MAX], dynamodb=self._duty.dynamodb)
        told = results.by_city(day)
        kept = [
            self._duty.put(keys.reconciliation(city, day.day.isoformat(), day.operator), row)
            for city, row in told.items()
        ]
        for start in range(0, len(kept), CHUNKS_A_WRITE):
            transact(kept[start : start + CHUNKS_A_WRITE], dynamodb=self._duty.dynamodb)

    def _standing(self, day: Day, name: str, item: Item, old: Opened | None, *, task: bool) -> Iterator[Row]:
        city = item.municipality or NATIONAL
        moved = old is None or (old.municipality, old.state, old.task) != (city, item.state.value, task)
        if not moved:
            return
        if old is not None and old.task and (old.municipality != city or not task):
            yield self._task_done(day, name, old)
        row = results.difference_row(day, name, item, task=task)
        yield self._duty.put(keys.difference(day.operator, day.day.isoformat(), name), row)
        if task:
            task_id = keys.reconciliation_task_id(day.operator, day.day.isoformat(), name)
            yield self._duty.put(keys.task(city, task_id), {**row, "task_id": task_id, "status": "open"})

    def _closed(self, day: Day, name: str, old: Opened) -> Iterator[Row]:
        yield self._duty.delete(keys.difference(day.operator, day.day.isoformat(), name))
        if old.task:
            yield self._task_done(day, name, old)

    def _task_done(self, day: Day, name: str, old: Opened) -> Row:
        task_id = keys.reconciliation_task_id(day.operator, day.day.isoformat(), name)
        changes = {"status": "done", "closed_by": "reconciliation", "closed_at": to_rfc3339(day.at)}
        return self._duty.update(keys.task(old.municipality, task_id), changes, "attribute_exists(pk)")

    def results_of(self, municipality: str, day: date) -> Sequence[Row]:
        """What the last run found for each gateway of this city's day."""
        partition, first = keys.reconciliation(municipality, day.isoformat(), "")
        return self._duty.query(partition, first)

    # -- days that are not over ----------------------------------------------------------------------

    def open_days(self) -> Sequence[date]:
        """Days that a run is still to look at, the oldest first."""
        partition, first = keys.open_day("")
        rows = self._duty.query(partition, first, limit=OPEN_DAYS_MAX)
        return [date.fromisoformat(row["day"]) for row in rows]

    def open_day(self, day: date) -> None:
        transact(
            [self._duty.put(keys.open_day(day.isoformat()), {"day": day.isoformat()})],
            dynamodb=self._duty.dynamodb,
        )

    def close_day(self, day: date) -> None:
        transact([self._duty.delete(keys.open_day(day.isoformat()))], dynamodb=self._duty.dynamodb)


def _is_final(head: Row, day: date) -> bool:
    """Whether the report can have all of its day: a fetched one by its time, others by who hands them in."""
    return not head["fetched"] or tehran_today(from_rfc3339(head["told_at"])) > day


def _line_row(line: ReportLine) -> list[str]:
    at = to_rfc3339(line.paid_at) if line.paid_at else ""
    return [line.reference, line.order_id, str(line.amount_rial), line.state, at]


def _line_from(row: Sequence[str]) -> ReportLine:
    reference, order_id, amount, state, at = row
    return ReportLine(reference, order_id, int(amount), state, from_rfc3339(at) if at else None)  # type: ignore[arg-type]  # written by us


def _sums(line: StatementLine) -> Row:
    return {"amount_rial": line.amount_rial, "commission_rial": line.commission_rial, "cycle": line.cycle}


def _statement_row(line: StatementLine) -> Row:
    return {
        "account": line.account,
        "booked_on": line.booked_on.isoformat(),
        "bank_reference": line.bank_reference,
        "operator": line.operator,
        "settles": line.settles.isoformat(),
        "description": line.description,
        "transfer_reference": line.transfer_reference,
        **_sums(line),
    }


def _paid_from(row: Row) -> Paid:
    return Paid(str(row["municipality"]), int(row["rial"]), int(row["payable_rial"]), int(row["rounding_rial"]))
