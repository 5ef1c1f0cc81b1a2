"""Slip and receipt: who gets one when, what stands on it, and the barcode as a counter's reader sees it."""

from __future__ import annotations

import base64
import io
import json
import subprocess
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pikepdf
import pytest
import zxingcpp
from moto import mock_aws
from PIL import Image

from avarez import keys
from avarez.certificates.short_code import printed, short_code
from avarez.clock import to_rfc3339
from avarez.dynamo import transact
from avarez.plates import parse_plate
from functions.certify.document.page import MunicipalityName
from functions.certify.papers import fleet, handler, page
from functions.certify.papers.payment import PaidYear, PaymentRecord, PaymentTable
from functions.pay.rules.bills import barcode
from tests.contract.payments.test_payment_store import make_tables
from tests.unit.certificates.test_document import HOSTILE, picture, words_of

ORIGIN = "https://avarez.example"
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


JOINT = replace(
    SETTLED, municipality="NATIONAL", plate="", years=(), rounding_rial=0, parts=3, amount_rial=3 * 2_450_000,
    bill_id="", payment_code="", channel="gateway", gateway="sandbox", created_by="maker", office="",
)  # fmt: skip


def part(number: int) -> PaymentRecord:
    """A settled part of the joint payment; its number is its plate's and its certificate's."""
    certificate_id = f"ce_{number:036d}"
    payment_id = f"py_{number:036d}"
    plate = f"12B{number % 900 + 100}-{number // 900 + 11}"
    single = replace(SETTLED, bill_id="", payment_code="", channel="gateway", gateway="sandbox")
    return replace(single, payment_id=payment_id, plate=plate, certificate_id=certificate_id)


class Payments:
    """One payment."""

    def __init__(self, payment: PaymentRecord) -> None:
        self.payment = payment

    def find(self, payment_id: str) -> PaymentRecord | None:
        return self.payment if payment_id == self.payment.payment_id else None

    def parts(self, payment_id: str, first: int, count: int) -> list[PaymentRecord]:
        assert payment_id == self.payment.payment_id
        return [part(number) for number in range(self.payment.parts)][first : first + count]


class Pages:
    """Names without a table."""

    def name(self, municipality: str) -> MunicipalityName:
        return name_of(municipality)


class Budgets:
    """Whether a city has published one, without a table."""

    def __init__(self, *cities: str) -> None:
        self.cities = cities

    def published(self, municipality: str) -> bool:
        return municipality in self.cities


def name_of(_: str) -> MunicipalityName:
    return MunicipalityName("اصفهان", "Isfahan")


