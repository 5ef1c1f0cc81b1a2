"""Payments in DynamoDB: the only module of this folder that knows it.

Each write is one transaction whose conditions name the state it expects. An event's number follows from the
payment's version, so the event of a transition also tells, after a lost response, whose work stands there.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from avarez import keys
from avarez.clock import to_rfc3339
from avarez.dynamo import Item, Table, transact
from avarez.errors import BillOpen, DutyLocked, DutyPaid, ReferenceReused, ServiceBusy, TransactionRefused
from avarez.money import PARTS_PER_MILLION
from functions.pay.rules.bills import BillTerms
from functions.pay.rules.fees import Bearer, Fee
from functions.pay.rules.leases import LEASED, PAID, holds, may_take
from functions.pay.rules.records import (
    EVENTS_PER_VERSION,
    Chunk,
    ChunkState,
    Event,
    JournalEntry,
    Member,
    OpenRow,
    Payment,
    Quote,
    Replay,
)
from functions.pay.rules.refunds import Found, Refund
from functions.pay.stores import items

TAKE = (
    "attribute_not_exists(pk) OR ( #status = :leased AND ( payment_id = :payment OR "
    "( attribute_not_exists(confirmed) AND lease_until_at < :now ) ) )"
)
"""`leases.may_take` as a condition."""

FREE = (
    "attribute_not_exists(pk) OR "
    "( #status = :leased AND attribute_not_exists(confirmed) AND lease_until_at < :now )"
)
"""Nobody holds the duty: what a bill asks for, which takes no lease."""

HOLD = "#status = :leased AND payment_id = :payment"
"""`leases.holds` as a condition."""

UNMOVED = "#status = :status_before AND version = :version_before"
_OF_THE_COLLECTION = ("municipality", "plate")
"""What an obligation's key says already; `plate` would put it into the index of plates besides."""
EVENTS_READ_MAX = 1_000
_SLOT_ATTEMPTS_MAX = 8
_CLOSE_ATTEMPTS_MAX = 4
_MEMBERS_WRITE_MAX = 90


BILL_CHANNEL = "bill"


