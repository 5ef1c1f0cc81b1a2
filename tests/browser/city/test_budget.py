"""What the city spends the duty on: entered in any digits, added up, published as the next version."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.city.answers import HERE, budget
from tests.browser.city.steps import begin
from tests.browser.conftest import shoot
from tests.browser.demo_answers import problem
from tests.browser.office.steps import open_view
from tests.browser.stub import Stub

pytestmark = pytest.mark.browser
PATH = f"{HERE}/budgets/1405"


def test_budget_is_entered_added_up_and_published_with_the_version_that_was_seen(stub: Stub, page: Page) -> None:
    begin(page, stub)
    open_view(page, "#/budget/1405")
    expect(page.locator("#plan-roads")).to_have_value("۳٬۱۰۰٬۰۰۰٬۰۰۰")
    page.locator("#plan-public_transport").fill("۶٬۲۰۰٬۰۰۰٬۰۰۰")
    page.locator("#actual-roads").fill("ده")
    expect(page.locator(".budget tfoot td").first).to_have_text("۹٬۳۰۰٬۰۰۰٬۰۰۰")
    page.locator("#budget-1405-send").click()
    expect(page.get_by_role("alert")).to_contain_text("با رقم")
    expect(page.locator("#actual-roads")).to_be_focused()
    page.locator("#actual-roads").fill("3300000000")
    stub.answers[f"PUT {PATH}"] = problem(409, "budget_outdated")
    page.locator("#budget-1405-send").click()
    expect(page.get_by_role("alert")).to_contain_text("budget_outdated")
    expect(page.locator("#plan-public_transport")).to_have_value("۶٬۲۰۰٬۰۰۰٬۰۰۰")
    page.locator("#language").click()
    expect(page.locator("#plan-public_transport")).to_have_value("۶٬۲۰۰٬۰۰۰٬۰۰۰")
    page.locator("#language").click()
    stub.answers[f"PUT {PATH}"] = (200, budget(2))
    page.locator("#budget-1405-send").dblclick()
    expect(page.locator("#budget-news")).to_contain_text("نسخهٔ ۲ منتشر شد")
    shoot(page, "city-budget-published")
    sent = stub.calls(f"PUT {PATH}")
    assert len(sent) == 2
    wanted: dict[str, Any] = {
        "replaces": 1,
        "plan": {
            "total_rial": "9300000000",
            "lines": [
                {"category": "public_transport", "rial": "6200000000", "text_fa": "", "text_en": ""},
                {"category": "roads", "rial": "3100000000", "text_fa": "آسفالت", "text_en": "Paving"},
            ],
        },
        "actual": {
            "total_rial": "3300000000",
            "lines": [{"category": "roads", "rial": "3300000000", "text_fa": "آسفالت", "text_en": ""}],
        },
    }
    assert sent[-1] == wanted
