"""What our own tables know of the log, for whoever judges certificates online."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from avarez import keys
from avarez.clock import from_rfc3339
from avarez.dynamo import Table
from avarez.transparency.proof import entry_of

_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Logged:
    """Where a certificate stands in the log: its leaf, and the first checkpoint over it."""

    index: int
    tree_size: int
    logged_at: datetime

    def before(self, instant: datetime) -> bool:
        """Whether it surely was in the log before `instant`; times of checkpoints are whole seconds, cut off."""
        return self.logged_at + _SECOND <= instant


class LogRegister:
    """The leaves of the log by what they stand for."""

    def __init__(self, duty: Table) -> None:
        self._duty = duty

    def find(self, message: bytes) -> Logged | None:
        """Where the certificate with this COSE message stands; None while it is not in a published checkpoint.

        Raises: ServiceBusy.
        """
        return self.find_entry(entry_of(message))

    def find_entry(self, entry: bytes) -> Logged | None:
        """The same, by the entry itself.

        Raises: ServiceBusy.
        """
        row = self._duty.get(keys.log_leaf(entry.hex()))
        if row is None:
            return None
        return Logged(int(row["index"]), int(row["tree_size"]), from_rfc3339(row["logged_at"]))

    def logged_before(self, message: bytes, instant: datetime) -> bool | None:
        """Whether the certificate was in the log before `instant`, say of its key's compromise.

        False when the log does not hold it at all: we log whatever we issue. None when it holds it since later: we
        may have issued it, or whoever had the key made us do so, and the log cannot tell which.

        Raises: ServiceBusy.
        """
        found = self.find(message)
        if found is None:
            return False
        return True if found.before(instant) else None