class DynamoStore:
    """The store over the duty and the ledger table."""

    def __init__(self, duty: Table, ledger: Table) -> None:
        self.duty = duty
        self.ledger = ledger

    # -- reads ---------------------------------------------------------------------------------------

    def quote(self, assessment_id: str) -> Quote | None:
        """The stored assessment, or None."""
        item = self.pointed(assessment_id)
        return None if item is None else items.quote_from(item)

    def fee(self, municipality: str) -> Fee:
        """The fee of an assessment of this city; nothing unless it has set one."""
        settings = self.duty.get(keys.municipality_setting(municipality)) or {}
        return Fee(
            amount_rial=int(settings.get("fee_rial", 0)),
            borne_by=Bearer(settings.get("fee_borne_by", Bearer.PAYER)),
            office_ppm=int(settings.get("fee_office_ppm", PARTS_PER_MILLION)),
        )

    def gateway_order(self, municipality: str, office: str) -> Sequence[str]:
        """The office's own list, else the city's."""
        settings = self.duty.get(keys.municipality_setting(municipality)) or {}
        of_office = settings.get("gateways_by_office", {}).get(office)
        return [str(name) for name in of_office or settings.get("gateways", ())]

    def payment(self, payment_id: str) -> Payment | None:
        item = self.pointed(payment_id)
        return None if item is None else items.payment_from(item)

    def events(self, payment: Payment) -> Sequence[Event]:
        """The payment's history, oldest first; at most 1,000 events."""
        partition, first = _event_key(payment, 0)
        found = self.duty.query(partition, first[:-4], limit=EVENTS_READ_MAX)
        return [items.event_from(item) for item in sorted(found, key=lambda item: (item["at"], item["number"]))]

    def replay(self, caller: str, route: str, key: str) -> Replay | None:
        item = self.duty.get(keys.idempotency(caller, route, key))
        if item is None:
            return None
        memory = str(item["body_hash"]), str(item["payment_id"]), int(item["expires_at_epoch"])
        return Replay(caller, route, key, *memory)

    def due(self, shard: int, now: datetime, limit: int) -> Sequence[OpenRow]:
        """Open payments of one shard whose time has come, longest overdue first."""
        rows = self.duty.query(keys.open_payments(shard), upto=to_rfc3339(now) + "$", limit=limit)
        return [OpenRow(str(row["payment_id"]), str(row["sk"]).partition("#")[0]) for row in rows]

    def bill(self, bill_id: str, payment_code: str) -> Payment | None:
        place = self.duty.get(keys.bill(bill_id, payment_code))
        return None if place is None else self.payment(str(place["payment_id"]))

    def bill_terms(self, municipality: str) -> BillTerms | None:
        settings = self.duty.get(keys.municipality_setting(municipality)) or {}
        company_code = int(settings.get("bill_company_code", 0))
        return BillTerms(company_code, int(settings.get("bill_valid_days", 10))) if company_code else None

    def pointed(self, identifier: str) -> Item | None:
        pointer = self.duty.get(keys.pointer(identifier))
        if pointer is None:
            return None
        return self.duty.get((str(pointer["target_pk"]), str(pointer["target_sk"])))

    # -- writes --------------------------------------------------------------------------------------

    def members(self, payment: Payment, number: int) -> Sequence[Member]:
        item = self.duty.get(keys.joint_members(payment.payment_id, number)) or {"members": []}
        return [Member(str(of["assessment_id"]), str(of["payment_id"])) for of in item["members"]]

    def chunks(self, payment: Payment) -> Sequence[Chunk]:
        """How far every chunk of the payment is; at most a thousand."""
        partition, first = keys.joint_chunk(payment.payment_id, 0)
        return [items.chunk_from(item) for item in self.duty.query(partition, first[:-5])]

    def holds_duties(self, payment: Payment) -> bool:
        return all(holds(holder, payment.payment_id) for _, holder in self._holders(payment))

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
        key = _key(part)
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
                self._explain_bill(part, event.at)
                self._explain(part, event.at)
            raise

    def move_chunk(self, payment: Payment, before: Chunk, after: Chunk) -> None:
        key = keys.joint_chunk(payment.payment_id, before.number)
        transact(
            [self.duty.put(key, items.chunk_item(after), "#state = :before", before=before.state.value)],
            mine=lambda: items.chunk_from(self.duty.get(key) or items.chunk_item(before)) == after,
            dynamodb=self.duty.dynamodb,
        )

    def create(self, payment: Payment, event: Event, replay: Replay) -> None:
        """Writes a new payment, its pointer, leases, open row and the Idempotency-Key's memory, all or none."""
        key = _key(payment)
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
        ]
        known = len(writes)
        writes += [*self._no_open_bill(payment, event.at), *self._duties_of_new(payment, event.at)]
        try:
            self.write(writes, payment)
        except TransactionRefused as refusal:
            if refusal.reasons[2] is None:
                if any(refusal.reasons[known:]):
                    self._explain_bill(payment, event.at)
                self._explain(payment, event.at)
            raise

    def _duties_of_new(self, payment: Payment, now: datetime) -> Iterator[Item]:
        """Leases; for a bill the pair of ids, and a look that nobody pays or has paid its duties."""
        if payment.channel != BILL_CHANNEL:
            yield from self._leases(payment, now)
            if payment.terminal:
                sale = keys.terminal_sale(payment.terminal, payment.payment_id)
                yield self.duty.put_new(sale, {"payment_id": payment.payment_id})
            return
        yield self.duty.put_new(
            keys.bill(payment.bill_id, payment.payment_code), {"payment_id": payment.payment_id}
        )
        values = {"leased": LEASED, "now": to_rfc3339(now)}
        for part in payment.years:
            yield self.duty.check(keys.duty(payment.vehicle_id, part.year), FREE, **values)

    def _no_open_bill(self, payment: Payment, now: datetime) -> Iterator[Item]:
        """No other bill can be paid; a new one says from now on that it can."""
        if payment.parts:
            return
        key = keys.open_bill(payment.vehicle_id, payment.municipality)
        condition, values = "attribute_not_exists(pk) OR lapses_at < :now", {"now": to_rfc3339(now)}
        if payment.channel == BILL_CHANNEL:
            bill = {"payment_id": payment.payment_id, "lapses_at": to_rfc3339(payment.expires_at)}
            yield self.duty.put(key, bill, condition, **values)
        else:
            yield self.duty.check(key, condition, **values)

    def _explain_bill(self, payment: Payment, now: datetime) -> None:
        """Raises `BillOpen` when that is what stands in the way."""
        standing = self.duty.get(keys.open_bill(payment.vehicle_id, payment.municipality))
        if standing is not None and str(standing["lapses_at"]) >= to_rfc3339(now):
            extra = {"payment_id": str(standing["payment_id"]), "expires_at": str(standing["lapses_at"])}
            raise BillOpen(extra=extra)

    def _bill_closed(self, payment: Payment) -> Iterator[Item]:
        """Takes back what says that this bill can be paid, where it still does."""
        key = keys.open_bill(payment.vehicle_id, payment.municipality)
        standing = self.duty.get(key) if payment.channel == BILL_CHANNEL else None
        if standing is not None and standing["payment_id"] == payment.payment_id:
            yield self.duty.delete(key, "payment_id = :payment", payment=payment.payment_id)

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
            self.duty.put_new(keys.reference(_operator(after), after.reference), _owner(after, event.at)),
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

    def put_found(self, found: Found) -> None:
        payment = found.payment
        reference = keys.reference(_operator(payment), payment.reference)
        try:
            self.write(
                [self.duty.put_new(reference, _owner(payment, found.event.at)), *self._found(found)], payment
            )
        except TransactionRefused as refusal:
            if refusal.reasons[0] is not None:
                raise ReferenceReused() from refusal
            raise

    def _found(self, found: Found) -> list[Item]:
        payment = found.payment
        key = _key(payment)
        return [
            self.duty.put_new(key, items.payment_item(payment)),
            self.pointer(payment.payment_id, key, payment.municipality),
            *self._event_write(payment, found.event),
            self.journal(found.entry),
            *(self.refund_writes(found.refund) if found.refund is not None else ()),
        ]

    def advance(self, before: Payment, after: Payment, event: Event) -> None:
        self.write(self.transition(before, after, event), after)

    def begin_verifying(self, before: Payment, after: Payment, event: Event) -> None:
        """The reference, the confirmed leases and the new state, in one transaction."""
        reference = self.duty.put(
            keys.reference(_operator(after), after.reference),
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
                    keys.reference(_operator(before), before.reference),
                    "attribute_not_exists(pk) OR payment_id = :payment",
                    payment=before.payment_id,
                ),
                *(
                    self.duty.put(
                        keys.duty(after.vehicle_id, part.year),
                        items.lease_item(after, part.year),
                        HOLD,
                        leased=LEASED,
                        payment=after.payment_id,
                    )
                    for part in after.years
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
                writes.append(self.journal(entry))
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

    def _settled(self, after: Payment, event: Event, entry: JournalEntry, outbox_event_id: str) -> list[Item]:
        """The journal entry, the outbox row and the reserved certificate of a settled payment."""
        certificate_key = keys.certificate(after.municipality, after.plate, after.certificate_id)
        outbox_key = keys.outbox(after.municipality, after.payment_id, outbox_event_id)
        return [
            self.journal(entry),
            self.ledger.put_new(outbox_key, items.outbox_item(after, outbox_event_id, event.at)),
            self.duty.put_new(certificate_key, items.certificate_item(after, event.at)),
            self.pointer(after.certificate_id, certificate_key, after.municipality),
        ]

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
                    mine=lambda slot=slot, nonce=nonce: self._write_id_of(payment, slot) == nonce,  # type: ignore[misc]
                    dynamodb=self.duty.dynamodb,
                )
            except TransactionRefused:
                continue
            return True
        return False

    def forget(self, row: OpenRow) -> None:
        transact([self.duty.delete(keys.open_payment(row.payment_id, row.due_at))], dynamodb=self.duty.dynamodb)

    # -- parts of transactions -----------------------------------------------------------------------

    def write(self, writes: Sequence[Item], after: Payment) -> None:
        """One transaction that holds the event of `after`'s version, by which our own work is recognised."""
        number = after.version * EVENTS_PER_VERSION
        nonce = _write_id_among(writes)
        transact(writes, mine=lambda: self._write_id_of(after, number) == nonce, dynamodb=self.duty.dynamodb)

    def _write_id_of(self, payment: Payment, number: int) -> str | None:
        item = self.duty.get(_event_key(payment, number))
        return None if item is None else str(item["write_id"])

    def _version_of(self, payment: Payment) -> int:
        item = self.duty.get(_key(payment)) or {}
        return int(item.get("version", 0))

    def transition(self, before: Payment, after: Payment, event: Event) -> list[Item]:
        return [
            self._payment_put(before, after),
            *self._event_write(after, event),
            *self._open_moves(before, after),
        ]

    def _payment_put(self, before: Payment, after: Payment) -> Item:
        return self.duty.put(
            _key(after),
            items.payment_item(after),
            UNMOVED,
            status_before=before.status.value,
            version_before=before.version,
        )

    def _event_write(self, payment: Payment, event: Event, number: int | None = None) -> list[Item]:
        slot = payment.version * EVENTS_PER_VERSION if number is None else number
        item = items.event_item(payment, event, slot, secrets.token_hex(16))
        return [self.duty.put_new(_event_key(payment, slot), item)]

    def _open_moves(self, before: Payment | None, after: Payment) -> Iterator[Item]:
        old = to_rfc3339(before.open_due_at) if before and before.open_due_at else None
        new = to_rfc3339(after.open_due_at) if after.open_due_at else None
        if old == new:
            return
        if old is not None:
            yield self.duty.delete(keys.open_payment(after.payment_id, old))
        if new is not None:
            yield self.duty.put(keys.open_payment(after.payment_id, new), {"payment_id": after.payment_id})

    def _leases(self, payment: Payment, now: datetime, *, confirmed: bool = False) -> Iterator[Item]:
        """Takes each duty, or keeps it; the duty's own item decides, whatever plate and city it is paid by."""
        values = {"leased": LEASED, "payment": payment.payment_id, "now": to_rfc3339(now)}
        for part in payment.years:
            lease = items.lease_item(payment, part.year, confirmed=confirmed)
            yield self.duty.put(keys.duty(payment.vehicle_id, part.year), lease, TAKE, **values)

    def _paid(self, payment: Payment, now: datetime, condition: str, values: Mapping[str, Any]) -> Iterator[Item]:
        """Each duty paid, and its obligation noted where the car was looked up.

        The condition says when it is this payment's to pay.

        A plate passes from car to car. Another car's obligation of that year on this plate stays what it is; ours
        stands beside it then.
        """
        collection = keys.collection(payment.municipality, payment.plate)
        noted = {item["sk"]: item["vehicle_id"] for item in self.duty.query(collection, keys.OBLIGATION_PREFIX)}
        for part in payment.years:
            paid = items.paid_item(payment, part, now)
            yield self.duty.put(keys.duty(payment.vehicle_id, part.year), paid, condition, **values)
            pk, sk = keys.obligation(payment.municipality, payment.plate, part.year)
            if noted.get(sk, payment.vehicle_id) != payment.vehicle_id:
                sk = f"{sk}#{payment.vehicle_id}"
            yield self.duty.put((pk, sk), {name: paid[name] for name in paid if name not in _OF_THE_COLLECTION})

    def pointer(self, identifier: str, target: keys.Key, municipality: str) -> Item:
        place = {"target_pk": target[0], "target_sk": target[1], "municipality": municipality}
        return self.duty.put_new(keys.pointer(identifier), place)

    def journal(self, entry: JournalEntry) -> Item:
        key = keys.journal(entry.municipality, entry.day, entry.payment_id, entry.journal_id)
        return self.ledger.put_new(key, items.journal_item(entry))

    def refund_writes(self, refund: Refund) -> list[Item]:
        """A new refund, with its pointer and its places in the lists."""
        key = keys.refund(refund.municipality, refund.plate, refund.refund_id)
        place = {"target_pk": key[0], "target_sk": key[1]}
        writes = [
            self.duty.put_new(key, items.refund_item(refund)),
            self.pointer(refund.refund_id, key, refund.municipality),
            self.duty.put_new(keys.refunds_of(refund.municipality, refund.refund_id), place),
        ]
        if refund.open_due_at is not None:
            due_at = to_rfc3339(refund.open_due_at)
            row = {"payment_id": refund.refund_id}
            writes.append(self.duty.put(keys.open_payment(refund.refund_id, due_at), row))
        return writes

    def _holders(self, payment: Payment) -> list[tuple[keys.Key, Item | None]]:
        """What stands at the payment's duties.

        Plain consistent reads: a transaction of reads is refused while somebody writes, which is when we ask.
        """
        wanted = [keys.duty(payment.vehicle_id, part.year) for part in payment.years]
        return [(key, self.duty.get(key)) for key in wanted]

    def _explain(self, payment: Payment, now: datetime) -> None:
        """Raises what stands in the way of the leases; returns when nothing does (any more)."""
        now_text = to_rfc3339(now)
        blocking = [
            holder
            for _, holder in self._holders(payment)
            if holder is not None and not may_take(holder, payment.payment_id, now_text)
        ]
        if any(holder["status"] == PAID for holder in blocking):
            raise DutyPaid()
        if blocking:
            mine = {
                str(holder["payment_id"]) for holder in blocking if holder.get("created_by") == payment.created_by
            }
            until = max(str(holder["lease_until_at"]) for holder in blocking)
            raise DutyLocked(
                extra={
                    "locked_until_at": until,
                    **({"payment_id": mine.pop()} if len(mine) == 1 else {}),
                }
            )


def _write_id_among(writes: Sequence[Item]) -> str | None:
    for write in writes:
        item = write.get("Put", {}).get("Item", {})
        if "write_id" in item:
            return str(item["write_id"]["S"])
    raise ValueError("the transaction holds no event")


def _operator(payment: Payment) -> str:
    """Whose numbers the references are: a gateway's, a bank's, a terminal's."""
    return payment.gateway if payment.channel == "gateway" else f"{payment.channel}:{payment.gateway}"


def _owner(payment: Payment, now: datetime) -> Item:
    return {"payment_id": payment.payment_id, "created_at": to_rfc3339(now)}


def _event_key(payment: Payment, number: int) -> keys.Key:
    if payment.parts:
        return keys.joint_event(payment.payment_id, number)
    return keys.payment_event(payment.municipality, payment.plate, payment.payment_id, number)


def _key(payment: Payment) -> keys.Key:
    if payment.parts:
        return keys.joint_payment(payment.payment_id)
    return keys.payment(payment.municipality, payment.plate, payment.payment_id)
