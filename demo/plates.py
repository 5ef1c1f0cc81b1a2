"""Plates of the sample roll that owe something: for whoever needs many journeys."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from avarez.plates import PlateKind, parse_plate
from avarez.roll.rows import RollReader, RollRow

ROLL = Path(__file__).resolve().parent / "roll_sample.csv"
OTHER_ROLLS = ROLL.parent / "rolls"
MUNICIPALITY = "MASHHAD"
CAME_BEFORE = "1399"


def owing_plates() -> list[str]:
    """Keys of cars that have lived in Mashhad for years, in the order of the roll.

    Each stands on one plate alone and in no other city's roll: whoever pays for it pays for no car that has moved,
    such as the README's.
    """
    rows = _rows(ROLL, MUNICIPALITY)
    elsewhere = {
        row.chassis for path in sorted(OTHER_ROLLS.glob("*.csv")) for row in _rows(path, path.stem.upper())
    }
    plates, vins = Counter(row.plate for row in rows), Counter(row.vin for row in rows)
    return [
        row.plate
        for row in rows
        if row.vehicle_class == "passenger"
        and row.chassis not in elsewhere
        and row.residence_from_jalali < CAME_BEFORE
        and parse_plate(row.plate).kind is not PlateKind.NONE
        and plates[row.plate] == 1
        and (not row.vin or vins[row.vin] == 1)
    ]


def owing_plates_of(municipality: str) -> list[str]:
    """Keys of passenger cars of another city's roll that never lived in Mashhad, in the order of the roll."""
    mashhad = {row.chassis for row in _rows(ROLL, MUNICIPALITY)}
    return [
        row.plate
        for row in _rows(OTHER_ROLLS / f"{municipality.lower()}.csv", municipality)
        if row.vehicle_class == "passenger"
        and row.chassis not in mashhad
        and row.residence_from_jalali < "1404"
        and parse_plate(row.plate).kind is not PlateKind.NONE
    ]


def _rows(path: Path, municipality: str) -> list[RollRow]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return [row for row in RollReader(municipality).read(stream) if isinstance(row, RollRow)]
