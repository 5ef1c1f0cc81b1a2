"""Reviews a draft: gaps, rows never applied, falling bands, unknown places, changes of what was published."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from itertools import pairwise
from typing import Any, Final

from avarez.assessment.model import VehicleClass
from avarez.assessment.review.cells import cells
from avarez.assessment.review.history import changed_days, changed_years
from avarez.assessment.tariff.catalogue import ancestry
from avarez.assessment.tariff.faults import Fault
from avarez.assessment.tariff.reader import CITY_SETTINGS, NATIONAL_SETTINGS
from avarez.assessment.tariff.rows import (
    TOTAL,
    RowKind,
    Scope,
    ShareRow,
)
from avarez.assessment.tariff.table import Tariff
from avarez.assessment.texts import LineKind
from avarez.jalali import to_jalali

Finding = Fault
"""A fault of the review: same shape, same table, but the tariff can be read."""
FINDINGS_MAX: Final = 200
"""Findings told of one rule: the officer mends those and asks again."""
CITY_KINDS: Final = frozenset({RowKind.PRINCIPAL, RowKind.EXEMPTION, RowKind.DISCOUNT, RowKind.SETTING})
"""What a city writes for itself: local principals, its council's reliefs, its settings."""


def review(
    draft: Tariff,
    *,
    published: Tariff | None,
    as_of: date,
    is_municipality: Callable[[str], bool],
    of_city: str | None = None,
) -> list[Finding]:
    """Every finding that keeps the draft from being published, in the order of its rows.

    `published` is the tariff in force, None before the first; `as_of` is today in Tehran: duty years that have
    begun by then and days before it are not to change. `of_city` is the municipality whose draft it is; such a
    draft differs from `published` in that city's own rows alone.
    """
    found = [
        *_unknown_places(draft, is_municipality),
        *_gaps_in_years(draft),
        *_gaps_in_bands(draft),
        *_unreachable(draft),
        *_falling_bands(draft),
    ]
    if of_city is not None:
        found += _beyond_the_city(draft, published, of_city)
    if published is not None:
        found += _retroactive(draft, published, as_of)
    counts: dict[str, int] = defaultdict(int)
    told = []
    for finding in found:
        counts[finding.rule] += 1
        if counts[finding.rule] <= FINDINGS_MAX:
            told.append(finding)
    return told


def _at(draft: Tariff, rule: str, row: str, member: str = "", **values: Any) -> Finding:
    return Fault(rule, row, member, draft.files.get(row, ""), values)


def _scoped(draft: Tariff, *kinds: RowKind) -> Iterator[Any]:
    for kind in kinds or tuple(RowKind):
        yield from draft.scoped.get(kind, ())


# -- places ------------------------------------------------------------------------------------------


def _unknown_places(draft: Tariff, is_municipality: Callable[[str], bool]) -> Iterator[Finding]:
    rows = [(row.source.rule, row.scope.places) for row in _scoped(draft)]
    rows += [(row.source.rule, row.places) for row in draft.setting_rows]
    for rule, places in rows:
        unknown = sorted(place for place in places or () if not is_municipality(place))
        if unknown:
            yield _at(draft, "place_unknown", rule, "places", names=", ".join(unknown))


def _beyond_the_city(draft: Tariff, published: Tariff | None, city: str) -> Iterator[Finding]:
    """A municipality's draft may add and change rows of its own city, of the kinds that are a city's."""
    before = {row["id"]: row for row in published.document["rows"]} if published else {}
    after = {row["id"]: row for row in draft.document["rows"]}
    for row_id in sorted(before.keys() | after.keys()):
        if before.get(row_id) == after.get(row_id):
            continue
        for row in (before.get(row_id), after.get(row_id)):
            if row is None:
                continue
            if row.get("places") != [city]:
                yield _at(draft, "foreign_place", row_id, "places", names=str(row.get("places")))
            elif RowKind(row["kind"]) not in CITY_KINDS:
                yield _at(draft, "kind_national", row_id, "kind", kind=row["kind"])
            else:
                for member in sorted(NATIONAL_SETTINGS & set(row)):
                    yield _at(draft, "setting_national", row_id, member, names=", ".join(sorted(CITY_SETTINGS)))
    for name in ("catalogue", "adjustments"):
        if draft.document.get(name, []) != (published.document.get(name, []) if published else []):
            yield _at(draft, "foreign_place", name, names=name)


# -- gaps --------------------------------------------------------------------------------------------


