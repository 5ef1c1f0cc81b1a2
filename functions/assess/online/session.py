"""Use case of an owner's session: plate and national id are right together, or nothing is said.

The numbers are the obligations of `open_session`, and come back in its comments.
1. Attempts are counted before anything is looked up, for each plate, each id and each address.
2. A plate that no roll has takes the way of one that stands in a roll, as far as that goes.
3. A refusal is one and the same, and leaves at a whole step after the request came: its time says nothing either.
4. Of the id only its keyed hash is ever compared; nothing of it is kept.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from hmac import compare_digest
from typing import Final, Protocol

from avarez.errors import OwnerNotMatched
from avarez.http.principal import OwnerReach
from avarez.quotes.vehicles import VehicleRow, holder
from functions.assess.online.attempts_store import Limit
from functions.assess.owners import OwnerSeals

PLATE_ATTEMPTS_MAX: Final = 30
"""Wrong ids for one plate in an hour. All ids of ten digits would take some four thousand years."""
ID_ATTEMPTS_MAX: Final = 10
"""Wrong plates for one id in an hour: whose id is known, his plate is not found by trying."""
ADDRESS_ATTEMPTS_MAX: Final = 100
"""Wrong pairs from one address in an hour: a mobile operator puts thousands of people behind one."""
REFUSAL_STEP_S: Final = 0.5
"""A look-up takes a tenth of this: nearly every refusal leaves at the first step."""
SUBJECT_CHARACTERS: Final = 24
NOBODY: Final = "ve_nobody"
"""Looked up in place of the vehicle that a wrong plate does not have."""


class Roll(Protocol):
    """What is looked up of the roll."""

    def find(self, by: str, value: str) -> list[VehicleRow]: ...

    def rows_of_vehicle(self, vehicle_id: str) -> list[VehicleRow]: ...


class Attempts(Protocol):
    """Where attempts are counted."""

    def take(self, limits: Sequence[Limit], now: datetime) -> None: ...

    def give_back(self, limits: Sequence[Limit], now: datetime) -> None: ...


def open_session(
    *,
    roll: Roll,
    attempts: Attempts,
    seals: OwnerSeals,
    plate: str,
    owner_id: str,
    address: str,
    now: datetime,
    wait: Callable[[], None],
) -> OwnerReach:
    """What the owner of the car with this plate and this id may see. Both are normalised and well formed.

    `wait` returns at the next step after the request came.

    Raises:
        OwnerNotMatched: no such car, or another owner's: nobody can tell which.
        TooManyAttempts: before anything was looked up.
    """
    # 1
    limits = limits_of(seals, plate=plate, owner_id=owner_id, address=address)
    attempts.take(limits, now)
    # 2
    bearer = holder(roll.find("plate", plate))
    everywhere = roll.rows_of_vehicle(bearer.vehicle_id if bearer else NOBODY)
    # 4
    owner_hash = seals.owner_hash(owner_id)
    his = [row for row in everywhere if compare_digest(row.owner_hash.encode(), owner_hash.encode())]
    now_his = bearer is not None and compare_digest(bearer.owner_hash.encode(), owner_hash.encode())
    if bearer is None or bearer.ended or not now_his:
        # 3
        wait()
        raise OwnerNotMatched()
    attempts.give_back(limits, now)
    places = tuple(dict.fromkeys((row.municipality, row.plate) for row in his))
    return OwnerReach(subject_of(seals, owner_hash, bearer.vehicle_id), bearer.vehicle_id, places)


def subject_of(seals: OwnerSeals, owner_hash: str, vehicle_id: str) -> str:
    """What stands for this owner with this car in records and logs: the same in each session, and no way back."""
    return seals.owner_hash(f"session {owner_hash} {vehicle_id}")[:SUBJECT_CHARACTERS]


def still_his(seals: OwnerSeals, reach: OwnerReach, row: VehicleRow) -> bool:
    """Whether the row names the owner of the session now: a roll may have told a sale since it began."""
    in_reach = row.vehicle_id == reach.vehicle_id and (row.municipality, row.plate) in reach.places
    return in_reach and compare_digest(subject_of(seals, row.owner_hash, row.vehicle_id), reach.subject)


def limits_of(seals: OwnerSeals, *, plate: str, owner_id: str, address: str) -> tuple[Limit, ...]:
    """The limits that an attempt counts against; their digests are keyed."""
    return (
        Limit("ADDRESS", seals.owner_hash(f"address {address}"), ADDRESS_ATTEMPTS_MAX),
        Limit("ID", seals.owner_hash(f"id {owner_id}"), ID_ATTEMPTS_MAX),
        Limit("PLATE", seals.owner_hash(f"plate {plate}"), PLATE_ATTEMPTS_MAX),
    )


def address_of(headers: Mapping[str, str], source_ip: str) -> str:
    """The caller's address: what the edge in front wrote last, else the connection's own; of IPv6 the network.

    Each hop appends the address that it was called from; the last one may be the edge's own, written by the API.
    """
    hops = [hop.strip() for hop in headers.get("x-forwarded-for", "").split(",") if hop.strip()]
    if hops and hops[-1] == source_ip:
        hops.pop()
    text = hops[-1] if hops else source_ip
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return source_ip
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
