"""SQS: one message a chunk of a roll."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from avarez.batches import each_message
from avarez.clock import SystemClock
from avarez.observability import log
from functions.assess.roll.staging import Stager
from functions.assess.roll.wiring import roll_files, roll_store
from functions.assess.wiring import vehicle_register

clock = SystemClock()


def stager() -> Stager:
    """Over the real table and bucket."""
    return Stager(roll_store(), roll_files(), vehicle_register())


def take(text: str) -> None:
    """Stages the chunk that the message names."""
    message = json.loads(text)
    outcome = stager().stage(
        str(message["municipality"]), str(message["roll_id"]), int(message["chunk"]), now=clock.now()
    )
    log("roll_staged", roll_id=message["roll_id"], chunk=message["chunk"], outcome=outcome)


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point: only the chunks that failed are delivered again."""
    return each_message(event, take, failed="roll_stage_failed")
