"""The use case: a clearance for a vehicle that owes nothing anywhere, or no more than each city lets go.

Obligations, by number:
1. Only a quote of today leads to one, and what the vehicle owes is computed anew, in every city.
2. Nothing may be in dispute: no city's residence against another's, no objection that is open.
3. What a city still has to get is at most its threshold, which is dated tariff data; it is written off.
4. In one transaction: the certificate is asked for, each year that it rests on is still paid as it was read, each
   year that is written off is nobody else's, the ledger says what was given up, and the vehicle has no other
   clearance in force.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Protocol

from avarez.assessment.trace import Assessment
from avarez.certificates.status import CertificateStatus
from avarez.clock import tehran_today
from avarez.errors import (
    AssessmentNotFound,
    CertificateInPreparation,
    DutyByInstalments,
    DutyDisputed,
    DutyOwed,
    QuoteNotPayable,
    ServiceBusy,
    VehicleNotFound,
)
from avarez.ids import new_id
from avarez.journal import JournalEntry, YearAmount
from avarez.money import format_rial
from avarez.quotes.quote import Quotes, Rows
from avarez.quotes.standing import YearStanding, standing_of
from avarez.quotes.vehicles import VehicleRow, holder, one_a_city
from functions.certify.clearances.rules import City, trace_hash, write_off_entry

Reaches = Callable[[str], bool]
CITIES_MAX: Final = 12
"""Cities of one vehicle; more would be an error in the rolls, and a transaction holds at most 100 items."""
ATTEMPTS_MAX: Final = 3
RETRY_AFTER_S: Final = 2


@dataclass(frozen=True, slots=True)
class Quoted:
    """What a stored quote was about."""

    municipality: str
    vehicle_id: str
    as_of: date
    through_year: int


@dataclass(frozen=True, slots=True)
class PaidDuty:
    """A duty year that is paid: to whom, when, by what, and what a bank calls it; or written off."""

    year: int
    municipality: str
    amount_rial: int
    paid_on: date
    payment_id: str
    reference: str
    waived_rial: int = 0


@dataclass(frozen=True, slots=True)
class ClearedYear:
    """A year on the certificate: paid, written off, or with nothing to pay."""

    year: int
    municipality: str
    amount_rial: int = 0
    waived_rial: int = 0
    paid: PaidDuty | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """The vehicle's clearance as it stands."""

    certificate_id: str
    municipality: str
    plate: str
    status: CertificateStatus
    paid_through: int


@dataclass(frozen=True, slots=True)
class Clearance:
    """All that is written when a clearance is asked for."""

    certificate_id: str
    vehicle_id: str
    municipality: str
    plate: str
    paid_through: int
    years: tuple[ClearedYear, ...]
    cities: tuple[City, ...]
    entries: tuple[JournalEntry, ...]
    trace_hash: str
    assessment_id: str
    by: str
    office: str
    at: datetime

    @property
    def waived_rial(self) -> int:
        """What all cities together let go now."""
        return sum(city.waived_rial for city in self.cities)


@dataclass(frozen=True, slots=True)
class Given:
    """The clearance that the caller gets; `new` is false where it was in force already."""

    certificate_id: str
    paid_through: int
    waived_rial: int
    new: bool
    supersedes: str = ""


class Books(Protocol):
    """What a clearance reads and writes."""

    def quoted(self, assessment_id: str) -> Quoted | None: ...

    def paid(self, vehicle_id: str, years: Sequence[int]) -> Mapping[int, PaidDuty]: ...

    def objected(self, vehicle_id: str, cities: Sequence[str]) -> list[str]:
        """The cities in which an objection of the vehicle is open."""
        ...

    def held(self, vehicle_id: str) -> Held | None: ...

    def write(self, clearance: Clearance, held: Held | None) -> bool:
        """Everything or nothing; False where something was not as it had been read."""
        ...

    def check_free(self, clearance: Clearance) -> None:
        """Raises `DutyLocked` or `BillOpen` where somebody is paying what would be written off."""
        ...


def clear(
    assessment_id: str,
    *,
    books: Books,
    quotes: Quotes[Rows],
    by: str,
    office: str,
    reaches: Reaches,
    now: datetime,
) -> Given:
    """The vehicle's clearance through the quote's last year: the one in force, or a new one.

    Raises:
        AssessmentNotFound, QuoteNotPayable, VehicleNotFound, TariffMissing: there is nothing to rest it on.
        DutyOwed, DutyDisputed: the vehicle is not clear.
        DutyLocked, BillOpen: somebody is paying at this moment.
        CertificateInPreparation: one for other years, or another plate, is being made.
        ServiceBusy: others kept changing what it rests on.
    """
    quoted = books.quoted(assessment_id)
    if quoted is None or not reaches(quoted.municipality):
        raise AssessmentNotFound()
    if quoted.as_of != tehran_today(now):
        raise QuoteNotPayable()
    for _ in range(ATTEMPTS_MAX):
        held = books.held(quoted.vehicle_id)
        clearance = _cleared(quoted, assessment_id, books, quotes, by=by, office=office, reaches=reaches, now=now)
        if held is not None and _says_it(held, clearance):
            return Given(held.certificate_id, held.paid_through, 0, new=False)
        if held is not None and held.status is CertificateStatus.PREPARING:
            raise CertificateInPreparation(retry_after_s=RETRY_AFTER_S)
        if books.write(clearance, held):
            old = held.certificate_id if held is not None else ""
            return Given(clearance.certificate_id, clearance.paid_through, clearance.waived_rial, True, old)
        books.check_free(clearance)
    raise ServiceBusy(retry_after_s=1)


