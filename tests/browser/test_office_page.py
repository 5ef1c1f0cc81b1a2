"""The office page in a real browser against set answers: each refusal has a way on, in both languages."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PHONE, paste_plate, shoot
from tests.browser.demo_answers import (
    ASSESSMENT_ID,
    CERTIFICATE_ID,
    PAYMENT_ID,
    PLATE,
    assessment,
    in_minutes,
    load,
    problem,
)
from tests.browser.office.steps import open_view, sign_in, to_quote, type_plate
from tests.browser.stub import Stub

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def answers(stub: Stub) -> None:
    load(stub)


def test_keyboard_alone_reaches_the_certificate(stub: Stub, page: Page) -> None:
    to_quote(page, stub)
    shoot(page, "office-quote")
    page.keyboard.press("Enter")
    expect(page.locator("#certificate-id")).to_have_text(CERTIFICATE_ID)
    expect(page.locator("#print")).to_be_focused()
    created = next(entry for entry in stub.seen if entry[:2] == ("POST", "/v1/payments"))
    assert created[2]["idempotency-key"]
    assert created[3] == {
        "assessment_id": ASSESSMENT_ID,
        "channel": "gateway",
        "return_url": f"{stub.origin}/?returned=1",
    }
    shoot(page, "office-certificate")


def test_no_plate_in_address_title_or_storage(stub: Stub, page: Page) -> None:
    to_quote(page, stub)
    kept = page.evaluate("JSON.stringify([location.href, document.title, {...sessionStorage}, {...localStorage}])")
    assert "345" not in kept.replace(ASSESSMENT_ID, "")
    assert "right" not in kept, "nor the password"
    assert page.evaluate("Object.keys(localStorage).filter((name) => name !== 'avarez.language')") == []


def test_every_line_is_shown_with_its_law_and_arithmetic(stub: Stub, page: Page) -> None:
    to_quote(page, stub)
    expect(page.locator("#owed")).to_contain_text("۱۸٬۶۹۲٬۰۰۰")
    page.get_by_role("button", name="باز کردن همهٔ سال‌ها").click()
    assert page.locator(".line").count() == len(assessment()["lines"])
    line = page.locator(".line").first
    expect(line).to_contain_text("مادهٔ ۲۹")
    line.get_by_role("button").click()
    expect(line.locator(".arithmetic")).to_contain_text("۱ در هزار")


def test_english_switch_changes_everything_and_keeps_the_place(stub: Stub, page: Page) -> None:
    to_quote(page, stub)
    page.locator("#language").click()
    expect(page.locator("html")).to_have_attribute("dir", "ltr")
    expect(page.locator("h1")).to_have_text("Duty in Tehran")
    expect(page.locator("#owed")).to_contain_text("18,692,000")
    assert len(stub.calls("POST /v1/assessments")) == 1, "the same quote, not another one"
    page.locator("#pay").click()
    expect(page.locator("#certificate-id")).to_be_visible()
    assert stub.seen[-1][2]["accept-language"] == "en" or any(
        entry[2].get("accept-language") == "en" for entry in stub.seen
    )
    visible = page.locator("body").inner_text()
    words = visible.replace(PLATE["text_fa"], "").replace("فارسی", "")
    persian = [word for word in words.split() if any("\u0600" <= character <= "\u06ff" for character in word)]
    assert set(persian) <= {"ایران", "ب", "۱۲", "۳۴۵", "۶۷"}, "only the drawn plate is Persian"
    shoot(page, "office-certificate-english")


def test_wrong_password_says_so_and_keeps_the_name(stub: Stub, page: Page) -> None:
    page.goto(stub.origin)
    page.locator("#username").fill("clerk")
    page.locator("#password").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("credentials_refused")
    expect(page.locator("#username")).to_have_value("clerk")
    expect(page.locator("#password")).to_be_focused()


def test_unknown_plate_offers_to_register(stub: Stub, page: Page) -> None:
    stub.answers[f"GET /v1/vehicles/{PLATE['key']}"] = problem(404, "vehicle_not_found")
    sign_in(page, stub)
    type_plate(page)
    expect(page.get_by_role("alert")).to_contain_text("در فهرست هیچ شهری نیست")
    page.get_by_role("button", name="ثبت خودرو از روی کارت").click()
    expect(page.locator("#field-plate")).to_have_value(PLATE["key"])


def test_incomplete_plate_asks_nothing_of_the_server(stub: Stub, page: Page) -> None:
    sign_in(page, stub)
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    assert not [path for _, path, _, _ in stub.seen if path.startswith("/v1/vehicles")]


def test_whole_plate_can_be_pasted_in_any_spelling(stub: Stub, page: Page) -> None:
    sign_in(page, stub)
    for text in ("۱۲ ب ۳۴۵ - ایران ۶۷", "12B345-67", "12 ب ٣٤٥ ايران67"):
        paste_plate(page, text)
        expect(page.locator("#plate-letter")).to_have_value("B")
        expect(page.locator("#plate-three")).to_have_value("۳۴۵")
        expect(page.locator("#plate-region")).to_have_value("۶۷")


def test_own_lock_counts_down_and_can_be_cancelled(stub: Stub, page: Page) -> None:
    stub.answers["POST /v1/payments"] = problem(
        409, "duty_locked", locked_until_at=in_minutes(5), payment_id=PAYMENT_ID
    )
    stub.answers[f"POST /v1/payments/{PAYMENT_ID}/cancellations"] = (
        200,
        {"payment_id": PAYMENT_ID, "status": "cancelled", "assessment_id": ASSESSMENT_ID},
    )
    to_quote(page, stub)
    page.locator("#pay").click()
    expect(page.locator("#locked-left")).to_contain_text("۴:")
    shoot(page, "office-locked")
    page.get_by_role("button", name="لغو آن پرداخت").click()
    expect(page.locator(".pay-message")).to_contain_text("لغو شد")
    expect(page.locator("#pay")).to_be_focused()


def test_lock_of_somebody_else_only_waits(stub: Stub, page: Page) -> None:
    stub.answers["POST /v1/payments"] = problem(409, "duty_locked", locked_until_at=in_minutes(0.03))
    to_quote(page, stub)
    page.locator("#pay").click()
    expect(page.locator(".locked")).to_be_visible()
    assert page.locator(".locked button").count() == 0
    expect(page.locator("#locked-left")).to_contain_text("آزاد شده")


def test_paid_duty_refreshes_the_standing(stub: Stub, page: Page) -> None:
    stub.answers["POST /v1/payments"] = problem(409, "duty_paid")
    to_quote(page, stub)
    page.locator("#pay").click()
    page.get_by_role("button", name="تازه کردن وضعیت").click()
    expect(page.locator("#pay")).to_be_focused()
    assert len(stub.calls(f"GET /v1/vehicles/{PLATE['key']}")) == 2


def test_expired_quote_is_replaced_by_the_fresh_one(stub: Stub, page: Page) -> None:
    fresh = assessment("as_" + "1" * 36)
    stub.answers["POST /v1/payments"] = problem(409, "quote_expired", assessment=fresh)
    to_quote(page, stub)
    page.locator("#pay").click()
    expect(page.get_by_role("alert")).to_contain_text("برآورد تازه")
    with page.expect_response("**/v1/payments"):
        page.locator("#pay").click()
    bodies = stub.calls("POST /v1/payments")
    assert [body["assessment_id"] for body in bodies] == [ASSESSMENT_ID, fresh["assessment_id"]]


def test_lost_session_is_mended_in_place(stub: Stub, page: Page) -> None:
    to_quote(page, stub)
    good = stub.answers["POST /v1/payments"]
    stub.answers["POST /v1/payments"] = (401, {"message": "Unauthorized"})
    page.locator("#pay").click()
    dialog = page.locator("dialog")
    expect(dialog).to_be_visible()
    expect(dialog.locator("#username")).to_have_value("clerk")
    stub.answers["POST /v1/payments"] = good
    dialog.locator("#password").fill("right")
    page.keyboard.press("Enter")
    expect(page.locator("#certificate-id")).to_be_visible()
    keys = {entry[2]["idempotency-key"] for entry in stub.seen if entry[:2] == ("POST", "/v1/payments")}
    assert len(keys) == 1, "one attempt, one key"


def test_no_answer_repeats_the_same_attempt(stub: Stub, page: Page) -> None:
    good = stub.answers["POST /v1/payments"]
    stub.answers["POST /v1/payments"] = problem(503, "outcome_unknown")
    to_quote(page, stub)
    page.locator("#pay").click()
    expect(page.get_by_role("alert")).to_contain_text("outcome_unknown")
    stub.answers["POST /v1/payments"] = good
    page.get_by_role("button", name="تلاش دوباره").click()
    expect(page.locator("#certificate-id")).to_be_visible()
    keys = {entry[2]["idempotency-key"] for entry in stub.seen if entry[:2] == ("POST", "/v1/payments")}
    assert len(keys) == 1


def test_owners_number_goes_out_with_his_consent_and_stays_nowhere(stub: Stub, page: Page) -> None:
    path = f"/v1/vehicles/{PLATE['key']}/mobile-numbers"
    malformed = [{"pointer": "/mobile", "code": "mobile_malformed", "message": "با ۰۹ آغاز می‌شود"}]
    stub.answers[f"POST {path}"] = problem(422, "invalid_input", errors=malformed)
    to_quote(page, stub)
    page.locator("#tell-owner summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("۰۹۱۲ ۱۲۳ ۴۵")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("نخست از مالک بپرسید")
    expect(page.locator("#consent")).to_be_focused()
    assert stub.calls(f"POST {path}") == []
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("با ۰۹ آغاز می‌شود")
    expect(page.locator("#give-mobile")).to_be_focused()
    stub.answers[f"POST {path}"] = (201, {"mobile": "09•••••••67"})
    page.locator("#mobile").fill("۰۹۱۲ ۱۲۳ ۴۵۶۷")
    page.keyboard.press("Enter")
    expect(page.locator("#mobile-given")).to_have_text("۰۹•••••••۶۷")
    expect(page.locator("#other-mobile")).to_be_focused()
    sent = {"municipality": "TEHRAN", "mobile": "0912 123 4567", "consent": True, "language": "fa"}
    assert stub.calls(f"POST {path}")[-1] == sent
    kept = page.evaluate(
        "JSON.stringify([{...sessionStorage}, {...localStorage}, location.href]) + document.body.innerHTML"
    )
    assert "4567" not in kept.replace(PLATE["key"], "")
    assert page.locator("#mobile").count() == 0
    stub.answers[f"POST {path}"] = problem(409, "owner_unknown")
    open_view(page, f"#/certificate/{CERTIFICATE_ID}")
    page.locator("#tell-owner summary").click()
    page.locator("#mobile").fill("09121234567")
    page.locator("#consent").check()
    page.locator("#give-mobile").click()
    expect(page.get_by_role("alert")).to_contain_text("owner_unknown")
    shoot(page, "office-tell-owner")


def payment(status: str) -> tuple[int, dict[str, Any]]:
    return 200, {
        "payment_id": PAYMENT_ID,
        "assessment_id": ASSESSMENT_ID,
        "status": status,
        "amount_rial": "18692000",
    }


def test_progress_waits_for_the_gateway_and_the_certificate(stub: Stub, page: Page) -> None:
    settled = stub.answers[f"GET /v1/payments/{PAYMENT_ID}"]
    record = stub.answers[f"GET /v1/certificates/{CERTIFICATE_ID}"]
    stub.answers[f"GET /v1/payments/{PAYMENT_ID}"] = payment("verifying")
    to_quote(page, stub)
    page.locator("#pay").click()
    expect(page.locator("[aria-current=step]")).to_contain_text("پاسخ درگاه")
    shoot(page, "office-progress")
    stub.answers[f"GET /v1/certificates/{CERTIFICATE_ID}"] = (200, {**record[1], "status": "preparing"})  # type: ignore[index]
    stub.answers[f"GET /v1/payments/{PAYMENT_ID}"] = settled
    expect(page.locator("[aria-current=step]")).to_contain_text("صدور گواهی")
    stub.answers[f"GET /v1/certificates/{CERTIFICATE_ID}"] = record
    expect(page.locator("#certificate-id")).to_be_visible()


@pytest.mark.parametrize("status", ["failed", "cancelled", "expired", "suspense"])
def test_other_endings_say_what_became_of_the_money(stub: Stub, page: Page, status: str) -> None:
    stub.answers[f"GET /v1/payments/{PAYMENT_ID}"] = payment(status)
    to_quote(page, stub)
    page.locator("#pay").click()
    expect(page.get_by_role("alert")).to_contain_text("پول")
    shoot(page, f"office-{status}")
    if status == "suspense":
        assert page.locator("#back-to-quote").count() == 0, "nobody is led to pay again"
        return
    page.locator("#back-to-quote").click()
    expect(page.locator("#pay")).to_be_visible()


def test_pdf_is_read_from_the_store_and_shown(stub: Stub, page: Page) -> None:
    asked: list[str] = []
    stub.answers[f"GET /v1/certificates/{CERTIFICATE_ID}/pdf"] = (200, {"url": f"{stub.origin}/v1/store.pdf"})
    stub.answers["GET /v1/store.pdf"] = (200, b"%PDF-1.4\n%%EOF\n")
    to_quote(page, stub)
    page.locator("#pay").click()
    expect(page.locator("#open-pdf")).to_be_visible()
    with page.context.expect_page() as opened:
        page.locator("#open-pdf").click()
    opened.value.close()
    asked.extend(path for _, path, _, _ in stub.seen)
    assert "/v1/store.pdf" in asked
    store = next(headers for _, path, headers, _ in stub.seen if path == "/v1/store.pdf")
    assert "authorization" not in store, "the token stays with the API"


def test_no_network_is_said_plainly(stub: Stub, page: Page) -> None:
    sign_in(page, stub)
    page.context.set_offline(True)
    expect(page.locator("#offline")).to_be_visible()
    type_plate(page)
    expect(page.get_by_role("alert")).to_contain_text("ارتباط با سامانه برقرار نشد")
    page.context.set_offline(False)
    expect(page.locator("#offline")).to_be_hidden()


def test_sign_out_leaves_nothing(stub: Stub, page: Page) -> None:
    to_quote(page, stub)
    page.locator("#sign-out").click()
    expect(page.locator("#username")).to_be_visible()
    assert json.loads(page.evaluate("JSON.stringify({...sessionStorage})")) == {}


def test_phone_needs_no_sideways_scrolling(stub: Stub, browser: Browser) -> None:
    context = browser.new_context(viewport=PHONE)  # type: ignore[arg-type]
    page = context.new_page()
    to_quote(page, stub)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    shoot(page, "office-quote-phone")
    page.locator("#pay").click()
    expect(page.locator("#certificate-id")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    context.close()
