"""Each minute: endpoints that are behind their city's chain, and changes, whose time has come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from avarez.municipalities import all_municipalities
from avarez.observability import log
from functions.pay.accounts import wiring as accounts
from functions.pay.delivery import wiring


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point; one log line for the run. It wakes workers and sends nothing itself."""
    settled = accounts.desk().settle_due()
    now = wiring.clock.now()
    behind = wiring.endpoints().behind([city.code for city in all_municipalities()], now)
    taken = wiring.wake_ups().send(behind, now)
    log("deliveries_swept", behind=len(behind), woken=taken, changes=settled)
    return {"behind": len(behind), "woken": taken, "changes": settled}
