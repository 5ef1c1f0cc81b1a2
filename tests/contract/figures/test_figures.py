"""The public figures over DynamoDB and S3 (moto): the builder's entry point, and what everybody is answered."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from avarez import keys
from avarez.clock import FixedClock
from avarez.dynamo import Table, transact
from avarez.events.log import EventLog, event_item, head_item
from avarez.figures.files import Commitment as Place
from avarez.figures.files import FiguresUnsound, city_from
from avarez.receivables.table import Commitment, Receivables
from avarez.receivables.table_store import PREFIX as RECEIVABLES_PREFIX
from avarez.receivables.table_store import ReceivablesShelf
from avarez.receivables.table_store import Standing as TableStanding
from functions.report import build, handler, wiring
from functions.report.charging_store import MEMORY_PREFIX, Charging
from functions.report.ports import Standing
from functions.report.store import FILE_PREFIX, Cities, Register, Shelf
from tests.contract.payments.test_payment_store import make_tables
from tests.unit.figures.figures_events import BEGIN, CITY, City

BUCKET, ROLLS = "figures", "rolls"
NOTHING = {"publication": 0, "cities": 0, "waiting": 0, "broken": 0, "owed": 0, "events": 0}


@dataclass
class House:
    """The figures' functions, and a chain that lies in the ledger's table."""

    ledger: Table
    shelf: Shelf
    s3: Any
    receivables: ReceivablesShelf
    charging: Charging
    written: int = 0

    def tell(self, city: City) -> None:
        """The city's new events stand in the table."""
        for event in city.events[self.written :]:
            place = self.ledger.put_new(keys.chain_event(CITY, event.sequence), event_item(event, "now"))
            transact([place], dynamodb=self.ledger.dynamodb)
        self.written = len(city.events)
        transact(
            [self.ledger.put(keys.chain_head(CITY), head_item(city.head(CITY)))], dynamodb=self.ledger.dynamodb
        )

    def get(self, route: str, **params: str) -> tuple[int, Any, dict[str, str]]:
        event = {"routeKey": f"GET {route}", "pathParameters": params, "headers": {}}
        answer = handler.handle(event, None)
        body = answer["body"]
        if answer["isBase64Encoded"]:
            return answer["statusCode"], base64.b64decode(body), answer["headers"]
        kind = answer["headers"].get("content-type", "")
        return answer["statusCode"], json.loads(body) if "json" in kind else body, answer["headers"]


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    with mock_aws():
        duty, ledger = make_tables()
        s3 = boto3.client("s3", region_name="us-east-1")
        for bucket in (BUCKET, ROLLS):
            s3.create_bucket(Bucket=bucket)
        setting = duty.put(keys.municipality_setting(CITY), {"first_duty_year": 1395})
        transact([setting], dynamodb=duty.dynamodb)
        shelf, receivables = Shelf(BUCKET, s3), ReceivablesShelf(duty, ROLLS, s3)
        parts = wiring.Parts(
            EventLog(ledger),
            shelf,
            Register(ledger),
            Charging(receivables, BUCKET, s3),
            Cities(duty),
            FixedClock(BEGIN),
        )
        monkeypatch.setattr(wiring, "parts", lambda: parts)
        monkeypatch.setattr(wiring, "shelf", lambda: shelf)
        monkeypatch.setattr(wiring, "register", lambda: parts.publications)
        yield House(ledger, shelf, s3, receivables, parts.owing)


@pytest.fixture
def city(house: House) -> City:
    """Two days of thirty payments, told and published."""
    made = City()
    made.days(2, a_day=30)
    made.gives_back(made.payments[0], BEGIN + timedelta(days=1, hours=4))
    house.tell(made)
    counted = build.handle({}, None)
    assert counted == {**NOTHING, "publication": 1, "cities": 1, "events": len(made.events)}
    return made


def test_before_the_first_publication_there_is_nothing(house: House) -> None:
    status, problem, _ = house.get("/v1/open")
    assert (status, problem["code"]) == (404, "figures_not_found")


def test_index_names_commitment_totals_and_files(house: House, city: City) -> None:
    status, index, headers = house.get("/v1/open")
    assert (status, headers["cache-control"]) == (200, "public, max-age=300")
    assert (index["number"], index["vehicles_min"], index["previous"]) == (1, 5, "")
    (told,) = index["cities"]
    assert told["commitment"] == {"sequence": len(city.events), "hash": city.events[-1].hash}
    assert int(told["totals"]["collected_rial"]) == city.ledger_rial()
    assert (told["province"], told["name_en"]) == ("TEHRAN", "Tehran")
    for form, of in told["files"].items():
        status, content, headers = house.get("/v1/open/files/{name}", name=of["name"])
        assert (status, "immutable" in headers["cache-control"]) == (200, True), form
    status, manifest, _ = house.get("/v1/open/files/{name}", name=index["manifest"]["name"])
    assert manifest["cities"][0]["totals"] == told["totals"]
    assert content.startswith(b"PAR1")


