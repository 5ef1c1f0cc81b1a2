"""A guarded change by two people, and a close with its files, on the running system; nothing set beforehand."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from avarez.clock import tehran_today
from avarez.digits import grouped_en, persian_digits
from avarez.jalali import format_jalali
from tests.browser.conftest import shoot
from tests.browser.office.steps import open_view
from tests.browser.test_office_journey import SLOW_MS, password
from tests.system.conftest import System
from tests.system.journey import pay
from tests.system.plates import plate_of

pytestmark = [pytest.mark.browser, pytest.mark.system]
OTHER_IBAN = "IR062960000000100324200001"


def sit_down(page: Page, system: System, username: str) -> None:
    page.goto(f"{system.origin}/city")
    page.locator("#username").fill(username)
    page.locator("#password").fill(password(system, username))
    page.keyboard.press("Enter")
    expect(page.locator("#nav-overview")).to_be_visible(timeout=SLOW_MS)


def as_written(rial: str) -> str:
    """The amount as the Persian page writes it."""
    return persian_digits(grouped_en(int(rial))).replace(",", "٬")


def test_one_officer_proposes_an_account_and_another_one_approves_it(system: System, page: Page) -> None:
    sit_down(page, system, "mashhad")
    open_view(page, "#/onboarding/account")
    before = system.client("mashhad").get("/v1/municipalities/MASHHAD/account").json["account"]
    expect(page.locator("#account")).to_contain_text(before["iban"][-2:], timeout=SLOW_MS)
    page.locator("#iban").fill("۰۶ ۲۹۶۰ ۰۰۰۰ ۰۰۱۰ ۰۳۲۴ ۲۰۰۰ ۰۱")
    page.locator("#holder").fill("شهرداری مشهد")
    page.locator("#account-reason").fill("بانک تازه")
    page.locator("#propose-account-send").click()
    expect(page.locator("[data-change]")).to_contain_text(OTHER_IBAN, timeout=SLOW_MS)
    expect(page.locator("[data-approve]")).to_have_count(0)
    page.locator("#sign-out").click()

    sit_down(page, system, "mashhad2")
    expect(page.locator("#tile-changes")).to_contain_text("mashhad", timeout=SLOW_MS)
    page.locator("#nav-onboarding").click()
    card = page.locator("#open-changes [data-change]").filter(has_text=OTHER_IBAN)
    card.locator("[data-approve]").click(timeout=SLOW_MS)
    page.locator("#confirm").click()
    expect(card).to_contain_text("در دورهٔ انتظار", timeout=SLOW_MS)
    expect(card).to_contain_text("۳ روز دیگر")
    shoot(page, "real-city-change")
    stands = system.client("mashhad").get("/v1/municipalities/MASHHAD/account").json
    assert (stands["account"], stands["open"]["status"]) == (before, "approved")
    card.locator("summary").click()
    card.locator("input").fill("پشیمان شدیم")
    page.keyboard.press("Enter")
    expect(card).to_have_count(0, timeout=SLOW_MS)
    steps = system.client("mashhad").get("/v1/municipalities/MASHHAD/changes").json["changes"][0]["steps"]
    assert [(step["what"], step["by"]) for step in steps] == [
        ("proposed", "mashhad"),
        ("approved", "mashhad2"),
        ("cancelled", "mashhad2"),
    ]


def test_a_close_is_read_from_opening_to_closing_balance_and_saved(system: System, page: Page) -> None:
    city = "TABRIZ"
    paid = pay(system, system.client("clerk"), plate_of(city), city).payment
    operator, path = system.client("operator"), f"/v1/municipalities/{city}/settlements"
    officer = system.client("tabriz")

    def chained() -> bool:
        events = officer.get(f"/v1/municipalities/{city}/events?limit=500").json["events"]
        return any(event["data"].get("payment", {}).get("payment_id") == paid["payment_id"] for event in events)

    system.wait_for(chained, 60.0)
    closed = operator.post(path, {"day_jalali": format_jalali(tehran_today(datetime.now(UTC)))})
    assert closed.status in (200, 201), closed.text
    close = operator.get(f"{path}?limit=1").json["settlements"][0]

    sit_down(page, system, "tabriz")
    expect(page.locator("#tile-last-close")).to_contain_text(as_written(close["closing_rial"]), timeout=SLOW_MS)
    page.locator("#nav-closes").click()
    page.locator(f'tr[data-close="{close["settlement_id"]}"] a').click(timeout=SLOW_MS)
    expect(page.locator("#closing")).to_contain_text(as_written(close["closing_rial"]), timeout=SLOW_MS)
    expect(page.locator('tr[data-kind="payment"]')).to_contain_text(
        as_written(close["sums"]["payment"]["city_rial"])
    )
    expect(page.locator("#transfer")).to_contain_text("سطر بانک هنوز نرسیده است")
    with page.expect_download(timeout=SLOW_MS) as saved:
        page.locator("#csv-1").click()
    assert saved.value.suggested_filename == f"settlement-{city}-{close['day']}.csv"
    assert paid["payment_id"] in Path(saved.value.path()).read_text("utf-8-sig")
    with page.context.expect_page(timeout=SLOW_MS) as opened:
        page.locator("#pdf-1").click()
    opened.value.wait_for_url("blob:**", timeout=SLOW_MS)
    expect(page.locator("#files").get_by_role("alert")).to_have_count(0)
    shoot(page, "real-city-close")
