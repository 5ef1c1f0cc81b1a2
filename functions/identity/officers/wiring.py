"""Puts the desk of officers together with what it works on."""

from __future__ import annotations

import functools

from avarez.changes.change_table import ChangeTable
from avarez.clock import SystemClock
from avarez.dynamo import Table, client
from avarez.settings import setting
from functions.identity.officers.admin_adapter import OfficerPool
from functions.identity.officers.desk import Desk
from functions.identity.officers.store import RosterTable

clock = SystemClock()


@functools.cache
def desk() -> Desk:
    """The process's desk."""
    changes = ChangeTable(Table(setting("LEDGER_TABLE")))
    roster = RosterTable(Table(setting("IDENTITY_TABLE")), changes)
    return Desk(changes, roster, OfficerPool(client("cognito-idp"), pool_id=setting("USER_POOL_ID")), clock)
