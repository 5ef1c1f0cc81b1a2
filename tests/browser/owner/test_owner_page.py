"""The owner's page against set answers: the journey by keyboard, nothing twice, and every refusal's way on."""

from __future__ import annotations

import time
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import shoot
from tests.browser.demo_answers import ASSESSMENT_ID, CERTIFICATE_ID, PAYMENT_ID, in_minutes, problem
from tests.browser.office.steps import open_view
from tests.browser.office.test_slow_line import SLOW_MS, keys_of, lose_first_answers, slow
from tests.browser.owner.answers import (
    FAILED_ID,
    NATIONAL_ID,
    PENDING_ID,
    STOP,
    TOKEN,
    begin,
    load,
    look_up,
    payment,
)
from tests.browser.stub import Stub

pytestmark = pytest.mark.browser

__all__ = ["slow"]


def test_owner_comes_from_his_plate_to_his_certificate_by_keyboard(stub: Stub, page: Page) -> None:
    begin(page, stub)
    (asked,) = stub.calls("POST /v1/owner/sessions")
    assert asked == {"plate": "12B345-67", "national_id": NATIONAL_ID}
    first = page.locator("details.year").first
    first.locator("summary").click()
    first.get_by_role("button", name="چرا").first.click()
    expect(first.locator(".arithmetic").first).to_contain_text("در هزار")
    page.locator("#pay").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#certificate-id")).to_have_text(CERTIFICATE_ID)
    expect(page.locator("#open-pdf")).to_be_focused()
    assert page.url == f"{stub.origin}/my#/certificate/{CERTIFICATE_ID}"
    (opened,) = stub.calls("POST /v1/owner/payments")
    assert opened == {"assessment_id": ASSESSMENT_ID, "return_url": f"{stub.origin}/my?returned=1"}
    expect(page.locator("#verify-link")).to_have_attribute("href", f"{stub.origin}/v#123")
    owners = [(method, path) for method, path, headers, _ in stub.seen if headers.get("authorization")]
    assert owners
    assert all(path.startswith("/v1/owner/") for _, path in owners)
    assert {headers["authorization"] for *_, headers, _ in stub.seen if headers.get("authorization")} == {
        f"Bearer {TOKEN}"
    }


def test_nothing_of_the_person_is_kept_in_address_title_or_storage(stub: Stub, page: Page) -> None:
    begin(page, stub)
    kept = page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}, document.title, location.href])")
    assert NATIONAL_ID not in kept
    assert "12B345" not in kept
    assert page.locator("#national-id").count() == 0
    page.locator("#sign-out").click()
    expect(page.locator("#national-id")).to_have_value("")
    assert page.evaluate("sessionStorage.length") == 0


def test_double_click_pays_once_and_a_lost_answer_keeps_the_key(stub: Stub, page: Page) -> None:
    begin(page, stub)

    def lost(body: dict[str, Any]) -> tuple[int, dict[str, str]]:
        time.sleep(1)  # the second press comes while the first one is under way
        return 500, {"code": "internal_error"}

    stub.answers["POST /v1/owner/payments"] = lost
    page.locator("#pay").dblclick()
    expect(page.locator(".pay-message .notice")).to_be_visible()
    page.locator(".pay-message button").click()
    expect(page.locator("#pay .spinner")).to_be_visible()
    expect(page.locator(".pay-message .notice")).to_be_visible()
    keys = [headers["idempotency-key"] for _, path, headers, _ in stub.seen if path == "/v1/owner/payments"]
    assert len(keys) == 2
    assert len(set(keys)) == 1


def test_journey_over_a_slow_and_lossy_line_pays_once_and_says_where_it_stands(stub: Stub, slow: Page) -> None:
    load(stub)
    lost = lose_first_answers(slow)
    look_up(slow, stub)
    expect(slow.locator("#look-up")).to_contain_text("در حال جست‌وجو")
    expect(slow.get_by_role("alert")).to_contain_text("ارتباط با سامانه برقرار نشد")
    expect(slow.locator("#national-id")).not_to_have_value("")
    slow.locator("#look-up").press("Enter")
    expect(slow.locator("#pay")).to_be_focused(timeout=SLOW_MS)
    slow.keyboard.press("Enter")
    expect(slow.locator("#pay")).to_contain_text("درگاه")
    expect(slow.locator("#certificate-id")).to_have_text(CERTIFICATE_ID, timeout=SLOW_MS)
    for call in ("POST owner/sessions", "GET owner/standing", "POST owner/assessments", "POST owner/payments"):
        assert lost[call] >= 2, f"{call} lost its first answer"
    assert lost[f"GET owner/certificates/{CERTIFICATE_ID}"] >= 2
    for path in ("/v1/owner/assessments", "/v1/owner/payments"):
        keys = keys_of(stub, path)
        assert len(keys) == 2, path
        assert len(set(keys)) == 1, "asked again as the same attempt"
        assert keys[0], path


def test_reload_keeps_the_place_in_every_view(stub: Stub, page: Page) -> None:
    begin(page, stub)
    page.reload()
    expect(page.locator("#owed")).to_be_visible()
    open_view(page, f"#/payment/{PENDING_ID}")
    expect(page.locator("#cancel-payment")).to_be_visible()
    page.reload()
    expect(page.locator("#cancel-payment")).to_be_visible()
    open_view(page, f"#/certificate/{CERTIFICATE_ID}")
    page.reload()
    expect(page.locator("#certificate-id")).to_be_visible()
    assert len(stub.calls("POST /v1/owner/sessions")) == 1


