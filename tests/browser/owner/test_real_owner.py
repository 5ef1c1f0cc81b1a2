"""The owner's journey through the running system: his plate and his id, a gateway, his certificate."""

from __future__ import annotations

import functools
import json
import re

import pytest
from playwright.sync_api import Page, expect

from avarez import keys
from avarez.dynamo import to_item
from avarez.roll.rows import RollReader, RollRow
from demo.plates import ROLL
from tests.browser.conftest import paste_plate, shoot
from tests.system.conftest import System
from tests.system.plates import fresh_plate

pytestmark = [pytest.mark.browser, pytest.mark.system]
SLOW_MS = 60_000
ISSUED_MS = 180_000
SWEPT_S = 240


@functools.cache
def owners() -> dict[str, str]:
    """The owner's id of each plate of the demonstration's roll."""
    with ROLL.open(encoding="utf-8-sig") as file:
        return {row.plate: row.owner_id for row in RollReader().read(file) if isinstance(row, RollRow)}


def owned_plate() -> str:
    """A plate that owes, whose owner the roll names."""
    while (plate := fresh_plate()) not in owners():
        pass
    return plate


def look_up(page: Page, system: System, plate: str, national_id: str) -> None:
    page.goto(f"{system.origin}/my")
    paste_plate(page, plate)
    page.locator("#national-id").fill(national_id)
    page.keyboard.press("Enter")


def test_owner_takes_his_car_from_plate_and_id_to_a_certificate(system: System, page: Page) -> None:
    never_quiet(system)
    plate = owned_plate()
    page.set_viewport_size({"width": 390, "height": 844})
    look_up(page, system, plate, owners()[owned_plate()])
    expect(page.locator(".notice-warn li")).to_have_count(3, timeout=SLOW_MS)
    look_up(page, system, plate, owners()[plate])
    expect(page.locator("#pay")).to_be_visible(timeout=SLOW_MS)
    shoot(page, "real-owner-1-quote")
    page.locator("#mobile").fill("09121234567")
    page.locator("#consent").check()
    page.locator("#give-mobile").click()
    expect(page.locator("#mobile-given")).to_have_text("۰۹•••••••۶۷", timeout=SLOW_MS)
    page.locator("#pay").click()
    paid = page.locator('button[value="paid"], input[value="paid"]').first
    expect(paid).to_be_visible(timeout=SLOW_MS)
    paid.click()
    expect(page.locator("#certificate-id")).to_be_visible(timeout=ISSUED_MS)
    shoot(page, "real-owner-2-certificate")
    with page.expect_popup() as opened:
        page.locator("#open-pdf").click()
    opened.value.wait_for_url(re.compile("^blob:"), timeout=SLOW_MS, wait_until="commit")
    page.locator("#back").click()
    expect(page.locator(".total.clear")).to_be_visible(timeout=SLOW_MS)
    expect(page.locator(".papers .row")).to_have_count(1, timeout=SLOW_MS)
    number = page.locator(".papers a").get_attribute("href") or ""
    office = system.client("clerk").get(f"/v1/certificates/{number.rpartition('/')[2]}")
    assert office.status == 200
    seen = system.client("clerk").get(f"/v1/payments/{office.json['payment_id']}").json
    assert (seen["status"], seen["channel"]) == ("settled", "gateway")
    assert owners()[plate] not in system.all_logs()
    link = told(system)["text"].rpartition("لغو پیامک: ")[2]
    assert plate not in told(system)["text"]
    page.goto(link)
    page.reload()  # the same page under another hash
    page.locator("#stop").click()
    expect(page.locator("#stopped")).to_be_visible(timeout=SLOW_MS)
    shoot(page, "real-owner-3-stopped")
    page.goto(f"{system.origin}/my")  # the session goes on, and the number is forgotten
    expect(page.locator("#mobile")).to_be_visible(timeout=SLOW_MS)


def never_quiet(system: System) -> None:
    """Messages may go at any hour of the day on which the test runs."""
    pk, sk = keys.reminder_setting()
    item = to_item({"pk": pk, "sk": sk, "quiet_from_hour": 0, "quiet_until_hour": 0})
    system.aws("dynamodb").put_item(TableName=system.outputs["DutyTableName"], Item=item)


def told(system: System) -> dict[str, str]:
    """The one message that came out of the system."""
    file = system.local.data_dir / "messages.jsonl"
    lines = system.wait_for(lambda: file.exists() and file.read_text("utf-8").splitlines(), SWEPT_S)
    (line,) = lines
    message: dict[str, str] = json.loads(line)
    return message
