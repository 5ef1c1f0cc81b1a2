"""Vehicles for both engines, made by chance from a seed; standard library only, so that both can run it."""

from __future__ import annotations

import random
from typing import Any, Final

CLASSES: Final = (
    "passenger", "pickup_double", "pickup_single", "van", "minibus", "bus", "truck", "motorcycle", "taxi",
    "ambulance", "other",
)  # fmt: skip
FUELS: Final = ("petrol", "diesel", "cng", "dual", "hybrid", "electric")


def vehicles(count: int, seed: int) -> list[dict[str, Any]]:
    """Facts as `Vehicle.from_json` takes them: prices from 200 million to 200 billion rial, Jalali model years."""
    chance = random.Random(seed)  # noqa: S311 - a benchmark's data, no secret
    return [
        {
            "vehicle_class": chance.choice(CLASSES),
            "origin": chance.choice(("domestic", "imported")),
            "fuel": chance.choice(FUELS),
            "model_year": chance.randint(1375, 1405),
            "model_calendar": "jalali",
            "make": "",
            "model": "",
            "base_price_rial": str(chance.randint(200_000_000, 200_000_000_000)),
        }
        for _ in range(count)
    ]
