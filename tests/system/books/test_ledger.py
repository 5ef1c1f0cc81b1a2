"""A city's books on the running system: the trial balance and the invariants, by the command line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from avarez_cli.main import main
from tests.system.conftest import System
from tests.system.journey import pay
from tests.system.plates import fresh_plate

pytestmark = pytest.mark.system


def ask(
    system: System, capsys: pytest.CaptureFixture[str], command: str, municipality: str = "MASHHAD"
) -> tuple[int, Any]:
    given = ["--municipality", municipality, "--origin", system.origin, "--username", "mashhad", "--json"]
    code = main([command, *given])
    told = capsys.readouterr().out
    return code, json.loads(told) if told else None


def test_books_are_whole_and_balance_after_payments(
    system: System, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    officer = next(account for account in system.accounts if account["username"] == "mashhad")
    monkeypatch.setenv("AVAREZ_PASSWORD", officer["password"])
    paid = pay(system, system.client("clerk"), fresh_plate())
    code, told = ask(system, capsys, "trial-balance")
    assert code == 0
    assert told["debit_rial"] == told["credit_rial"]
    accounts = {row["account"]: row for row in told["accounts"]}
    clearing_rial = int(accounts["gateway_clearing:sandbox"]["debit_rial"])
    assert clearing_rial >= int(paid.payment["amount_rial"])
    code, told = ask(system, capsys, "check-invariants")
    assert (code, told["broken"]) == (0, [])
    assert told["entries"] >= 1
    assert ask(system, capsys, "trial-balance", "SHIRAZ") == (2, None)  # another city's books
