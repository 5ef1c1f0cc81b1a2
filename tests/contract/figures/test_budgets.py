"""What a city spends the duty on: entered by its officer, each version kept, told to everybody with its files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from moto import mock_aws

from avarez.clock import FixedClock
from avarez.dynamo import Table
from avarez.planning.budgets import categories
from functions.identity.groups import GROUP_SCOPES
from functions.report import handler as public
from functions.report import wiring
from functions.report.budgets import handler
from functions.report.budgets.store import BudgetTable
from functions.report.store import Shelf
from tests.contract.pay_counter import Recorder, granted
from tests.contract.payments.test_payment_store import make_tables

CITY, OTHER = "QOM", "YAZD"
NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
"""6 Azar 1405."""
TOTAL_RIAL = 90_071_992_547_409_930
PLAN: dict[str, Any] = {
    "total_rial": "90071992547409930",
    "lines": [
        {"category": "roads", "rial": "30000000000000000", "text_fa": "=آسفالت بلوار", "text_en": "Paving"},
        {"category": "public_transport", "rial": "60071992547409930"},
    ],
}
ACTUAL: dict[str, Any] = {"total_rial": "41", "lines": [{"category": "roads", "rial": "41"}]}


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("TOKEN_ISSUER", "issuer")
    monkeypatch.setenv("USER_POOL_CLIENT_ID", "client")
    with mock_aws():
        _, ledger = make_tables()
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="figures")
        made = Recorder(ledger.dynamodb)
        monkeypatch.setattr(wiring, "clock", lambda: FixedClock(NOW))
        monkeypatch.setattr(wiring, "budgets", lambda: BudgetTable(Table("ledger", made)))
        monkeypatch.setattr(wiring, "shelf", lambda: Shelf("figures", s3))
        yield made


def call(method: str, year: str, body: Any = None, *, city: str = CITY, group: str = "municipality") -> Any:
    claims = {"token_use": "access", "iss": "issuer", "client_id": "client", "username": f"{city.lower()}.head"}
    scopes = [f"avarez/{scope}" for scope in GROUP_SCOPES[group]]
    jwt = {"claims": {**claims, "municipality": city, "cognito:groups": f"[{group}]"}, "scopes": scopes}
    event = {
        "routeKey": f"{method} /v1/municipalities/{{code}}/budgets/{{year}}",
        "pathParameters": {"code": CITY, "year": year},
        "headers": {},
        "body": None if body is None else json.dumps(body),
        "requestContext": {"http": {"method": method}, "requestId": "r", "authorizer": {"jwt": jwt}},
    }
    answer = handler.handle(event, None)
    return answer["statusCode"], json.loads(answer["body"])


def told(route: str, **params: str) -> Any:
    answer = public.handle({"routeKey": f"GET {route}", "pathParameters": params, "headers": {}}, None)
    return answer["statusCode"], answer["body"]


def of_city(city: str = CITY) -> Any:
    status, body = told("/v1/open/budgets/{municipality}", municipality=city)
    assert status == 200
    return json.loads(body)


def test_plan_and_actuals_are_published_with_files_and_their_history(recorder: Recorder) -> None:
    assert of_city()["years"] == []
    status, first = call("PUT", "1405", {"replaces": 0, "plan": PLAN})
    assert (status, first["version"], first["versions"][0]["by"]) == (200, 1, "qom.head")
    assert recorder.used <= granted("report-budgets")
    recorder.used.clear()
    status, second = call("PUT", "1405", {"replaces": 1, "plan": PLAN, "actual": ACTUAL})
    assert (status, second["version"]) == (200, 2)
    assert call("PUT", "1405", {"replaces": 1, "plan": PLAN, "actual": ACTUAL})[1] == second, "sent twice"
    recorder.used.clear()
    (year,) = of_city()["years"]
    assert recorder.used <= granted("report-open")
    assert (year["version"], year["plan"]["total_rial"]) == (2, PLAN["total_rial"])
    assert [line["category"] for line in year["plan"]["lines"]] == ["public_transport", "roads"]
    assert year["actual"]["lines"] == [{"category": "roads", "rial": "41", "text_fa": "", "text_en": ""}]
    assert "qom.head" not in json.dumps(year), "who entered it is the city's own matter"
    assert [of["version"] for of in year["versions"]] == [1, 2]

    documents = []
    for version in year["versions"]:
        name = version["files"]["json"].rpartition("/")[2]
        documents.append((name, json.loads(told("/v1/open/files/{name}", name=name)[1])))
    assert documents[1][1]["previous"] == documents[0][0], "each version names the one before"
    assert documents[0][1]["actual"] is None
    assert documents[1][1]["plan"] == year["plan"]

    table = told("/v1/open/files/{name}", name=year["files"]["csv"].rpartition("/")[2])[1]
    rows = list(csv.DictReader(io.StringIO(table.removeprefix("\ufeff"))))
    assert sum(int(row["rial"]) for row in rows if row["part"] == "plan") == TOTAL_RIAL
    assert [row["text_fa"] for row in rows if row["text_fa"]] == ["'=آسفالت بلوار"], "no formula"
    status, history = call("GET", "1405")
    assert (status, history["version"], [of["by"] for of in history["versions"]]) == (200, 2, ["qom.head"] * 2)


def test_who_saw_another_version_does_not_write_over_it(recorder: Recorder) -> None:
    call("PUT", "1404", {"replaces": 0, "plan": PLAN, "actual": ACTUAL})
    for replaces in (0, 2):
        status, problem = call("PUT", "1404", {"replaces": replaces, "plan": ACTUAL})
        assert (status, problem["code"], problem["version"]) == (409, "budget_outdated", 1)
    assert len(of_city()["years"][0]["versions"]) == 1


@pytest.mark.parametrize(
    ("year", "body", "codes"),
    [
        ("1405", {"plan": {**PLAN, "total_rial": "90071992547409931"}}, ["sum_differs"]),
        ("1405", {"plan": {"total_rial": "82", "lines": ACTUAL["lines"] * 2}}, ["category_twice"]),
        (
            "1405",
            {"plan": {"total_rial": "1", "lines": [{"category": "palaces", "rial": "1"}]}},
            ["category_unknown"],
        ),
        ("1406", {"plan": PLAN, "actual": ACTUAL}, ["year_not_begun"]),
        ("1405", {"plan": PLAN, "actual": {**ACTUAL, "total_rial": "40"}}, ["sum_differs"]),
        ("1407", {"plan": PLAN}, ["year_invalid"]),
        ("۱۴۰۵", {"plan": PLAN}, ["year_invalid"]),
        (
            "1405",
            {"plan": {"total_rial": "-1", "lines": [{"category": "roads", "rial": "-1"}]}},
            ["string_pattern_mismatch"] * 2,
        ),
        (
            "1405",
            {"plan": {"total_rial": "0", "lines": [{"category": "roads", "rial": "0", "text_en": "<b>"}]}},
            ["string_pattern_mismatch"],
        ),
    ],
)
def test_what_cannot_be_is_refused_by_name(
    recorder: Recorder, year: str, body: dict[str, Any], codes: list[str]
) -> None:
    status, problem = call("PUT", year, {"replaces": 0, **body})
    assert (status, [fault["code"] for fault in problem["errors"]]) == (422, codes)
    assert of_city()["years"] == []


def test_only_an_officer_of_the_city_publishes(recorder: Recorder) -> None:
    body = {"replaces": 0, "plan": PLAN}
    assert call("PUT", "1405", body, city=OTHER)[1]["code"] == "municipality_not_found"
    assert call("GET", "1405", city=OTHER)[0] == 404
    for group in ("auditor", "operator", "office"):
        assert call("PUT", "1405", body, group=group)[0] == 403
    assert call("GET", "1405", group="auditor")[0] == 200
    assert of_city()["years"] == []


def test_categories_are_data_with_names_in_both_languages(recorder: Recorder) -> None:
    listed = json.loads(told("/v1/open/budgets")[1])["categories"]
    assert [of["code"] for of in listed] == list(categories())
    assert all(of["title_fa"] and of["title_en"] for of in listed)
    assert told("/v1/open/budgets/{municipality}", municipality="ATLANTIS")[0] == 422
