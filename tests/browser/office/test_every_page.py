"""Every view of the pages: accessible (axe-core), in both languages and both themes, and light to load.

With AVAREZ_PICTURES=1 the pictures of the main views go to docs/images.
"""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import SCREENSHOTS
from tests.browser.demo_answers import ASSESSMENT_ID, CERTIFICATE_ID, PAYMENT_ID, load
from tests.browser.office import test_cases, test_channels, test_day
from tests.browser.office.steps import new_page, nothing_cut, open_view, sign_in, type_plate
from tests.browser.stub import ROOT, WEB, Stub, page_file

pytestmark = pytest.mark.browser
AXE = ROOT / "node_modules/axe-core/axe.min.js"
IMAGES = ROOT / "docs" / "images"
WEIGHT_MAX_BYTES = 150_000
"""Of a page, compressed, before fonts and what loads on demand."""
SERIOUS = ("serious", "critical")
PICTURED = ("search", "quote", "bill", "sale", "certificate", "today", "fleet", "objection")


def prepare(stub: Stub) -> None:
    """Answers for every view at once; each payment has a channel of its own."""
    load(stub)
    test_day.answer_the_day(stub)
    sale, bill = "py_" + "1" * 36, "py_" + "2" * 36
    stub.answers[f"GET /v1/payments/{sale}"] = (200, {**test_channels.sale(), "payment_id": sale})
    stub.answers[f"GET /v1/payments/{bill}"] = (200, {**test_channels.bill(), "payment_id": bill})
    agreement = test_channels.agreement("in_force")
    stub.answers[f"GET /v1/instalment-agreements/{test_channels.AGREEMENT_ID}"] = (200, agreement)
    stub.answers[f"GET /v1/fleets/{test_cases.FLEET_ID}"] = (200, test_cases.fleet(3))
    rows = {"rows": [test_cases.quoted(1), test_cases.quoted(2)], "cursor": None}
    stub.answers[f"GET /v1/fleets/{test_cases.FLEET_ID}/rows"] = (200, rows)
    stub.answers[f"GET /v1/objections/{test_cases.OBJECTION_ID}"] = (200, test_cases.objection("open"))


VIEWS: dict[str, tuple[str, str]] = {
    "search": ("#/search", "#plate-two"),
    "quote": (f"#/assessment/{ASSESSMENT_ID}", "#pay"),
    "bill": ("#/payment/py_" + "2" * 36, "#bill-id"),
    "sale": ("#/payment/py_" + "1" * 36, "#enter-slip"),
    "agreement": (f"#/agreement/{test_channels.AGREEMENT_ID}", "#agreement-state"),
    "certificate": (f"#/certificate/{CERTIFICATE_ID}", "#certificate-id"),
    "today": ("#/today", "tr[data-payment]"),
    "closing": ("#/closing/T-101", "#closing-lines"),
    "refund": (f"#/refund/{PAYMENT_ID}", "#refund-reason"),
    "fleet-form": ("#/fleet", "#send-fleet"),
    "fleet": (f"#/fleet/{test_cases.FLEET_ID}", "tbody tr"),
    "object": (f"#/object/{ASSESSMENT_ID}", "#file-objection"),
    "objection": (f"#/objection/{test_cases.OBJECTION_ID}", "#objection-status"),
    "objections": ("#/objections", "#objections-city"),
    "register": ("#/register", "#register"),
}


def findings(page: Page, *, only: list[str] | None = None) -> list[tuple[str, str]]:
    """What axe-core calls serious or critical: the rule and the first place."""
    options: dict[str, Any] = {"resultTypes": ["violations"], "iframes": False}
    if only:
        options["runOnly"] = {"type": "rule", "values": only}
    result = page.evaluate("(options) => axe.run(document, options)", options)
    serious = [violation for violation in result["violations"] if violation["impact"] in SERIOUS]
    return [(violation["id"], violation["nodes"][0]["html"][:160]) for violation in serious]


