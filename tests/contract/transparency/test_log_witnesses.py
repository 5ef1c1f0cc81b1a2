"""Cities as witnesses over the real adapters: strong keys only, true lines only, and a fork is called one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from avarez.clock import to_rfc3339
from avarez.dynamo import Table
from avarez.transparency import merkle, tiles
from avarez.transparency.checkpoint import Checkpoint, cosign, open_checkpoint, sign_checkpoint, witnessed
from avarez.transparency.note import KeyKind, read_note, verifier_key
from avarez.transparency.proof import check_proof, entry_of
from functions.certify.log import witnesses
from functions.certify.log.stores.witness_store import WitnessTable
from tests.contract.transparency.log_desk import NOW, LogDesk, Signer, running_log

WITNESS = Signer(32)
KEY = verifier_key("tehran.example/witness", KeyKind.COSIGNATURE, WITNESS.public_key)


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[LogDesk]:
    for desk in running_log(monkeypatch):
        monkeypatch.setattr(witnesses, "witnesses", lambda: WitnessTable(Table("duty")))
        yield desk


def call(
    method: str, path: str, body: Any = None, *, code: str = "TEHRAN", city: str = "TEHRAN"
) -> dict[str, Any]:
    """The answer to a city's officer."""
    claims = {"username": "officer", "group": "municipality", "municipality": city, "scope": "avarez/log.witness",
              "token_use": "access", "client_id": "app", "iss": "https://issuer.example",
              "cognito:groups": "[municipality]"}  # fmt: skip
    event = {
        "routeKey": f"{method} {path}",
        "pathParameters": {"code": code},
        "headers": {"content-type": "application/json"},
        "body": json.dumps(body),
        "requestContext": {"authorizer": {"jwt": {"claims": claims, "scopes": ["avarez/log.witness"]}}},
    }
    answer = witnesses.handle(event, None)
    return {"status": answer["statusCode"], **json.loads(answer["body"])}


def register(key: str = KEY.text, city: str = "TEHRAN") -> dict[str, Any]:
    return call("PUT", "/v1/municipalities/{code}/witness-key", {"key": key}, code=city, city=city)


def send(text: str, city: str = "TEHRAN") -> dict[str, Any]:
    return call("POST", "/v1/municipalities/{code}/checkpoints", {"checkpoint": text}, code=city, city=city)


def cosigned(text: str, signer: Signer = WITNESS) -> str:
    note = read_note(text)
    return note.with_signatures([cosign(note.text, KEY.name, signer, NOW)]).full_text


@pytest.fixture
def officers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN_ISSUER", "https://issuer.example")
    monkeypatch.setenv("USER_POOL_CLIENT_ID", "app")


@pytest.mark.usefixtures("officers")
def test_cosigned_checkpoint_is_kept_and_shown_to_everybody(desk: LogDesk) -> None:
    messages = desk.issue(3)
    desk.run()
    shown = desk.get("checkpoint")["body"]
    assert register() == {"status": 200, "municipality": "TEHRAN", "key": KEY.text}
    kept = {"status": 201, "municipality": "TEHRAN", "size": 3, "seen_at": to_rfc3339(NOW)}
    assert send(cosigned(shown)) == kept
    assert send(cosigned(shown)) == kept
    now = desk.get("checkpoint")["body"]
    assert now == cosigned(shown)
    assert [one.name for one in witnessed(open_checkpoint(now, desk.key).note, [KEY])] == [KEY.name]

    desk.issue(300)
    desk.run()
    newest = desk.get("checkpoint")["body"]
    send(cosigned(newest))
    entry = entry_of(messages[0]).hex()
    first = desk.get("proof/{entry}", entry=entry)["body"]
    later = desk.get("proof/{entry}/{size}", entry=entry, size="303")["body"]
    for text, size in ((first, 3), (later, 303)):
        evidence = check_proof(messages[0], text, desk.key, witnesses=[KEY])
        assert evidence.checkpoint is not None
        assert (evidence.finding, evidence.checkpoint.size, len(evidence.witnesses)) == ("logged", size, 1)
    for wrong in ("2", "7", "0", "x", "03"):
        assert desk.get("proof/{entry}/{size}", entry=entry, size=wrong)["statusCode"] == 404
    listed = call("GET", "/.well-known/avarez/log/witnesses")["witnesses"]
    assert [(one["municipality"], one["key"], one["size"]) for one in listed] == [("TEHRAN", KEY.text, 303)]


@pytest.mark.usefixtures("officers")
def test_weak_foreign_and_borrowed_keys_are_refused(desk: LogDesk) -> None:
    desk.issue(1)
    desk.run()
    weak = "w+00000000+" + "BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    own = desk.key.time_key.text
    for key in (weak, own, desk.key.note_key.text, "x"):
        assert register(key)["code"] == "witness_key_refused"
    assert register()["status"] == 200
    assert register()["status"] == 200
    assert register(city="SHIRAZ")["code"] == "witness_key_refused", "one key is one witness"
    foreign = call("PUT", "/v1/municipalities/{code}/witness-key", {"key": KEY.text}, code="SHIRAZ")
    assert foreign["code"] == "municipality_unknown"


@pytest.mark.usefixtures("officers")
def test_checkpoint_that_the_witness_did_not_sign_is_refused(desk: LogDesk) -> None:
    desk.issue(2)
    desk.run()
    shown = desk.get("checkpoint")["body"]
    assert send(cosigned(shown))["code"] == "checkpoint_refused", "no key is registered"
    register()
    for text in (shown, cosigned(shown, Signer(64)), cosigned(shown)[:-6] + "AAA==\n", "x"):
        assert send(text)["code"] == "checkpoint_refused"
    stranger = sign_checkpoint(Checkpoint(desk.log.origin, 2, bytes(32)), Signer(64), NOW).full_text
    assert send(cosigned(stranger))["code"] == "checkpoint_refused"
    assert desk.get("checkpoint")["body"] == shown


@pytest.mark.usefixtures("officers")
def test_fork_that_a_city_holds_is_an_alarm(desk: LogDesk, capsys: pytest.CaptureFixture[str]) -> None:
    """Made with the writer's own library and the log's own key."""
    desk.issue(2)
    desk.run()
    register()
    other = tiles.grow(0, merkle.EMPTY_ROOT, [entry_of(b"a"), entry_of(b"b")], tiles.nothing)
    fork = sign_checkpoint(Checkpoint(desk.log.origin, 2, other.root), desk.log.signer, NOW).full_text
    assert send(cosigned(fork))["code"] == "log_forked"
    assert '"log_forked": 1' in capsys.readouterr().out
