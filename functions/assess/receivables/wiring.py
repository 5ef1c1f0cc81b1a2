"""Wires the tables of receivables from the environment."""

from __future__ import annotations

from avarez.dynamo import Table, client
from avarez.events.log import EventLog
from avarez.quotes.wiring import quotes_from_environment
from avarez.receivables.table_store import ReceivablesShelf
from avarez.settings import setting
from functions.assess.receivables.computing import Desk
from functions.assess.receivables.store import CarStore, cities_of
from functions.assess.tariffs.store import RollFacts


def desk() -> Desk:
    """Over DUTY_TABLE, LEDGER_TABLE, ROLLS_BUCKET and the tariff in force."""
    duty = Table(setting("DUTY_TABLE"))
    facts = RollFacts(duty, setting("ROLLS_BUCKET"), client("s3"))
    chains = EventLog(Table(setting("LEDGER_TABLE")))
    return Desk(chains, facts, shelf(), CarStore(duty, quotes_from_environment()))


def shelf() -> ReceivablesShelf:
    """The kept tables, over DUTY_TABLE and ROLLS_BUCKET."""
    return ReceivablesShelf(Table(setting("DUTY_TABLE")), setting("ROLLS_BUCKET"))


def cities() -> list[str]:
    """The cities that take payments."""
    return cities_of(Table(setting("DUTY_TABLE")))
