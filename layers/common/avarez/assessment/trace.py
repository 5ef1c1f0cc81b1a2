"""The lines of an assessment, its totals, and the hash that ties a certificate to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, Final

from avarez.assessment.model import Agreement, PaidYear, PenaltyPause, Residence, Vehicle
from avarez.assessment.texts import (
    LineKind,
    NoteCode,
    line_text_en,
    line_text_fa,
    note_text_en,
    note_text_fa,
)
from avarez.canonical import content_hash
from avarez.jalali import format_jalali
from avarez.money import format_rial

TRACE_SCHEMA: Final = 1
"""Grows when the hashed form changes its shape; old hashes stay checkable by the number in them."""


@dataclass(slots=True)
class Line:
    """One amount and how it arose. `year` is None for the quote's rounding, which belongs to no year.

    `rule` names the rows of the tariff that were applied, `inputs` the numbers that went in: integers where
    they count something, decimal strings for rial, as the public JSON has them. The texts follow from these.
    Nothing changes a line once it is made; it is not frozen only because a pass over a roll makes tens of
    millions, and a frozen dataclass takes four times as long to make.
    """

    year: int | None
    kind: LineKind
    amount_rial: int
    rule: str
    law: str
    inputs: Mapping[str, Any]
    law_fa: str = field(default="", compare=False)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Line:
        """The line that `to_json` wrote."""
        return cls(
            stored["year"],
            LineKind(stored["kind"]),
            int(stored["amount_rial"]),
            stored["rule"],
            stored["law"],
            stored["inputs"],
            stored.get("law_fa", ""),
        )

    @property
    def text_en(self) -> str:
        """What the line is, its arithmetic and its law, in English."""
        return line_text_en(self.kind, self.year, self.amount_rial, self.law, self.inputs)

    @property
    def text_fa(self) -> str:
        """What the line is, its arithmetic and its law, in Persian."""
        return line_text_fa(self.kind, self.year, self.amount_rial, self.law_fa, self.inputs)

    def evidence(self) -> dict[str, Any]:
        """The line without its texts: what the trace's hash covers."""
        return {
            "year": self.year,
            "kind": self.kind.value,
            "amount_rial": format_rial(self.amount_rial),
            "rule": self.rule,
            "law": self.law,
            "inputs": dict(self.inputs),
        }

    def to_json(self) -> dict[str, Any]:
        """The contract's form of a line."""
        return {**self.evidence(), "law_fa": self.law_fa, "text_fa": self.text_fa, "text_en": self.text_en}


@dataclass(frozen=True, slots=True)
class YearTotal:
    """What one assessed duty year comes to before rounding: 0 for a paid one."""

    year: int
    amount_rial: int
    paid: bool

    def to_json(self) -> dict[str, Any]:
        """The form in answers."""
        return {"year": self.year, "amount_rial": format_rial(self.amount_rial), "paid": self.paid}


@dataclass(frozen=True, slots=True)
class Note:
    """Something that a reader of the trace must know although it is no amount."""

    code: NoteCode
    years: tuple[int, ...]
    place: str

    def to_json(self) -> dict[str, Any]:
        """The form in answers."""
        return {
            "code": self.code.value,
            "years": list(self.years),
            "text_fa": note_text_fa(self.code, self.years, self.place),
            "text_en": note_text_en(self.code, self.years, self.place),
        }


