"""Archives of the layer and the functions, made from the lock file, kept by a hash of their inputs."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.exclusive import exclusive
from infra.packaging.bytecode import compile_tree
from infra.packaging.lock import closure, subset
from infra.packaging.prune import prune
from infra.packaging.targets import Target, interpreter, uv
from infra.routes import ENTRY_POINTS, EntryPoint

LAYER_PACKAGES = ("aws-lambda-powertools", "boto3", "persiantools", "pydantic", "rfc8785", "tzdata")
"""What the package avarez and more than one function import."""

ZIP_DATE = (1980, 1, 1, 0, 0, 0)
"""The earliest a ZIP can say, and what Lambda's own tools write."""

STALE_AFTER_S = 3_600
"""An archive that no build named for an hour is removed; a build going on beside keeps its own."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One archive; the hash is that of everything it was made from."""

    path: Path
    content_hash: str


@dataclass(frozen=True, slots=True)
class Assets:
    """The common layer, and each entry point's archive by the entry point's name."""

    target: Target
    layer: Asset
    functions: Mapping[str, Asset]


def build(target: Target, *, root: Path) -> Assets:
    """Every asset of the target, made anew only where an input changed.

    Raises: subprocess.CalledProcessError when a package cannot be installed or compiled.
    """
    with exclusive(root / ".build" / "assets.lock", wait=True):
        builder = _Builder(target, root)
        layer = builder.layer()
        functions = {}
        for entry in ENTRY_POINTS:
            functions[entry.name] = builder.function(entry)
        builder.forget_stale()
    return Assets(target, layer, functions)


class _Builder:
    """One build: where its inputs lie and where its archives go."""

    def __init__(self, target: Target, root: Path) -> None:
        self._target = target
        self._root = root
        self._lock = root / "requirements.lock"
        self._folder = root / ".build" / "assets" / target.name
        self._folder.mkdir(parents=True, exist_ok=True)
        self._python = interpreter(target.python_version)
        self._layer_closure = closure(LAYER_PACKAGES, target)
        self._used: set[Path] = set()
        self._recipe = _hash_files(root, sorted((root / "infra" / "packaging").glob("*.py")))

    def layer(self) -> Asset:
        """python/avarez and the packages that all functions share."""
        own = self._root / "layers" / "common"
        sources = {f"python/{path.relative_to(own)}": path for path in _sources(own / "avarez")}
        return self._archive("layer", sources, self._layer_closure, installed_at="/opt")

    def function(self, entry: EntryPoint) -> Asset:
        """The function's folder, and the packages that only it needs."""
        functions = self._root / "functions"
        sources = {
            str(path.relative_to(self._root)): path
            for path in (functions / "__init__.py", *_sources(functions / entry.folder))
        }
        for pattern, destination in entry.files:
            matches = sorted(self._root.glob(pattern))
            if not matches:
                raise FileNotFoundError(f"{pattern}: run `make setup`")
            sources.update({f"{destination}/{path.name}": path for path in matches})
        names = closure(entry.packages, self._target) - self._layer_closure
        label = f"{entry.folder}+{'+'.join(entry.packages)}" if entry.packages else entry.folder
        return self._archive(label, sources, names, installed_at="/var/task")

    def forget_stale(self) -> None:
        """Archives and package folders that this build did not name are removed after an hour."""
        for path in self._folder.iterdir():
            if path not in self._used and time.time() - path.stat().st_mtime > STALE_AFTER_S:
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)

    def _archive(
        self, label: str, sources: Mapping[str, Path], names: Iterable[str], *, installed_at: str
    ) -> Asset:
        requirements = subset(names, self._lock)
        digest = hashlib.sha256()
        for part in (
            self._recipe,
            self._target.name,
            self._target.python_version,
            str(self._target.platform or os.uname().machine),
            "bytecode" if self._python else "no bytecode",
            requirements,
            installed_at,
        ):
            digest.update(part.encode() + b"\0")
        for name, path in sorted(sources.items()):
            digest.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
        content_hash = digest.hexdigest()
        archive = self._folder / f"{label}-{content_hash[:16]}.zip"
        packages = self._packages(label, requirements, installed_at) if requirements.strip() else None
        self._used.add(archive)
        if archive.exists():
            os.utime(archive)
            return Asset(archive, content_hash)
        with tempfile.TemporaryDirectory(dir=self._folder, prefix=".stage-") as stage_name:
            stage = Path(stage_name)
            for name, path in sources.items():
                (stage / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, stage / name)
            if self._python:
                compile_tree(stage, python=self._python, installed_at=installed_at)
            members = {str(path.relative_to(stage)): path for path in _all_files(stage)}
            if packages:
                prefix = "python/" if label == "layer" else ""
                members.update({f"{prefix}{path.relative_to(packages)}": path for path in _all_files(packages)})
            unfinished = stage / ".zip"
            write_zip(unfinished, members)
            unfinished.replace(archive)
        return Asset(archive, content_hash)

    def _packages(self, label: str, requirements: str, installed_at: str) -> Path:
        """A folder with exactly these packages, pruned and compiled."""
        digest = hashlib.sha256(
            "\0".join((self._recipe, requirements, str(self._target), str(self._python), installed_at)).encode()
        ).hexdigest()
        folder = self._folder / f"packages-{digest[:16]}"
        self._used.add(folder)
        if folder.exists():
            os.utime(folder)
            return folder
        prefix = f"{installed_at}/python" if label == "layer" else installed_at
        with tempfile.TemporaryDirectory(dir=self._folder, prefix=".install-") as work_name:
            work = Path(work_name)
            (work / "requirements.txt").write_text(requirements, "utf-8")
            install(self._target, work / "requirements.txt", work / "packages")
            prune(work / "packages")
            if self._python:
                compile_tree(work / "packages", python=self._python, installed_at=prefix)
            (work / "packages").replace(folder)
        return folder


def install(target: Target, requirements: Path, folder: Path) -> None:
    """The folder holds the wheels of the requirements for the target, each checked by its hash.

    Raises: subprocess.CalledProcessError when one is missing or does not match.
    """
    platform = ["--python-platform", target.platform] if target.platform else []
    subprocess.run(
        [
            str(uv()),
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--require-hashes",
            "--only-binary",
            ":all:",
            "--no-compile",
            "--link-mode",
            "copy",
            "--python",
            sys.executable,
            "--python-version",
            target.python_version,
            *platform,
            "--target",
            str(folder),
            "--requirement",
            str(requirements),
        ],
        check=True,
    )


def write_zip(path: Path, members: Mapping[str, Path]) -> None:
    """An archive that depends on nothing but its members: sorted, dated 1980, one mode for all."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name in sorted(members):
            entry = zipfile.ZipInfo(name, ZIP_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, members[name].read_bytes())


def _sources(folder: Path) -> list[Path]:
    return [path for path in _all_files(folder) if "__pycache__" not in path.parts]


def _all_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _hash_files(root: Path, paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
