"""Tests run on two workers; what shares a costly fixture stays together on one."""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

TOGETHER = {
    "system": "system",
    "chaos": "system",
    "infra": "infra",
    "scenarios": "scenarios",
    "browser": "browser",
}
"""Folders whose tests share one running system, one synthesis or one browser. Elsewhere a file stays together."""


class Together(LoadScopeScheduling):  # type: ignore[misc]
    """Gives a worker a whole group after another, the largest first."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return TOGETHER.get(file.split("/")[1], file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Together:
    """How pytest-xdist shares the tests out. Its own ``loadgroup`` needs node ids that pytest 9.2 has no more."""
    return Together(config, log)