def look_at(page: Page, name: str, language: str) -> dict[str, list[tuple[str, str]]]:
    """Both themes of what the page shows; a picture of each."""
    found = {f"{name} {language} light": findings(page)}
    picture(page, f"office-{name}-{language}")
    page.emulate_media(color_scheme="dark")
    found[f"{name} {language} dark"] = findings(page, only=["color-contrast"])
    picture(page, f"office-{name}-{language}-dark")
    page.emulate_media(color_scheme="light")
    return found


def picture(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    folder = SCREENSHOTS
    if (
        os.environ.get("AVAREZ_PICTURES") == "1"
        and name in {f"office-{view}-fa" for view in PICTURED} | DOCUMENTED
    ):
        folder = IMAGES
    page.screenshot(path=str(folder / f"{name}.png"))


DOCUMENTED = {"office-today-en", "office-quote-fa-dark"}


LANGUAGES = ("fa", "en") if os.environ.get("AVAREZ_PROVE") == "1" else ("fa",)
"""`make test` reads Persian, where every word is at hand; `make prove` both."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_view_has_a_serious_finding_in_either_theme(stub: Stub, browser: Browser, language: str) -> None:
    prepare(stub)
    page = new_page(browser, stub, language=language)
    page.goto(stub.origin)
    page.evaluate(AXE.read_text("utf-8"))
    expect(page.locator("#username")).to_be_visible()
    found = look_at(page, "sign-in", language)
    page.locator("#username").fill("clerk")
    page.locator("#password").fill("right")
    page.keyboard.press("Enter")
    expect(page.locator("#plate-two")).to_be_focused()
    type_plate(page)
    expect(page.locator("#pay")).to_be_focused()
    for name, (address, sign) in VIEWS.items():
        open_view(page, address)
        expect(page.locator(sign).first).to_be_visible()
        found |= look_at(page, name, language)
    assert {name: of for name, of in found.items() if of} == {}
    page.context.close()


def test_verifier_has_no_serious_finding_in_either_language_and_theme(stub: Stub, browser: Browser) -> None:
    found: dict[str, list[tuple[str, str]]] = {}
    for language in ("fa", "en"):
        page = new_page(browser, stub, language=language)
        page.goto(f"{stub.origin}/v")
        page.evaluate(AXE.read_text("utf-8"))
        expect(page.locator("h1, h2").first).to_be_visible()
        found[f"verify {language} light"] = findings(page)
        page.emulate_media(color_scheme="dark")
        found[f"verify {language} dark"] = findings(page, only=["color-contrast"])
        page.context.close()
    assert {name: of for name, of in found.items() if of} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_view_is_cut_at_320_px(stub: Stub, browser: Browser, language: str) -> None:
    prepare(stub)
    page = new_page(browser, stub, language=language)
    sign_in(page, stub)
    for name, (address, sign) in VIEWS.items():
        open_view(page, address)
        expect(page.locator(sign).first).to_be_visible()
        nothing_cut(page, f"office-{name}-{language}")
    page.context.close()


def loaded_with(page: Path, of: Callable[[str], Path | None]) -> set[Path]:
    """The page, and every style and module that it loads before anybody does anything."""
    text = page.read_text("utf-8")
    waiting = [
        *re.findall(r'<link rel="stylesheet" href="([^"]+)"', text),
        *re.findall(r'<script[^>]* src="([^"]+)"', text),
    ]
    found, places = {page}, [(address, page) for address in waiting]
    while places:
        address, importer = places.pop()
        file = of(address) if address.startswith("/") else (importer.parent / address).resolve()
        assert file is not None, address
        if file in found:
            continue
        found.add(file)
        if file.suffix == ".js":
            imports = re.findall(
                r'^(?:import|export)\b[^"]*?from "([^"]+)";$', file.read_text("utf-8"), re.MULTILINE
            )
            places += [(name, file) for name in imports]
    return found


@pytest.mark.parametrize("name", ["office", "verify"])
def test_page_weighs_little(name: str) -> None:
    files = loaded_with(WEB / name / "index.html", page_file)
    assert len(files) > 5
    weight = sum(len(gzip.compress(file.read_bytes())) for file in files)
    assert weight < WEIGHT_MAX_BYTES, f"{name}: {weight} bytes in {len(files)} files"