@pytest.fixture(autouse=True)
def wired(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN_ISSUER", "issuer")
    monkeypatch.setenv("USER_POOL_CLIENT_ID", "client")
    monkeypatch.setenv("PUBLIC_ORIGIN", ORIGIN)
    monkeypatch.setattr(handler, "pages", Pages)
    monkeypatch.setattr(handler, "budgets", Budgets)


def call(
    monkeypatch: pytest.MonkeyPatch,
    paper: str,
    payment: PaymentRecord,
    *,
    serves: str = "*",
    asked: str = "",
    user: str = "u",
    **query: str,
) -> Any:
    monkeypatch.setattr(handler, "payments", lambda: Payments(payment))
    claims = {
        "token_use": "access",
        "iss": "issuer",
        "client_id": "client",
        "username": user,
        "cognito:groups": ["office"],
        "serves": serves,
    }
    event = {
        "routeKey": f"GET /v1/payments/{{id}}/{paper}.pdf",
        "pathParameters": {"id": asked or payment.payment_id},
        "queryStringParameters": query,
        "requestContext": {
            "requestId": "r",
            "http": {"method": "GET"},
            "authorizer": {"jwt": {"claims": claims, "scopes": ["avarez/payments.read"]}},
        },
    }
    return handler.handle(event, None)


@pytest.mark.parametrize(("paper", "payment"), [("slip", OPEN_BILL), ("receipt", SETTLED), ("summary", JOINT)])
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
        ("receipt", JOINT),
        ("summary", SETTLED),
        ("summary", replace(JOINT, status="verifying")),
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


@pytest.mark.parametrize("cities", [("ISFAHAN", "QOM"), ("QOM",)])
def test_receipt_says_where_the_budget_stands_if_one_was_published(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cities: tuple[str, ...]
) -> None:
    monkeypatch.setattr(handler, "budgets", lambda: Budgets(*cities))
    words = words_of(base64.b64decode(call(monkeypatch, "receipt", SETTLED)["body"]), tmp_path)
    assert (f"{ORIGIN}/open#/city/ISFAHAN/budget" in words) == ("ISFAHAN" in cities)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_on_a_receipt_is_text(text: str) -> None:
    """Scenario 36."""
    made = page.receipt(replace(SETTLED, tracking=text, office=text, gateway=text), name_of)
    with pikepdf.open(io.BytesIO(made)) as opened:
        for stored in opened.objects:
            if isinstance(stored, pikepdf.Dictionary):
                assert not {"/JS", "/JavaScript", "/AA", "/OpenAction", "/Launch", "/URI"} & set(stored.keys())
                assert stored.get("/Type") not in ("/Action", "/Annot")


def test_summary_names_every_plate_with_its_certificate_and_code(tmp_path: Path) -> None:
    back = replace(part(2), status="refunded", refunded_rial=2_450_000)
    words = words_of(fleet.summary(JOINT, [part(0), part(1), back], name_of), tmp_path)
    for number in range(3):
        one = part(number)
        for text in (parse_plate(one.plate).text_en, one.certificate_id, printed(short_code(one.certificate_id))):
            assert text in words, text
    assert "7,350,000" in words
    assert "refunded 2,450,000" in words
    assert words.count("1404 and 1405") == 3


def test_summary_of_many_plates_comes_in_sheets_that_have_each_plate_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(fleet, "SHEET_PLATES_MAX", 40)
    many = replace(JOINT, parts=90, amount_rial=90 * 2_450_000)
    seen = ""
    for sheet in ("1", "2", "3"):
        answer = call(monkeypatch, "summary", many, sheet=sheet)
        assert answer["statusCode"] == 200
        words = words_of(base64.b64decode(answer["body"]), tmp_path)
        assert f"Sheet {sheet} of 3" in words
        seen += words
    assert all(seen.count(part(number).certificate_id) == 1 for number in range(90))
    for sheet in ("0", "4", "x", "۱"):
        assert json.loads(call(monkeypatch, "summary", many, sheet=sheet)["body"])["code"] == "invalid_input"


def test_summary_is_its_makers_although_he_serves_few_cities(monkeypatch: pytest.MonkeyPatch) -> None:
    assert call(monkeypatch, "summary", JOINT, serves="TEHRAN", user="maker")["statusCode"] == 200
    assert call(monkeypatch, "summary", JOINT, serves="TEHRAN", user="another")["statusCode"] == 404


def test_parts_are_read_in_the_order_in_which_they_were_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        duty, _ = make_tables()
        joint = "py_joint"
        for chunk in range(2):
            members = [{"payment_id": part(chunk * 3 + of).payment_id} for of in range(3)]
            transact(
                [duty.put_new(keys.joint_members(joint, chunk), {"members": members})], dynamodb=duty.dynamodb
            )
        for number in reversed(range(6)):
            one = part(number)
            key = keys.payment(one.municipality, one.plate, one.payment_id)
            item = {**stored(one), "pk": key[0], "sk": key[1]}
            place = {"target_pk": key[0], "target_sk": key[1]}
            writes = [duty.put_new(key, item), duty.put_new(keys.pointer(one.payment_id), place)]
            transact(writes, dynamodb=duty.dynamodb)
        read = PaymentTable(duty).parts(joint, 2, 3)
    assert read == [part(2), part(3), part(4)]


def stored(payment: PaymentRecord) -> dict[str, Any]:
    """The item of a payment, as far as papers read it."""
    item = asdict(payment)
    times = {name: to_rfc3339(item[name]) for name in ("created_at", "expires_at", "settled_at")}
    return {**item, **times, "plate_key": item.pop("plate"), "years": [dict(year) for year in item["years"]]}
