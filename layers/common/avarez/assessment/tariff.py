"""The tariff: dated rows with a legal reference each, read from JSON, checked, and looked up.

A tariff is data that a tax officer writes and a second one approves; no rate, age, percentage or date of the
law stands in code. `docs/tariff.md` says how to write it. Read once (`load_tariff` from a directory of files,
`tariff_from_document` from a published document), it does not change; its `content_hash` names it.

Parsing is by hand and not by a validation library: every fault is told with its file, row and field in words
for the officer, and importing this costs the assessing function nothing.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeVar

from avarez.assessment.model import Fuel, Origin, Vehicle, VehicleClass
from avarez.assessment.rules import PERCENT, PPM
from avarez.assessment.texts import LineKind
from avarez.canonical import content_hash
from avarez.errors import FieldError, TariffInvalid
from avarez.jalali import (
    FIRST_YEAR,
    LAST_YEAR,
    month_number,
    month_start,
    read_jalali,
    to_jalali,
    year_end,
    year_start,
)
from avarez.money import parse_rial

SCHEMA: Final = 1
NATIONAL: Final = "national"
"""The place of rows that hold in every city."""
NATIONAL_CLASSES: Final = frozenset({VehicleClass.PASSENGER, VehicleClass.AMBULANCE, VehicleClass.PICKUP_DOUBLE})
"""Classes whose tariff is national, so that no city sets it: the practice of the yearly circulars."""
MAX_FILES: Final = 500
MAX_FILE_BYTES: Final = 4_000_000
MAX_ROWS: Final = 50_000
"""Bounds of what is read: a national catalogue of 20,000 models fits with room to spare."""

_RATE = re.compile(r"([0-9]{1,7})(?:\.([0-9]{1,6}))?/(100|1000|10000|100000|1000000)", re.ASCII)
_ID = re.compile(r"[a-z0-9][a-z0-9.-]{0,79}", re.ASCII)
_PLACE = re.compile(r"[A-Z][A-Z0-9-]{0,63}", re.ASCII)
_EVERY_YEAR: Final = (FIRST_YEAR, LAST_YEAR)
_FIRST_DAY: Final = year_start(FIRST_YEAR)
_LAST_DAY: Final = year_end(LAST_YEAR)


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

    A range of cylinders or displacement does not hold for a vehicle whose figure is unknown.
    """

    duty_years: tuple[int, int]
    places: frozenset[str] | None
    classes: frozenset[str] | None
    origins: frozenset[str] | None
    fuels: frozenset[str] | None
    model_years: tuple[int, int] | None
    cylinders: tuple[int, int] | None
    displacement_cc: tuple[int, int] | None
    make: str | None
    model: str | None

    def holds_for(self, vehicle: Vehicle) -> bool:
        """Whether the vehicle's facts fall within the row; the year, place and class are looked up before."""
        return (
            (self.origins is None or vehicle.origin in self.origins)
            and (self.fuels is None or vehicle.fuel in self.fuels)
            and _within(self.model_years, vehicle.model_year_jalali if self.model_years else None)
            and _within(self.cylinders, vehicle.cylinders)
            and _within(self.displacement_cc, vehicle.displacement_cc)
            and (self.make is None or vehicle.make == self.make)
            and (self.model is None or vehicle.model == self.model)
        )

    def overlaps(self, other: Scope) -> bool:
        """Whether some vehicle in some year falls within both. A city's row and a national one do not: the
        city's goes first."""
        return (
            _ranges_meet(self.duty_years, other.duty_years)
            and (self.places is None) == (other.places is None)
            and all(
                _sets_meet(mine, theirs)
                for mine, theirs in (
                    (self.places, other.places),
                    (self.classes, other.classes),
                    (self.origins, other.origins),
                    (self.fuels, other.fuels),
                )
            )
            and all(
                _ranges_meet(mine, theirs)
                for mine, theirs in (
                    (self.model_years, other.model_years),
                    (self.cylinders, other.cylinders),
                    (self.displacement_cc, other.displacement_cc),
                )
            )
            and (self.make is None or other.make is None or self.make == other.make)
            and (self.model is None or other.model is None or self.model == other.model)
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
    """An exemption or a discount: a rate of some kinds of lines, for assessments made in a period."""

    source: Source
    scope: Scope
    kind: LineKind
    rate_ppm: int
    of: frozenset[LineKind]
    as_of: tuple[date, date]
    reason_fa: str
    reason_en: str


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
    """How a city assesses, on a given day. The defaults hold where no row says otherwise.

    `first_duty_year` None means that every year since the duty began is assessed.
    """

    first_duty_year: int | None = None
    rounding_unit_rial: int = 1_000
    first_year: FirstYear = FirstYear.WHOLE
    penalty_base: frozenset[LineKind] = frozenset({LineKind.PRINCIPAL, LineKind.SURCHARGE, LineKind.POLLUTION})
    source: Source = field(default=Source("default", "default setting", "تنظیم پیش‌فرض", False))


@dataclass(frozen=True, slots=True)
class YearRows:
    """The rows that may concern one class in one place and duty year, a city's own before national ones."""

    principal: tuple[ShareRow, ...]
    base_price: tuple[BasePriceRow, ...]
    surcharge: tuple[SurchargeRow, ...]
    pollution: tuple[ShareRow, ...]
    reliefs: tuple[ReliefRow, ...]


_ScopedRow = ShareRow | BasePriceRow | SurchargeRow | ReliefRow
_RowT = TypeVar("_RowT", ShareRow, BasePriceRow, SurchargeRow)


def first_for(rows: Sequence[_RowT], vehicle: Vehicle) -> _RowT | None:
    """The row that holds for the vehicle, or None. At most one does in a place: overlaps are refused."""
    for row in rows:
        if row.scope.holds_for(vehicle):
            return row
    return None


@dataclass(frozen=True, slots=True)
class _SettingRow:
    source: Source
    places: frozenset[str] | None
    as_of: tuple[date, date]
    values: Mapping[str, Any]


class Tariff:
    """A checked tariff. `content_hash` is the SHA-256 of `document` in RFC 8785 form: the tariff's version."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        reader = _Reader(document)
        self.document: Final = document
        self.content_hash: Final = content_hash(document)
        self._scoped: Final = reader.scoped
        self._settings: Final = reader.settings
        self.penalties: Final = reader.penalties
        self._places: Final = frozenset(
            place for rows in reader.scoped.values() for row in rows for place in row.scope.places or ()
        )
        self._year_rows: Final[dict[tuple[str, int, str], YearRows]] = {}
        self._together: Final[dict[tuple[Source, ...], Source]] = {}

    def year_rows(self, municipality: str, year: int, vehicle_class: VehicleClass) -> YearRows:
        """The rows of one place, duty year and class, gathered once and kept."""
        place = municipality if municipality in self._places else NATIONAL
        key = (place, year, vehicle_class.value)
        rows = self._year_rows.get(key)
        if rows is None:
            rows = self._year_rows[key] = self._gather(place, year, vehicle_class)
        return rows

    def settings(self, municipality: str, as_of: date) -> Settings:
        """The settings of a city on a day: its own row over the national one over the defaults, each by field."""
        settings = Settings()
        for of_city in (False, True):
            for row in self._settings:
                if (row.places is not None) != of_city or not row.as_of[0] <= as_of <= row.as_of[1]:
                    continue
                if row.places is None or municipality in row.places:
                    settings = replace(settings, source=row.source, **row.values)
        return settings

    def together(self, sources: tuple[Source, ...]) -> Source:
        """The source of a line that several rows made: their ids joined by `+`, each law named once."""
        joined = self._together.get(sources)
        if joined is None:
            joined = self._together[sources] = Source(
                rule="+".join(source.rule for source in sources),
                law="; ".join(dict.fromkeys(source.law for source in sources)),
                law_fa="؛ ".join(dict.fromkeys(source.law_fa for source in sources)),
                demonstration=any(source.demonstration for source in sources),
            )
        return joined

    def principal_years(self, vehicle_class: VehicleClass) -> tuple[int, ...]:
        """The duty years for which some national row gives a principal for the class."""
        return tuple(
            sorted(
                {
                    year
                    for row in self._scoped[RowKind.PRINCIPAL]
                    if row.scope.places is None
                    and (row.scope.classes is None or vehicle_class.value in row.scope.classes)
                    for year in range(row.scope.duty_years[0], row.scope.duty_years[1] + 1)
                }
            )
        )

    def _gather(self, place: str, year: int, vehicle_class: VehicleClass) -> YearRows:
        def rows(kind: RowKind) -> tuple[Any, ...]:
            fitting = [
                row
                for row in self._scoped[kind]
                if row.scope.duty_years[0] <= year <= row.scope.duty_years[1]
                and (row.scope.classes is None or vehicle_class.value in row.scope.classes)
                and (row.scope.places is None or place in row.scope.places)
            ]
            return tuple(sorted(fitting, key=lambda row: row.scope.places is None))

        return YearRows(
            principal=rows(RowKind.PRINCIPAL),
            base_price=rows(RowKind.BASE_PRICE),
            surcharge=rows(RowKind.SURCHARGE),
            pollution=rows(RowKind.POLLUTION),
            reliefs=rows(RowKind.EXEMPTION) + rows(RowKind.DISCOUNT),
        )


def load_tariff(directory: Path) -> Tariff:
    """The tariff that a directory's `*.json` files make together, whatever their names and order.

    Raises:
        TariffInvalid: no file, a file that is no JSON object of this schema, or any fault in a row.
    """
    return Tariff(merge_files(directory))


def tariff_from_document(document: Mapping[str, Any]) -> Tariff:
    """The tariff of a published document, which is what `Tariff.document` gave.

    Raises:
        TariffInvalid: any fault in it.
    """
    return Tariff(document)


def merge_files(directory: Path) -> dict[str, Any]:
    """One document from a directory's files: laws and rows sorted by id, titles of files left out.

    Raises:
        TariffInvalid: no file, too many, too large, or not a JSON object of this schema.
    """
    paths = sorted(directory.glob("*.json")) if directory.is_dir() else []
    if not paths or len(paths) > MAX_FILES:
        raise _invalid([_fault(str(directory), "", f"between 1 and {MAX_FILES} .json files are needed")])
    laws: list[Any] = []
    rows: list[Any] = []
    for path in paths:
        part = _read_file(path)
        laws += part.get("laws", [])
        rows += part.get("rows", [])
    return {"schema": SCHEMA, "laws": sorted(laws, key=_sort_key), "rows": sorted(rows, key=_sort_key)}


def member_names() -> dict[str, frozenset[str]]:
    """The members that a row of each kind may have, by the kind's name; `docs/tariff.md` explains each."""
    return {kind.value: members | _COMMON_MEMBERS for kind, members in _MEMBERS.items()}


def parse_rate(text: str) -> int | None:
    """`1/1000`, `1.5/1000` or `2/100` in parts per million; None where it is none, or not a whole number."""
    match = _RATE.fullmatch(text)
    if match is None:
        return None
    decimals = match[2] or ""
    ppm, rest = divmod(int(match[1] + decimals) * PPM, int(match[3]) * 10 ** len(decimals))
    return ppm if rest == 0 else None


def _sort_key(entry: Any) -> str:
    return str(entry.get("id", "")) if isinstance(entry, dict) else ""


def _read_file(path: Path) -> dict[str, Any]:
    if path.stat().st_size > MAX_FILE_BYTES:
        raise _invalid([_fault(path.name, "", f"the file is larger than {MAX_FILE_BYTES:,} bytes")])
    try:
        part = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_without_repetition)
    except ValueError as error:
        raise _invalid([_fault(path.name, "", f"not JSON in UTF-8: {error}")]) from error
    if not isinstance(part, dict) or part.get("schema") != SCHEMA:
        raise _invalid([_fault(path.name, "schema", f"a JSON object with schema {SCHEMA} is needed")])
    unknown = set(part) - {"schema", "title_fa", "title_en", "remarks", "laws", "rows"}
    lists = all(isinstance(part.get(key, []), list) for key in ("laws", "rows"))
    if unknown or not lists:
        raise _invalid([_fault(path.name, ", ".join(sorted(unknown)), "laws and rows must be lists")])
    return part


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key is written twice in one object")
    return members


