"""Reads a tariff's document into rows, and gathers every fault before refusing it.

Parsing is by hand and not by a validation library: every fault is told with its file, row, member and mend in
words for the officer, and importing this costs the assessing function nothing. `docs/tariff.schema.json` says the
same as a JSON Schema, for editors.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final

from avarez.assessment.model import MAX_CYLINDERS, MAX_DISPLACEMENT_CC, Fuel, Origin, VehicleClass
from avarez.assessment.rules import PERCENT, PPM
from avarez.assessment.tariff.catalogue import Catalogue, ancestry
from avarez.assessment.tariff.faults import Fault, invalid
from avarez.assessment.tariff.rows import (
    NATIONAL,
    NATIONAL_CLASSES,
    TOTAL,
    BasePriceRow,
    FirstYear,
    MonthCounting,
    PenaltyRow,
    ReliefRow,
    RowKind,
    Scope,
    ScopedRow,
    SettingRow,
    ShareRow,
    Source,
    SurchargeRow,
    ranges_meet,
    sets_meet,
)
from avarez.assessment.texts import LineKind
from avarez.errors import TariffInvalid
from avarez.jalali import (
    FIRST_YEAR,
    LAST_YEAR,
    MONTHS_IN_YEAR,
    month_length,
    month_number,
    read_jalali,
    to_jalali,
    year_end,
    year_start,
)
from avarez.money import parse_rial
from avarez.plates import PlateKind

SCHEMA: Final = 1
LISTS: Final = ("laws", "catalogue", "rows", "adjustments")
"""What a file may list; `catalogue` and `adjustments` stand in a document only where there are any."""
MAX_ROWS: Final = 50_000
INSTALMENTS_MAX: Final = 60
"""Five years of monthly parts; an agreement is one item with all of its parts."""
MAX_COMPARISONS: Final = 4_000_000
"""Pairs of rows of one kind, class and node that are held against each other: seconds."""

_RATE = re.compile(r"([0-9]{1,7})(?:\.([0-9]{1,6}))?/(100|1000|10000|100000|1000000)", re.ASCII)
_ID = re.compile(r"[a-z0-9][a-z0-9.-]{0,79}", re.ASCII)
_NODE = re.compile(r"[a-z0-9-]{1,40}(\.[a-z0-9-]{1,40}){0,5}", re.ASCII)
_PLACE = re.compile(r"[A-Z][A-Z0-9-]{0,63}", re.ASCII)
_MONTH_DAY = re.compile(r"([0-9]{2})-([0-9]{2})", re.ASCII)
_EVERY_YEAR: Final = (FIRST_YEAR, LAST_YEAR)
FIRST_DAY: Final = year_start(FIRST_YEAR)
LAST_DAY: Final = year_end(LAST_YEAR)

_SCOPE_MEMBERS: Final = frozenset(
    {"duty_years", "places", "classes", "origins", "fuels", "plate_kinds", "model_years", "cylinders"}
    | {"displacement_cc", "node"}
)
_COMMON_MEMBERS: Final = frozenset(
    {"id", "kind", "law", "article_fa", "article_en", "reference", "demonstration", "remarks"}
)
_SHARE_MEMBERS: Final = frozenset({"rate", "flat_rial", "band_may_fall"})
_RELIEF_MEMBERS: Final = frozenset(
    {"rate", "flat_rial", "of", "as_of_from_jalali", "as_of_to_jalali", "reason_fa", "reason_en"}
)
CITY_SETTINGS: Final = frozenset(
    {"first_duty_year", "rounding_unit_rial", "first_year", "clearance_threshold_rial"}
    | {"instalments_max", "instalment_every_months", "instalment_grace_days"}
    | {"instalment_least_rial", "instalment_surcharge"}
)
"""Settings that a city chooses for itself; the others are readings of the national law."""
NATIONAL_SETTINGS: Final = frozenset(
    {"penalty_base", "penalty_months", "penalty_grace_months", "penalty_cap", "limitation_years"}
    | {"residence_day", "gregorian_model_year_offset"}
)
_MEMBERS: Final[Mapping[RowKind, frozenset[str]]] = {
    RowKind.PRINCIPAL: _SCOPE_MEMBERS | _SHARE_MEMBERS,
    RowKind.BASE_PRICE: _SCOPE_MEMBERS | {"base_price_rial", "band_may_fall"},
    RowKind.SURCHARGE: _SCOPE_MEMBERS | {"after_years", "percent_per_year", "max_percent", "excepted_fuels"},
    RowKind.POLLUTION: _SCOPE_MEMBERS | _SHARE_MEMBERS,
    RowKind.EXEMPTION: _SCOPE_MEMBERS | _RELIEF_MEMBERS,
    RowKind.DISCOUNT: _SCOPE_MEMBERS | _RELIEF_MEMBERS,
    RowKind.PENALTY: frozenset({"from_jalali", "to_jalali", "monthly_rate"}),
    RowKind.SETTING: frozenset({"places", "as_of_from_jalali", "as_of_to_jalali"})
    | CITY_SETTINGS
    | NATIONAL_SETTINGS,
}
_DUTY_KINDS: Final = frozenset({LineKind.PRINCIPAL.value, LineKind.SURCHARGE.value, LineKind.POLLUTION.value})
_RELIEF_OF: Final = frozenset({*_DUTY_KINDS, LineKind.PENALTY.value, TOTAL})


def member_names() -> dict[str, frozenset[str]]:
    """The members that a row of each kind may have, by the kind's name; `docs/tariff.md` explains each."""
    return {kind.value: members | _COMMON_MEMBERS for kind, members in _MEMBERS.items()}


