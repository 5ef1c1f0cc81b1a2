"""Payments in DynamoDB: the only module of this folder that knows it.

Each write is one transaction whose conditions name the state it expects. An event's number follows from the
payment's version, so the event of a transition also tells, after a lost response, whose work stands there.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from avarez import keys
from avarez.clock import from_rfc3339, tehran_today, to_rfc3339
from avarez.dynamo import Item, Table, from_item, transact, translated
from avarez.errors import DutyLocked, DutyPaid, ReferenceReused, ServiceBusy, TransactionRefused
from functions.pay.leases import LEASED, PAID, holds, may_take
from functions.pay.records import (
    EVENTS_PER_VERSION,
    Event,
    JournalEntry,
    OpenRow,
    Payment,
    Quote,
    Replay,
    YearAmount,
)
from functions.pay.states import Occurrence, Status

TAKE = (
    "attribute_not_exists(pk) OR ( #status = :leased AND ( payment_id = :payment OR "
    "( attribute_not_exists(confirmed) AND lease_until_at < :now ) ) )"
)
"""`leases.may_take` as a condition."""

HOLD = "#status = :leased AND payment_id = :payment"
"""`leases.holds` as a condition."""

UNMOVED = "#status = :status_before AND version = :version_before"
EVENTS_READ_MAX = 1_000
_SLOT_ATTEMPTS_MAX = 8
_CLOSE_ATTEMPTS_MAX = 4


class DynamoStore:
    """The store over the duty and the ledger table."""

    def __init__(self, duty: Table, ledger: Table) -> None:
        self._duty = duty
        self._ledger = ledger

    # -- reads ---------------------------------------------------------------------------------------

    def quote(self, assessment_id: str) -> Quote | None:
        """The stored assessment, or None."""
        item = self._pointed(assessment_id)
        return None if item is None else _quote(item)

    def fee_rial(self, municipality: str) -> int:
        """The fee that comes on top of a payment to this city; nothing unless set."""
        settings = self._duty.get(keys.municipality_setting(municipality)) or {}
        return int(settings.get("fee_rial", 0))

    def payment(self, payment_id: str) -> Payment | None:
        item = self._pointed(payment_id)
        return None if item is None else _payment(item)

    def events(self, payment: Payment) -> Sequence[Event]:
        """The payment's history, oldest first; at most 1,000 events."""
        prefix = keys.payment_event(payment.municipality, payment.plate, payment.payment_id, 0)[1][:-4]
        items = self._duty.query(
            keys.collection(payment.municipality, payment.plate), prefix, limit=EVENTS_READ_MAX
        )
        return [_event(item) for item in sorted(items, key=lambda item: (item["at"], item["number"]))]

    def replay(self, caller: str, route: str, key: str) -> Replay | None:
        item = self._duty.get(keys.idempotency(caller, route, key))
        if item is None:
            return None
        memory = str(item["body_hash"]), str(item["payment_id"]), int(item["expires_at_epoch"])
        return Replay(caller, route, key, *memory)

    def due(self, shard: int, now: datetime, limit: int) -> Sequence[OpenRow]:
        """Open payments of one shard whose time has come, longest overdue first."""
        rows = self._duty.query(keys.open_payments(shard), upto=to_rfc3339(now) + "$", limit=limit)
        return [OpenRow(str(row["payment_id"]), str(row["sk"]).partition("#")[0]) for row in rows]

    def _pointed(self, identifier: str) -> Item | None:
        pointer = self._duty.get(keys.pointer(identifier))
        if pointer is None:
            return None
        return self._duty.get((str(pointer["target_pk"]), str(pointer["target_sk"])))

    # -- writes --------------------------------------------------------------------------------------

    def create(self, payment: Payment, event: Event, replay: Replay) -> None:
        """Writes a new payment, its pointer, leases, open row and the Idempotency-Key's memory, all or none."""
        key = _key(payment)
        writes = [
            self._duty.put_new(key, _payment_item(payment)),
            self._duty.put_new(
                keys.pointer(payment.payment_id),
                {"target_pk": key[0], "target_sk": key[1], "municipality": payment.municipality},
            ),
            self._duty.put_new(
                keys.idempotency(replay.caller, replay.route, replay.key),
                {
                    "body_hash": replay.body_hash,
                    "payment_id": replay.payment_id,
                    "expires_at_epoch": replay.expires_epoch_s,
                },
            ),
            *self._event_write(payment, event),
            *self._open_moves(None, payment),
            *self._leases(payment, event.at),
        ]
        try:
            self._write(writes, payment)
        except TransactionRefused as refusal:
            if refusal.reasons[2] is None:
                self._explain(payment, event.at)
            raise

    def advance(self, before: Payment, after: Payment, event: Event) -> None:
        self._write(self._transition(before, after, event), after)

    def begin_verifying(self, before: Payment, after: Payment, event: Event) -> None:
        """The reference, the confirmed leases and the new state, in one transaction."""
        reference = self._duty.put(
            keys.reference(after.gateway, after.reference),
            {"payment_id": after.payment_id, "created_at": to_rfc3339(event.at)},
            "attribute_not_exists(pk) OR payment_id = :payment",
            payment=after.payment_id,
        )
        transition = self._transition(before, after, event)
        leases = self._leases(after, event.at, confirmed=True)
        try:
            self._write([*transition, reference, *leases], after)
        except TransactionRefused as refusal:
            if refusal.reasons[0] is not None:
                raise
            if refusal.reasons[len(transition)] is not None:
                raise ReferenceReused() from refusal
            self._explain(after, event.at)
            raise

    def resume_waiting(self, before: Payment, after: Payment, event: Event) -> None:
        """Back to waiting for the payer: the reference is free again, the leases lapse by time."""
        self._write(
            [
                *self._transition(before, after, event),
                self._duty.delete(
                    keys.reference(before.gateway, before.reference),
                    "attribute_not_exists(pk) OR payment_id = :payment",
                    payment=before.payment_id,
                ),
                *self._duty_writes(
                    after, self._lease_item(after), HOLD, {"leased": LEASED, "payment": after.payment_id}
                ),
            ],
            after,
        )

    def close(self, before: Payment, after: Payment, event: Event, entry: JournalEntry | None = None) -> None:
        """The end of a payment that paid no duty. Leases that somebody else took meanwhile stay theirs."""
        for _ in range(_CLOSE_ATTEMPTS_MAX):
            writes = self._transition(before, after, event)
            if entry is not None:
                writes.append(self._journal(entry))
            freed = [
                self._duty.delete(key, HOLD, leased=LEASED, payment=before.payment_id)
                for key, holder in self._holders(before)
                if holds(holder, before.payment_id)
            ]
            try:
                self._write([*writes, *freed], after)
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
        now_text = to_rfc3339(event.at)
        certificate_key = keys.certificate(after.municipality, after.plate, after.certificate_id)
        paid_on = tehran_today(event.at).isoformat()
        certificate = {
            "certificate_id": after.certificate_id,
            "payment_id": after.payment_id,
            "status": "preparing",
            "kind": "payment",
            "municipality": after.municipality,
            "plate": after.plate,
            "vehicle_id": after.vehicle_id,
            "years": _years(after.years),
            "rounding_rial": after.rounding_rial,
            "fee_rial": after.fee_rial,
            "amount_rial": after.amount_rial,
            "paid_at": now_text,
            "trace_hash": after.trace_hash,
            "reference": after.reference,
            "gateway": after.gateway,
        }
        outbox = {
            "event_id": outbox_event_id,
            "type": "payment.settled",
            "payment_id": after.payment_id,
            "municipality": after.municipality,
            "certificate_id": after.certificate_id,
            "created_at": now_text,
            "pending_shard": str(keys.shard_of(after.payment_id)),
        }
        paid = {"status": PAID, "payment_id": after.payment_id, "paid_at": now_text, "paid_on": paid_on}
        self._write(
            [
                *self._transition(before, after, event),
                self._journal(entry),
                self._ledger.put_new(keys.outbox(after.municipality, after.payment_id, outbox_event_id), outbox),
                self._duty.put_new(certificate_key, certificate),
                self._duty.put_new(
                    keys.pointer(after.certificate_id),
                    {
                        "target_pk": certificate_key[0],
                        "target_sk": certificate_key[1],
                        "municipality": after.municipality,
                    },
                ),
                *self._duty_writes(after, paid, HOLD, {"leased": LEASED, "payment": after.payment_id}),
            ],
            after,
        )

    def postpone(self, before: Payment, after: Payment) -> None:
        """Moves the sweep's next look; nothing else."""
        transact(
            [self._payment_put(before, after), *self._open_moves(before, after)],
            mine=lambda: self._version_of(after) == after.version,
            dynamodb=self._duty.dynamodb,
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
                    dynamodb=self._duty.dynamodb,
                )
            except TransactionRefused:
                continue
            return True
        return False

    def forget(self, row: OpenRow) -> None:
        transact([self._duty.delete(keys.open_payment(row.payment_id, row.due_at))], dynamodb=self._duty.dynamodb)

    # -- parts of transactions -----------------------------------------------------------------------

    def _write(self, writes: Sequence[Item], after: Payment) -> None:
        """One transaction that holds the event of `after`'s version, by which our own work is recognised."""
        number = after.version * EVENTS_PER_VERSION
        nonce = _write_id_among(writes)
        transact(writes, mine=lambda: self._write_id_of(after, number) == nonce, dynamodb=self._duty.dynamodb)

    def _write_id_of(self, payment: Payment, number: int) -> str | None:
        item = self._duty.get(keys.payment_event(payment.municipality, payment.plate, payment.payment_id, number))
        return None if item is None else str(item["write_id"])

    def _version_of(self, payment: Payment) -> int:
        item = self._duty.get(_key(payment)) or {}
        return int(item.get("version", 0))

    def _transition(self, before: Payment, after: Payment, event: Event) -> list[Item]:
        return [
            self._payment_put(before, after),
            *self._event_write(after, event),
            *self._open_moves(before, after),
        ]

    def _payment_put(self, before: Payment, after: Payment) -> Item:
        return self._duty.put(
            _key(after),
            _payment_item(after),
            UNMOVED,
            status_before=before.status.value,
            version_before=before.version,
        )

    def _event_write(self, payment: Payment, event: Event, number: int | None = None) -> list[Item]:
        slot = payment.version * EVENTS_PER_VERSION if number is None else number
        item = {
            "payment_id": payment.payment_id,
            "number": slot,
            "occurrence": event.occurrence.value,
            "source": event.source,
            "at": to_rfc3339(event.at),
            "before": event.before.value if event.before else None,
            "after": event.after.value,
            "note": dict(event.note),
            "write_id": secrets.token_hex(16),
        }
        key = keys.payment_event(payment.municipality, payment.plate, payment.payment_id, slot)
        return [self._duty.put_new(key, item)]

    def _open_moves(self, before: Payment | None, after: Payment) -> Iterator[Item]:
        old = to_rfc3339(before.open_due_at) if before and before.open_due_at else None
        new = to_rfc3339(after.open_due_at) if after.open_due_at else None
        if old == new:
            return
        if old is not None:
            yield self._duty.delete(keys.open_payment(after.payment_id, old))
        if new is not None:
            yield self._duty.put(keys.open_payment(after.payment_id, new), {"payment_id": after.payment_id})

    def _lease_item(self, payment: Payment, *, confirmed: bool = False) -> Item:
        until = payment.verify_until_at if confirmed else payment.expires_at
        item: Item = {
            "status": LEASED,
            "payment_id": payment.payment_id,
            "lease_until_at": to_rfc3339(until),
            "created_by": payment.created_by,
        }
        return {**item, "confirmed": True} if confirmed else item

    def _leases(self, payment: Payment, now: datetime, *, confirmed: bool = False) -> Iterator[Item]:
        return self._duty_writes(
            payment,
            self._lease_item(payment, confirmed=confirmed),
            TAKE,
            {"leased": LEASED, "payment": payment.payment_id, "now": to_rfc3339(now)},
        )

    def _duty_writes(
        self, payment: Payment, item: Item, condition: str, values: Mapping[str, Any]
    ) -> Iterator[Item]:
        """For each year the item that decides, and its obligation in the collection."""
        for part in payment.years:
            common = {**item, "vehicle_id": payment.vehicle_id, "year": part.year}
            place = {"municipality": payment.municipality, "plate": payment.plate}
            yield self._duty.put(
                keys.duty(payment.vehicle_id, part.year), {**common, **place}, condition, **values
            )
            yield self._duty.put(
                keys.obligation(payment.municipality, payment.plate, part.year),
                {**common, "amount_rial": part.amount_rial},
                condition,
                **values,
            )

    def _journal(self, entry: JournalEntry) -> Item:
        return self._ledger.put_new(
            keys.journal(entry.municipality, entry.day, entry.payment_id, entry.journal_id),
            {
                "journal_id": entry.journal_id,
                "payment_id": entry.payment_id,
                "municipality": entry.municipality,
                "kind": entry.kind,
                "gateway": entry.gateway,
                "reference": entry.reference,
                "day": entry.day,
                "created_at": to_rfc3339(entry.created_at),
                "postings": [
                    {
                        "account": posting.account,
                        "debit_rial": posting.debit_rial,
                        "credit_rial": posting.credit_rial,
                    }
                    for posting in entry.postings
                ],
                "years": _years(entry.years),
                "content_hash": entry.content_hash,
            },
        )

    def _holders(self, payment: Payment) -> list[tuple[keys.Key, Item | None]]:
        """What stands at the payment's duties and obligations, read together."""
        wanted: list[keys.Key] = []
        for part in payment.years:
            wanted.append(keys.duty(payment.vehicle_id, part.year))
            wanted.append(keys.obligation(payment.municipality, payment.plate, part.year))
        gets = [
            {"Get": {"TableName": self._duty.name, "Key": {"pk": {"S": pk}, "sk": {"S": sk}}}} for pk, sk in wanted
        ]
        with translated():
            answer = self._duty.dynamodb.transact_get_items(TransactItems=gets)
        found = [from_item(entry["Item"]) if entry.get("Item") else None for entry in answer["Responses"]]
        return list(zip(wanted, found, strict=True))

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


