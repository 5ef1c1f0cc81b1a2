"""The console's frame and the day at a glance, against set answers."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.city.answers import HERE, load
from tests.browser.city.steps import begin
from tests.browser.conftest import PHONE, shoot
from tests.browser.demo_answers import problem
from tests.browser.stub import Stub

pytestmark = pytest.mark.browser


def test_officer_signs_in_and_sees_the_day_at_a_glance(stub: Stub, page: Page) -> None:
    begin(page, stub)
    expect(page.locator(".city-of")).to_have_text("تهران")
    expect(page.locator("#collected")).to_contain_text("۹٬۸۷۶٬۵۴۳٬۰۰۰")
    expect(page.locator("#tile-today")).to_contain_text("برگشت و اصلاح امروز: ۱۸٬۶۹۲٬۰۰۰ ریال")
    expect(page.locator("#tile-today")).to_contain_text("به حساب شهر رفته: ۱۰٬۰۰۰٬۰۰۰ ریال")
    expect(page.locator("#bank-state")).to_have_text("با بانک برابر")
    expect(page.locator("#tile-events")).to_contain_text("۱۲۰۳ از ۱۲۰۵")
    expect(page.locator("#tile-changes")).to_contain_text("حساب بانکی")
    expect(page.locator("#tile-changes")).to_contain_text("tehran2")
    expect(page.locator("#tile-deadlines")).to_contain_text("۱ مورد تا هفت روز دیگر")
    expect(page.locator("#tile-setup li:not(.done)")).to_have_count(2)
    shoot(page, "city-overview")
    page.locator("#language").click()
    expect(page.locator("h1")).to_have_text("The day at a glance")
    expect(page.locator(".city-of")).to_have_text("Tehran")
    page.locator("#sign-out").click()
    expect(page.locator("#username")).to_be_focused()
    expect(page.locator("#sections")).to_be_hidden()


def test_a_part_that_fails_says_so_alone_and_is_asked_again(stub: Stub, page: Page) -> None:
    load(stub)
    good = stub.answers[f"GET {HERE}/trial-balance"]
    stub.answers[f"GET {HERE}/trial-balance"] = problem(403, "forbidden")
    stub.answers[f"GET {HERE}/webhook"] = problem(404, "webhook_not_found")
    page.goto(f"{stub.origin}/city")
    page.locator("#username").fill("tehran")
    page.locator("#password").fill("right")
    page.keyboard.press("Enter")
    expect(page.locator("#tile-today").get_by_role("alert")).to_contain_text("forbidden")
    expect(page.locator("#tile-events")).to_contain_text("نشانی‌ای ثبت نشده است")
    stub.answers[f"GET {HERE}/trial-balance"] = good
    page.locator("#tile-today").get_by_role("button").click()
    expect(page.locator("#collected")).to_be_visible()


def test_an_account_of_no_city_is_told_so(stub: Stub, page: Page) -> None:
    load(stub)
    page.goto(f"{stub.origin}/city/")
    page.locator("#username").fill("clerk")
    page.locator("#password").fill("right")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("این حساب از آنِ شهرداری نیست")
    assert [entry[1] for entry in stub.seen if "municipalities" in entry[1]] == []


def test_sections_unfold_on_a_telephone_and_fold_with_the_choice(stub: Stub, page: Page) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    load(stub)
    page.goto(f"{stub.origin}/city")
    page.locator("#username").fill("tehran")
    page.locator("#password").fill("right")
    page.keyboard.press("Enter")
    expect(page.locator("#collected")).to_be_visible()
    expect(page.locator("#sections")).to_be_hidden()
    page.locator("#menu").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#menu")).to_have_attribute("aria-expanded", "true")
    shoot(page, "city-phone-menu")
    page.locator("#nav-closes").click()
    expect(page.locator("tr[data-close]").first).to_be_visible()
    expect(page.locator("#sections")).to_be_hidden()
