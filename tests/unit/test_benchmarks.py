"""What the benchmarks compute from their measurements."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.certificates.document import LocalSigner, sample
from benchmarks.report import Figure, at_least, at_most, percentile, save, table
from benchmarks.typesetters.compare import NotTheSamePage, require_same
from functions.certify.document.render import render


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.95, 95), (1.0, 100), (0.0, 1)])
def test_percentile_is_the_nearest_rank(share: float, expected: float) -> None:
    assert percentile([float(value) for value in range(100, 0, -1)], share) == expected


def test_percentile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_floors_are_judged_by_the_median() -> None:
    assert at_most("g", "n", [1.9, 2.0, 9.0], "", 2.0).met is True
    assert at_most("g", "n", [1.9, 2.1, 9.0], "", 2.0).met is False
    assert at_least("g", "n", [1.0, 5.0, 6.0], "a second", 5.0).met is True
    assert at_least("g", "n", [1.0, 4.9, 6.0], "a second", 5.0).met is False


def test_table_names_a_missed_floor_and_each_group_once() -> None:
    shown = table([Figure("g", "a", "1", "", "≥ 5", False), Figure("g", "b", "7", "", "≥ 5", True)])
    assert "≥ 5 **NOT MET**" in shown
    assert "≥ 5 met" in shown
    assert shown.count("| g |") == 1


def test_saved_figures_say_where_they_were_made(tmp_path: Path) -> None:
    dated = save([Figure("g", "a", "1")], tmp_path, made_at="2026-11-24T05:00:00+00:00", took_s=12.0)
    told = json.loads(dated.read_text(encoding="utf-8"))
    assert dated.name == "2026-11-24.json"
    assert "cores" in told["machine"]
    assert told["machine"] in (tmp_path / "latest.md").read_text(encoding="utf-8")


def test_page_is_compared_only_with_one_that_says_the_same(tmp_path: Path) -> None:
    signer = LocalSigner()
    (content, _), (another, _) = sample(signer), sample(signer)
    pdf = render(content)
    require_same(pdf, content, tmp_path)
    with pytest.raises(NotTheSamePage, match="message"):
        require_same(pdf, another, tmp_path)
    with pytest.raises(NotTheSamePage, match="not on the page"):
        require_same(pdf, replace(another, message=content.message), tmp_path)
    with pytest.raises(NotTheSamePage, match="QR"):
        require_same(pdf, replace(content, qr_link=another.qr_link), tmp_path)
