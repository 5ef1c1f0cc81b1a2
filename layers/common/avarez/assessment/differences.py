"""Why one amount differs from another: the change put down to price, rate, age, penalty, exemption and so on.

One thing is changed at a time, in a fixed order, by the rules themselves, so that the parts sum to the difference
exactly: first the price, then the rate, then the part of a first year, then the age; reliefs and penalty are taken
as they stand. What a new price does to the surcharge is put down to the price.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from avarez.assessment.rules import flat_rial, principal_rial, surcharge_rial
from avarez.assessment.texts import KIND_EN, KIND_FA, LineKind, rate_en, rate_fa
from avarez.assessment.trace import Line
from avarez.digits import grouped_en, grouped_fa, persian_digits
from avarez.jalali import MONTHS_IN_YEAR
from avarez.money import format_rial


class Cause(StrEnum):
    """What a part of a difference is put down to."""

    PRICE = "price"
    RATE = "rate"
    FIRST_YEAR = "first_year"
    AGE = "age"
    POLLUTION = "pollution"
    EXEMPTION = "exemption"
    DISCOUNT = "discount"
    PENALTY = "penalty"
    CREDIT = "credit"
    ADJUSTMENT = "adjustment"
    PAID = "paid"
    ROUNDING = "rounding"
    YEARS_ADDED = "years_added"
    YEARS_GONE = "years_gone"


_BY_KIND: Final[Mapping[LineKind, Cause]] = {
    LineKind.EXEMPTION: Cause.EXEMPTION,
    LineKind.DISCOUNT: Cause.DISCOUNT,
    LineKind.PENALTY: Cause.PENALTY,
    LineKind.CREDIT: Cause.CREDIT,
    LineKind.ADJUSTMENT: Cause.ADJUSTMENT,
    LineKind.PAID: Cause.PAID,
    LineKind.ROUNDING: Cause.ROUNDING,
}
"""Lines whose whole change is one cause."""
_NAMES_FA: Final[Mapping[Cause, str]] = {
    Cause.PRICE: "قیمت مبنا",
    Cause.RATE: "نرخ",
    Cause.FIRST_YEAR: "بخشی از سال نخست",
    Cause.AGE: "افزایش سنواتی",
    Cause.YEARS_ADDED: "سال‌های تازه",
    Cause.YEARS_GONE: "سال‌هایی که دیگر حساب نمی‌شوند",
}
_NAMES_EN: Final[Mapping[Cause, str]] = {
    Cause.PRICE: "base price",
    Cause.RATE: "rate",
    Cause.FIRST_YEAR: "part of the first year",
    Cause.AGE: "surcharge for age",
    Cause.YEARS_ADDED: "years added",
    Cause.YEARS_GONE: "years no longer charged",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One part of a difference, with what it was before and is after, ready to be said."""

    cause: Cause
    amount_rial: int
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text_en(self) -> str:
        """The cause, what changed, and by how much."""
        return f"{_name_en(self.cause)}{_span(self, _value_en)}: {grouped_en(self.amount_rial)} rial"

    @property
    def text_fa(self) -> str:
        """The same in Persian."""
        return f"{_name_fa(self.cause)}{_span(self, _value_fa)}: {grouped_fa(self.amount_rial)} ریال"

    def to_json(self) -> dict[str, Any]:
        """The form in answers."""
        return {
            "cause": self.cause.value,
            "amount_rial": format_rial(self.amount_rial),
            "before": dict(self.before),
            "after": dict(self.after),
            "text_fa": self.text_fa,
            "text_en": self.text_en,
        }


def _name_en(cause: Cause) -> str:
    return _NAMES_EN.get(cause) or KIND_EN[LineKind(cause.value)]


def _name_fa(cause: Cause) -> str:
    return _NAMES_FA.get(cause) or KIND_FA[LineKind(cause.value)]


def _span(change: Change, value: Any) -> str:
    if not change.before and not change.after:
        return ""
    return f" {value(change.before)} → {value(change.after)}"


