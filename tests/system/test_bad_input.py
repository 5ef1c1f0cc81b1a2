"""Bad input: problem+json with the right status, in the language asked for, never a 500."""

from __future__ import annotations

import base64
import json
import uuid

import pytest

from tests.system.conftest import Client, System
from tests.system.journey import assess, pay, start_payment
from tests.system.plates import fresh_plate

pytestmark = pytest.mark.system
ASSESS = "/v1/assessments"


def has_persian(text: str) -> bool:
    return any("آ" <= letter <= "ی" for letter in text)


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        (ASSESS, {"municipality": "MASHHAD", "plate": "99Z99"}, 422, "plate_malformed"),
        (ASSESS, {"municipality": "MASHHAD", "plate": "11B111-11"}, 404, "vehicle_not_found"),
        (ASSESS, {"municipality": "ATLANTIS", "plate": "11B111-11"}, 422, "municipality_unknown"),
        (ASSESS, {"municipality": "MASHHAD"}, 422, "invalid_input"),
        (ASSESS, {"municipality": "MASHHAD", "plate": "11B111-11", "as_of": "1405-13-40"}, 422, "invalid_input"),
        (ASSESS, {"municipality": "MASHHAD", "plate": "11B111-11", "colour": "red"}, 422, "invalid_input"),
        (ASSESS, b"{", 400, "invalid_json"),
        (ASSESS, b"", 400, "invalid_json"),
        (ASSESS, b'{"plate": NaN}', 400, "invalid_json"),
        (ASSESS, b'{"plate": "a", "plate": "b"}', 400, "duplicate_keys"),
        (ASSESS, b"[" * 5_000, 400, "invalid_json"),
        (ASSESS, b'"' + b"x" * 5_000_000 + b'"', 413, "body_too_large"),
        ("/v1/payments", {"assessment_id": "as_nothing", "channel": "gateway"}, 404, "assessment_not_found"),
        ("/v1/payments", {"assessment_id": 5, "channel": "gateway"}, 422, "invalid_input"),
        ("/v1/payments", {"assessment_id": "as_x", "channel": "cash"}, 422, "invalid_input"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_bad_body_is_refused_in_the_language_asked_for(
    system: System, path: str, body: object, status: int, code: str
) -> None:
    clerk = system.client("clerk")
    for language in ("fa", "en"):
        headers = {
            "accept-language": language,
            "content-type": "application/json",
            "idempotency-key": uuid.uuid4().hex,
        }
        answer = clerk.post(path, body, headers)
        assert answer.status == status, answer.text
        assert answer.headers["content-type"].startswith("application/problem+json")
        assert answer.json["code"] == code
        assert {"title", "detail", "instance"} <= answer.json.keys()
        assert has_persian(answer.json["title"]) == (language == "fa") or code == "plate_malformed"


@pytest.mark.parametrize(
    "path", ["/v1/vehicles/11B111-11", "/v1/vehicles?vin=IR00000000000000X", "/v1/vehicles/xx"]
)
def test_unknown_or_malformed_vehicle_is_refused(system: System, path: str) -> None:
    assert system.client("clerk").get(path).status in (404, 422)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v1/assessments/as_0", "assessment_not_found"),
        ("/v1/payments/py_0", "payment_not_found"),
        ("/v1/certificates/ce_0", "certificate_not_found"),
    ],
)
def test_unknown_id_answers_404(system: System, path: str, code: str) -> None:
    answer = system.client("clerk").get(path)
    assert (answer.status, answer.json["code"]) == (404, code)


def tampered(token: str, **claims: object) -> str:
    """The token with other claims and its old signature."""
    head, body, signature = token.split(".")
    decoded = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    changed = base64.urlsafe_b64encode(json.dumps({**decoded, **claims}).encode()).rstrip(b"=").decode()
    return f"{head}.{changed}.{signature}"


