"""Clearances over the real adapters: when one is given, what is written with it, and who is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from avarez import keys
from avarez.assessment.tariff import Tariff, load_tariff
from avarez.certificates.status import CertificateStatus
from avarez.clock import to_rfc3339
from avarez.dynamo import Item, Table, transact
from avarez.quotes.quote import Quotes
from avarez.quotes.store import DutyStore
from functions.certify.certificates.record import CertificateRecord, parse_record
from functions.certify.certificates.reissuing import ReissueReason, reissue_certificate
from functions.certify.clearances import handler, notary, wiring
from functions.certify.clearances.register import ClearanceRegister
from functions.certify.clearances.rules import City, duty_waived, trace_hash, written_off
from functions.certify.clearances.store import ClearanceTable
from functions.certify.stores.reissue_store import ReissueTable
from infra.routes import entry_point
from tests.contract.assess_system import NOW, ROOT, Answer, System
from tests.contract.pay_counter import Recorder, granted

CITY, OTHER = "MASHHAD", "TEHRAN"


@pytest.fixture
def desk(system: System, monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    """The functions of clearances on the system's tables."""
    for module in (handler, notary):
        monkeypatch.setattr(module, "clock", system.clock)
    recorder = Recorder(Table("duty").dynamodb)
    duty, ledger = Table("duty", recorder), Table("ledger", recorder)
    quotes = Quotes(DutyStore(duty), Fixed(load_tariff(ROOT / "demo" / "tariffs")))
    monkeypatch.setattr(wiring, "books", lambda: ClearanceTable(duty, ledger))
    monkeypatch.setattr(wiring, "quotes", lambda: quotes)
    monkeypatch.setattr(notary, "register", lambda: ClearanceRegister(duty))
    yield system
    assert recorder.used <= granted("certify-clear") | granted("certify-notary") | {("duty", "Query")}


class Fixed:
    """A tariff that is in force."""

    def __init__(self, tariff: Tariff) -> None:
        self.tariff = tariff

    def current(self) -> Tariff:
        return self.tariff


@pytest.fixture
def plate(desk: System) -> str:
    """A petrol car of Mashhad."""
    from avarez.roll.rows import RollReader, RollRow

    lines = (ROOT / "demo" / "roll_sample.csv").read_text("utf-8-sig").splitlines()
    rows = [row for row in RollReader().read(line + "\n" for line in lines) if isinstance(row, RollRow)]
    row = next(row for row in rows if row.vehicle_class == "passenger" and row.fuel == "petrol" and row.vin)
    desk.act(desk.upload(CITY, [lines[0], lines[row.row - 1]]), "commit")
    return row.plate


def threshold(monkeypatch: pytest.MonkeyPatch, folder: Path, rial: int) -> None:
    """A tariff in which Mashhad lets `rial` go."""
    for path in (ROOT / "demo" / "tariffs").glob("*.json"):
        document = json.loads(path.read_text(encoding="utf-8"))
        if path.name == "settings.json":
            own = {**document["rows"][0], "id": "setting-mashhad", "places": [CITY]}
            own = {
                name: own[name] for name in own if name not in ("first_duty_year", "first_year", "penalty_base")
            }
            document["rows"].append({**own, "clearance_threshold_rial": str(rial)})
        (folder / path.name).write_text(json.dumps(document), encoding="utf-8")
    quotes = Quotes(wiring.quotes().store, Fixed(load_tariff(folder)))
    monkeypatch.setattr(wiring, "quotes", lambda: quotes)


def call(module: Any, route: str, body: Any, *, by: str = "office", **claims: str) -> Answer:
    signed_in = {
        "token_use": "access", "iss": "issuer", "client_id": "client", "username": f"{by}-1", "serves": "*",
        "cognito:groups": [by], "office": "DAFTAR-1", **claims,
    }  # fmt: skip
    event = {
        "routeKey": f"POST {route}",
        "rawPath": route,
        "headers": {"content-type": "application/json"},
        "body": json.dumps(body),
        "isBase64Encoded": False,
        "requestContext": {
            "requestId": "r-1",
            "http": {"method": "POST", "sourceIp": "127.0.0.1"},
            "authorizer": {
                "jwt": {"claims": signed_in, "scopes": ["avarez/certificates.write", "avarez/clearances.read"]}
            },
        },
    }
    answer = module.handle(event, None)
    return answer["statusCode"], json.loads(answer["body"])


