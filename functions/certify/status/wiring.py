"""Puts the publication of the status list together with what it works on."""

from __future__ import annotations

import functools

from avarez.clock import SystemClock
from avarez.dynamo import Table
from avarez.settings import setting
from functions.certify.signing.keys import active_signer
from functions.certify.signing.wiring import key_register, signing_pool
from functions.certify.status.publishing import publish_due
from functions.certify.status.status_store import StatusLists

clock = SystemClock()


@functools.cache
def status_lists() -> StatusLists:
    """The process's status lists."""
    return StatusLists(Table(setting("DUTY_TABLE")), Table(setting("LEDGER_TABLE")), setting("STATUS_BUCKET"))


def publish_status() -> int:
    """How many lists were published; see `publish_due`."""
    now = clock.now()
    return publish_due(
        lists=status_lists(),
        signer=active_signer(signing_pool(), keys=key_register(), now=now),
        origin=setting("PUBLIC_ORIGIN"),
        now=now,
    )
