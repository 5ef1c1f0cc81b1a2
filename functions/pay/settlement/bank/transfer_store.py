"""Transfers and their files in DynamoDB: opened with a close, sent with a file, matched by a bank's line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from itertools import islice
from typing import Any, Final

from avarez import keys
from avarez.canonical import content_hash
from avarez.changes.change_table import ChangeTable
from avarez.clock import from_rfc3339, to_rfc3339
from avarez.dynamo import Item, Table, batch_get, transact
from avarez.errors import ServiceBusy, TransactionRefused
from avarez.events.entries import event_of
from avarez.events.log import waiting_write
from avarez.identifiers import read_sheba
from avarez.ids import new_id
from avarez.journal import JournalEntry, journal_item
from avarez.money import format_rial
from avarez.settlements import Settlement, Status, manifest_hash
from functions.pay.accounts.deciding import account_in_force
from functions.pay.settlement.bank.transfers import (
    FILE_TRANSFERS_MAX,
    ROWS_PER_CHUNK,
    Accounts,
    Batch,
    Debtor,
    Payee,
    Row,
    Transfer,
    told,
    transfer_of,
)
from functions.pay.settlement.rules import arrival_entry

OUTSTANDING_MAX: Final = 20_000
"""Ten days of every city: more are read by the next run."""
ATTEMPTS_MAX: Final = 5
NO_ACCOUNT: Final = "account_missing"
DIFFERS: Final = "transfer_differs"
_UNMOVED: Final = "#status = :status AND left_rial = :left AND arrived_rial = :arrived"


class AccountsInForce:
    """The accounts that two people of each city have brought into force."""

    def __init__(self, ledger: Table) -> None:
        self._changes = ChangeTable(ledger)

    def in_force(self, municipality: str, at: datetime) -> Payee | None:
        account = account_in_force(self._changes, municipality, at)
        sound = account is not None and read_sheba(account.iban) == account.iban
        return Payee(account.iban, account.holder) if account is not None and sound else None


def journal_writes(ledger: Table, entry: JournalEntry) -> list[Item]:
    """The entry, and the event of it that waits for its place."""
    key = keys.journal(entry.municipality, entry.day, entry.payment_id, entry.journal_id)
    return [ledger.put_new(key, journal_item(entry)), waiting_write(ledger, event_of(entry))]


class TransferTable:
    """The transfers of the ledger table; their tasks lie with the city's others, in the duty table."""

    def __init__(self, duty: Table, ledger: Table, accounts: Accounts) -> None:
        self._duty = duty
        self._ledger = ledger
        self._accounts = accounts

    # -- transfers -----------------------------------------------------------------------------------

    def opening(self, settlement: Settlement) -> list[Item]:
        """The part of a close's transaction that opens its transfer: one without an account waits, with a task."""
        city, of = settlement.municipality, settlement.settlement_id
        payee = self._accounts.in_force(city, from_rfc3339(settlement.closed_at))
        transfer = transfer_of(settlement, has_account=payee is not None)
        writes = [
            self._ledger.put_new(keys.transfer(city, of), asdict(transfer)),
            self._ledger.put_new(keys.transfer_outstanding(city, of), {"municipality": city, "settlement_id": of}),
        ]
        return [*writes, *self._task(transfer, NO_ACCOUNT)] if transfer.status == Status.WAITING else writes

    def find(self, municipality: str, settlement_id: str) -> Transfer | None:
        item = self._ledger.get(keys.transfer(municipality, settlement_id))
        return None if item is None else transfer_from(item)

    def of_closes(self, closes: Sequence[Settlement]) -> dict[str, Transfer]:
        """The transfers of these closes, by the close's id."""
        found = batch_get(self._ledger, [keys.transfer(of.municipality, of.settlement_id) for of in closes])
        return {str(item["settlement_id"]): transfer_from(item) for item in found.values()}

    def outstanding(self) -> list[Transfer]:
        """Every transfer that no bank's line has matched, city by city, the oldest first."""
        partition, _ = keys.transfer_outstanding("", "")
        rows = self._ledger.query(partition, limit=OUTSTANDING_MAX)
        wanted = [keys.transfer(str(row["municipality"]), str(row["settlement_id"])) for row in rows]
        found = batch_get(self._ledger, wanted)
        return [transfer_from(found[key]) for key in wanted if key in found]

    def look_again(self, transfer: Transfer, now: datetime) -> Transfer:
        """A transfer that has not been sent, waiting or open as the city's account says now."""
        if transfer.status not in (Status.OPEN, Status.WAITING):
            return transfer
        has_account = self._accounts.in_force(transfer.municipality, now) is not None
        wanted = Status.OPEN if has_account else Status.WAITING
        if transfer.status == wanted:
            return transfer
        after = replace(transfer, status=wanted.value)
        writes = [self._moved(transfer, after)]
        writes += self._task_done(transfer, NO_ACCOUNT, now) if has_account else self._task(after, NO_ACCOUNT)
        try:
            transact(writes, dynamodb=self._ledger.dynamodb)
        except TransactionRefused:
            return transfer  # somebody else was at it; the next run looks again
        return after

    def line_writes(
        self, transfer: Transfer, amount_rial: int, *, owner: str, line_id: str, now: datetime
    ) -> list[Item]:
        """What a line of a bank statement changes: the transfer, its task, and what left, once."""
        by_city = owner == transfer.municipality
        after, books = told(transfer, amount_rial, by_city=by_city, owner=owner, at=to_rfc3339(now))
        city, of = transfer.municipality, transfer.settlement_id
        writes = [self._moved(transfer, after)]
        if books:
            entry = arrival_entry(
                city, of, transfer.number, amount_rial, line_id=line_id, journal_id=new_id("je", now), now=now
            )
            writes += journal_writes(self._ledger, entry)
        if after.status == Status.DIFFERS:
            writes += self._task(after, DIFFERS)
        else:
            writes.append(self._ledger.delete(keys.transfer_outstanding(city, of)))
            if transfer.status == Status.DIFFERS:
                writes += self._task_done(transfer, DIFFERS, now)
            if transfer.status == Status.WAITING:
                writes += self._task_done(transfer, NO_ACCOUNT, now)
        return writes

    def _moved(self, before: Transfer, after: Transfer) -> Item:
        return self._ledger.put(
            keys.transfer(before.municipality, before.settlement_id),
            asdict(after),
            _UNMOVED,
            status=before.status,
            left=before.left_rial,
            arrived=before.arrived_rial,
        )

    # -- tasks ---------------------------------------------------------------------------------------

    def _task(self, transfer: Transfer, what: str) -> list[Item]:
        city = transfer.municipality
        task_id = keys.transfer_task_id(city, transfer.settlement_id, what)
        item = {
            "task_id": task_id,
            "kind": what,
            "status": "open",
            "municipality": city,
            "settlement_id": transfer.settlement_id,
            "reference": transfer.reference,
            "amount_rial": transfer.amount_rial,
            "left_rial": transfer.left_rial,
            "arrived_rial": transfer.arrived_rial,
            "created_at": transfer.created_at,
        }
        return [self._duty.put(keys.task(city, task_id), item)]

    def _task_done(self, transfer: Transfer, what: str, now: datetime) -> list[Item]:
        task_id = keys.transfer_task_id(transfer.municipality, transfer.settlement_id, what)
        changes = {"status": "done", "closed_by": "settlement", "closed_at": to_rfc3339(now)}
        return [self._duty.update(keys.task(transfer.municipality, task_id), changes, "attribute_exists(pk)")]

    # -- files ---------------------------------------------------------------------------------------

    def batch(self, batch_id: str) -> Batch | None:
        item = self._ledger.get(keys.transfer_batch(batch_id))
        return None if item is None else batch_from(item)

    def batches(self, limit: int) -> list[Batch]:
        """The newest files first."""
        partition, _ = keys.transfer_batch("")
        return [batch_from(item) for item in self._ledger.query(partition, limit=limit, descending=True)]

    def rows(self, batch_id: str) -> list[Row]:
        """The rows of a file in their order."""
        return [row_from(one) for item in self._chunks(batch_id) for one in item["rows"]]

    def make_batch(self, debtor: Debtor, *, execution_day: str, by: str, now: datetime) -> Batch | None:
        """A file of what is ready now, or the one that somebody began; None where nothing is ready.

        Raises:
            ServiceBusy: others change the same transfers all the time.
        """
        for _ in range(ATTEMPTS_MAX):
            batch = self._making()
            try:
                if batch is None:
                    rows = list(islice(self._ready(now), ROWS_PER_CHUNK))
                    if not rows:
                        return None
                    batch = self._begun(rows, debtor, execution_day, by, now)
                self._fill(batch, now)
                return self._finished(batch)
            except TransactionRefused:
                continue
        raise ServiceBusy(retry_after_s=1)

    def _ready(self, now: datetime) -> Iterator[Row]:
        """Open transfers with the accounts that are in force now, looked at one by one as they are asked for."""
        payees: dict[str, Payee | None] = {}
        for transfer in self.outstanding():
            if self.look_again(transfer, now).status != Status.OPEN:
                continue
            city = transfer.municipality
            if city not in payees:
                payees[city] = self._accounts.in_force(city, now)
            if payee := payees[city]:
                of = city, transfer.settlement_id, transfer.number
                yield Row(*of, payee.iban, payee.holder, transfer.amount_rial)

    def _making(self) -> Batch | None:
        head = self._ledger.get(keys.transfer_batch_head()) or {}
        return self.batch(str(head["making"])) if head.get("making") else None

    def _begun(self, rows: Sequence[Row], debtor: Debtor, execution_day: str, by: str, now: datetime) -> Batch:
        """A new file with its first chunk, so that there is no file without a transfer."""
        head = self._ledger.get(keys.transfer_batch_head())
        number = int(head["number"]) if head else 0
        batch = Batch(
            batch_id=new_id("tb", now),
            number=number + 1,
            status="making",
            transfers=0,
            total_rial=0,
            execution_day=execution_day,
            debtor_name=debtor.name,
            debtor_iban=debtor.iban,
            debtor_bic=debtor.bic,
            created_at=to_rfc3339(now),
            created_by=by,
        )
        moved = {"number": batch.number, "making": batch.batch_id}
        writes = [
            self._ledger.put(
                keys.transfer_batch_head(), moved, "#number = :number AND making = :none", number=number, none=""
            )
            if head
            else self._ledger.put_new(keys.transfer_batch_head(), moved),
            self._ledger.put_new(keys.transfer_batch(batch.batch_id), asdict(batch)),
            *self._chunk(batch, 0, rows, now),
        ]
        transact(writes, mine=lambda: self.batch(batch.batch_id) is not None, dynamodb=self._ledger.dynamodb)
        return batch

    def _fill(self, batch: Batch, now: datetime) -> None:
        """The other chunks, until nothing is ready or the file is full."""
        kept = self._chunks(batch.batch_id)
        left = max(FILE_TRANSFERS_MAX - sum(len(item["rows"]) for item in kept), 0)
        ready, number = islice(self._ready(now), left), len(kept)
        # Written as they are found: whoever comes after an end in the middle goes on behind what is there.
        while chunk := list(islice(ready, ROWS_PER_CHUNK)):
            transact(
                self._chunk(batch, number, chunk, now),
                mine=lambda number=number, chunk=chunk: self._is_chunk(batch, number, chunk),  # type: ignore[misc]  # mypy does not infer a lambda's defaults
                dynamodb=self._ledger.dynamodb,
            )
            number += 1

    def _finished(self, batch: Batch) -> Batch:
        kept = self._chunks(batch.batch_id)
        rows = [row_from(one) for item in kept for one in item["rows"]]
        after = replace(
            batch,
            status="ready",
            transfers=len(rows),
            total_rial=sum(row.amount_rial for row in rows),
            manifest_hash=manifest_hash([str(item["hash"]) for item in kept]),
        )
        head = {"number": batch.number, "making": ""}
        key = keys.transfer_batch(batch.batch_id)
        writes = [
            self._ledger.put(keys.transfer_batch_head(), head, "making = :batch", batch=batch.batch_id),
            self._ledger.put(key, asdict(after), "#status = :making", making="making"),
        ]
        transact(writes, mine=lambda: self.batch(batch.batch_id) == after, dynamodb=self._ledger.dynamodb)
        return after

    def _chunk(self, batch: Batch, number: int, rows: Sequence[Row], now: datetime) -> list[Item]:
        writes = [
            self._ledger.put_new(
                keys.transfer_batch_rows(batch.batch_id, number),
                {"rows": [asdict(row) for row in rows], "hash": _chunk_hash(rows)},
            )
        ]
        for row in rows:
            changes = {
                "status": Status.SENT.value,
                "iban": row.iban,
                "batch_id": batch.batch_id,
                "sent_at": to_rfc3339(now),
            }
            key = keys.transfer(row.municipality, row.settlement_id)
            writes.append(self._ledger.update(key, changes, "#status = :open", open=Status.OPEN.value))
        return writes

    def _chunks(self, batch_id: str) -> list[Item]:
        partition, _ = keys.transfer_batch_rows(batch_id, 0)
        return self._ledger.query(partition)

    def _is_chunk(self, batch: Batch, number: int, rows: Sequence[Row]) -> bool:
        item = self._ledger.get(keys.transfer_batch_rows(batch.batch_id, number))
        return item is not None and item["hash"] == _chunk_hash(rows)


def _chunk_hash(rows: Sequence[Row]) -> str:
    return content_hash({"rows": [{**asdict(row), "amount_rial": format_rial(row.amount_rial)} for row in rows]})


def transfer_from(item: Item) -> Transfer:
    """The transfer in an item."""
    return Transfer(**_members(item, Transfer))


def batch_from(item: Item) -> Batch:
    """The file in an item."""
    return Batch(**_members(item, Batch))


def row_from(item: Item) -> Row:
    """The row in an item of a chunk."""
    return Row(**_members(item, Row))


def _members(item: Item, of: type[Any]) -> dict[str, Any]:
    return {name: item[name] for name in of.__dataclass_fields__}
