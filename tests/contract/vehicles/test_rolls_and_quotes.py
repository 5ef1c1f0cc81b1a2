"""The roll and the quotes through the real handlers, on events as API Gateway, EventBridge and SQS send them."""

from __future__ import annotations

import csv
import json
from datetime import timedelta
from typing import Any

import pytest

from avarez import dynamo, keys
from avarez.dynamo import Table, to_item
from functions.assess import wiring
from functions.assess.roll import stage
from functions.assess.roll.service import CHECK_TIME_MAX
from tests.contract.assess_system import ROOT, System

SAMPLE = (ROOT / "demo" / "roll_sample.csv").read_text("utf-8-sig").splitlines()


def good_rows(count: int) -> list[str]:
    """The header and the first good rows of the sample."""
    from avarez.roll.rows import RollReader, RollRow

    found = [row.row for row in RollReader().read(line + "\n" for line in SAMPLE) if isinstance(row, RollRow)]
    return [SAMPLE[0], *(SAMPLE[number - 1] for number in found[:count])]


def plates(lines: list[str]) -> list[str]:
    return [row["plate"] for row in csv.DictReader(lines)]


def item_count() -> int:
    return int(dynamo.client("dynamodb").scan(TableName="duty", Select="COUNT")["Count"])


def pay(vehicle_id: str, year: int, city: str, plate: str, amount_rial: int) -> None:
    """What a settled payment leaves behind."""
    table = dynamo.client("dynamodb")
    for key, item in (
        (
            keys.duty(vehicle_id, year),
            {
                "status": "paid",
                "payment_id": "py_1",
                "municipality": city,
                "plate": plate,
                "amount_rial": amount_rial,
                "paid_on": "2026-11-23",
            },
        ),
        (keys.obligation(city, plate, year), {"status": "paid", "vehicle_id": vehicle_id}),
    ):
        table.put_item(TableName="duty", Item=to_item({**item, "pk": key[0], "sk": key[1]}))


def test_roll_previewed_shows_nothing_until_commit(system: System) -> None:
    lines = good_rows(40)
    roll = system.upload("MASHHAD", [*lines, lines[1], "x,y"])
    assert (roll["status"], roll["rows_read"], roll["added"], roll["refused"]) == ("previewed", 42, 40, 2)
    assert roll["refused_by_code"] == {"duplicate_row": 1, "columns_missing": 1}
    assert system.quote("MASHHAD", plates(lines)[0])[1]["code"] == "vehicle_not_found"
    assert system.act(roll, "commit")[0] == 202
    status, quote = system.quote("MASHHAD", plates(lines)[0])
    assert status == 201
    assert sum(int(line["amount_rial"]) for line in quote["lines"]) == int(quote["owed_rial"]) > 0
    assert quote["as_of"] == "2026-11-23"
    assert quote["as_of_jalali"] == "1405-09-02"
    assert quote["expires_at"] == "2026-11-23T20:30:00.000Z"
    again = system.call("GET", "/v1/assessments/{id}", params={"id": quote["assessment_id"]})
    assert again == (200, quote)
    foreign = system.call(
        "GET", "/v1/assessments/{id}", params={"id": quote["assessment_id"]}, by="municipality", city="TEHRAN"
    )
    assert foreign[1]["code"] == "assessment_not_found"


def test_refused_file_opens_in_a_spreadsheet_and_computes_nothing(system: System) -> None:
    lines = good_rows(1)
    cells = next(csv.reader([lines[1]]))
    cells[8] = "=1+1"
    roll = system.upload("MASHHAD", [*lines, ",".join(cells)])
    data = dynamo.client("s3").get_object(Bucket="rolls", Key=f"refused/MASHHAD/{roll['roll_id']}.csv")["Body"]
    text = data.read().decode()
    assert text.startswith("\ufeff")
    (row,) = csv.DictReader(text.removeprefix("\ufeff").splitlines())
    assert (row["row"], row["column"], row["code"]) == ("3", "model_year", "model_year_malformed")
    assert row["value"] == "'=1+1"
    assert f"/refused/MASHHAD/{roll['roll_id']}.csv" in roll["refused_rows_url"]


def test_messages_delivered_three_times_count_once(system: System) -> None:
    lines = good_rows(30)
    roll = system.upload("MASHHAD", lines, times=3)
    assert (roll["status"], roll["added"], roll["unchanged"]) == ("previewed", 30, 0)
    before = item_count()
    system.act(roll, "commit")
    assert system.act(roll, "commit")[1]["status"] == "committed"
    assert item_count() == before


