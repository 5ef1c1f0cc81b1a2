"""The journey's steps over the public API, for every test that needs a paid duty."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.system.conftest import Answer, Client, System

FORM = {"content-type": "application/x-www-form-urlencoded"}
SETTLE_TIMEOUT_S = 30.0
CERTIFICATE_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Paid:
    """A settled payment with its certificate's id, and what led to it."""

    plate: str
    quote: dict[str, Any]
    payment: dict[str, Any]
    certificate_id: str


def assess(clerk: Client, plate: str, municipality: str = "MASHHAD") -> dict[str, Any]:
    answer = clerk.post("/v1/assessments", {"municipality": municipality, "plate": plate})
    assert answer.status == 201, answer.text
    quote: dict[str, Any] = answer.json
    return quote


def start_payment(clerk: Client, quote: dict[str, Any], key: str = "", **members: Any) -> Answer:
    return clerk.post(
        "/v1/payments",
        {"assessment_id": quote["assessment_id"], "channel": "gateway", **members},
        {"idempotency-key": key or uuid.uuid4().hex},
    )


def press(anonymous: Client, payment: dict[str, Any], result: str = "paid") -> str:
    """Presses a button of the gateway's page; the answer's location is our callback's address."""
    answer = anonymous.post(payment["redirect_url"], urlencode({"result": result}), FORM)
    assert answer.status == 303, answer.text
    return str(answer.headers["location"])


def follow_callback(anonymous: Client, location: str) -> Answer:
    """Requests the callback as the browser does; it ends in a redirect or a plain page."""
    answer = anonymous.get(location)
    assert answer.status in (200, 303), answer.text
    return answer


def settled(system: System, clerk: Client, payment_id: str, timeout_s: float = SETTLE_TIMEOUT_S) -> dict[str, Any]:
    def read() -> dict[str, Any] | None:
        state: dict[str, Any] = clerk.get(f"/v1/payments/{payment_id}").json
        return state if state["status"] == "settled" else None

    found: dict[str, Any] = system.wait_for(read, timeout_s)
    return found


def certificate(
    system: System, clerk: Client, certificate_id: str, timeout_s: float = CERTIFICATE_TIMEOUT_S
) -> dict[str, Any]:
    def read() -> dict[str, Any] | None:
        answer = clerk.get(f"/v1/certificates/{certificate_id}")
        record: dict[str, Any] = answer.json
        return record if answer.status == 200 and record.get("status") == "in_force" else None

    found: dict[str, Any] = system.wait_for(read, timeout_s)
    return found


def pay(system: System, clerk: Client, plate: str, municipality: str = "MASHHAD") -> Paid:
    """From the plate to the settled payment, with every step's answer checked."""
    anonymous = system.client(None)
    quote = assess(clerk, plate, municipality)
    created = start_payment(clerk, quote)
    assert created.status == 201, created.text
    payment = created.json
    assert urlsplit(payment["redirect_url"]).hostname == "127.0.0.1"
    follow_callback(anonymous, press(anonymous, payment))
    done = settled(system, clerk, payment["payment_id"])
    return Paid(plate, quote, done, done["certificate_id"])


def fetch_pdf(clerk: Client, anonymous: Client, certificate_id: str) -> bytes:
    redirect = clerk.get(f"/v1/certificates/{certificate_id}/pdf")
    assert redirect.status == 302, redirect.text
    stored = anonymous.get(redirect.headers["location"])
    assert stored.status == 200, stored.text[:300]
    return stored.body


def paid_at_a_terminal(system: System, open_sale: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    """A sale at a terminal of its own, approved by it."""
    terminal = f"T-{secrets.token_hex(4).upper()}"
    registered = {"office": "OFFICE-TEHRAN-101", "acquirer": "saman"}
    assert system.client("operator").put(f"/v1/terminals/{terminal}", registered).status == 200
    payment = open_sale(terminal)
    reference = str(secrets.randbelow(10**12)).zfill(12)
    slip = {"result": "approved", "reference": reference, "amount_rial": payment["amount_rial"]}
    told = system.client("clerk").post(f"/v1/payments/{payment['payment_id']}/pos-results", slip)
    assert told.status == 200, told.text
    return payment


def paid_at_a_bank(system: System, bill: dict[str, Any], day_jalali: str) -> None:
    """The bank's file of the day has this bill."""
    day = day_jalali.replace("-", "")
    ids = f"{bill['bill_id'].zfill(13)}{bill['payment_code'].zfill(13)}"
    content = f"00123402{day}\r\n00123402{day}{ids}{secrets.randbelow(1_000_000):06d}\r\n"
    assert system.client("operator").post("/v1/bank-files", {"bank": "melli", "content": content}).status == 201
