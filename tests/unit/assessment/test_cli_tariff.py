"""`avarez tariff check|simulate`: what they print, and their exit codes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from avarez_cli.main import main

ROOT = Path(__file__).resolve().parents[3]
TARIFFS = ROOT / "demo" / "tariffs"
TEHRAN, SHIRAZ = (ROOT / "demo" / "rolls" / f"{city}.csv" for city in ("tehran", "shiraz"))


def draft(folder: Path, **members: object) -> Path:
    """The demonstration with other members in the domestic rate, from 1406 on."""
    shutil.copytree(TARIFFS, folder / "draft")
    path = folder / "draft" / "principal-1400.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    row = {**content["rows"][0], "id": "next", "duty_years": [1406, 1406], "origins": ["domestic"], **members}
    path.write_text(json.dumps({**content, "rows": [*content["rows"], row]}), encoding="utf-8")
    return folder / "draft"


def test_check_of_the_published_tariff_finds_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["tariff", "check", str(TARIFFS), "--published", str(TARIFFS), "--as-of", "1405-09-02"]
    assert main([*arguments, "--roll", str(TEHRAN), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["publishable"]
    assert result["coverage"]["missing"] == []
    assert result["coverage"]["vehicles"] > 200


def test_check_tells_findings_in_both_languages_and_ends_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tariff", "check", str(draft(tmp_path)), "--as-of", "1405-09-02"]) == 1
    out = capsys.readouterr().out
    assert "/principal-1400.json/next: gap_in_bands" in out
    assert "سطری" in out


def test_check_of_files_that_cannot_be_read_tells_their_faults(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tariff", "check", str(draft(tmp_path, rate="1")), "--json"]) == 1
    result = json.loads(capsys.readouterr().out)
    assert not result["readable"]
    assert result["findings"][0]["pointer"] == "/principal-1400.json/next/rate"


def test_check_counts_the_vehicles_without_a_tariff(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["tariff", "check", str(TARIFFS), "--as-of", "1406-02-01", "--roll", str(TEHRAN)]
    assert main(arguments) == 1
    assert "no principal: passenger 1406:" in capsys.readouterr().out


def test_simulate_shows_each_city_and_the_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(TARIFFS, tmp_path / "draft")
    path = tmp_path / "draft" / "principal-1400.json"
    text = path.read_text(encoding="utf-8").replace('"1.5/1000"', '"2/1000"')
    path.write_text(text, encoding="utf-8")
    arguments = ["tariff", "simulate", str(tmp_path / "draft"), "--published", str(TARIFFS)]
    arguments += ["--roll", str(TEHRAN), "--roll", str(SHIRAZ), "--as-of", "1405-09-02"]
    assert main([*arguments, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert [city["municipality"] for city in result["cities"]] == ["TEHRAN", "SHIRAZ"]
    for member in ("before_rial", "after_rial", "vehicles"):
        assert int(result["totals"][member]) == sum(int(city["totals"][member]) for city in result["cities"])
    assert int(result["totals"]["difference_rial"]) > 0
    assert result["cities"][0]["examples"][0]["changes"][0]["cause"] == "rate"
    assert main(arguments) == 0
    assert "pay more" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["tariff", "check", str(TARIFFS), "--as-of", "someday"],
        ["tariff", "check", str(TARIFFS), "--published", str(ROOT / "docs")],
        ["tariff", "simulate", str(TARIFFS), "--roll", str(ROOT / "README.md")],
        ["tariff", "simulate", str(TARIFFS), "--roll", "none.csv"],
    ],
)
def test_wrong_use_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err
