"""The facts that an assessment rests on, as frozen values.

They are read once at the edge (`Vehicle.from_json`, the roll's check) and are right from then on: the rules do
not look at a fact twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final, TypeVar

from avarez.errors import FieldError, InvalidInput
from avarez.jalali import (
    FIRST_YEAR,
    GREGORIAN_MODEL_YEAR_OFFSET,
    LAST_YEAR,
    format_jalali,
    read_jalali,
    year_start,
)
from avarez.money import format_rial, parse_rial
from avarez.plates import PlateKind

_ChoiceT = TypeVar("_ChoiceT", bound=StrEnum)

MAX_BASE_PRICE_RIAL: Final = 10**15
"""A thousand times the dearest car on sale: beyond it a price is a typing error."""
MAX_NAME_LENGTH: Final = 120
"""Of a make or a model."""
MAX_CYLINDERS: Final = 24
MAX_DISPLACEMENT_CC: Final = 50_000
"""More than the largest road engine."""


class VehicleClass(StrEnum):
    """The classes of the contract, as the roll's column `class` writes them."""

    PASSENGER = "passenger"
    PICKUP_DOUBLE = "pickup_double"
    PICKUP_SINGLE = "pickup_single"
    VAN = "van"
    MINIBUS = "minibus"
    BUS = "bus"
    TRUCK = "truck"
    MOTORCYCLE = "motorcycle"
    TAXI = "taxi"
    AMBULANCE = "ambulance"
    OTHER = "other"


class Origin(StrEnum):
    """Where the vehicle was made: it decides which price is the base, and from 1401 the rate."""

    DOMESTIC = "domestic"
    IMPORTED = "imported"


class Fuel(StrEnum):
    """What the vehicle burns. `dual` is petrol and gas."""

    PETROL = "petrol"
    DIESEL = "diesel"
    CNG = "cng"
    DUAL = "dual"
    HYBRID = "hybrid"
    ELECTRIC = "electric"


class ModelCalendar(StrEnum):
    """The calendar of the model year on the vehicle card."""

    JALALI = "jalali"
    GREGORIAN = "gregorian"


@dataclass(frozen=True, slots=True)
class Vehicle:
    """The facts of a vehicle that an assessment rests on; nothing about its owner.

    `base_price_rial` is what the city holds on file: the factory price of a domestic vehicle, customs value
    plus import duty of an imported one. `sale_date` is that of the first sale document, from which the duty
    runs; None where the roll has none. `residence_from` is the day from which the owner lives in the city of
    the roll, None where unknown. `plate_kind` is what the plate says of the use, None for an unknown plate.
    `model_year_offset` is the setting by which a Gregorian model year becomes a Jalali one; it is no fact of the
    vehicle and is not hashed with it.
    """

    vehicle_class: VehicleClass
    origin: Origin
    fuel: Fuel
    model_year: int
    model_calendar: ModelCalendar
    make: str
    model: str
    base_price_rial: int
    cylinders: int | None = None
    displacement_cc: int | None = None
    sale_date: date | None = None
    residence_from: date | None = None
    plate_kind: PlateKind | None = None
    model_year_offset: int = GREGORIAN_MODEL_YEAR_OFFSET

    @property
    def model_year_jalali(self) -> int:
        """The model year in the Jalali calendar; a Gregorian one less the offset (docs/law.md)."""
        if self.model_calendar is ModelCalendar.GREGORIAN:
            return self.model_year - self.model_year_offset
        return self.model_year

    @property
    def duty_starts(self) -> date:
        """The day the duty begins: the sale, else 1 Farvardin or 1 January of the model year."""
        if self.sale_date is not None:
            return self.sale_date
        if self.model_calendar is ModelCalendar.GREGORIAN:
            return date(self.model_year, 1, 1)
        return year_start(self.model_year)

    def to_json(self) -> dict[str, Any]:
        """The stored and hashed form: the same names, the amount a string, dates in `..._jalali`.

        Facts that are unknown are left out, so that a fact added later does not change old hashes.
        """
        facts: dict[str, Any] = {
            "vehicle_class": self.vehicle_class.value,
            "origin": self.origin.value,
            "fuel": self.fuel.value,
            "model_year": self.model_year,
            "model_calendar": self.model_calendar.value,
            "make": self.make,
            "model": self.model,
            "base_price_rial": format_rial(self.base_price_rial),
        }
        if self.cylinders is not None:
            facts["cylinders"] = self.cylinders
        if self.displacement_cc is not None:
            facts["displacement_cc"] = self.displacement_cc
        if self.sale_date is not None:
            facts["sale_date_jalali"] = format_jalali(self.sale_date)
        if self.residence_from is not None:
            facts["residence_from_jalali"] = format_jalali(self.residence_from)
        if self.plate_kind is not None:
            facts["plate_kind"] = self.plate_kind.value
        return facts

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Vehicle:
        """The vehicle that `to_json` wrote, or that a person wrote in the same names.

        `class` is read as `vehicle_class`, as in the roll. Keys that are no facts are not looked at.

        Raises:
            InvalidInput: every fact that is missing or out of bounds, each with its pointer.
        """
        return _FactReader(facts).vehicle()


