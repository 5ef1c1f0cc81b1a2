"""The endpoint's health against set answers: attempts, resuming, rotation, replay."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.city.answers import COOLING, HERE, endpoint
from tests.browser.city.steps import begin
from tests.browser.conftest import shoot
from tests.browser.demo_answers import problem
from tests.browser.stub import Stub

pytestmark = pytest.mark.browser
HOOK = f"{HERE}/webhook"


def test_health_shows_attempts_and_what_waits_is_sent_now(stub: Stub, page: Page) -> None:
    begin(page, stub)
    page.locator("#nav-health").click()
    expect(page.locator("#delivered")).to_have_text("۱۲۰۳ از ۱۲۰۵ رویداد")
    expect(page.locator("tr[data-attempt]")).to_have_count(4)
    expect(page.locator("tr[data-attempt]").first).to_contain_text("در ۳۰ ثانیه پاسخ نداد")
    expect(page.locator("tr[data-attempt]").nth(1)).to_contain_text("پاسخ ۵۰۳")
    expect(page.locator("main")).to_contain_text("۲ رویداد منتظر است")
    shoot(page, "city-health")
    well = endpoint(delivered_sequence=1205, failures=0, failing_since_at=None, next_try_at=None)
    stub.answers[f"POST {HOOK}/resumptions"] = (200, well)
    stub.answers[f"GET {HOOK}"] = (200, well)
    page.locator("#resume").dblclick()
    expect(page.locator("#health-news")).to_contain_text("اکنون فرستاده می‌شود")
    expect(page.locator("#resume")).to_have_count(0)
    assert len(stub.calls(f"POST {HOOK}/resumptions")) == 1


def test_replay_asks_first_and_takes_a_number_in_any_digits(stub: Stub, page: Page) -> None:
    begin(page, stub)
    page.locator("#nav-health").click()
    page.locator("#from-sequence").fill("۱۲۰۶")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("از ۱ تا ۱۲۰۵")
    page.locator("#from-sequence").fill("۱۲۰۰")
    page.keyboard.press("Enter")
    expect(page.locator("dialog")).to_contain_text("۶ رویداد")
    page.locator("#decline").click()
    expect(page.locator("#from-sequence")).to_have_value("۱۲۰۰")
    assert stub.calls(f"POST {HERE}/events/replay") == []
    stub.answers[f"POST {HERE}/events/replay"] = (202, endpoint())
    page.locator("#replay-send").click()
    page.locator("#confirm").click()
    expect(page.locator("#health-news")).to_contain_text("از شمارهٔ ۱۲۰۰")
    assert stub.calls(f"POST {HERE}/events/replay") == [{"from_sequence": 1200}]


def test_secret_is_rotated_shown_once_and_its_end_waits_for_a_second_person(stub: Stub, page: Page) -> None:
    begin(page, stub)
    stub.answers[f"GET {HERE}/changes"] = (200, {"municipality": "TEHRAN", "changes": []})
    page.locator("#nav-health").click()
    page.locator("#rotation summary").click()
    page.locator("#rotate-reason").fill("سالانه")
    stub.answers[f"POST {HOOK}/rotations"] = problem(409, "change_open")
    page.locator("#rotate-send").click()
    page.locator("#confirm").click()
    expect(page.get_by_role("alert")).to_contain_text("change_open")
    after = endpoint(next_secret_generation=2)
    stub.answers[f"POST {HOOK}/rotations"] = (201, {**after, "secret": "whsec_bmV3", "change": COOLING})
    stub.answers[f"GET {HOOK}"] = (200, after)
    stub.answers[f"GET {HERE}/changes"] = (200, {"municipality": "TEHRAN", "changes": [COOLING]})
    page.locator("#rotate-send").click()
    page.locator("#confirm").click()
    expect(page.locator("#secret")).to_have_value("whsec_bmV3")
    expect(page.locator("#secrets")).to_contain_text("رمز شمارهٔ ۲ هم")
    expect(page.locator("#rotation")).to_have_count(0)
    expect(page.locator("[data-change]")).to_contain_text("در دورهٔ انتظار")
    page.locator("#nav-overview").click()
    page.locator("#nav-health").click()
    expect(page.locator("#secrets")).to_be_visible()
    expect(page.locator("#secret")).to_have_count(0)


def test_a_message_is_tried_and_sending_is_stopped_after_a_question(stub: Stub, page: Page) -> None:
    begin(page, stub)
    page.locator("#nav-health").click()
    stub.answers[f"POST {HOOK}/tests"] = (200, {"status": 401, "failure": None, "elapsed_ms": 18, "answer": ""})
    page.locator("#test").click()
    expect(page.locator("#health-news")).to_contain_text("پاسخ ۴۰۱ در ۱۸ میلی‌ثانیه")
    stub.answers[f"POST {HOOK}/stops"] = (200, endpoint(status="stopped"))
    page.locator("#stop").click()
    stub.answers[f"GET {HOOK}"] = (200, endpoint(status="stopped"))
    page.locator("#confirm").click()
    expect(page.locator("#endpoint-state")).to_have_text("به دست مأمور متوقف شده")
    expect(page.locator("#stop")).to_have_count(0)


def test_a_city_without_an_address_is_led_to_registering_one(stub: Stub, page: Page) -> None:
    begin(page, stub)
    stub.answers[f"GET {HOOK}"] = problem(404, "webhook_not_found")
    page.locator("#nav-health").click()
    page.locator("#register").click()
    expect(page.locator("#url")).to_be_visible()
