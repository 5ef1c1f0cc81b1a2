"""Mistakes of one line each, put into the shipped code: the simulator, or the stores' own suite, must notice each.

`mistakes.json` is the list, with what noticed each when it was written. Many are guarded by tests of their own as
well; here counts what the invariants see.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).resolve().parent
MISTAKES: list[dict[str, Any]] = json.loads((FOLDER / "mistakes.json").read_text(encoding="utf-8"))
KINDS = (
    "amounts",
    "chain",
    "closes",
    "conditions",
    "expiry",
    "ledger",
    "read-back",
    "retries",
    "sharing",
    "tenant",
    "uniqueness",
    "units",
)
LEAST_OF_A_KIND = 4
LEAST_IN_ALL = 40
RUN_TIMEOUT_S = 240


def noticed(mistake: dict[str, Any]) -> dict[str, Any]:
    """What the run over the changed code told; empty when it noticed nothing."""
    given = [mistake["file"], mistake["old"], mistake["new"], str(mistake["payments"]), str(mistake["seed"])]
    ran = subprocess.run(
        [sys.executable, str(FOLDER / "run_with_mistake.py"), *given],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=RUN_TIMEOUT_S,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2_000:]
    told: dict[str, Any] = json.loads(ran.stdout.strip().splitlines()[-1])
    return told


@pytest.mark.timeout(1_200)
def test_every_mistake_is_noticed_by_what_the_list_says() -> None:
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        told = list(pool.map(noticed, MISTAKES))
    unnoticed = [mistake["old"] for mistake, found in zip(MISTAKES, told, strict=True) if not found]
    assert unnoticed == []
    for mistake, found in zip(MISTAKES, told, strict=True):
        assert set(mistake["noticed_by"]) == set(found), mistake["old"]


def test_list_has_enough_of_each_kind_and_none_needs_more_than_twenty_thousand_payments() -> None:
    counted = Counter(mistake["kind"] for mistake in MISTAKES)
    assert set(counted) == set(KINDS)
    assert min(counted.values()) >= LEAST_OF_A_KIND
    assert len(MISTAKES) >= LEAST_IN_ALL
    assert all(mistake["payments"] == "contract" or mistake["payments"] <= 20_000 for mistake in MISTAKES)


def test_page_counts_what_noticed_how_many() -> None:
    page = (ROOT / "docs" / "proofs.md").read_text(encoding="utf-8")
    told = {name: int(count) for name, count in re.findall(r"^\| `noticed: (.+?)` \| (\d+) \|", page, re.M)}
    assert told == Counter(name for mistake in MISTAKES for name in mistake["noticed_by"])