def test_roll_whose_check_died_has_failed_after_two_hours(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "handle", lambda event, context: {"batchItemFailures": []})
    roll = system.upload("MASHHAD", good_rows(3))
    system.clock.advance(CHECK_TIME_MAX - timedelta(seconds=1))
    assert system.roll(roll["roll_id"])["status"] == "checking"
    system.clock.advance(timedelta(seconds=1))
    failed = system.roll(roll["roll_id"])
    assert (failed["status"], failed["fault"]["code"]) == ("failed", "check_timed_out")


def test_second_roll_writes_only_what_changed(system: System) -> None:
    lines = good_rows(20)
    system.act(system.upload("MASHHAD", lines), "commit")
    place = next(number for number, line in enumerate(lines) if ",petrol," in line)
    upload = [*lines[:place], lines[place].replace(",petrol,", ",cng,"), *lines[place + 1 : 13]]
    second = system.upload("MASHHAD", upload)
    assert (second["added"], second["changed"], second["unchanged"]) == (0, 1, 11)
    assert system.act(second, "commit")[0] == 202
    assert system.quote("MASHHAD", plates(lines)[15])[0] == 201  # absence removes nothing


def test_commit_after_another_roll_was_committed_is_outdated(system: System) -> None:
    lines = good_rows(4)
    first, second = system.upload("MASHHAD", lines[:3]), system.upload("MASHHAD", lines)
    assert system.act(second, "commit")[0] == 202
    assert system.act(first, "commit")[1]["code"] == "roll_outdated"


def test_rollback_hides_the_rows_and_refuses_when_duties_are_paid(system: System) -> None:
    lines = good_rows(5)
    roll = system.upload("MASHHAD", lines)
    system.act(roll, "commit")
    plate = plates(lines)[0]
    status, rolled = system.act(roll, "rollback")
    assert (status, rolled["status"]) == (202, "rolled_back")
    assert system.quote("MASHHAD", plate)[1]["code"] == "vehicle_not_found"

    again = system.upload("MASHHAD", lines)
    system.act(again, "commit")
    quote = system.quote("MASHHAD", plate)[1]
    stored = Table("duty").get(keys.assessment("MASHHAD", quote["plate"]["key"], quote["assessment_id"]))
    assert stored is not None
    year = stored["years"][0]
    pay(stored["vehicle_id"], year["year"], "MASHHAD", quote["plate"]["key"], year["amount_rial"])
    status, refused = system.act(again, "rollback")
    assert (status, refused["code"]) == (409, "roll_in_use")
    assert [duty["year"] for duty in refused["duties"]] == [year["year"]]
    after = system.quote("MASHHAD", plate)[1]
    assert year["year"] not in {one["year"] for one in after["years"] if one["amount_rial"] != "0"}


def test_owner_id_is_stored_nowhere_in_clear(system: System) -> None:
    lines = good_rows(6)
    roll = system.upload("MASHHAD", lines)
    owners = {row.owner_id for row in _rows(lines)}
    table = json.dumps(dynamo.client("dynamodb").scan(TableName="duty")["Items"], default=repr)
    s3 = dynamo.client("s3")
    kept = [
        s3.get_object(Bucket="rolls", Key=entry["Key"])["Body"].read().decode("latin-1")
        for entry in s3.list_objects_v2(Bucket="rolls")["Contents"]
        if not entry["Key"].startswith("uploads/")
    ]
    assert roll["added"] == 6
    assert not [owner for owner in owners for text in (table, *kept) if owner in text]
    register = wiring.vehicle_register()
    ((owner_id, (owner_hash, sealed)),) = register.sealed_owners([next(iter(owners))]).items()
    wrapped = Table("duty").get(keys.owner(owner_hash))
    assert wrapped is not None
    assert register.seals.open(sealed, owner_hash, wrapped["wrapped_key"]) == owner_id


def _rows(lines: list[str]) -> list[Any]:
    from avarez.roll.rows import RollReader, RollRow

    return [row for row in RollReader().read(line + "\n" for line in lines) if isinstance(row, RollRow)]


def test_header_with_an_unknown_column_fails_by_name(system: System) -> None:
    roll = system.upload("MASHHAD", [SAMPLE[0] + ",colour", SAMPLE[1] + ",red"])
    assert roll["status"] == "failed"
    assert roll["fault"]["code"] == "unknown_column"
    assert "colour" in roll["fault"]["detail_en"]
    assert system.act(roll, "commit")[1]["code"] == "roll_conflict"


