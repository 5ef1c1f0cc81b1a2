"""How far the money of a close is: its transfer, and what gateways pay to the city themselves. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from avarez.jalali import format_jalali
from avarez.money import format_rial
from avarez.settlements import DirectDay, Settlement, Status
from functions.pay.settlement.bank.transfers import Transfer

_ORDER: Final = (Status.DIFFERS, Status.WAITING, Status.OPEN, Status.SENT, Status.MATCHED, Status.NOTHING_DUE)
"""A close is as far as the part of it that is least far; a difference comes before everything."""
_BANK: Final = {"matched": Status.MATCHED, "bank_differs": Status.DIFFERS}
"""What the reconciliation says of a gateway's day at the city's account; everything else is open."""

BankStates = Mapping[tuple[str, str, str], str]
"""The reconciliation's state by city, gateway and day."""


@dataclass(frozen=True, slots=True)
class Told:
    """The status of a close with what it follows from."""

    status: Status
    transfer: Transfer | None
    direct: Sequence[tuple[DirectDay, Status]]

    def to_json(self) -> dict[str, Any]:
        """Members beside those of the close."""
        told: dict[str, Any] = {"status": self.status.value, "transfer": None}
        if self.transfer is not None:
            told["transfer"] = transfer_json(self.transfer)
        told["direct"] = [
            {
                "operator": of.operator,
                "day_jalali": format_jalali(date.fromisoformat(of.day)),
                "city_rial": format_rial(of.city_rial),
                "status": status.value,
            }
            for of, status in self.direct
        ]
        return told


def told_of(
    closes: Sequence[Settlement], transfers: Mapping[str, Transfer], states: BankStates
) -> dict[str, Told]:
    """How far each close is, by its id."""
    return {close.settlement_id: _told(close, transfers.get(close.settlement_id), states) for close in closes}


def _told(close: Settlement, transfer: Transfer | None, states: BankStates) -> Told:
    direct = [
        (of, _BANK.get(states.get((close.municipality, of.operator, of.day), ""), Status.OPEN))
        for of in close.direct_days
    ]
    parts = [status for _, status in direct] + ([] if transfer is None else [Status(transfer.status)])
    return Told(min(parts, key=_ORDER.index, default=Status.NOTHING_DUE), transfer, direct)


def transfer_json(transfer: Transfer) -> dict[str, Any]:
    """The public form of a transfer; the account in full, since it is the city's own."""
    told: dict[str, Any] = {
        "reference": transfer.reference,
        "amount_rial": format_rial(transfer.amount_rial),
        "status": transfer.status,
        "left_rial": format_rial(transfer.left_rial),
        "arrived_rial": format_rial(transfer.arrived_rial),
    }
    named = {
        "iban": transfer.iban,
        "batch_id": transfer.batch_id,
        "sent_at": transfer.sent_at,
        "matched_at": transfer.matched_at,
    }
    return {**told, **{name: text for name, text in named.items() if text}}
