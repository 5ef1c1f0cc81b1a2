"""Agreements to pay a duty in parts: how it is divided, what each part pays, what so many of them pay. Pure.

1. The parts add up to the duty to the rial: equal in whole thousands, and **the first takes what is left over**.
2. Money goes to the oldest year first, and last to the rounding; a part may end one year and begin the next.
3. A year is paid once its last rial is; until then it is bound to the agreement, and nothing else pays it.
4. A part that is late beyond its grace breaks the agreement: what was paid stays paid, the rest is owed again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from avarez.clock import TEHRAN, to_rfc3339
from avarez.jalali import MONTHS_IN_YEAR, JalaliDate, month_length, to_gregorian, to_jalali
from avarez.journal import YearAmount
from avarez.money import PARTS_PER_MILLION
from functions.pay.rules import leases

PART_UNIT_RIAL = 1_000
"""What a bill can take; only the first part may be something else."""
TOLD_WITHIN = timedelta(days=5)
"""A bill that was paid on the last day of grace stands in its bank's file by then."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a city gives on a day: at most so many parts, one each so many months, none below the least."""

    parts_max: int
    every_months: int
    grace_days: int
    least_rial: int
    surcharge_ppm: int


class AgreementStatus(StrEnum):
    """Where an agreement stands."""

    REQUESTED = "requested"
    IN_FORCE = leases.IN_FORCE
    REJECTED = "rejected"
    COMPLETED = "completed"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Part:
    """One part: what it costs without fees, and the Gregorian day on which it is due."""

    number: int
    amount_rial: int
    due_on: date


@dataclass(frozen=True, slots=True)
class Agreement:
    """One agreement. `years` are what each duty year costs under it, its share of the surcharge included.

    `years` + `rounding_rial` = the sum of `parts`. Parts are paid in order: `paid_parts` of them are. `broken_on`
    is the due day that was missed. Every write raises `version` by one.
    """

    agreement_id: str
    assessment_id: str
    municipality: str
    plate: str
    vehicle_id: str
    as_of: date
    years: tuple[YearAmount, ...]
    surcharge_rial: int
    rounding_rial: int
    parts: tuple[Part, ...]
    grace_days: int
    trace_hash: str
    tariff_version: str
    requested_by: str
    office: str
    status: AgreementStatus = AgreementStatus.REQUESTED
    approved_by: str = ""
    paid_parts: int = 0
    broken_on: date | None = None
    version: int = 1
    vehicle_class: str = ""
    rejected_by: str = ""
    rejection_reason: str = ""

    def __post_init__(self) -> None:
        total_rial = sum(part.amount_rial for part in self.years) + self.rounding_rial
        if sum(part.amount_rial for part in self.parts) != total_rial or not self.parts:
            raise ValueError(f"the parts of {self.agreement_id} do not add up to its years")

    @property
    def total_rial(self) -> int:
        return sum(part.amount_rial for part in self.parts)

    @property
    def paid_rial(self) -> int:
        return sum(part.amount_rial for part in self.parts[: self.paid_parts])

    @property
    def next_part(self) -> Part | None:
        """The part that is to be paid next."""
        return self.parts[self.paid_parts] if self.paid_parts < len(self.parts) else None

    def shares(self, number: int) -> tuple[tuple[YearAmount, ...], int]:
        """What the part pays of each duty year, and of the rounding: the oldest year first."""
        before_rial = sum(part.amount_rial for part in self.parts[: number - 1])
        after_rial = before_rial + self.parts[number - 1].amount_rial
        before, after = self._covered(before_rial), self._covered(after_rial)
        years = tuple(
            YearAmount(year, after[year] - before.get(year, 0))
            for year in after
            if after[year] != before.get(year, 0)
        )
        return years, self.parts[number - 1].amount_rial - sum(part.amount_rial for part in years)

    def completes(self, number: int) -> tuple[YearAmount, ...]:
        """The years, with all that they cost, whose last rial comes with this part."""
        before = {part.year for part in self.whole_years(number - 1)}
        return tuple(part for part in self.whole_years(number) if part.year not in before)

    def whole_years(self, paid_parts: int) -> tuple[YearAmount, ...]:
        """The years that so many parts pay whole."""
        covered = self._covered(sum(part.amount_rial for part in self.parts[:paid_parts]))
        return tuple(part for part in self.years if covered.get(part.year) == part.amount_rial)

    @property
    def open_years(self) -> tuple[YearAmount, ...]:
        """The years that are not paid whole yet."""
        whole = {part.year for part in self.whole_years(self.paid_parts)}
        return tuple(part for part in self.years if part.year not in whole)

    @property
    def credits(self) -> tuple[YearAmount, ...]:
        """What stands to the credit of a year that was begun and not paid whole."""
        covered = self._covered(self.paid_rial)
        begun = (YearAmount(part.year, covered.get(part.year, 0)) for part in self.open_years)
        return tuple(part for part in begun if part.amount_rial)

    def _covered(self, paid_rial: int) -> dict[int, int]:
        """What of each year so much money pays."""
        covered: dict[int, int] = {}
        for part in self.years:
            amount_rial = min(part.amount_rial, paid_rial)
            if amount_rial:
                covered[part.year] = amount_rial
            paid_rial -= amount_rial
        return covered

    def last_day(self, part: Part) -> date:
        """The last day on which the part is in time, its grace included."""
        return part.due_on + timedelta(days=self.grace_days)

    @property
    def breaks_on(self) -> date | None:
        """The day on which the agreement is broken if nothing is paid before; None when nothing is to be paid."""
        part = self.next_part
        if self.status is not AgreementStatus.IN_FORCE or part is None:
            return None
        return self.last_day(part) + TOLD_WITHIN + timedelta(days=1)

    @property
    def due_text(self) -> str:
        """When the sweep looks at the agreement: the midnight in Tehran that breaks it; empty for never."""
        day = self.breaks_on
        return to_rfc3339(datetime.combine(day, time(), TEHRAN).astimezone(UTC)) if day is not None else ""

    # -- steps ---------------------------------------------------------------------------------------

    def approved(self, by: str) -> Agreement:
        return self._next(AgreementStatus.REQUESTED, status=AgreementStatus.IN_FORCE, approved_by=by)

    def rejected(self, by: str, reason: str) -> Agreement:
        return self._next(
            AgreementStatus.REQUESTED, status=AgreementStatus.REJECTED, rejected_by=by, rejection_reason=reason
        )

    def lapsed(self, today: date) -> bool:
        """Whether nobody can decide on it any more: asked for on an earlier day, whose amounts hold no more."""
        return self.status is AgreementStatus.REQUESTED and self.as_of < today

    def with_paid(self, number: int) -> Agreement:
        """The agreement after its next part was paid.

        Raises:
            ValueError: it is not the next one, or the agreement is not in force.
        """
        if number != self.paid_parts + 1:
            raise ValueError(f"part {number} of {self.agreement_id} is not the next one")
        done = number == len(self.parts)
        status = AgreementStatus.COMPLETED if done else AgreementStatus.IN_FORCE
        return self._next(AgreementStatus.IN_FORCE, status=status, paid_parts=number)

    def without_paid(self, number: int) -> Agreement:
        """The agreement after its last paid part was given back; a broken one stays broken.

        Raises: ValueError.
        """
        if number != self.paid_parts or self.status is AgreementStatus.REQUESTED:
            raise ValueError(f"part {number} of {self.agreement_id} is not the last one paid")
        status = AgreementStatus.BROKEN if self.status is AgreementStatus.BROKEN else AgreementStatus.IN_FORCE
        return replace(self, status=status, paid_parts=number - 1, version=self.version + 1)

    def broken(self) -> Agreement:
        """The agreement, broken by its next part.

        Raises: ValueError.
        """
        part = self.next_part
        if part is None:
            raise ValueError(f"every part of {self.agreement_id} is paid")
        return self._next(AgreementStatus.IN_FORCE, status=AgreementStatus.BROKEN, broken_on=part.due_on)

    def _next(self, expected: AgreementStatus, **changes: object) -> Agreement:
        if self.status is not expected:
            raise ValueError(f"{self.agreement_id} is {self.status}")
        return replace(self, version=self.version + 1, **changes)  # type: ignore[arg-type]  # fields of its own, by the lines above


