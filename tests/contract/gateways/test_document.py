"""docs/gateways.md repeats what the adapters declare; here the two are compared."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from functions.pay.gateways.registry import ADAPTERS
from tests.contract.gateways.simulator_process import GATEWAYS, Expected

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "gateways.md").read_text(encoding="utf-8")
ROWS = {
    row[0].strip("` "): [cell.strip() for cell in row[1:]]
    for row in (line.strip("| ").split("|") for line in PAGE.splitlines() if re.match(r"\| `\w+` \| rial", line))
}


def minutes(window: timedelta | None) -> str:
    return "never" if window is None else f"{window // timedelta(minutes=1)} min"


@pytest.mark.parametrize("expected", GATEWAYS, ids=lambda expected: expected.name)
def test_table_of_the_gateways_says_what_the_adapters_declare(expected: Expected) -> None:
    gateway = expected.make("http://127.0.0.1:1")
    unit, amount, page, verify, _, _, inquiry, reverse, shares = ROWS[expected.name]
    assert unit.startswith("rial")
    assert amount == f"{gateway.amount_min_rial:,} to {gateway.amount_max_rial:,}"
    assert (page, verify) == (minutes(gateway.page_lifetime), minutes(gateway.verify_window))
    assert inquiry == ("yes" if gateway.can_inquire_without_callback else "no")
    assert reverse == minutes(gateway.reverse_window)
    assert shares == ("yes" if expected.sharing else "no")


def test_every_adapter_is_in_the_tables_and_in_the_suite() -> None:
    real = set(ADAPTERS) - {"sandbox"}
    assert set(ROWS) == real == {expected.name for expected in GATEWAYS}
    for name in real:
        assert f'{{"{name}": {{' in PAGE, f"{name}: what goes into the secret"