def _gaps_in_years(draft: Tariff) -> Iterator[Finding]:
    for name in VehicleClass:
        years = draft.principal_years(name)
        if not years:
            continue
        missing = sorted(set(range(years[0], years[-1] + 1)) - set(years))
        if missing:
            last = next(
                row.source.rule
                for row in _scoped(draft, RowKind.PRINCIPAL)
                if row.scope.duty_years[1] == missing[0] - 1
                and (not row.scope.classes or name in row.scope.classes)
            )
            yield _at(draft, "gap_in_years", last, "duty_years", name=name.value, years=_years(missing))


def _gaps_in_bands(draft: Tariff) -> Iterator[Finding]:
    """A class that has a principal for some vehicles of a year and none for others, nationally."""
    for name in VehicleClass:
        holes: dict[str, list[int]] = defaultdict(list)
        near: dict[str, str] = {}
        for year in draft.principal_years(name):
            rows = draft.year_rows("", year, name).principal
            scopes = [row.scope for row in rows.rows]
            for cell in cells(name, year, scopes):
                if rows.first_for(cell.vehicle, cell.path) is None:
                    holes[cell.words].append(year)
                    near.setdefault(cell.words, rows.rows[0].source.rule)
        for words, years in holes.items():
            yield _at(draft, "gap_in_bands", near[words], "", name=name.value, years=_years(years), facts=words)


def _years(years: Sequence[int]) -> str:
    """`1395-1397, 1400`: runs of years."""
    runs: list[list[int]] = []
    for year in sorted(years):
        if runs and runs[-1][1] == year - 1:
            runs[-1][1] = year
        else:
            runs.append([year, year])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


# -- rows that are never applied -----------------------------------------------------------------------


def _unreachable(draft: Tariff) -> Iterator[Finding]:
    principals = [row.scope for row in _scoped(draft, RowKind.PRINCIPAL)]
    for row in _scoped(draft):
        scope, rule = row.scope, row.source.rule
        if scope.model_years is not None and scope.model_years[0] > scope.duty_years[1]:
            yield _at(draft, "unreachable_model_years", rule, "model_years")
    for row in _scoped(draft, RowKind.SURCHARGE, RowKind.POLLUTION, RowKind.BASE_PRICE):
        if not any(row.scope.meets(principal) for principal in principals):
            yield _at(draft, "unreachable_no_principal", row.source.rule, "duty_years")
    for row in _scoped(draft, RowKind.SURCHARGE):
        if row.scope.fuels is not None and row.scope.fuels <= row.excepted_fuels:
            yield _at(draft, "unreachable_excepted", row.source.rule, "excepted_fuels")
    yield from _unreachable_reliefs(draft)
    for kind in (RowKind.PRINCIPAL, RowKind.BASE_PRICE, RowKind.SURCHARGE, RowKind.POLLUTION):
        yield from _behind(draft, list(_scoped(draft, kind)))


_RELIEVED: Final = {
    LineKind.PRINCIPAL.value: RowKind.PRINCIPAL,
    LineKind.SURCHARGE.value: RowKind.SURCHARGE,
    LineKind.POLLUTION.value: RowKind.POLLUTION,
    LineKind.PENALTY.value: RowKind.PRINCIPAL,
    TOTAL: RowKind.PRINCIPAL,
}


def _unreachable_reliefs(draft: Tariff) -> Iterator[Finding]:
    for row in _scoped(draft, RowKind.EXEMPTION, RowKind.DISCOUNT):
        names = ", ".join(sorted(row.of))
        arises = any(row.scope.meets(other.scope) for of in row.of for other in _scoped(draft, _RELIEVED[of]))
        first_charged = row.scope.duty_years[0] + (1 if row.of == {LineKind.PENALTY.value} else 0)
        over_before = to_jalali(row.as_of[1]).year < first_charged
        if not arises or over_before:
            yield _at(
                draft,
                "unreachable_relief",
                row.source.rule,
                "of" if not arises else "as_of_to_jalali",
                names=names,
            )


def _behind(draft: Tariff, rows: Sequence[Any]) -> Iterator[Finding]:
    """A row for a node every part of which is taken by rows that go before it, at the node or below.

    A row for no node is never behind: some vehicle stands outside the catalogue.
    """
    near: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        for node in ancestry(row.scope.node) if row.scope.node else ():
            near[node].append(row)
    for row in rows:
        before = [
            other
            for other in near.get(row.scope.node or "", ())
            if other.scope.precedence < row.scope.precedence
            and other.scope.covers(_beside(row.scope, other.scope))
        ]
        if before and _taken_wholly(row.scope, [other.scope for other in before], draft):
            names = ", ".join(sorted(other.source.rule for other in before))
            yield _at(draft, "unreachable_behind", row.source.rule, "", names=names)