def ask(desk: System, plate: str, city: str = CITY, **claims: str) -> Answer:
    quote = desk.quote(city, plate)[1]
    return call(handler, "/v1/certificates", {"assessment_id": quote["assessment_id"]}, **claims)


def vehicle_of(plate: str) -> str:
    (row,) = DutyStore(Table("duty")).rows(CITY, plate)
    return row.vehicle_id


def pay(desk: System, plate: str, *, leaving: int = 0) -> None:
    """Every year is paid but the last ones."""
    quote = desk.quote(CITY, plate)[1]
    owed = [year for year in quote["years"] if int(year["amount_rial"])]
    vehicle = vehicle_of(plate)
    for year in owed[: len(owed) - leaving]:
        duty = {
            "status": "paid", "payment_id": "py_paid", "vehicle_id": vehicle, "year": year["year"],
            "municipality": CITY, "plate": plate, "amount_rial": int(year["amount_rial"]),
            "paid_on": "2026-11-20", "paid_at": to_rfc3339(NOW - timedelta(days=3)),
        }  # fmt: skip
        transact([Table("duty").put_new(keys.duty(vehicle, year["year"]), duty)])


def stored(certificate_id: str) -> Item:
    pointer = Table("duty").get(keys.pointer(certificate_id)) or {}
    return Table("duty").get((pointer["target_pk"], pointer["target_sk"])) or {}


def record_of(certificate_id: str) -> CertificateRecord:
    return parse_record(stored(certificate_id))


def put_in_force(certificate_id: str) -> None:
    record = record_of(certificate_id)
    key = keys.certificate(record.municipality, record.plate, certificate_id)
    changes = {"status": "in_force", "cose": b"x", "status_index": 7, "pdf_sha256": "ab" * 32}
    transact([Table("duty").update(key, changes, "attribute_exists(pk)")])


def test_debt_above_the_threshold_gets_no_clearance_and_is_named(desk: System, plate: str) -> None:
    status, refused = ask(desk, plate)
    assert (status, refused["code"]) == (409, "duty_owed")
    (owed,) = refused["owed"]
    assert (owed["municipality"], owed["threshold_rial"]) == (CITY, "0")
    assert owed["owed_rial"] == desk.quote(CITY, plate)[1]["owed_rial"]
    assert Table("duty").get(keys.clearance(vehicle_of(plate))) is None


def test_paid_vehicle_is_cleared_once_and_the_record_holds_what_a_deed_names(desk: System, plate: str) -> None:
    pay(desk, plate)
    status, given = ask(desk, plate)
    assert (status, given["paid_through_year"], given["waived_rial"]) == (201, 1405, "0")
    again = ask(desk, plate)
    assert (again[0], again[1]["certificate_id"]) == (200, given["certificate_id"])
    record = record_of(given["certificate_id"])
    assert (record.kind.text, record.status, record.paid_through) == (
        "clearance", CertificateStatus.PREPARING, 1405,
    )  # fmt: skip
    assert [paid.year for paid in record.years] == sorted(paid.year for paid in record.years)
    assert {paid.municipality for paid in record.years} == {CITY}
    assert record.amount_rial == sum(paid.amount_rial for paid in record.years) > 0
    assert record.office == "DAFTAR-1"
    cities = [
        City(
            told["municipality"], told["trace_hash"], int(told["owed_rial"]), int(told["threshold_rial"]), (), None
        )
        for told in record.cities
    ]
    assert record.trace_hash == trace_hash(plate=plate, paid_through=1405, as_of=NOW.date(), cities=cities), (
        "anybody can make the hash again from the answer"
    )
    rows = [
        row for shard in range(keys.SHARDS) for row in Table("ledger").query(keys.outbox_partition(CITY, shard))
    ]
    assert [(row["certificate_id"], row["type"]) for row in rows] == [
        (given["certificate_id"], "certificate.issued")
    ]


