"""The templates as they are deployed, synthesised once; a later run takes what is there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.packaging.build import Assets, build
from infra.packaging.targets import LOCAL
from infra.synth import synthesise

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Template:
    """One stack's template, and its resources by type."""

    body: dict[str, Any]

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """Properties of the resources of that type, by logical id; there is at least one."""
        found = {
            name: resource.get("Properties", {})
            for name, resource in self.body["Resources"].items()
            if resource["Type"] == kind
        }
        assert found, f"no {kind}"
        return found

    def resource(self, name: str) -> dict[str, Any]:
        """The whole resource of that logical id."""
        resource: dict[str, Any] = self.body["Resources"][name]
        return resource


@pytest.fixture(scope="session")
def assets() -> Assets:
    return build(LOCAL, root=ROOT)


@pytest.fixture(scope="session")
def assembly(assets: Assets) -> Path:
    out = ROOT / ".build" / "cdk-test"
    synthesise(assets, root=ROOT, out=out)
    return out


@pytest.fixture(scope="session")
def main(assembly: Path) -> Template:
    return Template(json.loads((assembly / "Avarez.template.json").read_text("utf-8")))


@pytest.fixture(scope="session")
def api(assembly: Path) -> Template:
    return Template(json.loads((assembly / "Api.template.json").read_text("utf-8")))


@pytest.fixture(scope="session")
def watch(assembly: Path) -> Template:
    return Template(json.loads((assembly / "Watch.template.json").read_text("utf-8")))


@pytest.fixture(scope="session")
def delivery(assembly: Path) -> Template:
    return Template(json.loads((assembly / "Delivery.template.json").read_text("utf-8")))
