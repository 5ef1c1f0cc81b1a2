"""The tariff's lifecycle through the real handlers: draft, check, simulate, approve, publish."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from avarez.assessment import assess, tariff_from_document
from avarez.assessment.replay import differences
from functions.assess.tariffs.lifecycle import TRANSITIONS
from tests.contract.assess_system import ROOT, Answer, System

TARIFFS = ROOT / "demo" / "tariffs"
VEHICLES = 300 if "AVAREZ_PROVE" in os.environ else 40
"""Of the city's roll, for the simulated totals; each is quoted singly."""
WRITER, SECOND = "operator-1", "operator-2"
ROW = {"law": "vat-1400", "article_fa": "ماده", "article_en": "art.", "reference": "a test"}


def demo_files() -> dict[str, Any]:
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in sorted(TARIFFS.glob("*.json"))}


def next_year() -> dict[str, Any]:
    """The demonstration with rates of 1406, twice those of 1405."""
    files = demo_files()
    rows = files["principal-1400.json"]["rows"]
    for row in list(rows):
        rate = {"1/1000": "2/1000", "1.5/1000": "3/1000"}[row["rate"]]
        rows.append({**row, "id": row["id"] + "-1406", "duty_years": [1406, 1406], "rate": rate})
    return files


class Desk:
    """The tariff desk of one person."""

    def __init__(self, running: System, by: str, **claims: Any) -> None:
        self.running, self.by, self.claims = running, by, claims

    def call(self, method: str, path: str, body: Any = None, **params: str) -> Answer:
        return self.running.call(method, f"/v1/tariffs{path}", body, by=self.by, params=params, **self.claims)

    def draft(self, files: dict[str, Any], authority: str = "national") -> dict[str, Any]:
        body = {"authority": authority, "title": "تعرفه ۱۴۰۶", "files": files}
        status, draft = self.call("POST", "", body)
        assert status == 201, draft
        return draft

    def act(self, draft: dict[str, Any], action: str, body: Any = None) -> Answer:
        return self.call("POST", f"/{{id}}/{action}", body, id=draft["tariff_id"])

    def read(self, draft: dict[str, Any], part: str = "") -> Answer:
        return self.call("GET", f"/{{id}}{part}", id=draft["tariff_id"])


@pytest.fixture
def writer(system: System) -> Desk:
    return Desk(system, WRITER)


@pytest.fixture
def second(system: System) -> Desk:
    return Desk(system, SECOND)


def published(writer: Desk, second: Desk, files: dict[str, Any], authority: str = "national") -> dict[str, Any]:
    """A draft taken through every step."""
    draft = writer.draft(files, authority)
    status, checked = writer.act(draft, "checks")
    assert (status, checked["findings"]) == (200, [])
    assert writer.act(draft, "simulations", {})[0] == 202
    writer.running.simulate()
    status, done = second.act(draft, "approvals")
    assert status == 200, done
    return done


