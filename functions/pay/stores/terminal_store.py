"""Terminals, their sales and closings in DynamoDB."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from avarez import keys
from avarez.clock import from_rfc3339, to_rfc3339
from avarez.dynamo import Item, transact
from avarez.errors import TransactionRefused
from avarez.journal import JournalEntry
from functions.pay.rules.records import Payment
from functions.pay.rules.terminals import Closing, Sale, Terminal
from functions.pay.stores.payment_store import DynamoStore

EITHER = "attribute_exists(pk) OR attribute_not_exists(pk)"
TERMINALS_MAX = 50
"""Of one office."""
SALES_MAX = 1_000
"""Sales of a terminal between two closings."""


class DynamoTerminals:
    """A terminal is one partition: its record, a row for each sale, and its closings."""

    def __init__(self, store: DynamoStore) -> None:
        self._store = store
        self._duty = store.duty

    def terminal(self, terminal_id: str) -> Terminal | None:
        item = self._duty.get(keys.terminal(terminal_id)) if terminal_id else None
        if item is None:
            return None
        names = ("terminal_id", "office", "acquirer", "serial", "last_payment_id")
        return Terminal(**{name: str(item.get(name, "")) for name in names})

    def register(self, terminal: Terminal) -> None:
        """The terminal is known; where it has closed stays what it was."""
        key = keys.terminal(terminal.terminal_id)
        changes = {
            "terminal_id": terminal.terminal_id,
            "office": terminal.office,
            "acquirer": terminal.acquirer,
            "serial": terminal.serial,
        }
        place = keys.office_terminals(terminal.office), terminal.terminal_id
        writes = [
            self._duty.update(key, changes, EITHER),
            self._duty.put(place, {"terminal_id": terminal.terminal_id}),
        ]
        transact(writes, dynamodb=self._duty.dynamodb)

    def terminals_of(self, office: str) -> Sequence[Terminal]:
        """The office's terminals, by number; one that went to another office is not among them."""
        rows = self._duty.query(keys.office_terminals(office), limit=TERMINALS_MAX)
        found = (self.terminal(str(row["terminal_id"])) for row in rows)
        return [terminal for terminal in found if terminal is not None and terminal.office == office]

    def sales(self, terminal_id: str, *, after: str) -> Sequence[Sale]:
        partition, first = keys.terminal_sale(terminal_id, after)
        rows = self._duty.query(partition, beyond=first, limit=SALES_MAX)
        return [Sale(str(row["payment_id"])) for row in rows if str(row["sk"]).startswith("SALE#")]

    def closing(self, terminal_id: str, day: date) -> Closing | None:
        item = self._duty.get(keys.terminal_closing(terminal_id, day.isoformat()))
        return None if item is None else _closing_from(item)

    def last_closing(self, terminal_id: str) -> Closing | None:
        partition, first = keys.terminal_closing(terminal_id, "")
        found = self._duty.query(partition, first, limit=1, descending=True)
        return _closing_from(found[0]) if found else None

    def begin_closing(self, closing: Closing) -> None:
        key = keys.terminal_closing(closing.terminal_id, closing.day.isoformat())
        transact(
            [self._duty.put_new(key, _closing_item(closing))],
            mine=lambda: self.closing(closing.terminal_id, closing.day) == closing,
            dynamodb=self._duty.dynamodb,
        )

    def finish_closing(self, before: Closing, after: Closing) -> None:
        key = keys.terminal_closing(after.terminal_id, after.day.isoformat())
        last = {"last_payment_id": after.last_payment_id}
        transact(
            [
                self._duty.put(key, _closing_item(after), "done = :no", no=False),
                self._duty.update(keys.terminal(after.terminal_id), last, "attribute_exists(pk)"),
            ],
            mine=lambda: self.closing(after.terminal_id, after.day) == after,
            dynamodb=self._duty.dynamodb,
        )

    def book_variance(self, closing: Closing, payment: Payment, entry: JournalEntry) -> None:
        """Books it once for a sale in a closing; a repetition changes nothing."""
        key = keys.terminal_variance(closing.terminal_id, payment.payment_id)
        try:
            transact(
                [
                    self._duty.put_new(key, {"payment_id": payment.payment_id, "journal_id": entry.journal_id}),
                    *self._store.journal(entry, payment),
                ],
                dynamodb=self._duty.dynamodb,
            )
        except TransactionRefused:
            return


def _closing_item(closing: Closing) -> Item:
    return {
        "closing_id": closing.closing_id,
        "terminal_id": closing.terminal_id,
        "day": closing.day.isoformat(),
        "lines": closing.lines,
        "counted_rial": closing.counted_rial,
        "lines_hash": closing.lines_hash,
        "closed_by": closing.closed_by,
        "closed_at": to_rfc3339(closing.closed_at),
        "after_payment_id": closing.after_payment_id,
        "last_payment_id": closing.last_payment_id,
        "ours_rial": closing.ours_rial,
        "variance_rial": closing.variance_rial,
        "done": closing.done,
    }


def _closing_from(item: Item) -> Closing:
    return Closing(
        closing_id=str(item["closing_id"]),
        terminal_id=str(item["terminal_id"]),
        day=date.fromisoformat(item["day"]),
        lines=int(item["lines"]),
        counted_rial=int(item["counted_rial"]),
        lines_hash=str(item["lines_hash"]),
        closed_by=str(item["closed_by"]),
        closed_at=from_rfc3339(item["closed_at"]),
        after_payment_id=str(item["after_payment_id"]),
        last_payment_id=str(item["last_payment_id"]),
        ours_rial=int(item["ours_rial"]),
        variance_rial=int(item["variance_rial"]),
        done=bool(item["done"]),
    )
