"""What offices enter of a vehicle through the real handlers: in force at once, listed to the city, taken back."""

from __future__ import annotations

import csv
from datetime import timedelta
from typing import Any

import pytest

from avarez import keys
from avarez.dynamo import Table, transact
from avarez.quotes.store import DutyStore
from tests.contract.assess_system import ROOT, Answer, System

CITY, OTHER = "MASHHAD", "TEHRAN"
PAPER = {"kind": "کارت خودرو", "reference": "IR-1405-77"}


@pytest.fixture
def plate(system: System) -> str:
    """A petrol car of Mashhad that owes several years, old enough for the surcharge."""
    from avarez.roll.rows import RollReader, RollRow

    lines = (ROOT / "demo" / "roll_sample.csv").read_text("utf-8-sig").splitlines()
    rows = [row for row in RollReader().read(line + "\n" for line in lines) if isinstance(row, RollRow)]
    row = next(
        row
        for row in rows
        if row.sale_date_jalali < "1388" and row.vehicle_class == "passenger" and row.fuel == "petrol" and row.vin
    )
    system.act(system.upload(CITY, [lines[0], lines[row.row - 1]]), "commit")
    return row.plate


def enter(system: System, plate: str, what: str, by: str = "office-1", **body: Any) -> Answer:
    sent = {"municipality": CITY, "evidence": PAPER, **body}
    return system.call("POST", f"/v1/vehicles/{{plate}}/{what}", sent, by=by, params={"plate": plate})


def decide(system: System, change: Any, outcome: str, by: str = "municipality-2", city: str = CITY) -> Answer:
    body = {"outcome": outcome, "reason": "سند درست نیست"}
    params = {"id": change["change_id"]}
    return system.call("POST", "/v1/vehicle-changes/{id}/decisions", body, by=by, city=city, params=params)


def listed(system: System, city: str, by: str = "municipality-2") -> Answer:
    return system.call("GET", "/v1/municipalities/{code}/vehicle-changes", by=by, city=city, params={"code": city})


def owed(system: System, plate: str, city: str = CITY) -> int:
    status, quote = system.quote(city, plate)
    assert status == 201, quote
    return int(quote["owed_rial"])


def test_a_correction_counts_at_once_is_listed_and_a_rejection_takes_it_back(system: System, plate: str) -> None:
    before = owed(system, plate)
    status, change = enter(system, plate, "corrections", facts={"fuel": "cng"})
    assert (status, change["status"], change["before"], change["after"]) == (
        201,
        "in_force",
        {"fuel": "petrol"},
        {"fuel": "cng"},
    )
    assert owed(system, plate) < before  # gas-fuelled: no surcharge for age
    assert [one["change_id"] for one in listed(system, CITY)[1]["changes"]] == [change["change_id"]]
    assert listed(system, OTHER)[1]["changes"] == []
    assert decide(system, change, "rejected", by="office-1")[1]["code"] == "second_person_required"
    assert decide(system, change, "rejected", city=OTHER)[1]["code"] == "vehicle_change_not_found"
    status, rejected = decide(system, change, "rejected")
    assert (status, rejected["status"], rejected["decision_reason"]) == (200, "rejected", "سند درست نیست")
    assert [event["by"] for event in rejected["events"]] == ["office-1", "municipality-2"]
    assert owed(system, plate) == before
    assert decide(system, change, "confirmed")[1]["code"] == "vehicle_change_conflict"


def test_a_correction_under_a_later_one_cannot_be_taken_back_alone(system: System, plate: str) -> None:
    before = owed(system, plate)
    first = enter(system, plate, "corrections", facts={"fuel": "cng"})[1]
    second = enter(system, plate, "corrections", facts={"make": "دیگر"})[1]
    assert decide(system, first, "rejected")[1]["code"] == "vehicle_change_conflict"
    assert decide(system, second, "rejected")[0] == 200
    assert decide(system, first, "rejected")[0] == 200
    assert owed(system, plate) == before


def test_facts_that_no_card_shows_or_that_change_nothing_are_refused(system: System, plate: str) -> None:
    for facts in ({"base_price_rial": "1"}, {"fuel": "petrol"}, {"fuel": "steam"}):
        status, refused = enter(system, plate, "corrections", facts=facts)
        assert (status, refused["code"]) == (422, "invalid_input"), facts
    assert enter(system, "11B111-11", "corrections", facts={"fuel": "cng"})[1]["code"] == "vehicle_not_found"
    assert enter(system, plate, "corrections", municipality="ATLANTIS", facts={"fuel": "cng"})[1]["code"] == (
        "municipality_unknown"
    )


def test_a_new_plate_carries_the_debt_and_the_old_one_is_free_for_another_car(system: System, plate: str) -> None:
    before = owed(system, plate)
    status, change = enter(
        system, plate, "plates", new_plate="44 ب 444 - ایران 44", from_jalali="1405-05-01", owner_id="0499370899"
    )
    assert (status, change["after"]["plate"]) == (201, "44B444-44"), change
    assert change["after"]["owner_changed"]
    assert owed(system, "44B444-44") == before
    found = system.call("GET", "/v1/vehicles/{plate}", by="office", params={"plate": "44B444-44"})[1]
    assert found["vehicle"]["plate"]["key"] == "44B444-44"
    card = {
        "municipality": CITY, "plate": plate, "chassis": "NEWCAR12345", "engine": "ENG12345", "class": "passenger",
        "make": "سایپا", "model": "تیبا", "model_year": 1404, "model_calendar": "jalali", "origin": "domestic",
        "fuel": "petrol", "base_price_rial": "5000000000", "sale_date_jalali": "1404-02-01",
        "residence_from_jalali": "1405-06-01", "evidence": PAPER,
    }  # fmt: skip
    status, other = system.call("POST", "/v1/vehicles", card, by="office")
    assert status == 201, other.get("errors")
    assert other["vehicle"]["vehicle_id"] != change["vehicle_id"]
    assert owed(system, "44B444-44") == before
    taken = enter(system, "44B444-44", "plates", new_plate=plate, from_jalali="1405-08-01")
    assert taken[1]["code"] == "roll_conflict"
    assert decide(system, change, "rejected")[0] == 200
    assert system.quote(CITY, "44B444-44")[1]["code"] == "vehicle_not_found"


