"""A headless Chromium, a stub server, and the whole system where a test asks for it."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.stub import ROOT, Stub
from tests.system.conftest import seeded, system

CHROMIUM = "/usr/bin/chromium"
IMAGES = ROOT / "docs" / "images"
PICTURES = os.environ.get("AVAREZ_PICTURES") == "1"
PICTURE_COLOURS = 256
SCREENSHOTS = ROOT / ".build" / "screenshots"
DESKTOP = {"width": 1366, "height": 768}
PHONE = {"width": 390, "height": 844}
STEP_TIMEOUT_MS = 10_000
PICTURE_TIMEOUT_MS = 60_000
"""The page of the API is thirty screens long."""

__all__ = ["seeded", "system"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; one process for the session, one context a test."""
    expect.set_options(timeout=STEP_TIMEOUT_MS)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield running
        running.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh profile on a desktop screen."""
    opened = browser.new_context(viewport=DESKTOP)  # type: ignore[arg-type]
    opened.set_default_timeout(STEP_TIMEOUT_MS)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A tab; the test fails when a script in it raises or a policy of the page is broken."""
    opened = context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on(
        "console", lambda message: faults.append(message.text) if "Content Security" in message.text else None
    )
    yield opened
    assert faults == []


@pytest.fixture(scope="session")
def stub_server() -> Iterator[Stub]:
    with Stub() as running:
        yield running


@pytest.fixture
def stub(stub_server: Stub) -> Stub:
    """The stub, with nothing set and nothing seen."""
    stub_server.reset()
    return stub_server


def shoot(page: Page, name: str) -> Path:
    """A screenshot of the whole page under `.build/screenshots/`."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    path = SCREENSHOTS / f"{re.sub(r'[^a-z0-9-]', '-', name.lower())}.png"
    page.screenshot(path=str(path), full_page=True, scale="css", timeout=PICTURE_TIMEOUT_MS)
    return path


def document(png: bytes, name: str) -> None:
    """The picture in docs/images, if AVAREZ_PICTURES=1 asks for it: in 256 colours, half of the bytes."""
    if not PICTURES:
        return
    with Image.open(io.BytesIO(png)) as taken:
        few = taken.convert("RGB").quantize(
            PICTURE_COLOURS, method=Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE
        )
        few.save(IMAGES / f"{name}.png", optimize=True)


PASTE = """(field, text) => {
    const data = new DataTransfer();
    data.setData("text", text);
    const options = { clipboardData: data, bubbles: true, cancelable: true };
    field.dispatchEvent(new ClipboardEvent("paste", options));
}"""


def paste_plate(page: Page, text: str) -> None:
    """Pastes a whole plate into its first part, as a clerk does from a message."""
    page.locator("#plate-two").evaluate(PASTE, text)
