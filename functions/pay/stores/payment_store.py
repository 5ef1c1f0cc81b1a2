"""Payments in DynamoDB: each write is one transaction whose conditions name the state it expects.

An event's number follows from the payment's version, so the event of a transition also tells, after a lost
response, whose work stands there.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

from avarez import keys
from avarez.clock import tehran_today, to_rfc3339
from avarez.duties import FREE
from avarez.dynamo import Item, transact
from avarez.errors import ReferenceReused, ServiceBusy, TransactionRefused
from avarez.journal import JournalEntry
from functions.pay.rules.leases import LEASED, holds
from functions.pay.rules.records import (
    EVENTS_PER_VERSION,
    Chunk,
    ChunkState,
    Event,
    Member,
    OpenRow,
    Payment,
    Replay,
)
from functions.pay.rules.refunds import Found, Refund
from functions.pay.stores import items
from functions.pay.stores.agreement_parts import AgreementParts
from functions.pay.stores.payment_reads import operator_of, payment_key
from functions.pay.stores.transaction_parts import HOLD

_SLOT_ATTEMPTS_MAX = 8
_CLOSE_ATTEMPTS_MAX = 4
_MEMBERS_WRITE_MAX = 90


class DynamoStore(AgreementParts):
    """The store over the duty and the ledger table."""

    def create(self, payment: Payment, event: Event, replay: Replay) -> None:
        """Writes a new payment, its pointer, leases, open row and the Idempotency-Key's memory, all or none."""
        key = payment_key(payment)
        writes = [
            self.duty.put_new(key, items.payment_item(payment)),
            self.pointer(payment.payment_id, key, payment.municipality),
            self.duty.put_new(
                keys.idempotency(replay.caller, replay.route, replay.key),
                {
                    "body_hash": replay.body_hash,
                    "payment_id": replay.payment_id,
                    "expires_at_epoch": replay.expires_epoch_s,
                },
            ),
            *self._event_write(payment, event),
            *self._open_moves(None, payment),
            *self._day_of_office(payment, event.at),
        ]
        known = len(writes)
        writes += [*self._no_open_bill(payment, event.at), *self._duties_of_new(payment, event.at)]
        try:
            self.write(writes, payment)
        except TransactionRefused as refusal:
            if refusal.reasons[2] is None:
                if any(refusal.reasons[known:]):
                    self._explain_bill(payment.vehicle_id, payment.municipality, event.at)
                self._explain(payment, event.at)
            raise

    def _day_of_office(self, payment: Payment, now: datetime) -> list[Item]:
        """The row of the office's day that leads to the payment; a payment without an office has none."""
        if not payment.office:
            return []
        key = keys.office_payment(payment.office, tehran_today(now).isoformat(), payment.payment_id)
        return [
            self.duty.put_new(key, {"payment_id": payment.payment_id, **keys.leading_to(payment_key(payment))})
        ]

    def create_members(self, payment: Payment, members: Sequence[Sequence[Member]]) -> None:
        """Writes the members of a joint payment, before the payment itself."""
        writes = []
        for number, chunk in enumerate(members):
            named = [{"assessment_id": of.assessment_id, "payment_id": of.payment_id} for of in chunk]
            writes += [
                self.duty.put(keys.joint_members(payment.payment_id, number), {"members": named}),
                self.duty.put(keys.joint_chunk(payment.payment_id, number), items.chunk_item(Chunk(number))),
            ]
        for start in range(0, len(writes), _MEMBERS_WRITE_MAX):
            transact(writes[start : start + _MEMBERS_WRITE_MAX], dynamodb=self.duty.dynamodb)

    def lease_part(self, payment: Payment, part: Payment, chunk: Chunk, event: Event) -> None:
        """Writes a new part with its leases, while its chunk still waits for that."""
        key = payment_key(part)
        waits = self.duty.check(
            keys.joint_chunk(payment.payment_id, chunk.number),
            "#state = :waiting",
            waiting=ChunkState.WAITING.value,
        )
        writes = [
            waits,
            self.duty.put_new(key, items.payment_item(part)),
            self.pointer(part.payment_id, key, part.municipality),
            *self._event_write(part, event),
            *self._no_open_bill(part, event.at),
            *self._leases(part, event.at),
        ]
        try:
            self.write(writes, part)
        except TransactionRefused as refusal:
            if not any(refusal.reasons[:3]):
                self._explain_bill(part.vehicle_id, part.municipality, event.at)
                self._explain(part, event.at)
            raise

    def move_chunk(self, payment: Payment, before: Chunk, after: Chunk) -> None:
        key = keys.joint_chunk(payment.payment_id, before.number)
        transact(
            [self.duty.put(key, items.chunk_item(after), "#state = :before", before=before.state.value)],
            mine=lambda: items.chunk_from(self.duty.get(key) or items.chunk_item(before)) == after,
            dynamodb=self.duty.dynamodb,
        )

    def advance(self, before: Payment, after: Payment, event: Event) -> None:
        self.write(self.transition(before, after, event), after)

    def begin_verifying(self, before: Payment, after: Payment, event: Event) -> None:
        """The reference, the confirmed leases and the new state, in one transaction."""
        reference = self.duty.put(
            keys.reference(operator_of(after), after.reference),
            {"payment_id": after.payment_id, "created_at": to_rfc3339(event.at)},
            "attribute_not_exists(pk) OR payment_id = :payment",
            payment=after.payment_id,
        )
        transition = self.transition(before, after, event)
        leases = self._leases(after, event.at, confirmed=True)
        try:
            self.write([*transition, reference, *leases], after)
        except TransactionRefused as refusal:
            if refusal.reasons[0] is not None:
                raise
            if refusal.reasons[len(transition)] is not None:
                raise ReferenceReused() from refusal
            self._explain(after, event.at)
            raise

    def resume_waiting(self, before: Payment, after: Payment, event: Event) -> None:
        """Back to waiting for the payer: the reference is free again, the leases lapse by time."""
        self.write(
            [
                *self.transition(before, after, event),
                self.duty.delete(
                    keys.reference(operator_of(before), before.reference),
                    "attribute_not_exists(pk) OR payment_id = :payment",
                    payment=before.payment_id,
                ),
                *(
                    self.duty.put(
                        keys.duty(*claim),
                        items.lease_item(after, claim),
                        HOLD,
                        leased=LEASED,
                        payment=after.payment_id,
                    )
                    for claim in after.claims
                ),
            ],
            after,
        )

    def close(
        self,
        before: Payment,
        after: Payment,
        event: Event,
        entry: JournalEntry | None = None,
        refund: Refund | None = None,
    ) -> None:
        """The end of a payment that paid no duty. Leases that somebody else took meanwhile stay theirs."""
        for _ in range(_CLOSE_ATTEMPTS_MAX):
            writes = self.transition(before, after, event)
            if entry is not None:
                writes += self.journal(entry, after, refund)
            if refund is not None:
                writes += self.refund_writes(refund)
            writes += self._bill_closed(before)
            freed = [
                self.duty.delete(key, HOLD, leased=LEASED, payment=before.payment_id)
                for key, holder in self._holders(before)
                if holds(holder, before.payment_id)
            ]
            try:
                self.write([*writes, *freed], after)
            except TransactionRefused as refusal:
                if any(refusal.reasons[: len(writes)]):
                    raise
                continue  # a lapsed lease was taken between our read and our write
            return
        raise ServiceBusy(retry_after_s=1)

    def settle(
        self, before: Payment, after: Payment, event: Event, entry: JournalEntry, outbox_event_id: str
    ) -> None:
        """Everything that a verified payment changes, in one transaction."""
        self.write(
            [
                *self.transition(before, after, event),
                *self._settled(after, event, entry, outbox_event_id),
                *self._paid(after, event.at, HOLD, {"leased": LEASED, "payment": after.payment_id}),
            ],
            after,
        )

    def settle_bill(
        self,
        before: Payment,
        after: Payment,
        event: Event,
        entry: JournalEntry,
        outbox_event_id: str,
        found: Sequence[Found],
    ) -> None:
        """Everything that a paid bill changes, in one transaction."""
        writes = [
            *self.transition(before, after, event),
            self.duty.put_new(keys.reference(operator_of(after), after.reference), _owner(after, event.at)),
        ]
        known = len(writes)
        writes += [
            *self._paid(after, event.at, FREE, {"leased": LEASED, "now": to_rfc3339(event.at)}),
            *self._settled(after, event, entry, outbox_event_id),
            *self._bill_closed(after),
            *(write for of in found for write in self._found(of)),
        ]
        try:
            self.write(writes, after)
        except TransactionRefused as refusal:
            if refusal.reasons[known - 1] is not None:
                raise ReferenceReused() from refusal
            if refusal.reasons[0] is None:
                self._explain(after, event.at)
            raise

    def settle_match(
        self,
        before: Payment,
        after: Payment,
        event: Event,
        settled: Payment,
        entry: JournalEntry,
        outbox_event_id: str,
        decided: Item,
    ) -> None:
        """Money leaves suspense for a duty: `settled` is born with it, and `decided` goes along, all or nothing.

        Raises:
            DutyLocked, DutyPaid: a duty is not to be had.
            TransactionRefused: the money or the proposal moved on.
        """
        key = payment_key(settled)
        born = Event(event.occurrence, event.source, event.at, None, settled.status, event.note)
        writes = [
            *self.transition(before, after, event),
            decided,
            self.duty.put_new(key, items.payment_item(settled)),
            self.pointer(settled.payment_id, key, settled.municipality),
            *self._event_write(settled, born),
        ]
        known = len(writes)
        writes += [
            *self._paid(settled, event.at, FREE, {"leased": LEASED, "now": to_rfc3339(event.at)}),
            *self._settled(settled, event, entry, outbox_event_id),
        ]
        try:
            self.write(writes, after)
        except TransactionRefused as refusal:
            if not any(refusal.reasons[:known]):
                self._explain(settled, event.at)
            raise

    def put_found(self, found: Found) -> None:
        payment = found.payment
        reference = keys.reference(operator_of(payment), payment.reference)
        try:
            self.write(
                [self.duty.put_new(reference, _owner(payment, found.event.at)), *self._found(found)], payment
            )
        except TransactionRefused as refusal:
            if refusal.reasons[0] is not None:
                raise ReferenceReused() from refusal
            raise

    def postpone(self, before: Payment, after: Payment) -> None:
        """Moves the sweep's next look; nothing else."""
        transact(
            [self._payment_put(before, after), *self._open_moves(before, after)],
            mine=lambda: self._version_of(after) == after.version,
            dynamodb=self.duty.dynamodb,
        )

    def record(self, payment: Payment, event: Event) -> bool:
        """Keeps the event under a free number of the payment's version; False when none was found."""
        for _ in range(_SLOT_ATTEMPTS_MAX):
            slot = payment.version * EVENTS_PER_VERSION + 1 + secrets.randbelow(EVENTS_PER_VERSION - 1)
            writes = self._event_write(payment, event, slot)
            nonce = writes[0]["Put"]["Item"]["write_id"]["S"]
            try:
                transact(
                    writes,
                    mine=lambda slot=slot, nonce=nonce: self._write_id_of(payment, slot) == nonce,  # type: ignore[misc]  # mypy does not infer a lambda's defaults
                    dynamodb=self.duty.dynamodb,
                )
            except TransactionRefused:
                continue
            return True
        return False

    def forget(self, row: OpenRow) -> None:
        transact([self.duty.delete(keys.open_payment(row.payment_id, row.due_at))], dynamodb=self.duty.dynamodb)


def _owner(payment: Payment, now: datetime) -> Item:
    return {"payment_id": payment.payment_id, "created_at": to_rfc3339(now)}
