"""SQS: one message a chunk of a fleet."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from avarez.clock import SystemClock
from avarez.observability import log, log_failure
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


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Assesses the chunks of a batch; only those that failed are delivered again.

    Source: Lambda developer guide, SQS, partial batch responses.
    """
    failures = []
    for record in event.get("Records", []):
        try:
            message = json.loads(record["body"])
            outcome = run(str(message["fleet_id"]), int(message["chunk"]))
            log("fleet_assessed", fleet_id=message["fleet_id"], chunk=message["chunk"], outcome=outcome)
        except Exception:  # noqa: BLE001 - the outermost edge: a poisoned message must not block the others
            log_failure("fleet_assessment_failed", message_id=record.get("messageId", ""))
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}
