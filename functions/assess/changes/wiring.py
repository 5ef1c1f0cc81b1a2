"""Wires what changes of vehicles need from their environment."""

from __future__ import annotations

from avarez.dynamo import Table
from avarez.settings import setting
from functions.assess import wiring
from functions.assess.changes.store import ChangeStore


def changes() -> ChangeStore:
    """Over DUTY_TABLE, with the seals of OWNER_SECRET_ARN."""
    return ChangeStore(Table(setting("DUTY_TABLE")), wiring.vehicle_register())
