"""What the scenarios share: the running system, and the local engine behind the proxy of faults."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.scenarios.emulated import EngineTables
from tests.system.conftest import seeded, system


@pytest.fixture(scope="session")
def engine_tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineTables]:
    """The engine and its proxy, for all scenarios of a run."""
    tables = EngineTables(tmp_path_factory.mktemp("scenarios"))
    try:
        yield tables
    finally:
        tables.stop()


@pytest.fixture(autouse=True)
def _calm(request: pytest.FixtureRequest) -> Iterator[None]:
    """No scenario's faults befall the next one."""
    yield
    if "engine_tables" in request.fixturenames:
        request.getfixturevalue("engine_tables").proxy.calm()


__all__ = ["engine_tables", "seeded", "system"]
