"""Wake-ups of sequencers: a message names a city and nothing more."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from avarez.municipalities import is_municipality
from functions.pay.payments.joint.opening import NATIONAL

MESSAGE_CHARACTERS_MAX: Final = 200


def wake_up_text(municipality: str) -> str:
    """The message that wakes this city's sequencer."""
    return json.dumps({"municipality": municipality})


def read_wake_up(text: str) -> str:
    """The city that a message names.

    Raises:
        ValueError: it names none; the queue sets it aside after a few tries.
    """
    message = json.loads(text) if len(text) <= MESSAGE_CHARACTERS_MAX else None
    municipality = message.get("municipality") if isinstance(message, dict) else None
    if not isinstance(municipality, str) or not (is_municipality(municipality) or municipality == NATIONAL):
        raise ValueError("the message names no municipality")
    return municipality


def once_a_second(municipality: str, now: datetime) -> str:
    """What the queue tells repetitions by.

    The queue holds messages back for a second, so that the one that is kept wakes the sequencer after the end of
    its second: it sees the rows of all the others.
    """
    return f"{municipality}-{int(now.timestamp())}"


def cities_of(partitions: Iterable[str]) -> list[str]:
    """The cities of partitions of the outbox, each once, in order of their first."""
    return list(dict.fromkeys(partition.split("#")[1] for partition in partitions))
