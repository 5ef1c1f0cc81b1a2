"""What importing each function costs, in CPU time, against `import boto3` in the same run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

from benchmarks.report import Figure, at_most
from infra.packaging.build import Assets, build
from infra.packaging.targets import LOCAL
from infra.routes import ENTRY_POINTS

RATIO_MAX = 2.0
"""CPU of importing a handler, against importing boto3 and nothing else."""

MEASURE = """
import json, sys, time
sys.path[:0] = sys.argv[2:]
started = time.process_time()
__import__(sys.argv[1])
print(json.dumps([time.process_time() - started, sorted(sys.modules)]))
"""


def unpack(root: Path, folder: Path) -> dict[str, list[str]]:
    """The search path of each entry point, from the archives that are deployed; `""` names the bare layer's."""
    assets: Assets = build(LOCAL, root=root)
    folders: dict[Path, Path] = {}
    archives = {assets.layer.path, *(asset.path for asset in assets.functions.values())}
    for number, archive in enumerate(sorted(archives)):
        folders[archive] = folder / str(number)
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(folders[archive])
    layer = str(folders[assets.layer.path] / "python")
    paths = {name: [str(folders[asset.path]), layer] for name, asset in assets.functions.items()}
    return {**paths, "": [layer]}


def measure(module: str, path: list[str]) -> tuple[float, list[str]]:
    """CPU seconds of importing `module` in a bare process with this search path, and the modules it brought."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", MEASURE, module, *path],
        capture_output=True,
        text=True,
        env={"PATH": os.environ.get("PATH", "")},
        check=True,
    )
    cpu_s, modules = json.loads(done.stdout)
    return float(cpu_s), list(modules)


def figures(root: Path, folder: Path, rounds: int) -> list[Figure]:
    """A row for each entry point; boto3 and the handler take turns, so that both meet the same machine."""
    paths = unpack(root, folder)
    rows = []
    for entry in ENTRY_POINTS:
        module = entry.handler.rsplit(".", 1)[0]
        ratios = []
        for _ in range(rounds):
            boto3_s = measure("boto3", paths[""])[0]
            ratios.append(measure(module, paths[entry.name])[0] / boto3_s)
        rows.append(at_most("import CPU against boto3", entry.name, ratios, "", RATIO_MAX))
    return rows
