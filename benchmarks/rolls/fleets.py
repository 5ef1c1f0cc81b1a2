"""Whole rolls: the check of a million rows, the columnar engine, a simulation of a million vehicles."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

from avarez.assessment import Tariff, load_tariff, tariff_from_document
from avarez.fleet.engine import Question, assess_block
from avarez.fleet.fleet import Fleet
from avarez.fleet.simulation import Simulation
from benchmarks.report import Figure, at_most, plain
from benchmarks.rolls import large_roll

GROUP = "whole rolls"
AS_OF = date(2026, 11, 23)
THROUGH_YEAR = 1405
SIMULATION_S_MAX = 60.0


def figures(root: Path, folder: Path, *, rounds: int, count: int) -> list[Figure]:
    """Seconds, memory and vehicles a second over a roll of `count` rows, in one process each."""
    path = folder / "roll.csv"
    large_roll.write(path, "MASHHAD", count)
    checked = check(root, path, "MASHHAD", folder)
    if checked["rows"] != count or checked["refused"]:
        raise AssertionError(f"the roll was not taken whole: {checked}")
    before = load_tariff(root / "demo" / "tariffs")
    after = _dearer(before)
    assessed, simulated = [], []
    for _ in range(rounds):
        with (folder / "facts.columns").open("rb") as file:
            fleet = Fleet.read(file)
        question = Question.of(before, "MASHHAD", AS_OF, THROUGH_YEAR)
        started = time.perf_counter()
        for _, block in fleet.blocks():
            assess_block(block, question)
        assessed.append(count / (time.perf_counter() - started))
        started = time.perf_counter()
        with (folder / "facts.columns").open("rb") as file:
            city = Simulation(before, after, AS_OF, THROUGH_YEAR).add_city("MASHHAD", Fleet.read(file).in_use())
        simulated.append(time.perf_counter() - started)
        if city.whole.losers == 0 or not city.examples:
            raise AssertionError("the simulation shows nothing")
    rows = f"{count:,} rows"
    return [
        plain(GROUP, f"check of an upload, {rows}", [checked["elapsed_s"]], "s"),
        plain(GROUP, "its peak memory", [checked["peak_bytes"] / 2**20], "MB", 0),
        plain(GROUP, "columnar engine, vehicles of 11 years", assessed, "a second", 0),
        at_most(GROUP, f"simulation before and after, {rows}", simulated, "s", SIMULATION_S_MAX * count / 1e6),
    ]


def check(root: Path, path: Path, city: str, folder: Path) -> dict[str, Any]:
    """What the roll's check did with the file, in a process of its own."""
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks.rolls.check_roll", str(path), city, str(folder)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": f"{root}:{root / 'layers' / 'common'}"},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(told.stdout.strip().splitlines()[-1])
    return found


def _dearer(tariff: Tariff) -> Tariff:
    """The same with 1.2/1000 for 1/1000 from 1401 on and a lower penalty: winners and losers."""
    rows = []
    for row in tariff.document["rows"]:
        if row["id"] == "principal-1400-domestic":
            row = {**row, "rate": "1.2/1000"}
        if row["id"] == "penalty-1400":
            row = {**row, "monthly_rate": "1.5/100"}
        rows.append(row)
    return tariff_from_document({**tariff.document, "rows": rows})
