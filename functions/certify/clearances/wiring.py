"""Puts clearances together with what they work on."""

from __future__ import annotations

import functools

from avarez.dynamo import Table
from avarez.quotes.wiring import StoredQuotes, quotes_from_environment
from avarez.settings import setting
from functions.certify.clearances.store import ClearanceTable


@functools.cache
def quotes() -> StoredQuotes:
    """The process's quotes; the tariff stays in memory with it."""
    return quotes_from_environment()


@functools.cache
def books() -> ClearanceTable:
    """The process's clearances."""
    return ClearanceTable(Table(setting("DUTY_TABLE")), Table(setting("LEDGER_TABLE")))
