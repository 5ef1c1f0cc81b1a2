"""The writes that transactions of payments are put together from, each with the condition it needs."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from avarez import keys
from avarez.clock import to_rfc3339
from avarez.duties import FREE
from avarez.dynamo import Item, transact
from avarez.errors import BillOpen, DutyByInstalments, DutyLocked, DutyPaid
from avarez.events.log import waiting_write
from avarez.journal import JournalEntry, journal_item
from functions.pay.rules import announcing
from functions.pay.rules.leases import BOUND, IN_FORCE, LEASED, PAID, VOID, may_take
from functions.pay.rules.records import EVENTS_PER_VERSION, Event, Payment
from functions.pay.rules.refunds import Found, Refund
from functions.pay.stores import items
from functions.pay.stores.payment_reads import PaymentReads, event_key, payment_key

if TYPE_CHECKING:
    from functions.pay.rules.instalments import Agreement

TAKE = (
    "attribute_not_exists(pk) OR ( #status = :leased AND ( payment_id = :payment OR "
    "( attribute_not_exists(confirmed) AND lease_until_at < :now ) ) )"
)
"""`leases.may_take` as a condition."""

HOLD = "#status = :leased AND payment_id = :payment"
"""`leases.holds` as a condition."""

BILL_LAPSED = "attribute_not_exists(pk) OR lapses_at < :now"
"""No bill of the vehicle in the city can be paid."""

UNMOVED = "#status = :status_before AND version = :version_before"
_OF_THE_COLLECTION = ("municipality", "plate")
"""What an obligation's key says already; `plate` would put it into the index of plates besides."""
BILL_CHANNEL = "bill"


