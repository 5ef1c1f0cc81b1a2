"""What comes out of the printer: pages of office, console, owner and figures as PDFs, from a dark screen.

The pictures of the sheets lie under `.build/screenshots/` as `print-*.png`, to be looked at.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import SCREENSHOTS
from tests.browser.office.steps import new_page, open_view
from tests.browser.stub import Stub
from tests.browser.test_every_page import DESKS
from tests.browser.test_open_page import desk, site

pytestmark = pytest.mark.browser
__all__ = ["desk", "site"]
BRIGHT = 200
"""Of 255: paper with ink on it is brighter, a dark page is not."""
INK = 64
"""Of 255 in each colour, at most."""
POINT = 1
WORD = re.compile(r'<word xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)">([^<]*)')
SHEET = re.compile(r'<page width="([\d.]+)" height="([\d.]+)">')


@dataclass(frozen=True, slots=True)
class Sheets:
    """A printed page: how many sheets, whose words lie beyond an edge, all words, how bright the sheets are."""

    count: int
    beyond: list[str]
    words: str
    brightness: list[int]
    corners: list[int]


def printed(page: Page, name: str) -> Sheets:
    """The page on A4, as a PDF, read back and painted."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    path = SCREENSHOTS / f"print-{name}.pdf"
    page.pdf(path=str(path), format="A4")
    for old in SCREENSHOTS.glob(f"print-{name}-*.png"):
        old.unlink()
    subprocess.run(["pdftoppm", "-r", "50", "-png", str(path), str(path.with_suffix(""))], check=True)
    told = subprocess.run(
        ["pdftotext", "-bbox", str(path), "-"], capture_output=True, text=True, check=True
    ).stdout
    beyond, words = [], []
    for sheet in told.split("<page ")[1:]:
        size = SHEET.match(f"<page {sheet.partition(chr(10))[0]}")
        assert size is not None
        wide, tall = float(size[1]), float(size[2])
        for left, top, right, bottom, word in WORD.findall(sheet):
            words.append(word)
            if (
                min(float(left), float(top)) < -POINT
                or float(right) > wide + POINT
                or float(bottom) > tall + POINT
            ):
                beyond.append(word)
    brightness, corners = [], []
    for picture in sorted(SCREENSHOTS.glob(f"print-{name}-*.png")):
        with Image.open(picture) as opened:
            grey = opened.convert("L")
            shades = grey.histogram()
            brightness.append(sum(shade * count for shade, count in enumerate(shades)) // sum(shades))
            corners.append(int(str(grey.getpixel((3, 3)))))
    page.emulate_media(media="print")
    ink = page.evaluate("getComputedStyle(document.querySelector('main')).color")
    page.emulate_media(media="null")
    assert max(map(int, re.findall(r"\d+", ink)[:3])) < INK, "a dark screen's pale letters are not printed"
    return Sheets(len(brightness), beyond, " ".join(words), brightness, corners)


def good(sheets: Sheets, *, most: int) -> None:
    assert sheets.count <= most
    assert sheets.beyond == []
    assert min(sheets.brightness) > BRIGHT
    assert set(sheets.corners) == {255}, "the paper stays white"
    assert len(sheets.words) > 100


VIEWS = {
    "office": {"quote": 2, "bill": 1, "certificate": 1, "today": 1},
    "city": {"close": 2, "receivables": 3, "budget": 2},
    "owner": {"quote": 2, "certificate": 1},
}
"""Of each view the most sheets."""


@pytest.mark.parametrize("name", VIEWS)
def test_views_print_black_on_white_with_every_word_on_the_sheet(stub: Stub, browser: Browser, name: str) -> None:
    page = new_page(browser, stub, language="fa")
    page.emulate_media(color_scheme="dark")
    DESKS[name].begin(page, stub)
    for view, most in VIEWS[name].items():
        address, sign = DESKS[name].views[view]
        open_view(page, address)
        expect(page.locator(sign).first).to_be_visible()
        good(printed(page, f"{name}-{view}"), most=most)
    page.context.close()


def test_figures_print_with_the_budget_and_the_forecast(site: Stub, browser: Browser) -> None:
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.goto(f"{site.origin}/open#/city/TEHRAN")
    page.locator("#planners summary").first.click()
    page.locator(".curves").wait_for()
    good(printed(page, "open"), most=5)
    context.close()
