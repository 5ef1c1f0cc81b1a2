"""How fast one process assesses: one car of eleven years, and the sample roll; with and without the trace hash."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from avarez.assessment import Residence, Vehicle, assess, load_tariff
from avarez.jalali import read_jalali
from avarez.roll.rows import RollReader, RollRow
from benchmarks.report import Figure, plain

GROUP = "assessment, one process"
AS_OF = date(2026, 11, 23)
THROUGH_YEAR = 1405
CAR = Vehicle.from_json(
    {
        "vehicle_class": "passenger",
        "origin": "domestic",
        "fuel": "petrol",
        "model_year": 1390,
        "model_calendar": "jalali",
        "make": "",
        "model": "",
        "base_price_rial": "2400000000",
    }
)


def figures(root: Path, rounds: int, count: int) -> list[Figure]:
    """Assessments a second, each of all years from 1395 to 1405."""
    tariff = load_tariff(root / "demo" / "tariffs")

    def one(vehicle: Vehicle, residences: list[Residence], *, hashed: bool) -> None:
        made = assess(
            vehicle=vehicle,
            residences=residences,
            payments=[],
            tariff=tariff,
            as_of=AS_OF,
            through_year=THROUGH_YEAR,
            municipality="MASHHAD",
        )
        if hashed:
            _ = made.trace_hash

    home = [Residence("MASHHAD", None, None)]
    roll = _roll(root)
    bare, hashed, whole = [], [], []
    for _ in range(rounds):
        bare.append(_rate(lambda: one(CAR, home, hashed=False), count))
        hashed.append(_rate(lambda: one(CAR, home, hashed=True), count // 5))
        started = time.perf_counter()
        for vehicle, residences in roll:
            one(vehicle, residences, hashed=False)
        whole.append(len(roll) / (time.perf_counter() - started))
    return [
        plain(GROUP, "one car, 11 years", bare, "a second", 0),
        plain(GROUP, "the same with its trace hash", hashed, "a second", 0),
        plain(GROUP, f"the sample roll ({len(roll):,} vehicles)", whole, "a second", 0),
    ]


def _rate(work: Callable[[], None], count: int) -> float:
    started = time.perf_counter()
    for _ in range(count):
        work()
    return count / (time.perf_counter() - started)


def _roll(root: Path) -> list[tuple[Vehicle, list[Residence]]]:
    with (root / "demo" / "roll_sample.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = [row for row in RollReader("MASHHAD").read(stream) if isinstance(row, RollRow)]
    found = []
    for row in rows:
        since = read_jalali(row.residence_from_jalali) if row.residence_from_jalali else None
        vehicle = Vehicle.from_json({**row.to_json(), "base_price_rial": str(row.base_price_rial)})
        found.append((vehicle, [Residence("MASHHAD", since, None)]))
    return found
