"""The roll's CSV: what is read, what is refused and by which code, and the file of refused rows."""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avarez.csv_lines import csv_line, safe_cell
from avarez.errors import InvalidInput
from avarez.roll.refusals import REFUSALS, Refusal, refused_lines
from avarez.roll.rows import COLUMNS, RollReader, RollRow
from avarez_cli import roll as roll_command
from demo import make_rolls

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "demo" / "roll_sample.csv"
GOOD = {
    "municipality": "MASHHAD", "plate": "12 ب 345 - ایران 67", "vin": "IRZJ4816CYWCXYMM2", "chassis": "ADD3D169",
    "engine": "624510251", "class": "passenger", "make": "سايپا", "model": "پراید 131", "model_year": "۱۳۹۶",
    "model_calendar": "jalali", "origin": "domestic", "fuel": "petrol", "cylinders": "4",
    "displacement_cc": "۱٬۳۲۳", "base_price_rial": "2,400,000,000", "sale_date_jalali": "1396/3/5",
    "owner_id": "٨١٣٥٤٠٤٩١٣", "owner_kind": "person", "residence_from_jalali": "1396-03-05",
}  # fmt: skip


def read(*rows: dict[str, str], columns: tuple[str, ...] = COLUMNS) -> list[RollRow | tuple[Refusal, ...]]:
    lines = [csv_line(columns)]
    lines += [",".join('"' + row.get(name, "") + '"' for name in columns) + "\n" for row in rows]
    return list(RollReader("MASHHAD").read(lines))


def codes(outcome: RollRow | tuple[Refusal, ...]) -> list[str]:
    assert isinstance(outcome, tuple), outcome
    return [refusal.code for refusal in outcome]


def test_sample_has_exactly_214_wrong_rows_and_4786_good_ones() -> None:
    reader = RollReader("MASHHAD")
    with SAMPLE.open(encoding="utf-8", newline="") as lines:
        outcomes = list(reader.read(lines))
    assert (reader.counts.rows_read, reader.counts.rows_accepted, reader.counts.rows_refused) == (5000, 4786, 214)
    assert reader.counts.by_code == {
        "base_price_malformed": 43,
        "class_unknown": 13,
        "date_invalid": 13,
        "duplicate_row": 53,
        "fuel_unknown": 14,
        "model_year_malformed": 27,
        "national_id_invalid": 22,
        "plate_malformed": 15,
        "vin_malformed": 14,
    }
    assert sum(isinstance(outcome, tuple) for outcome in outcomes) == 214


def test_row_is_normalised() -> None:
    (row,) = read(GOOD)
    assert isinstance(row, RollRow)
    assert (row.row, row.plate, row.make, row.model_year) == (2, "12B345-67", "سایپا", 1396)
    assert (row.displacement_cc, row.base_price_rial) == (1323, 2_400_000_000)
    assert (row.sale_date_jalali, row.owner_id, row.status) == ("1396-03-05", "8135404913", "in_use")
    assert RollRow.from_json(json.loads(json.dumps(row.to_json()))) == row


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("plate", "بدون پلاک", "plate_malformed"),
        ("owner_id", "8135404914", "national_id_invalid"),
        ("owner_id", "", "national_id_invalid"),
        ("model_year", "139", "model_year_malformed"),
        ("model_year", "=1+1", "model_year_malformed"),
        ("model_year", "2017", "model_year_malformed"),
        ("base_price_rial", "2.4e9", "base_price_malformed"),
        ("base_price_rial", "0", "base_price_malformed"),
        ("base_price_rial", "-2400000000", "base_price_malformed"),
        ("base_price_rial", "24,00", "base_price_malformed"),
        ("base_price_rial", "9" * 400, "base_price_malformed"),
        ("sale_date_jalali", "1402-12-30", "date_invalid"),
        ("class", "spaceship", "class_unknown"),
        ("fuel", "", "fuel_unknown"),
        ("origin", "moon", "origin_unknown"),
        ("model_calendar", "julian", "model_calendar_unknown"),
        ("owner_kind", "ghost", "owner_kind_unknown"),
        ("vin", "IR123", "vin_malformed"),
        ("cylinders", "four", "number_malformed"),
        ("municipality", "TEHRAN", "foreign_municipality"),
        ("make", "x" * 200, "text_too_long"),
    ],
)
def test_row_with_one_fault_is_refused_by_its_code(column: str, value: str, code: str) -> None:
    (outcome,) = read({**GOOD, column: value})
    assert isinstance(outcome, tuple)
    assert [(refusal.column, refusal.code) for refusal in outcome] == [(column, code)]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("vin", ""),
        ("vin", "irzj4816cywcxymm2"),
        ("sale_date_jalali", ""),
        ("residence_from_jalali", "1390-01-01"),
        ("cylinders", ""),
        ("sale_date_jalali", "1403-12-30"),
    ],
)
def test_row_with_what_may_be_so_is_accepted(column: str, value: str) -> None:
    (outcome,) = read({**GOOD, column: value})
    assert isinstance(outcome, RollRow)


