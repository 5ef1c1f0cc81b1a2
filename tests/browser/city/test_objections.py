"""The inbox of objections and a decision, against set answers."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.city.answers import DAY_MINUTES, OBJECTION_ID, objection
from tests.browser.city.steps import begin
from tests.browser.conftest import shoot
from tests.browser.demo_answers import in_minutes, problem
from tests.browser.office.steps import open_view
from tests.browser.stub import Stub

pytestmark = pytest.mark.browser
DECIDE = f"POST /v1/objections/{OBJECTION_ID}/decisions"


def test_inbox_has_the_nearest_deadline_first_and_shows_all_when_asked(stub: Stub, page: Page) -> None:
    begin(page, stub)
    later = objection(objection_id="ob_" + "1" * 36, due_at=in_minutes(20 * DAY_MINUTES), reason="exempt", level=1)
    stub.answers["GET /v1/objections"] = (200, {"municipality": "TEHRAN", "objections": [later, objection()]})
    page.locator("#nav-objections").click()
    rows = page.locator("tr[data-objection]")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("قیمت پایه نادرست است")
    expect(rows.first).to_contain_text("۳ روز دیگر")
    expect(rows.nth(1)).to_contain_text("نزد مسئول شهر")
    shoot(page, "city-objections")
    page.locator("#which").select_option("all")
    expect(rows).to_have_count(2)
    asked = [entry[1] for entry in stub.seen if entry[1].startswith("/v1/objections?")]
    assert asked[-2:] == [
        "/v1/objections?municipality=TEHRAN&status=open",
        "/v1/objections?municipality=TEHRAN",
    ]


def test_objection_is_accepted_with_the_facts_that_differ_alone(stub: Stub, page: Page) -> None:
    begin(page, stub)
    open_view(page, f"#/objections/{OBJECTION_ID}")
    expect(page.locator("#evidence")).to_contain_text("سند فروش ۱۲۳۴")
    expect(page.locator("#fact-base_price_rial")).to_have_value("۲٬۴۰۰٬۰۰۰٬۰۰۰")
    shoot(page, "city-objection")
    page.locator("#accept-reason").fill("سند فروش دیده شد")
    send = page.locator(f"#accept-{OBJECTION_ID}-send")
    send.click()
    expect(page.get_by_role("alert")).to_contain_text("دست‌کم یکی")
    page.locator("#fact-base_price_rial").fill("۲٬۰۰۰٬۰۰۰٬۰۰۰")
    stub.answers[DECIDE] = problem(409, "objection_conflict")
    send.click()
    page.locator("#confirm").click()
    expect(page.get_by_role("alert")).to_contain_text("objection_conflict")
    expect(page.locator("#accept-reason")).to_have_value("سند فروش دیده شد")
    recomputed = {
        "owed_rial": "15576000",
        "difference_rial": "-3116000",
        "overpaid_rial": "1200000",
        "trace_hash": "c" * 64,
        "changes": [],
        "overpaid": [],
    }
    decided = objection(
        "accepted",
        decided_by="tehran",
        decided_at=in_minutes(0),
        decision_reason="سند فروش دیده شد",
        corrected={"base_price_rial": "2000000000"},
        recomputed=recomputed,
    )

    def accepted(body: dict[str, Any]) -> Any:
        stub.answers[f"GET /v1/objections/{OBJECTION_ID}"] = (200, decided)
        return 200, decided

    stub.answers[DECIDE] = accepted
    send.click()
    expect(page.locator("dialog")).to_contain_text("۲٬۰۰۰٬۰۰۰٬۰۰۰")
    page.locator("#confirm").click()
    expect(page.locator("#objection-status")).to_have_text("پذیرفته")
    expect(page.locator("#outcome")).to_contain_text("۱٬۲۰۰٬۰۰۰")
    assert stub.calls(DECIDE)[-1] == {
        "outcome": "accepted",
        "reason": "سند فروش دیده شد",
        "facts": {"base_price_rial": "2000000000"},
    }


def test_objection_is_rejected_by_keyboard_with_a_reason(stub: Stub, page: Page) -> None:
    begin(page, stub)
    open_view(page, f"#/objections/{OBJECTION_ID}")
    page.locator("#rejecting summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("قیمت درست است")
    page.keyboard.press("Tab")
    stub.answers[DECIDE] = (200, objection("rejected"))
    page.keyboard.press("Enter")
    expect(page.locator("#decline")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    stub.answers[f"GET /v1/objections/{OBJECTION_ID}"] = (
        200,
        objection("rejected", decision_reason="قیمت درست است"),
    )
    page.keyboard.press("Enter")
    expect(page.locator("#objection-status")).to_have_text("رد شده")
    assert stub.calls(DECIDE) == [{"outcome": "rejected", "reason": "قیمت درست است"}]


def test_whoever_filed_an_objection_is_told_that_another_one_decides(stub: Stub, page: Page) -> None:
    begin(page, stub)
    stub.answers[f"GET /v1/objections/{OBJECTION_ID}"] = (200, objection(created_by="tehran"))
    open_view(page, f"#/objections/{OBJECTION_ID}")
    expect(page.locator("#decision")).to_contain_text("مأمور دیگری باید تصمیم بگیرد")
    expect(page.locator("#decision form")).to_have_count(0)