def _fault(where: str, member: str, message: str) -> FieldError:
    pointer = f"/{where}" + (f"/{member}" if member else "")
    return FieldError(pointer, "tariff_invalid", message, f"خطا در تعرفه: {message}")


def _invalid(faults: Sequence[FieldError]) -> TariffInvalid:
    return TariffInvalid(
        "The tariff cannot be used: " + "; ".join(f"{f.pointer}: {f.message_en}" for f in faults[:5]),
        "تعرفه پذیرفتنی نیست: " + "؛ ".join(f"{f.pointer}: {f.message_en}" for f in faults[:5]),
        errors=faults,
    )


def _within(bounds: tuple[int, int] | None, value: int | None) -> bool:
    return bounds is None or (value is not None and bounds[0] <= value <= bounds[1])


def _sets_meet(mine: frozenset[str] | None, theirs: frozenset[str] | None) -> bool:
    return mine is None or theirs is None or bool(mine & theirs)


def _ranges_meet(mine: tuple[int, int] | None, theirs: tuple[int, int] | None) -> bool:
    return mine is None or theirs is None or (mine[0] <= theirs[1] and theirs[0] <= mine[1])


_SCOPE_MEMBERS: Final = frozenset(
    {"duty_years", "places", "classes", "origins", "fuels", "model_years", "cylinders", "displacement_cc"}
    | {"make", "model"}
)
_COMMON_MEMBERS: Final = frozenset(
    {"id", "kind", "law", "article_fa", "article_en", "reference", "demonstration", "remarks"}
)
_RELIEF_MEMBERS: Final = frozenset(
    {"rate", "of", "as_of_from_jalali", "as_of_to_jalali", "reason_fa", "reason_en"}
)
_MEMBERS: Final[Mapping[RowKind, frozenset[str]]] = {
    RowKind.PRINCIPAL: _SCOPE_MEMBERS | {"rate", "flat_rial"},
    RowKind.BASE_PRICE: _SCOPE_MEMBERS | {"base_price_rial"},
    RowKind.SURCHARGE: _SCOPE_MEMBERS | {"after_years", "percent_per_year", "max_percent", "excepted_fuels"},
    RowKind.POLLUTION: _SCOPE_MEMBERS | {"rate", "flat_rial"},
    RowKind.EXEMPTION: _SCOPE_MEMBERS | _RELIEF_MEMBERS,
    RowKind.DISCOUNT: _SCOPE_MEMBERS | _RELIEF_MEMBERS,
    RowKind.PENALTY: frozenset({"from_jalali", "to_jalali", "monthly_rate"}),
    RowKind.SETTING: frozenset(
        {"places", "as_of_from_jalali", "as_of_to_jalali", "first_duty_year", "rounding_unit_rial"}
        | {"first_year", "penalty_base"}
    ),
}
_BEFORE_PENALTY: Final = frozenset({LineKind.PRINCIPAL, LineKind.SURCHARGE, LineKind.POLLUTION})