def test_small_debt_is_written_off_in_the_ledger_and_never_owed_again(
    desk: System, plate: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pay(desk, plate, leaving=1)
    quote = desk.quote(CITY, plate)[1]
    left = {year["year"]: int(year["amount_rial"]) for year in quote["years"] if int(year["amount_rial"])}
    assert list(left) == [1405]
    threshold(monkeypatch, tmp_path, int(quote["owed_rial"]) - 1)
    assert ask(desk, plate)[1]["code"] == "duty_owed"
    threshold(monkeypatch, tmp_path, int(quote["owed_rial"]))
    status, given = ask(desk, plate)
    assert (status, given["waived_rial"]) == (201, str(left[1405]))
    (entry,) = [
        item
        for shard in range(keys.SHARDS)
        for item in Table("ledger").query(keys.journal_partition(CITY, "2026-11-23", shard))
    ]
    assert {of["account"]: (of["debit_rial"], of["credit_rial"]) for of in entry["postings"]} == {
        written_off(CITY): (left[1405], 0),
        duty_waived(CITY): (0, left[1405]),
    }
    assert (entry["kind"], entry["cause"]) == ("duty_written_off", given["certificate_id"])
    duty = Table("duty").get(keys.duty(vehicle_of(plate), 1405)) or {}
    assert (duty["status"], duty["amount_rial"], duty["waived_rial"]) == ("paid", 0, left[1405])
    assert desk.quote(CITY, plate)[1]["owed_rial"] == "0"
    last = record_of(given["certificate_id"]).years[-1]
    assert (last.year, last.amount_rial, last.waived_rial) == (1405, 0, left[1405])


@pytest.mark.parametrize(("hindrance", "code"), [("lease", "duty_locked"), ("bill", "bill_open")])
def test_what_somebody_is_paying_is_not_written_off(
    desk: System, plate: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hindrance: str, code: str
) -> None:
    pay(desk, plate, leaving=1)
    threshold(monkeypatch, tmp_path, 10**9)
    vehicle, until = vehicle_of(plate), to_rfc3339(NOW + timedelta(minutes=10))
    if hindrance == "lease":
        item = {"status": "leased", "payment_id": "py_1", "lease_until_at": until}
        transact([Table("duty").put_new(keys.duty(vehicle, 1405), item)])
    else:
        item = {"payment_id": "py_1", "lapses_at": until}
        transact([Table("duty").put_new(keys.open_bill(vehicle, CITY), item)])
    assert ask(desk, plate)[1]["code"] == code
    assert Table("duty").get(keys.clearance(vehicle)) is None


def test_open_objection_and_disputed_residence_are_waited_for(desk: System, plate: str) -> None:
    pay(desk, plate)
    vehicle = vehicle_of(plate)
    lock = keys.objection_lock(vehicle, CITY)
    transact([Table("duty").put_new(lock, {"objection_id": "ob_1"})])
    status, refused = ask(desk, plate)
    assert (status, refused["code"], refused["municipalities"]) == (409, "duty_disputed", [CITY])
    transact([Table("duty").delete(lock)])
    assert ask(desk, plate)[0] == 201


def test_quote_of_another_day_or_another_city_gives_no_clearance(desk: System, plate: str) -> None:
    pay(desk, plate)
    quote = desk.quote(CITY, plate, as_of="2026-11-22")[1]
    asked = {"assessment_id": quote["assessment_id"]}
    assert call(handler, "/v1/certificates", asked)[1]["code"] == "quote_not_payable"
    foreign = ask(desk, plate, by="municipality", municipality=OTHER)
    assert (foreign[0], foreign[1]["code"]) == (404, "assessment_not_found")
    unknown = call(handler, "/v1/certificates", {"assessment_id": "as_1"})
    assert (unknown[0], unknown[1]["code"]) == (404, "assessment_not_found")


def test_later_year_supersedes_the_clearance_of_an_earlier_one(desk: System, plate: str) -> None:
    pay(desk, plate, leaving=1)
    quote = desk.quote(CITY, plate, through_year=1404)[1]
    status, first = call(handler, "/v1/certificates", {"assessment_id": quote["assessment_id"]})
    assert (status, first["paid_through_year"]) == (201, 1404)
    pay(desk, plate)
    assert ask(desk, plate)[1]["code"] == "certificate_in_preparation"
    put_in_force(first["certificate_id"])
    status, second = ask(desk, plate)
    assert (status, second["supersedes"]) == (201, first["certificate_id"])
    assert stored(first["certificate_id"])["superseded_by"] == second["certificate_id"]
    assert Table("duty").get(keys.status_end(0, 7)) is not None, "the status list is told"
    held = Table("duty").get(keys.clearance(vehicle_of(plate))) or {}
    assert held["certificate_id"] == second["certificate_id"]


def test_reissued_clearance_is_the_vehicles_one(desk: System, plate: str) -> None:
    pay(desk, plate)
    first = ask(desk, plate)[1]["certificate_id"]
    put_in_force(first)
    second = reissue_certificate(
        record_of(first), reason=ReissueReason.LOST, by="clerk", office="DAFTAR-2",
        reissues=ReissueTable(Table("duty"), Table("ledger")), now=NOW,
    )  # fmt: skip
    held = Table("duty").get(keys.clearance(vehicle_of(plate))) or {}
    assert held["certificate_id"] == second
    assert record_of(second).paid_through == 1405
    assert ask(desk, plate)[1]["certificate_id"] == second


def check(plate: str, **dates: str) -> Answer:
    return call(notary, "/v1/clearance-checks", {"plate": plate, **dates}, by="verifier")


def test_notary_is_told_whether_the_deed_may_rest_on_a_clearance(desk: System, plate: str) -> None:
    assert check(plate, deed_date="2026-11-23")[1]["reason"] == "no_clearance"
    assert check("11B111-11", deed_date="2026-11-23")[1]["reason"] == "no_clearance", "no car is no answer either"
    pay(desk, plate)
    given = ask(desk, plate)[1]
    assert check(plate, deed_date="2026-11-23")[1]["reason"] == "clearance_in_preparation"
    put_in_force(given["certificate_id"])
    status, told = check(plate, deed_date_jalali="1405-09-02")
    assert (status, told["cleared"], told["through_year_needed"]) == (200, True, 1404)
    assert told["certificate"]["certificate_id"] == given["certificate_id"]
    assert "owner" not in json.dumps(told)
    late = check(plate, deed_date_jalali="1407-01-05")[1]
    assert (late["cleared"], late["reason"]) == (False, "clearance_ends_before")


@pytest.mark.parametrize("dates", [{}, {"deed_date": "2026-11-23", "deed_date_jalali": "1405-09-02"},
                                   {"deed_date_jalali": "1405-13-02"}, {"deed_date": "1405-09-02"}])  # fmt: skip
def test_deed_without_one_good_date_is_refused(desk: System, plate: str, dates: dict[str, str]) -> None:
    status, refused = check(plate, **dates)
    assert (status, refused["code"]) == (422, "invalid_input")


def test_notarys_function_may_not_write() -> None:
    assert {action for _, action in granted("certify-notary")} == {"GetItem", "Query"}
    assert [route.scope for route in entry_point("certify-clear").routes] == ["certificates.write"]


def test_year_that_is_paid_by_instalments_gives_no_clearance_before_its_last_part(
    desk: System, plate: str
) -> None:
    vehicle_id = DutyStore(Table("duty")).rows(CITY, plate)[0].vehicle_id
    every = list(range(1380, 1406))
    note = {
        "agreement_id": "ag_1",
        "municipality": CITY,
        "plate_key": plate,
        "since": "2026-11-01",
        "years": every,
        "open_years": every,
        "credits": [],
    }
    transact([Table("duty").put(keys.agreement_note(vehicle_id, "ag_1"), note)])
    status, told = ask(desk, plate)
    assert (status, told["code"]) == (409, "duty_by_instalments")
    (bound,) = told["bound"]
    assert bound["municipality"] == CITY
    assert bound["years"][-1] == 1405
