"""Objections through the real handlers: the penalty stands still, decisions, repayments, terms."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from avarez import dynamo, keys
from avarez.assessment.replay import differences
from avarez.dynamo import Table, to_item
from avarez.quotes.store import TariffStore
from functions.assess.objections import sweep
from functions.assess.objections.objection import DUE_DAYS, LEVELS_MAX
from tests.contract.assess_system import NOW, ROOT, Answer, System

CITY = "MASHHAD"


def call(system: System, method: str, path: str, body: Any = None, by: str = "office-1", **params: str) -> Answer:
    return system.call(method, f"/v1/objections{path}", body, by=by, params=params)


@pytest.fixture
def plate(system: System) -> str:
    """A car of Mashhad that owes several years."""
    from avarez.roll.rows import RollReader, RollRow

    lines = (ROOT / "demo" / "roll_sample.csv").read_text("utf-8-sig").splitlines()
    rows = [row for row in RollReader().read(line + "\n" for line in lines) if isinstance(row, RollRow)]
    row = next(row for row in rows if row.sale_date_jalali < "1400" and row.vehicle_class == "passenger")
    system.act(system.upload(CITY, [lines[0], lines[row.row - 1]]), "commit")
    return row.plate


def filed(system: System, quote: dict[str, Any], by: str = "office-1") -> dict[str, Any]:
    body = {"assessment_id": quote["assessment_id"], "reason": "wrong_price", "text": "قیمت درست نیست",
            "evidence": [{"kind": "سند فروش", "reference": "1402/77"}]}  # fmt: skip
    status, objection = call(system, "POST", "", body, by)
    assert status == 201, objection
    return objection


def decide(system: System, objection: dict[str, Any], by: str = "municipality-2", **decision: Any) -> Answer:
    body = {"outcome": "accepted", "reason": "سند درست است", **decision}
    return call(system, "POST", "/{id}/decisions", body, by, id=objection["objection_id"])


def months(quote: dict[str, Any], year: int) -> int:
    return sum(
        line["inputs"]["months"] for line in quote["lines"] if line["year"] == year and line["kind"] == "penalty"
    )


def test_penalty_stands_still_while_it_is_open_and_goes_on_afterwards(system: System, plate: str) -> None:
    quote = system.quote(CITY, plate)[1]
    objection = filed(system, quote)
    assert objection["status"] == "open"
    before = months(quote, 1404)
    system.clock.instant = NOW + timedelta(days=65)  # Bahman: Dey and Bahman began meanwhile
    later = system.quote(CITY, plate)[1]
    assert months(later, 1404) == before
    assert later["inputs"]["penalty_pauses"][0]["to_jalali"] is None
    assert decide(system, objection, outcome="rejected")[1]["status"] == "rejected"
    system.clock.instant = NOW + timedelta(days=100)  # Esfand began after the decision
    after = system.quote(CITY, plate)[1]
    assert months(after, 1404) == before + 1
    assert differences(after, TariffStore(Table("duty"), "tariffs").current()) == []  # type: ignore[arg-type]


def test_accepted_objection_assesses_again_as_of_the_original_day_and_corrects_later_quotes(
    system: System, plate: str
) -> None:
    quote = system.quote(CITY, plate)[1]
    half = str(int(quote["vehicle"]["base_price_rial"]) // 2)
    objection = filed(system, quote)
    system.clock.instant = NOW + timedelta(days=3)
    status, done = decide(system, objection, facts={"base_price_rial": half})
    assert (status, done["status"]) == (200, "accepted")
    recomputed = done["recomputed"]
    assert int(recomputed["difference_rial"]) == int(recomputed["owed_rial"]) - int(quote["owed_rial"]) < 0
    assert sum(int(change["amount_rial"]) for change in recomputed["changes"]) == int(
        recomputed["difference_rial"]
    )
    assert recomputed["changes"][0]["cause"] == "price"
    assert recomputed["overpaid_rial"] == "0"
    now = system.quote(CITY, plate)[1]
    assert now["vehicle"]["base_price_rial"] == half
    assert [event["by"] for event in done["events"]] == ["office-1", "municipality-2"]


def pay(system: System, quote: dict[str, Any], years: list[int]) -> str:
    """What settled payments of these years leave behind, with their certificate."""
    table, vehicle = dynamo.client("dynamodb"), ""
    item = Table("duty").get(_pointed(quote["assessment_id"]))
    assert item is not None
    vehicle = item["vehicle_id"]
    amounts = {total["year"]: int(total["amount_rial"]) for total in quote["years"]}
    for year in years:
        duty = {"status": "paid", "payment_id": "py_1", "municipality": CITY, "plate": quote["plate"]["key"],
                "amount_rial": amounts[year], "paid_on": "2026-11-23"}  # fmt: skip
        pk, sk = keys.duty(vehicle, year)
        table.put_item(TableName="duty", Item=to_item({**duty, "pk": pk, "sk": sk}))
    certificate = {
        "certificate_id": "ce_1", "payment_id": "py_1", "status": "in_force", "kind": "payment",
        "municipality": CITY, "plate": quote["plate"]["key"], "vehicle_id": vehicle,
        "years": [{"year": year, "amount_rial": amounts[year]} for year in years], "amount_rial":
        sum(amounts[year] for year in years), "paid_at": "2026-11-23T08:00:00Z", "trace_hash": quote["trace_hash"],
        "cose": b"signed", "pdf_sha256": "0" * 64, "status_index": 5,
    }  # fmt: skip
    pk, sk = keys.certificate(CITY, quote["plate"]["key"], "ce_1")
    table.put_item(TableName="duty", Item=to_item({**certificate, "pk": pk, "sk": sk}))
    return str(vehicle)


def _pointed(identifier: str) -> keys.Key:
    pointer = Table("duty").get(keys.pointer(identifier))
    assert pointer is not None
    return pointer["target_pk"], pointer["target_sk"]


def test_what_was_paid_too_much_becomes_a_task_and_the_certificate_gives_way_to_a_new_one(
    system: System, plate: str
) -> None:
    quote = system.quote(CITY, plate)[1]
    years = [total["year"] for total in quote["years"]][:2]
    pay(system, quote, years)
    objection = filed(system, quote)
    half = str(int(quote["vehicle"]["base_price_rial"]) // 2)
    done = decide(system, objection, facts={"base_price_rial": half})[1]
    overpaid = {entry["year"]: int(entry["overpaid_rial"]) for entry in done["recomputed"]["overpaid"]}
    assert sorted(overpaid) == years
    assert sum(overpaid.values()) == int(done["recomputed"]["overpaid_rial"]) > 0
    task = Table("duty").get(keys.task(CITY, done["task_id"]))
    assert task is not None
    assert (task["kind"], task["amount_rial"], task["status"]) == (
        "refund_or_credit",
        sum(overpaid.values()),
        "open",
    )
    old = Table("duty").get(keys.certificate(CITY, quote["plate"]["key"], "ce_1"))
    assert old is not None
    (superseded,) = done["superseded"]
    assert (old["status"], old["superseded_by"]) == ("superseded", superseded["superseded_by"])
    new = Table("duty").get(_pointed(superseded["superseded_by"]))
    assert new is not None
    assert (new["status"], new["supersedes"]) == ("preparing", "ce_1")
    assert not {"cose", "status_index"} & set(new), "signed and listed by itself"
    assert new["trace_hash"] == done["recomputed"]["trace_hash"]
    outbox = dynamo.client("dynamodb").scan(TableName="ledger")["Items"]
    asked = {
        row["pk"]["S"].partition("#")[0]: row["certificate_id"]["S"] for row in outbox if "certificate_id" in row
    }
    assert asked == {"OUTBOX": superseded["superseded_by"], "STATUSMARKS": "ce_1"}
    (told,) = [row for row in outbox if row["sk"]["S"].startswith("CHAIN#")]
    assert told["type"]["S"] == "certificate.superseded"
    assert json.loads(told["content"]["S"])["certificate"]["superseded_by"] == superseded["superseded_by"]


def test_one_objection_at_a_time_and_another_after_it_is_withdrawn(system: System, plate: str) -> None:
    quote = system.quote(CITY, plate)[1]
    objection = filed(system, quote)
    body = {"assessment_id": quote["assessment_id"], "reason": "other", "text": "x"}
    assert call(system, "POST", "", body)[1]["code"] == "objection_open"
    withdrawn = call(system, "POST", "/{id}/withdrawals", {}, id=objection["objection_id"])[1]
    assert withdrawn["status"] == "withdrawn"
    assert decide(system, objection, outcome="rejected")[1]["code"] == "objection_conflict"
    system.clock.instant += timedelta(seconds=1)
    again = filed(system, quote)
    found = system.call("GET", "/v1/objections", by="municipality-1")[1]["objections"]
    assert [one["objection_id"] for one in found] == [again["objection_id"], objection["objection_id"]]
    listed = system.call("GET", "/v1/objections", by="municipality-1", status="open")[1]["objections"]
    assert [one["objection_id"] for one in listed] == [again["objection_id"]]


def test_whoever_filed_it_does_not_decide_it(system: System, plate: str) -> None:
    objection = filed(system, system.quote(CITY, plate)[1], by="municipality-1")
    assert (
        decide(system, objection, by="municipality-1", outcome="rejected")[1]["code"] == "second_person_required"
    )
    assert decide(system, objection, by="municipality-2", outcome="rejected")[0] == 200


@pytest.mark.parametrize(
    "facts", [{}, {"colour": "red"}, {"base_price_rial": "-5"}, {"fuel": "coal"}, {"make": None}]
)  # fmt: skip
def test_facts_that_are_none_or_change_nothing_are_refused_and_it_stays_open(
    system: System, plate: str, facts: dict[str, Any]
) -> None:
    quote = system.quote(CITY, plate)[1]
    objection = filed(system, quote)
    if facts == {"make": None}:
        facts = {"base_price_rial": quote["vehicle"]["base_price_rial"]}
    assert decide(system, objection, facts=facts)[0] == 422
    assert call(system, "GET", "/{id}", id=objection["objection_id"])[1]["status"] == "open"


def test_terms_that_pass_are_escalated_step_by_step_and_never_lost(system: System, plate: str) -> None:
    objection = filed(system, system.quote(CITY, plate)[1])
    assert sweep.handle({}, None) == {"escalated": 0}
    moment = NOW + timedelta(days=DUE_DAYS, minutes=1)
    for level in range(1, LEVELS_MAX + 1):
        system.clock.instant = moment
        assert sweep.handle({}, None) == {"escalated": 1}
        assert sweep.handle({}, None) == {"escalated": 0}
        found = call(system, "GET", "/{id}", id=objection["objection_id"])[1]
        assert (found["level"], found["status"]) == (level, "open")
        moment += timedelta(days=DUE_DAYS // 2, minutes=1)
    system.clock.instant = moment
    assert sweep.handle({}, None) == {"escalated": 0}
    assert decide(system, objection, outcome="rejected")[0] == 200


def test_objections_of_other_cities_do_not_exist(system: System, plate: str) -> None:
    quote = system.quote(CITY, plate)[1]
    objection = filed(system, quote)
    foreign: dict[str, Any] = {
        "by": "municipality-9",
        "city": "TABRIZ",
        "params": {"id": objection["objection_id"]},
    }
    assert system.call("GET", "/v1/objections/{id}", **foreign)[0] == 404
    decision = {"outcome": "rejected", "reason": "x"}
    assert system.call("POST", "/v1/objections/{id}/decisions", decision, **foreign)[0] == 404
    body = {"assessment_id": quote["assessment_id"], "reason": "other", "text": "x"}
    assert system.call("POST", "/v1/objections", body, by="municipality-9", city="TABRIZ")[0] == 404
    assert system.call("GET", "/v1/objections", by="municipality-9", city="TABRIZ", municipality=CITY)[0] == 404
    assert system.call("GET", "/v1/objections", by="office-1", city="")[0] == 422
    assert call(system, "GET", "/{id}", id="ob_1")[0] == 404