def test_whole_way_of_a_tariff_from_draft_to_quotes(system: System, writer: Desk, second: Desk) -> None:
    roll = (ROOT / "demo" / "rolls" / "tehran.csv").read_text("utf-8-sig").splitlines()
    system.act(system.upload("TEHRAN", roll), "commit")
    before = system.call("GET", "/v1/tariffs/versions/{version}", params={"version": "current"})[1]
    draft = writer.draft(next_year())
    assert draft["status"] == "draft"
    status, checked = writer.act(draft, "checks")
    assert (status, checked["publishable"], checked["tariff"]["status"]) == (200, True, "checked")
    assert checked["tariff"]["base_version"] == before["tariff_version"]
    assert writer.act(draft, "simulations", {"one_in": 1})[1]["status"] == "simulating"
    assert second.act(draft, "approvals")[0] == 409, "nothing is approved before it was simulated"
    system.simulate()
    status, simulation = writer.read(draft, "/simulation")
    assert status == 200
    (city,) = simulation["cities"]
    assert city["municipality"] == "TEHRAN"
    assert city["totals"]["vehicles"] > 200
    assert city["totals"]["before_rial"] == city["totals"]["after_rial"], "1406 has not begun"
    assert writer.act(draft, "approvals")[1]["code"] == "second_person_required"
    status, done = second.act(draft, "approvals")
    assert (status, done["status"], done["approved_by"]) == (200, "published", SECOND)
    assert second.act(draft, "approvals")[0] == 200, "a repetition answers the same"
    assert [event["by"] for event in done["events"]] == [WRITER, WRITER, WRITER, "simulator", SECOND]
    now = system.call("GET", "/v1/tariffs/versions/{version}", params={"version": "current"})[1]
    assert now["tariff_version"] == checked["tariff"]["tariff_version"]
    assert now["supersedes"] == before["tariff_version"]
    assert tariff_from_document(now["document"]).content_hash == now["tariff_version"]
    old = system.call("GET", "/v1/tariffs/versions/{version}", params={"version": before["tariff_version"]})[1]
    assert old["superseded_by"] == now["tariff_version"]
    system.call("GET", "/v1/municipalities")
    from functions.assess import handler

    handler.quotes.cache_clear()
    quote = system.quote("TEHRAN", roll[1].split(",")[1])[1]
    assert quote["tariff_version"] == now["tariff_version"]
    assert differences(quote, tariff_from_document(now["document"])) == []


@pytest.mark.timeout(900)
def test_simulated_totals_are_what_the_published_tariff_charges(
    system: System, writer: Desk, second: Desk
) -> None:  # fmt: skip
    roll = (ROOT / "demo" / "rolls" / "tehran.csv").read_text("utf-8-sig").splitlines()[: 1 + VEHICLES]
    system.act(system.upload("TEHRAN", roll), "commit")
    files = demo_files()
    files["new.json"] = {"schema": 1, "rows": [
        {**ROW, "id": "smoke", "kind": "pollution", "duty_years": [1406, 1406], "places": ["TEHRAN"],
         "rate": "1/10000"},
        {**ROW, "id": "amnesty", "kind": "discount", "duty_years": [1395, 1404], "places": "national",
         "of": ["penalty"], "rate": "33.3/100", "as_of_from_jalali": "1405-09-02", "reason_fa": "x",
         "reason_en": "x"}]}  # fmt: skip
    files["principal-1400.json"] = next_year()["principal-1400.json"]
    draft = published(writer, second, files)
    totals = writer.read(draft, "/simulation")[1]["totals"]
    answers = [system.quote("TEHRAN", row.split(",")[1])[1] for row in roll[1:]]
    document = system.call("GET", "/v1/tariffs/versions/{version}", params={"version": "current"})[1]["document"]
    tariff = tariff_from_document(document)
    owed = 0
    from avarez.assessment import Vehicle
    from tests.contract.assess_system import NOW

    for answer in answers:
        if "vehicle" in answer:
            vehicle = Vehicle.from_json(answer["vehicle"])
            owed += assess(vehicle, (), (), tariff, NOW.date(), 1405, "TEHRAN").owed_rial
    assert int(totals["after_rial"]) == owed
    assert int(totals["difference_rial"]) < 0


def test_findings_keep_a_draft_a_draft_and_name_file_row_and_mend(writer: Desk) -> None:
    files = demo_files()
    files["principal-1400.json"]["rows"][0]["rate"] = "1.1/1000"
    draft = writer.draft(files)
    status, checked = writer.act(draft, "checks")
    assert (status, checked["publishable"], checked["tariff"]["status"]) == (200, False, "draft")
    (finding,) = checked["findings"]
    assert finding["code"] == "retroactive"
    assert finding["pointer"] == "/principal-1400.json/principal-1400-domestic/duty_years"
    assert writer.act(draft, "simulations", {})[1]["code"] == "tariff_conflict"
    files["principal-1400.json"]["rows"][0]["rate"] = "x"
    changed = {"id": draft["tariff_id"], "name": "principal-1400.json"}
    assert writer.call("PUT", "/{id}/files/{name}", files["principal-1400.json"], **changed)[0] == 200
    assert writer.act(draft, "checks")[1]["findings"][0]["code"] == "rate_malformed"
    assert writer.call("DELETE", "/{id}/files/{name}", None, **changed)[1]["files"] == sorted(
        set(files) - {"principal-1400.json"}
    )
    assert writer.call("GET", "/{id}/files/{name}", None, **changed)[0] == 404


