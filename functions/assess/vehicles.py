"""Use cases of vehicles: the national standing of one, and a car that stands in no roll."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol

from avarez.assessment.trace import Assessment
from avarez.clock import tehran_today
from avarez.errors import FieldError, InvalidInput, RollConflict, TariffMissing, VehicleNotFound
from avarez.jalali import to_jalali
from avarez.plates import parse_plate, unplated
from avarez.quotes.quote import Quotes, Rows
from avarez.quotes.standing import standing_of
from avarez.quotes.vehicles import PROVISIONAL_VERSION, VehicleRow, holder, one_a_city
from avarez.roll.refusals import Refusal
from avarez.roll.rows import COLUMNS, RollRow, read_row

Reaches = Callable[[str], bool]
PLACES_SHOWN_MAX: Final = 20
"""Cities of one vehicle in an answer; more would be an error in the rolls."""


class Finder(Protocol):
    """What the standing needs beyond what a quote reads."""

    def find(self, by: str, value: str) -> list[VehicleRow]: ...


class Register(Protocol):
    """Where a car from its vehicle card is written."""

    def vehicle_id(self, row: RollRow, now: datetime) -> str: ...

    def put_provisional(
        self, row: RollRow, vehicle_id: str, *, evidence: Mapping[str, Any], created_by: str, now: datetime
    ) -> None: ...


def standing(
    *, finder: Finder, quotes: Quotes[Rows], by: str, value: str, now: datetime, reaches: Reaches
) -> dict[str, Any]:
    """The vehicle, each of its years wherever it is charged, and what it owes in each city that the caller
    reaches, as of today in Tehran.

    A city without a tariff for some year of the vehicle has `owed_rial` null and names the years.

    Raises:
        VehicleNotFound: in no roll, or in none that the caller reaches.
    """
    found = holder(finder.find(by, value))
    if found is None:
        raise VehicleNotFound()
    everywhere = quotes.store.rows_of_vehicle(found.vehicle_id) or [found]
    return standing_in(quotes=quotes, everywhere=everywhere, now=now, sees=lambda row: reaches(row.municipality))


def standing_in(
    *, quotes: Quotes[Rows], everywhere: Sequence[VehicleRow], now: datetime, sees: Callable[[VehicleRow], bool]
) -> dict[str, Any]:
    """The standing of the vehicle of these rows, in the cities whose row the caller sees.

    Raises:
        VehicleNotFound: the caller sees none.
    """
    shown = [row for row in one_a_city(everywhere) if sees(row)]
    current = holder(shown)
    if current is None:
        raise VehicleNotFound()
    assessed = {row.municipality: _assessed(quotes, row, everywhere, now) for row in shown[:PLACES_SHOWN_MAX]}
    made = {city: answer for city, answer in assessed.items() if isinstance(answer, Assessment)}
    # A city that the caller does not reach is not looked at, and then nothing is said of every city.
    known = {row.municipality: made.get(row.municipality) for row in one_a_city(everywhere)}
    national = standing_of(known, everywhere, tehran_today(now))
    return {
        "vehicle": vehicle_json(current),
        **national.to_json(),
        "municipalities": [_city(row, assessed[row.municipality]) for row in shown[:PLACES_SHOWN_MAX]],
    }


def plate_in_city(*, finder: Finder, quotes: Quotes[Rows], municipality: str, plate: str) -> str:
    """The plate under which the city has the vehicle that bears `plate` today, here or in any other city.

    A car that moved carries another plate than the one its former city knows; whoever asks for the years of the
    former city has only the present plate at hand. `plate` itself where the city has it, or nobody does.
    """
    if quotes.store.rows(municipality, plate):
        return plate
    bearer = holder(finder.find("plate", plate))
    if bearer is None:
        return plate
    rows = quotes.store.rows_of_vehicle(bearer.vehicle_id)
    there = holder([row for row in rows if row.municipality == municipality])
    return plate if there is None else there.plate


def _assessed(
    quotes: Quotes[Rows], row: VehicleRow, everywhere: Sequence[VehicleRow], now: datetime
) -> Assessment | TariffMissing:
    today = tehran_today(now)
    try:
        return quotes.assess(row, everywhere, today, to_jalali(today).year)
    except TariffMissing as missing:
        return missing


def _city(row: VehicleRow, assessment: Assessment | TariffMissing) -> dict[str, Any]:
    place = {"municipality": row.municipality, "plate": parse_plate(row.plate).to_json()}
    if isinstance(assessment, TariffMissing):
        return {
            **place,
            "paid_through_year": None,
            "owed_rial": None,
            "years": [],
            "tariff_missing": assessment.extra,
        }
    return {
        **place,
        "paid_through_year": assessment.paid_through_year,
        "owed_rial": str(assessment.owed_rial),
        "years": [year.to_json() for year in assessment.years],
        "residence_disputed": assessment.residence_disputed,
    }


def vehicle_json(row: VehicleRow) -> dict[str, Any]:
    """A vehicle for answers: its id, plate, numbers and facts; nothing of its owner."""
    return {
        "vehicle_id": row.vehicle_id,
        "plate": parse_plate(row.plate).to_json(),
        "vin": row.vin or None,
        "chassis": row.chassis or None,
        "engine": row.engine or None,
        "status": row.status,
        "provisional": row.provisional,
        "residence_from_jalali": row.residence_from_jalali or None,
        "residence_to_jalali": row.residence_to_jalali or None,
        **dict(row.facts),
    }


def register_from_card(
    *,
    quotes: Quotes[Rows],
    register: Register,
    card: Mapping[str, str],
    evidence: Mapping[str, Any],
    municipality: str,
    created_by: str,
    now: datetime,
) -> tuple[dict[str, Any], bool]:
    """The vehicle of a vehicle card, provisional and payable at once, and whether it is new.

    `card` has the roll's column names and its rules. A vehicle that the city's roll has on this plate is
    answered as it stands there and nothing is written. Without a plate the chassis number stands for it.

    Raises:
        InvalidInput: each fault of the card with its pointer.
        RollConflict: the plate is on another vehicle of this city.
    """
    cells = {**dict.fromkeys(COLUMNS, ""), **card, "municipality": municipality}
    if not cells["plate"] and cells["chassis"]:
        cells["plate"] = unplated(cells["chassis"]).key
    row, refusals = read_row(1, cells, municipality, owner_required=False)
    if row is None:
        raise InvalidInput(errors=_field_errors(refusals))
    vehicle_id = register.vehicle_id(row, now)
    standing_rows = quotes.store.rows(municipality, row.plate)
    same = next((other for other in standing_rows if other.vehicle_id == vehicle_id), None)
    if same is not None and same.version != PROVISIONAL_VERSION:
        return vehicle_json(same), False
    if any(not other.ended and other.vehicle_id != vehicle_id for other in standing_rows):
        raise RollConflict(
            "This plate stands on another vehicle of this city.",
            "این پلاک در این شهر روی خودروی دیگری است.",
        )
    register.put_provisional(row, vehicle_id, evidence=evidence, created_by=created_by, now=now)
    written = next(other for other in quotes.store.rows(municipality, row.plate) if other.vehicle_id == vehicle_id)
    return vehicle_json(written), same is None


def _field_errors(refusals: Iterable[Refusal]) -> list[FieldError]:
    return [
        FieldError(f"/{refusal.column}", refusal.code, refusal.message_en, refusal.message_fa)
        for refusal in refusals
    ]
