"""The table of a city's receivables: one row for each duty year and class, its totals, its ageing. Pure.

Every amount is a whole number of rial. `owed` is by its definition `collected` and `open` together, so the columns
always add up: what came of a year, and what the city's quotes of this day still ask for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from avarez.csv_lines import BYTE_ORDER_MARK, csv_line
from avarez.events.chain import GENESIS
from avarez.jalali import format_jalali, to_jalali
from avarez.money import format_rial, parse_rial

if TYPE_CHECKING:  # whoever reads a table makes no assessment
    from avarez.assessment.trace import Assessment

SCHEMA: Final = 1
AGES: Final = ((0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 9), (10, 299))
"""Bands of lateness in years, both ends included: 0 is the year that runs, 1 the one before it, and so on."""
COLUMNS: Final = (
    "municipality",
    "as_of",
    "duty_year",
    "vehicle_class",
    "owed_rial",
    "collected_rial",
    "open_rial",
    "open_base_rial",
    "open_penalty_rial",
    "open_rounding_rial",
    "duties_open",
    "duties_paid",
)


class TableUnsound(ValueError):
    """A stored table that is none of ours, or whose totals are not those of its rows."""


@dataclass(slots=True)
class Row:
    """A duty year of a class. `duties` are vehicles, since a vehicle has one duty in a year.

    `base` is what is owed before penalty and rounding. A quote's rounding goes with its newest open year, and so
    counts once. `collected_rial` is what the chain says came to the city, less what went back.
    """

    collected_rial: int = 0
    base_rial: int = 0
    penalty_rial: int = 0
    rounding_rial: int = 0
    duties_open: int = 0
    duties_paid: int = 0

    @property
    def open_rial(self) -> int:
        """What quotes of this day ask for."""
        return self.base_rial + self.penalty_rial + self.rounding_rial

    @property
    def owed_rial(self) -> int:
        """What came and what is still to come."""
        return self.collected_rial + self.open_rial

    def take(self, other: Row) -> None:
        """Both become one."""
        for name in self.__dataclass_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def to_json(self) -> dict[str, Any]:
        """The form in answers."""
        return {
            "owed_rial": format_rial(self.owed_rial),
            "collected_rial": format_rial(self.collected_rial),
            "open_rial": format_rial(self.open_rial),
            "open_base_rial": format_rial(self.base_rial),
            "open_penalty_rial": format_rial(self.penalty_rial),
            "open_rounding_rial": format_rial(self.rounding_rial),
            "duties_open": self.duties_open,
            "duties_paid": self.duties_paid,
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Row:
        """The row that `to_json` wrote."""
        return cls(
            collected_rial=parse_rial(told["collected_rial"]),
            base_rial=parse_rial(told["open_base_rial"]),
            penalty_rial=parse_rial(told["open_penalty_rial"]),
            rounding_rial=parse_rial(told["open_rounding_rial"]),
            duties_open=int(told["duties_open"]),
            duties_paid=int(told["duties_paid"]),
        )


@dataclass(frozen=True, slots=True)
class Commitment:
    """What a table was computed from: the roll's versions, the tariff, the chain up to an event, the day."""

    roll_versions: tuple[int, ...] = ()
    tariff_version: str = ""
    sequence: int = 0
    hash: str = GENESIS
    as_of: date = date.min

    def to_json(self) -> dict[str, Any]:
        return {
            "roll_versions": list(self.roll_versions),
            "tariff_version": self.tariff_version,
            "sequence": self.sequence,
            "hash": self.hash,
            "as_of": self.as_of.isoformat(),
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Commitment:
        return cls(
            tuple(int(version) for version in told["roll_versions"]),
            str(told["tariff_version"]),
            int(told["sequence"]),
            str(told["hash"]),
            date.fromisoformat(told["as_of"]),
        )


@dataclass(slots=True)
class Receivables:
    """A city's table. `oldest` counts its vehicles by the oldest year that they owe.

    `vehicles` are those of the roll that were looked at, `one_by_one` the ones among them whose quote was made by
    itself, because a roll does not tell all of them; `not_assessed` those for which the tariff has no rate, so
    that nobody can say what they owe; `as_rolled` those that should have been looked at by themselves and were too
    many. `charged` is what the roll's vehicles are charged for a year by the tariff, paid or not: rial before
    penalty and rounding, and vehicles.
    """

    municipality: str
    commitment: Commitment
    rows: dict[tuple[int, str], Row] = field(default_factory=dict)
    oldest: dict[int, int] = field(default_factory=dict)
    vehicles: int = 0
    one_by_one: int = 0
    not_assessed: int = 0
    as_rolled: int = 0
    charged: dict[tuple[int, str], tuple[int, int]] = field(default_factory=dict)

    def charge(self, year: int, vehicle_class: str, rial: int, vehicles: int) -> None:
        """Adds what some vehicles are charged for a year."""
        before_rial, before = self.charged.get((year, vehicle_class), (0, 0))
        self.charged[year, vehicle_class] = before_rial + rial, before + vehicles

    def row(self, year: int, vehicle_class: str) -> Row:
        """The row, made where there is none."""
        return self.rows.setdefault((year, vehicle_class), Row())

    def add_assessment(self, assessment: Assessment) -> None:
        """Takes in one vehicle's quote, to the rial."""
        from avarez.assessment.texts import LineKind

        self.vehicles += 1
        self.one_by_one += 1
        vehicle_class = assessment.vehicle.vehicle_class.value
        penalties: dict[int, int] = {}
        for line in assessment.lines:
            if line.kind is LineKind.PENALTY and line.year is not None:
                penalties[line.year] = penalties.get(line.year, 0) + line.amount_rial
        owed = [total for total in assessment.years if not total.paid and total.amount_rial != 0]
        for total in assessment.years:
            if total.paid:
                self.row(total.year, vehicle_class).duties_paid += 1
        for total in owed:
            row = self.row(total.year, vehicle_class)
            penalty_rial = penalties.get(total.year, 0)
            row.penalty_rial += penalty_rial
            row.base_rial += total.amount_rial - penalty_rial
            row.duties_open += 1
        if owed:
            self.row(owed[-1].year, vehicle_class).rounding_rial += assessment.rounding_rial
            self.oldest[owed[0].year] = self.oldest.get(owed[0].year, 0) + 1

    def total(self, rows: Iterable[Row] | None = None) -> Row:
        """All rows, or these, as one."""
        whole = Row()
        for row in self.rows.values() if rows is None else rows:
            whole.take(row)
        return whole

    @property
    def year(self) -> int:
        """The Jalali year of the day: duties of it are not late."""
        return to_jalali(self.commitment.as_of).year

    def ageing(self) -> list[dict[str, Any]]:
        """What is open by lateness; `vehicles` by the oldest year that they owe, so each counts once."""
        bands = []
        for low, high in AGES:
            years = range(self.year - high, self.year - low + 1)
            whole = self.total(row for (year, _), row in self.rows.items() if year in years)
            bands.append(
                {
                    "late_years": f"{low}"
                    if low == high
                    else f"{low}+"
                    if high == AGES[-1][1]
                    else f"{low}-{high}",
                    "open_rial": format_rial(whole.open_rial),
                    "open_penalty_rial": format_rial(whole.penalty_rial),
                    "duties_open": whole.duties_open,
                    "vehicles": sum(count for year, count in self.oldest.items() if year in years),
                }
            )
        return bands

    def to_json(self) -> dict[str, Any]:
        """The form in answers and in the kept file; rows by year and class."""
        return {
            "schema": SCHEMA,
            "municipality": self.municipality,
            "as_of_jalali": format_jalali(self.commitment.as_of),
            "commitment": self.commitment.to_json(),
            "totals": {**self.total().to_json(), "vehicles_owing": sum(self.oldest.values())},
            "rows": [
                {"duty_year": year, "vehicle_class": name, **row.to_json()}
                for (year, name), row in sorted(self.rows.items())
            ],
            "ageing": self.ageing(),
            "oldest": [[year, count] for year, count in sorted(self.oldest.items())],
            "vehicles": self.vehicles,
            "one_by_one": self.one_by_one,
            "not_assessed": self.not_assessed,
            "as_rolled": self.as_rolled,
            **({"charged": self._charged_told()} if self.charged else {}),
        }

    def _charged_told(self) -> list[dict[str, Any]]:
        return [
            {"duty_year": year, "vehicle_class": name, "charged_rial": format_rial(rial), "vehicles": vehicles}
            for (year, name), (rial, vehicles) in sorted(self.charged.items())
        ]

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Receivables:
        """The table that `to_json` wrote.

        Raises:
            TableUnsound: another schema, or sums that are not those of the rows.
        """
        try:
            table = cls(
                municipality=str(told["municipality"]),
                commitment=Commitment.from_json(told["commitment"]),
                rows={(int(r["duty_year"]), str(r["vehicle_class"])): Row.from_json(r) for r in told["rows"]},
                oldest={int(year): int(count) for year, count in told["oldest"]},
                vehicles=int(told["vehicles"]),
                one_by_one=int(told["one_by_one"]),
                not_assessed=int(told["not_assessed"]),
                as_rolled=int(told["as_rolled"]),
                charged={
                    (int(of["duty_year"]), str(of["vehicle_class"])): (
                        parse_rial(of["charged_rial"]),
                        int(of["vehicles"]),
                    )
                    for of in told.get("charged", ())
                },
            )
            sound = table.to_json() == told
        except (KeyError, TypeError, ValueError) as error:
            raise TableUnsound("a table that cannot be read") from error
        if not sound:
            raise TableUnsound("a table whose sums are not those of its rows")
        return table

    def csv(self) -> str:
        """The rows for a spreadsheet: UTF-8 with its mark, amounts as numbers."""
        lines = [csv_line(COLUMNS)]
        for (year, name), row in sorted(self.rows.items()):
            cells: list[str | int] = [self.municipality, self.commitment.as_of.isoformat(), year, name]
            cells += [row.owed_rial, row.collected_rial, row.open_rial]
            cells += [row.base_rial, row.penalty_rial, row.rounding_rial, row.duties_open, row.duties_paid]
            lines.append(csv_line(cells))
        return BYTE_ORDER_MARK + "".join(lines)
