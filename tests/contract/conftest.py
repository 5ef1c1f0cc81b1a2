"""What the contract tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.answers_seen import answers_held
from tests.contract.assess_system import System, running_system
from tests.contract.pay_counter import Counter, running_counter
from tests.contract.stores.moto_transactions import keep_references


@pytest.fixture(scope="session", autouse=True)
def _transactions() -> Iterator[None]:
    """moto's tables are copied by reference."""
    with pytest.MonkeyPatch.context() as patch:
        keep_references(patch)
        yield


@pytest.fixture(autouse=True)
def _answers() -> Iterator[None]:
    """Answers are held against the OpenAPI document, in this folder's tests."""
    with answers_held():
        yield


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    """The functions of the assess folder on one table."""
    yield from running_system(monkeypatch)


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter]:
    """Payments over DynamoDB, with their calls counted."""
    yield from running_counter(monkeypatch)
