"""What is read of payments in DynamoDB, and under which keys they stand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from avarez import keys
from avarez.clock import to_rfc3339
from avarez.dynamo import Item, Table, batch_get
from avarez.money import PARTS_PER_MILLION
from functions.pay.rules.fees import Bearer, Fee
from functions.pay.rules.leases import holds
from functions.pay.rules.records import (
    Chunk,
    Event,
    Member,
    OpenRow,
    Payment,
    Quote,
    Replay,
)
from functions.pay.stores import items
from functions.pay.stores.agreement_items import agreement_from

if TYPE_CHECKING:
    from functions.pay.rules.bills import BillTerms
    from functions.pay.rules.instalments import Agreement

EVENTS_READ_MAX = 1_000


class PaymentReads:
    """Reads of the duty and the ledger table; every one is strongly consistent."""

    def __init__(self, duty: Table, ledger: Table) -> None:
        self.duty = duty
        self.ledger = ledger

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

    def opened_by_office(self, office: str, day: date, *, before: str, limit: int) -> Sequence[Payment]:
        """What the office opened on the day, newest first, from before the payment named on."""
        rows = self.duty.query(
            keys.office_payments(office, day.isoformat()), upto=before, limit=limit + 1, descending=True
        )
        places = [keys.target(row) for row in rows if row["sk"] != before][:limit]
        found = batch_get(self.duty, places)
        return [items.payment_from(found[place]) for place in places if place in found]

    def agreement(self, agreement_id: str) -> Agreement | None:
        item = self.pointed(agreement_id)
        return None if item is None else agreement_from(item)

    def agreements_of(self, municipality: str, *, before: str, limit: int) -> Sequence[Agreement]:
        """The city's agreements as they stand, the newest first, from before the one named on."""
        partition, _ = keys.agreements_of(municipality, "")
        rows = self.duty.query(partition, upto=before, limit=limit + 1, descending=True)
        places = [keys.target(row) for row in rows if row["sk"] != before][:limit]
        found = batch_get(self.duty, places)
        return [agreement_from(found[place]) for place in places if place in found]

    def events(self, payment: Payment) -> Sequence[Event]:
        """The payment's history, oldest first; at most 1,000 events."""
        partition, first = event_key(payment, 0)
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
        from functions.pay.rules.bills import BillTerms  # few payments are bills

        settings = self.duty.get(keys.municipality_setting(municipality)) or {}
        company_code = int(settings.get("bill_company_code", 0))
        return BillTerms(company_code, int(settings.get("bill_valid_days", 10))) if company_code else None

    def members(self, payment: Payment, number: int) -> Sequence[Member]:
        item = self.duty.get(keys.joint_members(payment.payment_id, number)) or {"members": []}
        return [Member(str(of["assessment_id"]), str(of["payment_id"])) for of in item["members"]]

    def chunks(self, payment: Payment) -> Sequence[Chunk]:
        """How far every chunk of the payment is; at most a thousand."""
        partition, first = keys.joint_chunk(payment.payment_id, 0)
        return [items.chunk_from(item) for item in self.duty.query(partition, first[:-5])]

    def holds_duties(self, payment: Payment) -> bool:
        return all(holds(holder, payment.payment_id) for _, holder in self._holders(payment))

    def pointed(self, identifier: str) -> Item | None:
        return self.duty.follow(keys.pointer(identifier))

    def _holders(self, payment: Payment) -> list[tuple[keys.Key, Item | None]]:
        """What stands at the payment's duties.

        Plain consistent reads: a transaction of reads is refused while somebody writes, which is when we ask.
        """
        return self._holders_of(payment.claims)

    def _holders_of(self, claims: Sequence[tuple[str, int]]) -> list[tuple[keys.Key, Item | None]]:
        return [(keys.duty(*claim), self.duty.get(keys.duty(*claim))) for claim in claims]

    def _write_id_of(self, payment: Payment, number: int) -> str | None:
        item = self.duty.get(event_key(payment, number))
        return None if item is None else str(item["write_id"])

    def _version_of(self, payment: Payment) -> int:
        item = self.duty.get(payment_key(payment)) or {}
        return int(item.get("version", 0))


def event_key(payment: Payment, number: int) -> keys.Key:
    if payment.parts:
        return keys.joint_event(payment.payment_id, number)
    return keys.payment_event(payment.municipality, payment.plate, payment.payment_id, number)


def payment_key(payment: Payment) -> keys.Key:
    if payment.parts:
        return keys.joint_payment(payment.payment_id)
    return keys.payment(payment.municipality, payment.plate, payment.payment_id)


def operator_of(payment: Payment) -> str:
    """Whose numbers the references are: a gateway's, a bank's, a terminal's."""
    return payment.gateway if payment.channel == "gateway" else f"{payment.channel}:{payment.gateway}"
