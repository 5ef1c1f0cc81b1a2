"""Vehicle rows, identities and owners in DynamoDB: written by staging and by vehicle cards."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from avarez import keys
from avarez.canonical import content_hash
from avarez.clock import to_rfc3339
from avarez.dynamo import TRANSACTION_ITEMS_MAX, Item, Table, batch_get, to_item, transact, translated
from avarez.errors import ServiceBusy, TransactionRefused
from avarez.quotes.store import row_key, whereabouts
from avarez.quotes.vehicles import PROVISIONAL_VERSION, VehicleRow, rows_of_items, visible_rows
from avarez.roll.rows import RollRow
from functions.assess.identities import VehicleNumbers, grouped, new_vehicle_id, resolve
from functions.assess.owners import OwnerSeals

BATCH_WRITE_MAX: Final = 25
"""Source: DynamoDB API reference, BatchWriteItem."""
BATCH_ATTEMPTS_MAX: Final = 8
BATCH_PAUSE_S: Final = 0.03
RESOLVE_ATTEMPTS_MAX: Final = 8
"""Another city may name the same new vehicles at the same moment; each attempt reads what it wrote."""
READERS: Final = 16
"""Queries under way at once; below the connection pool of `avarez.dynamo`."""


@dataclass(slots=True)
class VehicleRegister:
    """Writes vehicle rows and what belongs to them; every write may be repeated without effect."""

    table: Table
    seals: OwnerSeals

    # -- identities --------------------------------------------------------------------------------

    def vehicle_ids(self, rows: Sequence[RollRow], now: datetime) -> dict[VehicleNumbers, str]:
        """The stable id of each row's vehicle; ids of new vehicles are stored before they are returned."""
        wanted = [numbers_of(row) for row in rows]
        for _ in range(RESOLVE_ATTEMPTS_MAX):
            stored = batch_get(self.table, (key for numbers in wanted for key in numbers.identity_keys()))
            known = {key: str(item["vehicle_id"]) for key, item in stored.items()}
            found, missing = resolve(wanted, known, lambda: new_vehicle_id(now))
            if self._claim(grouped(missing, TRANSACTION_ITEMS_MAX)):
                return found
        raise ServiceBusy(retry_after_s=1)

    def _claim(self, groups: Iterable[Sequence[tuple[keys.Key, str]]]) -> bool:
        """Whether every identity is now ours; False when another writer was first with one of them."""
        whole = True
        for group in groups:
            try:
                transact(
                    [self.table.put_new(key, {"vehicle_id": vehicle_id}) for key, vehicle_id in group],
                    mine=lambda group=group: self._stored(group),  # type: ignore[misc]  # mypy does not infer a lambda's defaults
                    dynamodb=self.table.dynamodb,
                )
            except TransactionRefused:
                whole = False
        return whole

    def _stored(self, group: Sequence[tuple[keys.Key, str]]) -> bool:
        stored = batch_get(self.table, (key for key, _ in group))
        return all(stored.get(key, {}).get("vehicle_id") == vehicle_id for key, vehicle_id in group)

    def vehicle_id(self, row: RollRow, now: datetime) -> str:
        """The stable id of one row's vehicle."""
        return self.vehicle_ids([row], now)[numbers_of(row)]

    # -- owners ------------------------------------------------------------------------------------

    def sealed_owners(self, owner_ids: Iterable[str]) -> dict[str, tuple[str, bytes]]:
        """For each id its keyed hash and the id sealed under the owner's key, which is made at first need."""
        hashes = {owner_id: self.seals.owner_hash(owner_id) for owner_id in owner_ids if owner_id}
        wanted = list(dict.fromkeys(hashes.values()))
        wrapped = self._wrapped_keys(wanted)
        new = {owner: self.seals.new_wrapped_key(owner) for owner in wanted if owner not in wrapped}
        names = list(new)
        for start in range(0, len(names), TRANSACTION_ITEMS_MAX):
            part = names[start : start + TRANSACTION_ITEMS_MAX]
            try:
                transact(
                    [self.table.put_new(keys.owner(owner), {"wrapped_key": new[owner]}) for owner in part],
                    dynamodb=self.table.dynamodb,
                )
                wrapped.update((owner, new[owner]) for owner in part)
            except TransactionRefused:  # another worker was first with one of them: theirs counts
                wrapped.update(self._one_by_one({owner: new[owner] for owner in part}))
        return {
            owner_id: (owner, self.seals.seal(owner_id, owner, wrapped[owner]))
            for owner_id, owner in hashes.items()
        }

    def _wrapped_keys(self, owners: Iterable[str]) -> dict[str, bytes]:
        found = batch_get(self.table, map(keys.owner, owners))
        return {key[0].removeprefix("OWNER#"): bytes(item["wrapped_key"]) for key, item in found.items()}

    def _one_by_one(self, new: Mapping[str, bytes]) -> dict[str, bytes]:
        for owner, wrapped_key in new.items():
            try:
                transact([self.table.put_new(keys.owner(owner), {"wrapped_key": wrapped_key})],
                         dynamodb=self.table.dynamodb)  # fmt: skip
            except TransactionRefused:
                continue
        return self._wrapped_keys(new)

    # -- rows --------------------------------------------------------------------------------------

    def current_rows(
        self, municipality: str, plates: Iterable[str], versions: Sequence[int]
    ) -> dict[tuple[str, str], VehicleRow]:
        """The rows visible under `versions`, by plate and vehicle id."""
        visible = frozenset(versions)

        def of_plate(plate: str) -> list[VehicleRow]:
            items = self.table.query(keys.collection(municipality, plate), keys.VEHICLE_PREFIX)
            return visible_rows(rows_of_items(items), visible)

        with ThreadPoolExecutor(READERS) as readers:
            found = [row for rows in readers.map(of_plate, dict.fromkeys(plates)) for row in rows]
        return {(row.plate, row.vehicle_id): row for row in found}

    def provisional_rows(
        self, municipality: str, vehicles: Iterable[tuple[str, str]]
    ) -> dict[tuple[str, str], VehicleRow]:
        """The provisional rows of these (plate, vehicle id): all there is to see before a first commit."""
        wanted = (row_key(municipality, plate, PROVISIONAL_VERSION, vehicle) for plate, vehicle in vehicles)
        rows = map(VehicleRow.from_item, batch_get(self.table, wanted).values())
        return {(row.plate, row.vehicle_id): row for row in rows}

    def put_rows(self, items: Sequence[Item]) -> None:
        """Writes rows and the note of their whereabouts; a repetition writes the same again."""
        writes = []
        for item in items:
            pk, sk = row_key(item["municipality"], item["plate"], item["version"], item["vehicle_id"])
            writes.append({**item, "pk": pk, "sk": sk})
            pk, sk = whereabouts(item["vehicle_id"], item["municipality"], item["plate"])
            writes.append({"pk": pk, "sk": sk, "municipality": item["municipality"], "plate_key": item["plate"]})
        groups = [writes[start : start + BATCH_WRITE_MAX] for start in range(0, len(writes), BATCH_WRITE_MAX)]
        with ThreadPoolExecutor(4) as writers:
            list(writers.map(self._put_batch, groups))

    def _put_batch(self, items: Sequence[Item]) -> None:
        pending: dict[str, Any] = {self.table.name: [{"PutRequest": {"Item": to_item(item)}} for item in items]}
        for attempt in range(BATCH_ATTEMPTS_MAX):
            with translated():
                answer = self.table.dynamodb.batch_write_item(RequestItems=pending)
            pending = answer.get("UnprocessedItems") or {}
            if not pending:
                return
            time.sleep(BATCH_PAUSE_S * 2**attempt)
        raise ServiceBusy(retry_after_s=1)

    def put_provisional(
        self, row: RollRow, vehicle_id: str, *, evidence: Mapping[str, Any], created_by: str, now: datetime
    ) -> None:
        """Writes the row of a vehicle card; it is visible at once and payable."""
        sealed = self.sealed_owners([row.owner_id])
        item = row_item(row, vehicle_id, PROVISIONAL_VERSION, sealed.get(row.owner_id))
        stamp = {"evidence": dict(evidence), "created_by": created_by, "created_at": to_rfc3339(now)}
        self.put_rows([{**item, "provisional": True, **stamp}])