def _key(payment: Payment) -> keys.Key:
    return keys.payment(payment.municipality, payment.plate, payment.payment_id)


def _years(years: Sequence[YearAmount]) -> list[Item]:
    return [{"year": part.year, "amount_rial": part.amount_rial} for part in years]


def _payment_item(payment: Payment) -> Item:
    """The stored form; the plate is `plate_key`, so that payments stay out of the index of plates."""
    return {
        "payment_id": payment.payment_id,
        "assessment_id": payment.assessment_id,
        "municipality": payment.municipality,
        "plate_key": payment.plate,
        "vehicle_id": payment.vehicle_id,
        "years": _years(payment.years),
        "rounding_rial": payment.rounding_rial,
        "fee_rial": payment.fee_rial,
        "amount_rial": payment.amount_rial,
        "status": payment.status.value,
        "channel": payment.channel,
        "gateway": payment.gateway,
        "order_id": payment.payment_id,
        "created_by": payment.created_by,
        "office": payment.office,
        "created_at": to_rfc3339(payment.created_at),
        "expires_at": to_rfc3339(payment.expires_at),
        "verify_until_at": to_rfc3339(payment.verify_until_at),
        "trace_hash": payment.trace_hash,
        "tariff_version": payment.tariff_version,
        "return_url": payment.return_url,
        "version": payment.version,
        "open_due_at": to_rfc3339(payment.open_due_at) if payment.open_due_at else None,
        "token": payment.token,
        "redirect_url": payment.redirect_url,
        "reference": payment.reference,
        "suspicion": payment.suspicion,
        "verify_starts": payment.verify_starts,
        "settled_at": to_rfc3339(payment.settled_at) if payment.settled_at else None,
        "certificate_id": payment.certificate_id,
        "answer": dict(payment.answer) if payment.answer is not None else None,
    }


