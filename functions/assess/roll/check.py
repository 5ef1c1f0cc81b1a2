"""EventBridge: an upload has arrived."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from avarez.clock import SystemClock
from avarez.observability import log
from functions.assess.roll import wiring

clock = SystemClock()


def handle(event: Mapping[str, Any], context: object) -> dict[str, str]:
    """Checks the upload that an `Object Created` event names; a failure is raised, so that it is repeated."""
    uploaded = event["detail"]["object"]
    outcome = wiring.checker().check(
        uploaded["key"],
        size_bytes=int(uploaded.get("size", 0)),
        etag=str(uploaded.get("etag", "")).strip('"'),
        now=clock.now(),
    )
    log("roll_checked", object_key=uploaded["key"], outcome=outcome)
    return {"outcome": outcome}
