"""The layers of the house: who may import whom. Reads every import, nothing is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(
    path
    for folder in ("layers", "functions", "simulation", "infra", "cli")
    for path in (ROOT / folder).rglob("*.py")
)
AWS = {"boto3", "botocore", "aws_lambda_powertools"}
PURE_NAMES = {"rules.py", "states.py"}
IMPURE_MODULES = {"os", "time", "random", "secrets", "socket", "subprocess", "urllib", "http", "requests"} | AWS


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide who imports whom"
            yield node.module or ""


def area(path: Path) -> tuple[str, ...]:
    return path.relative_to(ROOT).parts


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_respect_the_layers(path: Path) -> None:
    parts = area(path)
    for module in imports(path):
        words = module.split(".")
        if parts[0] == "layers":
            assert words[0] not in {"functions", "infra", "cli", "avarez_cli"}, f"the layer imports {module}"
        if parts[0] == "functions":
            assert words[0] not in {"infra", "avarez_cli", "simulation"}, f"a function imports {module}"
            if words[0] == "functions" and len(words) > 1:
                assert words[1] == parts[1], f"functions/{parts[1]} imports {module}"
        if parts[0] == "infra":
            assert words[0] != "functions", f"infra imports {module}"
        if parts[0] == "simulation":
            assert words[0] not in {"infra", "avarez_cli", "tests"} | AWS, f"the simulator imports {module}"
        if parts[0] == "cli":
            assert words[0] not in {"functions", "infra"}, f"the command line imports {module}"
        if path.name in PURE_NAMES or parts[:4] == ("layers", "common", "avarez", "assessment"):
            assert words[0] not in IMPURE_MODULES - {"os"}, f"pure code imports {module}"


def test_only_adapters_know_aws() -> None:
    allowed = {"store.py", "dynamo.py", "observability.py", "wiring.py"}
    offenders = [
        str(path.relative_to(ROOT))
        for path in SOURCES
        if area(path)[0] in {"layers", "functions"}
        and path.name not in allowed
        and {module.split(".")[0] for module in imports(path)} & {"boto3", "botocore"}
        and not path.name.endswith(("_adapter.py", "_store.py"))
    ]
    assert offenders == []
