"""Steps of a clerk against set answers, and the looks at a page that every view has to stand."""

from __future__ import annotations

from typing import Literal

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DESKTOP, shoot
from tests.browser.stub import Stub

NARROW = {"width": 320, "height": 640}


def sign_in(page: Page, stub: Stub) -> None:
    page.goto(stub.origin)
    page.locator("#username").fill("clerk")
    page.locator("#password").fill("right")
    page.keyboard.press("Enter")
    expect(page.locator("#plate-two")).to_be_focused()


def type_plate(page: Page) -> None:
    """By the keyboard alone: each full part leads to the next."""
    for key in "12b34567":
        page.keyboard.press(key)
    page.keyboard.press("Enter")


def to_quote(page: Page, stub: Stub) -> None:
    sign_in(page, stub)
    type_plate(page)
    expect(page.locator("#pay")).to_be_focused()


def choose_channel(page: Page, channel: str) -> None:
    """As the keyboard does: an arrow moves between the channels."""
    page.locator(f'input[name="channel"][value="{channel}"]').check(force=True)


def open_view(page: Page, address: str) -> None:
    """Another view of the page that is open, as a link leads there."""
    page.evaluate("(hash) => { location.hash = hash; }", address)


def nothing_cut(page: Page, name: str) -> None:
    """At 320 px nothing scrolls sideways and no word leaves its box; a picture of it is kept."""
    before = page.viewport_size
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    wide = page.evaluate(
        """() => [...document.querySelectorAll('main *, header *')]
            .filter((node) => node.getClientRects().length)
            .filter((node) => !node.closest('.table-place, iframe, .visually-hidden'))
            .filter((node) => {
                const box = node.getBoundingClientRect();
                return box.left < -1 || box.right > innerWidth + 1;
            })
            .map((node) => node.outerHTML.slice(0, 120))"""
    )
    shoot(page, f"{name}-320")
    assert wide == [], "\n".join(wide)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    if before:
        page.set_viewport_size(before)


def new_page(browser: Browser, stub: Stub, *, dark: bool = False, language: str = "fa") -> Page:
    """A fresh profile in this language and theme."""
    theme: Literal["dark", "light"] = "dark" if dark else "light"
    context = browser.new_context(viewport=DESKTOP, color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.add_init_script(f"localStorage.setItem('avarez.language', '{language}')")
    return page
