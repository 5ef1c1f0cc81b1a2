"""A run of the simulator over code with one line changed: `run_with_mistake.py FILE OLD NEW PAYMENTS SEED`.

With the word `contract` for PAYMENTS the suite of the stores runs instead, for mistakes in the adapter itself.

The file is changed as it is imported; nothing is written. Prints the report's invariants as JSON.
"""

from __future__ import annotations

import importlib.machinery
import json
import sys
from pathlib import Path
from types import CodeType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
STORE_SUITE = (
    "tests/contract/stores/test_dynamo.py",
    "tests/contract/payments/test_payment_store.py",
    "tests/contract/events/test_sequencing.py",
)
for folder in (ROOT, ROOT / "layers" / "common"):
    sys.path.insert(0, str(folder))


def change_on_import(file: Path, old: str, new: str) -> None:
    """The module of this file is compiled from its text with `old` replaced by `new`, once."""
    text = file.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise SystemExit(f"{file}: the line is there {text.count(old)} times: {old!r}")
    plain = importlib.machinery.SourceFileLoader.get_code

    def get_code(self: Any, name: str) -> CodeType | None:
        if Path(self.path) == file:
            return compile(text.replace(old, new), str(file), "exec")
        return plain(self, name)

    setattr(importlib.machinery.SourceFileLoader, "get_code", get_code)  # noqa: B010 - a change of the class itself


def main() -> None:
    """One run on one core; an error of the code itself counts as noticed too."""
    file, old, new, payments, seed = sys.argv[1:]
    change_on_import(ROOT / file, old, new)
    if payments == "contract":
        import pytest

        code = pytest.main(["-q", "-x", "--no-header", *STORE_SUITE])
        print(json.dumps({"store's suite": 1} if code == pytest.ExitCode.TESTS_FAILED else {}))
        return
    from simulation.run import LEAST_SETTLED, simulate

    try:
        told = simulate(int(payments), int(seed), 0.1, processes=1)
    except Exception as error:  # noqa: BLE001 - a run that dies tells that something is wrong
        print(json.dumps({"died": f"{type(error).__name__}: {error}"}))
        return
    noticed = {name: count for name, count in told["invariants"].items() if count}
    if told["unfinished"]:
        noticed["converges"] = told["unfinished"]
    if told["lost_rial"]:
        noticed["lost_rial"] = told["lost_rial"]
    if told["settled"] < LEAST_SETTLED * told["payments"]:
        noticed["settled"] = told["settled"]
    print(json.dumps(noticed))


if __name__ == "__main__":
    main()
