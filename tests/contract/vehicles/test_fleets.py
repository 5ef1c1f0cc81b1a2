"""A fleet's list through the real handlers: a verdict for each row, once, resumable, only for its maker."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from functions.assess.fleets import assess as fleet_assess
from functions.assess.fleets.service import CHUNK_PLATES, PLATES_MAX
from tests.contract.assess_system import NOW, ROOT, Answer, System
from tests.contract.vehicles.test_rolls_and_quotes import good_rows, item_count, plates


def call(system: System, method: str, path: str, body: Any = None, by: str = "office-1", **given: Any) -> Answer:
    return system.call(method, f"/v1/fleets{path}", body, by=by, **given)


def created(system: System, listed: list[str], by: str = "office-1") -> dict[str, Any]:
    status, fleet = call(system, "POST", "", {"title": "ناوگان", "plates": listed}, by)
    assert status == 201, fleet
    return fleet


def read(system: System, fleet: dict[str, Any]) -> dict[str, Any]:
    return call(system, "GET", "/{id}", params={"id": fleet["fleet_id"]})[1]


def every_row(system: System, fleet: dict[str, Any]) -> list[dict[str, Any]]:
    found, cursor = [], "0"
    while cursor is not None:
        answer = call(system, "GET", "/{id}/rows", params={"id": fleet["fleet_id"]}, cursor=cursor)[1]
        found += answer["rows"]
        cursor = answer["cursor"]
    return found


@pytest.fixture
def roll(system: System) -> list[str]:
    lines = good_rows(120)
    system.act(system.upload("MASHHAD", lines), "commit")
    return plates(lines)


def test_every_row_gets_its_verdict_and_good_rows_their_quotes(system: System, roll: list[str]) -> None:
    listed = [*roll[:3], "nonsense", "99M999-99", roll[0], *roll[3:]]
    fleet = created(system, listed)
    assert (fleet["status"], fleet["rows_done"]) == ("assessing", 0)
    assert system.assess_fleets() == -(-len(listed) // CHUNK_PLATES)
    done = read(system, fleet)
    assert (done["status"], done["rows_done"]) == ("complete", len(listed))
    rows = every_row(system, fleet)
    assert [row["row"] for row in rows] == list(range(1, len(listed) + 1))
    assert [row["verdict"] for row in rows[3:6]] == ["plate_malformed", "vehicle_not_found", "plate_repeated"]
    owed = 0
    for row in rows:
        assert row["message_fa"]
        assert row["message_en"]
        for quote in row.get("quotes", ()):
            stored = system.call(
                "GET", "/v1/assessments/{id}", by="office-1", params={"id": quote["assessment_id"]}
            )
            assert stored[1]["owed_rial"] == quote["owed_rial"]
            assert stored[1]["payable"]
            owed += int(quote["owed_rial"])
    assert int(done["owed_rial"]) == owed > 0
    assert done["owed_by_municipality"] == {"MASHHAD": str(owed)}
    assert sum(done["verdicts"].values()) == len(listed)


def test_a_chunk_delivered_again_makes_no_second_quote(system: System, roll: list[str]) -> None:
    fleet = created(system, roll)
    system.assess_fleets(times=2)
    rows, items = every_row(system, fleet), item_count()
    assert call(system, "POST", "/{id}/resumptions", {}, params={"id": fleet["fleet_id"]})[1]["chunks_asked"] == 0
    body = json.dumps({"fleet_id": fleet["fleet_id"], "chunk": 0})
    fleet_assess.handle({"Records": [{"messageId": "1", "body": body}]}, None)
    assert (every_row(system, fleet), item_count()) == (rows, items)


def test_what_was_lost_is_asked_for_again_and_nothing_else(system: System, roll: list[str]) -> None:
    fleet = created(system, roll)
    system.assess_fleets(failing=1)
    assert read(system, fleet)["status"] == "assessing"
    resumed = call(system, "POST", "/{id}/resumptions", {}, params={"id": fleet["fleet_id"]})
    assert (resumed[0], resumed[1]["chunks_asked"]) == (202, 1)
    system.assess_fleets()
    assert read(system, fleet)["status"] == "complete"


def test_on_another_day_quotes_are_made_anew(system: System, roll: list[str]) -> None:
    fleet = created(system, roll[:3])
    system.assess_fleets()
    before = every_row(system, fleet)
    system.clock.instant = NOW + timedelta(days=1)
    assert read(system, fleet)["status"] == "assessing"
    call(system, "POST", "/{id}/resumptions", {}, params={"id": fleet["fleet_id"]})
    system.assess_fleets()
    after = every_row(system, fleet)
    assert read(system, fleet)["status"] == "complete"
    assert [row["plate"] for row in after] == [row["plate"] for row in before]
    assert [row.get("quotes") for row in after if row.get("quotes")] != [
        row.get("quotes") for row in before if row.get("quotes")
    ]


def test_a_fleet_is_its_makers_alone(system: System, roll: list[str]) -> None:
    fleet = created(system, roll[:2])
    params = {"id": fleet["fleet_id"]}
    for by in ("office-2", "operator-1", "municipality-1"):
        assert call(system, "GET", "/{id}", by=by, params=params)[0] == 404
        assert call(system, "GET", "/{id}/rows", by=by, params=params)[0] == 404
        assert call(system, "POST", "/{id}/resumptions", {}, by=by, params=params)[0] == 404
    assert call(system, "GET", "/{id}", by="auditor-1", params=params)[0] == 200
    assert call(system, "GET", "/{id}", params={"id": "fl_1"})[0] == 404


def test_an_officer_sees_only_what_the_own_city_is_owed(system: System) -> None:
    tehran = (ROOT / "demo" / "rolls" / "tehran.csv").read_text("utf-8-sig").splitlines()[:4]
    system.act(system.upload("TEHRAN", tehran), "commit")
    fleet = created(system, plates(tehran), by="municipality-1")  # of Mashhad
    system.assess_fleets()
    params = {"id": fleet["fleet_id"]}
    rows = call(system, "GET", "/{id}/rows", by="municipality-1", params=params)[1]["rows"]
    assert {row["verdict"] for row in rows} == {"vehicle_not_found"}


@pytest.mark.parametrize("body", [{}, {"title": "x", "plates": []}, {"title": "x", "plates": ["x" * 70]},
                                  {"title": "", "plates": ["x"]}, {"title": "x", "plates": [1]}])  # fmt: skip
def test_lists_that_are_none_are_refused(system: System, body: Any) -> None:
    assert call(system, "POST", "", body)[0] == 422


def test_the_longest_list_is_taken_and_one_more_is_not(system: System) -> None:
    listed = [f"{11 + n % 80} ب {100 + n // 80} - ایران ۱۱" for n in range(PLATES_MAX)]
    assert created(system, listed)["rows"] == PLATES_MAX
    assert call(system, "POST", "", {"title": "x", "plates": [*listed, "x"]})[0] == 422


def test_cursors_that_are_none_are_refused(system: System, roll: list[str]) -> None:
    fleet = created(system, roll[:2])
    for cursor in ("-1", "x", "2", "۱"):
        assert call(system, "GET", "/{id}/rows", params={"id": fleet["fleet_id"]}, cursor=cursor)[0] == 422
