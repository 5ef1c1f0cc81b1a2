"""Puts the changes of cities together with what they work on."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from avarez import keys
from avarez.changes.change_table import ChangeTable
from avarez.clock import SystemClock
from avarez.dynamo import Table
from avarez.observability import metric
from avarez.settings import setting
from functions.pay.accounts.deciding import Desk

clock = SystemClock()


@functools.cache
def desk() -> Desk:
    """The process's use cases."""
    return Desk(ChangeTable(Table(setting("LEDGER_TABLE"))), settings_of, clock, metric)


def settings_of(municipality: str) -> Mapping[str, Any]:
    """The city's settings."""
    return Table(setting("DUTY_TABLE")).get(keys.municipality_setting(municipality)) or {}
