"""Wires what every function of rolls needs from its environment."""

from __future__ import annotations

from avarez.dynamo import Table, client
from avarez.settings import setting
from functions.assess.roll.store import RollFiles, RollStore


def roll_store() -> RollStore:
    return RollStore(Table(setting("DUTY_TABLE")))


def roll_files() -> RollFiles:
    return RollFiles(setting("ROLLS_BUCKET"), client("s3"))
