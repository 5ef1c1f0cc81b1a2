"""Our engine beside OpenFisca-Core, in the same run: the same rules on the same vehicles, singly and vectorised.

Run `python -m benchmarks.openfisca.compare`. OpenFisca lives in an environment of its own, `.bench/`.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

from avarez.assessment import Assessment, Vehicle, assess, load_tariff
from avarez.fleet.engine import Question, owed_by_each
from avarez.fleet.fleet import Fleet
from benchmarks.environment import environment
from benchmarks.openfisca.fleet import vehicles
from benchmarks.report import Figure, at_least, plain, table

GROUP: Final = "beside OpenFisca-Core"
HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parents[1]
AS_OF: Final = date(2026, 11, 23)
THROUGH_YEAR: Final = 1405
SEED: Final = 7
COMPARED: Final = 10_000
SINGLY_RATIO: Final = 20
VECTORISED_RATIO: Final = 3


def figures(root: Path, *, rounds: int, count: int, singles: int) -> list[Figure]:
    """Vehicles a second of both, and ours over theirs.

    Raises:
        AssertionError: the two owe different amounts for some of the first 10,000 vehicles.
    """
    theirs = _measured(root, rounds=rounds, count=count, singles=singles)
    facts = vehicles(count, SEED)
    fleet = [Vehicle.from_json(one) for one in facts]
    tariff = load_tariff(root / "demo" / "tariffs")

    def one(vehicle: Vehicle) -> Assessment:
        return assess(vehicle, (), (), tariff, AS_OF, THROUGH_YEAR, "MASHHAD")

    ours = [str(one(vehicle).owed_rial) for vehicle in fleet[:COMPARED]]
    different = sum(a != b for a, b in zip(ours, theirs["owed"], strict=True))
    columns = Fleet.of(fleet)
    question = Question.of(tariff, "MASHHAD", AS_OF, THROUGH_YEAR)
    in_columns = [str(amount) for amount in owed_by_each(columns, question).tolist()[:COMPARED]]
    different += sum(a != b for a, b in zip(ours, in_columns, strict=True))
    if different:
        raise AssertionError(f"{different} of {len(ours)} vehicles owe different amounts")

    sample = fleet[: singles * 10]
    bare = [_rate(lambda: [one(vehicle) for vehicle in sample], len(sample)) for _ in range(rounds)]
    traced = [_rate(lambda: [one(vehicle).trace_hash for vehicle in sample], len(sample)) for _ in range(rounds)]
    together = [_rate(lambda: owed_by_each(columns, question), count) for _ in range(rounds)]
    core = f"OpenFisca-Core {theirs['versions']['openfisca-core']}"
    return [
        plain(GROUP, f"{core}, one vehicle a simulation", theirs["singly"], "a second", 0),
        plain(GROUP, "ours, one vehicle with every line", bare, "a second", 0),
        at_least(GROUP, "ours over theirs, singly", _ratios(bare, theirs["singly"]), "times", SINGLY_RATIO),
        at_least(GROUP, "the same, trace hashed", _ratios(traced, theirs["singly"]), "times", SINGLY_RATIO),
        plain(GROUP, f"{core}, {count:,} vehicles in one", theirs["vectorised"], "a second", 0),
        plain(GROUP, "ours, columnar", together, "a second", 0),
        at_least(GROUP, "ours over theirs, vectorised", _ratios(together, theirs["vectorised"]), "times",
                 VECTORISED_RATIO),
        plain(GROUP, f"vehicles of {len(ours):,} that owe different amounts", [different], "", 0),
    ]  # fmt: skip


def _ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    return [mine / statistics.median(theirs) for mine in ours]


def _rate(work: Callable[[], Any], count: int) -> float:
    started = time.perf_counter()
    work()
    return count / (time.perf_counter() - started)


def _measured(root: Path, *, rounds: int, count: int, singles: int) -> dict[str, Any]:
    python = environment(root / ".bench", HERE / "requirements.lock")
    arguments = [str(root / "demo" / "tariffs"), *map(str, (count, singles, rounds, SEED))]
    told = subprocess.run([str(python), str(HERE / "measure.py"), *arguments], capture_output=True, check=True)
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def main() -> int:
    """Prints the comparison; exit code 1 where a ratio is not met."""
    found = figures(ROOT, rounds=3, count=100_000, singles=500)
    print(table(found))
    return 1 if any(figure.met is False for figure in found) else 0


if __name__ == "__main__":
    sys.exit(main())
