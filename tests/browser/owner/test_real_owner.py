"""The owner's journey through the running system: his plate and his id, a gateway, his certificate."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, expect

from avarez import keys
from avarez.dynamo import to_item
from tests.browser.conftest import paste_plate, shoot
from tests.browser.keyboard import Keys
from tests.system.conftest import System
from tests.system.plates import owned_plate, owners

pytestmark = [pytest.mark.browser, pytest.mark.system]
SLOW_MS = 60_000
ISSUED_MS = 180_000
SWEPT_S = 240


def look_up(keys: Keys, system: System, plate: str, national_id: str) -> None:
    keys.page.goto(f"{system.origin}/my")
    keys.stays("#plate-two")
    paste_plate(keys.page, plate)
    keys.fill("#national-id", national_id)
    keys.page.keyboard.press("Enter")


def test_owner_takes_his_car_from_plate_and_id_to_a_certificate(system: System, page: Page) -> None:
    never_quiet(system)
    plate = owned_plate()
    page.set_viewport_size({"width": 390, "height": 844})
    keys = Keys(page)
    look_up(keys, system, plate, owners()[owned_plate()])
    expect(page.locator(".notice-warn li")).to_have_count(3, timeout=SLOW_MS)
    keys.stays("#plate-two")
    look_up(keys, system, plate, owners()[plate])
    expect(page.locator("#pay")).to_be_focused(timeout=SLOW_MS)
    shoot(page, "real-owner-1-quote")
    keys.fill("#mobile", "09121234567")
    keys.press("#consent", key="Space")
    keys.press("#give-mobile")
    expect(page.locator("#mobile-given")).to_have_text("۰۹•••••••۶۷", timeout=SLOW_MS)
    keys.stays("#remove-mobile")
    keys.to("#through-year", back=True)
    for arrow in ("ArrowUp", "ArrowDown"):  # a year less, and all of them again
        with page.expect_response("**/v1/owner/assessments", timeout=SLOW_MS):
            page.keyboard.press(arrow)
        expect(page.locator("#through-year")).to_be_focused(timeout=SLOW_MS)
    keys.press("#pay")
    expect(page.locator('button[value="paid"], input[value="paid"]').first).to_be_visible(timeout=SLOW_MS)
    keys.press('button[value="paid"], input[value="paid"]')
    expect(page.locator("#certificate-id")).to_be_visible(timeout=ISSUED_MS)
    keys.stays("#open-pdf")
    shoot(page, "real-owner-2-certificate")
    with page.expect_popup() as opened:
        page.keyboard.press("Enter")
    opened.value.wait_for_url(re.compile("^blob:"), timeout=SLOW_MS, wait_until="commit")
    opened.value.close()
    keys.press("#back")
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
    keys.stays("#stop")
    page.keyboard.press("Enter")
    expect(page.locator("#stopped")).to_be_focused(timeout=SLOW_MS)
    keys.nothing_amiss()
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
