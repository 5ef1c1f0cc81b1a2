"""The only place where objections meet DynamoDB and S3."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from avarez import keys
from avarez.assessment.model import PaidYear
from avarez.certificates.status import CertificateStatus
from avarez.certificates.succession import inherited
from avarez.clock import from_rfc3339, to_rfc3339
from avarez.dynamo import Item, Table, transact, translated
from avarez.endings import ending_writes
from avarez.errors import ObjectionConflict, TransactionRefused
from avarez.events.chain import EventType, Waiting
from avarez.events.log import waiting_write
from avarez.ids import new_id
from avarez.quotes.store import DutyStore
from functions.assess.objections.objection import OPEN, Effects, Objection

if TYPE_CHECKING:
    from avarez.assessment import Tariff

LIST_MAX: Final = 200
SWEPT_MAX: Final = 500
"""Open objections that one sweep looks at in each shard, the oldest terms first."""
CERTIFICATES_MAX: Final = 200
SUPERSEDED_MAX: Final = 22
"""Certificates that one decision replaces, four writes each: a transaction holds at most 100."""


@dataclass(slots=True)
class ObjectionStore:
    """Objections beside the car they are about, their notes beside the vehicle, and the lists of open ones."""

    duty: Table
    ledger: Table
    bucket: str
    s3: Any

    # -- reading -------------------------------------------------------------------------------------

    def find(self, objection_id: str) -> Objection | None:
        """The objection by its id alone."""
        return self.duty.follow(keys.pointer(objection_id))

    def listed(self, municipality: str) -> list[Objection]:
        """The newest objections of a city, open ones and decided ones."""
        notes = self.duty.query(keys.objections_of(municipality, "")[0], limit=LIST_MAX, descending=True)
        found = (self.duty.get(keys.target(note)) for note in notes)
        return [objection for objection in found if objection is not None]

    def open_until(self, now: datetime) -> Iterator[Objection]:
        """Open objections whose term has passed."""
        for shard in range(keys.SHARDS):
            upto = f"{to_rfc3339(now)}~"
            for note in self.duty.query(keys.open_objections(shard), upto=upto, limit=SWEPT_MAX):
                objection = self.duty.get(keys.target(note))
                if objection is not None:
                    yield objection

    def quote(self, assessment_id: str) -> dict[str, Any] | None:
        """The stored answer."""
        found = DutyStore(self.duty).quote(assessment_id)
        return None if found is None else dict(found[1])

    def vehicle_of(self, assessment_id: str) -> str | None:
        """The vehicle that a stored assessment is of."""
        item = self.duty.follow(keys.pointer(assessment_id))
        return None if item is None else str(item["vehicle_id"])

    def paid_years(self, vehicle_id: str, years: Sequence[int]) -> list[PaidYear]:
        """Which of the years are paid by now."""
        return DutyStore(self.duty).paid_years(vehicle_id, years)

    def tariff(self, version: str) -> Tariff:
        """The published tariff of that hash."""
        from avarez.assessment import tariff_from_document

        with translated():
            stored = self.s3.get_object(Bucket=self.bucket, Key=f"tariffs/{version}.json")["Body"].read()
        return tariff_from_document(json.loads(stored))

    # -- writing -------------------------------------------------------------------------------------

    def create(self, objection: Objection) -> bool:
        """Stores it with its note, its pointer and its places in the lists; False while another is open."""
        key = _key(objection)
        target = {**keys.leading_to(key), "municipality": objection["municipality"]}
        writes = [
            self.duty.put_new(key, objection),
            self.duty.put_new(keys.pointer(objection["objection_id"]), target),
            self.duty.put_new(_note_key(objection), _note(objection)),
            self.duty.put_new(_lock_key(objection), {"objection_id": objection["objection_id"]}),
            self.duty.put_new(keys.objections_of(objection["municipality"], objection["objection_id"]), target),
            self.duty.put_new(_term_key(objection, objection["due_at"]), target),
        ]
        return self._written(writes, key, {"objection_id": objection["objection_id"]})

    def move(self, objection: Objection, changes: Mapping[str, Any]) -> bool:
        """Changes an open objection if nobody else did; its place in the list of terms goes with it."""
        key = _key(objection)
        target = {**keys.leading_to(key), "municipality": objection["municipality"]}
        writes = [
            self._update(objection, changes),
            self.duty.delete(_term_key(objection, objection["due_at"])),
            self.duty.put(_term_key(objection, changes["due_at"]), target),
        ]
        return self._written(writes, key, changes)

    def close(self, objection: Objection, changes: Mapping[str, Any], effects: Effects | None) -> bool:
        """Ends it, and carries its effects out: one transaction, so that none is ever half done."""
        key = _key(objection)
        made = dict(changes)
        writes: list[Item] = []
        if effects is not None:
            writes += self._correct(objection, effects, made)
            if effects.overpaid:
                writes += self._repay(objection, effects, made)
                writes += self._supersede(objection, effects, made)
        note = _note({**objection, **made})
        writes = [
            self._update(objection, made),
            self.duty.put(_note_key(objection), note),
            self.duty.delete(_lock_key(objection)),
            self.duty.delete(_term_key(objection, objection["due_at"])),
            *writes,
        ]
        done = self._written(writes, key, {"status": made["status"], "decided_at": made["decided_at"]})
        if done:
            objection.update(made)
        return done

    def _update(self, objection: Objection, changes: Mapping[str, Any]) -> Item:
        revision = objection["revision"] + 1
        return self.duty.update(
            _key(objection),
            {**changes, "revision": revision},
            "revision = :before AND #status = :open",
            before=objection["revision"],
            open=OPEN,
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

    # -- effects -------------------------------------------------------------------------------------

    def _correct(self, objection: Objection, effects: Effects, made: dict[str, Any]) -> list[Item]:
        """The facts as decided, for every later quote until the city's roll says something new of this car."""
        rows = DutyStore(self.duty).rows(objection["municipality"], objection["plate"])
        row = next((row for row in rows if row.vehicle_id == objection["vehicle_id"]), None)
        if row is None:
            return []
        facts = {name: value for name, value in effects.facts.items() if name != "plate_kind"}
        item = {
            "vehicle_id": objection["vehicle_id"],
            "facts": facts,
            "of_hash": row.content_hash,
            "objection_id": objection["objection_id"],
            "decided_by": made["decided_by"],
            "decided_at": made["decided_at"],
        }
        return [
            self.duty.put(
                keys.correction(objection["municipality"], objection["plate"], objection["vehicle_id"]), item
            )
        ]

    def _repay(self, objection: Objection, effects: Effects, made: dict[str, Any]) -> list[Item]:
        """A task to refund or credit what was paid too much."""
        task_id = new_id("tk", from_rfc3339(made["decided_at"]))
        made["task_id"] = task_id
        task = {
            "task_id": task_id,
            "kind": "refund_or_credit",
            "status": "open",
            "municipality": objection["municipality"],
            "plate": objection["plate"],
            "vehicle_id": objection["vehicle_id"],
            "objection_id": objection["objection_id"],
            "years": [dict(entry) for entry in effects.overpaid],
            "amount_rial": effects.overpaid_rial,
            "created_at": made["decided_at"],
        }
        return [self.duty.put_new(keys.task(objection["municipality"], task_id), task)]

    def _supersede(self, objection: Objection, effects: Effects, made: dict[str, Any]) -> list[Item]:
        """Each certificate of an overpaid year gives way to a new one with the new trace; both or neither."""
        payments = {str(entry["payment_id"]) for entry in effects.overpaid}
        prefix = keys.certificate(objection["municipality"], objection["plate"], "")[1]
        held = self.duty.query(
            keys.collection(objection["municipality"], objection["plate"]), prefix, limit=CERTIFICATES_MAX
        )
        writes: list[Item] = []
        made["superseded"] = []
        for old in held:
            if old["payment_id"] not in payments or old["status"] != "in_force":
                continue
            if len(made["superseded"]) == SUPERSEDED_MAX:
                raise ObjectionConflict(
                    "More certificates would be replaced than one decision can; object to fewer years at a time.",
                    "گواهی‌های جایگزین از توان یک رأی بیشتر است؛ برای سال‌های کمتری اعتراض کنید.",
                )
            now = from_rfc3339(made["decided_at"])
            new_certificate = new_id("ce", now)
            new = inherited(old) | {
                "certificate_id": new_certificate,
                "status": "preparing",
                "trace_hash": effects.assessment.trace_hash,
                "supersedes": old["certificate_id"],
            }
            event_id = new_id("ev", now)
            outbox = {
                "event_id": event_id,
                "type": "certificate.superseded",
                "payment_id": old["payment_id"],
                "municipality": objection["municipality"],
                "certificate_id": new_certificate,
                "superseded": old["certificate_id"],
                "created_at": made["decided_at"],
                "pending_shard": str(keys.shard_of(str(old["payment_id"]))),
            }
            new_key = keys.certificate(objection["municipality"], objection["plate"], new_certificate)
            pointer = {**keys.leading_to(new_key), "municipality": objection["municipality"]}
            writes += [
                self.duty.update(
                    (old["pk"], old["sk"]),
                    {
                        "status": "superseded",
                        "superseded_by": new_certificate,
                        "superseded_at": made["decided_at"],
                    },
                    "#status = :in_force",
                    in_force="in_force",
                ),
                *ending_writes(old, CertificateStatus.SUPERSEDED, duty=self.duty, ledger=self.ledger),
                self.duty.put_new(new_key, new),
                self.duty.put_new(keys.pointer(new_certificate), pointer),
                self.ledger.put_new(
                    keys.outbox(objection["municipality"], str(old["payment_id"]), event_id), outbox
                ),
                waiting_write(self.ledger, _superseded(old, new_certificate, objection, now)),
            ]
            made["superseded"].append({"certificate_id": old["certificate_id"], "superseded_by": new_certificate})
        return writes