class TransactionParts(PaymentReads):
    """Parts of transactions, and what a refusal of one means."""

    def write(self, writes: Sequence[Item], after: Payment) -> None:
        """One transaction that holds the event of `after`'s version, by which our own work is recognised."""
        number = after.version * EVENTS_PER_VERSION
        nonce = _write_id_among(writes)
        transact(writes, mine=lambda: self._write_id_of(after, number) == nonce, dynamodb=self.duty.dynamodb)

    def transition(self, before: Payment, after: Payment, event: Event) -> list[Item]:
        return [
            self._payment_put(before, after),
            *self._event_write(after, event),
            *self._open_moves(before, after),
            *self._suspense_moves(before, after),
        ]

    def _suspense_moves(self, before: Payment | None, after: Payment) -> Iterator[Item]:
        """The city's list of money in suspense follows the payment."""
        was, now = before is not None and before.held_in_suspense, after.held_in_suspense
        key = keys.suspense(after.municipality, after.payment_id)
        if now and not was:
            yield self.duty.put(key, {"payment_id": after.payment_id})
        if was and not now:
            yield self.duty.delete(key)

    def _payment_put(self, before: Payment, after: Payment) -> Item:
        return self.duty.put(
            payment_key(after),
            items.payment_item(after),
            UNMOVED,
            status_before=before.status.value,
            version_before=before.version,
        )

    def _event_write(self, payment: Payment, event: Event, number: int | None = None) -> list[Item]:
        slot = payment.version * EVENTS_PER_VERSION if number is None else number
        item = items.event_item(payment, event, slot, secrets.token_hex(16))
        return [self.duty.put_new(event_key(payment, slot), item)]

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
        for claim in payment.claims:
            lease = items.lease_item(payment, claim, confirmed=confirmed)
            yield self.duty.put(keys.duty(*claim), lease, TAKE, **values)
        yield from self._agreement_waits(payment)

    def _agreement_waits(self, payment: Payment) -> Iterator[Item]:
        """Of a part: that its agreement is in force and waits for this very part."""
        if payment.agreement_id:
            yield self.duty.check(
                keys.agreement(payment.municipality, payment.plate, payment.agreement_id),
                "#status = :in_force AND paid_parts = :before",
                in_force=IN_FORCE,
                before=payment.instalment - 1,
            )

    def _payable(self, payment: Payment) -> Agreement:
        """The agreement of a part, waiting for it.

        Raises:
            DutyPaid: it is paid, or the agreement is over.
        """
        agreement = self.agreement(payment.agreement_id)
        if agreement is None or agreement.status != IN_FORCE:
            raise DutyPaid()
        if agreement.paid_parts != payment.instalment - 1:
            raise DutyPaid()
        return agreement

    def _paid(self, payment: Payment, now: datetime, condition: str, values: Mapping[str, Any]) -> Iterator[Item]:
        """Each duty paid, and its obligation noted where the car was looked up.

        The condition says when it is this payment's to pay.

        A plate passes from car to car. Another car's obligation of that year on this plate stays what it is; ours
        stands beside it then.
        """
        collection = keys.collection(payment.municipality, payment.plate)
        noted = {item["sk"]: item["vehicle_id"] for item in self.duty.query(collection, keys.OBLIGATION_PREFIX)}
        for claim, amount_rial in payment.pays:
            paid = items.paid_item(payment, claim, amount_rial, now)
            yield self.duty.put(keys.duty(*claim), paid, condition, **values)
        for part in payment.certified:
            paid = items.paid_item(payment, (payment.vehicle_id, part.year), part.amount_rial, now)
            pk, sk = keys.obligation(payment.municipality, payment.plate, part.year)
            if noted.get(sk, payment.vehicle_id) != payment.vehicle_id:
                sk = f"{sk}#{payment.vehicle_id}"
            yield self.duty.put((pk, sk), {name: paid[name] for name in paid if name not in _OF_THE_COLLECTION})

    def _settled(self, after: Payment, event: Event, entry: JournalEntry, outbox_event_id: str) -> list[Item]:
        """The journal entry, the outbox row and the reserved certificate of a settled payment.

        A part that pays no year's last rial has no certificate.
        """
        if not after.certificate_id:
            return self.journal(entry, after)
        certificate_key = keys.certificate(after.municipality, after.plate, after.certificate_id)
        outbox_key = keys.outbox(after.municipality, after.payment_id, outbox_event_id)
        return [
            *self.journal(entry, after),
            self.ledger.put_new(outbox_key, items.outbox_item(after, outbox_event_id, event.at)),
            self.duty.put_new(certificate_key, items.certificate_item(after, event.at)),
            self.pointer(after.certificate_id, certificate_key, after.municipality),
        ]

    def pointer(self, identifier: str, target: keys.Key, municipality: str) -> Item:
        place = {**keys.leading_to(target), "municipality": municipality}
        return self.duty.put_new(keys.pointer(identifier), place)

    def journal(
        self, entry: JournalEntry, payment: Payment | None = None, refund: Refund | None = None
    ) -> list[Item]:
        """The entry, and the event of it that waits for its place in the city's chain."""
        key = keys.journal(entry.municipality, entry.day, entry.payment_id, entry.journal_id)
        return [
            self.ledger.put_new(key, journal_item(entry)),
            waiting_write(self.ledger, announcing.of_entry(entry, payment, refund)),
        ]

    def refund_writes(self, refund: Refund) -> list[Item]:
        """A new refund, with its pointer and its places in the lists."""
        key = keys.refund(refund.municipality, refund.plate, refund.refund_id)
        place = keys.leading_to(key)
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
        for claim in payment.claims:
            yield self.duty.check(keys.duty(*claim), FREE, **values)
        yield from self._agreement_waits(payment)

    def _no_open_bill(self, payment: Payment, now: datetime) -> Iterator[Item]:
        """No other bill can be paid; a new one says from now on that it can."""
        if payment.parts:
            return
        key = keys.open_bill(payment.vehicle_id, payment.municipality)
        condition, values = BILL_LAPSED, {"now": to_rfc3339(now)}
        if payment.channel == BILL_CHANNEL:
            bill = {"payment_id": payment.payment_id, "lapses_at": to_rfc3339(payment.expires_at)}
            yield self.duty.put(key, bill, condition, **values)
        else:
            yield self.duty.check(key, condition, **values)

    def _bill_closed(self, payment: Payment) -> Iterator[Item]:
        """Takes back what says that this bill can be paid, where it still does."""
        key = keys.open_bill(payment.vehicle_id, payment.municipality)
        standing = self.duty.get(key) if payment.channel == BILL_CHANNEL else None
        if standing is not None and standing["payment_id"] == payment.payment_id:
            yield self.duty.delete(key, "payment_id = :payment", payment=payment.payment_id)

    def _found(self, found: Found) -> list[Item]:
        payment = found.payment
        key = payment_key(payment)
        return [
            self.duty.put_new(key, items.payment_item(payment)),
            self.pointer(payment.payment_id, key, payment.municipality),
            *self._event_write(payment, found.event),
            *self._suspense_moves(None, payment),
            *self.journal(found.entry, payment, found.refund),
            *(self.refund_writes(found.refund) if found.refund is not None else ()),
        ]

    def _explain(self, payment: Payment, now: datetime) -> None:
        """Raises what stands in the way of the leases; returns when nothing does (any more)."""
        self._explain_claims(payment.claims, payment.payment_id, payment.created_by, now)
        if payment.agreement_id:
            self._payable(payment)

    def _explain_claims(
        self, claims: Sequence[tuple[str, int]], payment_id: str, created_by: str, now: datetime
    ) -> None:
        now_text = to_rfc3339(now)
        blocking = [
            holder
            for _, holder in self._holders_of(claims)
            if holder is not None and not may_take(holder, payment_id, now_text)
        ]
        if any(holder["status"] in (PAID, VOID) for holder in blocking):
            raise DutyPaid()
        if bound := [holder for holder in blocking if holder["status"] == BOUND]:
            raise DutyByInstalments(extra={"agreement_id": str(bound[0]["agreement_id"])})
        if blocking:
            mine = {str(holder["payment_id"]) for holder in blocking if holder.get("created_by") == created_by}
            until = max(str(holder["lease_until_at"]) for holder in blocking)
            raise DutyLocked(
                extra={
                    "locked_until_at": until,
                    **({"payment_id": mine.pop()} if len(mine) == 1 else {}),
                }
            )

    def _explain_bill(self, vehicle_id: str, municipality: str, now: datetime) -> None:
        """Raises `BillOpen` when that is what stands in the way."""
        standing = self.duty.get(keys.open_bill(vehicle_id, municipality))
        if standing is not None and str(standing["lapses_at"]) >= to_rfc3339(now):
            extra = {"payment_id": str(standing["payment_id"]), "expires_at": str(standing["lapses_at"])}
            raise BillOpen(extra=extra)


def _write_id_among(writes: Sequence[Item]) -> str | None:
    for write in writes:
        item = write.get("Put", {}).get("Item", {})
        if "write_id" in item:
            return str(item["write_id"]["S"])
    raise ValueError("the transaction holds no event")
