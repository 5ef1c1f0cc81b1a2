"""Puts the daily close together with what it works on. Tests replace `parts`."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from avarez import keys
from avarez.clock import Clock, SystemClock
from avarez.dynamo import Table, batch_get
from avarez.settings import setting
from avarez.settlements import Settlement
from functions.pay.settlement.bank.calendar import BankCalendar, bank_calendar
from functions.pay.settlement.bank.paya import debtor_from
from functions.pay.settlement.bank.status import BankStates
from functions.pay.settlement.bank.transfer_store import AccountsInForce, TransferTable
from functions.pay.settlement.bank.transfers import Accounts, Debtor
from functions.pay.settlement.store import CloseTable


@dataclass(frozen=True, slots=True)
class Parts:
    """What the entry points of the close work with."""

    closes: CloseTable
    transfers: TransferTable
    calendar: BankCalendar
    duty: Table
    clock: Clock

    def bank_states(self, closes: Sequence[Settlement]) -> BankStates:
        """What the reconciliation says of the gateways' days of these closes, at each city's own account."""
        wanted = {
            keys.reconciliation(close.municipality, of.day, of.operator): (close.municipality, of.operator, of.day)
            for close in closes
            for of in close.direct_days
        }
        found = batch_get(self.duty, wanted)
        return {
            wanted[key]: str(bank["state"])
            for key, row in found.items()
            for bank in row["bank"]
            if bank["municipality"] == wanted[key][0]
        }

    def debtor(self) -> Debtor | None:
        """Our own account, from which cities are paid."""
        return debtor_from(self.duty.get(keys.platform_setting()))


def parts_over(duty: Table, ledger: Table, clock: Clock, accounts: Accounts) -> Parts:
    """The parts over these tables."""
    transfers = TransferTable(duty, ledger, accounts)
    return Parts(CloseTable(duty, ledger, transfers), transfers, bank_calendar(), duty, clock)


@functools.cache
def parts() -> Parts:
    """The process's parts, wired on first use."""
    ledger = Table(setting("LEDGER_TABLE"))
    return parts_over(Table(setting("DUTY_TABLE")), ledger, SystemClock(), AccountsInForce(ledger))
