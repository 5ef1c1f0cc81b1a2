"""Runs in OpenFisca's environment: how many vehicles a second, all in one simulation and one by one; as JSON."""

# mypy: ignore-errors

from __future__ import annotations

import importlib.metadata
import json
import sys
import time
from pathlib import Path

import numpy
from country import LAST_YEAR, Fuel, VehicleClass, system
from fleet import vehicles
from openfisca_core.simulation_builder import SimulationBuilder

SHOWN = 10_000


def main() -> None:
    """Arguments: tariffs' folder, vehicles, singles, rounds, seed."""
    tariffs, count, singles, rounds, seed = Path(sys.argv[1]), *map(int, sys.argv[2:6])
    made = system(tariffs)
    fleet = vehicles(count, seed)
    # Everything as arrays before the clock starts: reading a roll is not what is compared.
    inputs = {
        "vehicle_class": VehicleClass.encode(numpy.asarray([one["vehicle_class"] for one in fleet])),
        "fuel": Fuel.encode(numpy.asarray([one["fuel"] for one in fleet])),
        "imported": numpy.asarray([one["origin"] == "imported" for one in fleet]),
        "model_year": numpy.asarray([one["model_year"] for one in fleet]),
        "base_price": numpy.asarray([float(one["base_price_rial"]) for one in fleet]),
    }

    def calculated(of):
        size = len(of["imported"])
        simulation = SimulationBuilder().build_default_simulation(made, count=size)
        for name, values in of.items():
            simulation.set_input(name, "ETERNITY", values)
        return simulation.calculate("owed", str(LAST_YEAR))

    owed = calculated(inputs)  # warms the parameters' caches; not timed
    one_by_one = [{name: values[at : at + 1] for name, values in inputs.items()} for at in range(singles)]
    calculated(one_by_one[0])
    together, singly = [], []
    for _ in range(rounds):
        started = time.perf_counter()
        calculated(inputs)
        together.append(count / (time.perf_counter() - started))
        started = time.perf_counter()
        for one in one_by_one:
            calculated(one)
        singly.append(singles / (time.perf_counter() - started))
    versions = {name: importlib.metadata.version(name) for name in ("openfisca-core", "numpy")}
    shown = [str(int(amount)) for amount in owed[:SHOWN]]
    print(json.dumps({"versions": versions, "vectorised": together, "singly": singly, "owed": shown}))


if __name__ == "__main__":
    main()
