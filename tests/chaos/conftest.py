"""A running system of its own whose functions reach the engine through a proxy of faults."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from avarez import dynamo
from demo.snapshot import seeded_folder
from infra.local.engine import REGION
from infra.local.process import any_free_port
from infra.local.system import LocalSystem
from tests.chaos.fault_proxy import FaultProxy
from tests.chaos.weather import Weather
from tests.system.conftest import System


@pytest.fixture(scope="module")
def weather(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Weather]:
    """The system behind the proxy, and the use cases in this process behind the same one.

    For one module at a time: other tests must not meet its environment.
    """
    folder = tmp_path_factory.mktemp("chaos")
    shutil.copytree(seeded_folder(), folder / "data")
    proxy = FaultProxy(folder)
    local = LocalSystem(folder / "data", port=any_free_port(set()), functions_endpoint=proxy.before)
    with pytest.MonkeyPatch.context() as patch:
        try:
            local.start()
            system = System(local)
            patch.setenv("AWS_ENDPOINT_URL", proxy.url)
            patch.setenv("AWS_REGION", REGION)
            patch.setenv("AWS_DEFAULT_REGION", REGION)
            patch.setenv("AWS_ACCESS_KEY_ID", local.engine.key.access_key_id)
            patch.setenv("AWS_SECRET_ACCESS_KEY", local.engine.key.secret_access_key)
            for name, value in _environment_of(system, "pay-callback").items():
                patch.setenv(name, value)
            dynamo.client.cache_clear()
            yield Weather(system, proxy)
        finally:
            dynamo.client.cache_clear()
            local.kill()
            proxy.stop()


def _environment_of(system: System, part: str) -> dict[str, str]:
    """What the deployed function of this name is told by its environment."""
    name = system.local.function_name(part)
    found = system.aws("lambda").get_function_configuration(FunctionName=name)
    kept = ("DUTY_TABLE", "LEDGER_TABLE", "GATEWAYS_SECRET_ARN", "PUBLIC_ORIGIN", "VERIFY_PAYMENT_QUEUE_URL")
    variables: dict[str, str] = found["Environment"]["Variables"]
    return {name: variables[name] for name in kept}


@pytest.fixture
def folder_of_results() -> Path:
    """Where a full run leaves its figures."""
    return Path(__file__).resolve().parents[2] / "benchmarks" / "results"
