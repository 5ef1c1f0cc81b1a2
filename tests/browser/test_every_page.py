"""Every view of the office page, the city console and the owner's page: accessible (axe-core), in both languages
and both themes, whole at 320 px and at 200 %; every page light to load.

With AVAREZ_PICTURES=1 the pictures of the main views go to docs/images.
"""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.city import answers as city
from tests.browser.city.steps import begin as sit_down
from tests.browser.conftest import PICTURES, SCREENSHOTS, document
from tests.browser.demo_answers import ASSESSMENT_ID, CERTIFICATE_ID, PAYMENT_ID, certificate_pdf, load
from tests.browser.office import test_cases, test_channels, test_day
from tests.browser.office.steps import NARROW, ZOOMED, new_page, nothing_cut, open_view, to_quote
from tests.browser.owner import answers as owner
from tests.browser.stub import ROOT, WEB, Stub, page_file
from tests.browser.test_open_page import desk, site

pytestmark = pytest.mark.browser
AXE = ROOT / "node_modules/axe-core/axe.min.js"
WEIGHT_MAX_BYTES = 150_000
"""Of a page, compressed, before fonts and what loads on demand."""
SERIOUS = ("serious", "critical")
ZOOM = 2
PAPER_MS = 4_000
"""The browser's own viewer says to nobody when the paper is on the screen."""

__all__ = ["desk", "site"]


def prepare(stub: Stub) -> None:
    """Answers for every view of the office at once; each payment has a channel of its own."""
    load(stub)
    test_day.answer_the_day(stub)
    sale, bill = "py_" + "1" * 36, "py_" + "2" * 36
    stub.answers[f"GET /v1/payments/{sale}"] = (200, {**test_channels.sale(), "payment_id": sale})
    stub.answers[f"GET /v1/payments/{bill}"] = (200, {**test_channels.bill(), "payment_id": bill})
    agreement = test_channels.agreement("in_force")
    stub.answers[f"GET /v1/instalment-agreements/{test_channels.AGREEMENT_ID}"] = (200, agreement)
    stub.answers[f"GET /v1/certificates/{CERTIFICATE_ID}/pdf"] = (200, certificate_pdf())
    stub.answers[f"GET /v1/fleets/{test_cases.FLEET_ID}"] = (200, test_cases.fleet(3))
    rows = {"rows": [test_cases.quoted(1), test_cases.quoted(2)], "cursor": None}
    stub.answers[f"GET /v1/fleets/{test_cases.FLEET_ID}/rows"] = (200, rows)
    stub.answers[f"GET /v1/objections/{test_cases.OBJECTION_ID}"] = (200, test_cases.objection("open"))


def begin_office(page: Page, stub: Stub) -> None:
    """A clerk with a quote on the screen."""
    prepare(stub)
    to_quote(page, stub)


@dataclass(frozen=True, slots=True)
class Desk:
    """A page that people sign in to: its path, how somebody gets to work, each view with its sign.

    Of the views in `pictured` and of the pictures in `documented` there is one in docs/images.
    """

    path: str
    begin: Callable[[Page, Stub], None]
    views: Mapping[str, tuple[str, str]]
    pictured: frozenset[str]
    documented: frozenset[str] = frozenset()
    entrance: str = "#username"

    def is_documented(self, name: str) -> bool:
        """Whether this picture belongs into docs/images."""
        return name in self.documented or any(name.endswith(f"-{view}-fa") for view in self.pictured)


DESKS: dict[str, Desk] = {
    "office": Desk(
        path="/",
        begin=begin_office,
        views={
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
        },
        pictured=frozenset(("search", "quote", "bill", "sale", "certificate", "today", "fleet", "objection")),
        documented=frozenset(("office-today-en", "office-quote-fa-dark")),
    ),
    "city": Desk(
        path="/city",
        begin=sit_down,
        views=city.VIEWS,
        pictured=frozenset(city.PICTURED),
        documented=frozenset(("city-overview-en", "city-overview-fa-dark")),
    ),
    "owner": Desk(
        path="/my",
        begin=owner.begin,
        views=owner.VIEWS,
        pictured=frozenset(owner.PICTURED),
        entrance="#national-id",
    ),
}


def findings(page: Page, *, only: list[str] | None = None) -> list[tuple[str, str]]:
    """What axe-core calls serious or critical: the rule and the first place."""
    options: dict[str, Any] = {"resultTypes": ["violations"], "iframes": False}
    if only:
        options["runOnly"] = {"type": "rule", "values": only}
    result = page.evaluate("(options) => axe.run(document, options)", options)
    serious = [violation for violation in result["violations"] if violation["impact"] in SERIOUS]
    return [(violation["id"], violation["nodes"][0]["html"][:160]) for violation in serious]


def look_at(page: Page, desk: str, name: str, language: str) -> dict[str, list[tuple[str, str]]]:
    """Both themes of what the page shows; a picture of each."""
    found = {f"{name} {language} light": findings(page)}
    picture(page, desk, f"{desk}-{name}-{language}")
    page.emulate_media(color_scheme="dark")
    found[f"{name} {language} dark"] = findings(page, only=["color-contrast"])
    picture(page, desk, f"{desk}-{name}-{language}-dark")
    page.emulate_media(color_scheme="light")
    return found


