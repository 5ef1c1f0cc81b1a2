"""The only place where changes of vehicles meet DynamoDB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from avarez import keys
from avarez.canonical import content_hash
from avarez.clock import from_rfc3339, to_rfc3339
from avarez.duties import FREE
from avarez.dynamo import Item, Table, transact
from avarez.errors import TransactionRefused
from avarez.quotes.store import DutyStore, row_key, whereabouts
from avarez.quotes.vehicles import VehicleRow
from functions.assess.changes.change import Change, Kind
from functions.assess.vehicle_store import VehicleRegister

LIST_MAX: Final = 200


@dataclass(slots=True)
class ChangeStore:
    """Changes beside the car they are about, in the lists of the cities they are shown to, and what they do."""

    duty: Table
    register: VehicleRegister

    # -- reading -------------------------------------------------------------------------------------

    def find(self, change_id: str) -> Change | None:
        """The change by its id alone."""
        return self.duty.follow(keys.pointer(change_id))

    def listed(self, municipality: str) -> list[Change]:
        """The newest changes that are shown to a city, whatever their status."""
        notes = self.duty.query(keys.changes_of(municipality, "")[0], limit=LIST_MAX, descending=True)
        found = (self.duty.get(keys.target(note)) for note in notes)
        return [change for change in found if change is not None]

    def rows(self, municipality: str, plate: str) -> list[VehicleRow]:
        """The visible row of each vehicle on this plate in this city."""
        return DutyStore(self.duty).rows(municipality, plate)

    # -- entering ------------------------------------------------------------------------------------

    def keep(self, change: Change) -> bool:
        """Stores a change that has no effect yet."""
        return self._enter(change, [])

    def correct(self, change: Change, row: VehicleRow, facts: Mapping[str, Any]) -> bool:
        """Stores the change, and the facts over those of this very row."""
        return self._enter(change, [self._over(change, row, facts, row.residence_to_jalali)])

    def move(self, change: Change, row: VehicleRow, to: VehicleRow, *, ends_on: str, owner_id: str) -> bool:
        """Stores the change and a provisional row; `ends_on` (Jalali, or empty) ends the row it came from."""
        stands = self.duty.get(row_key(row.municipality, row.plate, row.version, row.vehicle_id)) or {}
        owner = self.register.sealed_owners([owner_id]).get(owner_id) if owner_id else None
        owner_hash, owner_sealed = owner or (stands.get("owner_hash"), stands.get("owner_sealed"))
        plain: Item = {
            "municipality": to.municipality,
            "plate": to.plate,
            "vehicle_id": to.vehicle_id,
            "version": to.version,
            "facts": dict(to.facts),
            "vin": to.vin or None,
            "chassis": to.chassis or None,
            "engine": to.engine or None,
            "residence_from_jalali": to.residence_from_jalali,
            "status": to.status,
            "owner_kind": stands.get("owner_kind"),
            "owner_hash": owner_hash,
            "provisional": True,
        }
        item = {
            **{name: value for name, value in plain.items() if value is not None},
            "content_hash": content_hash({**plain, "base_price_rial": str(to.facts.get("base_price_rial"))}),
            "owner_sealed": owner_sealed,
            "evidence": change["evidence"],
            "created_by": change["created_by"],
            "created_at": change["created_at"],
        }
        effects = [(row_key(to.municipality, to.plate, to.version, to.vehicle_id), item)]
        if ends_on:
            effects.append(self._over(change, row, row.facts, ends_on))
        note = whereabouts(to.vehicle_id, to.municipality, to.plate)
        seen = {"municipality": to.municipality, "plate_key": to.plate}
        return self._enter(change, effects, [self.duty.put(note, seen)])

    def _over(
        self, change: Change, row: VehicleRow, facts: Mapping[str, Any], ends_on: str
    ) -> tuple[keys.Key, Item]:
        item: Item = {
            "vehicle_id": row.vehicle_id,
            "facts": dict(facts),
            "of_hash": row.content_hash,
            "decided_by": change["created_by"],
            "decided_at": change["created_at"],
        }
        if ends_on:
            item["residence_to_jalali"] = ends_on
        return keys.correction(row.municipality, row.plate, row.vehicle_id), item

    def _enter(self, change: Change, effects: Sequence[tuple[keys.Key, Item]], more: Sequence[Item] = ()) -> bool:
        """The change, its pointer, its places in lists, and its effects; each effect keeps what stood there."""
        key = _key(change)
        target = {**keys.leading_to(key), "municipality": change["municipality"]}
        writes = list(more)
        change["effects"] = []
        for at, item in effects:
            before = self.duty.get(at)
            change["effects"].append({"pk": at[0], "sk": at[1], "before": before})
            stamped = {**item, "change_id": change["change_id"]}
            writes.append(
                self.duty.put_new(at, stamped) if before is None else self._over_known(at, stamped, before)
            )
        writes += [
            self.duty.put_new(key, change),
            self.duty.put_new(keys.pointer(change["change_id"]), target),
            *(
                self.duty.put_new(keys.changes_of(city, change["change_id"]), target)
                for city in change["listed_to"]
            ),
        ]
        return self._written(writes, key, {"change_id": change["change_id"]})

    def _over_known(self, at: keys.Key, item: Item, before: Item) -> Item:
        """A put over exactly what was read, which its stamp tells."""
        stamp = next(name for name in ("change_id", "objection_id", "created_at") if name in before)
        return self.duty.put(at, item, f"{stamp} = :stamp", stamp=before[stamp])

    # -- deciding ------------------------------------------------------------------------------------

    def confirm(self, change: Change, made: Mapping[str, Any]) -> bool:
        """Decided; of a prior payment the duty is paid from now on, if nobody holds it."""
        writes = [self._update(change, made)]
        if change["kind"] == Kind.PRIOR_PAYMENT:
            writes += self._paid(change, from_rfc3339(made["events"][-1]["at"]))
        return self._written(writes, _key(change), {"status": made["status"], "events": made["events"]})

    def _paid(self, change: Change, now: datetime) -> list[Item]:
        after = change["after"]
        paid: Item = {
            "status": "paid",
            "payment_id": change["change_id"],
            "vehicle_id": change["vehicle_id"],
            "year": int(after["year"]),
            "municipality": change["municipality"],
            "plate": change["plate"],
            "amount_rial": int(after["amount_rial"]),
            "paid_on": after["paid_on"],
            "paid_at": to_rfc3339(now),
            "prior_certificate": after["certificate"],
        }
        key = keys.duty(change["vehicle_id"], int(after["year"]))
        return [self.duty.put(key, paid, FREE, leased="leased", now=to_rfc3339(now))]

    def reject(self, change: Change, made: Mapping[str, Any]) -> bool:
        """Decided; what stood before stands again, unless something else was put over it."""
        writes = [self._update(change, made)]
        for effect in change["effects"]:
            at, ours = (effect["pk"], effect["sk"]), {"ours": change["change_id"]}
            before = effect.get("before")
            if before is None:
                writes.append(self.duty.delete(at, "change_id = :ours", **ours))
            else:
                writes.append(self.duty.put(at, before, "change_id = :ours", **ours))
        return self._written(writes, _key(change), {"status": made["status"], "events": made["events"]})

    def _update(self, change: Change, made: Mapping[str, Any]) -> Item:
        return self.duty.update(
            _key(change),
            {**made, "revision": change["revision"] + 1},
            "revision = :before AND #status = :open",
            before=change["revision"],
            open=change["status"],
        )

    def _written(self, writes: Sequence[Item], key: keys.Key, wanted: Mapping[str, Any]) -> bool:
        def mine() -> bool:
            stands = self.duty.get(key) or {}
            return all(stands.get(name) == value for name, value in wanted.items())

        try:
            transact(writes, mine=mine, dynamodb=self.duty.dynamodb)
        except TransactionRefused:
            return False
        return True


def _key(change: Change) -> keys.Key:
    # The row it was entered on: a move is listed elsewhere, and lies where it began.
    return keys.vehicle_change(change["entered_at"], change["plate"], change["change_id"])
