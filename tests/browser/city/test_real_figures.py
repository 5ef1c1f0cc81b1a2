"""An officer's work on the running system, nothing set beforehand: a roll, a tariff by two people, receivables."""

from __future__ import annotations

import csv
import io
import json
import secrets

import pytest
from playwright.sync_api import Browser, Page, expect

from avarez.clock import SystemClock, tehran_today
from avarez.jalali import format_jalali
from tests.browser.conftest import shoot
from tests.browser.office.steps import open_view
from tests.browser.test_office_journey import SLOW_MS, password
from tests.system.conftest import System
from tests.system.plates import ROLL

pytestmark = [pytest.mark.browser, pytest.mark.system]
FRESH_S = 60.0
"""A published tariff is in force within half a minute."""


def sit_down(page: Page, system: System, username: str) -> None:
    page.goto(f"{system.origin}/city")
    page.locator("#username").fill(username)
    page.locator("#password").fill(password(system, username))
    page.keyboard.press("Enter")
    expect(page.locator("#nav-roll")).to_be_visible(timeout=SLOW_MS)


def small_roll(plate: str) -> bytes:
    """One ambulance of Tehran, and a row whose plate is none."""
    with ROLL.open(encoding="utf-8-sig") as file:
        row = next(row for row in csv.DictReader(file) if row["class"] == "passenger")
    car = {
        **row,
        "municipality": "TEHRAN",
        "class": "ambulance",
        "vin": "",
        "chassis": secrets.token_hex(5).upper(),
        "engine": secrets.token_hex(5).upper(),
        "plate": plate,
        "sale_date_jalali": "1398-02-10",
        "residence_from_jalali": "1398-02-10",
    }
    out = io.StringIO()
    writer = csv.DictWriter(out, list(car))
    writer.writeheader()
    writer.writerows([car, {**car, "plate": "no plate"}])
    return out.getvalue().encode()


def test_roll_tariff_by_two_people_and_receivables_on_the_running_system(
    system: System, page: Page, browser: Browser
) -> None:
    plate = f"{10 + secrets.randbelow(89)}V{100 + secrets.randbelow(899)}-99"
    sit_down(page, system, "tehran")
    _import_roll(page, small_roll(plate))
    clerk = system.client("clerk")
    asked = {"municipality": "TEHRAN", "plate": plate}
    before = clerk.post("/v1/assessments", asked).json
    assert int(before["owed_rial"]) > 0, before

    _write_tariff(page)
    draft = page.url
    other = browser.new_context()
    second = other.new_page()
    second.set_default_timeout(SLOW_MS)
    sit_down(second, system, "tehran2")
    second.goto(draft)
    expect(second.locator("#sum-difference")).to_be_visible(timeout=SLOW_MS)
    second.locator("#approve").click()
    second.locator("#confirm").click()
    expect(second.locator("#tariff-status")).to_have_text("برقرار", timeout=SLOW_MS)
    shoot(second, "real-tariff-published")
    other.close()

    def discounted() -> dict[str, object] | None:
        quote = clerk.post("/v1/assessments", asked).json
        return quote if any(line["kind"] == "discount" for line in quote["lines"]) else None

    quote = system.wait_for(discounted, FRESH_S)
    assert int(quote["owed_rial"]) < int(before["owed_rial"])

    name = system.local.function_name("assess-receivables")
    told = json.loads(system.aws("lambda").invoke(FunctionName=name, Payload=b"{}")["Payload"].read())
    assert told["cities"] >= 5, told
    assert (told["broken"], told["left"]) == (0, 0)
    open_view(page, "#/receivables")
    expect(page.locator("#open-sum")).to_be_visible(timeout=SLOW_MS)
    shoot(page, "real-receivables")
    table = system.client("tehran").get("/v1/municipalities/TEHRAN/receivables").json
    ambulances = [row for row in table["rows"] if row["vehicle_class"] == "ambulance" and row["duties_open"]]
    assert ambulances, "the car of the new roll is in the table"
    assert table["commitment"]["tariff_version"] == quote["tariff_version"]


def _import_roll(page: Page, content: bytes) -> None:
    page.locator("#nav-roll").click()
    expect(page.locator("#roll-form")).to_be_visible(timeout=SLOW_MS)
    page.locator("#roll-file").set_input_files(
        {"name": "ambulances.csv", "mimeType": "text/csv", "buffer": content}
    )
    page.locator("#send-roll").click()
    expect(page.locator("#count-added")).to_have_text("۱", timeout=SLOW_MS)
    expect(page.locator("#count-refused")).to_have_text("۱")
    expect(page.locator('tr[data-code="plate_malformed"]')).to_be_visible()
    shoot(page, "real-roll-preview")
    page.locator("#commit").click()
    page.locator("#confirm").click()
    expect(page.locator("#roll-status")).to_have_text("ثبت‌شده", timeout=SLOW_MS)


def _write_tariff(page: Page) -> None:
    """A discount on ambulances' penalties from today on: with a mistake first, then checked and simulated."""
    today = format_jalali(tehran_today(SystemClock().now()))
    page.locator("#nav-tariff").click()
    page.locator("#draft-title").fill("بخشودگی آمبولانس‌ها", timeout=SLOW_MS)
    page.locator("#make-draft").click()
    page.locator("#add-discount").click(timeout=SLOW_MS)
    page.locator("[name='duty_years.from']").fill("۱۳۹۵")
    page.locator("[name='duty_years.to']").fill("۱۴۰۴")
    page.locator("#f-value").fill("نیمی")
    page.locator("[name=of][value=penalty]").check()
    page.locator("#f-as_of_from_jalali").fill(today.replace("-", "/"))
    page.locator("#f-reason_fa").fill("بخشودگی")
    page.locator("#f-reason_en").fill("amnesty")
    page.locator("[name=classes][value=ambulance]").check()
    page.locator("#f-law").select_option("vat-1400")
    page.locator("#f-article_fa").fill("ماده ۳۷")
    page.locator("#f-article_en").fill("art. 37")
    page.locator("#f-reference").fill("مصوبهٔ آزمون")
    page.locator("[name=demonstration]").check()
    page.locator("#save-row").click()
    page.locator("#check").click(timeout=SLOW_MS)
    expect(page.locator("#findings li")).not_to_have_count(0, timeout=SLOW_MS)
    page.locator("#row-tehran-discount-1").get_by_role("button", name="ویرایش").click()
    expect(page.locator("#f-value")).to_have_attribute("aria-invalid", "true")
    page.locator("#f-value").fill("۵۰ درصد")
    page.locator("#save-row").click()
    page.locator("#check").click(timeout=SLOW_MS)
    expect(page.locator("#tariff-status")).to_have_text("بررسی‌شده", timeout=SLOW_MS)
    page.locator("#simulate").click()
    expect(page.locator("#sum-difference")).to_be_visible(timeout=SLOW_MS)
    shoot(page, "real-simulation")
