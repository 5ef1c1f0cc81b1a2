"""The rows of a tariff as frozen values: which years, cities and vehicles each is for, and what it gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Final, Generic, TypeVar

from avarez.assessment.model import Vehicle, VehicleClass
from avarez.assessment.texts import LineKind
from avarez.jalali import GREGORIAN_MODEL_YEAR_OFFSET

NATIONAL: Final = "national"
"""The place of rows that hold in every city."""
NATIONAL_CLASSES: Final = frozenset({VehicleClass.PASSENGER, VehicleClass.AMBULANCE, VehicleClass.PICKUP_DOUBLE})
"""Classes whose tariff is national, so that no city sets it: the practice of the yearly circulars."""
TOTAL: Final = "total"
"""What a relief of the fourth kind is taken off: all that is left of the year, the penalty included."""


class RowKind(StrEnum):
    """What a row of the tariff gives."""

    PRINCIPAL = "principal"
    BASE_PRICE = "base_price"
    SURCHARGE = "surcharge"
    POLLUTION = "pollution"
    EXEMPTION = "exemption"
    DISCOUNT = "discount"
    PENALTY = "penalty"
    SETTING = "setting"


class FirstYear(StrEnum):
    """How the year in which the duty starts is charged."""

    WHOLE = "whole"
    MONTHS_LEFT = "months_left"


class MonthCounting(StrEnum):
    """Which months of lateness count: a month once it has begun, or only when it is complete."""

    BEGUN = "begun"
    COMPLETE = "complete"


class ReliefStage(StrEnum):
    """When a relief is taken off: before the penalty, from the penalty, or from the year's whole."""

    DUTY = "duty"
    PENALTY = "penalty"
    TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value comes from: the row's id, its law as cited, and whether it is for demonstration only."""

    rule: str
    law: str
    law_fa: str
    demonstration: bool


@dataclass(frozen=True, slots=True)
class Scope:
    """Which duty years, cities and vehicles a row is for. None means all; ranges include both ends.

    A range of cylinders or displacement does not hold for a vehicle whose figure is unknown, nor a plate kind
    for one whose plate is. `node` holds for a catalogue node and all below it.
    """

    duty_years: tuple[int, int]
    places: frozenset[str] | None = None
    classes: frozenset[str] | None = None
    origins: frozenset[str] | None = None
    fuels: frozenset[str] | None = None
    plate_kinds: frozenset[str] | None = None
    model_years: tuple[int, int] | None = None
    cylinders: tuple[int, int] | None = None
    displacement_cc: tuple[int, int] | None = None
    node: str | None = None

    @property
    def precedence(self) -> tuple[bool, int]:
        """Sorts rows as they go before one another: a city's first, then the deeper catalogue node."""
        return self.places is None, -(self.node.count(".") + 1 if self.node else 0)

    def holds_for(self, vehicle: Vehicle) -> bool:
        """Whether the vehicle's facts fall within the row; year, place, class and node are looked up before."""
        return (
            (self.origins is None or vehicle.origin in self.origins)
            and (self.fuels is None or vehicle.fuel in self.fuels)
            and (self.plate_kinds is None or vehicle.plate_kind in self.plate_kinds)
            and (self.model_years is None or within(self.model_years, vehicle.model_year_jalali))
            and within(self.cylinders, vehicle.cylinders)
            and within(self.displacement_cc, vehicle.displacement_cc)
        )

    def overlaps(self, other: Scope) -> bool:
        """Whether some vehicle in some year falls within both, neither of which goes before the other."""
        return self.node == other.node and (self.places is None) == (other.places is None) and self.meets(other)

    def meets(self, other: Scope) -> bool:
        """Whether some vehicle in some year and place may fall within both, whichever goes first; nodes are not
        looked at."""
        return (
            ranges_meet(self.duty_years, other.duty_years)
            and sets_meet(self.places, other.places)
            and sets_meet(self.classes, other.classes)
            and sets_meet(self.origins, other.origins)
            and sets_meet(self.fuels, other.fuels)
            and sets_meet(self.plate_kinds, other.plate_kinds)
            and ranges_meet(self.model_years, other.model_years)
            and ranges_meet(self.cylinders, other.cylinders)
            and ranges_meet(self.displacement_cc, other.displacement_cc)
        )

    def covers(self, other: Scope) -> bool:
        """Whether every vehicle and year of `other` falls within this one."""
        return (
            (self.node is None or (other.node is not None and f"{other.node}.".startswith(f"{self.node}.")))
            and range_within(self.duty_years, other.duty_years)
            and all(
                mine is None or (theirs is not None and theirs <= mine)
                for mine, theirs in (
                    (self.places, other.places),
                    (self.classes, other.classes),
                    (self.origins, other.origins),
                    (self.fuels, other.fuels),
                    (self.plate_kinds, other.plate_kinds),
                )
            )
            and range_within(self.model_years, other.model_years)
            and range_within(self.cylinders, other.cylinders)
            and range_within(self.displacement_cc, other.displacement_cc)
        )


@dataclass(frozen=True, slots=True)
class ShareRow:
    """A principal or a pollution duty: a rate of the base price, or a fixed amount; exactly one is set."""

    source: Source
    scope: Scope
    rate_ppm: int | None
    flat_rial: int | None


@dataclass(frozen=True, slots=True)
class BasePriceRow:
    """A price of the national table, which goes before the one the city holds on file."""

    source: Source
    scope: Scope
    base_price_rial: int


@dataclass(frozen=True, slots=True)
class SurchargeRow:
    """The surcharge for age, and the fuels it excepts."""

    source: Source
    scope: Scope
    after_years: int
    percent_per_year: int
    max_percent: int
    excepted_fuels: frozenset[str]


