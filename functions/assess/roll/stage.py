"""SQS: one message a chunk of a roll."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from avarez.clock import SystemClock
from avarez.observability import log, log_failure
from functions.assess.roll.staging import Stager
from functions.assess.roll.wiring import roll_files, roll_store
from functions.assess.wiring import vehicle_register

clock = SystemClock()


def stager() -> Stager:
    """Over the real table and bucket."""
    return Stager(roll_store(), roll_files(), vehicle_register())


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Stages the chunks of a batch; only those that failed are delivered again.

    Source: Lambda developer guide, SQS, partial batch responses.
    """
    failures = []
    for record in event.get("Records", []):
        try:
            message = json.loads(record["body"])
            outcome = stager().stage(
                str(message["municipality"]), str(message["roll_id"]), int(message["chunk"]), now=clock.now()
            )
            log("roll_staged", roll_id=message["roll_id"], chunk=message["chunk"], outcome=outcome)
        except Exception:  # noqa: BLE001 - the outermost edge: a poisoned message must not block the others
            log_failure("roll_stage_failed", message_id=record.get("messageId", ""))
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}
