"""Wires the roll functions from their environment."""

from __future__ import annotations

from avarez.dynamo import Table, client
from avarez.settings import setting
from functions.assess.roll.service import Checker, Stager
from functions.assess.roll.store import RollFiles, RollStore, StageQueue
from functions.assess.wiring import owner_seals, vehicle_register


def roll_store() -> RollStore:
    return RollStore(Table(setting("DUTY_TABLE")))


def roll_files() -> RollFiles:
    return RollFiles(setting("ROLLS_BUCKET"), client("s3"))


def checker() -> Checker:
    queue = StageQueue(setting("ROLL_STAGE_QUEUE_URL"), client("sqs"))
    return Checker(roll_store(), roll_files(), queue, owner_seals())


def stager() -> Stager:
    return Stager(roll_store(), roll_files(), vehicle_register())
