"""What a city says the duty is spent on: its plan and its actuals of a fiscal year, by category. Pure.

A city's fiscal year is the Jalali year. Each version is a document of its own that names the one before, so that
what was ever published can be looked up; nothing is changed in place.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

from avarez.canonical import canonical_bytes
from avarez.csv_lines import BYTE_ORDER_MARK, csv_line
from avarez.figures.parquet import parquet_bytes
from avarez.money import format_rial, parse_rial

SCHEMA: Final = 1
YEAR_MIN: Final = 1390
"""Earlier budgets are of another money law and nobody asks for them; a typing error is found."""
COLUMNS: Final = (
    "municipality", "year", "version", "part", "category", "title_fa", "title_en", "rial", "text_fa", "text_en",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Category:
    """One purpose that money is spent on."""

    code: str
    title_fa: str
    title_en: str

    def told(self) -> dict[str, str]:
        return {"code": self.code, "title_fa": self.title_fa, "title_en": self.title_en}


@functools.cache
def categories() -> Mapping[str, Category]:
    """Every category by its code, in the order in which they are shown."""
    text = resources.files("avarez").joinpath("data", "budget_categories.json").read_text(encoding="utf-8")
    return {row["code"]: Category(**row) for row in json.loads(text)}


@dataclass(frozen=True, slots=True)
class Line:
    """What goes, or went, to one category; the texts say more of it, or nothing."""

    category: str
    rial: int
    text_fa: str = ""
    text_en: str = ""


@dataclass(frozen=True, slots=True)
class Budget:
    """A city's fiscal year as the city published it: the plan, and the actuals once there are any."""

    municipality: str
    year: int
    plan: tuple[Line, ...]
    actual: tuple[Line, ...] = ()


def total_rial(lines: Sequence[Line]) -> int:
    """What the lines come to."""
    return sum(line.rial for line in lines)


def document_of(budget: Budget, *, version: int, previous: str, published_at: str) -> dict[str, Any]:
    """The version as it is published; `previous` names the JSON file of the version before, or nothing."""
    return {
        "schema": SCHEMA,
        "municipality": budget.municipality,
        "year": budget.year,
        "version": version,
        "previous": previous,
        "published_at": published_at,
        "plan": _part(budget.plan),
        "actual": _part(budget.actual) if budget.actual else None,
    }


def budget_from(document: Mapping[str, Any]) -> Budget:
    """The budget in a published document."""
    parts = {
        name: tuple(
            Line(str(of["category"]), parse_rial(of["rial"]), str(of["text_fa"]), str(of["text_en"]))
            for of in (document[name] or {"lines": ()})["lines"]
        )
        for name in ("plan", "actual")
    }
    return Budget(str(document["municipality"]), int(document["year"]), parts["plan"], parts["actual"])


def _part(lines: Sequence[Line]) -> dict[str, Any]:
    told = [
        {
            "category": line.category,
            "rial": format_rial(line.rial),
            "text_fa": line.text_fa,
            "text_en": line.text_en,
        }
        for line in lines
    ]
    return {"total_rial": format_rial(total_rial(lines)), "lines": told}


def files_of(document: Mapping[str, Any]) -> dict[str, bytes]:
    """The version in each format; the same document gives the same bytes."""
    rows = _rows(document)
    lines = [csv_line(COLUMNS), *(csv_line(row) for row in rows)]
    columns = [(name, [row[place] for row in rows]) for place, name in enumerate(COLUMNS)]
    return {
        "csv": (BYTE_ORDER_MARK + "".join(lines)).encode(),
        "json": canonical_bytes(document),
        "parquet": parquet_bytes(columns, f"avarez budgets schema {SCHEMA}"),  # type: ignore[arg-type]  # rows are text and numbers
    }


def _rows(document: Mapping[str, Any]) -> list[tuple[str | int, ...]]:
    budget, version = budget_from(document), int(document["version"])
    return [
        (
            budget.municipality,
            budget.year,
            version,
            part,
            line.category,
            categories()[line.category].title_fa,
            categories()[line.category].title_en,
            line.rial,
            line.text_fa,
            line.text_en,
        )
        for part, lines in (("plan", budget.plan), ("actual", budget.actual))
        for line in lines
    ]
