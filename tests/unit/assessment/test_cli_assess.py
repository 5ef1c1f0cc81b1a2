"""`avarez assess`: what it prints, and its exit codes (0 assessed, 1 no tariff, 2 wrong use)."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from avarez_cli import assess

TARIFFS = Path(__file__).resolve().parents[3] / "demo" / "tariffs"
FACTS = {
    "class": "passenger", "origin": "domestic", "fuel": "petrol", "model_year": 1403,
    "model_calendar": "jalali", "make": "سایپا", "model": "شاهین", "base_price_rial": "2400000000",
    "municipality": "TEHRAN", "plate": "12 ب 345 - ایران 67",
}  # fmt: skip


def avarez(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    assess.register(parser.add_subparsers())
    parsed = parser.parse_args(["assess", *arguments])
    return int(parsed.run(parsed))


def file_of(folder: Path, facts: Any) -> str:
    path = folder / "vehicle.json"
    path.write_text(json.dumps(facts), encoding="utf-8")
    return str(path)


def test_assess_json_is_the_answer_of_the_api(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vehicle = file_of(tmp_path, FACTS)
    code = avarez("--tariff", str(TARIFFS), "--vehicle", vehicle, "--as-of", "2026-11-23", "--json")
    answer = json.loads(capsys.readouterr().out)
    assert code == 0
    assert answer["owed_rial"] == "8640000"  # three years of 2,400,000; 1403: 42 %, 1404: 18 %
    assert answer["as_of_jalali"] == "1405-09-02"
    assert answer["plate"]["key"] == "12B345-67"
    assert [(line["year"], line["kind"], line["amount_rial"]) for line in answer["lines"]] == [
        (1403, "principal", "2400000"),
        (1403, "penalty", "1008000"),
        (1404, "principal", "2400000"),
        (1404, "penalty", "432000"),
        (1405, "principal", "2400000"),
    ]
    assert len(answer["trace_hash"]) == 64


def test_assess_jalali_day_is_the_same_day(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vehicle = file_of(tmp_path, FACTS)
    hashes = []
    for day in ("2026-11-23", "1405-09-02", "۱۴۰۵/۰۹/۰۲"):
        assert avarez("--tariff", str(TARIFFS), "--vehicle", vehicle, "--as-of", day, "--json") == 0
        hashes.append(json.loads(capsys.readouterr().out)["trace_hash"])
    assert len(set(hashes)) == 1


def test_assess_text_shows_both_languages_and_the_total(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    vehicle = file_of(tmp_path, FACTS)
    assert avarez("--tariff", str(TARIFFS), "--vehicle", vehicle, "--as-of", "2026-11-23") == 0
    out = capsys.readouterr().out
    assert "base 2,400,000,000 × 1/1000 = 2,400,000 rial" in out
    assert "مبنای ۲٬۴۰۰٬۰۰۰٬۰۰۰ × ۱ در هزار = ۲٬۴۰۰٬۰۰۰ ریال" in out
    assert "8,640,000  owed" in out


def test_assess_takes_residences_and_payments(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vehicle = file_of(
        tmp_path,
        {
            **FACTS,
            "residences": [
                {"municipality": "TEHRAN", "from_jalali": "1403-01-01", "to_jalali": "1403-12-30"},
                {"municipality": "SHIRAZ", "from_jalali": "1404-01-01"},
            ],
            "payments": [
                {"year": 1404, "amount_rial": "2400000", "paid_on_jalali": "1404-05-05", "payment_id": "py_1"}
            ],
        },
    )
    arguments = ("--tariff", str(TARIFFS), "--vehicle", vehicle, "--as-of", "2026-11-23", "--json")
    assert avarez(*arguments, "--municipality", "SHIRAZ") == 0
    shiraz = json.loads(capsys.readouterr().out)
    assert [(year["year"], year["paid"]) for year in shiraz["years"]] == [(1404, True), (1405, False)]
    assert shiraz["elsewhere"] == [{"year": 1403, "municipality": "TEHRAN"}]


def test_assess_year_without_tariff_exits_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vehicle = file_of(tmp_path, FACTS)
    arguments = ("--tariff", str(TARIFFS), "--vehicle", vehicle, "--as-of", "2027-03-21", "--json")
    assert avarez(*arguments) == 1
    problem = json.loads(capsys.readouterr().out)
    assert (problem["code"], problem["years"], problem["vehicle_class"]) == ("tariff_missing", [1406], "passenger")


def test_assess_broken_tariff_exits_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vehicle = file_of(tmp_path, FACTS)
    empty = tmp_path / "tariffs"
    empty.mkdir()
    assert avarez("--tariff", str(empty), "--vehicle", vehicle, "--as-of", "2026-11-23") == 1
    assert "tariff_invalid" in capsys.readouterr().err


@pytest.mark.parametrize(
    "change",
    [
        {"base_price_rial": "2.4e9"},
        {"class": "spaceship"},
        {"plate": "nonsense"},
        {"municipality": None},
        {"residences": {}},
        {"residences": [1]},
        {"residences": [{"from_jalali": "1403-01-01"}]},
        {"payments": [{"year": 1404}]},
        {"payments": [{"year": 1404, "amount_rial": "1", "paid_on_jalali": "1404-12-30"}]},
    ],
)
def test_assess_wrong_facts_exit_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: dict[str, Any]
) -> None:
    vehicle = file_of(tmp_path, {**FACTS, **change})
    assert avarez("--tariff", str(TARIFFS), "--vehicle", vehicle, "--as-of", "2026-11-23", "--json") == 2
    assert json.loads(capsys.readouterr().out)["code"] in {"invalid_input", "plate_malformed"}


@pytest.mark.parametrize("day", ["yesterday", "2026-02-30", "1404-12-30", "0001-01-01"])
def test_assess_wrong_day_exits_2(tmp_path: Path, day: str) -> None:
    vehicle = file_of(tmp_path, FACTS)
    assert avarez("--tariff", str(TARIFFS), "--vehicle", vehicle, "--as-of", day) == 2


@pytest.mark.parametrize("text", ["", "[]", "{", "\x00"])
def test_assess_unreadable_vehicle_exits_2(tmp_path: Path, text: str) -> None:
    path = tmp_path / "vehicle.json"
    path.write_text(text, encoding="utf-8")
    assert avarez("--tariff", str(TARIFFS), "--vehicle", str(path), "--as-of", "2026-11-23") == 2
    assert avarez("--tariff", str(TARIFFS), "--vehicle", str(tmp_path / "none"), "--as-of", "2026-11-23") == 2
