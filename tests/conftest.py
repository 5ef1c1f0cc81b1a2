"""Tests run on two workers; what shares a costly fixture stays together on one."""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
TOGETHER = {
    "system": "system",
    "chaos": "system",
    "infra": "infra",
    "scenarios": "scenarios",
    "browser": "browser",
}
"""Folders whose tests share one running system, one synthesis or one browser. Elsewhere a file stays together."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Names the group that pytest-xdist keeps on one worker (``--dist loadgroup``)."""
    for item in items:
        path = item.path.relative_to(TESTS)
        item.add_marker(pytest.mark.xdist_group(TOGETHER.get(path.parts[0], path.as_posix())))
