"""A transfer that pays a close on: its states, what a bank's lines make of it, the files that ask for it. Pure.

| state | the close is paid on by a transfer that |
|---|---|
| waiting | has no account to go to: the city has none in force |
| open | is ready for the next file |
| sent | stands in a file for the bank |
| matched | a line of a bank statement confirms, to the rial |
| differs | a line of a bank statement contradicts |
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol

from avarez.settlements import Settlement, Status, transfer_reference

ROWS_PER_CHUNK: Final = 25
FILE_TRANSFERS_MAX: Final = 500
"""Of one file: a screen's worth for whoever signs it at the bank; the next file takes the rest."""


@dataclass(frozen=True, slots=True)
class Payee:
    """Where a city's money goes: the checked IBAN, and whose it is by the city's own word."""

    iban: str
    holder: str


class Accounts(Protocol):
    """The accounts that cities have in force."""

    def in_force(self, municipality: str, at: datetime) -> Payee | None:
        """The city's account at this instant; None where it has none in force, or one whose digits do not hold."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """What pays a close on. `left_rial` is what our own bank statement says of it, `arrived_rial` the city's.

    `booked_by` is whose statement brought the entry: the other one confirms or contradicts it, and books nothing.
    """

    settlement_id: str
    municipality: str
    number: int
    day: str
    amount_rial: int
    status: str
    created_at: str
    iban: str = ""
    batch_id: str = ""
    sent_at: str = ""
    left_rial: int = 0
    arrived_rial: int = 0
    booked_by: str = ""
    matched_at: str = ""

    @property
    def reference(self) -> str:
        return transfer_reference(self.municipality, self.number)


@dataclass(frozen=True, slots=True)
class Row:
    """A transfer in a file, with the account it goes to."""

    municipality: str
    settlement_id: str
    number: int
    iban: str
    holder: str
    amount_rial: int

    @property
    def reference(self) -> str:
        return transfer_reference(self.municipality, self.number)


@dataclass(frozen=True, slots=True)
class Debtor:
    """Our own account: its name, IBAN and its bank's BIC."""

    name: str
    iban: str
    bic: str


@dataclass(frozen=True, slots=True)
class Batch:
    """A file of transfers: `making` until every row of it is written, `ready` for ever after.

    The account that is debited is the one of that moment, so that the file stays the same.
    """

    batch_id: str
    number: int
    status: str
    transfers: int
    total_rial: int
    execution_day: str
    debtor_name: str
    debtor_iban: str
    debtor_bic: str
    created_at: str
    created_by: str
    manifest_hash: str = ""


def transfer_of(settlement: Settlement, *, has_account: bool) -> Transfer:
    """The transfer that a close opens."""
    return Transfer(
        settlement_id=settlement.settlement_id,
        municipality=settlement.municipality,
        number=settlement.number,
        day=settlement.day,
        amount_rial=settlement.transfer_rial,
        status=(Status.OPEN if has_account else Status.WAITING).value,
        created_at=settlement.closed_at,
    )


def told(transfer: Transfer, amount_rial: int, *, by_city: bool, owner: str, at: str) -> tuple[Transfer, bool]:
    """The transfer after a line of a statement, and whether the line books what left.

    Lines of one statement add up; the two statements confirm each other.
    """
    left_rial = transfer.left_rial + (0 if by_city else amount_rial)
    arrived_rial = transfer.arrived_rial + (amount_rial if by_city else 0)
    agree = all(rial in (0, transfer.amount_rial) for rial in (left_rial, arrived_rial))
    status = (Status.MATCHED if agree else Status.DIFFERS).value
    after = replace(
        transfer,
        left_rial=left_rial,
        arrived_rial=arrived_rial,
        status=status,
        booked_by=transfer.booked_by or owner,
        matched_at=at if agree else "",
    )
    return after, transfer.booked_by in ("", owner)


def is_late(transfer: Transfer, working_days: int) -> bool:
    """Whether a line of the bank should have come: two working days after it was sent."""
    return transfer.status == Status.SENT.value and working_days > PATIENCE_WORKING_DAYS


PATIENCE_WORKING_DAYS: Final = 2
"""PAYA pays on the day; a statement is handed in on the next one."""
