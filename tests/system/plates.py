"""Plates of the sample roll, each handed out once a run, so that no test meets another's payments."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator

from avarez.roll.rows import RollReader, RollRow
from demo.plates import ROLL, owing_plates, owing_plates_of

_unregistered = itertools.count(10_000)

__all__ = ["ROLL", "fresh_plate", "owned_plate", "owners", "plate_of"]


@functools.cache
def _plates() -> Iterator[str]:
    return iter(owing_plates())


def fresh_plate(*, registered: bool = True) -> str:
    """A plate that no other test of this run uses."""
    if not registered:
        number = next(_unregistered)
        return f"{number // 1_000}M{number % 1_000:03d}-99"
    return next(_plates())


@functools.cache
def _plates_of(municipality: str) -> Iterator[str]:
    return iter(owing_plates_of(municipality))


def plate_of(municipality: str) -> str:
    """A plate of another city of the demonstration that no other test of this run uses."""
    return next(_plates_of(municipality))


@functools.cache
def owners() -> dict[str, str]:
    """The owner's id of each plate of the sample roll."""
    with ROLL.open(encoding="utf-8-sig") as file:
        return {row.plate: row.owner_id for row in RollReader().read(file) if isinstance(row, RollRow)}


def owned_plate() -> str:
    """A fresh plate whose owner the roll names."""
    while (plate := fresh_plate()) not in owners():
        pass
    return plate
