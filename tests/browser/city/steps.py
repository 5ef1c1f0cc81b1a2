"""Steps of an officer against set answers."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.city.answers import load
from tests.browser.stub import Stub


def sign_in(page: Page, stub: Stub, username: str = "tehran") -> None:
    page.goto(f"{stub.origin}/city")
    page.locator("#username").fill(username)
    page.locator("#password").fill("right")
    page.keyboard.press("Enter")
    expect(page.locator("#nav-overview")).to_be_visible()


def begin(page: Page, stub: Stub, username: str = "tehran") -> None:
    """An officer sits before the console of a city in the middle of its day."""
    load(stub)
    sign_in(page, stub, username)