@dataclass(frozen=True, slots=True)
class ReliefRow:
    """An exemption or a discount, for assessments made in a period: a rate or an amount off some lines.

    `of` names kinds of lines, or is {"total"}. Exactly one of `rate_ppm` and `flat_rial` is set.
    """

    source: Source
    scope: Scope
    kind: LineKind
    rate_ppm: int | None
    flat_rial: int | None
    of: frozenset[str]
    as_of: tuple[date, date]
    reason_fa: str
    reason_en: str

    @property
    def stage(self) -> ReliefStage:
        """When it is taken off."""
        if TOTAL in self.of:
            return ReliefStage.TOTAL
        return ReliefStage.PENALTY if LineKind.PENALTY in self.of else ReliefStage.DUTY


@dataclass(frozen=True, slots=True)
class PenaltyRow:
    """A monthly rate of the late penalty for the months whose first day lies in a period.

    `months` are the numbers of the first and the last such month (`jalali.month_number`).
    """

    source: Source
    rate_ppm: int
    months: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Settings:
    """How a city assesses, on a given day. The defaults hold where no row says otherwise; docs/law.md lists
    each as an open question of the law.

    `first_duty_year` None: every year since the duty began. `penalty_cap_ppm` None: no cap. `limitation_years`
    None: no year is too old. `residence_day` is month and day, Jalali. `instalments_max` 0: nobody pays by
    instalments here; else that is the most parts, one each `instalment_every_months`, of at least
    `instalment_least_rial`, with `instalment_surcharge_ppm` of the duty on top.
    """

    first_duty_year: int | None = None
    rounding_unit_rial: int = 1_000
    clearance_threshold_rial: int = 0
    first_year: FirstYear = FirstYear.WHOLE
    penalty_base: frozenset[str] = frozenset({LineKind.PRINCIPAL, LineKind.SURCHARGE, LineKind.POLLUTION})
    penalty_months: MonthCounting = MonthCounting.BEGUN
    penalty_grace_months: int = 0
    penalty_cap_ppm: int | None = None
    limitation_years: int | None = None
    residence_day: tuple[int, int] = (1, 1)
    gregorian_model_year_offset: int = GREGORIAN_MODEL_YEAR_OFFSET
    instalments_max: int = 0
    instalment_every_months: int = 1
    instalment_grace_days: int = 10
    instalment_least_rial: int = 1_000
    instalment_surcharge_ppm: int = 0
    source: Source = field(default=Source("default", "default setting", "تنظیم پیش‌فرض", False))


@dataclass(frozen=True, slots=True)
class SettingRow:
    """Some settings of some places in a period of days of assessment."""

    source: Source
    places: frozenset[str] | None
    as_of: tuple[date, date]
    values: Mapping[str, Any]


ScopedRow = ShareRow | BasePriceRow | SurchargeRow | ReliefRow
RowT = TypeVar("RowT", ShareRow, BasePriceRow, SurchargeRow)


class Ranked(Generic[RowT]):
    """Rows of one kind for one place, year and class, in their precedence; finds the one that holds.

    Rows of catalogue nodes are found by node: a national price table has tens of thousands.
    """

    __slots__ = ("_by_node", "_places", "rows")

    def __init__(self, rows: Iterable[RowT]) -> None:
        self.rows: Final[tuple[RowT, ...]] = tuple(sorted(rows, key=lambda row: row.scope.precedence))
        self._by_node: Final[dict[tuple[bool, str | None], list[RowT]]] = {}
        if any(row.scope.node for row in self.rows):
            for row in self.rows:
                self._by_node.setdefault((row.scope.places is None, row.scope.node), []).append(row)
        self._places: Final = tuple(sorted({national for national, _ in self._by_node}))

    def __bool__(self) -> bool:
        return bool(self.rows)

    def first_for(self, vehicle: Vehicle, path: Sequence[str] = ()) -> RowT | None:
        """The row that holds for the vehicle, or None. `path` are its catalogue nodes, the deepest first.

        At most one does in a place and at a node: overlaps are refused.
        """
        if not self._by_node:
            for row in self.rows:
                if row.scope.holds_for(vehicle):
                    return row
            return None
        for national in self._places:
            for node in (*path, None):
                for row in self._by_node.get((national, node), ()):
                    if row.scope.holds_for(vehicle):
                        return row
        return None


@dataclass(frozen=True, slots=True)
class YearRows:
    """The rows that may concern one class in one place and duty year, a city's own before national ones."""

    principal: Ranked[ShareRow]
    base_price: Ranked[BasePriceRow]
    surcharge: Ranked[SurchargeRow]
    pollution: Ranked[ShareRow]
    reliefs: tuple[ReliefRow, ...]


def within(bounds: tuple[int, int] | None, value: int | None) -> bool:
    """Whether the value is known and within the bounds, or there are none."""
    return bounds is None or (value is not None and bounds[0] <= value <= bounds[1])


def sets_meet(mine: frozenset[str] | None, theirs: frozenset[str] | None) -> bool:
    """Whether something is in both; None holds everything."""
    return mine is None or theirs is None or not mine.isdisjoint(theirs)


def ranges_meet(mine: tuple[int, int] | None, theirs: tuple[int, int] | None) -> bool:
    """Whether some number is in both; None holds every one."""
    return mine is None or theirs is None or (mine[0] <= theirs[1] and theirs[0] <= mine[1])


def range_within(mine: tuple[int, int] | None, theirs: tuple[int, int] | None) -> bool:
    """Whether `theirs` lies within `mine`; None holds every number."""
    return mine is None or (theirs is not None and mine[0] <= theirs[0] and theirs[1] <= mine[1])
