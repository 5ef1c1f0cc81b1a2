"""The owner without an account: his car by plate and national id, and nothing that is not his."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import boto3
import pytest

from avarez import dynamo, keys
from avarez.dynamo import Table
from avarez.http import owner_token
from functions.assess import wiring
from functions.assess.online import handler as online
from functions.assess.online.session import (
    ADDRESS_ATTEMPTS_MAX,
    ID_ATTEMPTS_MAX,
    PLATE_ATTEMPTS_MAX,
    REFUSAL_STEP_S,
    address_of,
)
from tests.contract.assess_system import Answer, System
from tests.contract.vehicles.test_rolls_and_quotes import good_rows

ANOTHERS = "0013542419"
"""A well-formed national id that owns no car of the sample."""


@dataclass
class Online:
    """Owners' calls over the system of the assess folder."""

    system: System
    cars: list[dict[str, str]]
    waits: list[float] = field(default_factory=list)

    def call(self, method: str, route: str, body: Any = None, *, token: str = "", **given: Any) -> Answer:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        address = given.pop("address", "10.0.0.1")
        event = {
            "routeKey": f"{method} {route}",
            "headers": {**headers, **given.pop("headers", {})},
            "pathParameters": given,
            "requestContext": {"requestId": "r", "http": {"method": method, "sourceIp": address}},
            "body": None if body is None else json.dumps(body),
        }
        answer = online.handle(event, None)
        return answer["statusCode"], json.loads(answer["body"])

    def enter(self, plate: str, national_id: str, **given: Any) -> Answer:
        return self.call("POST", "/v1/owner/sessions", {"plate": plate, "national_id": national_id}, **given)

    def token(self, number: int) -> str:
        car = self.cars[number]
        status, answer = self.enter(car["plate"], car["owner_id"])
        assert status == 201, answer
        return str(answer["owner_token"])


@pytest.fixture
def owners(system: System, monkeypatch: pytest.MonkeyPatch) -> Iterator[Online]:
    """Ten cars of Mashhad in a committed roll, and the handler of owners."""
    lines = good_rows(10)
    system.act(system.upload("MASHHAD", lines), "commit")
    secret = boto3.client("secretsmanager").create_secret(Name="session", SecretString="k" * 64)
    monkeypatch.setenv("SESSION_SECRET_ARN", secret["ARN"])
    for module in (online, owner_token):
        monkeypatch.setattr(module, "clock", system.clock)
    made = Online(system, list(csv.DictReader(lines)))
    monkeypatch.setattr(online, "sleep", made.waits.append)
    online.quotes.cache_clear()
    owner_token.secret.cache_clear()
    yield made
    online.quotes.cache_clear()
    owner_token.secret.cache_clear()


def test_owner_reads_standing_and_quote_of_his_car(owners: Online) -> None:
    token = owners.token(0)
    status, standing = owners.call("GET", "/v1/owner/standing", token=token)
    assert status == 200
    (city,) = standing["municipalities"]
    assert city["municipality"] == "MASHHAD"
    assert not {"vin", "chassis", "engine", "vehicle_id"} & set(standing["vehicle"])
    status, quote = owners.call("POST", "/v1/owner/assessments", {"municipality": "MASHHAD"}, token=token)
    assert status == 201
    assert quote["owed_rial"] == city["owed_rial"] != "0"
    assert sum(int(line["amount_rial"]) for line in quote["lines"]) == int(quote["owed_rial"])
    office = owners.system.quote("MASHHAD", owners.cars[0]["plate"])[1]
    assert office["lines"] == quote["lines"]  # the same as an office gets
    again = owners.call("GET", "/v1/owner/assessments/{id}", token=token, id=quote["assessment_id"])
    assert again == (200, quote)
    why = owners.call("GET", "/v1/owner/assessments/{id}/differences", token=token, id=quote["assessment_id"])[1]
    assert {year["year"] for year in why["years"]} <= {line["year"] for line in quote["lines"]}
    stored = owners.system.call("GET", "/v1/assessments/{id}", params={"id": quote["assessment_id"]})
    assert stored[0] == 200


