"""What an asset is built for. The template is the same for both; only native files differ."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Target:
    """A Python version and a platform; no platform means this machine's."""

    name: str
    python_version: str
    platform: str | None

    @property
    def markers(self) -> dict[str, str]:
        """The environment in which requirement markers are judged (PEP 508)."""
        machine = "aarch64" if self.platform else os.uname().machine
        return {
            "python_version": self.python_version,
            "python_full_version": f"{self.python_version}.0",
            "platform_machine": machine,
            "extra": "",
        }


CLOUD = Target("cloud", "3.13", "aarch64-manylinux_2_28")
"""The runtime of the template: Lambda's Python 3.13 on arm64, whose system is Amazon Linux 2023 (glibc 2.34)."""

LOCAL = Target("local", f"{sys.version_info.major}.{sys.version_info.minor}", None)
"""This machine, whose Python the local engine runs the functions on."""


def target_named(name: str) -> Target:
    """The target of that name.

    Raises: ValueError for any other name than cloud and local.
    """
    for target in (CLOUD, LOCAL):
        if target.name == name:
            return target
    raise ValueError(f"no target {name!r}: cloud or local")


@cache
def interpreter(python_version: str) -> Path | None:
    """An interpreter of exactly that version on this machine, or nothing: none is ever downloaded."""
    if python_version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return Path(sys.executable)
    name = f"python{python_version}"
    on_path = (Path(folder) / name for folder in os.environ.get("PATH", "").split(os.pathsep) if folder)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for candidate in (*on_path, *sorted(pyenv.glob(f"versions/{python_version}.*/bin/{name}"))):
        if candidate.exists() and _is_version(candidate, python_version):
            return candidate
    return None


def _is_version(python: Path, python_version: str) -> bool:
    """Whether it runs and is of that version: a launcher's stand-in may be neither."""
    asked = subprocess.run(
        [str(python), "-I", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.returncode == 0 and asked.stdout.strip() == python_version


def uv() -> Path:
    """The uv that stands beside this Python.

    Raises: FileNotFoundError when there is none.
    """
    beside = Path(sys.executable).with_name("uv")
    if beside.exists():
        return beside
    found = shutil.which("uv")
    if found is None:
        raise FileNotFoundError("uv: run `make setup`")
    return Path(found)
