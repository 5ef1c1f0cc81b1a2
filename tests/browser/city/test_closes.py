"""The daily closes against set answers: the list, one close, what it says of the bank, and its files."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.city.answers import HERE, close
from tests.browser.city.steps import begin
from tests.browser.conftest import SCREENSHOTS, shoot
from tests.browser.demo_answers import problem
from tests.browser.office.steps import open_view
from tests.browser.stub import Stub

pytestmark = pytest.mark.browser
CLOSE = f"{HERE}/settlements/{'st_' + '4' * 36}"


def test_closes_are_listed_and_one_leads_from_opening_to_closing_balance(stub: Stub, page: Page) -> None:
    begin(page, stub)
    page.locator("#nav-closes").click()
    expect(page.locator("tr[data-close]")).to_have_count(3)
    first = page.locator("tr[data-close]").first
    expect(first).to_contain_text("۵٬۳۱۳٬۵۰۰٬۰۰۰")
    expect(first).to_contain_text("۱ دیررسیده")
    page.locator("#more-closes").click()
    expect(page.locator("tr[data-close]")).to_have_count(4)
    expect(page.locator("#more-closes")).to_have_count(0)
    shoot(page, "city-closes")
    first.locator("a").focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("بستن روز ۱۴۰۵/۰۹/۰۳")
    expect(page.locator("h1")).to_be_focused()
    expect(page.locator("#opening")).to_contain_text("۴۸٬۹۰۰٬۰۰۰٬۰۰۰")
    expect(page.locator('tr[data-kind="payment"]')).to_contain_text("۱٬۹۹۰٬۰۰۰")
    expect(page.locator('tr[data-kind="refund"]')).to_contain_text("\u2212۱۱۸٬۶۹۲٬۰۰۰")
    expect(page.locator("#closing")).to_contain_text("۵۴٬۲۱۳٬۵۰۰٬۰۰۰")
    expect(page.locator("#transfer")).to_contain_text("تا آخرین ریال برابر است")
    expect(page.locator("tr[data-late]")).to_have_count(1)
    expect(page.locator("#day-files a")).to_have_count(3)
    expect(page.locator("main")).to_contain_text("سامانه، خودکار")
    shoot(page, "city-close")
    page.emulate_media(media="print")
    expect(page.locator(".city-of")).to_be_visible()
    for left_out in ("#sections", "#files", "#language"):
        expect(page.locator(left_out)).to_be_hidden()
    page.pdf(path=str(SCREENSHOTS / "city-close.pdf"), format="A4")


def test_a_bank_that_contradicts_a_transfer_is_told_in_words(stub: Stub, page: Page) -> None:
    begin(page, stub)
    other = close(3, "differs")
    open_view(page, f"#/closes/{other['settlement_id']}")
    expect(page.locator("#transfer").get_by_role("alert")).to_contain_text("برابر نیست")
    expect(page.locator("#transfer")).to_contain_text("۵۴٬۲۰۰٬۰۰۰٬۰۰۰")


def test_statement_is_saved_as_files_and_a_failure_is_told(stub: Stub, page: Page, tmp_path: Path) -> None:
    stub.answers[f"GET {CLOSE}/statement.pdf"] = (200, {"url": "/v1/kept.pdf"})
    stub.answers["GET /v1/kept.pdf"] = (200, b"%PDF-1.4\n%%EOF\n")
    begin(page, stub)
    open_view(page, "#/closes/st_" + "4" * 36)
    with page.expect_download() as saved:
        page.locator("#json-1").click()
    assert saved.value.suggested_filename == "settlement-TEHRAN-2026-11-24-1.json"
    assert '"statement"' in Path(saved.value.path()).read_text("utf-8")
    page.locator("#csv-1").click()
    expect(page.locator("#files").get_by_role("alert")).to_be_visible()
    stub.answers[f"GET {CLOSE}/statement.csv"] = problem(404, "settlement_not_found")
    page.locator("#csv-1").click()
    expect(page.locator("#files").get_by_role("alert")).to_contain_text("settlement_not_found")
    with page.context.expect_page() as opened:
        page.locator("#pdf-1").click()
    opened.value.wait_for_url("blob:**")
    asked = [target for method, target, headers, _ in stub.seen if target.startswith("/v1/kept.pdf")]
    assert len(asked) == 1
    assert not any("authorization" in headers for _, target, headers, _ in stub.seen if "/kept.pdf" in target)
