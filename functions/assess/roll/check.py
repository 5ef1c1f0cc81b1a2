"""EventBridge: an upload has arrived."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from avarez.clock import SystemClock
from avarez.dynamo import client
from avarez.observability import log
from avarez.settings import setting
from functions.assess.roll.staging import Checker
from functions.assess.roll.store import StageQueue
from functions.assess.roll.wiring import roll_files, roll_store
from functions.assess.wiring import owner_seals

clock = SystemClock()


def checker() -> Checker:
    """Over the real table, bucket and queue."""
    queue = StageQueue(setting("ROLL_STAGE_QUEUE_URL"), client("sqs"))
    return Checker(roll_store(), roll_files(), queue, owner_seals())


def handle(event: Mapping[str, Any], context: object) -> dict[str, str]:
    """Checks the upload that an `Object Created` event names; a failure is raised, so that it is repeated."""
    uploaded = event["detail"]["object"]
    outcome = checker().check(
        uploaded["key"],
        size_bytes=int(uploaded.get("size", 0)),
        etag=str(uploaded.get("etag", "")).strip('"'),
        now=clock.now(),
    )
    log("roll_checked", object_key=uploaded["key"], outcome=outcome)
    return {"outcome": outcome}
