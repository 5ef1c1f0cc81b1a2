"""The queue of wake-ups: each message names a city, whose events get their places."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from avarez.batches import each_message
from functions.pay.sequencing import wiring
from functions.pay.sequencing.wake_ups import read_wake_up

RUN_SECONDS_MAX: Final = 20
"""The function may run for 30 seconds; what is left then is woken for again, or found by the sweep."""


def take(text: str) -> None:
    """Places what waits in the city that the message names, however often it comes.

    Raises:
        ValueError, AvarezError: the message comes again, and is set aside after a few times.
    """
    wiring.run(wiring.parts(), read_wake_up(text), until_s=time.monotonic() + RUN_SECONDS_MAX)


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point: only the messages that failed are delivered again."""
    return each_message(event, take, failed="sequencing_failed")
