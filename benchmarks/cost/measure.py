"""Journeys through the running local system while its engine writes down every call; the units of one payment.

Run `python -m benchmarks.cost.measure`; it keeps `measured.json` and the tables of `docs/cost.md`.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from benchmarks.cost import document
from benchmarks.cost.units import MILLION, Units, a_month, cost_usd, counted
from benchmarks.report import Figure, machine
from benchmarks.running.desk import Desk
from benchmarks.running.journeys import running_system, together
from demo.plates import owing_plates
from demo.seed import demo_accounts
from infra.local.system import LocalSystem
from infra.routes import ENTRY_POINTS, EntryPoint, ScheduleTrigger

GROUP = "a payment's use (docs/cost.md)"
CLERKS = 2
WARM_JOURNEYS = 4
QUIET_S = 4.0
QUIET_TIMEOUT_S = 300.0


def measured(payments: int) -> dict[str, Any]:
    """Units of `payments` journeys, and of the schedules' month, as `measured.json` keeps them."""
    plates = iter(owing_plates())
    with tempfile.TemporaryDirectory(prefix="avarez-bench-") as name:
        file = Path(name) / "calls.jsonl"
        with running_system(recorded_calls=file) as local:
            desks = _desks(local)
            together(desks, list(itertools.islice(plates, WARM_JOURNEYS)))
            prefix = local.function_name(ENTRY_POINTS[0].name).removesuffix(ENTRY_POINTS[0].name)
            entries = {prefix + entry.name: entry for entry in ENTRY_POINTS}
            _until_quiet(file, entries)
            start = file.stat().st_size
            began, started = datetime.now(UTC), time.perf_counter()
            together(desks, list(itertools.islice(plates, payments)))
            took_s, load = time.perf_counter() - started, os.getloadavg()[0]
            _until_quiet(file, entries)
            end = file.stat().st_size
            ticks = _ticks(local, file, entries)
        lines = list(_lines(file, start, end))
    http = {name for name, entry in entries.items() if entry.routes}
    by_function = {
        name: units
        for name, units in counted(lines, http).items()
        if not isinstance(entries[name].trigger, ScheduleTrigger)
    }
    durations = {
        entries[name].name: sum(
            line["duration_ms"] for line in lines if _invokes(line) and line["function"] == name
        )
        for name in by_function
    }
    return {
        "at": began.isoformat(timespec="minutes"),
        "machine": machine(),
        "load_average": f"{load:.1f}",
        "payments": payments,
        "clerks": CLERKS,
        "payments_a_second": f"{payments / took_s:.1f}",
        "units": asdict(sum(by_function.values(), start=Units())),
        "functions": {entries[name].name: asdict(units) for name, units in by_function.items()},
        "duration_ms": durations,
        "schedules_a_month": asdict(a_month(ticks)),
    }


def figures(payments: int) -> list[Figure]:
    """What `make bench` shows of it; nothing is kept."""
    found, prices = measured(payments), document.load("prices")["usd_per_million"]
    units = Units(**found["units"])
    million = sum(cost_usd(units, prices).values()) * MILLION / payments
    shown = {
        "transactions": Decimal(units.transactions),
        "write units": Decimal(units.write_units),
        "read units": units.of("read_units"),
        "Lambda invocations": Decimal(units.lambda_requests),
        "Lambda GB-seconds": units.of("lambda_gb_seconds"),
        "KMS signatures": Decimal(units.kms_signatures),
    }
    rows = [Figure(GROUP, name, f"{value / payments:,.2f}") for name, value in shown.items()]
    return [
        Figure(GROUP, f"payments a second, {CLERKS} clerks, calls written down", found["payments_a_second"]),
        *rows,
        Figure(GROUP, "a million payments on the price list", f"${million:,.2f}"),
    ]


def _desks(local: LocalSystem) -> list[Desk]:
    account = demo_accounts()[0]
    credentials = {"username": account["username"], "password": account["password"]}
    token = json.loads(Desk(local.origin).call("POST", "/v1/tokens", credentials)[1])["access_token"]
    return [Desk(local.origin, token) for _ in range(CLERKS)]


def _lines(file: Path, start: int, end: int) -> Iterator[dict[str, Any]]:
    with open(file, "rb") as content:
        content.seek(start)
        for line in content.read(end - start).splitlines():
            yield json.loads(line)


def _invokes(line: dict[str, Any]) -> bool:
    return bool(line["service"] == "lambda" and line["action"] == "invocation")


def _until_quiet(file: Path, entries: dict[str, EntryPoint]) -> None:
    """Returns when no function but the clock's has asked for anything for a while: what payments set off is done.

    Raises: TimeoutError
    """
    deadline, seen, since = time.monotonic() + QUIET_TIMEOUT_S, file.stat().st_size, time.monotonic()
    while time.monotonic() - since < QUIET_S:
        if time.monotonic() > deadline:
            raise TimeoutError("the system does not come to rest")
        time.sleep(0.2)
        size = file.stat().st_size
        busy = [
            line
            for line in _lines(file, seen, size)
            if line["function"] in entries and not isinstance(entries[line["function"]].trigger, ScheduleTrigger)
        ]
        seen = size
        if busy:
            since = time.monotonic()


def _ticks(local: LocalSystem, file: Path, entries: dict[str, EntryPoint]) -> dict[int, Units]:
    """What one tick of each schedule uses when nobody pays, by its minutes; the first only warms its process."""
    ticks: dict[int, Units] = {}
    for name, entry in entries.items():
        if not isinstance(entry.trigger, ScheduleTrigger):
            continue
        local.admin("lambda").invoke(FunctionName=name, Payload=b"{}")
        start = file.stat().st_size
        local.admin("lambda").invoke(FunctionName=name, Payload=b"{}")
        lines = [line for line in _lines(file, start, file.stat().st_size) if line["function"] == name]
        if not any(_invokes(line) and line["status"] == 200 for line in lines):
            raise RuntimeError(f"{name} did not run to its end")
        every = entry.trigger.every_minutes
        ticks[every] = ticks.get(every, Units()) + counted(lines, ())[name]
    return ticks


def main() -> int:
    """Measures, keeps, and prints."""
    found = measured(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
    text = json.dumps(found, indent=1, sort_keys=True) + "\n"
    (document.HERE / "measured.json").write_text(text, encoding="utf-8")
    document.main()
    print(document.tables(found, document.load("prices")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
