"""What the body of a budget must hold; every fault is named, and the sums are checked. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from avarez.errors import FieldError, InvalidInput
from avarez.jalali import to_jalali
from avarez.money import parse_rial
from avarez.planning.budgets import YEAR_MIN, Budget, Line, categories

LINES_MAX: Final = 60
VERSIONS_MAX: Final = 999
PRINTED: Final = r"^[^\x00-\x1f\x7f<>]*$"
Rial = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,16})$")]
Text = Annotated[str, Field(max_length=200, pattern=PRINTED)]


class LineBody(BaseModel):
    """One line of a plan or of actuals."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    category: Annotated[str, Field(min_length=1, max_length=40)]
    rial: Rial
    text_fa: Text = ""
    text_en: Text = ""


class PartBody(BaseModel):
    """A plan, or actuals, with the total that the officer has before her."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    total_rial: Rial
    lines: Annotated[list[LineBody], Field(min_length=1, max_length=LINES_MAX)]


class BudgetBody(BaseModel):
    """The body of `PUT …/budgets/{year}`; `replaces` is the version that the officer saw, 0 for none."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    replaces: Annotated[int, Field(ge=0, le=VERSIONS_MAX)]
    plan: PartBody
    actual: PartBody | None = None


def year_of(text: str, today: date) -> int | None:
    """The fiscal year of the path: at most the next one; None where it is no such year."""
    if len(text) != 4 or not text.isascii() or not text.isdecimal():
        return None
    return int(text) if YEAR_MIN <= int(text) <= to_jalali(today).year + 1 else None


def budget_of(municipality: str, year: int, body: BudgetBody, today: date) -> Budget:
    """The budget that the body holds.

    Raises:
        InvalidInput: a category that is none or stands twice, a total that is not the lines' sum, actuals of a
            year that has not begun.
    """
    faults = list(_faults("plan", body.plan))
    if body.actual is not None:
        faults += _faults("actual", body.actual)
        if year > to_jalali(today).year:
            faults.append(
                FieldError("/actual", "year_not_begun", "The year has not begun.", "این سال آغاز نشده است.")
            )
    if faults:
        raise InvalidInput(errors=faults)
    return Budget(municipality, year, _lines(body.plan), () if body.actual is None else _lines(body.actual))


def _lines(part: PartBody) -> tuple[Line, ...]:
    """In the order of the categories, so that the same shares are the same document."""
    places = list(categories())
    lines = [Line(of.category, parse_rial(of.rial), of.text_fa.strip(), of.text_en.strip()) for of in part.lines]
    return tuple(sorted(lines, key=lambda line: places.index(line.category)))


def _faults(name: str, part: PartBody) -> Iterator[FieldError]:
    seen: set[str] = set()
    for place, line in enumerate(part.lines):
        where = f"/{name}/lines/{place}/category"
        if line.category not in categories():
            yield FieldError(where, "category_unknown", "There is no such category.", "چنین سرفصلی در فهرست نیست.")
        elif line.category in seen:
            yield FieldError(where, "category_twice", "This category stands twice.", "این سرفصل دو بار آمده است.")
        seen.add(line.category)
    yield from _sum_faults(name, part.total_rial, [line.rial for line in part.lines])


def _sum_faults(name: str, total: str, amounts: Sequence[str]) -> Iterator[FieldError]:
    sum_rial = sum(parse_rial(amount) for amount in amounts)
    if sum_rial != parse_rial(total):
        yield FieldError(
            f"/{name}/total_rial",
            "sum_differs",
            f"The lines come to {sum_rial} rial.",
            f"جمع سطرها {sum_rial} ریال است.",
        )