def test_tokens_that_are_not_ours_are_refused(system: System) -> None:
    clerk = system.client("clerk")
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    _, body, _ = clerk.token.split(".")
    forged = [
        "",
        "nonsense",
        f"{none}.{body}.",
        tampered(clerk.token, exp=1),
        tampered(clerk.token, scope="avarez/rolls.write"),
        tampered(clerk.token, iss="https://cognito-idp.us-east-1.amazonaws.com/us-east-1_other"),
    ]
    for token in forged:
        headers = {"authorization": f"Bearer {token}", "accept-language": "fa"}
        answer = system.client(None).get("/v1/vehicles/11B111-11", headers)
        assert answer.status == 401, token[:40]
        assert answer.headers["content-type"].startswith("application/problem+json")
        assert answer.json["code"] == "unauthorized"
        assert has_persian(answer.json["title"])


def test_id_token_is_no_access_token(system: System) -> None:
    account = next(one for one in system.accounts if one["username"] == "clerk")
    tokens = (
        system.client(None)
        .post("/v1/tokens", {"username": account["username"], "password": account["password"]})
        .json
    )
    answer = system.client(None).get("/v1/vehicles/11B111-11", {"authorization": f"Bearer {tokens['id_token']}"})
    assert answer.status in (401, 403)


@pytest.mark.parametrize("username", ["clerk", "nobody"])
def test_wrong_password_answers_401_alike(system: System, username: str) -> None:
    answer = system.client(None).post("/v1/tokens", {"username": username, "password": "wrong-Passw0rd!"})
    assert (answer.status, answer.json["code"]) == (401, "credentials_refused")


def foreign_addresses(clerk: Client, system: System) -> list[str]:
    paid = pay(system, clerk, fresh_plate())
    return [
        f"/v1/assessments/{paid.quote['assessment_id']}",
        f"/v1/payments/{paid.payment['payment_id']}",
        f"/v1/payments/{paid.payment['payment_id']}/events",
        f"/v1/certificates/{paid.certificate_id}",
        f"/v1/certificates/{paid.certificate_id}/pdf",
    ]


def test_another_citys_officer_meets_404_everywhere(system: System) -> None:
    clerk, tehran, mashhad = (system.client(name) for name in ("clerk", "tehran", "mashhad"))
    for address in foreign_addresses(clerk, system):
        assert mashhad.get(address).status in (200, 302, 409), address
        assert tehran.get(address).status == 404, address
    roll = mashhad.post("/v1/rolls", {"municipality": "MASHHAD"})
    assert roll.status == 201, roll.text
    for call in (
        tehran.get(f"/v1/rolls/{roll.json['roll_id']}"),
        tehran.post(f"/v1/rolls/{roll.json['roll_id']}/commit", {}),
        tehran.post(ASSESS, {"municipality": "MASHHAD", "plate": fresh_plate()}),
    ):
        assert call.status == 404, call.text
    assert tehran.post("/v1/rolls", {"municipality": "MASHHAD"}).status in (403, 404)


@pytest.mark.parametrize("username", ["auditor", "verifier", "mashhad"])
def test_group_without_the_scope_cannot_pay(system: System, username: str) -> None:
    quote = assess(system.client("clerk"), fresh_plate())
    refused = start_payment(system.client(username), quote)
    assert (refused.status, refused.json["code"]) == (403, "forbidden")


def test_quote_of_another_day_cannot_be_paid(system: System) -> None:
    clerk = system.client("clerk")
    past = clerk.post(ASSESS, {"municipality": "MASHHAD", "plate": fresh_plate(), "as_of": "2025-05-05"})
    assert past.status == 201, past.text
    answer = start_payment(clerk, past.json)
    assert (answer.status, answer.json["code"]) == (409, "quote_not_payable")


@pytest.mark.parametrize("payload", ["", "۱۲۳", "x" * 300, "9" * 5_000, "https://elsewhere.example/v#123"])
def test_unreadable_payload_is_a_verdict(system: System, payload: str) -> None:
    answer = system.client(None).post("/v1/verify", {"payload": payload})
    assert answer.status in (200, 422)
    if answer.status == 200:
        assert answer.json["verdict"] in ("unreadable", "unknown", "tampered")


def test_unknown_certificate_is_a_verdict(system: System) -> None:
    answer = system.client(None).get("/v1/verify/ce_" + "0" * 36)
    assert (answer.status, answer.json["verdict"]) == (200, "unknown")
