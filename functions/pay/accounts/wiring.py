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
from functions.pay.accounts.setup_store import SetupTables
from functions.pay.delivery.endpoints.changing import effects_on
from functions.pay.delivery.endpoints.store import EndpointTable

clock = SystemClock()


@functools.cache
def desk() -> Desk:
    """The process's use cases."""
    ledger = Table(setting("LEDGER_TABLE"))
    endpoints = EndpointTable(ledger)
    effects = effects_on(endpoints.find, endpoints.write)
    return Desk(ChangeTable(ledger), settings_of, clock, metric, effects)


@functools.cache
def setup_tables() -> SetupTables:
    """The process's view of what cities have set up."""
    duty, ledger, identity = (Table(setting(f"{name}_TABLE")) for name in ("DUTY", "LEDGER", "IDENTITY"))
    return SetupTables(duty, ledger, identity, ChangeTable(ledger))


def settings_of(municipality: str) -> Mapping[str, Any]:
    """The city's settings."""
    return Table(setting("DUTY_TABLE")).get(keys.municipality_setting(municipality)) or {}
