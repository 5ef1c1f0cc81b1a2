"""A simulation's totals are what the published tariffs charge, vehicle by vehicle, to the rial."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import replace
from datetime import date

from avarez.assessment import Tariff, Vehicle, assess, tariff_from_document
from avarez.errors import TariffMissing
from avarez.fleet.columns import ColumnWriter
from avarez.fleet.fleet import Fleet
from avarez.fleet.simulation import Simulation
from avarez.jalali import to_jalali
from avarez.roll.rows import RollReader, RollRow
from tests.properties.fleets import ROOT, random_vehicles, tariff_with_everything

AS_OF = date(2026, 11, 23)
BEFORE = tariff_with_everything()


def after() -> Tariff:
    rows = [
        {**row, "rate": "1.2/1000"} if row["id"] == "principal-1400-domestic" else row
        for row in BEFORE.document["rows"]
    ]
    rows = [{**row, "monthly_rate": "1.5/100"} if row["id"] == "penalty-1400" else row for row in rows]
    return tariff_from_document({**BEFORE.document, "rows": rows})


def owed(vehicle: Vehicle, tariff: Tariff) -> int:
    try:
        return assess(vehicle, (), (), tariff, AS_OF, 1405, "SHIRAZ").owed_rial
    except TariffMissing:
        return 0


def test_totals_and_groups_equal_the_assessments_of_each_vehicle() -> None:
    vehicles, changed = random_vehicles(1_500, 3), after()
    simulation = Simulation(BEFORE, changed, AS_OF, 1405)
    city = simulation.add_city("SHIRAZ", Fleet.of(vehicles))
    first, second = ([owed(vehicle, tariff) for vehicle in vehicles] for tariff in (BEFORE, changed))
    assert (city.whole.before_rial, city.whole.after_rial) == (sum(first), sum(second))
    assert city.whole.winners == sum(b < a for a, b in zip(first, second, strict=True)) > 0
    assert city.whole.losers == sum(b > a for a, b in zip(first, second, strict=True)) > 0
    by_class: Counter[str] = Counter()
    for vehicle, amount in zip(vehicles, second, strict=True):
        by_class[vehicle.vehicle_class.value] += amount
    assert {name: tally.after_rial for name, tally in city.by_class.items()} == by_class
    for groups in (city.by_class, city.by_age):
        assert sum(tally.vehicles for tally in groups.values()) == len(vehicles)
        assert sum(tally.before_rial for tally in groups.values()) == sum(first)
    assert sum(amounts[1] for amounts in city.by_kind.values()) == sum(second)
    rounding = city.by_kind["rounding"][1]
    assert sum(amounts[1] for amounts in city.by_year.values()) + rounding == sum(second)


def test_classes_and_years_without_a_tariff_are_counted() -> None:
    rows = [row for row in BEFORE.document["rows"] if row["id"] != "principal-1387-bus"]
    lacking = tariff_from_document({**BEFORE.document, "rows": rows})
    vehicles = random_vehicles(800, 6)
    city = Simulation(BEFORE, lacking, AS_OF, 1405).add_city("TEHRAN", Fleet.of(vehicles))
    starts = [to_jalali(v.duty_starts).year for v in vehicles if v.vehicle_class == "bus"]
    counted = {(gap["vehicle_class"], gap["year"]): gap["vehicles"] for gap in city.to_json()["without_tariff"]}
    assert counted == {("bus", year): sum(start <= year for start in starts) for year in range(1395, 1401)}
    assert city.whole.not_assessed_after == sum(start <= 1400 for start in starts)


def test_examples_are_the_largest_changes_and_are_explained_to_the_rial() -> None:
    vehicles, changed = random_vehicles(400, 4), after()
    simulation = Simulation(BEFORE, changed, AS_OF, 1405)
    city = simulation.add_city("SHIRAZ", Fleet.of(vehicles))
    differences = [owed(vehicle, changed) - owed(vehicle, BEFORE) for vehicle in vehicles]
    shown = [int(example["difference_rial"]) for example in city.examples]
    assert shown[:5] == sorted((d for d in differences if d > 0), reverse=True)[:5]
    assert shown[5:] == sorted(d for d in differences if d < 0)[:5]
    for example in city.examples:
        parts = sum(int(change["amount_rial"]) for change in example["changes"])
        assert parts == int(example["difference_rial"])


def test_the_first_tariff_is_compared_with_none() -> None:
    simulation = Simulation(None, BEFORE, AS_OF, 1405)
    city = simulation.add_city("SHIRAZ", Fleet.of(random_vehicles(50, 5)))
    assert city.whole.before_rial == 0
    assert city.whole.not_assessed_before == 50
    assert simulation.to_json()["before"] is None


def test_a_later_roll_replaces_rows_of_the_same_plate_and_vehicle() -> None:
    def fleet(change: dict[int, int]) -> Fleet:
        writer, file = ColumnWriter(), io.BytesIO()
        with (ROOT / "demo" / "rolls" / "tehran.csv").open(encoding="utf-8-sig", newline="") as lines:
            rows = [row for row in RollReader("TEHRAN").read(lines) if isinstance(row, RollRow)]
        for number, row in enumerate(rows):
            if change and number not in change:
                continue
            writer.add_row(replace(row, base_price_rial=change.get(number, row.base_price_rial)))
        writer.write(file)
        file.seek(0)
        return Fleet.read(file)

    first, second = fleet({}), fleet({3: 111, 7: 222})
    both = first.after(second)
    assert (len(first), len(second), len(both)) == (len(first), 2, len(first))
    assert sorted(both.columns["base_price_rial"].tolist())[:2] == [111, 222]
    assert both.vehicle(len(both) - 1).make == second.vehicle(1).make
    assert {both.plate(n) for n in range(len(both))} == {first.plate(n) for n in range(len(first))}
    assert len(both.in_use()) <= len(both)