def _value_en(facts: Mapping[str, Any]) -> str:
    said = []
    if "base_price_rial" in facts:
        said.append(grouped_en(int(facts["base_price_rial"])))
    if "flat_rial" in facts:
        said.append(f"{grouped_en(int(facts['flat_rial']))} rial")
    if "rate_ppm" in facts:
        said.append(rate_en(int(facts["rate_ppm"])))
    said += [f"{facts[name]} {unit}" for name, unit in (("percent", "%"), ("months", "months")) if name in facts]
    if "years" in facts:
        said.append(", ".join(map(str, facts["years"])))
    return " ".join(said) or "0"


def _value_fa(facts: Mapping[str, Any]) -> str:
    said = []
    if "base_price_rial" in facts:
        said.append(grouped_fa(int(facts["base_price_rial"])))
    if "flat_rial" in facts:
        said.append(f"{grouped_fa(int(facts['flat_rial']))} ریال")
    if "rate_ppm" in facts:
        said.append(rate_fa(int(facts["rate_ppm"])))
    said += [
        f"{persian_digits(facts[name])} {unit}" for name, unit in (("percent", "درصد"), ("months", "ماه"))
        if name in facts
    ]  # fmt: skip
    if "years" in facts:
        said.append("، ".join(persian_digits(year) for year in facts["years"]))
    return " ".join(said) or "۰"


@dataclass(frozen=True, slots=True)
class _Share:
    """The numbers behind a principal or a pollution line."""

    price: int | None
    rate_ppm: int | None
    flat: int | None
    months: int

    @classmethod
    def of(cls, line: Line | None) -> _Share:
        if line is None:
            return cls(None, None, None, MONTHS_IN_YEAR)
        inputs = line.inputs
        return cls(
            price=int(inputs["base_price_rial"]) if "base_price_rial" in inputs else None,
            rate_ppm=inputs.get("rate_ppm"),
            flat=int(inputs["flat_rial"]) if "flat_rial" in inputs else None,
            months=int(inputs.get("months_charged", MONTHS_IN_YEAR)),
        )

    def amount(self) -> int:
        if self.flat is not None:
            return flat_rial(self.flat, self.months)
        if self.price is None or self.rate_ppm is None:
            return 0
        return principal_rial(self.price, self.rate_ppm, self.months)

    def rate(self) -> dict[str, Any]:
        if self.flat is not None:
            return {"flat_rial": str(self.flat)}
        return {} if self.rate_ppm is None else {"rate_ppm": self.rate_ppm}

    def toward(self, other: _Share) -> list[tuple[Cause, _Share]]:
        """One thing changed after another until it is `other`."""
        price = other.price if self.price is not None and other.price is not None else self.price
        at_price = _Share(price, self.rate_ppm, self.flat, self.months)
        at_rate = _Share(other.price, other.rate_ppm, other.flat, self.months)
        return [(Cause.PRICE, at_price), (Cause.RATE, at_rate), (Cause.FIRST_YEAR, other)]


def year_changes(before: Sequence[Line], after: Sequence[Line]) -> tuple[Change, ...]:
    """Why the lines of one year sum to something else than those of another; the parts sum to the difference.

    The two may be different duty years, or the same year on another day or under another tariff.
    """
    principals = _Share.of(_one(before, LineKind.PRINCIPAL)), _Share.of(_one(after, LineKind.PRINCIPAL))
    smoke = _Share.of(_one(before, LineKind.POLLUTION)), _Share.of(_one(after, LineKind.POLLUTION))
    percents = _percent(before), _percent(after)
    amounts: dict[Cause, int] = dict.fromkeys(Cause, 0)

    def with_surcharge(share: _Share, percent: int) -> int:
        amount = share.amount()
        return amount + surcharge_rial(amount, percent)

    reached = with_surcharge(principals[0], percents[0])
    for cause, share in principals[0].toward(principals[1]):
        then = with_surcharge(share, percents[0])
        amounts[cause] += then - reached
        reached = then
    amounts[Cause.AGE] = with_surcharge(principals[1], percents[1]) - reached
    at_price = smoke[0].toward(smoke[1])[0][1].amount()
    amounts[Cause.PRICE] += at_price - smoke[0].amount()
    amounts[Cause.POLLUTION] = smoke[1].amount() - at_price
    for sign, lines in ((-1, before), (1, after)):
        for line in lines:
            if line.kind in _BY_KIND:
                amounts[_BY_KIND[line.kind]] += sign * line.amount_rial
    facts: dict[Cause, tuple[dict[str, Any], dict[str, Any]]] = {
        Cause.PRICE: (_price(principals[0]), _price(principals[1])),
        Cause.RATE: (principals[0].rate(), principals[1].rate()),
        Cause.FIRST_YEAR: ({"months": principals[0].months}, {"months": principals[1].months}),
        Cause.AGE: ({"percent": percents[0]}, {"percent": percents[1]}),
        Cause.POLLUTION: (smoke[0].rate(), smoke[1].rate()),
        Cause.PENALTY: (_months(before), _months(after)),
    }
    return tuple(
        Change(cause, amount, *facts.get(cause, ({}, {}))) for cause, amount in amounts.items() if amount != 0
    )


