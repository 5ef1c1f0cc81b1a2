"""Wires what the functions of objections need from their environment."""

from __future__ import annotations

from avarez.dynamo import Table, client
from avarez.settings import setting
from functions.assess.objections.store import ObjectionStore


def objections() -> ObjectionStore:
    """Over DUTY_TABLE, LEDGER_TABLE (the outbox of certificates) and TARIFF_BUCKET."""
    return ObjectionStore(
        Table(setting("DUTY_TABLE")), Table(setting("LEDGER_TABLE")), setting("TARIFF_BUCKET"), client("s3")
    )
