"""The use case of a quote: what this plate owes to this city on this day, kept for ever under an id."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, Protocol, TypeVar

from avarez.assessment.engine import assess
from avarez.assessment.model import Agreement, PaidYear, PenaltyPause
from avarez.assessment.tariff import Tariff
from avarez.assessment.trace import Assessment
from avarez.clock import next_tehran_midnight, tehran_today, to_rfc3339
from avarez.errors import FieldError, InvalidInput, OlderYearOwed, ServiceBusy, VehicleNotFound
from avarez.ids import new_id
from avarez.jalali import to_jalali
from avarez.money import format_rial
from avarez.plates import Plate, parse_plate
from avarez.quotes.vehicles import FIRST_YEAR_READ, VehicleRow, holder


class Rows(Protocol):
    """What a quote reads and writes; `DutyStore` over DynamoDB, a dictionary in tests."""

    def rows(self, municipality: str, plate: str) -> list[VehicleRow]: ...

    def rows_of_vehicle(self, vehicle_id: str) -> list[VehicleRow]: ...

    def paid_years(self, vehicle_id: str, years: Iterable[int]) -> list[PaidYear]: ...

    def pauses(self, vehicle_id: str, municipality: str) -> list[PenaltyPause]: ...

    def agreements(self, vehicle_id: str, municipality: str) -> list[Agreement]: ...

    def save_quote(self, quote: dict[str, Any], answer: dict[str, Any], resting_version: int) -> None: ...

    def open_dispute(self, vehicle_id: str, plate: str, municipalities: Iterable[str], at: str) -> None: ...


class Tariffs(Protocol):
    """Knows the tariff in force."""

    def current(self) -> Tariff | None: ...


Store_co = TypeVar("Store_co", bound=Rows, covariant=True)


@dataclass(frozen=True, slots=True)
class Quotes(Generic[Store_co]):
    """Makes quotes from a store and the tariff in force; whoever wires it has the store as what it is."""

    store: Store_co
    tariffs: Tariffs

    def tariff(self) -> Tariff:
        """The tariff in force.

        Raises:
            ServiceBusy: none was published yet.
        """
        tariff = self.tariffs.current()
        if tariff is None:
            raise ServiceBusy("No tariff is published yet.", "هنوز تعرفه‌ای منتشر نشده است.", retry_after_s=60)
        return tariff

    def make(
        self,
        *,
        municipality: str,
        plate: str,
        now: datetime,
        created_by: str,
        as_of: date | None = None,
        through_year: int | None = None,
        years: Collection[int] = (),
    ) -> dict[str, Any]:
        """The contract's answer of `POST /v1/assessments`, stored before it is returned.

        `as_of` is today in Tehran unless given; only a quote as of today can be paid, and each expires at the
        next midnight in Tehran, so that none crosses a month or a deadline. `through_year` is the Jalali year
        of `as_of` unless given, and never later. `years` chooses the years to be paid instead, oldest first.

        Raises:
            PlateMalformed, VehicleNotFound, InvalidInput, TariffMissing (with years and class), ServiceBusy.
            OlderYearOwed: an owed year before the last chosen one was not chosen.
        """
        parsed = parse_plate(plate)
        row = holder(self.store.rows(municipality, parsed.key))
        if row is None:
            raise VehicleNotFound()
        day = as_of or tehran_today(now)
        through = _through_year(max(years, default=through_year), day)
        everywhere = self.store.rows_of_vehicle(row.vehicle_id)
        assessment = self.assess(row, everywhere, day, through)
        older = [total.year for total in assessment.owed_years if years and total.year not in years]
        if older:
            raise OlderYearOwed(extra={"years": older})
        assessment_id = new_id("as", now)
        offered = self.offered(municipality, day)
        answer = _answer(assessment_id, parsed, assessment, now) | offered
        record = _record(row, assessment, answer, now=now, created_by=created_by) | offered
        self.store.save_quote(record, answer, row.version)
        if assessment.residence_disputed:
            cities = [other.municipality for other in everywhere]
            self.store.open_dispute(row.vehicle_id, row.plate, cities, to_rfc3339(now))
        return answer

    def offered(self, municipality: str, day: date) -> dict[str, Any]:
        """The terms of instalments that the city gives on the day, as a quote tells them; nothing without any."""
        settings = self.tariff().settings(municipality, day)
        if not settings.instalments_max:
            return {}
        return {
            "instalments": {
                "parts_max": settings.instalments_max,
                "every_months": settings.instalment_every_months,
                "grace_days": settings.instalment_grace_days,
                "least_rial": format_rial(settings.instalment_least_rial),
                "surcharge_ppm": settings.instalment_surcharge_ppm,
            }
        }

    def assess(
        self, row: VehicleRow, everywhere: Sequence[VehicleRow], as_of: date, through_year: int
    ) -> Assessment:
        """What the vehicle owes to the city of `row`, given its rows in every city."""
        residences = [other.residence for other in everywhere] or [row.residence]
        paid = self.store.paid_years(row.vehicle_id, range(FIRST_YEAR_READ, through_year + 1))
        return assess(
            vehicle=row.vehicle,
            residences=residences,
            payments=paid,
            tariff=self.tariff(),
            as_of=as_of,
            through_year=through_year,
            municipality=row.municipality,
            pauses=self.store.pauses(row.vehicle_id, row.municipality),
            agreements=self.store.agreements(row.vehicle_id, row.municipality),
        )


def _through_year(asked: int | None, as_of: date) -> int:
    latest = to_jalali(as_of).year
    if asked is None:
        return latest
    if not FIRST_YEAR_READ <= asked <= latest:
        raise InvalidInput(
            errors=[
                FieldError(
                    "/through_year",
                    "through_year_out_of_range",
                    f"A Jalali year from {FIRST_YEAR_READ} to {latest}, the year of as_of.",
                    f"سال باید از {FIRST_YEAR_READ} تا {latest} (سال تاریخ برآورد) باشد.",
                )
            ]
        )
    return asked


def _answer(assessment_id: str, plate: Plate, assessment: Assessment, now: datetime) -> dict[str, Any]:
    return {
        "assessment_id": assessment_id,
        "plate": plate.to_json(),
        **assessment.to_json(),
        "payable": assessment.as_of == tehran_today(now),
        "created_at": to_rfc3339(now),
        "expires_at": to_rfc3339(next_tehran_midnight(now)),
    }


def _record(
    row: VehicleRow, assessment: Assessment, answer: dict[str, Any], *, now: datetime, created_by: str
) -> dict[str, Any]:
    """What paying needs, as plain attributes beside the answer's text; amounts are integers here."""
    return {
        "assessment_id": answer["assessment_id"],
        "municipality": row.municipality,
        "plate": row.plate,
        "vehicle_id": row.vehicle_id,
        "roll_version": row.version,
        "provisional": row.provisional,
        "as_of": assessment.as_of.isoformat(),
        "through_year": assessment.through_year,
        "tariff_version": assessment.tariff_version,
        "years": [{"year": year.year, "amount_rial": year.amount_rial} for year in assessment.owed_years],
        "rounding_rial": assessment.rounding_rial,
        "owed_rial": assessment.owed_rial,
        "not_assessed_before": assessment.not_assessed_before,
        "trace_hash": assessment.trace_hash,
        "facts": dict(row.facts),
        "created_at": to_rfc3339(now),
        "expires_at": answer["expires_at"],
        "created_by": created_by,
    }