@dataclass(frozen=True, slots=True)
class Residence:
    """The owner's residence in a city: from `since` (None: from before anything known) to `until`, inclusive.

    A later residence elsewhere closes an earlier one without an `until`.
    """

    municipality: str
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class PaidYear:
    """A duty year that is paid: how much went to it (before the quote's rounding), when, by which payment."""

    year: int
    amount_rial: int
    paid_on: date
    payment_id: str
    municipality: str | None = None


@dataclass(frozen=True, slots=True)
class PenaltyPause:
    """Days in which the penalty of some duty years does not accrue: an objection is open.

    A month counts unless it begins after `since` and not after `until` (None: still open). `years` None: all.
    """

    since: date
    until: date | None = None
    years: frozenset[int] | None = None

    def holds(self, year: int, month_start: date) -> bool:
        """Whether the month that begins on `month_start` is left out for the duty year."""
        if self.years is not None and year not in self.years:
            return False
        return self.since < month_start and (self.until is None or month_start <= self.until)


@dataclass(frozen=True, slots=True)
class Agreement:
    """An agreement by which the vehicle's duty years are paid in parts, as an assessment needs to know it.

    The penalty of its years rests from `since` on; for good while nothing is late, until the day `until` where a
    part stayed unpaid and the agreement was broken. `open_years` are still being paid under it and are charged
    nowhere else; a broken one has none. `credits` is what it paid towards a year that it did not pay whole, since
    it was broken.
    """

    agreement_id: str
    since: date
    until: date | None
    years: frozenset[int]
    open_years: frozenset[int]
    credits: tuple[tuple[int, int], ...] = ()

    @property
    def pause(self) -> PenaltyPause:
        """The days in which no penalty grows."""
        return PenaltyPause(self.since, self.until, self.years)

    def credit_rial(self, year: int) -> int:
        """What stands to the credit of a year."""
        return sum(amount_rial for of, amount_rial in self.credits if of == year)