def _says_it(held: Held, wanted: Clearance) -> bool:
    """Whether the clearance that is there says what is asked for: this plate, and no earlier year."""
    told = held.plate == wanted.plate and held.paid_through >= wanted.paid_through and wanted.waived_rial == 0
    return told and held.status in (CertificateStatus.PREPARING, CertificateStatus.IN_FORCE)


def _cleared(
    quoted: Quoted,
    assessment_id: str,
    books: Books,
    quotes: Quotes[Rows],
    *,
    by: str,
    office: str,
    reaches: Reaches,
    now: datetime,
) -> Clearance:
    """The clearance that could be given now.

    Raises: VehicleNotFound, TariffMissing, DutyOwed, DutyDisputed.
    """
    everywhere = quotes.store.rows_of_vehicle(quoted.vehicle_id)
    current = holder(everywhere)
    if current is None:
        raise VehicleNotFound()
    assessed = _assessed(quotes, everywhere, quoted, now)
    _check_undisputed(assessed, books.objected(quoted.vehicle_id, list(assessed)), reaches)
    _check_no_instalments(assessed, reaches)
    cities = tuple(_city(answer, quotes, now) for answer in assessed.values())
    _check_let_go(cities, reaches)
    years = standing_of(assessed, everywhere, tehran_today(now)).years
    paid = books.paid(quoted.vehicle_id, [standing.year for standing in years])
    certificate_id = new_id("ce", now)
    return Clearance(
        certificate_id=certificate_id,
        vehicle_id=quoted.vehicle_id,
        municipality=current.municipality,
        plate=current.plate,
        paid_through=quoted.through_year,
        years=tuple(_year(standing, paid.get(standing.year)) for standing in years),
        cities=cities,
        entries=tuple(
            write_off_entry(
                city,
                vehicle_id=quoted.vehicle_id,
                certificate_id=certificate_id,
                now=now,
                journal_id=new_id("je", now),
            )
            for city in cities
            if city.waived
        ),
        trace_hash=trace_hash(
            plate=current.plate, paid_through=quoted.through_year, as_of=quoted.as_of, cities=cities
        ),
        assessment_id=assessment_id,
        by=by,
        office=office,
        at=now,
    )


def _assessed(
    quotes: Quotes[Rows], everywhere: Sequence[VehicleRow], quoted: Quoted, now: datetime
) -> dict[str, Assessment]:
    rows = one_a_city(everywhere)
    if len(rows) > CITIES_MAX:
        raise DutyDisputed()
    today = tehran_today(now)
    return {row.municipality: quotes.assess(row, everywhere, today, quoted.through_year) for row in rows}


def _check_undisputed(assessed: Mapping[str, Assessment], objected: Sequence[str], reaches: Reaches) -> None:
    """Raises `DutyDisputed`; it names the cities that the caller reaches."""
    disputed = {city for city, answer in assessed.items() if answer.residence_disputed} | set(objected)
    if disputed:
        raise DutyDisputed(extra={"municipalities": sorted(filter(reaches, disputed))})


def _check_no_instalments(assessed: Mapping[str, Assessment], reaches: Reaches) -> None:
    """Raises `DutyByInstalments` while a year is bound to an agreement: it is not paid before its last part."""
    bound = {city: answer.by_instalments for city, answer in assessed.items() if answer.by_instalments}
    if bound:
        told = [{"municipality": city, "years": list(bound[city])} for city in sorted(filter(reaches, bound))]
        raise DutyByInstalments(extra={"bound": told})


def _city(answer: Assessment, quotes: Quotes[Rows], now: datetime) -> City:
    settings = quotes.tariff().settings(answer.municipality, tehran_today(now))
    return City(
        municipality=answer.municipality,
        trace_hash=answer.trace_hash,
        owed_rial=answer.owed_rial,
        threshold_rial=settings.clearance_threshold_rial,
        waived=tuple(YearAmount(total.year, total.amount_rial) for total in answer.owed_years),
        not_assessed_before=answer.not_assessed_before,
    )


def _check_let_go(cities: Sequence[City], reaches: Reaches) -> None:
    """Raises `DutyOwed` where a debt is above its city's threshold; it tells of cities that the caller reaches."""
    owing = [city for city in cities if city.owed_rial > city.threshold_rial]
    if owing:
        owed: list[dict[str, Any]] = [
            {
                "municipality": city.municipality,
                "owed_rial": format_rial(city.owed_rial),
                "threshold_rial": format_rial(city.threshold_rial),
                "years": [part.year for part in city.waived],
            }
            for city in owing
            if reaches(city.municipality)
        ]
        raise DutyOwed(extra={"owed": owed})


def _year(standing: YearStanding, paid: PaidDuty | None) -> ClearedYear:
    """The year as it stands on the certificate; an earlier write-off is told as such."""
    if paid is not None:
        return ClearedYear(standing.year, paid.municipality, paid.amount_rial, paid.waived_rial, paid)
    return ClearedYear(standing.year, standing.municipality, 0, standing.owed_rial)
