"""Each half hour: the files of the days that are over, of every city that has events."""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping
from typing import Any, Final

from avarez import keys
from avarez.clock import SystemClock
from avarez.dynamo import Table, batch_get
from avarez.errors import AvarezError
from avarez.events.log import EventLog
from avarez.municipalities import all_municipalities
from avarez.observability import log, log_failure, metric
from avarez.settings import setting
from functions.certify.event_files.files_store import DayTable, EventObjects
from functions.certify.event_files.making import Maker
from functions.certify.signing.keys import active_signer
from functions.certify.signing.wiring import key_register, signing_pool

clock = SystemClock()
RUN_SECONDS_MAX: Final = 600
"""A day that begins then has five minutes more, of the fifteen that the function has."""


@functools.cache
def maker() -> Maker:
    """The process's maker."""
    ledger = Table(setting("LEDGER_TABLE"))
    return Maker(
        EventLog(ledger),
        DayTable(ledger),
        EventObjects(setting("DOCUMENTS_BUCKET")),
        lambda: active_signer(signing_pool(), keys=key_register(), now=clock.now()),
    )


def with_events() -> list[str]:
    """The cities that have a chain."""
    places = [keys.chain_head(city.code) for city in all_municipalities()]
    return sorted(str(item["municipality"]) for item in batch_get(Table(setting("LEDGER_TABLE")), places).values())


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point; one log line for the run. A city that fails holds no other one up."""
    started = time.monotonic()
    days, failed = 0, 0
    for city in with_events():
        try:
            days += maker().make_due(city, clock.now(), lambda: time.monotonic() - started < RUN_SECONDS_MAX)
        except AvarezError:
            failed += 1
            log_failure("event_files_failed", municipality=city)
    if failed:
        metric("event_files_failed", failed)
    log("event_files", days=days, failed=failed, duration_ms=round((time.monotonic() - started) * 1000))
    return {"days": days, "failed": failed}
