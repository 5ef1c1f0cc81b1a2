"""The outbox row that asks for a certificate, and the wake-up message that names it and nothing more."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

OUTBOX_PREFIX: Final = "OUTBOX#"
_CHARACTERS_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class OutboxKey:
    """Where an outbox row lies."""

    partition: str
    event_id: str


def wake_up_text(key: OutboxKey) -> str:
    """The queue message for this row; `read_wake_up` reads it back."""
    return json.dumps({"outbox_pk": key.partition, "event_id": key.event_id})


def read_wake_up(text: str) -> OutboxKey:
    """The row that a message names.

    Raises:
        ValueError: the message names none; the queue sets it aside after a few tries.
    """
    message = json.loads(text) if len(text) <= _CHARACTERS_MAX else None
    partition = message.get("outbox_pk") if isinstance(message, dict) else None
    event_id = message.get("event_id") if isinstance(message, dict) else None
    if not isinstance(partition, str) or not partition.startswith(OUTBOX_PREFIX) or not isinstance(event_id, str):
        raise ValueError("the message names no outbox row")
    return OutboxKey(partition, event_id)