def test_what_a_city_is_owed_is_linked_and_the_builders_counts_are_nobodys(house: House, city: City) -> None:
    table = Receivables(CITY, Commitment((1,), "ab" * 32, 3, "cd" * 32, BEGIN.date()))
    table.charge(1404, "passenger", 5_000_000, 90)
    table.charge(1405, "passenger", 7_000_000, 95)
    name = house.receivables.keep_table(table)
    assert house.receivables.replace(CITY, None, TableStanding(name, "b", "m", table.commitment, "now"))
    assert build.handle({}, None) == {**NOTHING, "publication": 2, "owed": 1}
    _, index, _ = house.get("/v1/open")
    owed = index["cities"][0]["owed"]
    assert (owed["years"], owed["totals"]) == ([1404], {"owed_rial": "5000000", "duties": 90})
    status, told, _ = house.get("/v1/open/files/{name}", name=owed["files"]["json"]["href"].rpartition("/")[2])
    assert (status, told["rows"]) == (200, [["1404", "passenger", "5000000", 90]])
    assert told["years"][0]["tariff_version"] == "ab" * 32
    assert build.handle({}, None) == NOTHING
    kept = house.s3.list_objects_v2(Bucket=BUCKET, Prefix=MEMORY_PREFIX)["Contents"]
    assert [of["Key"].rpartition("-")[2] for of in kept] == [f"{city.events[-1].hash}.json"]
    assert house.get("/v1/open/files/{name}", name=kept[0]["Key"])[0] == 404
    memory = house.charging.memory(CITY, Place(city.events[-1].sequence, city.events[-1].hash))
    assert memory is not None
    assert sum(memory.payers.values()) == sum(len(payment.years) for payment in city.payments)
    assert memory.returned == {
        (payment.vehicle_id, str(part.year))
        for payment in city.payments
        if any(of.kind == "refund_approved" and of.payment_id == payment.payment_id for of in city.entries)
        for part in payment.years
    }
    assert memory.returned


def test_charges_that_are_not_what_their_name_says_ring_and_hold_up_nobody(
    house: House, city: City, capsys: pytest.CaptureFixture[str]
) -> None:
    table = Receivables(CITY, Commitment((1,), "ab" * 32, 3, "cd" * 32, BEGIN.date()))
    table.charge(1404, "passenger", 5_000_000, 90)
    name = house.receivables.keep_table(table)
    assert house.receivables.replace(CITY, None, TableStanding(name, "b", "m", table.commitment, "now"))
    house.s3.put_object(Bucket=ROLLS, Key=RECEIVABLES_PREFIX + name, Body=b"{}")
    city.days(1, a_day=30)
    house.tell(city)
    done = build.handle({}, None)
    assert (done["cities"], done["owed"]) == (1, 0)
    assert "figures_refused" in capsys.readouterr().out


def test_cells_add_up_to_the_totals_for_all_and_by_period(house: House, city: City) -> None:
    status, told, _ = house.get("/v1/open/cells/{municipality}", municipality=CITY)
    assert status == 200
    assert sum(int(cell["rial"]) for cell in told["cells"]) == city.ledger_rial()
    _, of_year, _ = house.get("/v1/open/cells/{municipality}/{period}", municipality=CITY, period="1405")
    assert of_year["cells"] == told["cells"]
    _, of_month, _ = house.get("/v1/open/cells/{municipality}/{period}", municipality=CITY, period="1404-12")
    assert of_month["cells"] == []


def test_planners_read_a_forecast_and_compare_days(house: House, city: City) -> None:
    for day in range(6, 60, 2):
        for number in range(6):
            city.pays(at=BEGIN + timedelta(days=day, minutes=number))
    house.tell(city)
    assert build.handle({}, None)["cities"] == 1
    status, told, _ = house.get("/v1/open/planning/{municipality}", municipality=CITY)
    assert (status, told["number"], told["municipality"]) == (200, 2, CITY)
    _, table, _ = house.get("/v1/open/files/{name}", name=told["files"]["csv"]["name"])
    assert table.startswith('\ufeff"municipality","section"')
    assert told["year"] == 1405
    route = "/v1/open/effects/{municipality}/{day}/{days}/{against}"
    asked = {"municipality": CITY, "day": "1405-01-25", "days": "7", "against": "all"}
    status, found, _ = house.get(route, **asked)
    assert (status, found["against"], found["others"], found["days"]) == (200, [], None, 7)
    assert int(found["city"]["before_rial"]) > 0
    for wrong, code in (
        ({"day": "1405-13-01"}, "date_invalid"),
        ({"days": "2"}, "out_of_range"),
        ({"day": "1405-12-01"}, "days_not_told"),
        ({"against": CITY}, "out_of_range"),
    ):
        status, problem, _ = house.get(route, **{**asked, **wrong})
        assert (status, problem["errors"][0]["code"]) == (422, code)
    assert house.get(route, **{**asked, "against": "ATLANTIS"})[0] == 422
    assert house.get(route, **{**asked, "municipality": "SHIRAZ"})[1]["code"] == "figures_not_found"


