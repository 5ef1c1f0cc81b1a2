"""A city's officers: invited by one, approved by another, let in once by a code, taken out at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from moto import mock_aws

from avarez import keys
from avarez.changes.change_table import ChangeTable
from avarez.clock import FixedClock, to_rfc3339
from avarez.dynamo import Table, transact
from functions.identity import handler
from functions.identity.claims import account_of, overrides
from functions.identity.groups import GROUP_SCOPES
from functions.identity.officers import wiring
from functions.identity.officers.desk import Desk
from functions.identity.officers.rules import INVITATION_DAYS
from functions.identity.officers.store import RosterTable
from functions.pay.accounts import handler as accounts
from functions.pay.accounts import wiring as accounts_wiring
from functions.pay.accounts.deciding import Desk as ChangesDesk
from functions.pay.accounts.setup_store import SetupTables
from tests.contract.pay_counter import Recorder, granted
from tests.contract.payments.test_payment_store import make_tables
from tests.unit.accounts.test_changes import START

CITY, OTHER = "QOM", "YAZD"
OFFICERS = f"/v1/municipalities/{CITY}/officers"
BODY = {"username": "qom.ahmadi", "name": "احمدی", "reason": "همکار تازه"}
PASSWORD = "Shahrdari-1405-Qom"


@dataclass
class FakePool:
    passwords: dict[str, str] = field(default_factory=dict)

    def admit(self, username: str, password: str) -> None:
        self.passwords[username] = password

    def shut_out(self, username: str) -> None:
        self.passwords.pop(username, None)


class Wired:
    def __init__(self, dynamodb: Any) -> None:
        self.recorder = Recorder(dynamodb)
        self.clock = FixedClock(START)
        self.pool = FakePool()
        self.identity, self.ledger = Table("identity", self.recorder), Table("ledger", self.recorder)
        store = ChangeTable(self.ledger)
        self.roster = RosterTable(self.identity, store)
        self.desk = Desk(store, self.roster, self.pool, self.clock)
        self.changes = ChangesDesk(store, lambda _: {}, self.clock, lambda _: None)
        self.setup = SetupTables(Table("duty", self.recorder), self.ledger, self.identity, store)
        for name in ("qom.head", "qom.second"):
            row = {
                "municipality": CITY,
                "username": name,
                "name": name,
                "role": "head",
                "since": to_rfc3339(START),
            }
            transact([self.identity.put(keys.officer(CITY, name), row)], dynamodb=dynamodb)
            account = {"group": "municipality", "municipality": CITY, "scopes": list(GROUP_SCOPES["municipality"])}
            transact([self.identity.put(keys.account(name), account)], dynamodb=dynamodb)

    def invite(self, **more: str) -> tuple[str, str]:
        status, told = call("POST", OFFICERS, {**BODY, **more})
        assert status == 201, told
        return told["change_id"], told["code"]

    def scopes(self, username: str) -> list[str]:
        item = self.identity.get(keys.account(username))
        claims = overrides(account_of(item) if item else None, ["municipality"])
        return list(claims["accessTokenGeneration"]["scopesToAdd"])


@pytest.fixture
def wired(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wired]:
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
        monkeypatch.setenv(f"AWS_{name}", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("TOKEN_ISSUER", "issuer")
    monkeypatch.setenv("USER_POOL_CLIENT_ID", "client")
    with mock_aws():
        _, ledger = make_tables()
        ledger.dynamodb.create_table(
            TableName="identity",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        )
        made = Wired(ledger.dynamodb)
        monkeypatch.setattr(wiring, "desk", lambda: made.desk)
        monkeypatch.setattr(accounts_wiring, "desk", lambda: made.changes)
        monkeypatch.setattr(accounts_wiring, "setup_tables", lambda: made.setup)
        yield made


def call(
    method: str,
    path: str,
    body: Any = None,
    *,
    by: str = "qom.head",
    city: str = CITY,
    group: str = "municipality",
    scopes: list[str] | None = None,
    function: Any = handler,
) -> Any:
    parts = path.split("/")
    claims = {"token_use": "access", "iss": "issuer", "client_id": "client", "username": by, "municipality": city}
    granted_scopes = scopes if scopes is not None else [f"avarez/{scope}" for scope in GROUP_SCOPES[group]]
    params = {"code": parts[3]} if len(parts) > 3 else {}
    if len(parts) > 6:
        params |= {"username" if parts[4] == "officers" else "id": parts[5]}
        parts[5] = "{username}" if parts[4] == "officers" else "{id}"
    if len(parts) > 3:
        parts[3] = "{code}"
    event = {
        "routeKey": f"{method} {'/'.join(parts)}",
        "rawPath": path,
        "headers": {"content-type": "application/json"},
        "pathParameters": params,
        "body": None if body is None else json.dumps(body),
        "requestContext": {
            "http": {"method": method, "path": path, "sourceIp": "203.0.113.7"},
            "requestId": "r",
            "authorizer": {
                "jwt": {"claims": {**claims, "cognito:groups": f"[{group}]"}, "scopes": granted_scopes}
            },
        },
    }
    told = function.handle(event, None)
    return told["statusCode"], json.loads(told["body"])


def approve(change_id: str, by: str = "qom.second") -> Any:
    path = f"/v1/municipalities/{CITY}/changes/{change_id}/approvals"
    return call("POST", path, by=by, function=accounts)


def activate(change_id: str, code: str, **more: str) -> Any:
    body = {
        "municipality": CITY,
        "change_id": change_id,
        "username": "qom.ahmadi",
        "code": code,
        "password": PASSWORD,
    }
    return call("POST", "/v1/officer-activations", {**body, **more})


def test_an_officer_comes_in_by_two_people_and_one_code(wired: Wired) -> None:
    wired.recorder.used.clear()
    change_id, code = wired.invite()
    assert activate(change_id, code) == (401, activate(change_id, "x")[1])
    assert approve(change_id, by="qom.head")[1]["code"] == "second_person_required"
    status, approved = approve(change_id)
    assert (status, approved["status"]) == (200, "in_force")
    assert code not in json.dumps(approved)
    assert activate(change_id, code, password="weak")[1]["errors"][0]["code"] == "password_weak"
    status, made = activate(change_id, code)
    assert (status, made["role"], wired.pool.passwords) == (201, "officer", {"qom.ahmadi": PASSWORD})
    assert activate(change_id, code, password=PASSWORD + "2")[1]["code"] == "activation_refused"
    assert wired.pool.passwords == {"qom.ahmadi": PASSWORD}, "a code works once"
    scopes = wired.scopes("qom.ahmadi")
    assert "avarez/accounts.approve" in scopes
    assert "avarez/officers.write" not in scopes
    assert call("POST", OFFICERS, {**BODY, "username": "qom.more"}, by="qom.ahmadi", scopes=scopes)[0] == 403
    assert call("POST", OFFICERS, BODY)[1]["code"] == "officer_exists"
    assert wired.recorder.used <= granted("identity-handler") | granted("pay-accounts")


def test_an_officer_is_taken_out_at_once_and_may_be_invited_again(wired: Wired) -> None:
    for again in range(2):
        change_id, code = wired.invite(role="head")
        approve(change_id)
        assert activate(change_id, code)[1]["role"] == "head"
        assert "avarez/officers.write" in wired.scopes("qom.ahmadi")
        status, gone = call("POST", f"{OFFICERS}/qom.ahmadi/removals", {"reason": "رفته است"})
        assert (status, gone["username"], wired.pool.passwords) == (200, "qom.ahmadi", {}), again
        assert wired.scopes("qom.ahmadi") == []
    assert call("POST", f"{OFFICERS}/qom.ahmadi/removals", {"reason": "again"})[1]["code"] == "officer_not_found"
    history = call("GET", f"/v1/municipalities/{CITY}/changes", function=accounts)[1]["changes"]
    assert [one["value"]["action"] for one in history] == ["remove", "invite"] * 2
    assert {row["pk"].split("#")[1] for row in _outbox(wired)} == {CITY}


def test_a_city_keeps_a_head(wired: Wired) -> None:
    assert call("POST", f"{OFFICERS}/qom.second/removals", {"reason": "gone"})[0] == 200
    status, told = call("POST", f"{OFFICERS}/qom.head/removals", {"reason": "me too"})
    assert (status, told["code"]) == (409, "officer_conflict")


def test_a_code_is_worth_nothing_late_cancelled_or_elsewhere(wired: Wired) -> None:
    change_id, code = wired.invite()
    approve(change_id)
    assert activate("ac_1", code)[1]["code"] == activate(change_id, "y")[1]["code"] == "activation_refused"
    for wrong in ({"username": "qom.other"}, {"municipality": OTHER}, {"municipality": "NOWHERE"}):
        assert activate(change_id, code, **wrong)[1]["code"] == "activation_refused"
    wired.clock.advance(timedelta(days=INVITATION_DAYS))
    assert activate(change_id, code)[1]["code"] == "activation_refused"
    second, other_code = wired.invite()
    path = f"/v1/municipalities/{CITY}/changes/{second}/cancellations"
    assert call("POST", path, {"reason": "not ours"}, function=accounts)[0] == 200
    assert activate(second, other_code)[1]["code"] == "activation_refused"
    assert wired.pool.passwords == {}


def test_several_may_be_invited_at_once_and_each_once(wired: Wired) -> None:
    wired.invite()
    wired.invite(username="qom.rezaei")
    assert call("POST", OFFICERS, BODY)[1]["code"] == "change_open"


@pytest.mark.parametrize("username", ["ahmadi", "yazd.ahmadi", "qom.", "qom.a b", "qom.احمد", "qom.a.b"])
def test_a_name_is_the_citys_own(wired: Wired, username: str) -> None:
    status, told = call("POST", OFFICERS, {**BODY, "username": username})
    assert (status, told["errors"][0]["code"]) == (422, "username_invalid")


def test_another_city_does_not_exist(wired: Wired) -> None:
    for path, body in ((OFFICERS, BODY), (f"{OFFICERS}/qom.second/removals", {"reason": "mine now"})):
        status, told = call("POST", path, body, by="yazd.head", city=OTHER)
        assert (status, told["code"]) == (404, "municipality_not_found")
    own = f"/v1/municipalities/{OTHER}/officers/qom.second/removals"
    assert call("POST", own, {"reason": "mine"}, by="yazd.head", city=OTHER)[1]["code"] == "officer_not_found"
    assert call("POST", OFFICERS, BODY, group="auditor")[0] == 403


def test_onboarding_says_what_is_done_and_what_is_missing_within_the_grants(wired: Wired) -> None:
    here = f"/v1/municipalities/{CITY}/onboarding"
    wired.recorder.used.clear()
    status, told = call("GET", here, function=accounts)
    assert wired.recorder.used <= granted("pay-accounts")
    assert (status, told["ready"], told["name_fa"]) == (200, False, "قم")
    assert {step["what"]: step["done"] for step in told["steps"]} == {
        "account": False,
        "officers": True,
        "events": False,
        "tariff": False,
        "roll": False,
        "emblem": False,
        "contact": False,
    }
    assert [one["username"] for one in told["officers"]] == ["qom.head", "qom.second"]
    assert all(step["text_en"] and step["text_fa"] for step in told["steps"])
    assert call("GET", here, city=OTHER, function=accounts)[0] == 404


def _outbox(wired: Wired) -> list[dict[str, Any]]:
    return [row for shard in range(16) for row in wired.ledger.query(keys.outbox_partition(CITY, shard))]
