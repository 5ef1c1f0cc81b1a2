"""The office's day, a closing, a fleet and an objection on the running system, nothing set beforehand."""

from __future__ import annotations

import os
import secrets

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import shoot
from tests.browser.office.real_steps import begin_sale
from tests.browser.office.steps import open_view
from tests.browser.test_office_journey import SLOW_MS, choose_city, search, sign_in
from tests.system.conftest import System
from tests.system.plates import fresh_plate

PROVE = os.environ.get("AVAREZ_PROVE") == "1"
pytestmark = [pytest.mark.browser, pytest.mark.system]


def test_sale_stands_on_the_day_and_the_closing_finds_it(system: System, page: Page) -> None:
    terminal, payment_id = begin_sale(page, system)
    amount = system.client("clerk").get(f"/v1/payments/{payment_id}").json["amount_rial"]

    page.locator("#nav-today").click()
    row = page.locator(f'tr[data-payment="{payment_id}"]')
    expect(row).to_contain_text("در انتظار", timeout=SLOW_MS)
    expect(row).to_contain_text(terminal)
    shoot(page, "real-day")
    other = system.client("clerk2").get("/v1/payments").json
    assert payment_id not in [payment["payment_id"] for payment in other["payments"]]

    page.locator(f'a[href="#/closing/{terminal}"]').click()
    lines = f"{secrets.randbelow(10**12):012d} {amount} {payment_id}\n{secrets.randbelow(10**12):012d} 50,000\n"
    page.locator("#closing-lines").fill(lines, timeout=SLOW_MS)
    page.locator("#close-day").click()
    expect(page.locator("#variance")).to_contain_text("۵۰٬۰۰۰", timeout=SLOW_MS)
    shoot(page, "real-closing")
    assert system.client("clerk").get(f"/v1/payments/{payment_id}").json["status"] == "settled"


@pytest.mark.skipif(not PROVE, reason="make prove: set answers stand for it in make test")
def test_fleet_is_judged_row_by_row_and_paid_as_one(system: System, page: Page) -> None:
    plates = [fresh_plate(), fresh_plate(), "not a plate"]
    sign_in(page, system)
    page.locator("#nav-fleet").click()
    page.locator("#fleet-title").fill("ناوگان آزمون")
    page.locator("#fleet-plates").fill("\n".join(plates))
    page.locator("#send-fleet").click()
    expect(page.locator("tbody tr")).to_have_count(3, timeout=SLOW_MS)
    expect(page.locator("tbody tr").nth(2)).to_contain_text("پلاک نادرست")
    shoot(page, "real-fleet")
    page.locator("#pay").click()
    paid = page.locator('button[value="paid"], input[value="paid"]').first
    expect(paid).to_be_visible(timeout=SLOW_MS)
    paid.click()
    expect(page.locator("#print")).to_contain_text("خلاصه", timeout=SLOW_MS)
    expect(page.locator(".row a").first).to_be_visible(timeout=SLOW_MS)
    expect(page.locator(".preview iframe")).to_be_visible(timeout=SLOW_MS)
    shoot(page, "real-fleet-paid")


@pytest.mark.skipif(not PROVE, reason="make prove: set answers stand for it in make test")
def test_objection_is_filed_against_the_quote_and_withdrawn(system: System, page: Page) -> None:
    sign_in(page, system)
    search(page, fresh_plate())
    choose_city(page)
    page.locator("#object").click()
    page.locator("#objection-text").fill("قیمت پایه نادرست است")
    page.locator("#file-objection").click()
    expect(page.locator("#objection-status")).to_have_text("در دست بررسی", timeout=SLOW_MS)
    shoot(page, "real-objection")
    objection_id = page.url.rpartition("/")[2]
    page.locator("#nav-objections").click()
    page.locator("#objections-city").select_option("MASHHAD", timeout=SLOW_MS)
    page.locator("#show-objections").click()
    expect(page.locator(f'a[href="#/objection/{objection_id}"]')).to_be_visible(timeout=SLOW_MS)
    open_view(page, f"#/objection/{objection_id}")
    page.locator("#withdraw").click(timeout=SLOW_MS)
    expect(page.locator("#objection-status")).to_have_text("پس گرفته", timeout=SLOW_MS)
