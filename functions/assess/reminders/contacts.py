"""The numbers that owners gave: kept under consent, sealed as owners' ids are, and stopped by a link for ever."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from typing import Final

from avarez import keys
from avarez.clock import from_rfc3339, to_rfc3339
from avarez.dynamo import Item, Table, transact
from avarez.errors import OwnerUnknown, StopUnknown, TransactionRefused
from avarez.ids import is_id, new_id
from functions.assess.owners import OwnerSeals

STOP_MAC_CHARACTERS: Final = 16
"""64 bits, after 132 random ones of the id: whoever has the link may stop the messages, and nothing else."""
CONTACTS_OF_A_CAR_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class Contact:
    """A number, whose it is and since when it may be used; `sealed` is None once it was stopped."""

    contact_id: str
    vehicle_id: str
    owner_hash: str
    mobile_hash: str
    sealed: bytes | None
    language: str
    consented_at: datetime
    stop_mac: str

    @property
    def stop_token(self) -> str:
        """What the link of every message to this number ends with; it never ceases to work."""
        return f"{self.contact_id.removeprefix('ct_')}{self.stop_mac}"


@dataclass(slots=True)
class ContactTable:
    """Contacts in the duty table."""

    table: Table
    seals: OwnerSeals

    def keep(
        self, *, vehicle_id: str, owner_hash: str, mobile: str, language: str, given_by: str, now: datetime
    ) -> Contact:
        """The contact with this number, in place of the one that this owner gave for this car before.

        Raises:
            OwnerUnknown: no roll names the owner, so there is no key to seal the number under.
        """
        owner = self.table.get(keys.owner(owner_hash)) if owner_hash else None
        if owner is None:
            raise OwnerUnknown()
        contact_id = new_id("ct", now)
        made = Contact(
            contact_id=contact_id,
            vehicle_id=vehicle_id,
            owner_hash=owner_hash,
            mobile_hash=self.seals.owner_hash(f"mobile {mobile}"),
            sealed=self.seals.seal(mobile, owner_hash, bytes(owner["wrapped_key"])),
            language=language,
            consented_at=now,
            stop_mac=self.seals.owner_hash(f"stop {contact_id}")[:STOP_MAC_CHARACTERS],
        )
        key = keys.contact(vehicle_id, owner_hash)
        item = {
            "contact_id": contact_id,
            "vehicle_id": vehicle_id,
            "owner_hash": owner_hash,
            "mobile_hash": made.mobile_hash,
            "mobile_sealed": made.sealed,
            "language": language,
            "consented_at": to_rfc3339(now),
            "given_by": given_by,
        }
        before = self.of(vehicle_id, owner_hash)
        listed = {"vehicle_id": vehicle_id, "owner_hash": owner_hash}
        link = {**listed, "mobile_hash": made.mobile_hash}
        writes = [
            self.table.put(key, {**item, "stop_mac": made.stop_mac}),
            self.table.put_new(keys.pointer(contact_id), {**link, "stop_mac": made.stop_mac}),
            self.table.put_new(keys.contact_listed(contact_id), listed),
        ]
        if before is not None:
            writes.append(self.table.delete(keys.contact_listed(before.contact_id)))
        transact(writes, mine=lambda: self._stands(made), dynamodb=self.table.dynamodb)
        return made

    def _stands(self, made: Contact) -> bool:
        found = self.of(made.vehicle_id, made.owner_hash)
        return found is not None and found.contact_id == made.contact_id

    def of(self, vehicle_id: str, owner_hash: str) -> Contact | None:
        """What this owner gave for this car; also what was stopped since."""
        item = self.table.get(keys.contact(vehicle_id, owner_hash))
        return None if item is None else _contact(item)

    def of_vehicle(self, vehicle_id: str) -> list[Contact]:
        """What every owner of this car gave for it."""
        pk, _ = keys.contact(vehicle_id, "")
        items = self.table.query(pk, keys.CONTACT_PREFIX, limit=CONTACTS_OF_A_CAR_MAX)
        return [_contact(item) for item in items]

    def listed(self, shard: int, beyond: str, limit: int) -> list[Item]:
        """The next contacts of a shard, by id, after `beyond`."""
        return self.table.query(keys.contacts_partition(shard), beyond=beyond or "ct", limit=limit)

    def mobile_of(self, contact: Contact) -> str | None:
        """The number in clear; None once it was stopped, or its owner erased."""
        stopped = self.table.get(keys.mobile_stopped(contact.mobile_hash))
        if contact.sealed is None or (stopped and from_rfc3339(stopped["stopped_at"]) >= contact.consented_at):
            return None
        owner = self.table.get(keys.owner(contact.owner_hash))
        if owner is None:
            return None
        return self.seals.open(contact.sealed, contact.owner_hash, bytes(owner["wrapped_key"]))

    def stop(self, token: str, now: datetime) -> None:
        """Ends every message to the number behind the link, and forgets the number; again does no harm.

        Only what was consented to before counts as stopped: who gives the number again hears again.

        Raises:
            StopUnknown: no link of ours.
        """
        contact_id, mac = f"ct_{token[:-STOP_MAC_CHARACTERS]}", token[-STOP_MAC_CHARACTERS:]
        link = self.table.get(keys.pointer(contact_id)) if is_id("ct", contact_id) else None
        if link is None or not compare_digest(str(link.get("stop_mac", "")).encode(), mac.encode()):
            raise StopUnknown()
        self.end(str(link["vehicle_id"]), str(link["owner_hash"]), str(link["mobile_hash"]), contact_id, now)

    def end(self, vehicle_id: str, owner_hash: str, mobile_hash: str, contact_id: str, now: datetime) -> None:
        """The number is stopped for all, and forgotten where this contact still stands."""
        stopped = self.table.put(keys.mobile_stopped(mobile_hash), {"stopped_at": to_rfc3339(now)})
        transact([stopped, self.table.delete(keys.contact_listed(contact_id))], dynamodb=self.table.dynamodb)
        forget = self.table.update(
            keys.contact(vehicle_id, owner_hash),
            {"stopped_at": to_rfc3339(now)},
            "contact_id = :mine",
            remove=("mobile_sealed",),
            mine=contact_id,
        )
        with contextlib.suppress(TransactionRefused):  # another number stands there since
            transact([forget], dynamodb=self.table.dynamodb)


def _contact(item: Item) -> Contact:
    sealed = item.get("mobile_sealed")
    return Contact(
        contact_id=str(item["contact_id"]),
        vehicle_id=str(item["vehicle_id"]),
        owner_hash=str(item["owner_hash"]),
        mobile_hash=str(item["mobile_hash"]),
        sealed=bytes(sealed) if sealed else None,
        language=str(item["language"]),
        consented_at=from_rfc3339(item["consented_at"]),
        stop_mac=str(item["stop_mac"]),
    )


def owners_now(contacts: Iterable[Contact], owner_hashes: frozenset[str]) -> list[Contact]:
    """Those of whoever owns the car now: a number that a former owner gave is silent after the sale."""
    return [contact for contact in contacts if contact.owner_hash in owner_hashes]
