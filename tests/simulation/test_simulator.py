"""The simulator: several seeds, the same run for the same seed on any number of cores, and what it must reach."""

from __future__ import annotations

import json
import os
from collections import Counter

import pytest

from avarez_cli.main import main
from simulation import invariants
from simulation.faults import SITES, table, unreached
from simulation.run import Part, report, simulate, verdict

PROVING = "AVAREZ_PROVE" in os.environ
SEEDS = (6, 7, 5)
PAYMENTS = 1_000_000 if PROVING else 20_000


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", SEEDS)
def test_storm_leaves_every_invariant_whole_and_reaches_every_fault(seed: int) -> None:
    told = simulate(PAYMENTS if seed == SEEDS[0] else 20_000, seed, 0.1)
    assert verdict(told, 0.1) == []
    assert told["unreached"] == []
    assert set(told["invariants"].values()) == {0}
    assert told["lost_rial"] == told["unfinished"] == 0
    assert told["faults_fired"] >= 0.5 * told["payments"]


def test_run_without_faults_settles_everything_that_was_paid() -> None:
    told = simulate(2_000, 5, 0.0, processes=1)
    assert verdict(told, 0.0) == []
    assert told["faults_fired"] == 0
    # A bill of an agreement of days before: its bank tells after that broke, and the money is in suspense.
    assert told["ended"].pop("expired", 0) == 1
    assert set(told["ended"]) <= {"settled", "refunded", "refunding", "suspense"}


def test_same_seed_gives_the_same_run_on_any_number_of_cores_and_another_gives_another() -> None:
    one, two, other = (
        simulate(12_000, 9, 0.1, processes=1),
        simulate(12_000, 9, 0.1, processes=2),
        simulate(500, 8, 0.1),
    )
    for told in (one, two):
        told.pop("elapsed_s")
    assert one == two
    assert other["state_hash"] != one["state_hash"]


def part(**changes: object) -> Part:
    values: dict[str, object] = {
        "payments": 50_000,
        "fired": Counter({(kind, site): 1_000 for site, kinds in SITES.items() for kind in kinds}),
        "broken": {},
        "unrest": [],
        "lost_rial": 0,
        "ended": Counter({"settled": 40_000}),
        "state_hash": "x",
        **changes,
    }
    return Part(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"broken": {"I2": ["one"]}}, "I2 is broken"),
        ({"unrest": ["py_1 pending"]}, "not come to their end"),
        ({"lost_rial": 7}, "7 rial are lost"),
        ({"fired": Counter({("busy", "store.create"): 100_000})}, "unreached: killed_before at store.create"),
        ({"fired": Counter()}, "only 0 faults"),
        ({"ended": Counter({"expired": 40_000})}, "only 0 of 50000 were settled"),
    ],
)
def test_run_that_breaks_something_or_shows_too_little_does_not_pass(
    changes: dict[str, object], word: str
) -> None:
    told = report([part(**changes)], payments=50_000, seed=1, rate=0.1, elapsed_s=1.0)
    assert any(word in reason for reason in verdict(told, 0.1))


def test_table_names_every_type_at_every_site() -> None:
    assert sum(len(sites) for sites in table(Counter()).values()) == sum(map(len, SITES.values()))
    assert len(unreached(Counter())) == sum(map(len, SITES.values()))


def test_command_line_tells_exactly_the_documented_form(capsys: pytest.CaptureFixture[str]) -> None:
    told = []
    for _ in range(2):
        assert main(["simulate", "--payments", "300", "--seed", "3", "--faults", "0.1", "--json"]) == 0
        told.append(json.loads(capsys.readouterr().out))
        told[-1].pop("elapsed_s")
    assert told[0] == told[1]
    assert set(told[0]) | {"elapsed_s"} == {
        "seed", "payments", "faults_fired", "faults", "unreached", "invariants", "lost_rial", "settled",
        "suspense", "refunded", "state_hash", "elapsed_s",
    }  # fmt: skip
    assert list(told[0]["invariants"]) == [f"I{number}" for number in range(1, 13)]
    assert main(["simulate", "--payments", "300", "--seed", "3"]) == 0
    assert "passed" in capsys.readouterr().out
    assert main(["simulate", "--payments", "0"]) == 2


def test_command_line_fails_on_any_violation_and_says_which(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(invariants.RULES, "I7", lambda world, people: iter(["TEHRAN: owed 1, due 2"]))
    assert main(["simulate", "--payments", "100", "--seed", "3", "--processes", "1", "--json"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["invariants"]["I7"] == 1
    assert "I7 is broken 1 times" in err
