"""The share of the one lock file that an asset needs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from infra.packaging.targets import Target

_NAME = re.compile(r"^([A-Za-z0-9._-]+)==")


def locked(path: Path) -> dict[str, str]:
    """Each locked package's whole entry, hashes and marker included, by its normalised name."""
    entries: dict[str, list[str]] = {}
    current: list[str] = []
    for line in path.read_text("utf-8").splitlines():
        found = _NAME.match(line)
        if found:
            current = entries.setdefault(canonicalize_name(found.group(1)), [])
        if line.strip() and not line.startswith("#"):
            current.append(line)
    return {name: "\n".join(lines) for name, lines in entries.items()}


def closure(names: Iterable[str], target: Target) -> frozenset[str]:
    """The packages and everything they need on the target, by normalised name, from what is installed."""
    waiting = [canonicalize_name(name) for name in names]
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        for text in metadata.requires(name) or ():
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate(target.markers):
                waiting.append(canonicalize_name(requirement.name))
    return frozenset(found)


def subset(names: Iterable[str], path: Path) -> str:
    """A requirements file of exactly these packages, as locked.

    Raises: KeyError when one of them is not in the lock.
    """
    entries = locked(path)
    return "\n".join(entries[name] for name in sorted(names)) + "\n"
