"""What a gateway's report of a day says of each payment, and which gateways can give one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class ReportLine:
    """What a report of the day says of one payment that was paid on it.

    `confirmed` is money that the gateway pays out, `paid` money that nobody verified yet and that goes back by
    itself, `returned` money that went back. `paid_at` is None where the report tells no time.
    """

    reference: str
    order_id: str
    amount_rial: int
    state: Literal["paid", "confirmed", "returned"]
    paid_at: datetime | None = None

    @property
    def key(self) -> str:
        """What makes it the same payment in another report: a reference alone was once given to two."""
        return f"{self.reference}#{self.order_id}"


@runtime_checkable
class ReportsDays(Protocol):
    """Whose reports of days we can read: fetched where it has an address for that, else uploaded as a file."""

    @property
    def can_fetch_report(self) -> bool: ...

    def fetch_report(self, day: date) -> str:
        """The report's text as the gateway gives it.

        Raises:
            OutcomeUnknown: no report came.
        """

    def read_report(self, text: str) -> list[ReportLine]:
        """Every line of the report.

        Raises:
            GatewayReportInvalid: it is not this gateway's, or a line of it cannot be read; none is left out.
        """
