"""Reading a tariff: what an officer may write, and each fault told with its row and member."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from avarez.assessment.tariff import load_tariff, merge_files, parse_rate, tariff_from_document
from avarez.errors import TariffInvalid

TARIFFS = Path(__file__).resolve().parents[3] / "demo" / "tariffs"


def document() -> dict[str, Any]:
    return copy.deepcopy(merge_files(TARIFFS))


def row(of: dict[str, Any], row_id: str) -> dict[str, Any]:
    return next(entry for entry in of["rows"] if entry["id"] == row_id)


def pointers(of: dict[str, Any]) -> list[str]:
    with pytest.raises(TariffInvalid) as refused:
        tariff_from_document(of)
    return [fault.pointer for fault in refused.value.errors]


@pytest.mark.parametrize(
    ("text", "ppm"),
    [("1/1000", 1_000), ("1.5/1000", 1_500), ("2/100", 20_000), ("100/100", 1_000_000), ("0.000001/100", None),
     ("0.0001/100", 1), ("2 %", None), ("2", None), ("1/3", None), ("-1/100", None), ("۲/100", None)],
)  # fmt: skip
def test_parse_rate_is_exact_or_none(text: str, ppm: int | None) -> None:
    assert parse_rate(text) == ppm


def test_content_hash_depends_on_content_and_not_on_files(tmp_path: Path) -> None:
    whole = document()
    (tmp_path / "all.json").write_text(json.dumps({**whole, "title_en": "x"}), encoding="utf-8")
    published = load_tariff(tmp_path)
    assert published.content_hash == load_tariff(TARIFFS).content_hash
    assert tariff_from_document(json.loads(json.dumps(published.document))).content_hash == published.content_hash
    row(whole, "principal-1387-passenger")["rate"] = "2/1000"
    assert tariff_from_document(whole).content_hash != published.content_hash


@pytest.mark.parametrize(
    ("row_id", "member", "value"),
    [
        ("principal-1387-passenger", "rate", "0.001"),
        ("principal-1387-passenger", "rate", 0.001),
        ("principal-1387-passenger", "duty_years", [1400, 1395]),
        ("principal-1387-passenger", "duty_years", [1395]),
        ("principal-1387-passenger", "duty_years", ["1395", "1400"]),
        ("principal-1387-passenger", "duty_years", [True, 1400]),
        ("principal-1387-passenger", "classes", ["spaceship"]),
        ("principal-1387-passenger", "classes", []),
        ("principal-1387-passenger", "origins", "domestic"),
        ("principal-1387-passenger", "places", []),
        ("principal-1387-passenger", "places", "Tehran"),
        ("principal-1387-passenger", "places", ["TEHRAN"]),  # national by law: no city sets it
        ("principal-1387-passenger", "law", "vat-1300"),
        ("principal-1387-passenger", "reference", ""),
        ("principal-1387-passenger", "article_fa", None),
        ("principal-1387-passenger", "demonstration", "yes"),
        ("principal-1387-passenger", "kind", "tax"),
        ("principal-1387-passenger", "colour", "red"),
        ("principal-1387-motorcycle", "flat_rial", 250000),
        ("principal-1387-motorcycle", "flat_rial", "0"),
        ("principal-1387-motorcycle", "flat_rial", "1e6"),
        ("principal-1387-motorcycle", "rate", "1/1000"),
        ("surcharge-1387", "percent_per_year", 0),
        ("surcharge-1387", "excepted_fuels", ["gas"]),
        ("penalty-1400", "monthly_rate", "2"),
        ("penalty-1400", "from_jalali", "1400-13-01"),
        ("setting-national", "rounding_unit_rial", "0"),
        ("setting-national", "first_duty_year", "1395"),
        ("setting-national", "first_year", "half"),
        ("setting-national", "penalty_base", ["penalty"]),
        ("setting-national", "as_of_from_jalali", "1405"),
    ],
)
def test_fault_in_a_row_is_told_with_row_and_member(row_id: str, member: str, value: Any) -> None:
    broken = document()
    row(broken, row_id)[member] = value
    assert f"/{row_id}/{member}" in pointers(broken)


def test_every_fault_is_told_at_once() -> None:
    broken = document()
    row(broken, "principal-1387-passenger")["rate"] = "x"
    row(broken, "penalty-1400")["monthly_rate"] = "x"
    assert len(pointers(broken)) == 2


def test_rows_that_leave_the_amount_to_chance_are_refused() -> None:
    broken = document()
    broken["rows"].append({**row(broken, "principal-1387-passenger"), "id": "again", "origins": ["imported"]})
    assert pointers(broken) == ["/again"]


def test_rows_that_differ_in_one_fact_do_not_overlap() -> None:
    split = document()
    national = row(split, "principal-1387-truck")
    split["rows"].append({**national, "id": "heavy", "cylinders": [6, 12]})
    national["cylinders"] = [0, 5]
    tariff_from_document(split)


def test_relief_of_penalty_and_principal_in_one_row_is_refused() -> None:
    broken = document()
    broken["rows"].append(
        {**row(broken, "penalty-1400"), "id": "amnesty", "kind": "discount", "duty_years": [1395, 1405],
         "places": "national", "of": ["principal", "penalty"], "rate": "50/100",
         "reason_fa": "x", "reason_en": "x"}
    )  # fmt: skip
    assert "/amnesty/of" in pointers(broken)


@pytest.mark.parametrize("to_jalali", ["1400-09-30", "1400-11-30"])
def test_penalty_months_with_a_gap_or_overlap_are_refused(to_jalali: str) -> None:
    broken = document()
    row(broken, "penalty-before-1400-10-13")["to_jalali"] = to_jalali
    assert pointers(broken) == ["/penalty-1400/from_jalali"]


def test_tariff_without_penalty_rows_is_refused() -> None:
    broken = document()
    broken["rows"] = [entry for entry in broken["rows"] if entry["kind"] != "penalty"]
    assert pointers(broken) == ["/penalty/to_jalali"]


def test_settings_for_one_place_and_day_twice_are_refused() -> None:
    broken = document()
    broken["rows"].append({**row(broken, "setting-national"), "id": "setting-too"})
    assert pointers(broken) == ["/setting-too"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"schema": 2}',
        '{"schema": 1, "rows": {}}',
        '{"schema": 1, "schema": 1}',
        "\ufeff{",
        '{"schema": 1, "x": 1}',
    ],
)
def test_file_that_is_no_tariff_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "broken.json").write_text(text, encoding="utf-8")
    with pytest.raises(TariffInvalid) as refused:
        load_tariff(tmp_path)
    assert refused.value.code == "tariff_invalid"


def test_directory_without_files_is_refused(tmp_path: Path) -> None:
    for directory in (tmp_path, tmp_path / "none"):
        with pytest.raises(TariffInvalid):
            load_tariff(directory)
