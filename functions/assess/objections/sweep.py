"""Every hour: objections that have waited beyond their term go a level higher."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from avarez.clock import SystemClock
from avarez.observability import log
from functions.assess.objections import wiring
from functions.assess.objections.objection import escalated

clock = SystemClock()


def handle(event: Mapping[str, Any], context: object) -> dict[str, int]:
    """Escalates; one that somebody else changes at this moment is left for the next sweep."""
    store, now = wiring.objections(), clock.now()
    moved = 0
    for objection in store.open_until(now):
        changes = escalated(objection, now)
        if changes is not None and store.move(objection, changes):
            moved += 1
            log("objection_escalated", objection_id=objection["objection_id"], escalation_level=changes["level"])
    return {"escalated": moved}