@pytest.mark.parametrize("since", ["1405-12-01", "1380-01-01", "1405-13-01"])
def test_a_day_that_cannot_be_is_refused(system: System, plate: str, since: str) -> None:
    status, refused = enter(system, plate, "plates", new_plate="44B444-44", from_jalali=since)
    assert (status, refused["code"]) == (422, "invalid_input")


def test_a_move_gives_the_coming_years_to_the_new_city_and_both_see_it(system: System, plate: str) -> None:
    system.clock.instant -= timedelta(days=300)  # 1404: the year after the move is still to come
    total = owed(system, plate)
    status, change = enter(system, plate, "residences", new_municipality=OTHER, from_jalali="1404-06-01")
    assert (status, change["municipality"], change["listed_to"]) == (201, OTHER, [CITY, OTHER]), change
    assert owed(system, plate) == total  # 1404 belongs to the residence on 1 Farvardin
    assert owed(system, plate, OTHER) == 0
    system.clock.instant += timedelta(days=300)
    assert owed(system, plate, OTHER) > 0
    for city in (CITY, OTHER):
        assert [one["change_id"] for one in listed(system, city)[1]["changes"]] == [change["change_id"]]
    assert decide(system, change, "confirmed", city=CITY)[1]["code"] == "vehicle_change_not_found"
    assert decide(system, change, "confirmed", city=OTHER)[1]["status"] == "confirmed"
    back = enter(system, plate, "residences", municipality=OTHER, new_municipality=CITY, from_jalali="1405-06-01")
    assert back[1]["code"] == "vehicle_change_conflict"  # Mashhad's own roll has the car on this plate


def test_a_prior_payment_counts_once_the_city_that_took_it_says_so(system: System, plate: str) -> None:
    quote = system.quote(CITY, plate)[1]
    year = quote["years"][0]
    status, change = enter(
        system, plate, "prior-payments", paid_to=OTHER, year=year["year"], amount_rial=year["amount_rial"],
        paid_on_jalali="1402-03-04", certificate="T-1402-9",
    )  # fmt: skip
    assert (status, change["status"]) == (201, "awaiting")
    assert owed(system, plate) == int(quote["owed_rial"])
    assert decide(system, change, "confirmed", city=CITY)[1]["code"] == "vehicle_change_not_found"
    assert decide(system, change, "confirmed", city=OTHER)[0] == 200
    after = system.quote(CITY, plate)[1]
    assert {"year": year["year"], "kind": "paid"}.items() <= next(
        line for line in after["lines"] if line["kind"] == "paid"
    ).items()
    assert int(after["owed_rial"]) < int(quote["owed_rial"])
    again = enter(
        system, plate, "prior-payments", paid_to=OTHER, year=year["year"], amount_rial="1000",
        paid_on_jalali="1402-03-05", certificate="T-1402-10",
    )[1]  # fmt: skip
    assert decide(system, again, "confirmed", city=OTHER)[1]["code"] == "duty_paid"
    assert decide(system, again, "rejected", city=OTHER)[0] == 200


def test_a_duty_that_somebody_is_paying_cannot_be_declared_paid(system: System, plate: str) -> None:
    year = system.quote(CITY, plate)[1]["years"][0]
    change = enter(
        system, plate, "prior-payments", paid_to=OTHER, year=year["year"], amount_rial=year["amount_rial"],
        paid_on_jalali="1402-03-04", certificate="T-1402-9",
    )[1]  # fmt: skip
    (row,) = DutyStore(Table("duty")).rows(CITY, plate)
    duty = keys.duty(row.vehicle_id, year["year"])
    lease = {"status": "leased", "payment_id": "py_1", "lease_until_at": "2026-11-23T08:30:00.000Z"}
    transact([Table("duty").put_new(duty, lease)])
    assert decide(system, change, "confirmed", city=OTHER)[0] == 409
    assert (Table("duty").get(duty) or {})["status"] == "leased"


def test_two_cities_that_claim_the_same_day_are_told_once(system: System, plate: str) -> None:
    lines = (ROOT / "demo" / "roll_sample.csv").read_text("utf-8-sig").splitlines()
    cells = next(row for row in csv.DictReader(lines) if row["plate"].replace(" ", "") and _is(row, plate))
    cells["municipality"] = OTHER
    system.act(system.upload(OTHER, [lines[0], ",".join(cells.values())]), "commit")
    for _ in range(2):
        assert system.quote(CITY, plate)[1]["residence_disputed"]
    for city in (CITY, OTHER):
        (task,) = Table("duty").query(keys.task(city, "")[0])
        assert (task["kind"], task["claimants"], task["status"]) == ("residence_disputed", [CITY, OTHER], "open")


def _is(row: dict[str, str], plate: str) -> bool:
    from avarez.errors import PlateMalformed
    from avarez.plates import parse_plate

    try:
        return parse_plate(row["plate"]).key == plate
    except PlateMalformed:
        return False
