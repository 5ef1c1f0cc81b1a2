"""Wires the functions of this folder from their environment; tests hand in fakes instead."""

from __future__ import annotations

import functools

from avarez.dynamo import Table, client, translated
from avarez.settings import setting
from functions.assess.owners import OwnerSeals
from functions.assess.vehicle_store import VehicleRegister


@functools.cache
def owner_seals() -> OwnerSeals:
    """The seals under the master secret, read once in a process."""
    with translated():
        answer = client("secretsmanager").get_secret_value(SecretId=setting("OWNER_SECRET_ARN"))
    return OwnerSeals.from_secret(answer["SecretString"])


def vehicle_register() -> VehicleRegister:
    """The register over DUTY_TABLE."""
    return VehicleRegister(Table(setting("DUTY_TABLE")), owner_seals())
