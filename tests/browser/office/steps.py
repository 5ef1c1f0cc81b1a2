"""Steps of a clerk against set answers, and the looks at a page that every view has to stand."""

from __future__ import annotations

import os
from typing import Literal

from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.browser.conftest import DESKTOP, shoot
from tests.browser.stub import Stub

NARROW: ViewportSize = {"width": 320, "height": 640}
ZOOMED: ViewportSize = {"width": 640, "height": 400}
"""A screen of 1280 by 800 at 200 %."""
PROVE = os.environ.get("AVAREZ_PROVE") == "1"


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


WIDE = """() => [...document.querySelectorAll('main *, header *, dialog[open] *')]
    .filter((node) => node.getClientRects().length)
    .filter((node) => !node.closest('.table-place, .scroll, iframe, .visually-hidden'))
    .filter((node) => {
        const box = node.getBoundingClientRect();
        return box.left < -1 || box.right > innerWidth + 1;
    })
    .map((node) => `beyond the edge: ${node.outerHTML.slice(0, 120)}`)"""
HURT = """() => {
    const hides = (node) => /hidden|clip/.test(getComputedStyle(node).overflow);
    const floats = (node) => /sticky|fixed|absolute/.test(getComputedStyle(node).position);
    const above = (node, is) => {
        for (let one = node; one && one !== document.body; one = one.parentElement) if (is(one)) return one;
        return null;
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const [words, hurt] = [[], []];
    while (walker.nextNode()) {
        const [text, node] = [walker.currentNode, walker.currentNode.parentElement];
        if (!text.data.trim() || !node.checkVisibility({ visibilityProperty: true })) continue;
        if (node.closest('.visually-hidden, .skip, noscript, option, svg, [role="img"], [aria-hidden]')) continue;
        const range = document.createRange();
        range.selectNodeContents(text);
        const box = above(node, hides)?.getBoundingClientRect();
        const layer = above(node, floats);
        const lines = new Set([...range.getClientRects()].map(({ top }) => Math.round(top)));
        if (lines.size > 1 && /^[-−\\d۰-۹٬,٫.%٪\\s]+$/.test(text.data)) hurt.push(`broken number: ${text.data}`);
        for (const { left, right, top, bottom } of range.getClientRects()) {
            if (right - left < 1) continue;
            const word = { left, right, top, bottom, layer, name: text.data.trim().slice(0, 60) };
            const aside = box && (left < box.left - 2 || right > box.right + 2);
            if (aside || (box && (top < box.top - 2 || bottom > box.bottom + 6))) hurt.push(`cut: ${word.name}`);
            words.push(word);
        }
    }
    words.sort((one, other) => one.top - other.top);
    words.forEach((one, index) => {
        for (const other of words.slice(index + 1)) {
            if (other.top > one.bottom) break;
            const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
            const down = Math.min(one.bottom, other.bottom) - other.top;
            const high = Math.min(one.bottom - one.top, other.bottom - other.top);
            if (one.layer === other.layer && across > 2 && down > high / 2)
                hurt.push(`overlap: ${one.name} / ${other.name}`);
        }
    });
    return hurt;
}"""


def nothing_cut(page: Page, name: str, size: ViewportSize = NARROW) -> None:
    """On a screen of this size nothing scrolls sideways, and no word leaves its box or lies on another.

    Numbers stay on one line; tables may scroll in boxes of their own. A picture is kept (zoomed: in `make prove`).
    """
    before = page.viewport_size
    page.set_viewport_size(size)
    found = page.evaluate(WIDE) + page.evaluate(HURT)
    if size == NARROW or PROVE:
        shoot(page, f"{name}-{size['width']}")
    assert found == [], "\n".join(found)
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    if before:
        page.set_viewport_size(before)


def new_page(browser: Browser, stub: Stub, *, dark: bool = False, language: str = "fa", scale: float = 1) -> Page:
    """A fresh profile in this language and theme, with so many pixels of the screen for one of the page."""
    theme: Literal["dark", "light"] = "dark" if dark else "light"
    context = browser.new_context(
        viewport=DESKTOP,  # type: ignore[arg-type]
        color_scheme=theme,
        reduced_motion="reduce",
        device_scale_factor=scale,
    )
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.add_init_script(f"localStorage.setItem('avarez.language', '{language}')")
    return page