def entry_id(entry: Any) -> str:
    """The id of a law, a row, a node or an adjustment; empty where it has none."""
    found = entry.get("id", "") if isinstance(entry, dict) else ""
    return found if isinstance(found, str) else ""


def parse_rate(text: str) -> int | None:
    """`1/1000`, `1.5/1000` or `2/100` in parts per million; None where it is none, or not a whole number."""
    match = _RATE.fullmatch(text)
    if match is None:
        return None
    decimals = match[2] or ""
    ppm, rest = divmod(int(match[1] + decimals) * PPM, int(match[3]) * 10 ** len(decimals))
    return ppm if rest == 0 else None


@dataclass(frozen=True, slots=True)
class Adjustment:
    """The express change of duty years that were published before, with its law."""

    source: Source
    duty_years: tuple[int, int]


class Reader:
    """One document being read. What it found stands in its attributes once it is made.

    Raises:
        TariffInvalid: every fault of the document.
    """

    def __init__(self, document: Mapping[str, Any], files: Mapping[str, str]) -> None:
        self._faults: list[Fault] = []
        self._files = files
        self._row_id = "document"
        self.scoped: dict[RowKind, list[Any]] = defaultdict(list)
        self.settings: list[SettingRow] = []
        self.penalties: tuple[PenaltyRow, ...] = ()
        self.adjustments: list[Adjustment] = []
        lists = {name: document.get(name, []) for name in LISTS}
        if document.get("schema") != SCHEMA:
            raise self._refused_at_once("wrong_schema", "", schema=SCHEMA)
        for name, entries in lists.items():
            if not isinstance(entries, list) or (name not in document and name in ("laws", "rows")):
                raise self._refused_at_once("list_needed", name)
            if len(entries) > MAX_ROWS:
                raise self._refused_at_once("too_many_rows", name, most=f"{MAX_ROWS:,}")
        self._laws = self._read_laws(lists["laws"])
        self.catalogue = self._read_catalogue(lists["catalogue"])
        self._read_rows(lists["rows"])
        self._read_adjustments(lists["adjustments"])
        self._check_overlaps()
        self._check_penalties()
        self._check_settings()
        if self._faults:
            raise invalid(self._faults)

    def _refused_at_once(self, rule: str, member: str, **values: Any) -> TariffInvalid:
        return invalid([Fault(rule, self._row_id, member, values=values)])

    def _refuse(self, member: str, rule: str, **values: Any) -> None:
        self._faults.append(Fault(rule, self._row_id, member, self._files.get(self._row_id, ""), values))

    # -- laws, catalogue, adjustments --------------------------------------------------------------

    def _read_laws(self, laws: Iterable[Any]) -> dict[str, tuple[str, str]]:
        cited: dict[str, tuple[str, str]] = {}
        for law in laws:
            self._row_id = entry_id(law) or "laws"
            texts = [law.get(m) if isinstance(law, dict) else None for m in ("id", "cite_fa", "cite_en")]
            if not all(isinstance(text, str) and text for text in texts):
                self._refuse("", "law_incomplete")
            elif self._row_id in cited:
                self._refuse("id", "law_repeated")
            else:
                cited[self._row_id] = (law["cite_fa"], law["cite_en"])
        return cited

    def _read_catalogue(self, entries: Iterable[Any]) -> Catalogue:
        nodes: dict[str, tuple[str, str]] = {}
        by_name: dict[tuple[str, str], str] = {}
        for entry in entries:
            node = self._row_id = entry_id(entry) or "catalogue"
            names = [entry.get(m) if isinstance(entry, dict) else None for m in ("name_fa", "name_en")]
            if not _NODE.fullmatch(node) or not all(isinstance(name, str) and name for name in names):
                self._refuse("", "node_malformed")
                continue
            if node in nodes:
                self._refuse("id", "id_repeated")
            nodes[node] = (str(names[0]), str(names[1]))
            for make, model in self._matches(entry):
                if by_name.setdefault((make, model), node) != node:
                    self._refuse("matches", "match_repeated", other=by_name[make, model])
        for node in nodes:
            above = ancestry(node)[1:2]
            if above and above[0] not in nodes:
                self._row_id = node
                self._refuse("", "node_parent_missing", value=above[0])
        return Catalogue(nodes, by_name)

    def _matches(self, entry: Mapping[str, Any]) -> list[tuple[str, str]]:
        for member in sorted(set(entry) - {"id", "name_fa", "name_en", "matches", "remarks"}):
            self._refuse(member, "member_unknown", kind="catalogue")
        matches = entry.get("matches", [])
        found: list[tuple[str, str]] = []
        for match in matches if isinstance(matches, list) else [None]:
            make = match.get("make") if isinstance(match, dict) else None
            model = match.get("model", "") if isinstance(match, dict) else None
            if not isinstance(make, str) or not make or not isinstance(model, str):
                self._refuse("matches", "match_malformed")
            else:
                found.append((make, model))
        return found

    def _read_adjustments(self, entries: Iterable[Any]) -> None:
        for number, entry in enumerate(entries):
            self._row_id = entry_id(entry) or f"adjustments/{number}"
            if not isinstance(entry, dict):
                self._refuse("", "list_needed")
                continue
            for member in sorted(set(entry) - (_COMMON_MEMBERS - {"kind"}) - {"duty_years"}):
                self._refuse(member, "member_unknown", kind="adjustment")
            source = self._source(entry)
            self.adjustments.append(Adjustment(source, self._duty_years(entry)))

    # -- rows --------------------------------------------------------------------------------------

    def _read_rows(self, rows: Iterable[Any]) -> None:
        seen: set[str] = set()
        penalties: list[PenaltyRow] = []
        for number, row in enumerate(rows):
            self._row_id = entry_id(row) or f"rows/{number}"
            if not isinstance(row, dict) or row.get("kind") not in RowKind._value2member_map_:
                self._refuse("kind", "kind_unknown", names=", ".join(RowKind))
                continue
            if not _ID.fullmatch(self._row_id):
                self._refuse("id", "id_malformed")
            elif self._row_id in seen:
                self._refuse("id", "id_repeated")
            seen.add(self._row_id)
            kind = RowKind(row["kind"])
            for member in sorted(set(row) - _COMMON_MEMBERS - _MEMBERS[kind]):
                self._refuse(member, "member_unknown", kind=kind.value)
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
            self._refuse("law", "law_unknown" if law else "law_missing", value=law)
        article_fa, article_en = self._text(row, "article_fa"), self._text(row, "article_en")
        self._text(row, "reference", "reference_missing")
        demonstration = self._flag(row, "demonstration")
        return Source(self._row_id, f"{cite_en}, {article_en}", f"{article_fa} {cite_fa}", demonstration)

    def _scoped_row(self, kind: RowKind, row: Mapping[str, Any], source: Source) -> ScopedRow:
        scope = self._scope(row)
        if kind is RowKind.PRINCIPAL and scope.places is not None:
            fixed = sorted(NATIONAL_CLASSES & (scope.classes or frozenset(VehicleClass)))
            if fixed:
                self._refuse("places", "class_national", names=", ".join(fixed))
        self._flag(row, "band_may_fall")
        match kind:
            case RowKind.PRINCIPAL | RowKind.POLLUTION:
                return ShareRow(source, scope, *self._rate_or_flat(row))
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

    def _rate_or_flat(self, row: Mapping[str, Any]) -> tuple[int | None, int | None]:
        if ("rate" in row) == ("flat_rial" in row):
            self._refuse("rate", "rate_or_flat")
        return (
            self._share_of_whole(row, "rate") if "rate" in row else None,
            self._amount(row, "flat_rial") if "flat_rial" in row else None,
        )

    def _relief(self, kind: LineKind, row: Mapping[str, Any], source: Source, scope: Scope) -> ReliefRow:
        of = self._choices(row, "of", _RELIEF_OF) or frozenset()
        if not of or not (of <= _DUTY_KINDS or of in ({LineKind.PENALTY.value}, {TOTAL})):
            self._refuse("of", "relief_of_mixed")
        rate_ppm, flat_rial = self._rate_or_flat(row)
        return ReliefRow(
            source=source,
            scope=scope,
            kind=kind,
            rate_ppm=rate_ppm,
            flat_rial=flat_rial,
            of=of,
            as_of=self._period(row, "as_of_from_jalali", "as_of_to_jalali"),
            reason_fa=self._text(row, "reason_fa"),
            reason_en=self._text(row, "reason_en"),
        )

    def _penalty(self, row: Mapping[str, Any], source: Source) -> PenaltyRow:
        first, last = self._period(row, "from_jalali", "to_jalali")
        last_month = _first_month_from(last + timedelta(days=1)) - 1 if last < LAST_DAY else month_number(LAST_DAY)
        return PenaltyRow(
            source, self._share_of_whole(row, "monthly_rate"), (_first_month_from(first), last_month)
        )

    def _setting(self, row: Mapping[str, Any], source: Source) -> SettingRow:
        values: dict[str, Any] = {}
        for member, low, high in (
            ("first_duty_year", *_EVERY_YEAR),
            ("penalty_grace_months", 0, 24),
            ("limitation_years", 1, 100),
            ("gregorian_model_year_offset", 620, 622),
            ("instalments_max", 0, INSTALMENTS_MAX),
            ("instalment_every_months", 1, MONTHS_IN_YEAR),
            ("instalment_grace_days", 0, 60),
        ):
            if member in row:
                values[member] = self._whole(row, member, low, high)
        for member in ("rounding_unit_rial", "clearance_threshold_rial", "instalment_least_rial"):
            if member in row:
                values[member] = self._amount(row, member)
        for member, kind in (("first_year", FirstYear), ("penalty_months", MonthCounting)):
            if member in row:
                values[member] = self._choice(row, member, kind)
        if "penalty_base" in row:
            values["penalty_base"] = self._choices(row, "penalty_base", _DUTY_KINDS)
        if "penalty_cap" in row:
            values["penalty_cap_ppm"] = None if row["penalty_cap"] is None else self._rate(row, "penalty_cap")
        if "instalment_surcharge" in row:
            values["instalment_surcharge_ppm"] = self._share_of_whole(row, "instalment_surcharge")
        if "residence_day" in row:
            values["residence_day"] = self._month_day(row, "residence_day")
        period = self._period(row, "as_of_from_jalali", "as_of_to_jalali")
        return SettingRow(source, self._places(row), period, values)

    def _scope(self, row: Mapping[str, Any]) -> Scope:
        return Scope(
            duty_years=self._duty_years(row),
            places=self._places(row),
            classes=self._names(row, "classes", VehicleClass),
            origins=self._names(row, "origins", Origin),
            fuels=self._names(row, "fuels", Fuel),
            plate_kinds=self._names(row, "plate_kinds", PlateKind),
            model_years=self._range(row, "model_years", *_EVERY_YEAR),
            cylinders=self._range(row, "cylinders", 0, MAX_CYLINDERS),
            displacement_cc=self._range(row, "displacement_cc", 0, MAX_DISPLACEMENT_CC),
            node=self._node(row),
        )

    # -- members -----------------------------------------------------------------------------------

    def _duty_years(self, row: Mapping[str, Any]) -> tuple[int, int]:
        if "duty_years" not in row:
            self._refuse("duty_years", "duty_years_missing")
        return self._range(row, "duty_years", *_EVERY_YEAR) or _EVERY_YEAR

    def _node(self, row: Mapping[str, Any]) -> str | None:
        if "node" not in row:
            return None
        node = row["node"]
        if isinstance(node, str) and node in self.catalogue.nodes:
            return node
        self._refuse("node", "node_unknown", value=node)
        return None

    def _places(self, row: Mapping[str, Any]) -> frozenset[str] | None:
        places = row.get("places")
        if places == NATIONAL:
            return None
        if isinstance(places, list) and places and all(isinstance(p, str) and _PLACE.fullmatch(p) for p in places):
            return frozenset(places)
        self._refuse("places", "place_malformed")
        return None

    def _names(self, row: Mapping[str, Any], member: str, kind: type[StrEnum]) -> frozenset[str] | None:
        return self._choices(row, member, kind._value2member_map_) if member in row else None

    def _choices(self, row: Mapping[str, Any], member: str, known: Iterable[Any]) -> frozenset[str] | None:
        names, known = row.get(member), [str(name) for name in known]
        if isinstance(names, list) and names and all(isinstance(n, str) and n in known for n in names):
            return frozenset(names)
        self._refuse(member, "choice_unknown", names=", ".join(sorted(known)))
        return None

    def _choice(self, row: Mapping[str, Any], member: str, kind: type[StrEnum]) -> StrEnum | None:
        value = row[member]
        if isinstance(value, str) and value in kind._value2member_map_:
            return kind(value)
        self._refuse(member, "choice_unknown", names=", ".join(kind))
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
        self._refuse(member, "range_malformed", low=low, high=high)
        return None

    def _whole(self, row: Mapping[str, Any], member: str, low: int, high: int) -> int:
        value = row.get(member)
        if type(value) is int and low <= value <= high:
            return value
        self._refuse(member, "number_malformed", low=low, high=high)
        return low

    def _flag(self, row: Mapping[str, Any], member: str) -> bool:
        value = row.get(member, False)
        if not isinstance(value, bool):
            self._refuse(member, "flag_malformed")
        return value is True

    def _rate(self, row: Mapping[str, Any], member: str) -> int:
        value = row.get(member)
        rate_ppm = parse_rate(value) if isinstance(value, str) else None
        if rate_ppm is None:
            self._refuse(member, "rate_malformed")
            return 0
        return rate_ppm

    def _share_of_whole(self, row: Mapping[str, Any], member: str) -> int:
        """A rate of at most 100/100; a penalty's cap alone may be more."""
        rate_ppm = self._rate(row, member)
        if rate_ppm > PPM:
            self._refuse(member, "rate_over_whole")
        return min(rate_ppm, PPM)

    def _amount(self, row: Mapping[str, Any], member: str) -> int:
        value = row.get(member)
        try:
            amount = parse_rial(value) if isinstance(value, str) else 0
        except ValueError:
            amount = 0
        if amount <= 0:
            self._refuse(member, "amount_malformed")
            return 1
        return amount

    def _text(self, row: Mapping[str, Any], member: str, rule: str = "text_missing") -> str:
        value = row.get(member)
        if isinstance(value, str) and value.strip():
            return value
        self._refuse(member, rule)
        return ""

    def _month_day(self, row: Mapping[str, Any], member: str) -> tuple[int, int]:
        value = row.get(member)
        match = _MONTH_DAY.fullmatch(value) if isinstance(value, str) else None
        month, day = (int(match[1]), int(match[2])) if match else (0, 0)
        # Every year has it: 30 Esfand does not count.
        if 1 <= month <= 12 and 1 <= day <= month_length(FIRST_YEAR + 1, month) and (month, day) != (12, 30):
            return month, day
        self._refuse(member, "date_malformed")
        return 1, 1

    def _period(self, row: Mapping[str, Any], first: str, last: str) -> tuple[date, date]:
        days = []
        for member, open_end in ((first, FIRST_DAY), (last, LAST_DAY)):
            value = row.get(member)
            day = open_end if value is None else read_jalali(value) if isinstance(value, str) else None
            if day is None:
                self._refuse(member, "date_malformed")
            days.append(day or open_end)
        if days[0] > days[1]:
            self._refuse(last, "period_reversed")
        return days[0], days[1]

    # -- rows together -----------------------------------------------------------------------------

    def _check_overlaps(self) -> None:
        """Two rows of a kind that hold for one vehicle in one year would leave the amount to chance."""
        for kind in (RowKind.PRINCIPAL, RowKind.BASE_PRICE, RowKind.SURCHARGE, RowKind.POLLUTION):
            alike: dict[tuple[str, str | None], list[Any]] = defaultdict(list)
            for row in self.scoped[kind]:
                for name in row.scope.classes or frozenset(VehicleClass):
                    alike[str(name), row.scope.node].append(row)
            told: set[tuple[str, str]] = set()
            for (name, _), rows in sorted(alike.items(), key=lambda entry: str(entry[0])):
                if len(rows) ** 2 > 2 * MAX_COMPARISONS:
                    self._row_id = rows[0].source.rule
                    self._refuse("", "too_many_alike", count=len(rows), kind=kind.value, name=name)
                    continue
                self._refuse_overlaps(sorted(rows, key=lambda row: row.source.rule), told)

    def _refuse_overlaps(self, rows: Sequence[Any], told: set[tuple[str, str]]) -> None:
        for number, row in enumerate(rows):
            for other in rows[number + 1 :]:
                pair = (row.source.rule, other.source.rule)
                if pair not in told and row.scope.overlaps(other.scope):
                    told.add(pair)
                    self._row_id = pair[0]
                    self._refuse("", "overlap", other=pair[1])

    def _check_penalties(self) -> None:
        """The months of the penalty rows follow one another without gap or overlap, from first to last."""
        expected = _first_month_from(FIRST_DAY)
        for row in self.penalties:
            if row.months[0] != expected:
                self._row_id = row.source.rule
                self._refuse("from_jalali", "penalty_gap", other=row.source.rule, expected=_month_text(expected))
            expected = row.months[1] + 1
        if expected != month_number(LAST_DAY) + 1:
            self._row_id = self.penalties[-1].source.rule if self.penalties else "penalty"
            self._refuse("to_jalali", "penalty_missing")

    def _check_settings(self) -> None:
        for position, row in enumerate(self.settings):
            for other in self.settings[:position]:
                if (
                    (row.places is None) == (other.places is None)
                    and sets_meet(row.places, other.places)
                    and ranges_meet(_ordinals(row.as_of), _ordinals(other.as_of))
                ):
                    self._row_id = row.source.rule
                    self._refuse("", "setting_overlap", other=other.source.rule)


def _month_text(number: int) -> str:
    """`1400-10` for the month that is counted so; the month after the last one too."""
    year, month = divmod(number, MONTHS_IN_YEAR)
    return f"{year}-{month + 1:02d}"


def _ordinals(period: tuple[date, date]) -> tuple[int, int]:
    return period[0].toordinal(), period[1].toordinal()


def _first_month_from(day: date) -> int:
    """The number of the first month that begins on `day` or after it."""
    return month_number(day) + (0 if to_jalali(day).day == 1 else 1)
