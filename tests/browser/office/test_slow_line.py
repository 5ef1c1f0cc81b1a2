"""A slow and lossy line: the journey completes, nothing happens twice, and nothing that was typed is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import shoot
from tests.browser.demo_answers import ASSESSMENT_ID, CERTIFICATE_ID, PAYMENT_ID, load
from tests.browser.office.steps import open_view, sign_in, to_quote, type_plate
from tests.browser.stub import Stub

pytestmark = pytest.mark.browser
LATENCY_MS = 150
BYTES_PER_S = 100_000
SLOW_MS = 40_000


@pytest.fixture(autouse=True)
def answers(stub: Stub) -> None:
    load(stub)


@pytest.fixture
def slow(page: Page) -> Iterator[Page]:
    """The page on a line of 150 ms and 100 kB/s."""
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    conditions = {"latency": LATENCY_MS, "downloadThroughput": BYTES_PER_S, "uploadThroughput": BYTES_PER_S}
    line.send("Network.emulateNetworkConditions", {"offline": False, **conditions})
    yield page
    line.detach()


def lose_first_answers(page: Page) -> Counter[str]:
    """Of each call the first request arrives and its answer is lost; the second one is let through."""
    sent: Counter[str] = Counter()

    def answer(route: Route) -> None:
        name = f"{route.request.method} {route.request.url.partition('/v1/')[2].partition('?')[0]}"
        sent[name] += 1
        if sent[name] == 1:
            route.fetch()
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/v1/**", answer)
    return sent


def keys_of(stub: Stub, path: str) -> list[str]:
    return [entry[2].get("idempotency-key", "") for entry in stub.seen if entry[:2] == ("POST", path)]


def test_journey_over_a_slow_and_lossy_line_pays_once(stub: Stub, slow: Page) -> None:
    lost = lose_first_answers(slow)
    slow.goto(stub.origin)
    slow.locator("#username").fill("clerk")
    slow.locator("#password").fill("right")
    slow.keyboard.press("Enter")
    expect(slow.get_by_role("alert")).to_contain_text("ارتباط با سامانه برقرار نشد")
    expect(slow.locator("#password")).to_have_value("right")
    slow.keyboard.press("Enter")
    expect(slow.locator("#plate-two")).to_be_focused()
    type_plate(slow)
    expect(slow.locator("#pay")).to_be_focused()
    slow.keyboard.press("Enter")
    expect(slow.locator("#certificate-id")).to_have_text(CERTIFICATE_ID, timeout=SLOW_MS)
    for call in ("POST tokens", "POST assessments", "POST payments", f"GET certificates/{CERTIFICATE_ID}"):
        assert lost[call] >= 2, f"{call} lost its first answer"
    for path in ("/v1/assessments", "/v1/payments"):
        keys = keys_of(stub, path)
        assert len(keys) == 2, path
        assert len(set(keys)) == 1, "asked again as the same attempt"
        assert keys[0], path


def test_double_click_pays_once(stub: Stub, page: Page) -> None:
    to_quote(page, stub)
    page.locator("#pay").dblclick()
    expect(page.locator("#certificate-id")).to_be_visible()
    assert len(stub.calls("POST /v1/payments")) == 1


def test_text_stays_while_the_line_is_down_and_is_filed_once(stub: Stub, page: Page) -> None:
    filed = "ob_" + "0" * 36
    stub.answers["POST /v1/objections"] = (201, {"objection_id": filed})
    to_quote(page, stub)
    open_view(page, f"#/object/{ASSESSMENT_ID}")
    page.locator("#objection-text").fill("قیمت کارخانه ۲ میلیارد است")
    page.context.set_offline(True)
    page.locator("#file-objection").click()
    expect(page.get_by_role("alert")).to_contain_text("ارتباط با سامانه برقرار نشد")
    expect(page.locator("#objection-text")).to_have_value("قیمت کارخانه ۲ میلیارد است")
    shoot(page, "office-offline-form")
    page.context.set_offline(False)
    page.locator("#file-objection").click()
    expect(page).to_have_url(f"{stub.origin}/#/objection/{filed}")
    assert len(stub.calls("POST /v1/objections")) == 1


def test_sale_that_is_typed_in_over_a_broken_line_keeps_the_slip(stub: Stub, page: Page) -> None:
    sale = {
        "payment_id": PAYMENT_ID,
        "status": "pending",
        "channel": "pos",
        "terminal": "T-101",
        "amount_rial": "5000",
    }
    stub.answers[f"GET /v1/payments/{PAYMENT_ID}"] = (200, sale)
    sign_in(page, stub)
    open_view(page, f"#/payment/{PAYMENT_ID}")
    page.locator("#slip-reference").fill("700000000001")
    page.locator("#slip-amount").fill("5000")
    page.context.set_offline(True)
    page.locator("#enter-slip").click()
    expect(page.get_by_role("alert")).to_contain_text("ارتباط با سامانه برقرار نشد")
    expect(page.locator("#slip-reference")).to_have_value("700000000001")
    page.context.set_offline(False)
