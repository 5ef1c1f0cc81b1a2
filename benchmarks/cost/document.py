"""The tables of `docs/cost.md`, computed from `measured.json` and `prices.json`: nothing in them is typed by hand.

Run `python -m benchmarks.cost.document` after a measurement.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from benchmarks.cost.units import MILLION, Units, cost_usd

HERE: Final = Path(__file__).resolve().parent
DOCUMENT: Final = HERE.parents[1] / "docs" / "cost.md"
MARKS: Final = ("<!-- computed: begin -->\n", "<!-- computed: end -->\n")
NAMES: Final = {
    "write_units": "DynamoDB write units",
    "read_units": "DynamoDB read units",
    "http_requests": "HTTP API requests",
    "lambda_requests": "Lambda invocations",
    "lambda_gb_seconds": "Lambda GB-seconds",
    "kms_signatures": "KMS signatures",
    "kms_other_requests": "KMS, other calls",
    "s3_puts": "S3 puts",
    "s3_gets": "S3 gets",
    "sqs_requests": "SQS requests",
    "secret_requests": "Secrets Manager calls",
    "log_megabytes": "CloudWatch logs, MB",
}


def tables(measured: dict[str, Any], prices: dict[str, Any]) -> str:
    """Per payment, per million, and what the schedules cost a month whoever pays."""
    payments, units = int(measured["payments"]), Units(**measured["units"])
    standing, listed = Units(**measured["schedules_a_month"]), prices["usd_per_million"]
    costs, monthly = cost_usd(units, listed), cost_usd(standing, listed)
    each = Decimal(payments)
    rows = [
        f"Measured {measured['at']} on {measured['machine']}: {payments} payments by {measured['clerks']} clerks "
        f"at once, {measured['payments_a_second']} a second while every call was written down, load average "
        f"{measured['load_average']}. "
        f"Prices: {prices['region']}, {prices['as_of']}.",
        "",
        "| | a payment | list price, a million | **a million payments** | schedules, a month |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, shown in NAMES.items():
        cost = costs[name] * MILLION / each
        rows.append(
            f"| {shown} | {_number(units.of(name) / each)} | ${listed[name]['price']} | ${cost:,.2f} "
            f"| ${monthly[name]:,.2f} |"
        )
    total = sum(costs.values()) * MILLION / each
    rows += [
        f"| **in all** | | | **${total:,.2f}** | **${sum(monthly.values()):,.2f}** |",
        "",
        f"A payment takes {_number(units.transactions / each)} transactions of "
        f"{_number(Decimal(units.transaction_items) / max(units.transactions, 1))} items each, in "
        f"{_number(units.table_requests / each)} calls of the tables; "
        f"{_number(units.s3_put_bytes / each / 1000)} kB come to stand in object storage.",
        "",
        "| by function | invocations | ms, mean | write units | read units | transactions |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, used in sorted(measured["functions"].items()):
        one = Units(**used)
        took = Decimal(measured["duration_ms"][name]) / max(one.lambda_requests, 1)
        rows.append(
            f"| `{name}` | {_number(one.lambda_requests / each)} | {took:.0f} | {_number(one.write_units / each)} "
            f"| {_number(one.of('read_units') / each)} | {_number(one.transactions / each)} |"
        )
    return "\n".join(rows) + "\n"


def _number(value: Decimal) -> str:
    return f"{value:,.2f}" if value >= 1 or value == 0 else f"{value:.4f}"


def written(text: str, computed: str) -> str:
    """The document with what stands between its marks replaced."""
    begin, end = (text.index(mark) for mark in MARKS)
    return text[: begin + len(MARKS[0])] + computed + text[end:]


def load(name: str) -> dict[str, Any]:
    """`measured` or `prices`."""
    found: dict[str, Any] = json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
    return found


def main() -> None:
    """Writes the tables into the document."""
    text = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(written(text, tables(load("measured"), load("prices"))), encoding="utf-8")


if __name__ == "__main__":
    main()
