"""What a cold start costs: the modules a handler pulls in, and its CPU against `import boto3` in the same run."""

from __future__ import annotations

import operator
import statistics
from pathlib import Path

import pytest

from benchmarks.imports import RATIO_MAX, measure, unpack
from infra.routes import ENTRY_POINTS, EntryPoint

ROOT = Path(__file__).resolve().parents[2]

ROUNDS_MAX = 15
"""Noise only ever adds, and one that lasts slows both of a pair: a busy machine takes more rounds to show what a
quiet one shows in two."""

MODULES_MAX = 900
ISSUER_MODULES_MAX = 1_000

FORBIDDEN = ("aws_xray_sdk", "pytest", "moto", "aws_cdk")
"""Never: the Tracer alone costs more than boto3; the rest belongs to building and testing."""

ONLY_WHERE_NEEDED = {"typst": "typst", "zxingcpp": "zxing-cpp", "cryptography": "cryptography", "numpy": "numpy"}
"""Module, and the package that an entry point must name to import it."""


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The search path of each entry point, from the archives that are deployed."""
    return unpack(ROOT, tmp_path_factory.mktemp("assets"))


def _id(entry: EntryPoint) -> str:
    return entry.name


@pytest.mark.parametrize("entry", ENTRY_POINTS, ids=_id)
def test_handler_starts_within_its_budget(entry: EntryPoint, unpacked: dict[str, list[str]]) -> None:
    module = entry.handler.rsplit(".", 1)[0]
    ours, theirs = [], []
    modules: list[str] = []
    for number in range(ROUNDS_MAX):
        theirs.append(measure("boto3", unpacked[""])[0])
        cpu_s, modules = measure(module, unpacked[entry.name])
        ours.append(cpu_s)
        ratio = min(min(ours) / min(theirs), statistics.median(map(operator.truediv, ours, theirs)))
        if number and ratio <= RATIO_MAX:
            break
    assert not [name for name in FORBIDDEN if name in modules]
    top = {name.split(".")[0] for name in modules}
    for name, package in ONLY_WHERE_NEEDED.items():
        assert name not in top or package in entry.packages, name
    assert len(modules) <= (ISSUER_MODULES_MAX if "typst" in entry.packages else MODULES_MAX)
    assert ratio <= RATIO_MAX, f"{entry.name}: {ratio:.2f} times import boto3, {len(modules)} modules"


def test_no_code_asks_for_a_resource_or_the_tracer() -> None:
    for folder in ("functions", "layers"):
        for path in (ROOT / folder).rglob("*.py"):
            text = path.read_text("utf-8")
            assert "boto3.resource" not in text, path
            assert "Tracer" not in text, path
