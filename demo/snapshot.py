"""A data folder in which the stack is deployed and the demonstration loaded, made once per content of the code.

Nobody has paid in it: the past and the first visits of `make run` are left out.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

from demo import visits
from demo.past import loading as past
from demo.seed import seed
from infra.exclusive import exclusive
from infra.local.engine import ROOT
from infra.local.process import any_free_port
from infra.local.system import ASSEMBLY, LocalSystem, content_key, synthesise

SNAPSHOTS = ROOT / ".build" / "seeded"
INPUTS = ("functions", "layers", "demo", "infra")
LEFT_OUT = shutil.ignore_patterns("logs", "tmp", "lock", "ports.json", "__pycache__")


def seeded_folder() -> Path:
    """The folder for the code as it stands; copy it, never start over it."""
    synthesise(ASSEMBLY)
    snapshot = SNAPSHOTS / content_key([ROOT / name for name in INPUTS])
    with exclusive(SNAPSHOTS.parent / "seeded.lock", wait=True):
        if not snapshot.exists():
            shutil.rmtree(SNAPSHOTS, ignore_errors=True)
            _make(snapshot)
    return snapshot


def _make(snapshot: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="avarez-seed-") as folder:
        data_dir = Path(folder) / "data"
        local = LocalSystem(data_dir, port=any_free_port(set()))
        try:
            local.start(seed=lambda running: seed(running, say=lambda _: None))
            local.stop()
            visits.leave_out(data_dir)
            past.leave_out(data_dir)
        finally:
            local.kill()
        unfinished = snapshot.with_suffix(f".{time.time_ns()}")
        shutil.copytree(data_dir, unfinished, ignore=LEFT_OUT)
        unfinished.rename(snapshot)