def _superseded(old: Item, new_certificate: str, objection: Objection, now: datetime) -> Waiting:
    """What the city is told of a certificate that gives way to one with the new trace."""
    certificate = {
        "certificate_id": str(old["certificate_id"]),
        "plate": objection["plate"],
        "because": objection["objection_id"],
        "superseded_by": new_certificate,
    }
    return Waiting(
        event_id=new_id("ev", now),
        type=EventType.CERTIFICATE_SUPERSEDED,
        municipality=objection["municipality"],
        about=str(old["payment_id"]),
        occurred_at=now,
        content={"certificate": certificate, "payment": {"payment_id": str(old["payment_id"])}},
    )


def _key(objection: Objection) -> keys.Key:
    return keys.objection(objection["municipality"], objection["plate"], objection["objection_id"])


def _note_key(objection: Objection) -> keys.Key:
    return keys.objection_note(objection["vehicle_id"], objection["objection_id"])


def _lock_key(objection: Objection) -> keys.Key:
    return keys.objection_lock(objection["vehicle_id"], objection["municipality"])


def _term_key(objection: Objection, due_at: str) -> keys.Key:
    shard = keys.shard_of(objection["objection_id"])
    return keys.open_objections(shard), f"{due_at}#{objection['objection_id']}"


def _note(objection: Objection) -> Item:
    """What a quote has to know of it."""
    note = {name: objection[name] for name in ("municipality", "years", "paused_from", "objection_id")}
    return {**note, "paused_until": objection["paused_until"]} if objection.get("paused_until") else note
