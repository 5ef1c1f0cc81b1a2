"""The page of the API over the document as it is committed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from infra.openapi.document import OUT
from tests.browser.conftest import shoot
from tests.browser.stub import ROOT, Stub

pytestmark = pytest.mark.browser
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"


def test_a_developer_finds_a_call_and_reads_what_it_takes(page: Page, stub: Stub) -> None:
    page.goto(f"{stub.origin}/docs")
    page.locator("#search").fill("POST assessments.write")
    wanted = page.locator("#post_assessments")
    wanted.locator("summary").click()
    expect(wanted.locator("table").first).to_contain_text("municipality")
    expect(wanted.locator("table").last).to_contain_text("lines[].amount_rial")
    expect(wanted).to_contain_text("assessments.write")
    page.locator("#search").fill("nothing is called this")
    expect(page.locator("details")).to_have_count(0)


def test_page_shows_every_operation_of_the_document(page: Page, stub: Stub) -> None:
    told: dict[str, Any] = json.loads(OUT.read_text("utf-8"))
    page.goto(f"{stub.origin}/docs")
    expect(page.locator("details")).to_have_count(sum(len(of) for of in told["paths"].values()))


@pytest.mark.parametrize("look", ["fa-light", "fa-dark", "en-light", "en-dark"])
def test_page_is_accessible_and_fits_a_phone(browser: Browser, stub: Stub, look: str) -> None:
    language, theme = look.split("-")
    context = browser.new_context(viewport={"width": 320, "height": 700}, color_scheme=theme)  # type: ignore[arg-type]
    context.add_init_script(f"localStorage.setItem('avarez.language', '{language}')")
    page = context.new_page()
    page.goto(f"{stub.origin}/docs#post_payments")
    page.locator("#post_payments table").first.wait_for()
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    assert [of["id"] for of in found["violations"] if of["impact"] in ("serious", "critical")] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.locator("#search").fill("/v1/payments")
    shoot(page, f"docs-{look}")
    context.close()
