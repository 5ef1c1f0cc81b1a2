"""The token of an owner without an account: what it allows, for how long, and to nobody who made it himself."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from avarez.clock import FixedClock
from avarez.errors import Unauthorized
from avarez.http import Request, Response, Router, json_response, owner_token
from avarez.http.principal import OwnerReach, owner_principal

NOW = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
KEY = b"k" * 64
REACH = OwnerReach("ab12", "ve_1", (("TEHRAN", "12B345-67"),))
router = Router("test")


@router.route("GET", "/v1/owner/here", owner=True)
def here(request: Request) -> Response:
    return json_response({"caller": request.principal.username})


def signed(expires_at: datetime = NOW + owner_token.LIFETIME, key: bytes = KEY) -> str:
    return owner_token.sign(REACH, key=key, expires_at=expires_at)


def ask(monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]) -> dict[str, Any]:
    monkeypatch.setattr(owner_token, "secret", lambda: KEY)
    monkeypatch.setattr(owner_token, "clock", FixedClock(NOW))
    return router.handle({"routeKey": "GET /v1/owner/here", "headers": headers}, None)


def test_token_allows_what_was_signed_until_it_ends() -> None:
    token = signed()
    assert owner_token.read(token, key=KEY, now=NOW) == REACH
    with pytest.raises(Unauthorized):
        owner_token.read(token, key=KEY, now=NOW + owner_token.LIFETIME)


def test_token_of_another_key_or_altered_in_any_place_is_refused() -> None:
    token = signed()
    spoilt = [signed(key=b"x" * 64), "", "ow1.", "ow1..", "Bearer", token[4:], token + "A", f"ow1.{'A' * 5_000}.A"]
    spoilt += [token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :] for at in range(len(token) - 1)]
    for one in spoilt:
        with pytest.raises(Unauthorized):
            owner_token.read(one, key=KEY, now=NOW)


@pytest.mark.parametrize("headers", [{}, {"authorization": "Basic x"}, {"authorization": "Bearer ow1.e30.AAAA"}])
def test_route_of_owners_without_their_token_is_closed(
    monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]
) -> None:
    answer = ask(monkeypatch, headers)
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (401, "unauthorized")


def test_route_of_owners_knows_who_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = ask(monkeypatch, {"Authorization": f"Bearer {signed()}"})
    assert json.loads(answer["body"]) == {"caller": "owner:ab12"}


def test_owner_reaches_no_city_and_one_car_in_its_collection_alone() -> None:
    owner = owner_principal(REACH)
    assert owner.concerns("TEHRAN", "12B345-67", "ve_1")
    assert not owner.reaches("TEHRAN")
    for other in (
        ("TEHRAN", "12B345-67", "ve_2"),
        ("SHIRAZ", "12B345-67", "ve_1"),
        ("TEHRAN", "11B111-11", "ve_1"),
    ):
        assert not owner.concerns(*other)


def test_route_is_public_or_an_owners_or_names_its_scopes() -> None:
    for given in ({}, {"public": True, "owner": True}, {"owner": True, "scopes": ["a"]}):
        with pytest.raises(ValueError, match="one of the three"):
            Router("x").route("GET", "/x", **given)


def test_end_is_told_in_whole_seconds() -> None:
    token = signed(NOW + timedelta(milliseconds=900))
    with pytest.raises(Unauthorized):
        owner_token.read(token, key=KEY, now=NOW + timedelta(milliseconds=100))