@pytest.mark.parametrize(
    ("route", "params", "status", "code"),
    [
        ("/v1/open/cells/{municipality}", {"municipality": "ATLANTIS"}, 422, "municipality_unknown"),
        ("/v1/open/cells/{municipality}", {"municipality": "SHIRAZ"}, 404, "figures_not_found"),
        (
            "/v1/open/cells/{municipality}/{period}",
            {"municipality": CITY, "period": "x"},
            404,
            "figures_not_found",
        ),
        ("/v1/open/files/{name}", {"name": "../secret.json"}, 404, "figures_not_found"),
        ("/v1/open/files/{name}", {"name": f"{'0' * 64}.csv"}, 404, "figures_not_found"),
        ("/v1/open/definitions/{figure}", {"figure": "weather"}, 404, "figures_not_found"),
    ],
)
def test_what_is_not_there_is_refused(
    house: House, city: City, route: str, params: dict[str, str], status: int, code: str
) -> None:
    answered, problem, headers = house.get(route, **params)
    assert (answered, problem["code"], headers["cache-control"]) == (status, code, "no-store")


def test_every_figure_has_a_definition_with_an_address_in_both_languages(house: House) -> None:
    _, told, _ = house.get("/v1/open/definitions")
    names = [of["name"] for of in told["definitions"]]
    assert {"collected", "certified", "merged", "owed"} <= set(names)
    for of in told["definitions"]:
        status, one, _ = house.get("/v1/open/definitions/{figure}", figure=of["href"].rpartition("/")[2])
        assert (status, one) == (200, of)
        assert min(len(of[f"{part}_{language}"]) for part in ("title", "text") for language in ("fa", "en")) > 2


def test_a_large_file_is_fetched_from_storage(house: House, city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler, "ANSWER_BYTES_MAX", 10)
    _, manifest = Register(house.ledger).standing(), house.get("/v1/open")[1]
    status, _, headers = house.get("/v1/open/files/{name}", name=manifest["cities"][0]["files"]["csv"]["name"])
    assert (status, headers["cache-control"]) == (302, "no-store")
    assert "Signature" in headers["location"]


def test_second_run_goes_on_from_the_commitment(house: House, city: City) -> None:
    assert build.handle({}, None)["publication"] == 0
    city.days(1, a_day=30)
    house.tell(city)
    assert build.handle({}, None)["publication"] == 2
    _, index, _ = house.get("/v1/open")
    assert int(index["cities"][0]["totals"]["collected_rial"]) == city.ledger_rial()
    assert index["cities"][0]["steps"] == 3, "two days, and one more"


def test_file_that_was_changed_in_storage_stops_the_builder_and_is_given_to_nobody(
    house: House, city: City
) -> None:
    _, index, _ = house.get("/v1/open")
    name = index["cities"][0]["files"]["json"]["name"]
    house.s3.put_object(Bucket=BUCKET, Key=FILE_PREFIX + name, Body=b"{}")
    city.days(1, a_day=30)
    house.tell(city)
    with pytest.raises(FiguresUnsound):
        build.handle({}, None)
    assert house.get("/v1/open/files/{name}", name=name)[0] == 500
    standing = Register(house.ledger).standing()
    assert standing is not None
    assert standing.number == 1


def test_of_two_builders_one_publishes(house: House, city: City) -> None:
    register = Register(house.ledger)
    standing = register.standing()
    assert register.replace(standing, Standing(2, "a.json"))
    assert not register.replace(standing, Standing(2, "b.json"))
    assert register.replace(standing, Standing(2, "a.json")), "a repeated write of our own is ours"
    assert not register.replace(None, Standing(1, "c.json"))


def test_forged_event_is_reported_and_moves_nothing(
    house: House, city: City, capsys: pytest.CaptureFixture[str]
) -> None:
    before = house.get("/v1/open")[1]
    city.days(1, a_day=30)
    house.tell(city)
    key = keys.chain_event(CITY, len(city.events))
    item = house.ledger.get(key)
    assert item is not None
    forged = item["data"].replace("ev_", "ev_x")
    transact([house.ledger.put(key, {**item, "data": forged})], dynamodb=house.ledger.dynamodb)
    assert build.handle({}, None)["broken"] == 1
    assert "figures_refused" in capsys.readouterr().out
    assert house.get("/v1/open")[1] == before
    assert city_from(house.shelf.read(before["cities"][0]["files"]["json"]["name"])).municipality == CITY
