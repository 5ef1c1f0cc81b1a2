"""Owners' ids at rest, and the stable ids of vehicles."""

from __future__ import annotations

import pytest

from functions.assess.identities import VehicleNumbers, grouped, resolve
from functions.assess.owners import OwnerSeals

SEALS = OwnerSeals.from_secret("m" * 64)


def test_owner_id_opens_only_with_the_owners_own_key() -> None:
    first, second = SEALS.owner_hash("8135404913"), SEALS.owner_hash("9304025370")
    key = SEALS.new_wrapped_key(first)
    sealed = SEALS.seal("8135404913", first, key)
    assert SEALS.open(sealed, first, key) == "8135404913"
    for wrong_key, owner in ((SEALS.new_wrapped_key(first), first), (key, second)):
        with pytest.raises(ValueError, match="does not open"):
            SEALS.open(sealed, owner, wrong_key)


def test_keyed_hash_depends_on_the_secret() -> None:
    assert SEALS.owner_hash("1") == SEALS.owner_hash("1")
    assert SEALS.owner_hash("1") != OwnerSeals.from_secret("n" * 64).owner_hash("1")
    with pytest.raises(ValueError, match="at least"):
        OwnerSeals.from_secret("short")


def test_sealed_for_one_roll_does_not_open_for_another() -> None:
    sealed = SEALS.seal_in_transit("8135404913", "ro_a")
    assert SEALS.open_in_transit(sealed, "ro_a") == "8135404913"
    with pytest.raises(ValueError, match="does not open"):
        SEALS.open_in_transit(sealed, "ro_b")


def test_vehicle_keeps_its_id_when_its_vin_becomes_known() -> None:
    old = VehicleNumbers("", "CHASSIS1", "ENGINE1")
    full = VehicleNumbers("IRZJ4816CYWCXYMM2", "CHASSIS1", "ENGINE1")
    names = iter(["ve_1", "ve_2"])
    ids, missing = resolve([old, full], {}, lambda: next(names))
    assert set(ids.values()) == {"ve_1"}
    again, nothing = resolve([full], missing, lambda: next(names))
    assert (again[full], nothing) == ("ve_1", {})


def test_groups_never_part_the_identities_of_one_vehicle() -> None:
    cars = [VehicleNumbers(f"IR{number:015d}", f"C{number:03d}", f"E{number:03d}") for number in range(10)]
    names = iter(f"ve_{number}" for number in range(10))
    _, missing = resolve(cars, {}, lambda: next(names))
    for group in grouped(missing, 5):
        assert len(group) == 4