def test_another_car_does_not_exist_for_an_owner(owners: Online) -> None:
    mine, other = owners.token(0), owners.token(1)
    quote = owners.call("POST", "/v1/owner/assessments", {"municipality": "MASHHAD"}, token=other)[1]
    for route in ("/v1/owner/assessments/{id}", "/v1/owner/assessments/{id}/differences"):
        status, answer = owners.call("GET", route, token=mine, id=quote["assessment_id"])
        assert (status, answer["code"]) == (404, "assessment_not_found")
    status, answer = owners.call("POST", "/v1/owner/assessments", {"municipality": "TEHRAN"}, token=mine)
    assert (status, answer["code"]) == (404, "vehicle_not_found")


def test_wrong_pair_unknown_car_and_mixed_pair_are_one_answer(owners: Online) -> None:
    first, second = owners.cars[:2]
    pairs = [
        (first["plate"], ANOTHERS),  # a car of the roll, and somebody who owns none
        (first["plate"], second["owner_id"]),  # a car and an owner of the roll, not together
        ("99B999-99", first["owner_id"]),  # no such plate
        ("99B999-99", ANOTHERS),
    ]
    answers = [owners.enter(*pair) for pair in pairs]
    for status, answer in answers:
        answer.pop("instance")
        assert (status, answer) == (404, answers[0][1])
    assert answers[0][1]["code"] == "owner_not_matched"
    # each of them waited for the next step before it went
    assert len(owners.waits) == len(pairs)
    assert all(0 <= wait_s <= REFUSAL_STEP_S for wait_s in owners.waits)


def test_refusal_leaves_at_a_whole_step_however_long_the_look_up_took(monkeypatch: pytest.MonkeyPatch) -> None:
    for passed_s, expected_s in ((0.02, 0.48), (0.31, 0.19), (0.7, 0.3)):
        slept: list[float] = []
        monkeypatch.setattr(online, "sleep", slept.append)
        monkeypatch.setattr(time, "monotonic", lambda passed_s=passed_s: 100.0 + passed_s)
        online.wait_for_step(100.0)
        assert slept == [pytest.approx(expected_s)]


def test_malformed_id_is_told_before_anything_is_looked_up(owners: Online) -> None:
    status, answer = owners.enter(owners.cars[0]["plate"], "1111111111")
    assert (status, answer["errors"][0]["code"]) == (422, "national_id_invalid")
    assert owners.waits == []


def test_one_id_over_many_plates_is_stopped(owners: Online) -> None:
    """Enumeration: whose id is known, his plate is not found by trying plates, from however many addresses."""
    seen = []
    for number in range(ID_ATTEMPTS_MAX + 3):
        status, answer = owners.enter(
            f"11B{100 + number}-22", owners.cars[0]["owner_id"], address=f"10.0.1.{number}"
        )
        seen.append((status, answer["code"]))
    assert seen == [(404, "owner_not_matched")] * ID_ATTEMPTS_MAX + [(429, "too_many_attempts")] * 3
    # even the right pair waits then: otherwise the limit would say when a guess is right
    right = owners.enter(owners.cars[0]["plate"], owners.cars[0]["owner_id"])
    assert right[0] == 429
    owners.system.clock.advance(timedelta(hours=1))
    assert owners.enter(owners.cars[0]["plate"], owners.cars[0]["owner_id"])[0] == 201


def test_one_plate_over_many_ids_is_stopped_and_a_plate_of_no_roll_in_the_same_way(owners: Online) -> None:
    for plate in (owners.cars[0]["plate"], "99B999-99"):
        codes = [
            owners.enter(plate, _national_id(number), address=f"10.{number}.0.9")[1]["code"]
            for number in range(PLATE_ATTEMPTS_MAX + 1)
        ]
        assert codes == ["owner_not_matched"] * PLATE_ATTEMPTS_MAX + ["too_many_attempts"]


