"""The journey through the running system, as a clerk and then a policeman see it."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import paste_plate, shoot
from tests.system.conftest import Client, System
from tests.system.journey import assess, start_payment
from tests.system.plates import fresh_plate, owned_plate, owners

pytestmark = [pytest.mark.browser, pytest.mark.system]
SLOW_MS = 60_000


def password(system: System, username: str) -> str:
    return next(account["password"] for account in system.accounts if account["username"] == username)


def sign_in(page: Page, system: System, username: str = "clerk") -> None:
    page.goto(system.origin)
    page.locator("#username").fill(username)
    page.locator("#password").fill(password(system, username))
    page.keyboard.press("Enter")
    expect(page.locator("#plate-two")).to_be_focused(timeout=SLOW_MS)


def search(page: Page, plate: str) -> None:
    paste_plate(page, plate)
    page.keyboard.press("Enter")


def choose_city(page: Page, municipality: str = "MASHHAD") -> None:
    button = page.locator(f'.city[data-municipality="{municipality}"]')
    expect(button).to_be_visible(timeout=SLOW_MS)
    if button.get_attribute("aria-pressed") != "true":
        button.click()
    expect(page.locator("#pay")).to_be_visible(timeout=SLOW_MS)
    expect(button).to_have_attribute("aria-pressed", "true")


def tell_owner(page: Page, number: str) -> None:
    page.locator("#tell-owner summary").click()
    page.locator("#mobile").fill(number)
    page.locator("#consent").check()
    page.locator("#give-mobile").click()
    expect(page.locator("#mobile-given")).to_have_text("۰۹•••••••۸۹", timeout=SLOW_MS)


def number_of_owner(system: System, plate: str) -> str:
    """What the owner himself sees of the number that is kept for his car."""
    body = {"plate": plate, "national_id": owners()[plate]}
    begun = Client(system.origin).post("/v1/owner/sessions", body)
    assert begun.status == 201, begun.text
    given: str = Client(system.origin, begun.json["owner_token"]).get("/v1/owner/mobile-numbers").json["mobile"]
    return given


def test_clerk_takes_a_plate_to_a_certificate_that_a_policeman_checks(
    system: System, context: BrowserContext, page: Page
) -> None:
    plate = owned_plate()
    sign_in(page, system)
    shoot(page, "journey-1-search")
    search(page, plate)
    choose_city(page)
    assert page.locator(".line").count() > 0
    shoot(page, "journey-2-quote")
    page.locator("#pay").click()
    paid = page.locator('button[value="paid"], input[value="paid"]').first
    expect(paid).to_be_visible(timeout=SLOW_MS)
    shoot(page, "journey-3-gateway")
    paid.click()
    expect(page.locator("#certificate-id")).to_be_visible(timeout=SLOW_MS)
    assert page.url.startswith(f"{system.origin}/#/certificate/ce_")
    page.wait_for_timeout(1_000)
    shoot(page, "journey-4-certificate")
    tell_owner(page, "۰۹۳۵ ۱۲۳ ۴۵۸۹")
    assert number_of_owner(system, plate) == "09•••••••89"
    link = page.locator("#verify-link").get_attribute("href") or ""
    assert link.startswith(f"{system.origin}/v#")

    street = context.new_page()
    street.goto(link)
    expect(street.locator("#verdict")).to_have_attribute("data-verdict", "valid", timeout=SLOW_MS)
    expect(street.locator("#verdict")).to_contain_text("VALID")
    assert plate[:2].translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")) in street.locator(".plate").inner_text()
    shoot(street, "journey-5-verified")
    number = page.locator("#certificate-id").inner_text()
    street.goto(f"{system.origin}/v/{number}")
    expect(street.locator("#verdict")).to_have_attribute("data-verdict", "valid", timeout=SLOW_MS)
    expect(street.locator(".compare")).to_contain_text("hidden")


def test_cancelled_at_the_gateway_leads_back_to_the_quote(system: System, page: Page) -> None:
    sign_in(page, system)
    search(page, fresh_plate())
    choose_city(page)
    page.locator("#pay").click()
    page.locator('button[value="cancelled"], input[value="cancelled"]').first.click()
    expect(page.locator("#back-to-quote")).to_be_visible(timeout=SLOW_MS)
    page.locator("#back-to-quote").click()
    expect(page.locator("#pay")).to_be_visible(timeout=SLOW_MS)


def test_bad_sign_in_and_unknown_plate_in_both_languages(system: System, page: Page) -> None:
    page.goto(system.origin)
    page.locator("#username").fill("clerk")
    page.locator("#password").fill("not the password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("گذرواژه درست نیست", timeout=SLOW_MS)
    sign_in(page, system)
    page.locator("#language").click()
    search(page, fresh_plate(registered=False))
    expect(page.get_by_role("alert")).to_contain_text("on no city’s roll", timeout=SLOW_MS)


def test_duty_that_a_colleague_is_paying_is_locked(system: System, page: Page) -> None:
    plate = fresh_plate()
    colleague = system.client("clerk2")
    started = start_payment(colleague, assess(colleague, plate))
    assert started.status == 201, started.text
    sign_in(page, system)
    search(page, plate)
    choose_city(page)
    page.locator("#pay").click()
    expect(page.locator(".locked")).to_be_visible(timeout=SLOW_MS)
    assert page.locator(".locked button").count() == 0
    shoot(page, "journey-locked")
