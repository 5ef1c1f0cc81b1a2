"""Search by number, fleets and objections against set answers."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import shoot
from tests.browser.demo_answers import ASSESSMENT_ID, PAYMENT_ID, PLATE, load
from tests.browser.office.steps import open_view, sign_in, to_quote
from tests.browser.stub import Stub

pytestmark = pytest.mark.browser
FLEET_ID = "fl_" + "0" * 36
OBJECTION_ID = "ob_" + "0" * 36
PDF = b"%PDF-1.4\n%%EOF\n"


def fleet(done: int) -> dict[str, Any]:
    return {
        "fleet_id": FLEET_ID,
        "title": "ناوگان شرق",
        "rows": 3,
        "status": "complete" if done == 3 else "assessing",
        "rows_done": done,
        "verdicts": {"owed": 2, "plate_malformed": 1} if done == 3 else {},
        "owed_rial": "37384000" if done == 3 else "0",
        "owed_by_municipality": {"TEHRAN": "37384000"} if done == 3 else {},
    }


def quoted(number: int) -> dict[str, Any]:
    quotes = [{"assessment_id": f"as_{number:036d}", "municipality": "TEHRAN", "owed_rial": "18692000"}]
    return {
        "row": number,
        "given": "12B345-67",
        "plate": "12B345-67",
        "verdict": "owed",
        "message_fa": "بدهکار؛ برآوردها امروز قابل پرداخت است.",
        "message_en": "Owed; the quotes can be paid today.",
        "owed_rial": "18692000",
        "quotes": quotes,
    }


def objection(status: str) -> dict[str, Any]:
    return {
        "objection_id": OBJECTION_ID,
        "assessment_id": ASSESSMENT_ID,
        "municipality": "TEHRAN",
        "plate": PLATE["key"],
        "years": [1404, 1405],
        "reason": "wrong_price",
        "text": "قیمت کارخانه ۲ میلیارد است",
        "evidence": [],
        "status": status,
        "created_at": "2026-11-27T08:05:00Z",
        "due_at": "2026-12-27T08:05:00Z",
        "events": [],
    }


@pytest.fixture(autouse=True)
def answers(stub: Stub) -> None:
    load(stub)


@pytest.mark.parametrize(
    ("by", "typed", "sent"),
    [("vin", "irfc۹۴۱۲۳۴۰۰۱۲۳۴۵", "IRFC9412340012345"), ("chassis", "s-123", "S-123"), ("engine", "۱۲۳", "123")],
)
def test_vehicle_is_found_by_another_number(stub: Stub, page: Page, by: str, typed: str, sent: str) -> None:
    stub.answers[f"GET /v1/vehicles?{by}={sent}"] = stub.answers[f"GET /v1/vehicles/{PLATE['key']}"]
    sign_in(page, stub)
    page.locator(f'input[name="by"][value="{by}"]').check(force=True)
    page.locator("#identifier").fill(typed)
    page.keyboard.press("Enter")
    expect(page.locator("#pay")).to_be_focused()


def test_fleet_has_a_verdict_for_each_row_and_is_paid_as_one(stub: Stub, page: Page) -> None:
    stub.answers["POST /v1/fleets"] = (201, fleet(0))
    states = iter([fleet(1)])
    stub.answers[f"GET /v1/fleets/{FLEET_ID}"] = lambda body: (200, next(states, fleet(3)))
    bad = {
        "row": 2,
        "given": "not a plate",
        "verdict": "plate_malformed",
        "message_fa": "پلاک درست نیست",
        "message_en": "Not a plate",
    }
    rows = {"fleet_id": FLEET_ID, "rows": [quoted(1), bad, quoted(3)], "cursor": None}
    stub.answers[f"GET /v1/fleets/{FLEET_ID}/rows"] = (200, rows)
    whole = {
        "payment_id": PAYMENT_ID,
        "status": "settled",
        "channel": "gateway",
        "parts": 2,
        "amount_rial": "37384000",
        "fee_rial": "0",
    }
    stub.answers[f"GET /v1/payments/{PAYMENT_ID}"] = (200, whole)
    stub.answers[f"GET /v1/payments/{PAYMENT_ID}/summary.pdf"] = (200, PDF)
    part = {"payment_id": "py_1", "status": "settled", "plate": PLATE, "amount_rial": "18692000"}
    parts = {"payment_id": PAYMENT_ID, "parts": [part, part], "cursor": None}
    stub.answers[f"GET /v1/payments/{PAYMENT_ID}/parts"] = (200, parts)
    sign_in(page, stub)
    page.locator("#nav-fleet").click()
    page.locator("#fleet-title").fill("ناوگان شرق")
    page.locator("#fleet-plates").fill(f"plate\n12B345-67;x\nnot a plate\n\n۱۲ ب ۳۴۵ - ایران ۶۷\n{'9' * 300}\n")
    expect(page.locator("#send-fleet")).to_have_text("بررسی ۴ پلاک")
    page.locator("#send-fleet").click()
    expect(page.locator("#fleet-progress")).to_contain_text("۳ از ۳")
    (sent,) = stub.calls("POST /v1/fleets")
    assert sent["plates"] == ["12B345-67", "not a plate", "۱۲ ب ۳۴۵ - ایران ۶۷", "9" * 64]
    expect(page.locator("tbody tr")).to_have_count(3)
    expect(page.locator("tbody tr").nth(1)).to_contain_text("پلاک نادرست")
    shoot(page, "office-fleet")
    assert page.locator('input[name="channel"]').count() == 0, "several quotes are paid at a gateway alone"
    page.locator("#pay").click()
    expect(page.locator("#print")).to_contain_text("خلاصه")
    expect(page.locator(".row")).to_have_count(2)
    expect(page.locator(".row").first).to_contain_text("۱۲ ب ۳۴۵ - ایران ۶۷")
    (paid,) = stub.calls("POST /v1/payments")
    assert paid["assessment_ids"] == ["as_" + "1".zfill(36), "as_" + "3".zfill(36)]


def test_file_of_plates_is_read_in_the_browser(stub: Stub, page: Page) -> None:
    sign_in(page, stub)
    open_view(page, "#/fleet")
    content = "\ufeffplate,owner\n12B345-67,x\n".encode()
    page.locator("#fleet-file").set_input_files({"name": "east.csv", "mimeType": "text/csv", "buffer": content})
    expect(page.locator("#send-fleet")).to_have_text("بررسی ۱ پلاک")
    expect(page.locator("#fleet-title")).to_have_value("east")


def test_objection_is_filed_read_and_withdrawn(stub: Stub, page: Page) -> None:
    stub.answers["POST /v1/objections"] = (201, objection("open"))
    stub.answers[f"GET /v1/objections/{OBJECTION_ID}"] = (200, objection("open"))

    def withdrawn(body: dict[str, Any]) -> Any:
        stub.answers[f"GET /v1/objections/{OBJECTION_ID}"] = (200, objection("withdrawn"))
        return stub.answers[f"GET /v1/objections/{OBJECTION_ID}"]

    stub.answers[f"POST /v1/objections/{OBJECTION_ID}/withdrawals"] = withdrawn
    to_quote(page, stub)
    page.locator("#object").click()
    page.locator("#objection-reason").select_option("wrong_price")
    page.locator("#objection-text").fill("قیمت کارخانه ۲ میلیارد است")
    page.locator("#objection-evidence").fill("سند ۱۲")
    shoot(page, "office-object")
    page.locator("#file-objection").click()
    expect(page.locator("#objection-status")).to_have_text("در دست بررسی")
    (sent,) = stub.calls("POST /v1/objections")
    assert sent == {
        "assessment_id": ASSESSMENT_ID,
        "reason": "wrong_price",
        "text": "قیمت کارخانه ۲ میلیارد است",
        "evidence": [{"kind": "document", "reference": "سند ۱۲"}],
    }
    shoot(page, "office-objection")
    page.locator("#withdraw").click()
    expect(page.locator("#objection-status")).to_have_text("پس گرفته")


def test_objections_of_a_city_are_listed(stub: Stub, page: Page) -> None:
    stub.answers["GET /v1/objections"] = (200, {"municipality": "ISFAHAN", "objections": [objection("open")]})
    sign_in(page, stub)
    page.locator("#nav-objections").click()
    page.locator("#objections-city").select_option("ISFAHAN")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".row")).to_contain_text("در دست بررسی")
    assert ("GET", "/v1/objections?municipality=ISFAHAN") in [entry[:2] for entry in stub.seen]
    page.locator(".row a").click()
    expect(page).to_have_url(re.compile(f"#/objection/{OBJECTION_ID}"))