def test_a_change_after_the_check_or_the_simulation_counts_no_longer(system: System, writer: Desk) -> None:
    files = next_year()
    draft = writer.draft(files)
    writer.act(draft, "checks")
    writer.act(draft, "simulations", {})
    name = {"id": draft["tariff_id"], "name": "settings.json"}
    assert writer.call("PUT", "/{id}/files/{name}", files["settings.json"], **name)[1]["status"] == "draft"
    system.simulate()
    assert writer.read(draft)[1]["status"] == "draft", "a simulation of what was before is not taken"


def test_a_draft_checked_against_a_tariff_that_is_over_is_outdated(
    system: System, writer: Desk, second: Desk
) -> None:  # fmt: skip
    late = writer.draft(next_year())
    writer.act(late, "checks")
    writer.act(late, "simulations", {})
    system.simulate()
    first = next_year()
    first["settings.json"]["remarks"] = "x"
    first["principal-1400.json"]["rows"][-1]["remarks"] = "another document"
    published(writer, second, first)
    status, refused = second.act(late, "approvals")
    assert (status, refused["code"]) == (409, "tariff_outdated")
    assert writer.act(late, "checks")[1]["publishable"]


def test_a_city_publishes_its_own_rows_and_nothing_of_others(system: System, writer: Desk, second: Desk) -> None:
    officers = [Desk(system, f"municipality-{number}", city="SHIRAZ") for number in (1, 2)]
    own = {**ROW, "id": "shiraz-truck", "kind": "principal", "duty_years": [1406, 1406], "places": ["SHIRAZ"],
           "classes": ["truck"], "rate": "0.8/1000"}  # fmt: skip
    published(writer, second, next_year())
    done = published(officers[0], officers[1], {"own.json": {"schema": 1, "rows": [own]}}, "SHIRAZ")
    assert done["authority"] == "SHIRAZ"
    document = system.call("GET", "/v1/tariffs/versions/{version}", params={"version": "current"})[1]["document"]
    ids = [row["id"] for row in document["rows"]]
    assert "shiraz-truck" in ids
    assert "principal-1400-domestic-1406" in ids
    foreign = officers[0].draft({"own.json": {"schema": 1, "rows": [{**own, "id": "x", "places": ["TABRIZ"]}]}},
                                "SHIRAZ")  # fmt: skip
    codes = {finding["code"] for finding in officers[0].act(foreign, "checks")[1]["findings"]}
    assert "foreign_place" in codes
    again = published(writer, second, {**next_year(), "new.json": {"schema": 1, "rows": []}} | {
        "principal-1400.json": {**next_year()["principal-1400.json"], "title_en": "again"},
        "extra.json": {"schema": 1, "rows": [
            {**ROW, "id": "g", "kind": "discount", "duty_years": [1406, 1406], "places": "national",
             "of": ["principal"], "rate": "1/100", "as_of_from_jalali": "1406-01-01", "reason_fa": "x",
             "reason_en": "x"}]}})  # fmt: skip
    assert again["status"] == "published"
    document = system.call("GET", "/v1/tariffs/versions/{version}", params={"version": "current"})[1]["document"]
    assert "shiraz-truck" in [row["id"] for row in document["rows"]], "a national draft leaves cities' rows alone"


