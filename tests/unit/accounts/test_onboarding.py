"""What a city has set up, in words: every state of every thing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from functions.pay.accounts.onboarding import Setup, is_ready, steps

READY = Setup(True, False, 2, "active", "2026-11-26", True, True, True, True)


def words(setup: Setup, what: str) -> tuple[bool, str]:
    step = next(one for one in steps(setup) if one["what"] == what)
    assert step["text_fa"] != step["text_en"]
    return step["done"], step["text_en"]


def test_a_city_with_everything_is_ready_and_one_without_is_not() -> None:
    assert is_ready(READY)
    assert is_ready(replace(READY, emblem=False)), "an emblem is no need"
    assert is_ready(replace(READY, webhook="")), "the daily files do"
    for lacking in (
        replace(READY, account=False),
        replace(READY, tariff=False),
        replace(READY, roll=False),
        replace(READY, contact=False),
    ):
        assert not is_ready(lacking)
    assert not is_ready(replace(READY, officers=1))


@pytest.mark.parametrize(
    ("setup", "what", "done", "part"),
    [
        (Setup(account_open=True), "account", False, "second officer"),
        (Setup(), "account", False, "PUT"),
        (Setup(webhook="paused"), "events", False, "paused"),
        (Setup(file_day="2026-11-26"), "events", True, "2026-11-26"),
        (Setup(), "events", False, "the day after"),
    ],
)
def test_words_say_what_to_do(setup: Setup, what: str, done: bool, part: str) -> None:
    told, text = words(setup, what)
    assert (told, part in text) == (done, True)