def picture(page: Page, desk: str, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    if DESKS[desk].is_documented(name) and page.locator(".preview iframe").count() and PICTURES:
        page.wait_for_timeout(PAPER_MS)
    png = page.screenshot(path=str(SCREENSHOTS / f"{name}.png"))
    if DESKS[desk].is_documented(name):
        document(png, name)


LANGUAGES = ("fa", "en") if os.environ.get("AVAREZ_PROVE") == "1" else ("fa",)
"""`make test` reads Persian, where every word is at hand; `make prove` both."""


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", DESKS)
def test_no_view_has_a_serious_finding_in_either_theme(
    stub: Stub, browser: Browser, name: str, language: str
) -> None:
    desk = DESKS[name]
    page = new_page(browser, stub, language=language)
    page.goto(f"{stub.origin}{desk.path}")
    expect(page.locator(desk.entrance)).to_be_visible()
    page.evaluate(AXE.read_text("utf-8"))
    found = look_at(page, name, "sign-in", language)
    desk.begin(page, stub)
    page.evaluate(AXE.read_text("utf-8"))
    for view, (address, sign) in desk.views.items():
        open_view(page, address)
        expect(page.locator(sign).first).to_be_visible()
        found |= look_at(page, name, view, language)
    assert {view: of for view, of in found.items() if of} == {}
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
@pytest.mark.parametrize("name", DESKS)
def test_no_view_is_cut_at_320_px_or_at_twice_the_size(
    stub: Stub, browser: Browser, name: str, language: str
) -> None:
    desk = DESKS[name]
    page = new_page(browser, stub, language=language, scale=ZOOM)
    page.goto(f"{stub.origin}{desk.path}")
    expect(page.locator(desk.entrance)).to_be_visible()
    whole(page, f"{name}-sign-in-{language}")
    desk.begin(page, stub)
    for view, (address, sign) in desk.views.items():
        open_view(page, address)
        expect(page.locator(sign).first).to_be_visible()
        whole(page, f"{name}-{view}-{language}")
    page.context.close()


PUBLIC = {
    "verify": ("/v", (), "#code"),
    "open": ("/open#/city/TEHRAN", ("#owed summary", "#planners summary"), ".curves"),
    "docs": ("/docs", ("#operations summary",), "#operations details[open] > :not(summary)"),
}
"""Pages without a sign-in: the address, what is unfolded there, and a sign of what stands there then."""


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PUBLIC)
def test_no_public_page_is_cut_at_320_px_or_at_twice_the_size(
    site: Stub, browser: Browser, name: str, language: str
) -> None:
    address, folded, sign = PUBLIC[name]
    page = new_page(browser, site, language=language, scale=ZOOM)
    page.goto(f"{site.origin}{address}")
    for part in folded:
        page.locator(part).first.click()
    expect(page.locator(sign).first).to_be_visible()
    whole(page, f"{name}-{language}")
    page.context.close()


def whole(page: Page, name: str) -> None:
    """As a telephone of 320 px shows it, and as a screen of 1280 px at 200 % does."""
    for size in (NARROW, ZOOMED):
        nothing_cut(page, name, size)


IMPORTED = r'^(?:import|export)\b[^"]*?from "([^"]+)";$'


def loaded_with(page: Path, of: Callable[[str], Path | None]) -> set[Path]:
    """The page or module, and every style and module that it loads before anybody does anything."""
    text = page.read_text("utf-8")
    waiting = [
        *re.findall(r'<link rel="stylesheet" href="([^"]+)"', text),
        *re.findall(r'<script[^>]* src="([^"]+)"', text),
        *re.findall(IMPORTED, text, re.MULTILINE),
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
            imports = re.findall(IMPORTED, file.read_text("utf-8"), re.MULTILINE)
            places += [(name, file) for name in imports]
    return found


def weight_of(files: set[Path]) -> int:
    return sum(len(gzip.compress(file.read_bytes())) for file in files)


@pytest.mark.parametrize("name", ["office", "owner", "verify"])
def test_page_weighs_little(name: str) -> None:
    files = loaded_with(WEB / name / "index.html", page_file)
    assert len(files) > 5
    assert weight_of(files) < WEIGHT_MAX_BYTES, f"{name}: {weight_of(files)} bytes in {len(files)} files"


def test_console_weighs_little_with_each_of_its_sections() -> None:
    frame = loaded_with(WEB / "city" / "index.html", page_file)
    sections = re.findall(r'import\("\./(views/\w+\.js)"\)', (WEB / "city" / "sections.js").read_text("utf-8"))
    assert sections
    for section in sections:
        files = frame | loaded_with(WEB / "city" / section, page_file)
        assert weight_of(files) < WEIGHT_MAX_BYTES, f"{section}: {weight_of(files)} bytes in {len(files)} files"