def terms_from(stored: Mapping[str, object]) -> Terms:
    """The terms that a quote tells."""
    return Terms(
        parts_max=int(str(stored["parts_max"])),
        every_months=int(str(stored["every_months"])),
        grace_days=int(str(stored["grace_days"])),
        least_rial=int(str(stored["least_rial"])),
        surcharge_ppm=int(str(stored["surcharge_ppm"])),
    )


def with_surcharge(years: Sequence[YearAmount], surcharge_ppm: int) -> tuple[YearAmount, ...]:
    """The years with the city's surcharge, each rounded half up once."""
    return tuple(
        YearAmount(
            part.year,
            part.amount_rial
            + (2 * part.amount_rial * surcharge_ppm + PARTS_PER_MILLION) // (2 * PARTS_PER_MILLION),
        )
        for part in years
    )


def divided(total_rial: int, count: int, first_due_on: date, every_months: int) -> tuple[Part, ...]:
    """So many parts of a sum: equal in whole thousands, the first with what is left over, due month by month."""
    each_rial = total_rial // count // PART_UNIT_RIAL * PART_UNIT_RIAL
    first_rial = total_rial - each_rial * (count - 1)
    return tuple(
        Part(number + 1, each_rial if number else first_rial, months_after(first_due_on, number * every_months))
        for number in range(count)
    )


def months_after(day: date, months: int) -> date:
    """The same day of a later Jalali month, or that month's last day."""
    jalali = to_jalali(day)
    year, month = divmod(jalali.year * MONTHS_IN_YEAR + jalali.month - 1 + months, MONTHS_IN_YEAR)
    return to_gregorian(JalaliDate(year, month + 1, min(jalali.day, month_length(year, month + 1))))