def changes_between(before: Sequence[Line], after: Sequence[Line]) -> tuple[Change, ...]:
    """Why the lines of two assessments sum to different amounts, cause by cause; the parts sum to the difference.

    Years in both are compared year by year; the others are added or gone as a whole.
    """
    first, second = _by_year(before), _by_year(after)
    amounts: dict[Cause, int] = dict.fromkeys(Cause, 0)
    for year in sorted(first.keys() & second.keys()):
        for change in year_changes(first[year], second[year]):
            amounts[change.cause] += change.amount_rial
    added = {year: _sum(second[year]) for year in sorted(second.keys() - first.keys())}
    gone = {year: _sum(first[year]) for year in sorted(first.keys() - second.keys())}
    amounts[Cause.YEARS_ADDED] = sum(added.values())
    amounts[Cause.YEARS_GONE] = -sum(gone.values())
    amounts[Cause.ROUNDING] += _sum(_of_no_year(after)) - _sum(_of_no_year(before))
    facts = {
        Cause.YEARS_ADDED: ({}, {"years": list(added)}),
        Cause.YEARS_GONE: ({"years": list(gone)}, {}),
    }
    return tuple(
        Change(cause, amount, *facts.get(cause, ({}, {}))) for cause, amount in amounts.items() if amount != 0
    )


@dataclass(frozen=True, slots=True)
class YearComparison:
    """What a duty year cost beside the one before it, as assessed: payments and their adjustments left out."""

    year: int
    before_rial: int
    after_rial: int
    changes: tuple[Change, ...]

    def to_json(self) -> dict[str, Any]:
        """The form in answers."""
        return {
            "year": self.year,
            "previous_year": self.year - 1,
            "before_rial": format_rial(self.before_rial),
            "after_rial": format_rial(self.after_rial),
            "difference_rial": format_rial(self.after_rial - self.before_rial),
            "changes": [change.to_json() for change in self.changes],
        }


def year_comparisons(lines: Iterable[Line]) -> tuple[YearComparison, ...]:
    """For each duty year of an assessment whose previous year is in it too: why it costs more, or less."""
    cost = _by_year(line for line in lines if line.kind not in (LineKind.PAID, LineKind.ADJUSTMENT))
    return tuple(
        YearComparison(
            year, _sum(cost[year - 1]), _sum(cost[year]), year_changes(cost[year - 1], cost[year])
        )
        for year in sorted(cost)
        if year - 1 in cost
    )  # fmt: skip


def _by_year(lines: Iterable[Line]) -> dict[int, list[Line]]:
    found: dict[int, list[Line]] = {}
    for line in lines:
        if line.year is not None:
            found.setdefault(line.year, []).append(line)
    return found


def _of_no_year(lines: Iterable[Line]) -> list[Line]:
    """The quote's rounding, which belongs to no year."""
    return [line for line in lines if line.year is None]


def _one(lines: Iterable[Line], kind: LineKind) -> Line | None:
    return next((line for line in lines if line.kind is kind), None)


def _sum(lines: Iterable[Line]) -> int:
    return sum(line.amount_rial for line in lines)


def _percent(lines: Iterable[Line]) -> int:
    line = _one(lines, LineKind.SURCHARGE)
    return 0 if line is None else int(line.inputs["percent"])


def _months(lines: Iterable[Line]) -> dict[str, Any]:
    line = _one(lines, LineKind.PENALTY)
    return {} if line is None else {"months": line.inputs["months"]}


def _price(share: _Share) -> dict[str, Any]:
    return {} if share.price is None else {"base_price_rial": str(share.price)}
