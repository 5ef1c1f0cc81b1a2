"""Bill and terminal on the running system, as two clerks see them: no answer here is set beforehand."""

from __future__ import annotations

import os
import secrets

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import shoot
from tests.browser.office.real_steps import begin_sale
from tests.browser.office.steps import choose_channel
from tests.browser.test_office_journey import SLOW_MS, choose_city, search, sign_in
from tests.system.conftest import System
from tests.system.plates import fresh_plate

PROVE = os.environ.get("AVAREZ_PROVE") == "1"
pytestmark = [pytest.mark.browser, pytest.mark.system]


@pytest.mark.skipif(not PROVE, reason="make prove: the journey at the gateway stands for it in make test")
def test_bill_is_printed_and_superseded_at_the_gateway(system: System, page: Page) -> None:
    plate = fresh_plate()
    sign_in(page, system)
    search(page, plate)
    choose_city(page)
    choose_channel(page, "bill")
    page.locator("#pay").click()
    expect(page.locator("#bill-id")).to_be_visible(timeout=SLOW_MS)
    bill_id = page.url.rpartition("/")[2]
    expect(page.locator(".preview iframe")).to_be_visible(timeout=SLOW_MS)
    shoot(page, "real-bill")
    page.locator("#new-search").click()
    search(page, plate)
    choose_city(page)
    choose_channel(page, "gateway")
    page.locator("#pay").click()
    expect(page.locator("#bill-open")).to_be_visible(timeout=SLOW_MS)
    page.get_by_role("button", name="باطل کردن قبض و پرداخت").click()
    paid = page.locator('button[value="paid"], input[value="paid"]').first
    expect(paid).to_be_visible(timeout=SLOW_MS)
    paid.click()
    expect(page.locator("#certificate-id")).to_be_visible(timeout=SLOW_MS)
    assert system.client("clerk").get(f"/v1/payments/{bill_id}").json["status"] == "cancelled"
    with page.expect_response("**/receipt.pdf", timeout=SLOW_MS) as receipt, page.context.expect_page() as opened:
        page.locator("#receipt").click()
    assert receipt.value.headers["content-type"] == "application/pdf"
    opened.value.close()


def test_slip_that_two_clerks_read_is_certified(system: System, page: Page, browser: Browser) -> None:
    _, payment_id = begin_sale(page, system)
    sale = system.client("clerk").get(f"/v1/payments/{payment_id}").json
    slip = {
        "#slip-reference": "".join(secrets.choice("123456789") for _ in range(12)),
        "#slip-amount": sale["amount_rial"],
    }
    for field, text in slip.items():
        page.locator(field).fill(text)
    page.locator("#enter-slip").click()
    expect(page.locator("h1")).to_contain_text("نفر دوم", timeout=SLOW_MS)

    context = browser.new_context()
    colleague = context.new_page()
    sign_in(colleague, system, "clerk3")
    colleague.goto(f"{system.origin}/#/payment/{payment_id}")
    for field, text in slip.items():
        colleague.locator(field).fill(text, timeout=SLOW_MS)
    colleague.keyboard.press("Enter")
    expect(colleague.locator("#certificate-id")).to_be_visible(timeout=SLOW_MS)
    shoot(colleague, "real-sale-certificate")
    context.close()
