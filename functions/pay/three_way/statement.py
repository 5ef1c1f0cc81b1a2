"""A bank statement's lines, read and checked; what they say a gateway paid out. Pure.

The whole file is read or refused: `docs/reconciliation.md` documents the columns.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from avarez.canonical import content_hash
from avarez.digits import ascii_digits
from avarez.errors import FieldError, StatementInvalid
from avarez.identifiers import read_sheba
from avarez.jalali import format_jalali, read_jalali
from avarez.money import format_rial
from functions.pay.settlement.bank.references import OPERATOR, read_reference

COLUMNS = (
    "account",
    "booked_jalali",
    "bank_reference",
    "amount_rial",
    "commission_rial",
    "operator",
    "settles_jalali",
    "cycle",
    "description",
)
TRANSFER_COLUMN = "transfer_reference"
"""May be there besides: which transfer of ours a line is."""
LINES_MAX = 500
"""Four cycles a day of a dozen gateways for ten days; each line is a transaction of its own."""
ERRORS_NAMED_MAX = 20
CYCLES = ("03:45", "09:45", "12:45", "18:45")
"""PAYA's cycles; on holidays only the third. Source: the Central Bank's timetable of PAYA."""
_REFERENCE = re.compile(r"[A-Za-z0-9/_-]{4,64}", re.ASCII)
_OPERATOR = re.compile(r"[a-z0-9-]{2,20}(:[a-z0-9-]{2,20})?", re.ASCII)
_AMOUNT = re.compile(r"[0-9]{1,18}", re.ASCII)
_DESCRIPTION_MAX = 200


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One credit of an account: what a gateway paid out for one of its days, in one PAYA cycle.

    `amount_rial` came; `commission_rial` is what the gateway kept of it and says so. `cycle` is a time of the
    table above, or empty. Of a transfer of ours (`transfer_reference`) it is what came to a city, or what left us.
    """

    account: str
    booked_on: date
    bank_reference: str
    amount_rial: int
    commission_rial: int
    operator: str
    settles: date
    cycle: str
    description: str
    transfer_reference: str = ""

    @property
    def gross_rial(self) -> int:
        return self.amount_rial + self.commission_rial

    @property
    def key(self) -> str:
        """What makes it the same line in another file: the bank numbers the lines of an account."""
        return f"{self.account}#{self.bank_reference}"

    @property
    def digest(self) -> str:
        """The same for the same words; another digest under the same key is a contradiction."""
        named = {"transfer_reference": self.transfer_reference} if self.transfer_reference else {}
        return content_hash(
            {
                **named,
                "account": self.account,
                "booked_on": self.booked_on.isoformat(),
                "bank_reference": self.bank_reference,
                "amount_rial": format_rial(self.amount_rial),
                "commission_rial": format_rial(self.commission_rial),
                "operator": self.operator,
                "settles": self.settles.isoformat(),
                "cycle": self.cycle,
            }
        )


class _BadCell(ValueError):
    """Which column of a line cannot be read."""


def read_statement(text: str, today: date) -> list[StatementLine]:
    """Every line of the statement, in its order.

    Raises:
        StatementInvalid: a column is missing or unknown, a line cannot be read, or two lines have one number.
    """
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    names = [name.strip() for name in rows.fieldnames or ()]
    rows.fieldnames = names
    known = (*COLUMNS, TRANSFER_COLUMN)
    wrong = [name for name in COLUMNS if name not in names] + [name for name in names if name not in known]
    if wrong:
        raise StatementInvalid(errors=[_fault("/content", "column_wrong", name) for name in wrong])
    lines: list[StatementLine] = []
    faults: list[FieldError] = []
    seen: set[str] = set()
    for number, row in enumerate(rows, start=2):
        try:
            line = _line(row, today)
        except _BadCell as bad:
            faults.append(_fault(f"/content/{number}", "line_unreadable", str(bad)))
        else:
            if line.key in seen:
                faults.append(_fault(f"/content/{number}", "line_repeated", line.bank_reference))
            seen.add(line.key)
            lines.append(line)
        if len(faults) >= ERRORS_NAMED_MAX or number > LINES_MAX + 1:
            break
    if len(lines) > LINES_MAX:
        faults.append(_fault("/content", "too_many_lines", str(LINES_MAX)))
    if not lines and not faults:
        faults.append(_fault("/content", "no_lines", "-"))
    if faults:
        raise StatementInvalid(errors=faults)
    return lines


def _line(row: Mapping[str, str | None], today: date) -> StatementLine:
    def cell(name: str) -> str:
        return ascii_digits((row.get(name) or "").strip())

    def checked(name: str, pattern: re.Pattern[str]) -> str:
        if not pattern.fullmatch(cell(name)):
            raise _BadCell(name)
        return cell(name)

    def amount(name: str) -> int:
        text = cell(name).replace(",", "") or ("0" if name == "commission_rial" else "")
        if not _AMOUNT.fullmatch(text):
            raise _BadCell(name)
        return int(text)

    def day(name: str) -> date:
        found = read_jalali(cell(name))
        if found is None or found > today:
            raise _BadCell(name)
        return found

    account = read_sheba(cell("account"))
    if account is None:
        raise _BadCell("account")
    if cell("cycle") not in ("", *CYCLES):
        raise _BadCell("cycle")
    line = StatementLine(
        account=account,
        booked_on=day("booked_jalali"),
        bank_reference=checked("bank_reference", _REFERENCE),
        amount_rial=amount("amount_rial"),
        commission_rial=amount("commission_rial"),
        operator=checked("operator", _OPERATOR),
        settles=day("settles_jalali"),
        cycle=cell("cycle"),
        description=(row.get("description") or "").strip()[:_DESCRIPTION_MAX],
        transfer_reference=cell(TRANSFER_COLUMN),
    )
    if (line.operator == OPERATOR) != (read_reference(line.transfer_reference) is not None):
        raise _BadCell(TRANSFER_COLUMN)
    if not line.amount_rial:
        raise _BadCell("amount_rial")
    if line.settles > line.booked_on:
        raise _BadCell("settles_jalali")
    return line


def line_json(line: StatementLine) -> dict[str, str]:
    """The public form of a line."""
    named = {TRANSFER_COLUMN: line.transfer_reference} if line.transfer_reference else {}
    return {
        **named,
        "account": line.account,
        "booked_jalali": format_jalali(line.booked_on),
        "bank_reference": line.bank_reference,
        "amount_rial": format_rial(line.amount_rial),
        "commission_rial": format_rial(line.commission_rial),
        "operator": line.operator,
        "settles_jalali": format_jalali(line.settles),
        "cycle": line.cycle,
        "description": line.description,
    }


def _fault(pointer: str, code: str, what: str) -> FieldError:
    return FieldError(pointer, code, f"Not readable here: {what}.", f"این بخش خوانده نمی‌شود: {what}.")
