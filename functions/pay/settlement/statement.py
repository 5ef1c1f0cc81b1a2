"""A close as files: CSV that opens in a spreadsheet and computes nothing there, and JSON. Pure.

A close of more lines than a part holds has several parts; each CSV begins with the balance before its first line
and ends with the one after its last, so that no part can be taken for the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from avarez.csv_lines import BYTE_ORDER_MARK, csv_line
from avarez.jalali import format_jalali
from avarez.settlements import Line, Settlement, line_json, settlement_json

LINES_PER_PART: Final = 10_000
"""Some three megabytes: an answer of API Gateway holds six."""
COLUMNS: Final = (
    "sequence",
    "kind",
    "day_jalali",
    "occurred_at",
    "late",
    "entry_kind",
    "payment_id",
    "plate",
    "years",
    "operator",
    "reference",
    "certificate_id",
    "paid_rial",
    "fee_rial",
    "rounding_rial",
    "city_rial",
    "balance_rial",
)
AMOUNTS: Final = COLUMNS[-5:]


def parts_of(settlement: Settlement) -> int:
    """How many parts the close's files have."""
    return max(-(-settlement.lines // LINES_PER_PART), 1)


def statement_csv(settlement: Settlement, lines: Sequence[Line]) -> str:
    """The part with these lines, with a byte-order mark.

    Amounts are numbers: they alone may begin with a minus.
    """
    day_jalali = format_jalali(date.fromisoformat(settlement.day))
    before_rial = lines[0].balance_rial - lines[0].city_rial if lines else settlement.opening_rial
    after_rial = lines[-1].balance_rial if lines else settlement.closing_rial
    rows = [
        _row({"kind": "opening_balance", "day_jalali": day_jalali, "balance_rial": before_rial}),
        *(_row(_cells(line)) for line in lines),
        _row(
            {
                "kind": "closing_balance",
                "day_jalali": day_jalali,
                "reference": settlement.reference if settlement.transfer_rial else "",
                **{name: sum(getattr(line, name) for line in lines) for name in AMOUNTS[:-1]},
                "balance_rial": after_rial,
            }
        ),
    ]
    return BYTE_ORDER_MARK + ",".join(COLUMNS) + "\r\n" + "".join(rows)


def statement_json(settlement: Settlement, lines: Sequence[Line], part: int) -> dict[str, Any]:
    """The close with the lines of one part."""
    told = {**settlement_json(settlement), "part": part, "parts": parts_of(settlement)}
    return {**told, "statement": [line_json(line) for line in lines]}


def _cells(line: Line) -> dict[str, Any]:
    texts = {name: getattr(line, name) for name in COLUMNS if name not in ("day_jalali", "years", "late")}
    return {
        **texts,
        "day_jalali": format_jalali(line.day),
        "years": " ".join(map(str, line.years)),
        "late": "late" if line.late else "",
    }


def _row(cells: dict[str, Any]) -> str:
    return csv_line([_cell(name, cells.get(name, "")) for name in COLUMNS])


def _cell(name: str, value: Any) -> str | int:
    if name in AMOUNTS or name == "sequence":
        return "" if value == "" else int(value)
    return str(value)