def _beside(scope: Scope, other: Scope) -> Scope:
    """`scope` as it meets `other`: with the other's node and places, to ask whether the rest is covered."""
    return Scope(
        duty_years=scope.duty_years,
        places=scope.places if scope.places is not None else other.places,
        classes=scope.classes,
        origins=scope.origins,
        fuels=scope.fuels,
        plate_kinds=scope.plate_kinds,
        model_years=scope.model_years,
        cylinders=scope.cylinders,
        displacement_cc=scope.displacement_cc,
        node=other.node if scope.node is None or _below(other.node, scope.node) else scope.node,
    )


def _below(node: str | None, above: str) -> bool:
    return node is not None and node.startswith(f"{above}.")


def _taken_wholly(scope: Scope, before: Sequence[Scope], draft: Tariff) -> bool:
    """Whether the rows before take the whole node: each leaf below it, or the node itself."""
    if scope.places is None and all(other.places is not None for other in before):
        return False  # cities without a row of their own remain
    if any(other.node == scope.node for other in before):
        return True
    children = {node for node in draft.catalogue.nodes if _below(node, scope.node or "")}
    leaves = {node for node in children if not any(_below(other, node) for other in children)}
    if not leaves or any(node not in leaves for node in draft.catalogue.held & (children | {scope.node or ""})):
        return False  # vehicles that stand at a node between remain
    return all(any(leaf == other.node or _below(leaf, other.node or "") for other in before) for leaf in leaves)


# -- bands -----------------------------------------------------------------------------------------------


def _falling_bands(draft: Tariff) -> Iterator[Finding]:
    """Of rows that differ in one band alone, the higher band gives no less, unless the row says so."""
    may_fall = {row["id"] for row in draft.document["rows"] if row.get("band_may_fall")}
    for kind in (RowKind.PRINCIPAL, RowKind.POLLUTION, RowKind.BASE_PRICE):
        for band in ("cylinders", "displacement_cc"):
            alike: dict[Any, list[Any]] = defaultdict(list)
            for row in draft.scoped.get(kind, ()):
                if getattr(row.scope, band) is not None:
                    alike[_without(row.scope, band), _unit(row)].append(row)
            for rows in alike.values():
                rows.sort(key=lambda row: getattr(row.scope, band))
                for lower, higher in pairwise(rows):
                    if _value(higher) < _value(lower) and higher.source.rule not in may_fall:
                        low, high = getattr(higher.scope, band)
                        yield _at(
                            draft, "bands_fall", higher.source.rule, band, band=f"{band} {low}-{high}",
                            mine=_value(higher), theirs=_value(lower), other=lower.source.rule,
                        )  # fmt: skip


def _without(scope: Scope, band: str) -> tuple[Any, ...]:
    return tuple(getattr(scope, name) for name in Scope.__slots__ if name != band)


def _unit(row: Any) -> str:
    return "flat" if isinstance(row, ShareRow) and row.flat_rial is not None else "rate"


def _value(row: Any) -> int:
    if isinstance(row, ShareRow):
        return row.flat_rial if row.flat_rial is not None else row.rate_ppm or 0
    return int(row.base_price_rial)


# -- what was published ------------------------------------------------------------------------------------


def _retroactive(draft: Tariff, published: Tariff, as_of: date) -> Iterator[Finding]:
    excused = {
        year
        for adjustment in draft.adjustments
        if adjustment not in published.adjustments
        for year in range(adjustment.duty_years[0], adjustment.duty_years[1] + 1)
    }
    changed = changed_years(draft, published, to_jalali(as_of).year)
    for row_id, years in changed.items():
        told = [year for year in years if year not in excused]
        if told:
            yield _at(draft, "retroactive", row_id, "duty_years", years=_years(told))
    if not excused:
        for row_id in changed_days(draft, published, as_of):
            yield _at(draft, "retroactive_days", row_id, "", day=to_jalali(as_of))
    every = {year for years in changed.values() for year in years}
    for adjustment in draft.adjustments:
        if adjustment in published.adjustments:
            continue
        first, last = adjustment.duty_years
        if not any(first <= year <= last for year in every) and not changed_days(draft, published, as_of):
            yield _at(draft, "adjustment_idle", adjustment.source.rule, "duty_years", years=f"{first}-{last}")
