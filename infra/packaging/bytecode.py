"""Bytecode that is valid for ever: archives date files 1980, so a time stamp would never match."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

UNCHECKED_HASH_FLAGS = 0b01
"""Source: PEP 552. Bit 0: validated by hash; bit 1 (unset): the source is not looked at."""


def compile_tree(folder: Path, *, python: Path, installed_at: str) -> None:
    """Every module of the folder has bytecode that the interpreter takes without looking at the source.

    File names in tracebacks read as they will where the folder is ``installed_at``.
    Raises: subprocess.CalledProcessError when a module does not compile.
    """
    subprocess.run(
        [
            str(python),
            "-I",
            "-m",
            "compileall",
            "-q",
            "-j",
            "2",
            "--invalidation-mode",
            "unchecked-hash",
            "-s",
            str(folder),
            "-p",
            installed_at,
            str(folder),
        ],
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        stdout=subprocess.DEVNULL,
    )
