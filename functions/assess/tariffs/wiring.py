"""Wires what the functions of tariffs need from their environment."""

from __future__ import annotations

import functools
import os

from avarez.dynamo import Table, client
from avarez.settings import setting
from functions.assess.tariffs.store import DraftStore, RollFacts


@functools.cache
def drafts() -> DraftStore:
    """Over DUTY_TABLE and TARIFF_BUCKET; the tariff in force stays in memory. Simulations are asked of the
    queue where the function is given one."""
    queue_url = os.environ.get("TARIFF_SIMULATE_QUEUE_URL", "")
    sqs = client("sqs") if queue_url else None
    return DraftStore(Table(setting("DUTY_TABLE")), setting("TARIFF_BUCKET"), client("s3"), sqs, queue_url)


def roll_facts() -> RollFacts:
    """Over DUTY_TABLE and ROLLS_BUCKET."""
    return RollFacts(Table(setting("DUTY_TABLE")), setting("ROLLS_BUCKET"), client("s3"))
