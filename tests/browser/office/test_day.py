"""The office's day against set answers: its payments page by page, a terminal's closing, refunds."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import shoot
from tests.browser.demo_answers import PAYMENT_ID, PLATE, load, problem
from tests.browser.office.steps import open_view, sign_in
from tests.browser.stub import Stub

pytestmark = pytest.mark.browser
REFUND: dict[str, Any] = {
    "refund_id": "rf_" + "0" * 36,
    "payment_id": PAYMENT_ID,
    "status": "requested",
    "municipality": "TEHRAN",
    "plate": PLATE,
    "amount_rial": "2640000",
    "reason": "دوبار پرداخت شده",
    "requested_by": "clerk",
}
CLOSING = {
    "closing_id": "cl_1",
    "terminal_id": "T-101",
    "day_jalali": "1405-09-06",
    "lines": 2,
    "counted_rial": "18742000",
    "ours_rial": "18692000",
    "variance_rial": "50000",
}


def row(number: int, status: str, channel: str = "gateway") -> dict[str, Any]:
    return {
        "payment_id": f"py_{number:036d}",
        "status": status,
        "channel": channel,
        "municipality": "TEHRAN",
        "plate": PLATE,
        "amount_rial": "18692000",
        "created_at": f"2026-11-27T0{number}:05:00Z",
        **({"terminal": "T-101"} if channel == "pos" else {}),
    }


@pytest.fixture(autouse=True)
def answers(stub: Stub) -> None:
    load(stub)
    answer_the_day(stub)


def answer_the_day(stub: Stub) -> None:
    """The stub knows an office's day in two pages, a terminal and a refund."""
    first = [row(6, "settled"), row(5, "verifying", "pos"), row(4, "pending", "bill"), row(3, "cancelled")]
    day = {"office": "OFFICE-TEHRAN-101", "day_jalali": "1405-09-06"}
    stub.answers["GET /v1/payments"] = (200, {**day, "payments": first, "cursor": first[-1]["payment_id"]})
    rest = {**day, "payments": [row(2, "settled"), row(1, "suspense")], "cursor": None}
    stub.answers[f"GET /v1/payments?cursor={first[-1]['payment_id']}"] = (200, rest)
    terminal = {"terminal_id": "T-101", "office": "OFFICE-TEHRAN-101", "acquirer": "saman", "serial": ""}
    stub.answers["GET /v1/terminals"] = (200, {"office": "OFFICE-TEHRAN-101", "terminals": [terminal]})
    stub.answers["GET /v1/terminals/T-101"] = (200, {**terminal, "sales": [row(5, "pending", "pos")]})
    stub.answers["POST /v1/terminals/T-101/closings"] = (200, CLOSING)
    stub.answers["GET /v1/municipalities/ISFAHAN/refunds"] = (200, {"refunds": [REFUND], "cursor": None})


def test_day_is_listed_page_by_page_with_what_was_booked(stub: Stub, page: Page) -> None:
    sign_in(page, stub)
    page.locator("#nav-today").click()
    expect(page.locator("tr[data-payment]")).to_have_count(4)
    expect(page.locator("#day-sums")).to_contain_text("۴ پرداخت، ۱ ثبت‌شده")
    shoot(page, "office-day")
    page.locator("#more-payments").click()
    expect(page.locator("tr[data-payment]")).to_have_count(6)
    expect(page.locator("#day-sums")).to_contain_text("۳۷٬۳۸۴٬۰۰۰")
    assert page.locator("#more-payments").count() == 0
    expect(page.locator("tr[data-payment]").last).to_contain_text("در بررسی")
    page.locator("#refund-city").select_option("ISFAHAN")
    page.locator("#show-refunds").click()
    expect(page.locator(".row").filter(has_text="دوبار پرداخت شده")).to_contain_text("در انتظار تأیید")


def test_day_that_does_not_load_says_so_and_loads_again(stub: Stub, page: Page) -> None:
    good = stub.answers["GET /v1/payments"]
    stub.answers["GET /v1/payments"] = problem(403, "forbidden")
    sign_in(page, stub)
    open_view(page, "#/today")
    expect(page.get_by_role("alert")).to_contain_text("forbidden")
    stub.answers["GET /v1/payments"] = good
    page.get_by_role("button", name="تلاش دوباره").click()
    expect(page.locator("tr[data-payment]")).to_have_count(4)


def test_terminal_is_closed_with_its_variance(stub: Stub, page: Page) -> None:
    sign_in(page, stub)
    open_view(page, "#/closing/T-101")
    page.locator("#closing-lines").fill("۷۰۰۰۰۰۰۰۰۰۰۱ ۱۸٬۶۹۲٬۰۰۰\n700000000002;50,000\n")
    expect(page.locator("#closing-count")).to_contain_text("۲ سطر، جمع ۱۸٬۷۴۲٬۰۰۰")
    shoot(page, "office-closing")
    page.locator("#close-day").click()
    expect(page.locator("#variance")).to_contain_text("۵۰٬۰۰۰")
    (sent,) = stub.calls("POST /v1/terminals/T-101/closings")
    assert sent["lines"] == [
        {"reference": "700000000001", "amount_rial": "18692000"},
        {"reference": "700000000002", "amount_rial": "50000"},
    ]
    assert len(sent["day_jalali"]) == 10


def test_line_that_cannot_be_read_is_named_and_nothing_is_sent(stub: Stub, page: Page) -> None:
    sign_in(page, stub)
    open_view(page, "#/closing/T-101")
    page.locator("#closing-lines").fill("700000000001 18692000\n\n70 nothing")
    page.locator("#close-day").click()
    expect(page.get_by_role("alert")).to_contain_text("سطر ۳")
    assert stub.calls("POST /v1/terminals/T-101/closings") == []
    expect(page.locator("#closing-lines")).to_have_value("700000000001 18692000\n\n70 nothing")


def test_refund_is_asked_for_by_years(stub: Stub, page: Page) -> None:
    paid = {
        **row(6, "settled"),
        "payment_id": PAYMENT_ID,
        "years": [{"year": 1404, "amount_rial": "2640000"}, {"year": 1405, "amount_rial": "2400000"}],
    }
    stub.answers[f"GET /v1/payments/{PAYMENT_ID}"] = (200, paid)
    stub.answers[f"POST /v1/payments/{PAYMENT_ID}/refunds"] = (201, REFUND)
    sign_in(page, stub)
    open_view(page, f"#/refund/{PAYMENT_ID}")
    page.get_by_label("۱۴۰۵").uncheck()
    page.locator("#refund-reason").fill("دوبار پرداخت شده")
    shoot(page, "office-refund")
    page.keyboard.press("Enter")
    expect(page.locator("#refund-id")).to_have_text(REFUND["refund_id"])
    (sent,) = stub.calls(f"POST /v1/payments/{PAYMENT_ID}/refunds")
    assert sent == {"reason": "دوبار پرداخت شده", "years": [{"year": 1404, "amount_rial": "2640000"}]}
