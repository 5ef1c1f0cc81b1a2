"""`assess_block`: the years and lines of many vehicles at once, to the rial what `assessment.assess` says of each.

What the scalar engine explains line by line is here one column of amounts for each year and kind of line. A test
holds the two against each other on random vehicles and tariffs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from avarez.assessment.model import VehicleClass
from avarez.assessment.rules import PERCENT, PPM, penalty_months
from avarez.assessment.tariff.rows import (
    BasePriceRow,
    FirstYear,
    MonthCounting,
    Ranked,
    ReliefRow,
    ReliefStage,
    Scope,
    Settings,
    ShareRow,
    SurchargeRow,
    YearRows,
)
from avarez.assessment.tariff.table import Tariff
from avarez.assessment.texts import LineKind
from avarez.fleet.columns import CLASSES, FUELS, ORIGINS, PLATE_KINDS, UNKNOWN
from avarez.fleet.exact import Amounts, times_ratio
from avarez.fleet.fleet import Fleet
from avarez.jalali import MONTHS_IN_YEAR, to_jalali

Mask = NDArray[np.bool_]
ROWS_TRIED_MAX: Final = 24
"""More rows than this are looked up once for each distinct vehicle instead of one by one."""
KINDS: Final = (
    LineKind.PRINCIPAL,
    LineKind.SURCHARGE,
    LineKind.POLLUTION,
    LineKind.EXEMPTION,
    LineKind.DISCOUNT,
    LineKind.PENALTY,
)
"""The kinds of line that an unpaid year has, in their order."""


@dataclass(slots=True)
class BlockAssessment:
    """Amounts of a block: for each duty year and kind of line one column, signed as lines are.

    `missing` is true where a year has no principal; such a vehicle's `owed_rial` is 0 and means nothing.
    """

    years: range
    amounts: dict[tuple[int, LineKind], Amounts]
    missing: Mask
    missing_years: dict[int, Mask]
    rounding_rial: Amounts
    owed_rial: Amounts
    year_totals: dict[int, Amounts] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of every vehicle: the tariff, the city, the day, the last duty year."""

    tariff: Tariff
    municipality: str
    as_of: date
    through_year: int
    settings: Settings

    @classmethod
    def of(
        cls, tariff: Tariff, municipality: str, as_of: date, through_year: int, settings: Settings | None = None
    ) -> Question:
        """With the settings that the tariff gives the city on that day, unless others are given."""
        return cls(tariff, municipality, as_of, through_year, settings or tariff.settings(municipality, as_of))


def assess_block(fleet: Fleet, question: Question, *, charged: dict[int, Mask] | None = None) -> BlockAssessment:
    """What each vehicle of a block owes. `charged` masks years owed here: neither paid nor another city's."""
    settings = question.settings
    start_year, start_month = fleet.starts()
    first_year = np.maximum(start_year, settings.first_duty_year or 0)
    if settings.limitation_years is not None:
        first_year = np.maximum(first_year, to_jalali(question.as_of).year - settings.limitation_years)
    by_class = [np.flatnonzero(fleet.columns["vehicle_class"] == code) for code in range(len(CLASSES))]
    lowest = int(first_year.min(initial=question.through_year + 1))
    size = len(fleet)
    done = BlockAssessment(
        years=range(lowest, question.through_year + 1),
        amounts={},
        missing=np.zeros(size, dtype=bool),
        missing_years={},
        rounding_rial=np.zeros(size, dtype=np.int64),
        owed_rial=np.zeros(size, dtype=np.int64),
    )
    model_years = fleet.model_years_jalali(settings.gregorian_model_year_offset)
    before_rounding = np.zeros(size, dtype=np.int64)
    for year in done.years:
        for code, members in enumerate(by_class):
            chosen = members[first_year[members] <= year]
            if charged is not None and year in charged:
                chosen = chosen[charged[year][chosen]]
            if not len(chosen):
                continue
            rows = question.tariff.year_rows(question.municipality, year, CLASSES[code])
            part = _Part(fleet, question, chosen, model_years[chosen], year, CLASSES[code])
            months: Any = MONTHS_IN_YEAR
            if settings.first_year is FirstYear.MONTHS_LEFT:
                begun = start_year[chosen] == year
                months = np.where(begun, MONTHS_IN_YEAR + 1 - start_month[chosen], MONTHS_IN_YEAR)
            total = part.assess(rows, months)
            _store(done, year, chosen, part, size)
            before_rounding[chosen] += total
    done.owed_rial = np.where(done.missing, 0, before_rounding)
    unit = settings.rounding_unit_rial
    done.rounding_rial = np.where(done.owed_rial > 0, -done.owed_rial % unit, 0)
    done.owed_rial = done.owed_rial + done.rounding_rial
    return done


