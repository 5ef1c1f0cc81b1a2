"""The log's queue: each message wakes the one writer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from functions.certify.log import wiring


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point. Several wake-ups at once are one run; what they say does not matter."""
    wiring.run("queue")
    return {"batchItemFailures": []}
