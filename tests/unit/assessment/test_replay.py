"""A stored assessment gives the same again, and whatever was changed in it is found."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avarez.assessment import PaidYear, PenaltyPause, Residence, assess, load_tariff
from avarez.assessment.replay import differences
from avarez.jalali import parse_jalali
from avarez_cli.main import main
from tests.properties.fleets import random_vehicles

TARIFFS = Path(__file__).resolve().parents[3] / "demo" / "tariffs"
TARIFF = load_tariff(TARIFFS)
AS_OF = date(2026, 11, 23)


def answer(seed: int = 1, *, with_inputs: bool = True) -> dict[str, Any]:
    """A quote with a move, a payment and an objection, as it is stored."""
    made = assess(
        random_vehicles(1, seed)[0],
        [Residence("SHIRAZ"), Residence("TEHRAN", parse_jalali("1401-07-01"))],
        [PaidYear(1403, 12_345_000, parse_jalali("1403-11-02"), "py_1", "TEHRAN")],
        TARIFF,
        AS_OF,
        1405,
        "TEHRAN",
        pauses=[PenaltyPause(parse_jalali("1405-02-15"), None, frozenset({1404}))] if with_inputs else (),
    ).to_json()
    if not with_inputs:
        del made["inputs"]
    stored: dict[str, Any] = json.loads(json.dumps({"assessment_id": "as_1", **made}))
    return stored


@given(st.integers(0, 10**6), st.booleans())
def test_a_stored_answer_replays_to_the_rial_with_and_without_its_inputs(seed: int, with_inputs: bool) -> None:
    assert differences(answer(seed, with_inputs=with_inputs), TARIFF) == []


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda a: a.update(owed_rial="1000"), "/owed_rial"),
        (lambda a: a["lines"][0].update(amount_rial="1"), "/lines/0"),
        (lambda a: a["lines"].pop(), "/lines/"),
        (lambda a: a["lines"][0]["inputs"].update(rate_ppm=1), "/lines/0"),
        (lambda a: a.update(trace_hash="0" * 64), "/trace_hash"),
        (lambda a: a["vehicle"].update(base_price_rial="1000000"), "/lines/0"),
        (lambda a: a.update(as_of="2026-12-23"), "/trace_hash"),
        (lambda a: a.update(tariff_version="0" * 64), "/tariff_version"),
        (lambda a: a["vehicle"].update(fuel="coal"), "/"),
    ],
)  # fmt: skip
def test_a_changed_answer_is_found(change: Callable[[dict[str, Any]], Any], where: str) -> None:
    changed = copy.deepcopy(answer())
    change(changed)
    assert any(found.where.startswith(where) for found in differences(changed, TARIFF))


def test_command_replays_files_and_names_what_differs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = answer(1), {**answer(2), "owed_rial": "7"}
    path = tmp_path / "stored.jsonl"
    path.write_text("\n".join(json.dumps(one) for one in (good, bad)), encoding="utf-8")
    assert main(["replay", str(path), "--tariff", str(TARIFFS), "--json"]) == 1
    result = json.loads(capsys.readouterr().out)
    assert result["replayed"] == 2
    assert [one["differences"][0]["where"] for one in result["different"]] == ["/owed_rial"]
    path.write_text(json.dumps(good), encoding="utf-8")
    assert main(["replay", str(path), "--tariff", str(TARIFFS)]) == 0
    published = tmp_path / "published.json"
    published.write_text(json.dumps(TARIFF.document), encoding="utf-8")
    assert main(["replay", str(path), "--tariff", str(published)]) == 0


def test_command_without_the_tariff_or_with_something_else_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "stored.json"
    path.write_text(json.dumps(answer()), encoding="utf-8")
    assert main(["replay", str(path)]) == 1
    assert "not at hand" in capsys.readouterr().out
    path.write_text(json.dumps({"trace_hash": "", "tariff_version": TARIFF.content_hash}), encoding="utf-8")
    assert main(["replay", str(path), "--tariff", str(TARIFFS)]) == 1
    for wrong in ("[]", "{", ""):
        path.write_text(wrong, encoding="utf-8")
        assert main(["replay", str(path), "--tariff", str(TARIFFS)]) == (0 if wrong == "" else 2)
    assert main(["replay", "as_1", "--origin", "ftp://x", "--username", "u"]) == 2