def numbers_of(row: RollRow) -> VehicleNumbers:
    """The numbers by which the row's vehicle is known."""
    return VehicleNumbers(row.vin, row.chassis, row.engine)


def row_hash(row: RollRow, owner_hash: str) -> str:
    """The hash by which a later roll sees that nothing changed; the owner counts by keyed hash only."""
    fields = row.to_json()
    fields["base_price_rial"] = str(row.base_price_rial)
    del fields["row"], fields["owner_id"]
    return content_hash({**fields, "owner_hash": owner_hash})


def row_item(row: RollRow, vehicle_id: str, version: int, owner: tuple[str, bytes] | None) -> Item:
    """The row as it is stored; the owner's id only sealed and as a keyed hash."""
    owner_hash, owner_sealed = owner or ("", b"")
    fields: Item = {
        "municipality": row.municipality,
        "plate": row.plate,
        "vehicle_id": vehicle_id,
        "version": version,
        "facts": row.facts(),
        "vin": row.vin or None,
        "chassis": row.chassis or None,
        "engine": row.engine or None,
        "residence_from_jalali": row.residence_from_jalali or None,
        "residence_to_jalali": row.residence_to_jalali or None,
        "status": row.status,
        "owner_kind": row.owner_kind or None,
        "owner_hash": owner_hash or None,
        "owner_sealed": owner_sealed or None,
        "content_hash": row_hash(row, owner_hash),
    }
    return {name: value for name, value in fields.items() if value is not None}