def test_one_address_is_stopped_and_right_pairs_do_not_count(owners: Online) -> None:
    for _ in range(12):
        owners.token(0)
    for number in range(ADDRESS_ATTEMPTS_MAX):
        assert owners.enter(f"12B{100 + number}-33", _national_id(number))[1]["code"] == "owner_not_matched"
    assert owners.enter(owners.cars[0]["plate"], owners.cars[0]["owner_id"])[1]["code"] == "too_many_attempts"
    elsewhere = owners.enter(owners.cars[0]["plate"], owners.cars[0]["owner_id"], address="10.9.9.9")
    assert elsewhere[0] == 201


def test_nothing_of_the_id_the_plate_or_the_address_is_kept_or_logged(
    owners: Online, capsys: pytest.CaptureFixture[str]
) -> None:
    owner_id, plate = owners.cars[0]["owner_id"], owners.cars[0]["plate"]
    latin = owner_id.translate(str.maketrans("٨١٣٥٤٠٤٩", "81354049"))
    before = {(item["pk"], item["sk"]) for item in _items()}
    owners.enter(plate, ANOTHERS, address="203.0.113.9")
    owners.token(0)
    written = [item for item in _items() if (item["pk"], item["sk"]) not in before]
    assert {item["pk"].split("#")[0] for item in written} == {"ATTEMPTS"}
    assert all(item["expires_at_epoch"] > owners.system.clock.now().timestamp() for item in written)
    text = json.dumps(written) + capsys.readouterr().out
    for secret in (
        owner_id,
        latin,
        ANOTHERS,
        "40DAL543-12",
        "203.0.113.9",
        wiring.owner_seals().owner_hash(latin),
    ):
        assert secret not in text


def test_token_ends_with_its_time_and_with_a_sale(owners: Online) -> None:
    token = owners.token(0)
    header, row = good_rows(1)
    sold = row.replace(owners.cars[0]["owner_id"], ANOTHERS)
    owners.system.act(owners.system.upload("MASHHAD", [header, sold]), "commit")
    assert owners.call("GET", "/v1/owner/standing", token=token)[0] == 401
    refused = owners.call("POST", "/v1/owner/assessments", {"municipality": "MASHHAD"}, token=token)
    assert refused[1]["code"] == "vehicle_not_found"
    assert owners.enter(owners.cars[0]["plate"], ANOTHERS)[0] == 201
    fresh = owners.token(1)
    owners.system.clock.advance(owner_token.LIFETIME)
    assert owners.call("GET", "/v1/owner/standing", token=fresh)[1]["code"] == "unauthorized"


def test_counter_row_names_an_hour_and_ends_by_itself(owners: Online) -> None:
    owners.enter("99B999-99", ANOTHERS)
    second = int(owners.system.clock.now().timestamp())
    digest = wiring.owner_seals().owner_hash("plate 99B999-99")
    row = Table("duty").get(keys.owner_attempts("PLATE", digest, second // 3600))
    assert row is not None
    assert (row["count"], row["expires_at_epoch"]) == (1, second + 7200)


@pytest.mark.parametrize(
    ("forwarded", "source", "expected"),
    [
        ("", "198.51.100.7", "198.51.100.7"),
        ("198.51.100.7, 70.1.1.1", "70.1.1.1", "198.51.100.7"),  # the edge, and the API's own note of the edge
        ("1.2.3.4, 198.51.100.7, 70.1.1.1", "70.1.1.1", "198.51.100.7"),  # what a caller made up stands before
        ("198.51.100.7", "70.1.1.1", "198.51.100.7"),
        ("nonsense", "70.1.1.1", "70.1.1.1"),
        ("2001:db8:1:2:3::4", "70.1.1.1", "2001:db8:1:2::/64"),
    ],
)
def test_address_is_what_the_edge_wrote_last(forwarded: str, source: str, expected: str) -> None:
    assert address_of({"x-forwarded-for": forwarded}, source) == expected


def _items() -> list[dict[str, Any]]:
    return [dynamo.from_item(item) for item in dynamo.client("dynamodb").scan(TableName="duty")["Items"]]


def _national_id(number: int) -> str:
    """A well-formed id, another for each number."""
    digits = f"{100_000_000 + number:09d}"
    rest = sum(int(digit) * (10 - place) for place, digit in enumerate(digits)) % 11
    return f"{digits}{rest if rest < 2 else 11 - rest}"
