"""A gateway's report of the day, read from the columns that it gives. An unreadable line refuses the whole.

Half a report would be worse than none: what is left out of it would look like money that only we know of.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import ClassVar, Literal
from urllib.parse import urlencode, urlsplit

from avarez.clock import from_rfc3339
from avarez.digits import ascii_digits
from avarez.errors import FieldError, GatewayReportInvalid, OutcomeUnknown
from functions.pay.gateways.day_reports import ReportLine
from functions.pay.gateways.exchange import get

LINES_MAX = 200_000
"""A gateway's day; more would not fit into a function's memory beside our own."""
ERRORS_NAMED_MAX = 20
FETCH_TIMEOUT_MS = 30_000

State = Literal["paid", "confirmed", "returned"]
_REFERENCE = re.compile(r"[\x21-\x7e]{1,120}", re.ASCII)
_ORDER = re.compile(r"[\x21-\x7e]{0,80}", re.ASCII)
_AMOUNT = re.compile(r"[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Layout:
    """Which column holds what; the order and further columns do not matter.

    Without a `state` column every line is money that the gateway pays out.
    """

    reference: str
    amount: str
    order_id: str = ""
    state: str = ""
    states: Mapping[str, State] = field(default_factory=dict)
    paid_at: str = ""
    delimiter: str = ","

    @property
    def columns(self) -> tuple[str, ...]:
        """Those that must be there."""
        named = (self.reference, self.amount, self.order_id, self.state, self.paid_at)
        return tuple(name for name in named if name)


class _BadLine(ValueError):
    """Which column of a line cannot be read."""


class ReportsItsDay:
    """What every adapter shares: the report of a day, fetched from `report_url` where there is one, and read."""

    report_layout: ClassVar[Layout]
    report_url: str = ""
    rial_per_unit: int

    @property
    def can_fetch_report(self) -> bool:
        return bool(self.report_url)

    def fetch_report(self, day: date) -> str:
        """The report's text as the gateway gives it; `day` is the gateway's own.

        Raises:
            OutcomeUnknown: no report came.
        """
        if not self.can_fetch_report:
            raise OutcomeUnknown()
        asked = urlencode({**self._report_query(), "day": day.isoformat()})
        headers = {"accept": "text/csv", **self._report_headers()}
        body = get(urlsplit(self.report_url), asked, headers, timeout_ms=FETCH_TIMEOUT_MS)
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError as error:
            raise OutcomeUnknown() from error
        if self.report_layout.reference not in text.partition("\n")[0]:
            raise OutcomeUnknown()  # a refusal, or a page: anything but a report
        return text

    def read_report(self, text: str) -> list[ReportLine]:
        """Every line of the report.

        Raises:
            GatewayReportInvalid: it is not this gateway's, or a line of it cannot be read.
        """
        return read_report(text, self.report_layout, self.rial_per_unit)

    def _report_query(self) -> Mapping[str, str]:
        return {}

    def _report_headers(self) -> Mapping[str, str]:
        return {}


GENERAL = Layout(
    reference="reference",
    amount="amount_rial",
    order_id="order_id",
    state="state",
    states={"paid": "paid", "confirmed": "confirmed", "returned": "returned"},
    paid_at="paid_at",
)
"""What an acquirer's or a bank's list is brought into by whoever uploads it (`docs/reconciliation.md`)."""


def read_report(text: str, layout: Layout, rial_per_unit: int) -> list[ReportLine]:
    """Every line of a report in this layout, in its order; amounts in rial.

    Raises:
        GatewayReportInvalid: a column is missing, or a line cannot be read; the first twenty are named.
    """
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=layout.delimiter)
    names = [name.strip() for name in rows.fieldnames or ()]
    rows.fieldnames = names
    if missing := [name for name in layout.columns if name not in names]:
        raise GatewayReportInvalid(errors=[_fault("/content", "column_missing", name) for name in missing])
    lines: list[ReportLine] = []
    faults: list[FieldError] = []
    for number, row in enumerate(rows, start=2):
        try:
            lines.append(_line(row, layout, rial_per_unit))
        except _BadLine as bad:
            faults.append(_fault(f"/content/{number}", "line_unreadable", str(bad)))
        if len(faults) == ERRORS_NAMED_MAX or number > LINES_MAX + 1:
            break
    if len(lines) > LINES_MAX:
        faults.append(_fault("/content", "too_many_lines", str(LINES_MAX)))
    if faults:
        raise GatewayReportInvalid(errors=faults)
    return lines


def _line(row: Mapping[str, str | None], layout: Layout, rial_per_unit: int) -> ReportLine:
    def cell(name: str) -> str:
        return ascii_digits((row.get(name) or "").strip()) if name else ""

    reference, order_id = cell(layout.reference), cell(layout.order_id)
    amount = cell(layout.amount).replace(",", "")
    state: State | None = layout.states.get(cell(layout.state)) if layout.state else "confirmed"
    if not _REFERENCE.fullmatch(reference):
        raise _BadLine(layout.reference)
    if not _ORDER.fullmatch(order_id):
        raise _BadLine(layout.order_id)
    if not _AMOUNT.fullmatch(amount) or int(amount) == 0:
        raise _BadLine(layout.amount)
    if state is None:
        raise _BadLine(layout.state)
    return ReportLine(
        reference=reference,
        order_id=order_id,
        amount_rial=int(amount) * rial_per_unit,
        state=state,
        paid_at=_instant(cell(layout.paid_at), layout.paid_at),
    )


def _instant(text: str, column: str) -> datetime | None:
    if not text:
        return None
    try:
        return from_rfc3339(text)
    except ValueError as error:
        raise _BadLine(column) from error


def _fault(pointer: str, code: str, what: str) -> FieldError:
    return FieldError(pointer, code, f"Not readable here: {what}.", f"این بخش خوانده نمی‌شود: {what}.")
