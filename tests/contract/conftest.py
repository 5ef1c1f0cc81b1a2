"""What the contract tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.assess_system import System, running_system


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    """The functions of the assess folder on one table."""
    yield from running_system(monkeypatch)
