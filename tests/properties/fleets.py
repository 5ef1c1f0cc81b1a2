"""Random vehicles and a tariff that uses everything a tariff can say, for the two engines to be held against."""

from __future__ import annotations

import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from avarez.assessment import Fuel, ModelCalendar, Origin, Tariff, Vehicle, VehicleClass, tariff_from_document
from avarez.assessment.tariff import merge_files
from avarez.plates import PlateKind

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = {"law": "vat-1400", "article_fa": "ماده", "article_en": "art.", "reference": "a test"}
MAKES = ("سایپا", "ایران خودرو", "بی‌ام‌و")
MODELS = ("سمند LX", "پراید", "تیبا", "X5")
_NAMED = {"reason_fa": "نمونه", "reason_en": "example"}
EVERYTHING: tuple[dict[str, Any], ...] = (
    {"id": "shiraz-truck", "kind": "principal", "duty_years": [1399, 1403], "places": ["SHIRAZ"],
     "classes": ["truck"], "cylinders": [6, 24], "rate": "0.777/1000"},
    {"id": "shiraz-bus", "kind": "principal", "duty_years": [1400, 1405], "places": ["SHIRAZ"],
     "classes": ["bus"], "flat_rial": "3333333"},
    {"id": "dear", "kind": "base_price", "duty_years": [1397, 1405], "places": "national", "node": "ikco",
     "base_price_rial": "7654321098"},
    {"id": "dearer", "kind": "base_price", "duty_years": [1397, 1404], "places": "national", "node": "ikco.samand",
     "model_years": [1390, 1399], "base_price_rial": "12345678901"},
    {"id": "surcharge-new", "kind": "surcharge", "duty_years": [1402, 1405], "places": "national",
     "origins": ["imported"], "after_years": 3, "percent_per_year": 7, "max_percent": 55,
     "excepted_fuels": ["hybrid"]},
    {"id": "smoke", "kind": "pollution", "duty_years": [1401, 1405], "places": ["SHIRAZ", "TEHRAN"],
     "fuels": ["petrol", "diesel"], "displacement_cc": [1500, 9000], "rate": "0.333/1000"},
    {"id": "smoke-flat", "kind": "pollution", "duty_years": [1401, 1405], "places": ["SHIRAZ"],
     "fuels": ["cng"], "flat_rial": "77777"},
    {"id": "electric", "kind": "exemption", "duty_years": [1400, 1405], "places": "national",
     "fuels": ["electric"], "of": ["principal", "surcharge"], "rate": "66.6667/100", **_NAMED},
    {"id": "taxis", "kind": "exemption", "duty_years": [1395, 1405], "places": ["SHIRAZ"],
     "plate_kinds": ["taxi", "diplomatic"], "of": ["total"], "rate": "33.3/100", **_NAMED},
    {"id": "age", "kind": "discount", "duty_years": [1395, 1402], "places": "national", "of": ["surcharge"],
     "rate": "12.5/100", **_NAMED},
    {"id": "amnesty", "kind": "discount", "duty_years": [1395, 1404], "places": ["SHIRAZ"], "of": ["penalty"],
     "as_of_from_jalali": "1405-01-01", "rate": "50.5/100", **_NAMED},
    {"id": "gift", "kind": "discount", "duty_years": [1403, 1403], "places": "national", "node": "ikco",
     "of": ["total"], "flat_rial": "1234567", **_NAMED},
    {"id": "gone", "kind": "discount", "duty_years": [1395, 1404], "places": "national", "of": ["penalty"],
     "as_of_to_jalali": "1404-12-29", "rate": "90/100", **_NAMED},
)  # fmt: skip
CATALOGUE = [
    {"id": "ikco", "name_fa": "ایران خودرو", "name_en": "Iran Khodro", "matches": [{"make": "ایران خودرو"}]},
    {"id": "ikco.samand", "name_fa": "سمند", "name_en": "Samand",
     "matches": [{"make": "ایران خودرو", "model": "سمند LX"}]},
]  # fmt: skip


def tariff_with_everything(**settings: Any) -> Tariff:
    """The demonstration's tariff, rows of every kind and scope, and these members of the national setting."""
    document = merge_files(ROOT / "demo" / "tariffs")
    rows = [{**row, **settings} if row["id"] == "setting-national" else row for row in document["rows"]]
    more = [{**REFERENCE, **row} for row in EVERYTHING]
    return tariff_from_document({**document, "catalogue": CATALOGUE, "rows": [*rows, *more]})


def random_vehicles(count: int, seed: int) -> list[Vehicle]:
    """Vehicles of every class, fuel, calendar and size of price up to the largest that is taken."""
    chance = random.Random(seed)
    classes, origins, fuels, kinds = list(VehicleClass), list(Origin), list(Fuel), list(PlateKind)
    first = date(1990, 1, 1)
    found = []
    for _ in range(count):
        gregorian = chance.random() < 0.3
        found.append(
            Vehicle(
                vehicle_class=chance.choice(classes),
                origin=chance.choice(origins),
                fuel=chance.choice(fuels),
                model_year=chance.randint(1350, 1405) + (621 if gregorian else 0),
                model_calendar=ModelCalendar.GREGORIAN if gregorian else ModelCalendar.JALALI,
                make=chance.choice(MAKES),
                model=chance.choice(MODELS),
                base_price_rial=chance.randint(1, 10 ** chance.randint(1, 15)),
                cylinders=chance.choice([None, 3, 4, 6, 8, 12]),
                displacement_cc=chance.choice([None, 800, 1499, 1500, 2000, 9000, 9001]),
                sale_date=None if chance.random() < 0.4 else first + timedelta(days=chance.randint(0, 13_400)),
                plate_kind=None if chance.random() < 0.2 else chance.choice(kinds),
            )
        )
    return found
