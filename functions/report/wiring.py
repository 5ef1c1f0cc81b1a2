"""Puts the builder and the public answers together with what they work on. Tests replace the parts."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from avarez.clock import Clock, SystemClock
from avarez.dynamo import Table
from avarez.settings import setting
from functions.report.budgets.store import BudgetTable
from functions.report.store import Cities, Register, Shelf

if TYPE_CHECKING:
    from avarez.events.log import EventLog
    from functions.report.charging_store import Charging


@dataclass(frozen=True, slots=True)
class Parts:
    """What the builder works with."""

    chains: EventLog
    files: Shelf
    publications: Register
    owing: Charging
    cities: Cities
    clock: Clock


@functools.cache
def parts() -> Parts:
    """The builder's parts, wired on first use. What only it works with is not fetched for a reader's answer."""
    from avarez.events.log import EventLog
    from avarez.receivables.table_store import ReceivablesShelf
    from functions.report.charging_store import Charging

    ledger, duty = Table(setting("LEDGER_TABLE")), Table(setting("DUTY_TABLE"))
    owing = Charging(ReceivablesShelf(duty, setting("ROLLS_BUCKET")), setting("FIGURES_BUCKET"))
    return Parts(EventLog(ledger), shelf(), Register(ledger), owing, Cities(duty), SystemClock())


def clock() -> Clock:
    """The machine's clock."""
    return SystemClock()


@functools.cache
def budgets() -> BudgetTable:
    """The process's view of what cities published of their budgets."""
    return BudgetTable(Table(setting("LEDGER_TABLE")))


@functools.cache
def shelf() -> Shelf:
    """The process's files of figures."""
    return Shelf(setting("FIGURES_BUCKET"))


@functools.cache
def register() -> Register:
    """The process's view of which publication stands."""
    return Register(Table(setting("LEDGER_TABLE")))
