"""Plates of the sample roll, each handed out once a run, so that no test meets another's payments."""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from avarez.plates import PlateKind, parse_plate
from avarez.roll.rows import RollReader, RollRow

ROLL = Path(__file__).resolve().parents[2] / "demo/roll_sample.csv"
CAME_BEFORE = "1399"
_unregistered = itertools.count(10_000)


@functools.cache
def _plates() -> Iterator[str]:
    """Cars of the sample that have lived in Mashhad for years, so that something is owed."""
    with ROLL.open(encoding="utf-8-sig", newline="") as stream:
        rows = [row for row in RollReader("MASHHAD").read(stream) if isinstance(row, RollRow)]
    plates, vins = Counter(row.plate for row in rows), Counter(row.vin for row in rows)
    return iter(
        [
            row.plate
            for row in rows
            if row.vehicle_class == "passenger"
            and row.residence_from_jalali < CAME_BEFORE
            and parse_plate(row.plate).kind is not PlateKind.NONE
            and plates[row.plate] == 1
            and (not row.vin or vins[row.vin] == 1)
        ]
    )


def fresh_plate(*, registered: bool = True) -> str:
    """A plate that no other test of this run uses."""
    if not registered:
        number = next(_unregistered)
        return f"{number // 1_000}M{number % 1_000:03d}-99"
    return next(_plates())