def _payment(item: Item) -> Payment:
    return Payment(
        payment_id=str(item["payment_id"]),
        assessment_id=str(item["assessment_id"]),
        municipality=str(item["municipality"]),
        plate=str(item["plate_key"]),
        vehicle_id=str(item["vehicle_id"]),
        years=_year_amounts(item["years"]),
        rounding_rial=int(item["rounding_rial"]),
        fee_rial=int(item["fee_rial"]),
        amount_rial=int(item["amount_rial"]),
        status=Status(item["status"]),
        channel=str(item["channel"]),
        gateway=str(item["gateway"]),
        created_by=str(item["created_by"]),
        office=str(item["office"]),
        created_at=from_rfc3339(item["created_at"]),
        expires_at=from_rfc3339(item["expires_at"]),
        verify_until_at=from_rfc3339(item["verify_until_at"]),
        trace_hash=str(item["trace_hash"]),
        tariff_version=str(item["tariff_version"]),
        return_url=str(item["return_url"]),
        version=int(item["version"]),
        open_due_at=from_rfc3339(item["open_due_at"]) if item.get("open_due_at") else None,
        token=str(item["token"]),
        redirect_url=str(item["redirect_url"]),
        reference=str(item["reference"]),
        suspicion=str(item["suspicion"]),
        verify_starts=int(item["verify_starts"]),
        settled_at=from_rfc3339(item["settled_at"]) if item.get("settled_at") else None,
        certificate_id=str(item["certificate_id"]),
        answer=item.get("answer"),
    )


def _event(item: Item) -> Event:
    return Event(
        occurrence=Occurrence(item["occurrence"]),
        source=str(item["source"]),
        at=from_rfc3339(item["at"]),
        before=Status(item["before"]) if item.get("before") else None,
        after=Status(item["after"]),
        note={str(name): str(value) for name, value in item["note"].items()},
    )


def _quote(item: Item) -> Quote:
    return Quote(
        assessment_id=str(item["assessment_id"]),
        municipality=str(item["municipality"]),
        plate=str(item["plate"]),
        vehicle_id=str(item["vehicle_id"]),
        as_of=date.fromisoformat(item["as_of"]),
        expires_at=from_rfc3339(item["expires_at"]).astimezone(UTC),
        years=_year_amounts(item["years"]),
        rounding_rial=int(item["rounding_rial"]),
        owed_rial=int(item["owed_rial"]),
        trace_hash=str(item["trace_hash"]),
        tariff_version=str(item["tariff_version"]),
    )


def _year_amounts(years: Sequence[Item]) -> tuple[YearAmount, ...]:
    return tuple(YearAmount(int(part["year"]), int(part["amount_rial"])) for part in years)