@dataclass(frozen=True)
class Assessment:
    """What is owed for one vehicle to one city on one day, and why. The lines sum to `owed_rial`.

    `years` holds each assessed year in order. `not_assessed_before` is the first duty year of the city where
    the vehicle's duty began earlier, else None: those years have no line and are named on certificates.
    `elsewhere` holds years that another city charges, by residence. `tariff_version` is the tariff's hash.
    `residences`, `payments`, `pauses` and `agreements` are what was known of them, so that the answer can be
    replayed. `by_instalments` holds the years that are being paid in parts: they have no lines and are not paid.
    """

    municipality: str
    as_of: date
    through_year: int
    tariff_version: str
    vehicle: Vehicle
    lines: tuple[Line, ...]
    years: tuple[YearTotal, ...]
    owed_rial: int
    rounding_rial: int
    not_assessed_before: int | None
    elsewhere: tuple[tuple[int, str], ...]
    residence_disputed: bool
    notes: tuple[Note, ...]
    residences: tuple[Residence, ...] = ()
    payments: tuple[PaidYear, ...] = ()
    pauses: tuple[PenaltyPause, ...] = ()
    agreements: tuple[Agreement, ...] = ()
    by_instalments: tuple[int, ...] = ()

    @property
    def owed_years(self) -> tuple[YearTotal, ...]:
        """The years that a payment would pay: those with an amount above zero."""
        return tuple(total for total in self.years if total.amount_rial > 0)

    @property
    def paid_through_year(self) -> int | None:
        """The last year such that nothing is owed for it or any assessed year before it; None without one."""
        paid_through: int | None = None
        for total in self.years:
            if total.amount_rial > 0 or total.year > min(self.by_instalments, default=total.year):
                break
            paid_through = total.year
        return paid_through

    def trace(self) -> dict[str, Any]:
        """The evidence that the hash covers: facts, day, tariff, lines. Without texts, so that better wording
        changes no hash; all of it stands in the public answer, so that anybody can recompute it."""
        return {
            "schema": TRACE_SCHEMA,
            "municipality": self.municipality,
            "as_of": self.as_of.isoformat(),
            "through_year": self.through_year,
            "tariff_version": self.tariff_version,
            "vehicle": self.vehicle.to_json(),
            "lines": [line.evidence() for line in self.lines],
            "owed_rial": format_rial(self.owed_rial),
            "not_assessed_before": self.not_assessed_before,
        }

    @cached_property
    def trace_hash(self) -> str:
        """Lower-case hex SHA-256 of the RFC 8785 form of `trace()`: the same for the same inputs, for ever."""
        return content_hash(self.trace())

    def to_json(self) -> dict[str, Any]:
        """The contract's answer less what only the caller knows (ids, plate, expiry)."""
        return {
            "municipality": self.municipality,
            "as_of": self.as_of.isoformat(),
            "as_of_jalali": format_jalali(self.as_of),
            "through_year": self.through_year,
            "tariff_version": self.tariff_version,
            "vehicle": self.vehicle.to_json(),
            "lines": [line.to_json() for line in self.lines],
            "years": [total.to_json() for total in self.years],
            "rounding_rial": format_rial(self.rounding_rial),
            "owed_rial": format_rial(self.owed_rial),
            "not_assessed_before": self.not_assessed_before,
            "elsewhere": [{"year": year, "municipality": city} for year, city in self.elsewhere],
            "residence_disputed": self.residence_disputed,
            "notes": [note.to_json() for note in self.notes],
            "inputs": _inputs_json(self.residences, self.payments, self.pauses) | _agreed(self.agreements),
            **({"by_instalments": list(self.by_instalments)} if self.by_instalments else {}),
            "trace_hash": self.trace_hash,
        }


def _inputs_json(
    residences: Sequence[Residence], payments: Sequence[PaidYear], pauses: Sequence[PenaltyPause]
) -> dict[str, Any]:
    """What an assessment rests on besides the vehicle and the tariff, as it stands in the answer."""
    return {
        "residences": [
            {"municipality": r.municipality, "from_jalali": _said(r.since), "to_jalali": _said(r.until)}
            for r in sorted(residences, key=lambda r: (r.since or date.min, r.municipality, r.until or date.max))
        ],
        "payments": [
            {
                "year": p.year,
                "amount_rial": format_rial(p.amount_rial),
                "paid_on_jalali": format_jalali(p.paid_on),
                "payment_id": p.payment_id,
                "municipality": p.municipality,
            }
            for p in payments
        ],
        "penalty_pauses": [
            {
                "from_jalali": format_jalali(p.since),
                "to_jalali": _said(p.until),
                "years": None if p.years is None else sorted(p.years),
            }
            for p in pauses
        ],
    }


def _agreed(agreements: Sequence[Agreement]) -> dict[str, Any]:
    """Agreements to pay by instalments, as they stand in the answer; nothing where there is none."""
    if not agreements:
        return {}
    return {
        "agreements": [
            {
                "agreement_id": a.agreement_id,
                "from_jalali": format_jalali(a.since),
                "to_jalali": _said(a.until),
                "years": sorted(a.years),
                "open_years": sorted(a.open_years),
                "credits": [{"year": year, "amount_rial": format_rial(rial)} for year, rial in a.credits],
            }
            for a in agreements
        ]
    }


def _said(day: date | None) -> str | None:
    return None if day is None else format_jalali(day)
