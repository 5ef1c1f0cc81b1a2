"""Daily closes and budgets of the ledger table, for reading; and which file of each close is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from avarez import keys
from avarez.dynamo import Table, transact
from avarez.settlements import LINES_PER_BATCH, Line, Settlement, lines_from, settlement_from

BATCHES_READ_MAX: Final = 1_000


class SettlementTable:
    """The closes as functions of the pay folder leave them."""

    def __init__(self, ledger: Table) -> None:
        self._ledger = ledger

    def find(self, municipality: str, settlement_id: str) -> Settlement | None:
        item = self._ledger.get(keys.settlement(municipality, settlement_id))
        return None if item is None else settlement_from(item)

    def lines(self, settlement: Settlement, first: int, count: int) -> Sequence[Line]:
        """At most `count` lines from number `first` (0 is one) on; both are whole batches."""
        partition, beyond = keys.settlement_lines(
            settlement.municipality, settlement.settlement_id, first // LINES_PER_BATCH - 1
        )
        after = beyond if first else "LINES#"
        items = self._ledger.query(partition, beyond=after, limit=min(count // LINES_PER_BATCH, BATCHES_READ_MAX))
        return [line for item in items for line in lines_from(item["lines"])]

    def kept(self, settlement: Settlement, sheet: int) -> str:
        """The hash of the sheet's PDF; empty where none was made yet."""
        item = self._ledger.get(_paper(settlement, sheet))
        return "" if item is None else str(item["content_sha256"])

    def keep(self, settlement: Settlement, sheet: int, content_sha256: str) -> None:
        """Notes the file of a sheet; the same content makes the same file, so that the last word is as good."""
        write = self._ledger.put(_paper(settlement, sheet), {"content_sha256": content_sha256})
        transact([write], dynamodb=self._ledger.dynamodb)


class BudgetTable:
    """The budgets as functions of the report folder leave them."""

    def __init__(self, ledger: Table) -> None:
        self._ledger = ledger

    def published(self, municipality: str) -> bool:
        """Whether the city has ever said what it spends the duty on."""
        partition, _ = keys.budget_version(municipality, 0, 0)
        return bool(self._ledger.query(partition, limit=1))


def _paper(settlement: Settlement, sheet: int) -> tuple[str, str]:
    return keys.settlement_paper(settlement.municipality, settlement.settlement_id, sheet)
