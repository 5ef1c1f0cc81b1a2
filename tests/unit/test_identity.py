"""Signing in, and what a token says of its bearer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from avarez.errors import CredentialsRefused, ServiceBusy
from functions.identity import handler, pre_token
from functions.identity.accounts import create_account
from functions.identity.claims import SELF_SERVICE_SCOPE, Account, overrides
from functions.identity.groups import GROUP_SCOPES
from functions.identity.pool_adapter import CognitoPool
from functions.identity.sign_in import REFUSAL_MIN_S, Tokens, sign_in

TOKENS = Tokens("access", "id", "refresh", 3600)


@dataclass
class FakePool:
    """One user, one refresh token."""

    seen: list[str] = field(default_factory=list)

    def by_password(self, username: str, password: str, *, source_ip: str) -> Tokens:
        self.seen.append(source_ip)
        if (username, password) != ("clerk", "right"):
            raise CredentialsRefused()
        return TOKENS

    def by_refresh_token(self, refresh_token: str) -> Tokens:
        if refresh_token != "refresh":
            raise CredentialsRefused()
        return TOKENS


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> FakePool:
    fake = FakePool()
    monkeypatch.setattr(handler, "pool", lambda: fake)
    monkeypatch.setattr("functions.identity.sign_in.REFUSAL_MIN_S", 0.0)
    return fake


def _post(body: object, language: str = "en", **headers: str) -> dict[str, Any]:
    event = {
        "routeKey": "POST /v1/tokens",
        "headers": {"accept-language": language, **headers},
        "requestContext": {"requestId": "r", "http": {"method": "POST", "sourceIp": "192.0.2.9"}},
        "body": body if isinstance(body, str) else json.dumps(body),
    }
    answer = handler.handle(event, None)
    return {**answer, "json": json.loads(answer["body"])}


def test_right_password_gives_tokens_that_no_cache_keeps(pool: FakePool) -> None:
    answer = _post({"username": "clerk", "password": "right"})
    assert answer["statusCode"] == 200
    assert answer["headers"]["cache-control"] == "no-store"
    assert answer["json"] == {
        "access_token": "access",
        "id_token": "id",
        "refresh_token": "refresh",
        "expires_in": 3600,
        "token_type": "Bearer",
    }


def test_refresh_token_gives_tokens(pool: FakePool) -> None:
    assert _post({"refresh_token": "refresh"})["statusCode"] == 200


@pytest.mark.parametrize(
    "body",
    [
        {"username": "clerk", "password": "wrong"},
        {"username": "nobody", "password": "wrong"},
        {"refresh_token": "stolen"},
    ],
)
def test_wrong_credentials_read_the_same_whoever_they_name(pool: FakePool, body: dict[str, str]) -> None:
    answer = _post(body)
    reference = _post({"username": "clerk", "password": "wrong"})
    assert answer["statusCode"] == 401
    assert answer["json"]["code"] == "credentials_refused"
    assert answer["body"] == reference["body"]


def test_refusal_speaks_persian_when_asked(pool: FakePool) -> None:
    assert "گذرواژه" in _post({"username": "x", "password": "y"}, language="fa")["json"]["title"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"username": "clerk"},
        {"password": "right"},
        {"username": "clerk", "refresh_token": "refresh"},
        {"username": "clerk", "password": "right", "refresh_token": "refresh"},
        {"username": "clerk", "password": "right", "admin": True},
        {"username": "", "password": "right"},
        {"username": "clerk", "password": 5},
        {"username": "a\u0000b", "password": "right"},
        {"username": "c" * 129, "password": "right"},
        {"refresh_token": "a b"},
        [],
    ],
)
def test_other_shapes_are_refused_by_field(pool: FakePool, body: object) -> None:
    assert _post(body)["json"]["code"] == "invalid_input"
    assert pool.seen == []


def test_password_never_comes_back_in_a_refusal(pool: FakePool) -> None:
    answer = _post({"username": "clerk", "password": "hunter2-hunter2", "extra": 1})
    assert "hunter2" not in answer["body"]


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.7, 130.176.0.1", "203.0.113.7"),
        ("10.0.0.1, 203.0.113.7, 130.176.0.1", "203.0.113.7"),
        ("203.0.113.7", "192.0.2.9"),
        ("<script>, 130.176.0.1", "192.0.2.9"),
        ("", "192.0.2.9"),
    ],
)
def test_pool_learns_the_address_that_cloudfront_saw(pool: FakePool, forwarded: str, address: str) -> None:
    _post({"username": "clerk", "password": "right"}, **{"x-forwarded-for": forwarded})
    assert pool.seen == [address]


def test_refusal_takes_its_time_and_success_does_not() -> None:
    waits: list[float] = []

    def ask(password: str, clock: Callable[[], float]) -> None:
        sign_in(
            pool=FakePool(),
            username="clerk",
            password=password,
            refresh_token=None,
            source_ip="192.0.2.9",
            now_s=clock,
            wait=waits.append,
        )

    ask("right", iter((0.0, 0.1)).__next__)
    assert waits == []
    with pytest.raises(CredentialsRefused):
        ask("wrong", iter((0.0, 0.1)).__next__)
    with pytest.raises(CredentialsRefused):
        ask("wrong", iter((0.0, 9.0)).__next__)
    assert waits == [pytest.approx(REFUSAL_MIN_S - 0.1), 0.0]


class FakeCognito:
    """Answers one call, and keeps what it was asked."""

    def __init__(self, answer: dict[str, Any] | Exception) -> None:
        self.answer = answer
        self.asked: dict[str, Any] = {}

    def admin_initiate_auth(self, **parameters: Any) -> dict[str, Any]:
        self.asked = parameters
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def _adapter(answer: dict[str, Any] | Exception) -> tuple[CognitoPool, FakeCognito]:
    cognito = FakeCognito(answer)
    return CognitoPool(cognito, pool_id="pool", client_id="client"), cognito


def _error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "secret detail"}}, "AdminInitiateAuth")


def test_adapter_signs_in_with_the_address() -> None:
    result = {"AccessToken": "a", "IdToken": "i", "RefreshToken": "r", "ExpiresIn": 3600}
    adapter, cognito = _adapter({"AuthenticationResult": result})
    assert adapter.by_password("clerk", "right", source_ip="192.0.2.9") == Tokens("a", "i", "r", 3600)
    assert cognito.asked["AuthFlow"] == "ADMIN_USER_PASSWORD_AUTH"
    assert cognito.asked["ContextData"]["IpAddress"] == "192.0.2.9"


def test_adapter_keeps_the_refresh_token_that_the_pool_does_not_renew() -> None:
    adapter, _ = _adapter({"AuthenticationResult": {"AccessToken": "a", "IdToken": "i", "ExpiresIn": 3600}})
    assert adapter.by_refresh_token("old").refresh_token == "old"


def test_adapter_refuses_when_the_pool_asks_for_more() -> None:
    adapter, _ = _adapter({"ChallengeName": "SOFTWARE_TOKEN_MFA", "Session": "s"})
    with pytest.raises(CredentialsRefused):
        adapter.by_password("clerk", "right", source_ip="192.0.2.9")


@pytest.mark.parametrize(
    "code",
    [
        "NotAuthorizedException",
        "UserNotFoundException",
        "UserNotConfirmedException",
        "PasswordResetRequiredException",
        "InvalidParameterException",
    ],
)
def test_adapter_tells_nothing_of_why(code: str) -> None:
    adapter, _ = _adapter(_error(code))
    with pytest.raises(CredentialsRefused) as refusal:
        adapter.by_password("clerk", "wrong", source_ip="192.0.2.9")
    assert "secret" not in refusal.value.detail_en
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize(
    "failure", [_error("TooManyRequestsException"), EndpointConnectionError(endpoint_url="https://pool")]
)
def test_adapter_says_busy_when_the_pool_is(failure: Exception) -> None:
    adapter, _ = _adapter(failure)
    with pytest.raises(ServiceBusy):
        adapter.by_refresh_token("r")


def test_adapter_hides_no_fault_of_ours() -> None:
    adapter, _ = _adapter(_error("AccessDeniedException"))
    with pytest.raises(ClientError):
        adapter.by_refresh_token("r")


def _account(group: str, **more: Any) -> Account:
    values = {"municipality": None, "office": None, "serves": (), "scopes": GROUP_SCOPES[group], **more}
    return Account(group=group, **values)


def _access(account: Account | None, groups: list[str]) -> dict[str, Any]:
    answer: dict[str, Any] = overrides(account, groups)["accessTokenGeneration"]
    return answer


def test_claims_name_office_and_what_it_serves() -> None:
    access = _access(_account("office", office="OF-1", serves=("TEHRAN", "SHIRAZ")), ["office"])
    assert access["claimsToAddOrOverride"] == {"office": "OF-1", "serves": "TEHRAN SHIRAZ"}
    assert "avarez/payments.write" in access["scopesToAdd"]


def test_claims_name_the_municipality() -> None:
    access = _access(_account("municipality", municipality="TEHRAN"), ["municipality"])
    assert access["claimsToAddOrOverride"] == {"municipality": "TEHRAN"}
    assert "avarez/payments.write" not in access["scopesToAdd"]


@pytest.mark.parametrize(
    ("account", "groups"),
    [
        (None, ["office"]),
        (_account("office", serves=("*",)), ["auditor"]),
        (_account("office", serves=("*",)), []),
    ],
)
def test_claims_are_none_unless_account_and_pool_agree(account: Account | None, groups: list[str]) -> None:
    access = _access(account, groups)
    assert (access["claimsToAddOrOverride"], access["scopesToAdd"]) == ({}, [])


def test_scopes_of_an_account_never_pass_its_group() -> None:
    access = _access(_account("verifier", scopes=("payments.write", "vehicles.read")), ["verifier"])
    assert access["scopesToAdd"] == ["avarez/vehicles.read"]


@pytest.mark.parametrize("group", GROUP_SCOPES)
def test_token_never_lets_its_bearer_change_the_account(group: str) -> None:
    assert _access(_account(group), [group])["scopesToSuppress"] == [SELF_SERVICE_SCOPE]


def test_auditor_and_verifier_write_nothing() -> None:
    for group in ("auditor", "verifier"):
        assert not [scope for scope in GROUP_SCOPES[group] if scope.endswith(".write")]


def _token_event(username: str, groups: list[str]) -> dict[str, Any]:
    """Source: Amazon Cognito developer guide, pre token generation, event version 2."""
    return {
        "version": "2",
        "triggerSource": "TokenGeneration_Authentication",
        "userName": username,
        "userPoolId": "pool",
        "callerContext": {"clientId": "client"},
        "request": {
            "userAttributes": {"sub": "1"},
            "groupConfiguration": {"groupsToOverride": groups, "iamRolesToOverride": []},
            "scopes": [SELF_SERVICE_SCOPE],
        },
        "response": {"claimsAndScopeOverrideDetails": None},
    }


def test_trigger_reads_the_account_whatever_the_case(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []

    class FakeTable:
        def __init__(self, name: str) -> None:
            assert name == "identity"

        def get(self, key: tuple[str, str]) -> dict[str, Any]:
            asked.append(key)
            return {"group": "office", "office": "OF-1", "serves": ["*"], "scopes": ["vehicles.read"]}

    monkeypatch.setenv("IDENTITY_TABLE", "identity")
    monkeypatch.setattr(pre_token, "Table", FakeTable)
    event = pre_token.handle(_token_event("Clerk", ["office"]), None)
    access = event["response"]["claimsAndScopeOverrideDetails"]["accessTokenGeneration"]
    assert asked == [("USER#clerk", "ACCOUNT")]
    assert access["claimsToAddOrOverride"] == {"office": "OF-1", "serves": "*"}
    assert access["scopesToAdd"] == ["avarez/vehicles.read"]


def test_trigger_that_cannot_read_stops_the_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    class BrokenTable:
        def __init__(self, name: str) -> None: ...

        def get(self, key: tuple[str, str]) -> None:
            raise ServiceBusy()

    monkeypatch.setenv("IDENTITY_TABLE", "identity")
    monkeypatch.setattr(pre_token, "Table", BrokenTable)
    with pytest.raises(ServiceBusy):
        pre_token.handle(_token_event("clerk", ["office"]), None)


class FakeAdministration:
    """Cognito and DynamoDB as an administrator sees them: writes down the order of the calls."""

    class exceptions:  # noqa: N801 - the name boto3 gives it
        class UsernameExistsException(Exception): ...

    def __init__(self, *, exists: bool = False) -> None:
        self.calls: list[str] = []
        self.item: dict[str, Any] = {}
        self._exists = exists

    def put_item(self, **parameters: Any) -> None:
        self.calls.append("row")
        self.item = parameters["Item"]

    def admin_create_user(self, **parameters: Any) -> None:
        self.calls.append("user")
        if self._exists:
            raise self.exceptions.UsernameExistsException()

    def admin_set_user_password(self, **parameters: Any) -> None:
        assert parameters["Permanent"] is True
        self.calls.append("password")

    def admin_add_user_to_group(self, **parameters: Any) -> None:
        self.calls.append("group")


def _create(administration: FakeAdministration, **more: Any) -> None:
    values: dict[str, Any] = {"username": "Clerk", "password": "p", "group": "office", "serves": ("*",), **more}
    create_account(
        cognito=administration,
        dynamodb=administration,
        user_pool_id="pool",
        identity_table="identity",
        **values,
    )


@pytest.mark.parametrize("exists", [False, True])
def test_account_is_made_row_first_and_again_without_harm(exists: bool) -> None:
    administration = FakeAdministration(exists=exists)
    _create(administration)
    assert administration.calls == ["row", "user", "password", "group"]
    assert administration.item["pk"] == {"S": "USER#clerk"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"group": "king"},
        {"group": "municipality"},
        {"group": "auditor", "municipality": "TEHRAN"},
        {"group": "office", "serves": ()},
    ],
)
def test_account_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    administration = FakeAdministration()
    with pytest.raises(ValueError, match=r"group|municipality|office"):
        _create(administration, **wrong)
    assert administration.calls == []
