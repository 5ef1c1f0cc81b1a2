"""Slip and receipt: who gets one when, what stands on it, and the barcode as a counter's reader sees it."""

from __future__ import annotations

import base64
import io
import json
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pikepdf
import pytest
import zxingcpp
from PIL import Image

from functions.certify.document.page import MunicipalityName
from functions.certify.papers import handler, page
from functions.certify.papers.payment import PaidYear, PaymentRecord
from functions.pay.rules.bills import barcode
from tests.unit.certificates.test_document import HOSTILE, picture, words_of

AT = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
OPEN_BILL = PaymentRecord(
    payment_id="py_" + "0" * 36,
    municipality="ISFAHAN",
    plate="15SAD311-13",
    status="pending",
    channel="bill",
    gateway="",
    office="DAFTAR-1",
    created_by="clerk",
    years=(PaidYear(1404, 1_200_000), PaidYear(1405, 1_249_500)),
    rounding_rial=500,
    fee_rial=0,
    amount_rial=2_450_000,
    refunded_rial=0,
    parts=0,
    bill_id="1234567812361",
    payment_code="245050140",
    reference="",
    tracking="",
    certificate_id="",
    created_at=AT,
    expires_at=AT,
    settled_at=None,
)
SETTLED = replace(OPEN_BILL, status="settled", gateway="mellat", tracking="123456", settled_at=AT)


class Payments:
    """One payment."""

    def __init__(self, payment: PaymentRecord) -> None:
        self.payment = payment

    def find(self, payment_id: str) -> PaymentRecord | None:
        return self.payment if payment_id == self.payment.payment_id else None


class Pages:
    """Names without a table."""

    def name(self, municipality: str) -> MunicipalityName:
        return name_of(municipality)


def name_of(_: str) -> MunicipalityName:
    return MunicipalityName("اصفهان", "Isfahan")


@pytest.fixture(autouse=True)
def wired(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN_ISSUER", "issuer")
    monkeypatch.setenv("USER_POOL_CLIENT_ID", "client")
    monkeypatch.setattr(handler, "pages", Pages)


def call(
    monkeypatch: pytest.MonkeyPatch, paper: str, payment: PaymentRecord, *, serves: str = "*", asked: str = ""
) -> Any:
    monkeypatch.setattr(handler, "payments", lambda: Payments(payment))
    claims = {
        "token_use": "access",
        "iss": "issuer",
        "client_id": "client",
        "username": "u",
        "cognito:groups": ["office"],
        "serves": serves,
    }
    event = {
        "routeKey": f"GET /v1/payments/{{id}}/{paper}.pdf",
        "pathParameters": {"id": asked or payment.payment_id},
        "requestContext": {
            "requestId": "r",
            "http": {"method": "GET"},
            "authorizer": {"jwt": {"claims": claims, "scopes": ["avarez/payments.read"]}},
        },
    }
    return handler.handle(event, None)


@pytest.mark.parametrize(("paper", "payment"), [("slip", OPEN_BILL), ("receipt", SETTLED)])
def test_paper_is_answered_as_a_file_of_one_page(
    monkeypatch: pytest.MonkeyPatch, paper: str, payment: PaymentRecord
) -> None:
    answer = call(monkeypatch, paper, payment)
    assert (answer["statusCode"], answer["headers"]["content-type"]) == (200, "application/pdf")
    with pikepdf.open(io.BytesIO(base64.b64decode(answer["body"]))) as opened:
        assert len(opened.pages) == 1
        metadata = opened.open_metadata()
        assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("3", "A")
        assert metadata["pdfuaid:part"] == "1"
    assert call(monkeypatch, paper, payment)["body"] == answer["body"]


@pytest.mark.parametrize(
    ("paper", "payment"),
    [
        ("slip", SETTLED),
        ("slip", replace(OPEN_BILL, status="cancelled")),
        ("slip", replace(OPEN_BILL, channel="gateway", bill_id="", payment_code="")),
        ("receipt", OPEN_BILL),
        ("receipt", replace(OPEN_BILL, status="suspense")),
    ],
)
def test_paper_that_would_say_something_untrue_is_not_made(
    monkeypatch: pytest.MonkeyPatch, paper: str, payment: PaymentRecord
) -> None:
    answer = call(monkeypatch, paper, payment)
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (409, "paper_not_ready")


@pytest.mark.parametrize(("serves", "asked"), [("TEHRAN", ""), ("*", "py_" + "1" * 36), ("*", "nonsense")])
def test_payment_of_another_city_or_none_is_not_found(
    monkeypatch: pytest.MonkeyPatch, serves: str, asked: str
) -> None:
    answer = call(monkeypatch, "receipt", SETTLED, serves=serves, asked=asked)
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (404, "payment_not_found")


def test_barcode_on_the_slip_is_the_one_of_the_bill(tmp_path: Path) -> None:
    made = page.slip(OPEN_BILL, name_of)
    wanted = barcode(OPEN_BILL.bill_id, OPEN_BILL.payment_code)
    assert wanted == "12345678123610000245050140"
    seen = picture(made, tmp_path, 150)
    assert [code.text for code in zxingcpp.read_barcodes(seen)] == [wanted]
    assert read_by_zbar_code128(seen, tmp_path) == [wanted]


def read_by_zbar_code128(seen: Image.Image, folder: Path) -> list[str]:
    """What zbar reads of the bars."""
    seen.save(folder / "seen.png")
    command = ["zbarimg", "--quiet", "--raw", "-Sdisable", "-Scode128.enable", str(folder / "seen.png")]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()


def test_slip_says_both_ids_the_amount_and_the_last_day(tmp_path: Path) -> None:
    words = words_of(page.slip(OPEN_BILL, name_of), tmp_path)
    for text in ("1234567812361", "245050140", "2,450,000", "۱۴۰۵/۰۹/۰۳", "15 SAD 311 - Iran 13"):
        assert text in words, text
    assert "two million four hundred fifty thousand rial" in words


def test_receipt_says_what_was_given_back(tmp_path: Path) -> None:
    words = words_of(page.receipt(replace(SETTLED, status="refunded", refunded_rial=2_450_000), name_of), tmp_path)
    assert "Refunded (rial)" in words
    assert "123456" in words


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_on_a_receipt_is_text(text: str) -> None:
    """Scenario 36."""
    made = page.receipt(replace(SETTLED, tracking=text, office=text, gateway=text), name_of)
    with pikepdf.open(io.BytesIO(made)) as opened:
        for stored in opened.objects:
            if isinstance(stored, pikepdf.Dictionary):
                assert not {"/JS", "/JavaScript", "/AA", "/OpenAction", "/Launch", "/URI"} & set(stored.keys())
                assert stored.get("/Type") not in ("/Action", "/Annot")
