"""What the contract tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.assess_system import System, running_system
from tests.contract.pay_counter import Counter, running_counter


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    """The functions of the assess folder on one table."""
    yield from running_system(monkeypatch)


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter]:
    """Payments over DynamoDB, with their calls counted."""
    yield from running_counter(monkeypatch)
