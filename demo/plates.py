"""Plates of the sample roll that owe something: for whoever needs many journeys."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from avarez.plates import PlateKind, parse_plate
from avarez.roll.rows import RollReader, RollRow

ROLL = Path(__file__).resolve().parent / "roll_sample.csv"
MUNICIPALITY = "MASHHAD"
CAME_BEFORE = "1399"


def owing_plates() -> list[str]:
    """Keys of cars that have lived in Mashhad for years and stand on one plate alone, in the order of the roll."""
    with ROLL.open(encoding="utf-8-sig", newline="") as stream:
        rows = [row for row in RollReader(MUNICIPALITY).read(stream) if isinstance(row, RollRow)]
    plates, vins = Counter(row.plate for row in rows), Counter(row.vin for row in rows)
    return [
        row.plate
        for row in rows
        if row.vehicle_class == "passenger"
        and row.residence_from_jalali < CAME_BEFORE
        and parse_plate(row.plate).kind is not PlateKind.NONE
        and plates[row.plate] == 1
        and (not row.vin or vins[row.vin] == 1)
    ]
