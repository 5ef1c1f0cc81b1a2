"""The edge of every HTTP function: whatever arrives, a problem document in the right language leaves."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from avarez.errors import AvarezError, InvalidJson
from avarez.http import Request, Response, Router, json_response
from avarez.http.request import JSON_BODY_BYTES_MAX, language_of, parse_json


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")
    plate: str


router = Router("test")


@router.route("POST", "/v1/orders", scopes=["orders.write"])
def order(request: Request) -> Response:
    body = request.body_json(Order)
    return json_response({"plate": body.plate, "caller": request.principal.username}, 201)


@router.route("GET", "/broken", public=True)
def broken(request: Request) -> Response:
    raise RuntimeError("secret 0912 345 6789")


ISSUER, CLIENT = "https://issuer.example/pool", "client-1"
CLAIMS = {
    "token_use": "access",
    "iss": ISSUER,
    "client_id": CLIENT,
    "username": "clerk",
    "cognito:groups": "[office]",
    "serves": "*",
    "scope": "avarez/orders.write",
}


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN_ISSUER", ISSUER)
    monkeypatch.setenv("USER_POOL_CLIENT_ID", CLIENT)


def event(route: str = "POST /v1/orders", body: str = '{"plate": "x"}', **changes: Any) -> dict[str, Any]:
    claims = {**CLAIMS, **changes.pop("claims", {})}
    return {
        "version": "2.0",
        "routeKey": route,
        "rawPath": route.split()[1],
        "headers": changes.pop("headers", {}),
        "body": body,
        "isBase64Encoded": changes.pop("encoded", False),
        "requestContext": {
            "requestId": "r-1",
            "http": {"method": route.split()[0], "sourceIp": "127.0.0.1"},
            "authorizer": {"jwt": {"claims": claims, "scopes": claims["scope"].split()}},
        },
    }


def answer(incoming: dict[str, Any]) -> tuple[int, dict[str, Any], dict[str, str]]:
    outgoing = router.handle(incoming, None)
    return outgoing["statusCode"], json.loads(outgoing["body"]), outgoing["headers"]


def test_request_with_scope_is_served() -> None:
    status, body, _ = answer(event())
    assert (status, body) == (201, {"plate": "x", "caller": "clerk"})


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"token_use": "id"}, 401),
        ({"iss": "https://elsewhere.example"}, 401),
        ({"client_id": "client-2"}, 401),
        ({"cognito:groups": "[]"}, 401),
        ({"cognito:groups": "[office auditor]"}, 401),
        ({"cognito:groups": "[municipality]"}, 401),
        ({"scope": "avarez/orders.read"}, 403),
        ({"scope": "orders.write"}, 403),
    ],
)
def test_caller_without_right_is_refused(claims: dict[str, str], expected: int) -> None:
    assert answer(event(claims=claims))[0] == expected


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("{", 400, "invalid_json"),
        ("", 400, "invalid_json"),
        ('{"plate": NaN}', 400, "invalid_json"),
        ('{"plate": Infinity}', 400, "invalid_json"),
        ("[" * 100_000, 400, "invalid_json"),
        ('{"plate": "a", "plate": "b"}', 400, "duplicate_keys"),
        ('{"plate": {"a": 1, "a": 2}}', 400, "duplicate_keys"),
        ('{"plate": 1}', 422, "invalid_input"),
        ("{}", 422, "invalid_input"),
        ("[]", 422, "invalid_input"),
        ('{"plate": "a", "colour": "b"}', 422, "invalid_input"),
        ('{"plate": ' + "9" * 10_000 + "}", 400, "invalid_json"),
        ('"' + "x" * JSON_BODY_BYTES_MAX + '"', 413, "body_too_large"),
    ],
)
def test_bad_body_answers_a_problem_in_both_languages(body: str, status: int, code: str) -> None:
    for language, alphabet in (("fa-IR,fa;q=0.9,en;q=0.8", "این"), ("en", "")):
        got, problem, headers = answer(event(body=body, headers={"Accept-Language": language}))
        assert (got, problem["code"]) == (status, code)
        assert headers["content-type"].startswith("application/problem+json")
        assert headers["content-language"] == language[:2]
        assert problem["instance"] == "urn:avarez:request:r-1"
        if alphabet:
            assert any("آ" <= letter <= "ی" for letter in problem["title"])


def test_invalid_utf8_is_refused() -> None:
    raw = base64.b64encode(b'{"plate": "\xff"}').decode()
    assert answer(event(body=raw, encoded=True))[:1] == (400,)


def test_failure_nobody_foresaw_says_nothing_of_itself(capsys: pytest.CaptureFixture[str]) -> None:
    status, problem, _ = answer(event("GET /broken"))
    assert (status, problem["code"]) == (500, AvarezError.code)
    assert "0912" not in json.dumps(problem) + capsys.readouterr().out


def test_unknown_route_is_refused() -> None:
    assert answer(event("GET /nowhere"))[0] == 404


@given(st.binary(max_size=400))
def test_any_bytes_parse_or_are_refused(raw: bytes) -> None:
    try:
        parse_json(raw)
    except AvarezError as error:
        assert error.status in (400, 413)


def test_depth_counts_brackets_outside_strings_alone() -> None:
    assert parse_json(json.dumps("[" * 1_000 + '"\\').encode()) == "[" * 1_000 + '"\\'
    with pytest.raises(InvalidJson):
        parse_json(b"[" * 40 + b"]" * 40)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("fa", "fa"),
        ("fa-IR", "fa"),
        ("en-US,fa;q=0.5", "en"),
        ("de,fa;q=0.9,en;q=0.1", "fa"),
        ("fa;q=x", "en"),
    ],
)
def test_language_asked_for(header: str, language: str) -> None:
    assert language_of({"accept-language": header}) == language
