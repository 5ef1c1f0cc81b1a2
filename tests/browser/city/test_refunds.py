"""Refunds at the console, against set answers: the second person, the refusal, the transfer."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.city.answers import HERE, refund, refunds
from tests.browser.city.steps import begin
from tests.browser.conftest import shoot
from tests.browser.demo_answers import in_minutes
from tests.browser.stub import Stub

pytestmark = pytest.mark.browser
LIST = f"GET {HERE}/refunds"


def path(number: int, step: str) -> str:
    return f"POST /v1/refunds/rf_{str(number) * 36}/{step}"


def test_second_person_approves_once_and_enters_the_transfer(stub: Stub, page: Page) -> None:
    begin(page, stub)
    own = refund(2, requested_by="tehran", reason="خودم")
    stub.answers[LIST] = (200, refunds(refund(3, "done"), own, refund()))

    def approved(body: dict[str, Any]) -> Any:
        decision: dict[str, Any] = {"decided_by": "tehran", "decided_at": in_minutes(0)}
        stub.answers[LIST] = (200, refunds(own, refund(status="payable", **decision)))
        return 200, refund(status="payable", **decision)

    stub.answers[path(1, "approvals")] = approved
    page.locator("#nav-refunds").click()
    cards = page.locator("[data-refund]")
    expect(cards).to_have_count(2)
    expect(cards.first).to_contain_text("۴٬۸۰۰٬۰۰۰ ریال")
    expect(cards.first).to_contain_text("۱۴۰۳ تا ۱۴۰۴")
    expect(cards.nth(1)).to_contain_text("مأمور دیگری")
    assert page.locator("[data-approve-refund]").count() == 1, "her own refund is not hers to approve"
    shoot(page, "city-refunds")
    page.locator("[data-approve-refund]").click()
    page.keyboard.press("Escape")
    assert stub.calls(path(1, "approvals")) == []
    page.locator("[data-approve-refund]").click()
    page.locator("#confirm").dblclick()
    expect(cards.first).to_contain_text("آمادهٔ حواله")
    assert len(stub.calls(path(1, "approvals"))) == 1

    stub.answers[path(1, "transfers")] = (200, refund(status="done"))
    send = page.locator(f"#transfer-rf_{'1' * 36}-send")
    send.click()
    expect(page.get_by_role("alert")).to_contain_text("شمارهٔ حواله")
    page.locator("[name=bank_reference]").fill("PAYA-1405/77")
    stub.answers[LIST] = (200, refunds(own, refund(status="done", bank_reference="PAYA-1405/77")))
    send.click()
    expect(cards).to_have_count(1)
    assert stub.calls(path(1, "transfers")) == [{"bank_reference": "PAYA-1405/77"}]
    page.locator("#which").select_option("all")
    expect(cards).to_have_count(2)


def test_refund_is_turned_down_with_a_reason_and_longer_lists_are_read_whole(stub: Stub, page: Page) -> None:
    begin(page, stub)
    stub.answers[LIST] = lambda _: (200, refunds(refund(), cursor="rf_" + "1" * 36))
    stub.answers[f"{LIST}?cursor=rf_{'1' * 36}"] = (200, refunds(refund(4)))
    page.locator("#nav-refunds").click()
    cards = page.locator("[data-refund]")
    expect(cards).to_have_count(2)
    assert cards.first.get_attribute("data-refund") == "rf_" + "4" * 36, "the newest stands first"
    stub.answers[path(4, "rejections")] = (200, refund(4, "rejected"))
    cards.first.locator("summary").click()
    cards.first.locator("form button").click()
    expect(page.get_by_role("alert")).to_contain_text("علت")
    cards.first.locator("[name=reason]").fill("پرداخت درست بود")
    stub.answers[LIST] = (200, refunds())
    cards.first.locator("form button").click()
    expect(page.locator("#refunds .empty")).to_be_visible()
    assert stub.calls(path(4, "rejections")) == [{"reason": "پرداخت درست بود"}]
