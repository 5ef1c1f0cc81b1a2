"""A roll of any size, every row good: the demonstration's models with plates and VINs counted through."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from avarez.roll.rows import COLUMNS
from demo.make_rolls import LETTERS, MODELS

_VIN_LETTERS: Final = "0123456789ABCDEFGHJKLMNPRSTUVWXYZ"


def rows(city: str, count: int, seed: int = 1) -> Iterator[list[object]]:
    """The cells of so many rows; no plate and no VIN twice (at most 19 million)."""
    dice = random.Random(seed)  # noqa: S311 - repeatable on purpose
    for number in range(count):
        vehicle_class, make, model, origin, fuel, cylinders, displacement, price = MODELS[dice.randrange(9)]
        year = dice.randint(1388, 1404)
        gregorian = origin == "imported"
        day = f"{year}-{dice.randint(1, 12):02d}-{dice.randint(1, 29):02d}"
        yield [
            city, _plate(number), f"IR{_in_base(number, 15)}", f"CH{number:010d}", f"EN{number:010d}",
            vehicle_class, make, model, year + 621 if gregorian else year,
            "gregorian" if gregorian else "jalali", origin, fuel, cylinders, displacement,
            price * dice.randint(80, 130) // 100, day, _national_id(number), "person", day,
        ]  # fmt: skip


def write(path: Path, city: str, count: int) -> None:
    """The CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows(city, count))


def _plate(number: int) -> str:
    number, first = divmod(number, 89)
    number, letter = divmod(number, len(LETTERS))
    region, middle = divmod(number, 889)
    return f"{11 + first}{LETTERS[letter]}{111 + middle}-{11 + region}"


def _in_base(number: int, places: int) -> str:
    digits = []
    for _ in range(places):
        number, digit = divmod(number, len(_VIN_LETTERS))
        digits.append(_VIN_LETTERS[digit])
    return "".join(reversed(digits))


def _national_id(number: int) -> str:
    digits = f"{100_000_000 + number * 37 % 800_000_000:09d}"
    remainder = sum(int(digit) * (10 - place) for place, digit in enumerate(digits)) % 11
    return digits + str(remainder if remainder < 2 else 11 - remainder)
