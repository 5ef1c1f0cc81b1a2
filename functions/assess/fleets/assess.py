"""SQS: one message a chunk of a fleet."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from avarez.batches import each_message
from avarez.clock import SystemClock
from avarez.observability import log
from functions.assess.fleets import service, wiring

clock = SystemClock()


def run(fleet_id: str, chunk: int) -> str:
    """Assesses one chunk; returns what became of it."""
    fleets = wiring.fleets()
    fleet = fleets.find(fleet_id)
    if fleet is None or not 0 <= chunk < fleet["chunks"]:
        return "ignored"
    desk = wiring.desk(lambda city: fleet["serves"] in ("*", city))
    service.assess_chunk(fleets, desk, fleet, chunk, clock.now())
    return "assessed"


def take(text: str) -> None:
    """Assesses the chunk that the message names."""
    message = json.loads(text)
    outcome = run(str(message["fleet_id"]), int(message["chunk"]))
    log("fleet_assessed", fleet_id=message["fleet_id"], chunk=message["chunk"], outcome=outcome)


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point: only the chunks that failed are delivered again."""
    return each_message(event, take, failed="fleet_assessment_failed")
