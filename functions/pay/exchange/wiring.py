"""Puts the exchange together with what it works on. Tests replace the parts."""

from __future__ import annotations

import functools

from avarez.changes.change_table import ChangeTable
from avarez.clock import SystemClock
from avarez.dynamo import Table
from avarez.settings import setting
from functions.pay.exchange.form import columns
from functions.pay.exchange.reporting import Reporter
from functions.pay.exchange.store import (
    AccountHistory,
    BatchTable,
    ChainTable,
    ExchangeObjects,
    VehicleTable,
)

clock = SystemClock()


def reporter() -> Reporter:
    """What one batch is made with; made anew, since it remembers the cities' accounts."""
    ledger = Table(setting("LEDGER_TABLE"))
    return reporter_over(Table(setting("DUTY_TABLE")), ledger, objects())


def reporter_over(duty: Table, ledger: Table, files: ExchangeObjects) -> Reporter:
    """The same over these tables."""
    return Reporter(
        ChainTable(ledger),
        VehicleTable(duty),
        AccountHistory(ChangeTable(ledger)),
        BatchTable(ledger),
        files,
        columns(),
    )


@functools.cache
def batches() -> BatchTable:
    """The process's view of the batches."""
    return BatchTable(Table(setting("LEDGER_TABLE")))


@functools.cache
def objects() -> ExchangeObjects:
    """The process's files."""
    return ExchangeObjects(setting("DOCUMENTS_BUCKET"))
