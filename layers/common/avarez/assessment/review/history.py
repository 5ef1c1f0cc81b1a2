"""What a draft changes of the past: duty years that have begun, and days that are over."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

from avarez.assessment.tariff.rows import RowKind
from avarez.assessment.tariff.table import Tariff
from avarez.jalali import MONTHS_IN_YEAR, month_number


def changed_years(draft: Tariff, published: Tariff, through_year: int) -> dict[str, list[int]]:
    """By row id, the duty years to `through_year`, published before, in which a row gives something else.

    Rows are compared by what they do: another wording, reference or id changes no amount, but a row of another id
    is another rule in every trace, so an id counts.
    """
    years = _published_years(published)
    changed: dict[str, list[int]] = defaultdict(list)
    for year in sorted(years):
        if year > through_year:
            continue
        before, after = _effects(published, year), _effects(draft, year)
        for row_id in sorted(before.keys() | after.keys()):
            if before.get(row_id) != after.get(row_id):
                changed[row_id].append(year)
    return dict(changed)


def changed_days(draft: Tariff, published: Tariff, as_of: date) -> list[str]:
    """The ids of penalty and setting rows, and of reliefs, that say something else of days before `as_of`."""
    before, after = _days(published, as_of), _days(draft, as_of)
    return sorted(row_id for row_id in before.keys() | after.keys() if before.get(row_id) != after.get(row_id))


def _published_years(published: Tariff) -> set[int]:
    return {
        year
        for row in published.scoped.get(RowKind.PRINCIPAL, ())
        for year in range(row.scope.duty_years[0], row.scope.duty_years[1] + 1)
    }


_LOOKED_UP = (RowKind.PRINCIPAL, RowKind.BASE_PRICE, RowKind.SURCHARGE, RowKind.POLLUTION)


def _effects(tariff: Tariff, year: int) -> dict[str, Any]:
    """What each row that is looked up by year does in it; reliefs go by the day of assessment."""
    return {
        row.source.rule: (
            kind,
            tuple(getattr(row.scope, name) for name in type(row.scope).__slots__ if name != "duty_years"),
            tuple(getattr(row, name) for name in type(row).__slots__ if name not in ("source", "scope")),
        )
        for kind in _LOOKED_UP
        for row in tariff.scoped.get(kind, ())
        if row.scope.duty_years[0] <= year <= row.scope.duty_years[1]
    }


def _days(tariff: Tariff, as_of: date) -> dict[str, Any]:
    """What rows that go by the day said before `as_of`: their values and the part of their period that is over."""
    yesterday = as_of - timedelta(days=1)
    this_month = month_number(as_of)
    past: dict[str, Any] = {}
    for penalty in tariff.penalties:
        if penalty.months[0] < this_month:
            past[penalty.source.rule] = (
                penalty.rate_ppm,
                penalty.months[0],
                min(penalty.months[1], this_month - 1),
            )
    for setting in tariff.setting_rows:
        if setting.as_of[0] <= yesterday:
            values = tuple(sorted((name, str(_plain(value))) for name, value in setting.values.items()))
            past[setting.source.rule] = (
                values,
                setting.places,
                setting.as_of[0],
                min(setting.as_of[1], yesterday),
            )
    for kind in (RowKind.EXEMPTION, RowKind.DISCOUNT):
        for relief in tariff.scoped.get(kind, ()):
            if relief.as_of[0] <= yesterday and relief.scope.duty_years[0] <= this_month // MONTHS_IN_YEAR:
                period = (relief.as_of[0], min(relief.as_of[1], yesterday))
                past[relief.source.rule] = (relief.rate_ppm, relief.flat_rial, relief.of, relief.scope, period)
    return past


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else value
