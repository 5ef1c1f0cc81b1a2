"""Figures as a table: medians with their spread, ratios, and floors that are met or not."""

from __future__ import annotations

import json
import math
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """One row. `floor` is a bound as text and `met` whether it holds; both empty where none is asked for."""

    group: str
    name: str
    value: str
    spread: str = ""
    floor: str = ""
    met: bool | None = None


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value such that at least `share` (0 to 1) of all values are not above it (nearest rank).

    Raises: ValueError without values.
    """
    if not values:
        raise ValueError("no values")
    return sorted(values)[max(math.ceil(share * len(values)), 1) - 1]


def spread(values: Sequence[float], digits: int = 1) -> str:
    """`least-most`, for the reader who asks how steady a median is."""
    return f"{min(values):,.{digits}f}-{max(values):,.{digits}f}"


def at_most(group: str, name: str, values: Sequence[float], unit: str, bound: float, digits: int = 2) -> Figure:
    """The median of `values`, which is to be at most `bound`."""
    median = statistics.median(values)
    floor = f"≤ {bound:g} {unit}".rstrip()
    return Figure(
        group, name, f"{median:,.{digits}f} {unit}".rstrip(), spread(values, digits), floor, median <= bound
    )


def at_least(group: str, name: str, values: Sequence[float], unit: str, bound: float, digits: int = 1) -> Figure:
    """The median of `values`, which is to be at least `bound`."""
    median = statistics.median(values)
    return Figure(
        group, name, f"{median:,.{digits}f} {unit}", spread(values, digits), f"≥ {bound:g} {unit}", median >= bound
    )


def plain(group: str, name: str, values: Sequence[float], unit: str, digits: int = 1) -> Figure:
    """The median of `values` without a bound."""
    return Figure(group, name, f"{statistics.median(values):,.{digits}f} {unit}".rstrip(), spread(values, digits))


def machine() -> str:
    """What the figures were made on: cores, processor, Python."""
    model = platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    return f"{os.cpu_count()} cores, {model}, Python {platform.python_version()}"


def table(figures: Sequence[Figure]) -> str:
    """The figures as a Markdown table."""
    lines = ["| | figure | median | least-most | floor |", "|---|---|---|---|---|"]
    group = ""
    for figure in figures:
        shown = "" if figure.group == group else figure.group
        group = figure.group
        floor = f"{figure.floor} {'met' if figure.met else '**NOT MET**'}" if figure.floor else ""
        lines.append(f"| {shown} | {figure.name} | {figure.value} | {figure.spread} | {floor} |")
    return "\n".join(lines)


def save(figures: Sequence[Figure], folder: Path, *, made_at: str, took_s: float) -> Path:
    """Writes `latest.md` and a dated JSON file; returns the latter."""
    folder.mkdir(parents=True, exist_ok=True)
    about = f"`make bench`, {made_at}, {machine()}, {took_s:.0f} s."
    (folder / "latest.md").write_text(f"# Benchmarks\n\n{about}\n\n{table(figures)}\n", encoding="utf-8")
    dated = folder / f"{made_at[:10]}.json"
    told = {"made_at": made_at, "machine": machine(), "figures": [asdict(figure) for figure in figures]}
    dated.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return dated
