"""Mistakes that officers make, one at a time: each is refused naming the file, the row, the rule and the mend."""

from __future__ import annotations

import copy
import csv
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from avarez.assessment.review import review
from avarez.assessment.tariff import RULES, load_tariff
from avarez.errors import InvalidInput, TariffInvalid
from avarez.municipalities import is_municipality
from avarez.roll.refusals import refused_lines
from avarez.roll.rows import COLUMNS, RollReader, RollRow

TARIFFS = Path(__file__).resolve().parents[3] / "demo" / "tariffs"
PUBLISHED = load_tariff(TARIFFS)
TODAY = date(2026, 11, 23)
Files = dict[str, dict[str, Any]]
Mistake = Callable[[Files], None]

ROW = {"law": "vat-1400", "article_fa": "ماده", "article_en": "art.", "reference": "a test"}
NAMED = {"reason_fa": "نمونه", "reason_en": "example"}
NEXT = {"duty_years": [1406, 1406], "places": "national"}


def changed(file: str, row_id: str, **members: Any) -> Mistake:
    """Members of one row written wrong; None takes a member out."""

    def make(files: Files) -> None:
        row = next(row for row in files[file]["rows"] if row["id"] == row_id)
        for member, value in members.items():
            row.pop(member, None) if value is None else row.__setitem__(member, value)

    return make


def added(*rows: dict[str, Any], **lists: Any) -> Mistake:
    """A new file with these rows."""

    def make(files: Files) -> None:
        files["new.json"] = {"schema": 1, "rows": [{**ROW, **row} for row in rows], **lists}

    return make


def principal(row_id: str, **members: Any) -> dict[str, Any]:
    scope = {**NEXT, "classes": ["truck"], "rate": "1/1000", **members}
    return {"id": row_id, "kind": "principal", **{k: v for k, v in scope.items() if v is not None}}


def relief(row_id: str, **members: Any) -> dict[str, Any]:
    scope = {**NEXT, **NAMED, "of": ["principal"], "rate": "10/100", **members}
    return {"id": row_id, "kind": "discount", **scope}


