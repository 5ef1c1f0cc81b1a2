"""A payment as its papers show it: parsed once from the store, whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from avarez import keys
from avarez.clock import from_rfc3339
from avarez.dynamo import Table, batch_get

CHUNKS_MAX: Final = 1_000
"""Of members of one joint payment: 10,000 quotes, 20 a chunk, and room for more."""
ID_DIGITS: Final = 13
"""Bill id and payment id stand in the barcode with zeros in front, thirteen digits each."""


@dataclass(frozen=True, slots=True)
class PaidYear:
    """One duty year and its amount."""

    year: int
    amount_rial: int


@dataclass(frozen=True, slots=True)
class PaymentRecord:
    """What a slip or a receipt says of a payment; `plate` is empty for a joint one."""

    payment_id: str
    municipality: str
    plate: str
    status: str
    channel: str
    gateway: str
    office: str
    created_by: str
    years: tuple[PaidYear, ...]
    rounding_rial: int
    fee_rial: int
    amount_rial: int
    refunded_rial: int
    parts: int
    bill_id: str
    payment_code: str
    reference: str
    tracking: str
    certificate_id: str
    created_at: datetime
    expires_at: datetime
    settled_at: datetime | None

    @property
    def barcode(self) -> str:
        """The 26 digits of the slip's barcode."""
        return self.bill_id.zfill(ID_DIGITS) + self.payment_code.zfill(ID_DIGITS)


class PaymentTable:
    """The payments of the duty table, for reading."""

    def __init__(self, duty: Table) -> None:
        self._duty = duty

    def find(self, payment_id: str) -> PaymentRecord | None:
        """The payment behind a public id, read consistently."""
        item = self._duty.follow(keys.pointer(payment_id))
        return None if item is None else record_of(item)

    def parts(self, payment_id: str, first: int, count: int) -> list[PaymentRecord]:
        """At most `count` parts of a joint payment from number `first` (0 is one) on, as they were asked."""
        partition, chunk = keys.joint_members(payment_id, 0)
        chunks = self._duty.query(partition, chunk.rstrip("0"), limit=CHUNKS_MAX)
        members = [str(member["payment_id"]) for item in chunks for member in item["members"]]
        wanted = members[first : first + count]
        pointers = batch_get(self._duty, map(keys.pointer, wanted))
        places = [keys.target(pointers[key]) for key in map(keys.pointer, wanted) if key in pointers]
        found = batch_get(self._duty, places)
        return [record_of(found[place]) for place in places if place in found]


def record_of(item: Mapping[str, Any]) -> PaymentRecord:
    """The record in a stored payment."""
    return PaymentRecord(
        payment_id=str(item["payment_id"]),
        municipality=str(item["municipality"]),
        plate=str(item["plate_key"]),
        status=str(item["status"]),
        channel=str(item["channel"]),
        gateway=str(item["gateway"]),
        office=str(item["office"]),
        created_by=str(item["created_by"]),
        years=tuple(PaidYear(int(part["year"]), int(part["amount_rial"])) for part in item["years"]),
        rounding_rial=int(item["rounding_rial"]),
        fee_rial=int(item["fee_rial"]),
        amount_rial=int(item["amount_rial"]),
        refunded_rial=int(item.get("refunded_rial", 0)),
        parts=int(item.get("parts", 0)),
        bill_id=str(item.get("bill_id") or ""),
        payment_code=str(item.get("payment_code") or ""),
        reference=str(item["reference"]),
        tracking=str(item.get("tracking") or ""),
        certificate_id=str(item["certificate_id"]),
        created_at=from_rfc3339(item["created_at"]),
        expires_at=from_rfc3339(item["expires_at"]),
        settled_at=from_rfc3339(item["settled_at"]) if item.get("settled_at") else None,
    )
