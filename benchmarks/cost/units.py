"""From recorded calls to units, and from units to money: pure, in whole numbers and decimals."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from typing import Any, Final

MILLION: Final = 1_000_000
MINUTES_A_MONTH: Final = 30 * 24 * 60
#: A message is sent, received and deleted; Lambda's poller may do the last two for ten at once, and is counted
#: here as if it never did.
REQUESTS_A_MESSAGE: Final = 3


@dataclass(slots=True)
class Units:
    """What was used; read units as halves and GB-seconds as MB-milliseconds, so that all stay whole."""

    http_requests: int = 0
    lambda_requests: int = 0
    lambda_mb_ms: int = 0
    transactions: int = 0
    transaction_items: int = 0
    table_requests: int = 0
    write_units: int = 0
    read_half_units: int = 0
    kms_signatures: int = 0
    kms_other_requests: int = 0
    s3_puts: int = 0
    s3_gets: int = 0
    s3_put_bytes: int = 0
    sqs_requests: int = 0
    secret_requests: int = 0
    log_bytes: int = 0

    def __add__(self, other: Units) -> Units:
        return Units(**{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(Units)})

    def of(self, name: str) -> Decimal:
        """The amount of a priced unit (a name of `prices.json`)."""
        match name:
            case "read_units":
                return Decimal(self.read_half_units) / 2
            case "lambda_gb_seconds":
                return Decimal(self.lambda_mb_ms) / 1024 / 1000
            case "log_megabytes":
                return Decimal(self.log_bytes) / MILLION
            case _:
                return Decimal(getattr(self, name))


def counted(lines: Iterable[Mapping[str, Any]], http: Collection[str]) -> dict[str, Units]:
    """The units of each function by its name; `http` are those that a request of the HTTP API starts.

    What no function asked for (the deployer's calls, the edge's) is left out.
    """
    found: dict[str, Units] = {}
    for line in lines:
        if line["function"]:
            found[line["function"]] = found.get(line["function"], Units()) + _units(line, line["function"] in http)
    return found


def _units(line: Mapping[str, Any], is_http: bool) -> Units:
    action, size = line["action"], int(line.get("bytes", 0))
    match line["service"]:
        case "lambda" if action == "invocation":
            return Units(
                http_requests=int(is_http),
                lambda_requests=1,
                lambda_mb_ms=line["duration_ms"] * line["memory_mb"],
                log_bytes=line["log_bytes"],
            )
        case "dynamodb":
            return Units(
                transactions=int(action == "TransactWriteItems"),
                transaction_items=line["writes"],
                table_requests=1,
                write_units=line["write_units"],
                read_half_units=line["read_half_units"],
            )
        case "s3" if action in ("PUT", "POST"):
            return Units(s3_puts=1, s3_put_bytes=size)
        case "s3":
            return Units(s3_gets=1)
        case "sqs":
            return Units(sqs_requests=REQUESTS_A_MESSAGE if action.startswith("Send") else 1)
        case "kms":
            return Units(kms_signatures=int(action == "Sign"), kms_other_requests=int(action != "Sign"))
        case "secretsmanager":
            return Units(secret_requests=1)
        case _:
            return Units()


def a_month(ticks: Mapping[int, Units]) -> Units:
    """What schedules use in thirty days, from one tick of all that run every so many minutes."""
    total = Units()
    for every_minutes, units in ticks.items():
        times = MINUTES_A_MONTH // every_minutes
        total += Units(**{name: value * times for name, value in asdict(units).items()})
    return total


def cost_usd(units: Units, prices: Mapping[str, Mapping[str, str]]) -> dict[str, Decimal]:
    """What each priced unit costs, by its name."""
    return {name: units.of(name) * Decimal(price["price"]) / MILLION for name, price in prices.items()}
