"""Environments of their own for what is measured beside ours: nothing of it is installed with the project."""

from __future__ import annotations

import subprocess
import venv
from pathlib import Path


def environment(folder: Path, lock: Path) -> Path:
    """The Python of `folder`, whose packages are exactly those of `lock` (pinned with hashes)."""
    python, stamp = folder / "bin" / "python", folder / ".stamp"
    if not stamp.exists() or stamp.read_bytes() != lock.read_bytes():
        venv.create(folder, with_pip=True, clear=True)
        install = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--require-hashes"]
        subprocess.run([*install, "-r", str(lock)], check=True)
        stamp.write_bytes(lock.read_bytes())
    return python