def test_moved_car_is_one_vehicle_and_its_payment_counts_everywhere(system: System) -> None:
    lines = good_rows(400)
    row = next(row for row in csv.DictReader(lines) if row["vin"] and row["class"] == "passenger")
    mashhad = [SAMPLE[0], next(line for line in lines if row["vin"] in line)]
    moved = {**row, "municipality": "TEHRAN", "plate": "11B111-11", "residence_from_jalali": "1403/05/01"}
    tehran = [SAMPLE[0], ",".join(f'"{value}"' for value in moved.values())]
    system.act(system.upload("MASHHAD", mashhad), "commit")
    system.act(system.upload("TEHRAN", tehran), "commit")
    status, found = system.call("GET", "/v1/vehicles/{plate}", params={"plate": "11B111-11"}, by="office")
    assert status == 200
    assert {place["municipality"] for place in found["municipalities"]} == {"MASHHAD", "TEHRAN"}
    old, new = system.quote("MASHHAD", row["plate"])[1], system.quote("TEHRAN", "11B111-11")[1]
    assert old["owed_rial"] == system.quote("MASHHAD", "11B111-11")[1]["owed_rial"], "the present plate will do"
    charged = [{one["year"] for one in quote["years"]} for quote in (old, new)]
    assert not charged[0] & charged[1], "no year is charged by two cities"
    by_vin = system.call("GET", "/v1/vehicles", by="office", vin=row["vin"].lower())
    assert by_vin[1]["vehicle"] == found["vehicle"]
    own = system.call(
        "GET", "/v1/vehicles/{plate}", params={"plate": "11B111-11"}, by="municipality", city="TEHRAN"
    )
    assert [place["municipality"] for place in own[1]["municipalities"]] == ["TEHRAN"]
    foreign = system.call("GET", "/v1/vehicles", by="municipality", city="YAZD", vin=row["vin"])
    assert foreign[1]["code"] == "vehicle_not_found"


CARD = {
    "municipality": "SHIRAZ", "plate": "22J222-22", "vin": "IRAB1234567890123", "class": "passenger",
    "make": "سایپا", "model": "تیبا", "model_year": 1398, "model_calendar": "jalali", "origin": "domestic",
    "fuel": "petrol", "base_price_rial": "1500000000", "evidence": {"kind": "vehicle_card", "reference": "123"},
}  # fmt: skip


def test_car_in_no_roll_is_provisional_and_payable(system: System) -> None:
    status, made = system.call("POST", "/v1/vehicles", CARD, by="office")
    assert status == 201, made
    assert made["vehicle"]["provisional"] is True
    assert system.call("POST", "/v1/vehicles", CARD, by="office")[0] == 200
    assert int(system.quote("SHIRAZ", "۲۲ ج ۲۲۲ - ایران ۲۲")[1]["owed_rial"]) > 0
    other = {**CARD, "vin": "IRAB1234567890124"}
    assert system.call("POST", "/v1/vehicles", other, by="office")[1]["code"] == "roll_conflict"


def test_vehicle_is_found_among_hundreds_of_quotes_of_its_plate(system: System) -> None:
    system.call("POST", "/v1/vehicles", CARD, by="office")
    for number in range(250):
        item = to_item({"pk": "SHIRAZ#22J222-22", "sk": f"ASSESSMENT#{number:04d}", "plate": "22J222-22"})
        dynamo.client("dynamodb").put_item(TableName="duty", Item=item)
    status, found = system.call("GET", "/v1/vehicles/{plate}", params={"plate": "22J222-22"}, by="office")
    assert (status, found["vehicle"]["vin"]) == (200, CARD["vin"])


def test_vehicle_card_faults_come_with_their_pointers(system: System) -> None:
    bad = {**CARD, "fuel": "wood", "base_price_rial": "2.4e9"}
    status, problem = system.call("POST", "/v1/vehicles", bad, by="office")
    assert (status, problem["code"]) == (422, "invalid_input")
    assert {(fault["pointer"], fault["code"]) for fault in problem["errors"]} == {
        ("/fuel", "fuel_unknown"),
        ("/base_price_rial", "base_price_malformed"),
    }


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"municipality": "MASHHAD", "plate": "nonsense"}, 422, "plate_malformed"),
        ({"municipality": "ATLANTIS", "plate": "12B345-67"}, 422, "municipality_unknown"),
        ({"municipality": "MASHHAD", "plate": "12B345-67"}, 404, "vehicle_not_found"),
        ({"municipality": "MASHHAD"}, 422, "invalid_input"),
        ({"municipality": "MASHHAD", "plate": "12B345-67", "as_of": "2026-02-31"}, 422, "invalid_input"),
    ],
)
def test_quote_of_bad_input_is_refused_by_code(system: System, body: Any, status: int, code: str) -> None:
    answer = system.call("POST", "/v1/assessments", body, by="office")
    assert (answer[0], answer[1]["code"]) == (status, code)