def test_row_without_any_identity_is_refused() -> None:
    assert codes(read({**GOOD, "vin": "", "engine": ""})[0]) == ["identity_missing"]


def test_row_with_several_faults_names_them_all() -> None:
    assert set(codes(read({**GOOD, "fuel": "wood", "vin": "1"})[0])) == {"fuel_unknown", "vin_malformed"}


def test_repetition_is_judged_after_normalisation() -> None:
    same = {**GOOD, "plate": "12B345-67", "vin": GOOD["vin"].lower(), "owner_id": "8135404913"}
    outcomes = read(GOOD, same)
    assert codes(outcomes[1]) == ["duplicate_row"]
    assert isinstance(outcomes[1], tuple)
    assert outcomes[1][0].other == 2


OTHER = {**GOOD, "vin": "IRZJ4816CYWCXYMM9", "chassis": "B1", "engine": "B2"}


def test_plate_on_two_vehicles_at_once_is_refused() -> None:
    assert "plate_conflict" in codes(read(GOOD, {**OTHER, "chassis": "BBB1", "engine": "BBB2"})[1])


def test_plate_that_passed_from_car_to_car_is_accepted() -> None:
    columns = (*COLUMNS, "residence_to_jalali", "status")
    first = {**GOOD, "residence_to_jalali": "1400-01-01", "status": ""}
    second = {**OTHER, "chassis": "BBB1", "engine": "BBB2", "residence_from_jalali": "1400-01-01"}
    outcomes = read(first, second, columns=columns)
    assert [type(outcome) for outcome in outcomes] == [RollRow, RollRow]


def test_same_vehicle_with_other_facts_is_refused() -> None:
    assert codes(read(GOOD, {**GOOD, "fuel": "cng"})[1]) == ["vehicle_conflict"]


def test_status_and_end_of_residence_are_checked() -> None:
    columns = (*COLUMNS, "residence_to_jalali", "status")
    assert codes(read({**GOOD, "status": "lost"}, columns=columns)[0]) == ["status_unknown"]
    reversed_dates = {**GOOD, "residence_to_jalali": "1380-01-01"}
    assert codes(read(reversed_dates, columns=columns)[0]) == ["dates_reversed"]


