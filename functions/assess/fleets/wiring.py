"""Wires what the functions of fleets need from their environment."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable

from avarez.dynamo import Table, client
from avarez.quotes.wiring import StoredQuotes, quotes_from_environment
from avarez.settings import setting
from functions.assess.fleets.service import Desk
from functions.assess.fleets.store import FleetStore


def fleets() -> FleetStore:
    """Over DUTY_TABLE; the queue where the function is given one."""
    queue_url = os.environ.get("FLEET_ASSESS_QUEUE_URL", "")
    return FleetStore(Table(setting("DUTY_TABLE")), client("sqs") if queue_url else None, queue_url)


@functools.cache
def quotes() -> StoredQuotes:
    """The process's quotes; the tariff stays in memory with it."""
    return quotes_from_environment()


def desk(reaches: Callable[[str], bool]) -> Desk:
    """Quotes and look-ups over DUTY_TABLE and TARIFF_BUCKET."""
    return Desk(quotes(), quotes().store, reaches)
