"""Writes the demonstration rolls `demo/rolls/*.csv`: the same bytes on every run, every row good.

Run `python -m demo.make_rolls`. Some cars also stand in Mashhad's sample under the same VIN with an earlier
residence: they have moved. Persons and numbers are made up; the ids only satisfy the check digit.
"""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path
from typing import Final

from avarez.roll.rows import COLUMNS, RollReader, RollRow

DEMO: Final = Path(__file__).resolve().parent
ROWS: Final = 300
MOVED: Final = 25
CITIES: Final = {
    "tehran": ("TEHRAN", 11),
    "isfahan": ("ISFAHAN", 13),
    "shiraz": ("SHIRAZ", 63),
    "tabriz": ("TABRIZ", 15),
}
LETTERS: Final = "بجدسصطقلمنوهی"
MODELS: Final = (
    ("passenger", "ایران خودرو", "پژو 206", "domestic", "petrol", 4, 1360, 2_300_000_000),
    ("passenger", "ایران خودرو", "سمند LX", "domestic", "dual", 4, 1761, 2_700_000_000),
    ("passenger", "سایپا", "تیبا", "domestic", "petrol", 4, 1503, 1_600_000_000),
    ("passenger", "سایپا", "پراید 131", "domestic", "petrol", 4, 1323, 1_200_000_000),
    ("passenger", "Toyota", "Camry", "imported", "hybrid", 4, 2494, 18_000_000_000),
    ("passenger", "Hyundai", "Sonata", "imported", "petrol", 4, 1999, 14_000_000_000),
    ("pickup_single", "زامیاد", "وانت نیسان", "domestic", "petrol", 4, 2389, 3_100_000_000),
    ("pickup_double", "ایران خودرو", "آریسان", "domestic", "cng", 4, 1696, 2_200_000_000),
    ("truck", "ایران خودرو دیزل", "کامیونت", "domestic", "diesel", 6, 5900, 12_000_000_000),
    ("motorcycle", "هوندا", "CG125", "domestic", "petrol", 1, 124, 420_000_000),
)  # fmt: skip


def main() -> None:
    """Writes the four files."""
    for place, (name, (city, region)) in enumerate(CITIES.items()):
        (DEMO / "rolls").mkdir(exist_ok=True)
        (DEMO / "rolls" / f"{name}.csv").write_text(roll(city, region, place), encoding="utf-8")


def roll(city: str, region: int, place: int) -> str:
    """One city's CSV; `place` chooses which of Mashhad's cars have moved there."""
    dice = random.Random(f"avarez demonstration {city}")  # noqa: S311 - repeatable on purpose
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for number, row in enumerate(moved_cars()[place * MOVED : (place + 1) * MOVED]):
        writer.writerow(_moved(row, city, _plate(dice, region, number), dice))
    for number in range(MOVED, ROWS):
        writer.writerow(_new(city, region, number, dice))
    return out.getvalue()


def moved_cars() -> list[RollRow]:
    """Cars of Mashhad's sample that have a VIN and came before 1402, in the order of the file."""
    with (DEMO / "roll_sample.csv").open(encoding="utf-8", newline="") as lines:
        rows = [row for row in RollReader().read(lines) if isinstance(row, RollRow)]
    fitting = [
        row
        for row in rows
        if row.vin and row.vehicle_class == "passenger" and "1390" < row.residence_from_jalali < "1401"
    ]
    return fitting[:: max(len(fitting) // (len(CITIES) * MOVED), 1)]


def _moved(row: RollRow, city: str, plate: str, dice: random.Random) -> list[object]:
    since = f"{dice.randint(1402, 1404)}-{dice.randint(1, 12):02d}-{dice.randint(1, 29):02d}"
    return [
        city, plate, row.vin, row.chassis, row.engine, row.vehicle_class, row.make, row.model, row.model_year,
        row.model_calendar, row.origin, row.fuel, row.cylinders, row.displacement_cc, row.base_price_rial,
        row.sale_date_jalali, row.owner_id, row.owner_kind, since,
    ]  # fmt: skip


def _new(city: str, region: int, number: int, dice: random.Random) -> list[object]:
    vehicle_class, make, model, origin, fuel, cylinders, displacement, price = dice.choice(MODELS)
    year = dice.randint(1388, 1404)
    gregorian = origin == "imported"
    day = f"{year}-{dice.randint(1, 12):02d}-{dice.randint(1, 29):02d}"
    motorcycle = vehicle_class == "motorcycle"
    vin = "" if motorcycle else "IR" + "".join(dice.choices("ABCDEFGHJKLMNPRSTUVWXYZ0123456789", k=15))
    return [
        city,
        f"{region + 100:03d}-{10_000 + number * 7:05d}" if motorcycle else _plate(dice, region, number),
        vin,
        f"{city[:2]}{dice.randrange(16**8):08X}",
        f"{dice.randrange(10**9):09d}",
        vehicle_class, make, model,
        year + 621 if gregorian else year,
        "gregorian" if gregorian else "jalali",
        origin, fuel, cylinders, displacement,
        price * dice.randint(80, 130) // 100,
        day,
        _national_id(dice),
        "person",
        day,
    ]  # fmt: skip


def _plate(dice: random.Random, region: int, number: int) -> str:
    """Unique in its city: the number gives two of the parts."""
    letter = LETTERS[number % len(LETTERS)]
    return f"{11 + number % 83} {letter} {111 + dice.randrange(8) * 100 + number // 83} - ایران {region}"


def _national_id(dice: random.Random) -> str:
    digits = [dice.randrange(10) for _ in range(9)]
    remainder = sum(digit * (10 - place) for place, digit in enumerate(digits)) % 11
    return "".join(map(str, digits)) + str(remainder if remainder < 2 else 11 - remainder)


if __name__ == "__main__":
    main()
