"""Certificates over HTTP: who may read one, and a PDF that is still in the making."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from avarez.certificates import link
from avarez.certificates.status import CertificateStatus
from avarez.http import owner_token
from avarez.http.principal import OwnerReach
from functions.certify import handler
from functions.certify.certificates.record import CertificateRecord
from functions.certify.certificates.reissuing import Reissue
from tests.unit.certificates.test_document import clearance, record

ORIGIN = "https://avarez.example"
PREPARING = replace(record(), message=None, issued_at=None)
SIGNED = record()
IN_FORCE = replace(SIGNED, status=CertificateStatus.IN_FORCE, pdf_sha256="ab" * 32)


class Shelf:
    """The records in the order in which reads meet them; the last one stays."""

    def __init__(self, *states: CertificateRecord) -> None:
        self.states = list(states)

    def find(self, certificate_id: str) -> CertificateRecord | None:
        state = self.states[0] if len(self.states) == 1 else self.states.pop(0)
        return state if state.certificate_id == certificate_id else None


class Store:
    """Object storage that hands out addresses."""

    def address(self, content_sha256: str, filename: str) -> str:
        return f"https://storage.example/{content_sha256}?name={filename}"


@pytest.fixture(autouse=True)
def wired(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "TOKEN_ISSUER": "issuer",
        "USER_POOL_CLIENT_ID": "client",
        "PUBLIC_ORIGIN": ORIGIN,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(handler, "documents", Store)
    monkeypatch.setattr(handler, "WAIT_S", 0.2)


def shelve(monkeypatch: pytest.MonkeyPatch, *states: CertificateRecord) -> None:
    shelf = Shelf(*states)
    monkeypatch.setattr(handler, "certificates", lambda: shelf)


def call(route: str, *, group: str = "office", certificate_id: str = SIGNED.certificate_id, **query: str) -> Any:
    claims: dict[str, Any] = {
        "token_use": "access",
        "iss": "issuer",
        "client_id": "client",
        "username": "u",
        "serves": "*",
    }
    claims |= {"cognito:groups": [group.partition(":")[0]], "municipality": group.partition(":")[2]}
    event = {
        "routeKey": f"GET {route}",
        "pathParameters": {"id": certificate_id},
        "queryStringParameters": query,
        "requestContext": {
            "requestId": "r",
            "http": {"method": "GET"},
            "authorizer": {"jwt": {"claims": claims, "scopes": ["avarez/certificates.read"]}},
        },
    }
    return handler.handle(event, None)


def as_owner(monkeypatch: pytest.MonkeyPatch, route: str, reach: OwnerReach) -> Any:
    monkeypatch.setattr(owner_token, "secret", lambda: b"k" * 64)
    token = owner_token.sign(reach, key=b"k" * 64, expires_at=handler.clock.now() + owner_token.LIFETIME)
    event = {
        "routeKey": f"GET {route}",
        "headers": {"authorization": f"Bearer {token}"},
        "pathParameters": {"id": SIGNED.certificate_id},
        "requestContext": {"requestId": "r", "http": {"method": "GET"}},
    }
    return handler.handle(event, None)


@pytest.mark.parametrize("ending", ["", "/pdf"])
def test_owner_gets_the_certificates_of_his_car_and_of_no_other(
    monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    shelve(monkeypatch, IN_FORCE)
    place, route = (SIGNED.municipality, SIGNED.plate), "/v1/owner/certificates/{id}" + ending
    assert as_owner(monkeypatch, route, OwnerReach("a", SIGNED.vehicle_id, (place,)))["statusCode"] in (200, 302)
    for reach in (
        OwnerReach("a", "ve_other", (place,)),
        OwnerReach("a", SIGNED.vehicle_id, ((SIGNED.municipality, "11B111-11"),)),
        OwnerReach("a", SIGNED.vehicle_id, (("MASHHAD", SIGNED.plate),)),
    ):
        answer = as_owner(monkeypatch, route, reach)
        assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (404, "certificate_not_found")


def test_owners_list_has_the_newest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    older = replace(IN_FORCE, certificate_id="ce_" + "0" * 36)

    class Collections:
        def of_car(self, municipality: str, plate: str, vehicle_id: str) -> list[CertificateRecord]:
            return {"TEHRAN": [older], "MASHHAD": [IN_FORCE]}[municipality]

    monkeypatch.setattr(handler, "certificates", Collections)
    reach = OwnerReach("a", SIGNED.vehicle_id, (("TEHRAN", SIGNED.plate), ("MASHHAD", SIGNED.plate)))
    listed = json.loads(as_owner(monkeypatch, "/v1/owner/certificates", reach)["body"])["certificates"]
    assert [one["certificate_id"] for one in listed] == [SIGNED.certificate_id, older.certificate_id]
    assert "plate" not in listed[0]


RECORD, PDF = "/v1/certificates/{id}", "/v1/certificates/{id}/pdf"


def test_clearance_says_where_each_year_was_paid_and_on_what_it_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    city = {"municipality": "TEHRAN", "trace_hash": "ab" * 32, "owed_rial": "0"}
    cleared = replace(clearance(), status=CertificateStatus.IN_FORCE, cities=(city,), as_of="2026-11-24")
    shelve(monkeypatch, cleared)
    told = json.loads(call(RECORD, certificate_id=cleared.certificate_id)["body"])
    assert (told["kind"], told["paid_through_year"], told["cities"]) == ("clearance", 1405, [city])
    assert {year["municipality"] for year in told["years"]} == {"TEHRAN"}
    assert told["years"][0]["paid_on"] is None


def test_record_says_what_the_paper_says(monkeypatch: pytest.MonkeyPatch) -> None:
    shelve(monkeypatch, IN_FORCE)
    told = json.loads(call(RECORD)["body"])
    assert told["status"] == "in_force"
    assert told["link"] == link.to_link(SIGNED.message or b"", ORIGIN)
    assert sum(int(year["amount_rial"]) for year in told["years"]) == int(told["amount_rial"])


def test_link_is_not_shown_before_the_file_is_safe(monkeypatch: pytest.MonkeyPatch) -> None:
    shelve(monkeypatch, SIGNED)
    told = json.loads(call(RECORD)["body"])
    assert told["status"] == "preparing"
    assert "link" not in told


@pytest.mark.parametrize("route", [RECORD, PDF])
@pytest.mark.parametrize("group", ["municipality:MASHHAD"])
def test_certificate_of_another_city_does_not_exist(
    monkeypatch: pytest.MonkeyPatch, route: str, group: str
) -> None:
    shelve(monkeypatch, IN_FORCE)
    answer = call(route, group=group)
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (404, "certificate_not_found")
    assert call(route, group="municipality:TEHRAN")["statusCode"] in (200, 302)


@pytest.mark.parametrize("certificate_id", ["ce_1", "", "../x", "ce_" + "0" * 36])
def test_number_that_is_none_of_ours(monkeypatch: pytest.MonkeyPatch, certificate_id: str) -> None:
    shelve(monkeypatch, IN_FORCE)
    assert call(RECORD, certificate_id=certificate_id)["statusCode"] == 404


def test_pdf_redirects_to_storage(monkeypatch: pytest.MonkeyPatch) -> None:
    shelve(monkeypatch, IN_FORCE)
    answer = call(PDF)
    assert answer["statusCode"] == 302
    assert answer["headers"]["location"] == f"https://storage.example/{'ab' * 32}?name=certificate-12B345-67.pdf"
    asked = call(PDF, redirect="false")
    assert asked["statusCode"] == 200
    assert json.loads(asked["body"])["url"] == answer["headers"]["location"]


def test_pdf_in_the_making_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    shelve(monkeypatch, PREPARING, SIGNED, IN_FORCE)
    assert call(PDF)["statusCode"] == 302


def test_pdf_that_takes_too_long_says_when_to_ask_again(monkeypatch: pytest.MonkeyPatch) -> None:
    shelve(monkeypatch, PREPARING)
    answer = call(PDF)
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (409, "certificate_in_preparation")
    assert answer["headers"]["retry-after"] == "2"


class Reissues:
    """Takes every reissue and remembers it."""

    def __init__(self) -> None:
        self.taken: list[Reissue] = []

    def supersede(self, old: CertificateRecord, reissue: Reissue) -> None:
        self.taken.append(reissue)


def ask_again(monkeypatch: pytest.MonkeyPatch, body: Any, record: CertificateRecord = IN_FORCE) -> Any:
    taken = Reissues()
    shelve(monkeypatch, record)
    monkeypatch.setattr(handler, "reissues", lambda: taken)
    claims = {"token_use": "access", "iss": "issuer", "client_id": "client", "username": "u", "serves": "*"}
    event = {
        "routeKey": "POST /v1/certificates/{id}/reissues",
        "pathParameters": {"id": record.certificate_id},
        "body": json.dumps(body),
        "requestContext": {
            "requestId": "r",
            "http": {"method": "POST"},
            "authorizer": {
                "jwt": {
                    "claims": claims | {"cognito:groups": ["office"], "office": "of_7"},
                    "scopes": ["avarez/certificates.reissue"],
                }
            },
        },
    }
    answer = handler.handle(event, None)
    return answer["statusCode"], json.loads(answer["body"]), taken.taken


def test_lost_paper_is_issued_again_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    status, told, (taken,) = ask_again(monkeypatch, {"reason": "lost"})
    assert (status, told["supersedes"], told["status"]) == (201, SIGNED.certificate_id, "preparing")
    assert (taken.certificate_id, taken.office, taken.reason.value) == (told["certificate_id"], "of_7", "lost")


@pytest.mark.parametrize(
    ("body", "record", "status", "code"),
    [
        ({}, IN_FORCE, 422, "invalid_input"),
        ({"reason": "because"}, IN_FORCE, 422, "invalid_input"),
        ({"reason": "lost"}, PREPARING, 409, "certificate_in_preparation"),
        (
            {"reason": "lost"},
            replace(IN_FORCE, status=CertificateStatus.REVOKED),
            409,
            "certificate_not_in_force",
        ),
    ],
)
def test_reissue_is_refused(
    monkeypatch: pytest.MonkeyPatch, body: Any, record: CertificateRecord, status: int, code: str
) -> None:
    answer = ask_again(monkeypatch, body, record)
    assert (answer[0], answer[1]["code"], answer[2]) == (status, code, [])