def test_wrong_pair_says_what_to_compare_and_keeps_what_was_typed(stub: Stub, page: Page) -> None:
    load(stub)
    look_up(page, stub, "1234567891")
    expect(page.locator(".notice-warn li")).to_have_count(3)
    expect(page.locator("#plate-three")).to_have_value("۳۴۵")
    expect(page.locator("#national-id")).to_have_value("۱۲۳۴۵۶۷۸۹۱")
    shoot(page, "owner-not-matched-fa")
    stub.answers["POST /v1/owner/sessions"] = problem(429, "too_many_attempts")
    page.locator("#look-up").click()
    expect(page.locator(".notice-warn")).to_contain_text("دقیقهٔ دیگر")


def test_unfinished_plate_or_id_asks_nothing(stub: Stub, page: Page) -> None:
    load(stub)
    page.goto(f"{stub.origin}/my")
    page.locator("#look-up").click()
    expect(page.locator(".notice-bad")).to_contain_text("پلاک کامل نیست")
    for key in "12b34567":
        page.keyboard.press(key)
    page.locator("#national-id").fill("123")
    page.locator("#look-up").click()
    expect(page.locator(".notice-bad")).to_contain_text("ده رقم")
    assert stub.calls("POST /v1/owner/sessions") == []


def test_session_that_ends_is_taken_up_over_the_work(stub: Stub, page: Page) -> None:
    begin(page, stub)
    stub.answers["POST /v1/owner/payments"] = problem(401, "unauthorized")
    page.locator("#pay").click()
    dialog = page.locator("dialog[open]")
    expect(dialog).to_be_visible()
    shoot(page, "owner-again-fa")
    opened = payment("pending", redirect_url=f"{stub.origin}/my?returned=1")
    stub.answers["POST /v1/owner/payments"] = (201, opened)
    for key in "12b34567":
        page.keyboard.press(key)
    dialog.locator("#national-id").fill(NATIONAL_ID)
    dialog.locator("#look-up").click()
    expect(page.locator("#certificate-id")).to_be_visible()


def test_locked_duty_counts_down_and_leads_back_to_the_owners_own_payment(stub: Stub, page: Page) -> None:
    begin(page, stub)
    stub.answers["POST /v1/owner/payments"] = problem(
        409, "duty_locked", locked_until_at=in_minutes(12), payment_id=PENDING_ID
    )
    page.locator("#pay").click()
    expect(page.locator("#locked-left")).to_contain_text("۱۱:")
    page.locator(".locked .button").first.click()
    expect(page.locator("#cancel-payment")).to_be_visible()


def test_payment_that_fails_says_so_and_the_next_one_is_new(stub: Stub, page: Page) -> None:
    begin(page, stub)
    stub.answers[f"GET /v1/owner/payments/{PAYMENT_ID}"] = (200, payment("failed"))
    page.locator("#pay").click()
    expect(page.locator("#back-to-quote")).to_be_focused()
    expect(page.locator(".sentence")).to_contain_text("خودکار برمی‌گرداند")
    page.locator("#back-to-quote").click()
    expect(page.locator("#pay")).to_be_visible()
    stub.answers[f"GET /v1/owner/payments/{PAYMENT_ID}"] = (
        200,
        payment("settled", certificate_id=CERTIFICATE_ID),
    )
    page.locator("#pay").click()
    expect(page.locator("#certificate-id")).to_be_visible()
    keys = [headers["idempotency-key"] for _, path, headers, _ in stub.seen if path == "/v1/owner/payments"]
    assert len(set(keys)) == 2


def test_payment_of_another_car_leads_back(stub: Stub, page: Page) -> None:
    begin(page, stub)
    stub.answers[f"GET /v1/owner/payments/{FAILED_ID}"] = problem(404, "payment_not_found")
    open_view(page, f"#/payment/{FAILED_ID}")
    page.locator(".notice-bad button").click()
    expect(page.locator("#pay")).to_be_visible()


def test_clerk_in_the_same_tab_stays_signed_in(stub: Stub, page: Page) -> None:
    load(stub)
    page.goto(stub.origin)
    page.locator("#username").fill("clerk")
    page.locator("#password").fill("right")
    page.keyboard.press("Enter")
    expect(page.locator("#plate-two")).to_be_focused()
    look_up(page, stub)
    expect(page.locator("#pay")).to_be_visible()
    page.goto(stub.origin)
    expect(page.locator("#sign-out")).to_be_visible()


def test_number_is_given_with_consent_alone_and_taken_back(stub: Stub, page: Page) -> None:
    begin(page, stub)
    page.locator("#mobile").fill("۰۹۱۲۱۲۳۴۵۶۷")
    page.locator("#give-mobile").click()
    expect(page.locator(".mobile .notice-bad")).to_be_visible()
    assert stub.calls("POST /v1/owner/mobile-numbers") == []
    page.locator("#consent").check()
    page.locator("#give-mobile").click()
    expect(page.locator("#mobile-given")).to_have_text("۰۹•••••••۶۷")
    expected = {"mobile": "09121234567", "consent": True, "language": "fa"}
    assert stub.calls("POST /v1/owner/mobile-numbers") == [expected]
    page.locator("#remove-mobile").click()
    expect(page.locator("#mobile")).to_have_value("")


def test_link_of_a_message_stops_them_without_a_session(stub: Stub, page: Page) -> None:
    load(stub)
    page.goto(f"{stub.origin}/my#/stop/{STOP}")
    page.locator("#stop").click()
    expect(page.locator("#stopped")).to_be_visible()
    page.goto(f"{stub.origin}/my#/stop/nonsense")
    page.locator("#stop").click()
    expect(page.locator(".notice-bad")).to_contain_text("stop_unknown")
    assert all("authorization" not in headers for *_, headers, _ in stub.seen)
