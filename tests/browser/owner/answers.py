"""Answers of the contract's shape for the owner's page: one car in two cities, one payment, one certificate."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from tests.browser import demo_answers
from tests.browser.demo_answers import (
    ASSESSMENT_ID,
    CERTIFICATE_ID,
    PAYMENT_ID,
    PLATE,
    assessment,
    in_minutes,
    problem,
)
from tests.browser.stub import Stub

NATIONAL_ID = "0013542419"
TOKEN = "ow1.token"
STOP = "0" * 52
PENDING_ID, FAILED_ID = "py_" + "3" * 36, "py_" + "4" * 36
VIEWS: dict[str, tuple[str, str]] = {
    "quote": (f"#/quote/{ASSESSMENT_ID}", "#pay"),
    "payment": (f"#/payment/{PENDING_ID}", "#cancel-payment"),
    "failed": (f"#/payment/{FAILED_ID}", "#back-to-quote"),
    "certificate": (f"#/certificate/{CERTIFICATE_ID}", "#certificate-id"),
    "stop": (f"#/stop/{STOP}", "#stop"),
}
PICTURED = ("sign-in", "quote", "certificate")


def standing() -> dict[str, Any]:
    quote = assessment()
    years = [{"year": year, "amount_rial": "2640000", "paid": False} for year in range(1401, 1406)]
    return {
        "vehicle": {
            "plate": PLATE,
            "make": "ایران‌خودرو",
            "model": "سمند",
            "model_year": 1394,
            "vehicle_class": "passenger",
            "fuel": "petrol",
        },
        "paid_through_year": None,
        "municipalities": [
            {"municipality": "TEHRAN", "owed_rial": quote["owed_rial"], "years": years},
            {"municipality": "ISFAHAN", "owed_rial": "0", "years": []},
        ],
    }


def payment(status: str, payment_id: str = PAYMENT_ID, **more: Any) -> dict[str, Any]:
    return {
        "payment_id": payment_id,
        "assessment_id": ASSESSMENT_ID,
        "status": status,
        "channel": "gateway",
        "amount_rial": assessment()["owed_rial"],
        "fee_rial": "5000",
        **more,
    }


def load(stub: Stub) -> None:
    """The stub knows one owner and his car, and a payment that settles at once."""
    demo_answers.load(stub)
    quote = assessment()
    certificate = stub.answers[f"GET /v1/certificates/{CERTIFICATE_ID}"][1]  # type: ignore[index]
    listed = {
        "certificate_id": CERTIFICATE_ID,
        "status": "in_force",
        "kind": "payment",
        "municipality": "TEHRAN",
        "years": [1399, 1400],
        "amount_rial": "5280000",
        "paid_at": "2025-05-02T08:30:00Z",
    }
    opened = payment("pending", redirect_url=f"{stub.origin}/my?returned=1")
    stub.answers.update(
        {
            "POST /v1/owner/sessions": lambda body: (
                (201, {"owner_token": TOKEN, "expires_at": in_minutes(30)})
                if body["national_id"] == NATIONAL_ID
                else problem(404, "owner_not_matched")
            ),
            "GET /v1/owner/standing": (200, standing()),
            "POST /v1/owner/assessments": lambda body: (201, assessment(municipality=body["municipality"])),
            f"GET /v1/owner/assessments/{ASSESSMENT_ID}": (200, quote),
            "POST /v1/owner/payments": (201, opened),
            f"GET /v1/owner/payments/{PAYMENT_ID}": (200, payment("settled", certificate_id=CERTIFICATE_ID)),
            f"GET /v1/owner/payments/{PENDING_ID}": (200, payment("pending", PENDING_ID)),
            f"GET /v1/owner/payments/{FAILED_ID}": (200, payment("failed", FAILED_ID)),
            "GET /v1/owner/mobile-numbers": (200, {"mobile": None}),
            "POST /v1/owner/mobile-numbers": (201, {"mobile": "09•••••••67"}),
            "POST /v1/owner/mobile-numbers/removals": (200, {"mobile": None}),
            "POST /v1/reminders/stops": lambda body: (
                (200, {"stopped": True}) if body["token"] == STOP else problem(404, "stop_unknown")
            ),
            "GET /v1/owner/certificates": (200, {"certificates": [listed]}),
            f"GET /v1/owner/certificates/{CERTIFICATE_ID}": (
                200,
                {**certificate, "years": [{"year": year, "amount_rial": "1"} for year in range(1401, 1406)]},
            ),
            f"GET /v1/owner/certificates/{CERTIFICATE_ID}/pdf": (200, demo_answers.certificate_pdf()),
        }
    )


def look_up(page: Page, stub: Stub, national_id: str = NATIONAL_ID) -> None:
    """By the keyboard alone: each full part leads to the next, Enter asks."""
    page.goto(f"{stub.origin}/my")
    expect(page.locator("#plate-two")).to_be_focused()
    for key in "12b34567":
        page.keyboard.press(key)
    page.locator("#national-id").focus()
    page.keyboard.type(national_id)
    page.keyboard.press("Enter")


def begin(page: Page, stub: Stub) -> None:
    """An owner with his car on the screen."""
    load(stub)
    look_up(page, stub)
    expect(page.locator("#pay")).to_be_focused()
