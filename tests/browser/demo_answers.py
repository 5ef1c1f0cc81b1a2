"""Answers of the contract's shape for the office page's tests: one car, two cities, one payment."""

from __future__ import annotations

import functools
import io
from datetime import UTC, datetime, timedelta
from typing import Any

from PIL import Image

from tests.browser.stub import ROOT, Stub

PLATE = {"key": "12B345-67", "text_fa": "۱۲ ب ۳۴۵ - ایران ۶۷", "text_en": "12 B 345 - Iran 67", "kind": "private"}
ASSESSMENT_ID = "as_" + "0" * 36
PAYMENT_ID = "py_" + "0" * 36
CERTIFICATE_ID = "ce_06h0m6h3v0014d2pf2dbsqqg28t5cy4tqkff"
CITIES = [
    {"code": "TEHRAN", "name_fa": "تهران", "name_en": "Tehran", "province_fa": "تهران", "province_en": "Tehran"},
    {
        "code": "ISFAHAN",
        "name_fa": "اصفهان",
        "name_en": "Isfahan",
        "province_fa": "اصفهان",
        "province_en": "Isfahan",
    },
]


def in_minutes(minutes: float) -> str:
    """An RFC 3339 time from now."""
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


def problem(status: int, code: str, **members: Any) -> tuple[int, dict[str, Any]]:
    """A problem document with fixed sentences; the page shows them when they are in its language."""
    return status, {
        "code": code,
        "title": f"title {code}",
        "detail": f"detail {code}",
        "status": status,
        **members,
    }


def line(year: int | None, kind: str, amount: int) -> dict[str, Any]:
    return {
        "year": year,
        "kind": kind,
        "amount_rial": str(amount),
        "rule": f"{kind}-rule",
        "law": "law of 1400",
        "law_fa": {"principal": "قانون ۱۴۰۰، مادهٔ ۲۹ (الف)", "penalty": "قانون ۱۴۰۰، مادهٔ ۳۷"}.get(
            kind, "مصوبهٔ شورا"
        ),
        "inputs": {},
        "text_fa": "۲٬۴۰۰٬۰۰۰٬۰۰۰ ریال × ۱ در هزار = ۲٬۴۰۰٬۰۰۰ ریال",
        "text_en": "2,400,000,000 rial × 1/1000 = 2,400,000 rial",
    }


def assessment(identifier: str = ASSESSMENT_ID, municipality: str = "TEHRAN") -> dict[str, Any]:
    """A quote of five years whose lines sum to its total."""
    lines = []
    for year, months in ((1401, 44), (1402, 32), (1403, 20), (1404, 8), (1405, 0)):
        lines.append(line(year, "principal", 2_400_000))
        lines.append(line(year, "pollution", 240_000))
        if months:
            lines.append(line(year, "penalty", 2_640_000 * 2 * months // 100))
    total = sum(int(entry["amount_rial"]) for entry in lines)
    rounding = -total % 1000
    if rounding:
        lines.append(line(None, "rounding", rounding))
    return {
        "assessment_id": identifier,
        "municipality": municipality,
        "plate": PLATE,
        "as_of": datetime.now(UTC).date().isoformat(),
        "through_year": 1405,
        "tariff_version": "a" * 64,
        "lines": lines,
        "owed_rial": str(total + rounding),
        "trace_hash": "b" * 64,
        "expires_at": in_minutes(300),
        "not_assessed_before": 1395,
    }


@functools.cache
def certificate_pdf() -> bytes:
    """A file that a viewer shows: the picture of a certificate on a sheet."""
    paper = io.BytesIO()
    with Image.open(ROOT / "docs" / "images" / "certificate.png") as picture:
        picture.convert("RGB").save(paper, "PDF", resolution=150)
    return paper.getvalue()


def load(stub: Stub) -> None:
    """The stub knows one clerk, one car that owes in Tehran, and a payment that settles at once."""
    quote = assessment()
    owed_rial = str(quote["owed_rial"])
    stub.answers.update(
        {
            "POST /v1/tokens": lambda body: (
                (200, {"access_token": "token", "id_token": "id", "expires_in": 3600})
                if body.get("password") == "right"
                else problem(401, "credentials_refused")
            ),
            "GET /v1/municipalities": (200, {"municipalities": CITIES}),
            f"GET /v1/vehicles/{PLATE['key']}": (200, _standing(owed_rial)),
            "POST /v1/assessments": lambda body: (201, assessment(municipality=body["municipality"])),
            f"GET /v1/assessments/{ASSESSMENT_ID}": (200, quote),
            "POST /v1/payments": (201, _opened(owed_rial, f"{stub.origin}/?returned=1")),
            f"GET /v1/payments/{PAYMENT_ID}": (200, _settled(owed_rial)),
            f"GET /v1/certificates/{CERTIFICATE_ID}": (200, _certificate(owed_rial, f"{stub.origin}/v#123")),
        }
    )


def _standing(owed_rial: str) -> dict[str, Any]:
    """The car, which owes this in Tehran and nothing in Isfahan."""
    return {
        "plate": PLATE,
        "vehicle": {
            "plate": PLATE,
            "make": "ایران‌خودرو",
            "model": "سمند",
            "model_year": 1394,
            "model_calendar": "jalali",
            "vehicle_class": "passenger",
            "origin": "domestic",
            "fuel": "petrol",
            "vin": "IRFC9412340012345",
        },
        "municipalities": [
            {
                "municipality": "TEHRAN",
                "paid_through_year": 1400,
                "owed_rial": owed_rial,
                "years": [1401, 1402, 1403, 1404, 1405],
            },
            {"municipality": "ISFAHAN", "paid_through_year": 1397, "owed_rial": "0", "years": []},
        ],
    }


def _opened(amount_rial: str, redirect_url: str) -> dict[str, Any]:
    return {
        "payment_id": PAYMENT_ID,
        "status": "pending",
        "amount_rial": amount_rial,
        "fee_rial": "0",
        "expires_at": in_minutes(17),
        "redirect_url": redirect_url,
    }


def _settled(amount_rial: str) -> dict[str, Any]:
    return {
        "payment_id": PAYMENT_ID,
        "assessment_id": ASSESSMENT_ID,
        "status": "settled",
        "amount_rial": amount_rial,
        "certificate_id": CERTIFICATE_ID,
    }


def _certificate(amount_rial: str, link: str) -> dict[str, Any]:
    return {
        "certificate_id": CERTIFICATE_ID,
        "status": "in_force",
        "kind": "payment",
        "municipality": "TEHRAN",
        "plate": PLATE,
        "years": [1401, 1402, 1403, 1404, 1405],
        "amount_rial": amount_rial,
        "paid_at": "2026-11-24T08:30:00Z",
        "issued_at": "2026-11-24T08:30:02Z",
        "reference": "SB-240311-77",
        "link": link,
    }
