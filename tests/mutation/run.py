"""`make mutation`: how many mutants of the rules of money the unit tests notice, and which they do not.

mutmut changes one place in the body of a function at a time and runs the tests that come by it. It leaves modules'
tables, the defaults of dataclasses and decorated functions (properties) alone; tests of their own hold those, see
`docs/proofs.md`. It wants its settings and its layout in the folder that it runs in, and gets a copy for it.

A mutant that lives must be judged in `survivors.toml`, by what it changes and not by its number, which every edit
moves. A judgement that no mutant needs any more is told, so that it can be taken out.

Exit codes: 0 enough are noticed and the others are judged, 1 not.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / ".build" / "mutation"
JUDGED = Path(__file__).with_name("survivors.toml")
RESULTS = ROOT / "benchmarks" / "results" / "mutation.json"
SCORE_MIN_PERMILLE = 950
"""Of a thousand mutants, judged ones included: a reason why one lives does not make it dead."""
SCOPE = (
    "functions/pay/rules/*.py",  # states, records, ledger, settling, fees, refunds, leases, bills, terminals
    "functions/pay/payments/joint/*.py",  # one payment for many: parts, apportioned and settled one by one
    "functions/pay/payments/billing.py",  # a bank's money for a bill: oldest year first, the rest to suspense
    "src/avarez/journal.py",  # what a journal entry is, its balance and its hash
)
TESTS = "tests/unit/payments"
COPIED = ("functions", "layers", "simulation", "docs", "infra")
HELD = "tests/answers_seen.py"
"""What the tests import of `tests/`, which mutmut copies by itself."""
SETTINGS = f"""[tool.mutmut]
source_paths = ["functions/pay", "src"]
only_mutate = {json.dumps(SCOPE)}
also_copy = {json.dumps(COPIED)}
use_git_change_detection = false
pytest_add_cli_args_test_selection = ["{TESTS}"]
pytest_add_cli_args = ["-p", "no:cacheprovider"]
[tool.pytest.ini_options]
pythonpath = [".", "src"]
addopts = "-q --import-mode=importlib"
"""
NOTICED = {"killed", "timeout"}
Change = tuple[str, str]
"""A function, and the lines that go and come in it."""


def prepare() -> None:
    """A fresh copy of what the mutants and their tests need; in `src` mutmut knows a package by its own name."""
    shutil.rmtree(WORK, ignore_errors=True)
    for name in (*COPIED, TESTS):
        shutil.copytree(ROOT / name, WORK / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / HELD, WORK / HELD)
    shutil.copytree(WORK / "layers/common/avarez", WORK / "src/avarez")
    (WORK / "pyproject.toml").write_text(SETTINGS, "utf-8")


def mutmut(*arguments: str) -> str:
    command = [str(Path(sys.executable).with_name("mutmut")), *arguments]
    return subprocess.run(command, cwd=WORK, check=True, stdout=subprocess.PIPE, text=True).stdout


def outcomes() -> dict[str, str]:
    """What became of each mutant, by its name."""
    mutmut("run")
    lines = (line.strip().rpartition(": ") for line in mutmut("results", "--all", "true").splitlines())
    return {name: outcome for name, _, outcome in lines if name}


def function_of(name: str) -> str:
    """`fees.Fee.__post_init__` where mutmut says `fees.xǁFeeǁ__post_init____mutmut_8`."""
    module, _, mangled = name.rpartition(".")
    of = re.sub(r"__mutmut_\d+$", "", mangled)
    return f"{module}.{of[2:].replace('ǁ', '.')}"


def change_of(name: str) -> Change:
    """What the mutant changes, however the code around it moves."""
    lines = mutmut("show", name).splitlines()
    changed = [line for line in lines if line[:1] in {"-", "+"} and line[:3] not in {"---", "+++"}]
    return function_of(name), "\n".join(f"{line[0]} {line[1:].strip()}" for line in changed)


def judgements() -> dict[Change, str]:
    """Why each survivor may live."""
    told = tomllib.loads(JUDGED.read_text("utf-8"))["survivor"]
    return {(of["function"], of["change"].strip()): of["reason"] for of in told}


def report(found: dict[str, str]) -> bool:
    """Prints and stores what came of it; whether it is enough."""
    living = {name: change_of(name) for name, outcome in found.items() if outcome not in NOTICED}
    judged = judgements()
    by_module = Counter(name.rpartition(".")[0] for name in found)
    lost = Counter(name.rpartition(".")[0] for name in living)
    permille = (len(found) - len(living)) * 1_000 // len(found)
    for module, count in sorted(by_module.items()):
        print(f"{module}: {count - lost[module]} of {count}")
    print(f"{len(found)} mutants, {len(found) - len(living)} noticed, {len(living)} not: {permille / 10:.1f} %")
    for name, change in living.items():
        print(f"\n{name} ({found[name]}) {judged.get(change, 'NOT JUDGED')}\n{change[1]}")
    for function, change_text in judged.keys() - set(living.values()):
        print(f"\nno survivor needs this judgement any more: {function}\n{change_text}")
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, check=False, capture_output=True, text=True)
    stored = {
        "commit": commit.stdout.strip(),
        "mutants": len(found),
        "noticed": len(found) - len(living),
        "by_module": {module: [count - lost[module], count] for module, count in sorted(by_module.items())},
        "survivors": [
            {"function": of, "change": text, "reason": judged.get((of, text), "")} for of, text in living.values()
        ],
    }
    RESULTS.write_text(json.dumps(stored, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return permille >= SCORE_MIN_PERMILLE and set(living.values()) <= judged.keys()


def main() -> int:
    prepare()
    return 0 if report(outcomes()) else 1


if __name__ == "__main__":
    sys.exit(main())
