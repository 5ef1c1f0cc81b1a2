"""Refunds in DynamoDB: an approval is one transaction over refund, payment, duties and certificate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from avarez import keys
from avarez.certificates.status import CertificateStatus
from avarez.certificates.succession import inherited
from avarez.clock import to_rfc3339
from avarez.dynamo import Item, transact
from avarez.endings import ending_writes
from avarez.errors import CertificateInPreparation
from avarez.events.certificates import ended_event
from avarez.events.log import waiting_write
from avarez.ids import new_id
from avarez.journal import JournalEntry, year_items
from functions.pay.rules import announcing
from functions.pay.rules.leases import PAID
from functions.pay.rules.records import Event, Payment, Replay
from functions.pay.rules.refunds import Refund, left_of
from functions.pay.stores import items
from functions.pay.stores.payment_store import DynamoStore

CERTIFICATES_READ_MAX = 200
"""Certificates of one car in one city; a payment has one in force at a time."""
OURS = "#status = :paid AND payment_id = :payment"
STANDS = "#status = :status_before AND version = :version_before"
IN_FORCE, PREPARING, REVOKED, SUPERSEDED = "in_force", "preparing", "revoked", "superseded"


class DynamoRefunds:
    """The refunds beside the payments of a store."""

    def __init__(self, store: DynamoStore) -> None:
        self._store = store
        self._duty = store.duty
        self._ledger = store.ledger

    def refund(self, refund_id: str) -> Refund | None:
        item = self._store.pointed(refund_id)
        return None if item is None else items.refund_from(item)

    def of_city(self, municipality: str, *, after: str, limit: int) -> Sequence[Refund]:
        """The city's refunds after the one named, oldest first."""
        partition, _ = keys.refunds_of(municipality, "")
        rows = self._duty.query(partition, limit=limit, beyond=after)
        found = (self._duty.get(keys.target(row)) for row in rows)
        return [items.refund_from(item) for item in found if item is not None]

    def request(self, refund: Refund, replay: Replay) -> None:
        memory = self._duty.put_new(
            keys.idempotency(replay.caller, replay.route, replay.key),
            {
                "body_hash": replay.body_hash,
                "payment_id": replay.payment_id,
                "expires_at_epoch": replay.expires_epoch_s,
            },
        )
        transact(
            [memory, *self._store.refund_writes(refund)],
            mine=lambda: self.refund(refund.refund_id) == refund,
            dynamodb=self._duty.dynamodb,
        )

    def move(self, before: Refund, after: Refund) -> None:
        writes = [self._put(before, after), *self._open_moves(before, after)]
        transact(writes, mine=lambda: self.refund(after.refund_id) == after, dynamodb=self._duty.dynamodb)

    def approve(
        self,
        before: Refund,
        after: Refund,
        payment: Payment,
        payment_after: Payment,
        event: Event,
        entry: JournalEntry,
    ) -> None:
        writes = [
            *self._store.transition(payment, payment_after, event),
            self._put(before, after),
            *self._open_moves(before, after),
            *self._store.journal(entry, payment_after, after),
        ]
        if not before.of_suspense:
            writes += self._duties(payment, payment_after, event.at)
            writes += self._certificates(payment, payment_after, after, event.at)
            writes += self._clearance(payment, after, event.at)
        if after.task_id:
            writes.append(self._task_done(after))
        self._store.write(writes, payment_after)

    def finish(
        self,
        before: Refund,
        after: Refund,
        payment: Payment,
        payment_after: Payment,
        event: Event | None,
        entry: JournalEntry,
    ) -> None:
        writes = [
            self._put(before, after),
            *self._open_moves(before, after),
            *self._store.journal(entry, payment_after, after),
        ]
        if event is not None:
            writes = [*self._store.transition(payment, payment_after, event), *writes]
            self._store.write(writes, payment_after)
            return
        transact(writes, mine=lambda: self.refund(after.refund_id) == after, dynamodb=self._duty.dynamodb)

    # -- parts of transactions -----------------------------------------------------------------------

    def _put(self, before: Refund, after: Refund) -> Item:
        return self._duty.put(
            keys.refund(after.municipality, after.plate, after.refund_id),
            items.refund_item(after),
            STANDS,
            status_before=before.status.value,
            version_before=before.version,
        )

    def _open_moves(self, before: Refund, after: Refund) -> Iterator[Item]:
        old = to_rfc3339(before.open_due_at) if before.open_due_at else None
        new = to_rfc3339(after.open_due_at) if after.open_due_at else None
        if old == new:
            return
        if old is not None:
            yield self._duty.delete(keys.open_payment(after.refund_id, old))
        if new is not None:
            yield self._duty.put(keys.open_payment(after.refund_id, new), {"payment_id": after.refund_id})

    def _duties(self, payment: Payment, payment_after: Payment, now: datetime) -> Iterator[Item]:
        """Years that are given back whole are owed again; of the others the duty holds what is left.

        A part of an agreement goes back whole, and is to be paid again.
        """
        if payment.agreement_id:
            yield from self._store.part_given_back(payment, now)
            for part in payment.completes:
                changes = {"amount_rial": 0, "refunded_at": to_rfc3339(now), "status": "refunded"}
                yield from self._noted(payment, part.year, changes)
            return
        left = {part.year: part.amount_rial for part in left_of(payment_after)}
        for before in left_of(payment):
            if left.get(before.year) == before.amount_rial:
                continue
            amount_rial = left.get(before.year, 0)
            changes = {"amount_rial": amount_rial, "refunded_at": to_rfc3339(now)}
            duty = keys.duty(payment.vehicle_id, before.year)
            ours = {"paid": PAID, "payment": payment.payment_id}
            if amount_rial:
                yield self._duty.update(duty, changes, OURS, **ours)
            else:
                yield self._duty.delete(duty, OURS, **ours)
                changes["status"] = "refunded"
            yield from self._noted(payment, before.year, changes)

    def _noted(self, payment: Payment, year: int, changes: Item) -> Iterator[Item]:
        """The change in what stands of the year beside the car, where it is of this payment."""
        collection = keys.collection(payment.municipality, payment.plate)
        noted = {item["sk"]: item for item in self._duty.query(collection, keys.OBLIGATION_PREFIX)}
        sk = keys.obligation(payment.municipality, payment.plate, year)[1]
        for name in (sk, f"{sk}#{payment.vehicle_id}"):
            if name in noted and noted[name]["payment_id"] == payment.payment_id:
                ours = {"payment": payment.payment_id}
                yield self._duty.update((collection, name), changes, "payment_id = :payment", **ours)
                return

    def _certificates(
        self, payment: Payment, payment_after: Payment, refund: Refund, now: datetime
    ) -> Iterator[Item]:
        """The certificate in force is revoked, or gives way to one of what is left.

        Raises:
            CertificateInPreparation: it is not in force yet.
        """
        prefix = keys.certificate(payment.municipality, payment.plate, "")[1]
        collection = keys.collection(payment.municipality, payment.plate)
        held = [
            item
            for item in self._duty.query(collection, prefix, limit=CERTIFICATES_READ_MAX)
            if item["payment_id"] == payment.payment_id and item["status"] in (IN_FORCE, PREPARING)
        ]
        if any(item["status"] == PREPARING for item in held):
            raise CertificateInPreparation(retry_after_s=2)
        left = left_of(payment_after)
        for old in held:
            key = (str(old["pk"]), str(old["sk"]))
            new_certificate = new_id("ce", now) if left else ""
            yield self._told(payment, str(old["certificate_id"]), new_certificate, refund, now)
            if not left:
                changes = {"status": REVOKED, "revoked_at": to_rfc3339(now), "revoked_because": refund.refund_id}
                yield self._duty.update(key, changes, "#status = :in_force", in_force=IN_FORCE)
                yield from self._listed(old, CertificateStatus.REVOKED)
                continue
            changes = {"status": SUPERSEDED, "superseded_by": new_certificate, "superseded_at": to_rfc3339(now)}
            yield self._duty.update(key, changes, "#status = :in_force", in_force=IN_FORCE)
            yield from self._listed(old, CertificateStatus.SUPERSEDED)
            yield from self._successor(old, new_certificate, payment_after, now)

    def _clearance(self, payment: Payment, refund: Refund, now: datetime) -> Iterator[Item]:
        """The clearance that rests on this payment is revoked; none may come to be at this moment.

        Raises:
            CertificateInPreparation: it is not in force yet.
        """
        key = keys.clearance(payment.vehicle_id)
        held = self._duty.get(key)
        if held is None:
            yield self._duty.check(key, "attribute_not_exists(pk)")
            return
        ours = {"held": held["certificate_id"]}
        if payment.payment_id not in held["payments"]:
            yield self._duty.check(key, "certificate_id = :held", **ours)
            return
        place = keys.target(held)
        certificate = self._duty.get(place)
        if certificate is None or certificate["status"] == PREPARING:
            raise CertificateInPreparation(retry_after_s=2)
        changes = {"status": REVOKED, "revoked_at": to_rfc3339(now), "revoked_because": refund.refund_id}
        yield self._duty.update(place, changes, "#status = :in_force", in_force=IN_FORCE)
        told = ended_event(
            certificate_id=str(certificate["certificate_id"]),
            municipality=str(certificate["municipality"]),
            plate=payment.plate,
            payment_id="",
            superseded_by="",
            because=refund.refund_id,
            event_id=new_id("ev", now),
            now=now,
        )
        yield waiting_write(self._ledger, told)
        yield from self._listed(certificate, CertificateStatus.REVOKED)
        yield self._duty.delete(key, "certificate_id = :held", **ours)

    def _listed(self, old: Item, status: CertificateStatus) -> Sequence[Item]:
        return ending_writes(old, status, duty=self._duty, ledger=self._ledger)

    def _told(
        self, payment: Payment, certificate_id: str, superseded_by: str, refund: Refund, now: datetime
    ) -> Item:
        """The event by which the city learns that the certificate is in force no longer."""
        event = announcing.of_certificate(
            payment,
            certificate_id,
            superseded_by=superseded_by,
            because=refund.refund_id,
            event_id=new_id("ev", now),
            now=now,
        )
        return waiting_write(self._ledger, event)

    def _successor(self, old: Item, certificate_id: str, payment: Payment, now: datetime) -> Iterator[Item]:
        left = left_of(payment)
        new = inherited(old)
        years_rial = sum(part.amount_rial for part in left)
        new |= {
            "certificate_id": certificate_id,
            "status": PREPARING,
            "years": year_items(left),
            "amount_rial": years_rial + payment.rounding_rial + payment.fee_rial,
            "supersedes": old["certificate_id"],
        }
        event_id = new_id("ev", now)
        outbox = {
            "event_id": event_id,
            "type": "certificate.superseded",
            "payment_id": payment.payment_id,
            "municipality": payment.municipality,
            "certificate_id": certificate_id,
            "superseded": old["certificate_id"],
            "created_at": to_rfc3339(now),
            "pending_shard": str(keys.shard_of(payment.payment_id)),
        }
        key = keys.certificate(payment.municipality, payment.plate, certificate_id)
        yield self._duty.put_new(key, new)
        yield self._store.pointer(certificate_id, key, payment.municipality)
        yield self._ledger.put_new(keys.outbox(payment.municipality, payment.payment_id, event_id), outbox)

    def _task_done(self, refund: Refund) -> Item:
        changes = {"status": "done", "refund_id": refund.refund_id}
        return self._duty.update(
            keys.task(refund.municipality, refund.task_id), changes, "#status = :open", open="open"
        )