class _FactReader:
    """Reads facts one by one and gathers every fault, so that a person corrects them all at once."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self._facts = facts
        self._faults: list[FieldError] = []

    def vehicle(self) -> Vehicle:
        class_key = "vehicle_class" if "vehicle_class" in self._facts else "class"
        vehicle_class = self._choice(VehicleClass, class_key, VehicleClass.OTHER)
        origin = self._choice(Origin, "origin", Origin.DOMESTIC)
        fuel = self._choice(Fuel, "fuel", Fuel.PETROL)
        calendar = self._choice(ModelCalendar, "model_calendar", ModelCalendar.JALALI)
        offset = GREGORIAN_MODEL_YEAR_OFFSET if calendar is ModelCalendar.GREGORIAN else 0
        model_year = self._number("model_year", FIRST_YEAR + 1 + offset, LAST_YEAR + offset)
        base_price = self._amount("base_price_rial")
        vehicle = Vehicle(
            vehicle_class=vehicle_class,
            origin=origin,
            fuel=fuel,
            model_year=model_year or 0,
            model_calendar=calendar,
            make=self._name("make"),
            model=self._name("model"),
            base_price_rial=base_price,
            cylinders=self._number("cylinders", 0, MAX_CYLINDERS, required=False),
            displacement_cc=self._number("displacement_cc", 0, MAX_DISPLACEMENT_CC, required=False),
            sale_date=self._date("sale_date_jalali"),
            residence_from=self._date("residence_from_jalali"),
            plate_kind=self._choice(PlateKind, "plate_kind", PlateKind.NONE)
            if "plate_kind" in self._facts
            else None,
        )
        if self._faults:
            raise InvalidInput(errors=self._faults)
        return vehicle

    def _fault(self, key: str, code: str, message_en: str, message_fa: str) -> None:
        self._faults.append(FieldError(f"/{key}", code, message_en, message_fa))

    def _choice(self, kind: type[_ChoiceT], key: str, stand_in: _ChoiceT) -> _ChoiceT:
        value = self._facts.get(key)
        if isinstance(value, str) and value in kind._value2member_map_:
            return kind(value)
        names = ", ".join(member.value for member in kind)
        self._fault(key, f"{key}_unknown", f"One of {names}.", f"یکی از این‌ها باید باشد: {names}.")
        return stand_in

    def _number(self, key: str, low: int, high: int, *, required: bool = True) -> int | None:
        value = self._facts.get(key)
        if value is None and not required:
            return None
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        self._fault(
            key,
            f"{key}_invalid",
            f"A whole number from {low} to {high}.",
            f"عددی صحیح از {low} تا {high} لازم است.",
        )
        return None

    def _amount(self, key: str) -> int:
        value = self._facts.get(key)
        try:
            amount = parse_rial(value) if isinstance(value, str) else value
        except ValueError:
            amount = None
        if isinstance(amount, int) and not isinstance(amount, bool) and 0 < amount <= MAX_BASE_PRICE_RIAL:
            return amount
        self._fault(
            key,
            f"{key}_invalid",
            "A positive whole number of rial, as a string of digits.",
            "مبلغ باید عدد صحیح مثبت به ریال باشد.",
        )
        return 0

    def _name(self, key: str) -> str:
        value = self._facts.get(key, "")
        if isinstance(value, str) and len(value) <= MAX_NAME_LENGTH:
            return value
        self._fault(
            key,
            f"{key}_invalid",
            f"Text of at most {MAX_NAME_LENGTH} characters.",
            f"متنی با حداکثر {MAX_NAME_LENGTH} نویسه لازم است.",
        )
        return ""

    def _date(self, key: str) -> date | None:
        value = self._facts.get(key)
        if value is None or value == "":
            return None
        day = read_jalali(value) if isinstance(value, str) else None
        if day is None:
            self._fault(
                key,
                "date_invalid",
                "Not a Jalali date that exists; write it like 1404-12-29.",
                "تاریخ شمسی درستی نیست؛ آن را مانند ۱۴۰۴/۱۲/۲۹ بنویسید.",
            )
        return day


def residence_on(residences: Sequence[Residence], day: date) -> tuple[str, ...]:
    """The cities of residence on `day`: one, none, or several where claims of the same day disagree.

    The claim that began last holds, until its `until`; claims that began on the same day hold together.
    """
    begun = [r for r in residences if (r.since or date.min) <= day and (r.until is None or day <= r.until)]
    if not begun:
        return ()
    latest = max(r.since or date.min for r in begun)
    return tuple(sorted({r.municipality for r in begun if (r.since or date.min) == latest}))
