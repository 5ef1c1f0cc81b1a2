"""Which stable id a vehicle has: decided by its VIN, or chassis and engine numbers; plates move, it stays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from avarez import keys
from avarez.ids import new_id


@dataclass(frozen=True, slots=True)
class VehicleNumbers:
    """The numbers stamped on one vehicle, normalised; empty where unknown."""

    vin: str
    chassis: str
    engine: str

    def identity_keys(self) -> tuple[keys.Key, ...]:
        """The identity items that lead to this vehicle, the decisive one first."""
        found = []
        if self.vin:
            found.append(keys.identity_by_vin(self.vin))
        if self.chassis and self.engine:
            found.append(keys.identity_by_chassis(self.chassis, self.engine))
        return tuple(found)


def resolve(
    vehicles: Iterable[VehicleNumbers], known: Mapping[keys.Key, str], new_id: Callable[[], str]
) -> tuple[dict[VehicleNumbers, str], dict[keys.Key, str]]:
    """The id of each vehicle, and the identity items that are to be written for it.

    `known` holds the stored ids by identity key. A VIN goes before chassis and engine numbers; a vehicle known
    by one of them only gets the other one linked to the same id; two rows with the same VIN are one vehicle.
    """
    ids = dict(known)
    found: dict[VehicleNumbers, str] = {}
    missing: dict[keys.Key, str] = {}
    for numbers in vehicles:
        wanted = numbers.identity_keys()
        vehicle_id = next((ids[key] for key in wanted if key in ids), None) or new_id()
        found[numbers] = vehicle_id
        for key in wanted:
            if key not in ids:
                ids[key] = missing[key] = vehicle_id
    return found, missing


def grouped(missing: Mapping[keys.Key, str], size: int) -> list[list[tuple[keys.Key, str]]]:
    """The items to write in groups of at most `size`, the two of one vehicle never parted."""
    groups: list[list[tuple[keys.Key, str]]] = [[]]
    for pair in _pairs(list(missing.items())):
        if len(groups[-1]) + len(pair) > size:
            groups.append([])
        groups[-1].extend(pair)
    return [group for group in groups if group]


def _pairs(items: Sequence[tuple[keys.Key, str]]) -> list[list[tuple[keys.Key, str]]]:
    by_vehicle: dict[str, list[tuple[keys.Key, str]]] = {}
    for key, vehicle_id in items:
        by_vehicle.setdefault(vehicle_id, []).append((key, vehicle_id))
    return list(by_vehicle.values())


def new_vehicle_id(now: datetime) -> str:
    """A stable id for a vehicle seen for the first time."""
    return new_id("ve", now)
