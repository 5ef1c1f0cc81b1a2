"""Each scenario of payments, 1 to 20, has a test that carries its number, and a line in docs/proofs.md."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
PROOFS = FOLDER.parents[1] / "docs" / "proofs.md"
SCENARIOS = list(range(1, 21))


def test_every_scenario_has_a_test_by_its_number() -> None:
    texts = [path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("test_*.py"))]
    numbers = {int(number) for text in texts for number in re.findall(r"^def test_scenario_(\d\d)_", text, re.M)}
    assert sorted(numbers) == SCENARIOS


def test_page_has_a_line_for_every_scenario() -> None:
    page = PROOFS.read_text(encoding="utf-8").partition("## The scenarios of payments")[2].partition("\n## ")[0]
    assert [int(number) for number in re.findall(r"^\| (\d+) \|", page, re.M)] == SCENARIOS
