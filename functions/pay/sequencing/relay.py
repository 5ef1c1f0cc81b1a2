"""The ledger's stream: new events wake their city's sequencer within two seconds.

An accelerator only. The sweep finds whatever a stream never said.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from avarez import keys
from avarez.observability import log
from functions.pay.sequencing import wiring
from functions.pay.sequencing.wake_ups import cities_of


def woken(event: Mapping[str, Any]) -> list[str]:
    """The cities in which, by the stream's records, events began to wait."""
    found = [record["dynamodb"]["Keys"] for record in event.get("Records", []) if record["eventName"] == "INSERT"]
    return cities_of(key["pk"]["S"] for key in found if key["sk"]["S"].startswith(keys.TO_CHAIN_PREFIX))


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point. A failure fails the whole batch: waking twice does no harm."""
    of = wiring.parts()
    cities = woken(event)
    taken = of.wake_ups.send(cities, of.clock.now())
    log("sequencers_woken", cities=len(cities), taken=taken)
    return {"batchItemFailures": []}
