"""A city's account over HTTP, within its grants: who may do what, and that no other city exists."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from avarez.changes.change_table import ChangeTable
from avarez.clock import FixedClock
from avarez.dynamo import Table
from functions.identity.groups import GROUP_SCOPES
from functions.pay.accounts import handler, wiring
from functions.pay.accounts.deciding import Desk
from tests.contract.pay_counter import Recorder, granted
from tests.contract.payments.test_payment_store import make_tables
from tests.unit.accounts.test_changes import FIRST, SECOND, START

CITY, OTHER = "QOM", "YAZD"
ACCOUNT = f"/v1/municipalities/{CITY}/account"
BODY = {"iban": FIRST, "holder": "شهرداری قم", "reason": "نخستین ثبت"}


class Wired:
    def __init__(self, ledger: Table, recorder: Recorder) -> None:
        self.recorder = recorder
        self.clock = FixedClock(START)
        self.desk = Desk(ChangeTable(Table("ledger", recorder)), lambda _: {}, self.clock, lambda _: None)


@pytest.fixture
def wired(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wired]:
    for name, value in (
        ("ACCESS_KEY_ID", "testing"),
        ("SECRET_ACCESS_KEY", "testing"),
        ("DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("TOKEN_ISSUER", "issuer")
    monkeypatch.setenv("USER_POOL_CLIENT_ID", "client")
    with mock_aws():
        _, ledger = make_tables()
        made = Wired(ledger, Recorder(ledger.dynamodb))
        monkeypatch.setattr(wiring, "desk", lambda: made.desk)
        yield made


def call(
    method: str,
    path: str,
    body: Any = None,
    *,
    by: str = "one",
    group: str = "municipality",
    city: str = CITY,
    function: Any = handler,
) -> Any:
    parts = path.split("/")
    params = {"code": parts[3]} | ({"id": parts[5]} if len(parts) > 6 else {})
    route = "/".join([*parts[:3], "{code}", parts[4], *(["{id}", parts[6]] if len(parts) > 6 else parts[5:])])
    claims = {
        "token_use": "access",
        "iss": "issuer",
        "client_id": "client",
        "username": by,
        "cognito:groups": f"[{group}]",
        "municipality": city,
    }
    scopes = [f"avarez/{scope}" for scope in GROUP_SCOPES[group]]
    event = {
        "routeKey": f"{method} {route}",
        "rawPath": path,
        "headers": {"content-type": "application/json"},
        "pathParameters": params,
        "body": None if body is None else json.dumps(body),
        "requestContext": {
            "http": {"method": method, "path": path, "sourceIp": "203.0.113.7"},
            "requestId": "r",
            "authorizer": {"jwt": {"claims": claims, "scopes": scopes}},
        },
    }
    told = function.handle(event, None)
    return told["statusCode"], json.loads(told["body"])


def changes(change_id: str, what: str) -> str:
    return f"/v1/municipalities/{CITY}/changes/{change_id}/{what}"


def test_two_officers_register_an_account_within_the_grants(wired: Wired) -> None:
    status, made = call("PUT", ACCOUNT, BODY)
    assert (status, made["status"], made["value"]["iban"], made["initial"]) == (201, "proposed", FIRST, True)
    assert call("PUT", ACCOUNT, {**BODY, "iban": SECOND}, by="two")[1]["code"] == "change_open"
    status, refused = call("POST", changes(made["change_id"], "approvals"))
    assert (status, refused["code"]) == (409, "second_person_required")
    status, after = call("POST", changes(made["change_id"], "approvals"), by="two")
    assert (status, after["status"]) == (200, "in_force")
    assert call("POST", changes(made["change_id"], "approvals"), by="three")[1]["code"] == "change_conflict"
    status, shown = call("GET", ACCOUNT, group="auditor")
    assert (status, shown["account"]["iban"], shown["open"]) == (200, FIRST, None)
    _, second = call("PUT", ACCOUNT, {**BODY, "iban": SECOND})
    assert call("GET", ACCOUNT)[1]["open"]["change_id"] == second["change_id"]
    status, over = call("POST", changes(second["change_id"], "cancellations"), {"reason": "a slip"}, by="three")
    assert (status, over["status"], over["steps"][-1]["by"]) == (200, "cancelled", "three")
    _, listed = call("GET", f"/v1/municipalities/{CITY}/changes")
    assert [one["change_id"] for one in listed["changes"]] == [second["change_id"], made["change_id"]]
    assert wired.recorder.used <= granted("pay-accounts")


def test_refusals_point_at_what_is_wrong(wired: Wired) -> None:
    status, told = call("PUT", ACCOUNT, {**BODY, "iban": FIRST[:-1] + "8"})
    assert (status, told["errors"][0]["pointer"], told["errors"][0]["code"]) == (422, "/iban", "iban_invalid")
    for body in ({}, {**BODY, "holder": "a\nb c"}, {**BODY, "reason": ""}, {**BODY, "more": 1}):
        assert call("PUT", ACCOUNT, body)[0] == 422
    for change_id in ("ac_1", "ac_" + "0" * 36):
        status, told = call("POST", changes(change_id, "approvals"), by="two")
        assert (status, told["code"]) == (404, "change_not_found")


def test_another_city_does_not_exist(wired: Wired) -> None:
    _, made = call("PUT", ACCOUNT, BODY)
    wired.recorder.used.clear()
    for method, path, body in [
        ("PUT", ACCOUNT, BODY),
        ("GET", ACCOUNT, None),
        ("GET", f"/v1/municipalities/{CITY}/changes", None),
        ("POST", changes(made["change_id"], "approvals"), None),
        ("POST", changes(made["change_id"], "cancellations"), {"reason": "mine"}),
    ]:
        status, told = call(method, path, body, by="two", city=OTHER)
        assert (status, told["code"]) == (404, "municipality_not_found")
    own = changes(made["change_id"], "approvals").replace(CITY, OTHER)
    assert call("POST", own, by="two", city=OTHER)[1]["code"] == "change_not_found"
    assert call("GET", ACCOUNT)[1]["open"]["status"] == "proposed"


@pytest.mark.parametrize("group", ["office", "verifier", "auditor", "operator"])
def test_nobody_but_the_city_proposes_approves_or_cancels(wired: Wired, group: str) -> None:
    _, made = call("PUT", ACCOUNT, BODY)
    assert call("PUT", ACCOUNT, BODY, group=group)[0] == 403
    assert call("POST", changes(made["change_id"], "approvals"), by="two", group=group)[0] == 403
    assert call("POST", changes(made["change_id"], "cancellations"), {"reason": "no"}, group=group)[0] == 403
