"""Plates of the sample roll, each handed out once a run, so that no test meets another's payments."""

from __future__ import annotations

import csv
import functools
import itertools
from collections.abc import Iterator
from pathlib import Path

from avarez.jalali import parse_jalali
from avarez.plates import parse_plate

ROLL = Path(__file__).resolve().parents[2] / "demo/roll_sample.csv"
_unregistered = itertools.count(10_000)


@functools.cache
def _plates() -> Iterator[str]:
    """Cars of the sample that live in Mashhad for years, so that something is owed."""
    with ROLL.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return iter([key for row in rows if row["class"] == "passenger" and (key := _key(row)) is not None])


def _key(row: dict[str, str]) -> str | None:
    """The plate's key where plate and date are well-formed and the car came before 1400."""
    try:
        return parse_plate(row["plate"]).key if parse_jalali(row["residence_from_jalali"]).year < 2020 else None
    except ValueError:
        return None


def fresh_plate(*, registered: bool = True) -> str:
    """A plate that no other test of this run uses."""
    if not registered:
        number = next(_unregistered)
        return f"{number // 1_000}M{number % 1_000:03d}-99"
    return next(_plates())