def test_tariffs_of_others_do_not_exist_for_a_city_or_an_auditor_to_write(system: System, writer: Desk) -> None:
    shiraz, tabriz = (Desk(system, f"municipality-{city}", city=city) for city in ("SHIRAZ", "TABRIZ"))
    draft = shiraz.draft({}, "SHIRAZ")
    assert tabriz.read(draft)[0] == 404
    assert tabriz.act(draft, "checks")[0] == 404
    assert writer.act(draft, "checks")[0] == 404, "an operator does not write a city's tariff"
    assert writer.read(draft)[0] == 200
    assert tabriz.call("POST", "", {"authority": "SHIRAZ", "title": "x"})[0] == 404
    assert tabriz.call("POST", "", {"authority": "ATLANTIS", "title": "x"})[0] == 422
    assert shiraz.call("GET", "")[1]["drafts"][0]["tariff_id"] == draft["tariff_id"]
    assert system.call("GET", "/v1/tariffs", by="municipality-1", city="TABRIZ", authority="SHIRAZ")[0] == 404
    auditor = Desk(system, "auditor-1")
    assert auditor.read(draft)[0] == 200
    assert auditor.act(draft, "checks")[0] == 404


def test_a_withdrawn_draft_stays_for_the_record_and_takes_nothing_more(writer: Desk, second: Desk) -> None:
    draft = writer.draft(next_year())
    status, done = second.act(draft, "withdrawals", {"reason": "superseded by the circular"})
    assert (status, done["status"]) == (200, "withdrawn")
    for action in ("checks", "approvals"):
        assert writer.act(draft, action)[1]["code"] == "tariff_conflict"
    assert writer.act(draft, "simulations", {})[1]["code"] == "tariff_conflict"


def test_a_document_too_large_for_an_answer_is_given_by_its_address(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.assess.tariffs.store.ANSWER_BYTES_MAX", 100)
    found = system.call("GET", "/v1/tariffs/versions/{version}", params={"version": "current"})[1]
    assert "document" not in found
    assert found["tariff_version"] in found["document_url"]


def test_a_draft_that_changes_nothing_is_not_published(writer: Desk) -> None:
    checked = writer.act(writer.draft(demo_files()), "checks")[1]
    assert [finding["code"] for finding in checked["findings"]] == ["unchanged"]
    assert checked["tariff"]["status"] == "draft"


@pytest.mark.parametrize("name", ["../x.json", "X.json", "x.csv", ".json", "x" * 90 + ".json"])
def test_file_names_that_are_none_are_refused(writer: Desk, name: str) -> None:
    assert writer.call("POST", "", {"authority": "national", "title": "x", "files": {name: {}}})[0] == 422
    draft = writer.draft({})
    assert writer.call("PUT", "/{id}/files/{name}", {}, id=draft["tariff_id"], name=name)[0] == 422


def test_unknown_ids_and_versions_are_not_found(system: System, writer: Desk) -> None:
    assert writer.call("GET", "/{id}", None, id="ta_1")[0] == 404
    for version in ("0" * 64, "x", "../../drafts"):
        assert system.call("GET", "/v1/tariffs/versions/{version}", params={"version": version})[0] == 404


def test_empty_draft_is_refused_by_the_check_with_a_mend(writer: Desk) -> None:
    checked = writer.act(writer.draft({}), "checks")[1]
    assert not checked["publishable"]
    assert all(finding["message_fa"] for finding in checked["findings"])


def test_poisoned_message_is_given_back_and_a_stale_one_is_ignored(system: System) -> None:
    from functions.assess.tariffs import simulate

    stale = json.dumps({"authority": "national", "tariff_id": "ta_x", "merged_version": "x"})
    records = [{"messageId": "1", "body": "{"}, {"messageId": "2", "body": stale}]
    assert simulate.handle({"Records": records}, None) == {"batchItemFailures": [{"itemIdentifier": "1"}]}


def test_every_status_that_is_written_stands_in_the_table_of_transitions() -> None:
    source = "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "functions" / "assess" / "tariffs").glob("*.py")
    )
    for before, after in TRANSITIONS.items():
        assert f'"{before}"' in source
        assert set(after) <= set(TRANSITIONS)