@pytest.mark.parametrize(
    ("columns", "code", "name"),
    [
        ((*COLUMNS, "colour"), "unknown_column", "/colour"),
        (COLUMNS[:-1], "missing_column", "/residence_from_jalali"),
        ((*COLUMNS, "vin"), "repeated_column", "/vin"),
    ],
)
def test_header_that_is_not_the_contracts_is_refused_by_name(
    columns: tuple[str, ...], code: str, name: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(GOOD, columns=columns)
    assert [(fault.code, fault.pointer) for fault in refused.value.errors] == [(code, name)]


def test_rows_of_the_wrong_length_are_refused_one_by_one() -> None:
    good = ",".join('"' + GOOD[name] + '"' for name in COLUMNS)
    lines = ["\ufeff" + ",".join(COLUMNS) + "\n", "a,b\n", good + ",more\n", "\n", good + "\n"]
    outcomes = list(RollReader("MASHHAD").read(lines))
    assert [codes(outcome) for outcome in outcomes[:2]] == [["columns_missing"], ["columns_surplus"]]
    assert isinstance(outcomes[2], RollRow)


def test_open_quotation_mark_is_refused_before_it_fills_the_memory() -> None:
    def endless() -> Iterator[str]:
        yield ",".join(COLUMNS) + "\n"
        yield '"' + "x" * 200 + "\n"
        while True:
            yield "x" * 1000 + "\n"

    with pytest.raises(InvalidInput) as refused:
        list(RollReader("MASHHAD").read(endless()))
    assert refused.value.errors[0].code == "csv_malformed"


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "＝1+1", " =1", "\u202e=1", "|x", "%x", "\ufeff=1"]
)
def test_cell_that_a_spreadsheet_would_compute_gets_an_apostrophe(text: str) -> None:
    assert safe_cell(text).startswith("'")


@given(st.text(max_size=30))
def test_refused_value_stays_one_cell_and_one_line(value: str) -> None:
    lines = list(refused_lines([Refusal(2, "model", "text_too_long", value)]))
    (row,) = csv.DictReader(["".join(lines[0]).removeprefix("\ufeff"), lines[1]])
    assert row["value"] == safe_cell(value)
    assert row["value"][:1] not in set("=+-@\t\r＝＋－＠")


def test_owner_id_never_stands_in_the_refused_file() -> None:
    (outcome,) = read({**GOOD, "owner_id": "8135404914"})
    assert isinstance(outcome, tuple)
    assert "8135404914" not in "".join(refused_lines(outcome))


def test_every_code_has_words_in_both_languages_and_stands_in_the_docs() -> None:
    page = (ROOT / "docs" / "roll.md").read_text("utf-8")
    for code, (english, persian) in REFUSALS.items():
        assert english
        assert persian
        assert f"`{code}`" in page


@pytest.mark.parametrize("name", make_rolls.CITIES)
def test_demonstration_roll_is_good_and_reproducible(name: str) -> None:
    path = ROOT / "demo" / "rolls" / f"{name}.csv"
    city, region = make_rolls.CITIES[name]
    assert path.read_text("utf-8") == make_rolls.roll(city, region, list(make_rolls.CITIES).index(name))
    reader = RollReader(city)
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(reader.read(lines))
    assert (reader.counts.rows_accepted, reader.counts.rows_refused) == (make_rolls.ROWS, 0)
    mashhad = {row.vin for row in make_rolls.moved_cars()}
    assert sum(isinstance(row, RollRow) and row.vin in mashhad for row in rows) == make_rolls.MOVED


def run(capsys: Any, *arguments: str) -> tuple[int, Any]:
    parser = argparse.ArgumentParser()
    roll_command.register(parser.add_subparsers())
    parsed = parser.parse_args(["roll", "check", *arguments, "--json"])
    code = parsed.run(parsed)
    return code, json.loads(capsys.readouterr().out)


def test_roll_check_says_what_is_wrong_and_writes_the_refused_rows(capsys: Any, tmp_path: Path) -> None:
    out = tmp_path / "refused.csv"
    code, result = run(capsys, str(SAMPLE), "--refused", str(out))
    assert (code, result["accepted"], result["refused"]) == (1, 4786, 214)
    assert len(out.read_text("utf-8").splitlines()) == 215
    assert run(capsys, str(ROOT / "demo" / "rolls" / "tehran.csv"))[0] == 0


def test_roll_check_of_a_file_that_is_no_roll_is_refused_by_name(capsys: Any, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("plate,colour\n", "utf-8")
    code, result = run(capsys, str(path))
    assert code == 1
    assert "unknown_column" in {fault["code"] for fault in result["errors"]}
    path.write_bytes(b"\xff\xfe\x00")
    assert run(capsys, str(path))[1]["errors"][0]["code"] in ("not_utf8", "unknown_column")