LAW, RATES, LOCAL = "principal-1387.json", "principal-1400.json", "principal-1387-local.json"
DOMESTIC, PASSENGER = "principal-1400-domestic", "principal-1387-passenger"
TARIFF_MISTAKES: list[tuple[str, str, str, Mistake]] = [
    # name, rule, pointer, mistake
    ("a rate as a decimal fraction", "rate_malformed", f"/{RATES}/{DOMESTIC}/rate",
     changed(RATES, DOMESTIC, rate="0.001")),
    ("a rate as a number", "rate_malformed", f"/{RATES}/{DOMESTIC}/rate", changed(RATES, DOMESTIC, rate=0.001)),
    ("a rate with Persian digits", "rate_malformed", f"/{RATES}/{DOMESTIC}/rate",
     changed(RATES, DOMESTIC, rate="۱/۱۰۰۰")),
    ("a rate and an amount", "rate_or_flat", f"/{RATES}/{DOMESTIC}/rate",
     changed(RATES, DOMESTIC, flat_rial="1000")),
    ("neither rate nor amount", "rate_or_flat", f"/{RATES}/{DOMESTIC}/rate", changed(RATES, DOMESTIC, rate=None)),
    ("an amount in toman with a unit", "amount_malformed", "/new.json/x/flat_rial",
     added(principal("x", rate=None, flat_rial="25000 toman"))),
    ("an amount of nothing", "amount_malformed", "/new.json/x/flat_rial",
     added(principal("x", rate=None, flat_rial="0"))),
    ("years the wrong way round", "range_malformed", f"/{RATES}/{DOMESTIC}/duty_years",
     changed(RATES, DOMESTIC, duty_years=[1405, 1401])),
    ("one year alone", "range_malformed", f"/{RATES}/{DOMESTIC}/duty_years",
     changed(RATES, DOMESTIC, duty_years=[1401])),
    ("Gregorian years", "range_malformed", f"/{RATES}/{DOMESTIC}/duty_years",
     changed(RATES, DOMESTIC, duty_years=[2022, 2026])),
    ("no years", "duty_years_missing", f"/{RATES}/{DOMESTIC}/duty_years",
     changed(RATES, DOMESTIC, duty_years=None)),
    ("a class misspelt", "choice_unknown", f"/{RATES}/{DOMESTIC}/classes",
     changed(RATES, DOMESTIC, classes=["pasenger"])),
    ("a fuel in Persian", "choice_unknown", "/new.json/x/fuels", added(principal("x", fuels=["بنزین"]))),
    ("no place", "place_malformed", f"/{RATES}/{DOMESTIC}/places", changed(RATES, DOMESTIC, places=None)),
    ("a city in lower case", "place_malformed", "/new.json/x/places", added(principal("x", places=["shiraz"]))),
    ("a city that is none", "place_unknown", "/new.json/x/places", added(principal("x", places=["SHIRAS"]))),
    ("a city's rate for passenger cars", "class_national", "/new.json/x/places",
     added(principal("x", places=["SHIRAZ"], classes=["passenger"]))),
    ("no reference", "reference_missing", f"/{RATES}/{DOMESTIC}/reference",
     changed(RATES, DOMESTIC, reference=None)),
    ("an empty reference", "reference_missing", f"/{RATES}/{DOMESTIC}/reference",
     changed(RATES, DOMESTIC, reference="  ")),
    ("no article", "text_missing", f"/{RATES}/{DOMESTIC}/article_fa", changed(RATES, DOMESTIC, article_fa=None)),
    ("a law that is not listed", "law_unknown", f"/{RATES}/{DOMESTIC}/law",
     changed(RATES, DOMESTIC, law="vat-1500")),
    ("no law", "law_missing", f"/{RATES}/{DOMESTIC}/law", changed(RATES, DOMESTIC, law=None)),
    ("a member misspelt", "member_unknown", f"/{RATES}/{DOMESTIC}/clases",
     changed(RATES, DOMESTIC, clases=["bus"])),
    ("a kind that is none", "kind_unknown", f"/{RATES}/{DOMESTIC}/kind", changed(RATES, DOMESTIC, kind="tax")),
    ("an id with blanks", "id_malformed", "/new.json/my row/id", added(principal("my row"))),
    ("an id used twice", "id_repeated", f"/{RATES}/{DOMESTIC}/id", added(principal(DOMESTIC))),
    ("a row copied and not changed", "overlap", "/new.json/again",
     added(principal("again", duty_years=[1404, 1404], classes=["bus"], origins=["domestic"]))),
    ("ranges that touch", "overlap", "/new.json/x",
     added(principal("x", cylinders=[1, 4]), principal("y", cylinders=[4, 8]))),
    ("a day that does not exist", "date_malformed", "/new.json/x/as_of_to_jalali",
     added(relief("x", as_of_to_jalali="1405-12-30"))),
    ("a period that ends before it begins", "period_reversed", "/new.json/x/as_of_to_jalali",
     added(relief("x", as_of_from_jalali="1406-05-01", as_of_to_jalali="1406-04-01"))),
    ("a discount of more than all", "rate_over_whole", "/new.json/x/rate", added(relief("x", rate="110/100"))),
    ("a discount of penalty and principal in one", "relief_of_mixed", "/new.json/x/of",
     added(relief("x", of=["penalty", "principal"]))),
    ("a discount without a reason", "text_missing", "/new.json/x/reason_fa", added(relief("x", reason_fa=""))),
    ("a second penalty from some day on", "penalty_gap", "/new.json/x/from_jalali",
     added({"id": "x", "kind": "penalty", "monthly_rate": "1/100", "from_jalali": "1406-01-01"})),
    ("a penalty that ends", "penalty_missing", "/penalty.json/penalty-1400/to_jalali",
     changed("penalty.json", "penalty-1400", to_jalali="1406-01-01")),
    ("two settings for a city", "setting_overlap", "/new.json/y",
     added({"id": "x", "kind": "setting", "places": ["SHIRAZ"], "rounding_unit_rial": "10"},
           {"id": "y", "kind": "setting", "places": ["SHIRAZ"], "rounding_unit_rial": "100"})),
    ("a node that the catalogue has not", "node_unknown", "/new.json/x/node",
     added(principal("x", node="saipa.pride"))),
    ("a node without the one above it", "node_parent_missing", "/new.json/saipa.pride",
     added(principal("x"), catalogue=[{"id": "saipa.pride", "name_fa": "پراید", "name_en": "Pride"}])),
    ("one model at two nodes", "match_repeated", "/new.json/b/matches",
     added(principal("x"), catalogue=[
         {"id": name, "name_fa": "x", "name_en": "x", "matches": [{"make": "سایپا"}]} for name in ("a", "b")])),
    ("a flag in quotes", "flag_malformed", f"/{RATES}/{DOMESTIC}/demonstration",
     changed(RATES, DOMESTIC, demonstration="no")),
    ("a law without its Persian name", "law_incomplete", "/new.json/vat-9",
     added(principal("x"), laws=[{"id": "vat-9", "cite_en": "a law"}])),
    ("a law listed twice", "law_repeated", "/laws.json/vat-1400/id",
     lambda files: files["laws.json"]["laws"].append(files["laws.json"]["laws"][1])),
    ("a node in capitals", "node_malformed", "/new.json/Saipa",
     added(principal("x"), catalogue=[{"id": "Saipa", "name_fa": "x", "name_en": "x"}])),
    ("a match without a make", "match_malformed", "/new.json/saipa/matches",
     added(principal("x"), catalogue=[
         {"id": "saipa", "name_fa": "x", "name_en": "x", "matches": [{"model": "Pride"}]}])),
    ("an age with a decimal point", "number_malformed", "/surcharge-1387.json/surcharge-1387/after_years",
     changed("surcharge-1387.json", "surcharge-1387", after_years=10.5)),
    ("rows in an object", "list_needed", "/new.json/rows",
     lambda files: files.update({"new.json": {"schema": 1, "rows": {}}})),
    ("a file of another schema", "wrong_schema", "/new.json",
     lambda files: files.update({"new.json": {"schema": 2, "rows": []}})),
    ("a table beside the rows", "file_member_unknown", "/new.json/table",
     lambda files: files.update({"new.json": {"schema": 1, "table": []}})),
    # what only the review sees
    ("a row behind those of every node below", "unreachable_behind", "/new.json/x",
     added(principal("z"), *(
         {**ROW, "id": name, "kind": "base_price", **NEXT, "node": node, "base_price_rial": "1000000000"}
         for name, node in (("x", "saipa"), ("y1", "saipa.pride"), ("y2", "saipa.tiba"))),
         catalogue=[{"id": node, "name_fa": node, "name_en": node} for node in
                    ("saipa", "saipa.pride", "saipa.tiba")])),
    ("a year left out", "gap_in_years", "/principal-1400.json/principal-1400-domestic/duty_years",
     added(principal("x", duty_years=[1407, 1407], classes=["truck"]))),
    ("a band left out", "gap_in_bands", "/new.json/x",
     added(principal("x", cylinders=[0, 4]), principal("y", cylinders=[6, 24]))),
    ("imported cars forgotten", "gap_in_bands", "/new.json/x", added(principal("x", origins=["domestic"]))),
    ("model years that are not made yet", "unreachable_model_years", "/new.json/x/model_years",
     added(principal("w"), {**principal("x", rate=None), "kind": "surcharge", "model_years": [1410, 1420],
                            "after_years": 1, "percent_per_year": 1, "max_percent": 2})),
    ("a surcharge for a year without duty", "unreachable_no_principal", "/new.json/x/duty_years",
     added({**ROW, "id": "x", "kind": "surcharge", "duty_years": [1410, 1410], "places": "national",
            "after_years": 1, "percent_per_year": 1, "max_percent": 2})),
    ("a surcharge that excepts all it is for", "unreachable_excepted", "/new.json/x/excepted_fuels",
     added(principal("w"), {"id": "x", "kind": "surcharge", **NEXT, "fuels": ["cng"], "excepted_fuels": ["cng"],
                            "after_years": 1, "percent_per_year": 1, "max_percent": 2})),
    ("a discount on a pollution duty that is not there", "unreachable_relief", "/new.json/x/of",
     added(principal("w"), relief("x", of=["pollution"]))),
    ("an amnesty over before there is a penalty", "unreachable_relief", "/new.json/x/as_of_to_jalali",
     added(principal("w"), relief("x", of=["penalty"], as_of_to_jalali="1406-12-29"))),
    ("larger engines pay less", "bands_fall", "/new.json/y/cylinders",
     added(principal("x", cylinders=[0, 4]), principal("y", cylinders=[5, 24], rate="0.5/1000"))),
    ("last year's rate changed", "retroactive", f"/{RATES}/{DOMESTIC}/duty_years",
     changed(RATES, DOMESTIC, rate="1.1/1000")),
    ("a row of a published year taken out", "retroactive", f"/{LAW}/{PASSENGER}/duty_years",
     changed(LAW, PASSENGER, duty_years=[1396, 1400])),
    ("the penalty of past months changed", "retroactive_days", "/penalty.json/penalty-1400",
     changed("penalty.json", "penalty-1400", monthly_rate="3/100")),
    ("rounding changed from ever", "retroactive_days", "/settings.json/setting-national",
     changed("settings.json", "setting-national", rounding_unit_rial="100")),
    ("an adjustment of nothing", "adjustment_idle", "/new.json/adj/duty_years",
     added(principal("x"), adjustments=[{**ROW, "id": "adj", "duty_years": [1404, 1404]}])),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "pointer", "mistake"), [m[1:] for m in TARIFF_MISTAKES],
                         ids=[m[0] for m in TARIFF_MISTAKES])  # fmt: skip
