"""What the tests of payments share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.answers_seen import answers_held


@pytest.fixture(autouse=True)
def _answers() -> Iterator[None]:
    """Answers are held against the OpenAPI document, in this folder's tests."""
    with answers_held():
        yield
