"""The writes that agreements to pay by instalments are made, moved and ended with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from avarez import keys
from avarez.clock import to_rfc3339
from avarez.duties import FREE
from avarez.dynamo import Item, transact
from avarez.errors import DutyPaid, TransactionRefused
from functions.pay.rules.leases import BOUND, IN_FORCE, LEASED, PAID
from functions.pay.rules.records import Payment
from functions.pay.stores import items
from functions.pay.stores.agreement_items import agreement_item, bound_item, note_item, void_item
from functions.pay.stores.transaction_parts import BILL_LAPSED, TransactionParts

if TYPE_CHECKING:
    from functions.pay.rules.instalments import Agreement

BOUND_BY_US = "#status = :bound AND payment_id = :agreement"
PAID_BY_IT = "#status = :paid AND payment_id = :payment"


class AgreementParts(TransactionParts):
    """Agreements beside the payments of their parts."""

    def open_agreement(self, agreement: Agreement) -> None:
        key = _key(agreement)
        transact(
            [
                self.duty.put_new(key, agreement_item(agreement)),
                self.pointer(agreement.agreement_id, key, agreement.municipality),
                self.duty.put(
                    keys.agreements_of(agreement.municipality, agreement.agreement_id),
                    keys.leading_to(key),
                ),
            ],
            mine=lambda: self.agreement(agreement.agreement_id) == agreement,
            dynamodb=self.duty.dynamodb,
        )

    def reject_agreement(self, before: Agreement, after: Agreement) -> None:
        """It has bound nothing: only it itself changes."""
        moved = self.duty.put(_key(after), agreement_item(after), "version = :before", before=before.version)
        self._write_agreement([moved], after)

    def start_agreement(self, before: Agreement, after: Agreement, now: datetime) -> None:
        """Takes every year, or none; a bill that can still be paid stands in the way."""
        values = {"leased": LEASED, "now": to_rfc3339(now)}
        writes = [
            *self._agreement_moves(before, after),
            self.duty.check(
                keys.open_bill(after.vehicle_id, after.municipality), BILL_LAPSED, now=to_rfc3339(now)
            ),
            *(
                self.duty.put(keys.duty(after.vehicle_id, part.year), bound_item(after, part.year), FREE, **values)
                for part in after.years
            ),
        ]
        try:
            self._write_agreement(writes, after)
        except TransactionRefused as refusal:
            if refusal.reasons[0] is None:
                self._explain_bill(after.vehicle_id, after.municipality, now)
                claims = tuple((after.vehicle_id, part.year) for part in after.years)
                self._explain_claims(claims, after.agreement_id, after.requested_by, now)
            raise

    def break_agreement(self, before: Agreement, after: Agreement, now: datetime) -> None:
        """Lets the years go, unless somebody is paying the part at this moment."""
        number = before.paid_parts + 1
        values = {"leased": LEASED, "now": to_rfc3339(now)}
        writes = [
            *self._agreement_moves(before, after),
            self.duty.put(keys.duty(after.agreement_id, number), void_item(after, number), FREE, **values),
            *(
                self.duty.delete(
                    keys.duty(after.vehicle_id, part.year), BOUND_BY_US, bound=BOUND, agreement=after.agreement_id
                )
                for part in before.open_years
            ),
        ]
        self._write_agreement(writes, after)

    def _write_agreement(self, writes: list[Item], after: Agreement) -> None:
        transact(writes, mine=lambda: self.agreement(after.agreement_id) == after, dynamodb=self.duty.dynamodb)

    def _agreement_moves(self, before: Agreement, after: Agreement) -> Iterator[Item]:
        """The agreement, its note for quotes, and its row among what the sweep looks at."""
        yield self.duty.put(_key(after), agreement_item(after), "version = :before", before=before.version)
        yield self.duty.put(keys.agreement_note(after.vehicle_id, after.agreement_id), note_item(after))
        old, new = before.due_text, after.due_text
        if old and old != new:
            yield self.duty.delete(keys.open_payment(after.agreement_id, old))
        if new and old != new:
            row = {"payment_id": after.agreement_id}
            yield self.duty.put(keys.open_payment(after.agreement_id, new), row)

    def _paid(self, payment: Payment, now: datetime, condition: str, values: Mapping[str, Any]) -> Iterator[Item]:
        """As of any payment; of a part also its agreement, and the years whose last rial it pays.

        Raises:
            DutyPaid: the agreement waits for this part no longer.
        """
        yield from super()._paid(payment, now, condition, values)
        if not payment.agreement_id:
            return
        before = self._payable(payment)
        yield from self._agreement_moves(before, before.with_paid(payment.instalment))
        for part in payment.completes:
            claim = payment.vehicle_id, part.year
            paid = items.paid_item(payment, claim, part.amount_rial, now)
            yield self.duty.put(keys.duty(*claim), paid, BOUND_BY_US, bound=BOUND, agreement=payment.agreement_id)

    def part_given_back(self, payment: Payment, now: datetime) -> Iterator[Item]:
        """What the refund of a part changes: it is to be paid again, and years that it ended are open again.

        Raises:
            DutyPaid: a later part is paid.
        """
        before = self.agreement(payment.agreement_id)
        if before is None or before.paid_parts != payment.instalment:
            raise DutyPaid()
        after = before.without_paid(payment.instalment)
        runs = after.status == IN_FORCE
        ours = {"paid": PAID, "payment": payment.payment_id}
        yield from self._agreement_moves(before, after)
        part = keys.duty(payment.agreement_id, payment.instalment)
        if runs:
            yield self.duty.delete(part, PAID_BY_IT, **ours)
        else:
            yield self.duty.put(part, void_item(after, payment.instalment), PAID_BY_IT, **ours)
        for year in payment.completes:
            duty = keys.duty(payment.vehicle_id, year.year)
            if runs:
                yield self.duty.put(duty, bound_item(after, year.year), PAID_BY_IT, **ours)
            else:
                yield self.duty.delete(duty, PAID_BY_IT, **ours)
        if payment.instalment < len(after.parts) and runs:
            following = keys.duty(payment.agreement_id, payment.instalment + 1)
            yield self.duty.check(following, FREE, leased=LEASED, now=to_rfc3339(now))


def _key(agreement: Agreement) -> keys.Key:
    return keys.agreement(agreement.municipality, agreement.plate, agreement.agreement_id)
