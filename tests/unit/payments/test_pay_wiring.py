"""The fresh quote that `quote_expired` hands out."""

from __future__ import annotations

from typing import Any

import pytest

from avarez.clock import FixedClock
from avarez.errors import TariffMissing
from avarez.quotes.quote import Quotes, Rows
from functions.pay.wiring import reassess
from tests.unit.payments.payments_fake import NOON, quote


@pytest.mark.parametrize(("asked", "again"), [(1403, 1403), (1405, None), (None, None)])
def test_fresh_quote_keeps_a_limit_that_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, asked: int | None, again: int | None
) -> None:
    """1405 is the year of the quote's day: no limit, which a quote of a year's last day must not keep."""
    made: list[dict[str, Any]] = []

    def make(self: Quotes[Rows], **wanted: Any) -> dict[str, Any]:
        made.append(wanted)
        return {"assessment_id": "as_new"}

    monkeypatch.setattr(Quotes, "make", make)
    monkeypatch.setenv("TARIFF_BUCKET", "tariffs")
    monkeypatch.setenv("DUTY_TABLE", "duty")
    assert reassess(quote(FixedClock(NOON), through_year=asked), NOON, "clerk") == {"assessment_id": "as_new"}
    assert [wanted["through_year"] for wanted in made] == [again]
    assert (made[0]["municipality"], made[0]["plate"], made[0]["created_by"]) == ("TEHRAN", "12B345-67", "clerk")


def test_quote_that_cannot_be_made_again_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def make(self: Quotes[Rows], **wanted: Any) -> dict[str, Any]:
        raise TariffMissing()

    monkeypatch.setattr(Quotes, "make", make)
    monkeypatch.setenv("TARIFF_BUCKET", "tariffs")
    monkeypatch.setenv("DUTY_TABLE", "duty")
    assert reassess(quote(FixedClock(NOON)), NOON, "clerk") is None
    monkeypatch.delenv("TARIFF_BUCKET")
    assert reassess(quote(FixedClock(NOON)), NOON, "clerk") is None