def test_mistake_in_a_tariff_is_refused_by_file_row_rule_and_mend(
    rule: str, pointer: str, mistake: Mistake, tmp_path: Path
) -> None:
    files = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in TARIFFS.glob("*.json")}
    mistake(files)
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    try:
        draft = load_tariff(tmp_path)
        findings = review(draft, published=PUBLISHED, as_of=TODAY, is_municipality=is_municipality)
        told = {(found.pointer, found.rule): (found.message_en, found.message_fa) for found in findings}
    except TariffInvalid as refused:
        told = {(fault.pointer, fault.code): (fault.message_en, fault.message_fa) for fault in refused.errors}
    assert (pointer, rule) in told
    english, persian = told[pointer, rule]
    assert "; mend: " in english
    assert "؛ راه درست: " in persian
    assert "{" not in english.replace('{"make"', "")


def told_of_city(mistake: Mistake, tmp_path: Path) -> set[tuple[str, str]]:
    files = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in TARIFFS.glob("*.json")}
    mistake(files)
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    draft = load_tariff(tmp_path)
    findings = review(
        draft, published=PUBLISHED, as_of=TODAY, is_municipality=is_municipality, of_city="SHIRAZ"
    )  # fmt: skip
    return {(found.pointer, found.rule) for found in findings}


