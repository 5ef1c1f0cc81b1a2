"""The public check over HTTP: always a verdict, whatever is shown and whatever is out of order."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import datetime
from typing import Any

import pytest

from avarez.certificates import jwks, link
from avarez.certificates.jwks import KeySet
from avarez.certificates.short_code import printed, short_code
from avarez.certificates.status import CertificateStatus
from avarez.certificates.verification import IssuedRecord
from avarez.errors import ServiceBusy
from functions.verify import handler
from tests.data.certificate_vectors import JWKS, ORIGIN, PATH, REGISTER, SAMPLE
from tests.unit.certificates.test_document import pdf_of, record

SIGNED = record()
MESSAGE = SIGNED.message or b""
PDF = pdf_of(SIGNED)
ID = SAMPLE.certificate_id
PLATE = "12B345-67"
COMPROMISE = json.loads(PATH.read_text(encoding="utf-8"))["compromise"]


class Register:
    """What the table would say; `silent` makes it unreachable."""

    def __init__(self) -> None:
        self.records = {ID: IssuedRecord(CertificateStatus.IN_FORCE, MESSAGE, hashlib.sha256(PDF).hexdigest())}
        self.silent: set[str] = set()
        self.known_at_first = True
        self.log = "silent"

    def find(self, certificate_id: str) -> IssuedRecord | None:
        if "records" in self.silent:
            raise ServiceBusy
        return self.records.get(certificate_id)

    def certificate_of_code(self, code: str, plate: str) -> str | None:
        if "records" in self.silent:
            raise ServiceBusy
        return ID if (code, plate) == (short_code(ID), PLATE) else None

    def keys(self, *, fresh: bool = False) -> KeySet:
        if "keys" in self.silent:
            raise ServiceBusy
        return jwks.read_keys(JWKS if fresh or self.known_at_first else {"keys": JWKS["keys"][1:]})

    def logged_before(self, message: bytes, instant: datetime) -> bool | None:
        if self.log == "silent":
            raise ServiceBusy
        return REGISTER[self.log]

    def key_document(self) -> dict[str, object]:
        return dict(JWKS)

    def reach(self) -> None:
        if self.silent:
            raise ServiceBusy


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Register:
    fake = Register()
    monkeypatch.setattr(handler, "register", lambda: fake)
    return fake


def call(
    method: str, route: str, body: bytes = b"", kind: str = "application/json", **params: str
) -> tuple[int, dict[str, Any]]:
    event = {
        "routeKey": f"{method} {route}",
        "headers": {"content-type": kind},
        "pathParameters": params,
        "requestContext": {"requestId": "r", "http": {"method": method}},
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }
    answer = handler.handle(event, None)
    return answer["statusCode"], json.loads(answer["body"])


def by_number(certificate_id: str = ID) -> tuple[int, dict[str, Any]]:
    return call("GET", "/v1/verify/{id}", id=certificate_id)


def by_payload(text: str) -> tuple[int, dict[str, Any]]:
    return call("POST", "/v1/verify", json.dumps({"payload": text}).encode())


def by_code(code: str, plate: str) -> tuple[int, dict[str, Any]]:
    return call("POST", "/v1/verify", json.dumps({"code": code, "plate": plate}).encode())


def verdict(answer: tuple[int, dict[str, Any]]) -> tuple[int, str, str]:
    return answer[0], answer[1]["verdict"], answer[1]["reason"]


def test_number_shows_a_masked_plate(register: Register) -> None:
    answer = by_number()
    assert verdict(answer) == (200, "valid", "in_force")
    assert answer[1]["status_as_of"].endswith("Z")
    assert "345" not in json.dumps(answer[1]["certificate"]["plate"])
    assert "key" not in answer[1]["certificate"]["plate"]


@pytest.mark.parametrize("text", [link.to_link(MESSAGE, ORIGIN), link.to_digits(MESSAGE)], ids=["link", "digits"])
def test_payload_shows_the_whole_plate(register: Register, text: str) -> None:
    answer = by_payload(text)
    assert verdict(answer) == (200, "valid", "in_force")
    assert answer[1]["certificate"]["plate"]["key"] == PLATE
    assert answer[1]["certificate"]["years"] == list(range(1395, 1406))


@pytest.mark.parametrize("plate", [PLATE, "12 ب 345 - ایران 67", "۱۲ب۳۴۵۶۷"])
def test_short_code_with_the_plate_is_answered(register: Register, plate: str) -> None:
    answer = by_code(printed(short_code(ID)), plate)
    assert verdict(answer) == (200, "valid", "in_force")
    assert answer[1]["certificate"]["plate"]["key"] == PLATE
    assert answer[1]["certificate"]["short_code"] == printed(short_code(ID))


@pytest.mark.parametrize("plate", ["12B345-68", "123-45678", "nothing"])
def test_short_code_without_its_plate_finds_nothing(register: Register, plate: str) -> None:
    answer = by_code(short_code(ID), plate)
    assert verdict(answer) == (200, "unknown", "certificate_unknown")
    assert "certificate" not in answer[1]


def test_mistyped_short_code_is_unreadable(register: Register) -> None:
    code = short_code(ID)
    assert verdict(by_code(code[:-1] + str((int(code[-1]) + 1) % 10), PLATE)) == (
        200,
        "unreadable",
        "code_mistyped",
    )
    register.silent = {"records"}
    assert verdict(by_code(code, PLATE)) == (200, "cannot_tell", "record_unreachable")


def test_pdf_is_valid_and_any_change_of_it_is_not(register: Register) -> None:
    answer = call("POST", "/v1/verify", PDF, "application/pdf")
    assert verdict(answer) == (200, "valid", "in_force")
    changed = call("POST", "/v1/verify", PDF + b"\n", "application/pdf")
    assert verdict(changed) == (200, "tampered", "file_differs")
    assert verdict(call("POST", "/v1/verify", b"%PDF-1.7 no", "application/pdf")) == (
        200,
        "unreadable",
        "no_message_in_file",
    )


@pytest.mark.parametrize(
    ("certificate_id", "expected"),
    [
        ("ce_" + "0" * 36, ("unknown", "certificate_unknown")),
        ("ce_1", ("unreadable", "not_a_certificate")),
        ("../../etc", ("unreadable", "not_a_certificate")),
    ],
)
def test_unknown_and_malformed_numbers(register: Register, certificate_id: str, expected: tuple[str, str]) -> None:
    assert verdict(by_number(certificate_id)) == (200, *expected)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (CertificateStatus.REVOKED, "revoked"),
        (CertificateStatus.SUPERSEDED, "superseded"),
        (CertificateStatus.PREPARING, "cannot_tell"),
    ],
)
def test_status_of_the_record_decides(register: Register, status: CertificateStatus, expected: str) -> None:
    register.records[ID] = IssuedRecord(status, MESSAGE)
    assert by_number()[1]["verdict"] == expected
    assert by_payload(link.to_digits(MESSAGE))[1]["verdict"] == expected


def test_certificate_in_the_making_cannot_be_told(register: Register) -> None:
    register.records[ID] = IssuedRecord(CertificateStatus.PREPARING)
    assert verdict(by_number()) == (200, "cannot_tell", "in_preparation")


@pytest.mark.parametrize(("silent", "reason"), [("records", "record_unreachable"), ("keys", "keys_missing")])
def test_register_out_of_reach_is_a_verdict_too(register: Register, silent: str, reason: str) -> None:
    register.silent = {silent}
    answer = by_payload(link.to_digits(MESSAGE))
    assert verdict(answer) == (200, "cannot_tell", reason)
    assert answer[1]["status_as_of"] is None
    assert by_number()[1]["verdict"] == "cannot_tell"


def test_key_that_came_a_moment_ago_is_looked_for(register: Register) -> None:
    register.known_at_first = False
    assert verdict(by_payload(link.to_digits(MESSAGE))) == (200, "valid", "in_force")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "invalid_json"),
        (b'{"payload": 5}', 422, "invalid_input"),
        (b'{"payload": ""}', 422, "invalid_input"),
        (b"{}", 422, "invalid_input"),
        (b'{"code": "1"}', 422, "invalid_input"),
        (b'{"payload": "1", "code": "1", "plate": "1"}', 422, "invalid_input"),
        (b'{"payload": "1", "payload": "2"}', 400, "duplicate_keys"),
        (b'{"payload": "' + b"1" * 5_000 + b'"}', 422, "invalid_input"),
    ],
)
def test_request_that_cannot_be_read_is_refused(register: Register, body: bytes, status: int, code: str) -> None:
    answer = call("POST", "/v1/verify", body)
    assert (answer[0], answer[1]["code"]) == (status, code)


def test_pdf_that_is_too_large_is_refused(register: Register) -> None:
    answer = call("POST", "/v1/verify", b"%PDF-" + bytes(4 << 20), "application/pdf")
    assert (answer[0], answer[1]["code"]) == (413, "body_too_large")


def test_keys_and_health(register: Register) -> None:
    assert call("GET", "/.well-known/jwks.json") == (200, JWKS)
    assert call("GET", "/healthz") == (200, {"status": "ok"})
    register.silent = {"records"}
    assert call("GET", "/healthz")[1]["code"] == "service_busy"


@pytest.mark.parametrize(
    "vector", [one for one in COMPROMISE if "register" in one], ids=lambda vector: vector["name"]
)
def test_log_decides_on_the_certificates_of_a_stolen_key(register: Register, vector: dict[str, Any]) -> None:
    register.log = vector["register"]
    register.records[ID] = IssuedRecord(CertificateStatus.IN_FORCE)
    expected = (
        ("valid", "in_force") if vector["verdict"] == "signature_good" else (vector["verdict"], vector["reason"])
    )
    assert verdict(by_payload(vector["input"])) == (200, *expected)
    message = link.read(vector["input"]).message
    register.records[ID] = IssuedRecord(CertificateStatus.IN_FORCE, message)
    assert verdict(by_number()) == (200, *expected)