def _store(done: BlockAssessment, year: int, chosen: NDArray[Any], part: _Part, size: int) -> None:
    for kind, amounts in part.lines.items():
        column = done.amounts.get((year, kind))
        if column is None:
            column = done.amounts[year, kind] = np.zeros(size, dtype=np.int64)
        column[chosen] = amounts
    if part.missing.any():
        column_missing = done.missing_years.setdefault(year, np.zeros(size, dtype=bool))
        column_missing[chosen] |= part.missing
        done.missing[chosen] |= part.missing
    totals = done.year_totals.setdefault(year, np.zeros(size, dtype=np.int64))
    totals[chosen] = part.total()


class _Part:
    """The vehicles of one class in one year."""

    def __init__(
        self,
        fleet: Fleet,
        question: Question,
        chosen: NDArray[Any],
        model_years: NDArray[Any],
        year: int,
        vehicle_class: VehicleClass,
    ) -> None:
        self._fleet = fleet
        self._question = question
        self._chosen = chosen
        self._model_years = model_years
        self._year = year
        self._class = vehicle_class
        self._columns: dict[str, NDArray[Any]] = {}
        self.lines: dict[LineKind, Amounts] = {}
        self.missing: Mask = np.zeros(len(chosen), dtype=bool)

    def _column(self, name: str) -> NDArray[Any]:
        column = self._columns.get(name)
        if column is None:
            column = self._columns[name] = self._fleet.columns[name][self._chosen]
        return column

    def total(self) -> Amounts:
        """All lines of the year."""
        total = np.zeros(len(self._chosen), dtype=np.int64)
        for amounts in self.lines.values():
            total += amounts
        return total

    def assess(self, rows: YearRows, months: Any) -> Amounts:
        """Fills the lines in the order in which they arise; the sum of each vehicle's."""
        base = self._base(rows.base_price)
        principal, taken = self._share(rows.principal, base, months)
        self.missing = ~taken
        self.lines[LineKind.PRINCIPAL] = principal
        if rows.surcharge:
            self.lines[LineKind.SURCHARGE] = self._surcharge(rows.surcharge, principal)
        if rows.pollution:
            self.lines[LineKind.POLLUTION] = np.where(taken, self._share(rows.pollution, base, months)[0], 0)
        day = self._question.as_of
        reliefs = [row for row in rows.reliefs if row.as_of[0] <= day <= row.as_of[1]]
        masks = [self._holds(row.scope) & taken for row in reliefs]
        for stage in ReliefStage:
            if stage is ReliefStage.PENALTY:
                self._penalty()
            for row, mask in zip(reliefs, masks, strict=True):
                if row.stage is stage:
                    self._relief(row, mask)
        return self.total()

    # -- which row -----------------------------------------------------------------------------------

    def _holds(self, scope: Scope) -> Mask:
        """Where a row's scope holds; year, place and class were looked up before."""
        mask: Mask = np.ones(len(self._chosen), dtype=bool)
        for names, known, column in (
            (scope.origins, ORIGINS, "origin"),
            (scope.fuels, FUELS, "fuel"),
            (scope.plate_kinds, PLATE_KINDS, "plate_kind"),
        ):
            if names is not None:
                wanted = np.asarray([name in names for name in known] + [False])
                mask &= wanted[self._column(column)]  # an unknown one, -1, is the last: false
        if scope.model_years is not None:
            mask &= (scope.model_years[0] <= self._model_years) & (self._model_years <= scope.model_years[1])
        for bounds, column in ((scope.cylinders, "cylinders"), (scope.displacement_cc, "displacement_cc")):
            if bounds is not None:
                values = self._column(column)
                mask &= (values != UNKNOWN) & (bounds[0] <= values) & (values <= bounds[1])
        if scope.node is not None:
            path = self._question.tariff.catalogue.path
            at_node = np.asarray([scope.node in path(make, model) for make, model in self._fleet.names])
            mask &= at_node[self._column("name")]
        return mask

    def _choose(self, rows: Ranked[Any]) -> NDArray[np.int64]:
        """For each vehicle the number of the row that holds for it, -1 where none does."""
        count = len(self._chosen)
        if len(rows.rows) > ROWS_TRIED_MAX:
            return self._choose_by_vehicle(rows)
        chosen = np.full(count, UNKNOWN, dtype=np.int64)
        for number, row in enumerate(rows.rows):
            chosen[(chosen == UNKNOWN) & self._holds(row.scope)] = number
        return chosen

    def _choose_by_vehicle(self, rows: Ranked[Any]) -> NDArray[np.int64]:
        """The same by the scalar look-up, once for each distinct vehicle."""
        names = ("origin", "fuel", "plate_kind", "cylinders", "displacement_cc", "name")
        table = np.stack([self._model_years, *(self._column(name) for name in names)], axis=1).astype(np.int32)
        packed = np.ascontiguousarray(table).view([("", np.int32)] * table.shape[1]).reshape(-1)
        _, first, back = np.unique(packed, return_index=True, return_inverse=True)
        numbers = {id(row): number for number, row in enumerate(rows.rows)}
        found = np.empty(len(first), dtype=np.int64)
        for position, example in enumerate(first):
            vehicle = self._fleet.vehicle(int(self._chosen[example]))
            path = self._question.tariff.path(vehicle)
            row = rows.first_for(vehicle, path)
            found[position] = UNKNOWN if row is None else numbers[id(row)]
        return found[back]

    # -- what it gives -------------------------------------------------------------------------------

    def _base(self, rows: Ranked[BasePriceRow]) -> Amounts:
        on_file: Amounts = self._column("base_price_rial").astype(np.int64)
        if not rows:
            return on_file
        chosen = self._choose(rows)
        prices = np.asarray([row.base_price_rial for row in rows.rows] + [0], dtype=np.int64)
        return np.where(chosen == UNKNOWN, on_file, prices[chosen])

    def _share(self, rows: Ranked[ShareRow], base: Amounts, months: Any) -> tuple[Amounts, Mask]:
        """The amounts of a principal or pollution duty, and where there is one."""
        chosen = self._choose(rows)
        amounts = np.zeros(len(chosen), dtype=np.int64)
        for number, row in enumerate(rows.rows):
            at = chosen == number
            if not at.any():
                continue
            parts = months[at] if isinstance(months, np.ndarray) else months
            if row.flat_rial is not None:
                flat = np.full(int(at.sum()), row.flat_rial, dtype=np.int64)
                amounts[at] = times_ratio(flat, parts, MONTHS_IN_YEAR)
            elif isinstance(parts, np.ndarray):
                amounts[at] = times_ratio(base[at], parts * (row.rate_ppm or 0), PPM * MONTHS_IN_YEAR)
            else:
                amounts[at] = times_ratio(base[at], row.rate_ppm or 0, PPM)
        return amounts, chosen != UNKNOWN

    def _surcharge(self, rows: Ranked[SurchargeRow], principal: Amounts) -> Amounts:
        chosen = self._choose(rows)
        ages = np.maximum(self._year - self._model_years, 0)
        percents = np.zeros(len(chosen), dtype=np.int64)
        for number, row in enumerate(rows.rows):
            excepted = np.asarray([fuel in row.excepted_fuels for fuel in FUELS])[self._column("fuel")]
            percent = np.minimum(row.percent_per_year * np.maximum(ages - row.after_years, 0), row.max_percent)
            percents = np.where((chosen == number) & ~excepted, percent, percents)
        return times_ratio(principal, percents, PERCENT)

    def _sum(self, wanted: Callable[[LineKind], bool]) -> Amounts:
        total = np.zeros(len(self._chosen), dtype=np.int64)
        for kind, amounts in self.lines.items():
            if wanted(kind):
                total += amounts
        return total

    def _relief(self, row: ReliefRow, mask: Mask) -> None:
        left = self.total()
        of = left if row.stage is ReliefStage.TOTAL else self._sum(lambda kind: kind in row.of)
        left = np.maximum(left, 0)
        if row.rate_ppm is None:
            off = np.minimum(np.minimum(row.flat_rial or 0, np.maximum(of, 0)), left)
        else:
            off = np.minimum(times_ratio(np.maximum(of, 0), row.rate_ppm, PPM), left)
        before = self.lines.get(row.kind)
        change = np.where(mask, -off, 0)
        self.lines[row.kind] = change if before is None else before + change

    def _penalty(self) -> None:
        settings, as_of = self._question.settings, to_jalali(self._question.as_of)
        grace = settings.penalty_grace_months
        months = penalty_months(
            self._year, as_of.year, as_of.month, grace,
            complete_only=settings.penalty_months is MonthCounting.COMPLETE,
        )  # fmt: skip
        if months == 0:
            return
        reliefs = (LineKind.EXEMPTION, LineKind.DISCOUNT)
        base = np.maximum(self._sum(lambda kind: kind in settings.penalty_base or kind in reliefs), 0)
        first = (self._year + 1) * MONTHS_IN_YEAR + grace
        last = first + months - 1
        total_ppm = sum(
            max(min(last, row.months[1]) - max(first, row.months[0]) + 1, 0) * row.rate_ppm
            for row in self._question.tariff.penalties
        )
        penalty = times_ratio(base, total_ppm, PPM)
        if settings.penalty_cap_ppm is not None:
            penalty = np.minimum(penalty, times_ratio(base, settings.penalty_cap_ppm, PPM))
        self.lines[LineKind.PENALTY] = np.where(self.missing, 0, penalty)


def owed_by_each(fleet: Fleet, question: Question) -> Amounts:
    """What each vehicle owes, in the fleet's order; -1 where the tariff has no principal for some year."""
    owed = np.empty(len(fleet), dtype=np.int64)
    for start, block in fleet.blocks():
        done = assess_block(block, question)
        owed[start : start + len(block)] = np.where(done.missing, UNKNOWN, done.owed_rial)
    return owed