class _Reader:
    """Reads a document into rows and gathers every fault before refusing it."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._faults: list[FieldError] = []
        self._row_id = "document"
        self.scoped: dict[RowKind, list[Any]] = defaultdict(list)
        self.settings: list[_SettingRow] = []
        self.penalties: tuple[PenaltyRow, ...] = ()
        laws, rows = document.get("laws"), document.get("rows")
        if document.get("schema") != SCHEMA or not isinstance(laws, list) or not isinstance(rows, list):
            raise _invalid([_fault("document", "", f"schema {SCHEMA}, laws and rows are needed")])
        if len(rows) > MAX_ROWS:
            raise _invalid([_fault("document", "rows", f"more than {MAX_ROWS:,} rows")])
        self._laws = self._read_laws(laws)
        self._read_rows(rows)
        self._check_overlaps()
        self._check_penalties()
        self._check_settings()
        if self._faults:
            raise _invalid(self._faults)

    def _refuse(self, member: str, message: str) -> None:
        self._faults.append(_fault(self._row_id, member, message))

    def _read_laws(self, laws: Iterable[Any]) -> dict[str, tuple[str, str]]:
        cited: dict[str, tuple[str, str]] = {}
        for law in laws:
            self._row_id = _sort_key(law) or "laws"
            texts = [law.get(m) if isinstance(law, dict) else None for m in ("id", "cite_fa", "cite_en")]
            if not all(isinstance(text, str) and text for text in texts):
                self._refuse("", "a law needs id, cite_fa and cite_en")
            elif self._row_id in cited:
                self._refuse("id", "two laws have this id")
            else:
                cited[self._row_id] = (law["cite_fa"], law["cite_en"])
        return cited

    def _read_rows(self, rows: Iterable[Any]) -> None:
        seen: set[str] = set()
        penalties: list[PenaltyRow] = []
        for number, row in enumerate(rows):
            self._row_id = _sort_key(row) or f"rows/{number}"
            if not isinstance(row, dict) or row.get("kind") not in RowKind._value2member_map_:
                self._refuse("kind", f"one of {', '.join(kind.value for kind in RowKind)}")
                continue
            if not _ID.fullmatch(self._row_id) or self._row_id in seen:
                self._refuse("id", "an id of lower-case letters, digits, dots and dashes that no other row has")
            seen.add(self._row_id)
            kind = RowKind(row["kind"])
            for member in sorted(set(row) - _COMMON_MEMBERS - _MEMBERS[kind]):
                self._refuse(member, f"a row of kind {kind.value} has no such member")
            source = self._source(row)
            match kind:
                case RowKind.PENALTY:
                    penalties.append(self._penalty(row, source))
                case RowKind.SETTING:
                    self.settings.append(self._setting(row, source))
                case _:
                    self.scoped[kind].append(self._scoped_row(kind, row, source))
        self.penalties = tuple(sorted(penalties, key=lambda penalty: penalty.months))

    def _source(self, row: Mapping[str, Any]) -> Source:
        law = row.get("law")
        cite_fa, cite_en = self._laws.get(law, ("", "")) if isinstance(law, str) else ("", "")
        if not cite_en:
            self._refuse("law", "the id of one of the laws is needed")
        article_fa, article_en = self._text(row, "article_fa"), self._text(row, "article_en")
        self._text(row, "reference")
        demonstration = row.get("demonstration", False)
        if not isinstance(demonstration, bool):
            self._refuse("demonstration", "true or false")
        return Source(self._row_id, f"{cite_en}, {article_en}", f"{article_fa} {cite_fa}", demonstration is True)

    def _scoped_row(self, kind: RowKind, row: Mapping[str, Any], source: Source) -> _ScopedRow:
        scope = self._scope(row)
        if kind is RowKind.PRINCIPAL and scope.places is not None:
            fixed = sorted(NATIONAL_CLASSES & (scope.classes or frozenset(VehicleClass)))
            if fixed:
                self._refuse("places", f"no city sets the principal of {', '.join(fixed)}")
        match kind:
            case RowKind.PRINCIPAL | RowKind.POLLUTION:
                if ("rate" in row) == ("flat_rial" in row):
                    self._refuse("rate", "either rate or flat_rial, not both")
                return ShareRow(
                    source,
                    scope,
                    self._rate(row, "rate") if "rate" in row else None,
                    self._amount(row, "flat_rial") if "flat_rial" in row else None,
                )
            case RowKind.BASE_PRICE:
                return BasePriceRow(source, scope, self._amount(row, "base_price_rial"))
            case RowKind.SURCHARGE:
                return SurchargeRow(
                    source,
                    scope,
                    self._whole(row, "after_years", 0, PERCENT),
                    self._whole(row, "percent_per_year", 1, PERCENT),
                    self._whole(row, "max_percent", 1, PERCENT * 10),
                    self._names(row, "excepted_fuels", Fuel) or frozenset(),
                )
            case _:
                return self._relief(LineKind(kind.value), row, source, scope)

    def _relief(self, kind: LineKind, row: Mapping[str, Any], source: Source, scope: Scope) -> ReliefRow:
        of = frozenset(LineKind(name) for name in self._names(row, "of", LineKind) or ())
        if not of or not (of <= _BEFORE_PENALTY or of == {LineKind.PENALTY}):
            self._refuse("of", "some of principal, surcharge, pollution; or penalty alone, in a row of its own")
        rate_ppm = self._rate(row, "rate")
        if rate_ppm > PPM:
            self._refuse("rate", "at most 100/100")
        return ReliefRow(
            source=source,
            scope=scope,
            kind=kind,
            rate_ppm=rate_ppm,
            of=of,
            as_of=self._period(row, "as_of_from_jalali", "as_of_to_jalali"),
            reason_fa=self._text(row, "reason_fa"),
            reason_en=self._text(row, "reason_en"),
        )

    def _penalty(self, row: Mapping[str, Any], source: Source) -> PenaltyRow:
        first, last = self._period(row, "from_jalali", "to_jalali")
        return PenaltyRow(
            source,
            self._rate(row, "monthly_rate"),
            (_first_month_from(first), _first_month_from(last + timedelta(days=1)) - 1)
            if last < _LAST_DAY
            else (_first_month_from(first), month_number(_LAST_DAY)),
        )

    def _setting(self, row: Mapping[str, Any], source: Source) -> _SettingRow:
        values: dict[str, Any] = {}
        if "first_duty_year" in row:
            values["first_duty_year"] = self._whole(row, "first_duty_year", *_EVERY_YEAR)
        if "rounding_unit_rial" in row:
            values["rounding_unit_rial"] = self._amount(row, "rounding_unit_rial")
        if "first_year" in row:
            if row["first_year"] in FirstYear._value2member_map_:
                values["first_year"] = FirstYear(row["first_year"])
            else:
                self._refuse("first_year", "whole or months_left")
        if "penalty_base" in row:
            base = frozenset(LineKind(name) for name in self._names(row, "penalty_base", LineKind) or ())
            if not base or not base <= _BEFORE_PENALTY:
                self._refuse("penalty_base", "some of principal, surcharge, pollution")
            values["penalty_base"] = base
        period = self._period(row, "as_of_from_jalali", "as_of_to_jalali")
        return _SettingRow(source, self._places(row), period, values)

    def _scope(self, row: Mapping[str, Any]) -> Scope:
        duty_years = self._range(row, "duty_years", *_EVERY_YEAR)
        if duty_years is None:
            self._refuse("duty_years", "the first and the last duty year are needed, as [1395, 1400]")
        return Scope(
            duty_years=duty_years or _EVERY_YEAR,
            places=self._places(row),
            classes=self._names(row, "classes", VehicleClass),
            origins=self._names(row, "origins", Origin),
            fuels=self._names(row, "fuels", Fuel),
            model_years=self._range(row, "model_years", *_EVERY_YEAR),
            cylinders=self._range(row, "cylinders", 0, 100),
            displacement_cc=self._range(row, "displacement_cc", 0, 100_000),
            make=self._text(row, "make") if "make" in row else None,
            model=self._text(row, "model") if "model" in row else None,
        )

    def _places(self, row: Mapping[str, Any]) -> frozenset[str] | None:
        places = row.get("places")
        if places == NATIONAL:
            return None
        if isinstance(places, list) and places and all(isinstance(p, str) and _PLACE.fullmatch(p) for p in places):
            return frozenset(places)
        self._refuse("places", f'"{NATIONAL}", or a list of codes of municipalities')
        return None

    def _names(self, row: Mapping[str, Any], member: str, kind: type[StrEnum]) -> frozenset[str] | None:
        if member not in row:
            return None
        names = row[member]
        known = kind._value2member_map_
        if isinstance(names, list) and names and all(isinstance(n, str) and n in known for n in names):
            return frozenset(names)
        self._refuse(member, f"a list of some of {', '.join(str(name) for name in known)}")
        return None

    def _range(self, row: Mapping[str, Any], member: str, low: int, high: int) -> tuple[int, int] | None:
        if member not in row:
            return None
        bounds = row[member]
        if (
            isinstance(bounds, list)
            and len(bounds) == 2
            and all(type(bound) is int for bound in bounds)
            and low <= bounds[0] <= bounds[1] <= high
        ):
            return bounds[0], bounds[1]
        self._refuse(member, f"two whole numbers from {low} to {high}, the lower one first")
        return None

    def _whole(self, row: Mapping[str, Any], member: str, low: int, high: int) -> int:
        value = row.get(member)
        if type(value) is int and low <= value <= high:
            return value
        self._refuse(member, f"a whole number from {low} to {high}")
        return low

    def _rate(self, row: Mapping[str, Any], member: str) -> int:
        value = row.get(member)
        rate_ppm = parse_rate(value) if isinstance(value, str) else None
        if rate_ppm is None:
            self._refuse(member, 'a rate in whole parts per million, written like "1.5/1000" or "2/100"')
            return 0
        return rate_ppm

    def _amount(self, row: Mapping[str, Any], member: str) -> int:
        value = row.get(member)
        try:
            amount = parse_rial(value) if isinstance(value, str) else 0
        except ValueError:
            amount = 0
        if amount <= 0:
            self._refuse(member, 'whole rial above zero, written as digits in quotes, like "150000"')
            return 1
        return amount

    def _text(self, row: Mapping[str, Any], member: str) -> str:
        value = row.get(member)
        if isinstance(value, str) and value.strip():
            return value
        self._refuse(member, "a text is needed")
        return ""

    def _period(self, row: Mapping[str, Any], first: str, last: str) -> tuple[date, date]:
        days = []
        for member, open_end in ((first, _FIRST_DAY), (last, _LAST_DAY)):
            value = row.get(member)
            day = open_end if value is None else read_jalali(value) if isinstance(value, str) else None
            if day is None:
                self._refuse(member, "a Jalali date like 1400-10-13, or null for an open end")
            days.append(day or open_end)
        if days[0] > days[1]:
            self._refuse(last, "the period ends before it begins")
        return days[0], days[1]

    def _check_overlaps(self) -> None:
        """Two rows of a kind that hold for one vehicle in one year would leave the amount to chance."""
        for kind in (RowKind.PRINCIPAL, RowKind.BASE_PRICE, RowKind.SURCHARGE, RowKind.POLLUTION):
            by_model: dict[tuple[str | None, str | None], list[Any]] = defaultdict(list)
            for row in self.scoped[kind]:
                by_model[(row.scope.make, row.scope.model)].append(row)
            wide = [row for key, rows in by_model.items() if None in key for row in rows]
            for key, rows in by_model.items():
                others = wide if None in key else [*wide, *rows]
                self._refuse_overlaps(rows, others)

    def _refuse_overlaps(self, rows: Sequence[Any], others: Sequence[Any]) -> None:
        for row in rows:
            for other in others:
                if row.source.rule < other.source.rule and row.scope.overlaps(other.scope):
                    self._row_id = row.source.rule
                    self._refuse("", f"holds for the same vehicle and year as {other.source.rule}")

    def _check_penalties(self) -> None:
        """The months of the penalty rows follow one another without gap or overlap, from first to last."""
        self._row_id = "penalty"
        expected = _first_month_from(_FIRST_DAY)
        for row in self.penalties:
            if row.months[0] != expected:
                self._refuse(row.source.rule, f"begins in another month than {month_start(expected)}")
            expected = row.months[1] + 1
        if expected != month_number(_LAST_DAY) + 1:
            self._refuse("", "penalty rows are needed for all time: open ends are written null")

    def _check_settings(self) -> None:
        for position, row in enumerate(self.settings):
            for other in self.settings[:position]:
                if (
                    (row.places is None) == (other.places is None)
                    and _sets_meet(row.places, other.places)
                    and row.as_of[0] <= other.as_of[1]
                    and other.as_of[0] <= row.as_of[1]
                ):
                    self._row_id = row.source.rule
                    self._refuse("", f"holds on the same day in the same place as {other.source.rule}")


def _first_month_from(day: date) -> int:
    """The number of the first month that begins on `day` or after it."""
    return month_number(day) + (0 if to_jalali(day).day == 1 else 1)