@pytest.mark.parametrize(
    ("mistake", "pointer", "rule"),
    [
        (added(principal("x", places=["TABRIZ"])), "/new.json/x/places", "foreign_place"),
        (added(principal("x")), "/new.json/x/places", "foreign_place"),
        (added({"id": "x", "kind": "pollution", **NEXT, "places": ["SHIRAZ"], "rate": "1/1000"}),
         "/new.json/x/kind", "kind_national"),
        (added({"id": "x", "kind": "setting", "places": ["SHIRAZ"], "as_of_from_jalali": "1406-01-01",
                "penalty_cap": "1/100"}), "/new.json/x/penalty_cap", "setting_national"),
    ],
)  # fmt: skip
def test_a_city_that_writes_what_is_not_its_own_is_refused(
    mistake: Mistake, pointer: str, rule: str, tmp_path: Path
) -> None:
    assert (pointer, rule) in told_of_city(mistake, tmp_path)


def test_a_city_writes_rates_of_local_classes_reliefs_and_its_own_settings(tmp_path: Path) -> None:
    own = {"places": ["SHIRAZ"]}
    mistake = added(
        principal("x", duty_years=[1406, 1406], **own),
        relief("y", **own),
        {"id": "z", "kind": "setting", "as_of_from_jalali": "1406-01-01", "rounding_unit_rial": "10", **own},
    )
    assert {rule for _, rule in told_of_city(mistake, tmp_path)} <= {"unreachable_relief"}


def test_a_published_year_changes_only_by_an_adjustment_that_names_its_law(tmp_path: Path) -> None:
    adjusted = added(adjustments=[{**ROW, "id": "adj", "duty_years": [1405, 1405]}])

    def mistake(files: Files) -> None:
        adjusted(files)
        row = next(row for row in files[RATES]["rows"] if row["id"] == DOMESTIC)
        files[RATES]["rows"].append({**row, "id": "domestic-1405", "duty_years": [1405, 1405], "rate": "2/1000"})
        row["duty_years"] = [1401, 1404]

    files = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in TARIFFS.glob("*.json")}
    mistake(files)
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    draft = load_tariff(tmp_path)
    assert review(draft, published=PUBLISHED, as_of=TODAY, is_municipality=is_municipality) == []


def test_directory_without_files_a_file_too_large_and_one_that_is_no_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rule() -> str:
        with pytest.raises(TariffInvalid) as refused:
            load_tariff(tmp_path)
        return refused.value.errors[0].code

    assert rule() == "no_files"
    (tmp_path / "a.json").write_text('{"schema": 1, "schema": 1}', encoding="utf-8")
    assert rule() == "not_json"
    (tmp_path / "a.json").write_text('{"schema": NaN}', encoding="utf-8")
    assert rule() == "not_json"
    monkeypatch.setattr("avarez.assessment.tariff.files.MAX_FILE_BYTES", 3)
    assert rule() == "file_too_large"


