"""Steps of a clerk on the running system."""

from __future__ import annotations

import secrets

from playwright.sync_api import Page, expect

from tests.browser.office.steps import choose_channel
from tests.browser.test_office_journey import SLOW_MS, choose_city, search, sign_in
from tests.system.conftest import System
from tests.system.plates import fresh_plate


def begin_sale(page: Page, system: System) -> tuple[str, str]:
    """A sale begun at a new terminal of the clerk's office: the terminal's number, and the payment's id."""
    terminal = f"T-{secrets.token_hex(4).upper()}"
    registered = {"office": "OFFICE-TEHRAN-101", "acquirer": "saman"}
    assert system.client("operator").put(f"/v1/terminals/{terminal}", registered).status == 200
    sign_in(page, system)
    search(page, fresh_plate())
    choose_city(page)
    choose_channel(page, "pos")
    page.locator("#terminal").fill(terminal)
    page.locator("#pay").click()
    expect(page.locator("#terminal-amount")).to_be_visible(timeout=SLOW_MS)
    payment_id = page.url.rpartition("/")[2]
    return terminal, payment_id
