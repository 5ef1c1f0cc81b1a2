"""Journeys without a mouse through the console and the figures; the owner's is `owner/test_real_owner.py`."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.city.answers import HERE, NEW_ACCOUNT, OBJECTION_ID, PROPOSED, change, load, objection
from tests.browser.keyboard import Keys
from tests.browser.stub import Stub
from tests.browser.test_open_page import desk, site

pytestmark = pytest.mark.browser
SECTIONS = ("closes", "receivables", "tariff", "roll", "health", "budget", "objections", "refunds", "onboarding")
CHANGE = f"{HERE}/changes/{PROPOSED['change_id']}"
DECIDE = f"POST /v1/objections/{OBJECTION_ID}/decisions"

__all__ = ["desk", "site"]


def answer_decisions(stub: Stub) -> None:
    """The open change is approved and the objection rejected once, and read so afterwards."""
    steps = (("proposed", "tehran2", -50), ("approved", "tehran", 0))
    after, rejected = change(1, "account", NEW_ACCOUNT, *steps), objection("rejected", decision_reason="سند نیست")

    def approved(body: dict[str, Any]) -> Any:
        stub.answers[f"GET {HERE}/changes"] = (200, {"municipality": "TEHRAN", "changes": [after]})
        return 200, after

    def decided(body: dict[str, Any]) -> Any:
        stub.answers[f"GET /v1/objections/{OBJECTION_ID}"] = (200, rejected)
        return 200, rejected

    stub.answers |= {f"POST {CHANGE}/approvals": approved, DECIDE: decided}


def test_officer_sees_every_section_and_decides_by_keyboard_alone(stub: Stub, page: Page) -> None:
    load(stub)
    answer_decisions(stub)
    keys = Keys(page)
    page.goto(f"{stub.origin}/city")
    keys.stays("#username")
    page.keyboard.type("tehran")
    keys.fill("#password", "right")
    page.keyboard.press("Enter")
    keys.stays("main h1")
    for section in SECTIONS:
        keys.press(f"#nav-{section}", back=True)
        expect(page.locator(f"#nav-{section}")).to_have_attribute("aria-current", "page")
        keys.stays("main h1")
    keys.press("#skip", back=True)
    assert page.url.endswith("#/onboarding"), "the way past the bar leaves the section where it is"
    keys.stays("#main")

    keys.press("[data-approve]")
    keys.stays("#decline")
    keys.stays_inside("dialog", 3)
    page.keyboard.press("Escape")
    keys.stays("[data-approve]")
    page.keyboard.press("Enter")
    keys.press("#confirm", back=True)
    expect(page.locator("[data-approve]")).to_have_count(0)
    keys.stays("main h1")
    assert len(stub.calls(f"POST {CHANGE}/approvals")) == 1

    keys.press("#nav-objections", back=True)
    keys.stays("main h1")
    keys.press("tr[data-objection] a")
    keys.stays("main h1")
    keys.press("#rejecting > summary")
    keys.press(f"#reject-{OBJECTION_ID}-send")
    keys.stays("#reject-reason")
    page.keyboard.type("سند نیست")
    keys.press(f"#reject-{OBJECTION_ID}-send")
    keys.stays("#decline")
    page.keyboard.press("Enter")
    keys.stays(f"#reject-{OBJECTION_ID}-send")
    page.keyboard.press("Enter")
    keys.press("#confirm", back=True)
    expect(page.locator("#decision")).to_have_count(0)
    keys.stays("main h1")
    assert stub.calls(DECIDE) == [{"outcome": "rejected", "reason": "سند نیست"}]

    keys.press("#sign-out", back=True)
    keys.stays("#username")
    keys.nothing_amiss()


def test_reader_of_the_figures_takes_a_file_by_keyboard_alone(site: Stub, page: Page) -> None:
    keys = Keys(page)
    page.goto(f"{site.origin}/open")
    page.locator(".sums").wait_for()
    keys.press("#skip")
    keys.stays("#main")
    keys.to("#choose-city")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#choose-city")).not_to_have_value("")
    keys.stays("#choose-city")
    keys.to("#choose-year")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#choose-year")).not_to_have_value("")
    keys.stays("#choose-year")
    with page.expect_download() as taken:
        keys.press('.files a[download][href$=".json"]')
    assert taken.value.suggested_filename.endswith(".json")
    keys.nothing_amiss()
