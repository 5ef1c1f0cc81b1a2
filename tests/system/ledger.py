"""What the ledger table says of a payment, read with an administrator's rights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from avarez import keys
from avarez.clock import SystemClock, tehran_today
from avarez.dynamo import Table
from tests.system.conftest import System


def journal_entries(system: System, payment_id: str, municipality: str = "MASHHAD") -> list[dict[str, Any]]:
    """Today's journal entries of this payment in this city."""
    table = Table(system.outputs["LedgerTableName"], system.aws("dynamodb"))
    day = tehran_today(SystemClock().now()).isoformat()
    partition = keys.journal(municipality, day, payment_id, "")[0]
    return [entry for entry in table.query(partition) if entry["payment_id"] == payment_id]


def balances(entries: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Debits and credits summed over every posting."""
    return {
        side: sum(int(posting.get(side, 0)) for entry in entries for posting in entry["postings"])
        for side in ("debit_rial", "credit_rial")
    }