def test_more_rows_than_can_be_read_or_compared_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def rules() -> set[str]:
        with pytest.raises(TariffInvalid) as refused:
            load_tariff(TARIFFS)
        return {fault.code for fault in refused.value.errors}

    monkeypatch.setattr("avarez.assessment.tariff.reader.MAX_COMPARISONS", 1)
    assert rules() == {"too_many_alike"}
    monkeypatch.setattr("avarez.assessment.tariff.reader.MAX_ROWS", 3)
    assert rules() == {"too_many_rows"}


def test_the_demonstration_itself_has_nothing_to_mend() -> None:
    assert review(PUBLISHED, published=PUBLISHED, as_of=TODAY, is_municipality=is_municipality) == []
    assert review(PUBLISHED, published=None, as_of=TODAY, is_municipality=is_municipality) == []


def test_every_rule_has_a_mistake_or_a_test_of_its_own() -> None:
    """A rule that nothing breaks would never be seen to work."""
    folders = Path(__file__).parents[2]
    tests = "\n".join(path.read_text(encoding="utf-8") for path in folders.rglob("test_*.py"))
    assert [rule for rule in RULES if f'"{rule}"' not in tests] == []


# --- rolls ------------------------------------------------------------------------------------------------

GOOD = {
    "municipality": "TEHRAN", "plate": "12B345-67", "vin": "IRFC1234567890123", "chassis": "", "engine": "",
    "class": "passenger", "make": "سایپا", "model": "تیبا", "model_year": "1398", "model_calendar": "jalali",
    "origin": "domestic", "fuel": "petrol", "cylinders": "4", "displacement_cc": "1500",
    "base_price_rial": "2400000000", "sale_date_jalali": "1398-05-01", "owner_id": "0012345679",
    "owner_kind": "person", "residence_from_jalali": "",
}  # fmt: skip
ROLL_MISTAKES: list[tuple[str, str, str]] = [
    ("municipality", "SHIRAZ", "foreign_municipality"),
    ("plate", "12B34-67", "plate_malformed"),
    ("vin", "IRFC12345", "vin_malformed"),
    ("vin", "", "identity_missing"),
    ("class", "سواری", "class_unknown"),
    ("model_year", "98", "model_year_malformed"),
    ("model_year", "2019", "model_year_malformed"),
    ("model_calendar", "shamsi", "model_calendar_unknown"),
    ("origin", "korea", "origin_unknown"),
    ("fuel", "gasoline", "fuel_unknown"),
    ("cylinders", "four", "number_malformed"),
    ("displacement_cc", "1.5", "number_malformed"),
    ("base_price_rial", "-5", "base_price_malformed"),
    ("base_price_rial", "2.4e9", "base_price_malformed"),
    ("sale_date_jalali", "1404-12-30", "date_invalid"),
    ("owner_id", "0012345678", "national_id_invalid"),
    ("owner_kind", "company", "owner_kind_unknown"),
]


@pytest.mark.parametrize(("column", "value", "code"), ROLL_MISTAKES)
def test_mistake_in_a_roll_is_refused_by_row_column_code_and_mend(column: str, value: str, code: str) -> None:
    cells = {**copy.deepcopy(GOOD), column: value}
    lines = [",".join(COLUMNS) + "\n", ",".join(cells[name] for name in COLUMNS) + "\n"]
    (outcome,) = RollReader("TEHRAN").read(lines)
    assert not isinstance(outcome, RollRow)
    (_, *told) = list(csv.reader(refused_lines(outcome)))
    row = next(row for row in told if row[2] == code)
    assert row[0] == "2"
    assert row[1] == column
    assert ";" in row[3] or code == "identity_missing"
    assert row[4]


def test_a_good_row_is_taken() -> None:
    lines = [",".join(COLUMNS) + "\n", ",".join(GOOD[name] for name in COLUMNS) + "\n"]
    (outcome,) = RollReader("TEHRAN").read(lines)
    assert isinstance(outcome, RollRow)


def test_a_header_with_a_column_too_many_is_refused_by_its_name() -> None:
    with pytest.raises(InvalidInput) as refused:
        list(RollReader("TEHRAN").read([",".join([*COLUMNS, "colour"]) + "\n"]))
    assert [fault.pointer for fault in refused.value.errors] == ["/colour"]