def test_foreign_city_finds_no_roll_and_no_vehicle(system: System) -> None:
    lines = good_rows(2)
    roll = system.upload("MASHHAD", lines)
    system.act(roll, "commit")
    params = {"id": roll["roll_id"]}
    for method, route in (("GET", "/v1/rolls/{id}"), ("POST", "/v1/rolls/{id}/rollback")):
        body: Any = None if method == "GET" else {}
        assert system.call(method, route, body, by="municipality", city="YAZD", params=params)[0] == 404
    wanted = {"municipality": "MASHHAD", "plate": plates(lines)[0]}
    answer = system.call("POST", "/v1/assessments", wanted, by="municipality", city="YAZD")
    assert (answer[0], answer[1]["code"]) == (404, "vehicle_not_found")


def test_quote_of_another_day_says_that_it_is_not_payable(system: System) -> None:
    system.call("POST", "/v1/vehicles", CARD, by="office")
    quote = system.quote("SHIRAZ", "22J222-22", as_of="2025-06-01", through_year=1400)[1]
    assert quote["payable"] is False
    assert quote["through_year"] == 1400
    assert system.quote("SHIRAZ", "22J222-22", through_year=1450)[1]["code"] == "invalid_input"
    both = system.quote("SHIRAZ", "22J222-22", through_year=1400, years=[1400])
    assert (both[0], both[1]["errors"][0]["code"]) == (422, "years_and_through_year")


def test_municipalities_are_listed_to_everyone(system: System) -> None:
    cities = system.call("GET", "/v1/municipalities")[1]["municipalities"]
    codes = [city["code"] for city in cities]
    assert len(set(codes)) == len(codes) == 1324
    assert {"TEHRAN", "MASHHAD", "ISFAHAN", "SHIRAZ", "TABRIZ", "GOLUGAH-BEHSHAHR"} <= set(codes)


def test_idempotency_key_replays_a_quote_and_refuses_another_body(system: System) -> None:
    lines = good_rows(3)
    system.act(system.upload("MASHHAD", lines), "commit")
    key = {"idempotency-key": "quote-1"}
    first = system.quote("MASHHAD", plates(lines)[0], headers=key)
    assert first[0] == 201
    before = item_count()
    system.clock.advance(timedelta(days=30))
    assert system.quote("MASHHAD", plates(lines)[0], headers=key) == first
    assert item_count() == before
    status, problem = system.quote("MASHHAD", plates(lines)[1], headers=key)
    assert (status, problem["code"]) == (409, "idempotency_mismatch")
    fresh = system.quote("MASHHAD", plates(lines)[1], headers={"idempotency-key": "quote-2"})
    assert fresh[0] == 201


def test_idempotency_key_of_a_refusal_may_be_used_again(system: System) -> None:
    key = {"idempotency-key": "quote-3"}
    assert system.quote("MASHHAD", "11ب111-11", headers=key)[0] == 404
    assert system.quote("NOWHERE", "11ب111-11", headers=key)[0] == 422


def test_differences_of_a_quote_say_why_a_year_costs_more_and_why_another_quote_differs(system: System) -> None:
    lines = good_rows(3)
    system.act(system.upload("MASHHAD", lines), "commit")
    quote = system.quote("MASHHAD", plates(lines)[0])[1]
    earlier = system.quote("MASHHAD", plates(lines)[0], as_of="2025-11-23")[1]
    path = "/v1/assessments/{id}/differences"
    params = {"id": quote["assessment_id"]}
    status, told = system.call("GET", path, by="office", params=params, beside=earlier["assessment_id"])
    assert status == 200
    assert len(told["years"]) == len(quote["years"]) - 1
    for part in (*told["years"], told["beside"]):
        assert sum(int(change["amount_rial"]) for change in part["changes"]) == int(part["difference_rial"])
    assert int(told["beside"]["difference_rial"]) == int(quote["owed_rial"]) - int(earlier["owed_rial"])
    causes = {change["cause"]: change for change in told["beside"]["changes"]}
    assert causes["years_added"]["after"] == {"years": [1405]}
    assert "سال‌های تازه" in causes["years_added"]["text_fa"]
    assert system.call("GET", path, by="office", params={"id": "as_1"})[0] == 404
    assert system.call("GET", path, by="office", params=params, beside="as_1")[0] == 404
    assert system.call("GET", path, by="municipality", city="TABRIZ", params=params)[0] == 404
