"""Use cases of a vehicle's changes: entered by an office with evidence, looked at by the city.

What a clerk sees on a vehicle card, a plate's paper or a lease holds at once (provisional, payable) and is listed
to the city, whose officer confirms or rejects it; a rejection takes it back. A payment that was made before this
system, or in a city outside it, frees a duty and so counts only once the city that took it has confirmed it.

    correction, plate, residence:  in_force → confirmed | rejected
    prior_payment:                 awaiting → confirmed | rejected

Nothing is decided by whoever entered it. A city's roll that says something new of the vehicle goes before any of
them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Protocol

from avarez.assessment.model import Vehicle
from avarez.clock import tehran_today, to_rfc3339
from avarez.errors import (
    DutyPaid,
    FieldError,
    InvalidInput,
    RollConflict,
    SecondPersonRequired,
    VehicleChangeConflict,
)
from avarez.ids import new_id
from avarez.jalali import format_jalali, to_jalali
from avarez.quotes.vehicles import FIRST_YEAR_READ, PROVISIONAL_VERSION, VehicleRow

CORRECTABLE: Final = frozenset(
    {"vehicle_class", "origin", "fuel", "model_year", "model_calendar", "make", "model"}
    | {"cylinders", "displacement_cc", "sale_date_jalali"}
)
"""What stands on a vehicle card. The base price does not: who doubts it objects to an assessment."""


class Kind(StrEnum):
    """What is changed."""

    CORRECTION = "correction"
    PLATE = "plate"
    RESIDENCE = "residence"
    PRIOR_PAYMENT = "prior_payment"


class Status(StrEnum):
    """`awaiting` has no effect yet; `in_force` has, until somebody rejects it."""

    AWAITING = "awaiting"
    IN_FORCE = "in_force"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"


OPEN: Final = frozenset({Status.AWAITING, Status.IN_FORCE})
Change = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entered:
    """Who enters a change, when, and on what paper."""

    by: str
    now: datetime
    evidence: Mapping[str, str]


class Changes(Protocol):
    """Where changes, and what they touch, are kept. Writes are one transaction each; False when it was refused."""

    def rows(self, municipality: str, plate: str) -> list[VehicleRow]: ...

    def correct(self, change: Change, row: VehicleRow, facts: Mapping[str, Any]) -> bool: ...

    def move(self, change: Change, row: VehicleRow, to: VehicleRow, *, ends_on: str, owner_id: str) -> bool: ...

    def keep(self, change: Change) -> bool: ...

    def confirm(self, change: Change, made: Mapping[str, Any]) -> bool: ...

    def reject(self, change: Change, made: Mapping[str, Any]) -> bool: ...


def correct(changes: Changes, row: VehicleRow, facts: Mapping[str, Any], entered: Entered) -> Change:
    """The vehicle's facts put right, for every later quote of this city, until its roll says something new.

    Raises:
        InvalidInput: a fact that is none, that no card shows, or that changes nothing.
        VehicleChangeConflict: somebody changed the vehicle at this moment.
    """
    unknown = sorted(set(facts) - CORRECTABLE)
    corrected = {**row.facts, **facts}
    before, after = Vehicle.from_json(row.facts).to_json(), Vehicle.from_json(corrected).to_json()
    if unknown or not facts or before == after:
        raise _refused_facts(unknown)
    differing = [name for name in sorted(after) if after[name] != before.get(name)]
    change = _change(Kind.CORRECTION, row, entered) | {
        "before": {name: row.facts.get(name) for name in differing},
        "after": {name: corrected.get(name) for name in differing},
    }
    return _done(changes.correct(change, row, corrected), change)


def replate(
    changes: Changes, row: VehicleRow, *, plate: str, since: date, owner_id: str, entered: Entered
) -> Change:
    """The vehicle on another plate of the same city from `since` on; the old one ends the day before.

    A plate belongs to its owner: after a sale `owner_id` (normalised, empty: unchanged) is the new owner's.

    Raises:
        InvalidInput: the plate it has, or a day before it came to it or after today.
        RollConflict: another vehicle bears that plate in this city.
        VehicleChangeConflict: as `correct`.
    """
    _demand_day(row, since, entered)
    if plate == row.plate:
        raise _refused("/new_plate", "unchanged", "The vehicle has this plate.", "خودرو همین پلاک را دارد.")
    to = _provisional(row, row.municipality, plate, since)
    _demand_free(changes, to)
    change = _change(Kind.PLATE, row, entered) | {
        "before": {"plate": row.plate},
        "after": {"plate": plate, "from_jalali": to.residence_from_jalali, "owner_changed": bool(owner_id)},
    }
    ends_on = format_jalali(since - timedelta(days=1))
    return _done(changes.move(change, row, to, ends_on=ends_on, owner_id=owner_id), change)


def relocate(
    changes: Changes, row: VehicleRow, *, municipality: str, since: date, owner_id: str, entered: Entered
) -> Change:
    """The owner's residence in another city from `since` on, which closes the earlier one by itself.

    It is listed to both cities; the new one decides.

    Raises: as `replate`.
    """
    _demand_day(row, since, entered)
    if municipality == row.municipality:
        raise _refused("/new_municipality", "unchanged", "It is there already.", "خودرو هم‌اکنون در همین شهر است.")
    to = _provisional(row, municipality, row.plate, since)
    _demand_free(changes, to)
    change = _change(Kind.RESIDENCE, row, entered) | {
        "municipality": municipality,
        "listed_to": sorted({municipality, row.municipality}),
        "before": {"municipality": row.municipality},
        "after": {"municipality": municipality, "from_jalali": to.residence_from_jalali},
    }
    return _done(changes.move(change, row, to, ends_on="", owner_id=owner_id), change)


def prior_payment(
    changes: Changes,
    row: VehicleRow,
    *,
    paid_to: str,
    year: int,
    amount_rial: int,
    paid_on: date,
    certificate: str,
    entered: Entered,
) -> Change:
    """A duty year that was paid before this system or outside it, once the city that took it has confirmed it.

    `amount_rial` is what went to that year; `certificate` is the number on the paper.

    Raises:
        InvalidInput: a year before `FIRST_YEAR_READ` or after the present one, a day that is not past.
        VehicleChangeConflict: as `correct`.
    """
    today = tehran_today(entered.now)
    if not FIRST_YEAR_READ <= year <= to_jalali(today).year:
        raise _refused("/year", "year_out_of_range", f"A Jalali year from {FIRST_YEAR_READ} to the present one.",
                       f"سال شمسی از {FIRST_YEAR_READ} تا سال جاری.")  # fmt: skip
    if paid_on > today:
        raise _refused(
            "/paid_on_jalali", "date_in_future", "This day has not come yet.", "این روز هنوز نیامده است."
        )
    change = _change(Kind.PRIOR_PAYMENT, row, entered) | {
        "municipality": paid_to,
        "listed_to": sorted({paid_to, row.municipality}),
        "status": Status.AWAITING.value,
        "before": {},
        "after": {
            "year": year,
            "amount_rial": str(amount_rial),
            "paid_on": paid_on.isoformat(),
            "certificate": certificate,
        },
    }
    return _done(changes.keep(change), change)


def confirm(changes: Changes, change: Change, *, by: str, now: datetime) -> Change:
    """The change, confirmed by the city; a prior payment frees its duty from now on.

    Raises:
        SecondPersonRequired: `by` entered it. VehicleChangeConflict: it is decided, or changed at this moment.
        DutyPaid: the year was paid, or is being paid, in the meantime.
    """
    _demand_open(change, by)
    made = _decided(change, Status.CONFIRMED, "confirmed", by, now)
    if not changes.confirm(change, made):
        if change["kind"] == Kind.PRIOR_PAYMENT:
            raise DutyPaid()
        raise VehicleChangeConflict()
    return {**change, **made}


def reject(changes: Changes, change: Change, *, reason: str, by: str, now: datetime) -> Change:
    """The change, taken back with a reason; quotes that were given meanwhile stay what they were.

    Raises:
        SecondPersonRequired, VehicleChangeConflict: as `confirm`; also when a later change rests on this one.
    """
    _demand_open(change, by)
    made = _decided(change, Status.REJECTED, f"rejected: {reason}", by, now) | {"decision_reason": reason}
    return _done(changes.reject(change, made), {**change, **made})


def change_json(change: Change) -> dict[str, Any]:
    """The answer's form."""
    names = ("change_id", "kind", "status", "municipality", "listed_to", "plate", "vehicle_id", "before", "after",
             "evidence", "created_by", "created_at", "events")  # fmt: skip
    return {name: change[name] for name in names} | (
        {"decision_reason": change["decision_reason"]} if "decision_reason" in change else {}
    )


def _change(kind: Kind, row: VehicleRow, entered: Entered) -> Change:
    return {
        "change_id": new_id("vc", entered.now),
        "kind": kind.value,
        "status": Status.IN_FORCE.value,
        "municipality": row.municipality,
        "entered_at": row.municipality,
        "listed_to": [row.municipality],
        "plate": row.plate,
        "vehicle_id": row.vehicle_id,
        "evidence": dict(entered.evidence),
        "revision": 0,
        "created_by": entered.by,
        "created_at": to_rfc3339(entered.now),
        "events": [{"at": to_rfc3339(entered.now), "by": entered.by, "did": "entered"}],
    }


def _decided(change: Change, status: Status, did: str, by: str, now: datetime) -> dict[str, Any]:
    event = {"at": to_rfc3339(now), "by": by, "did": did}
    return {"status": status.value, "events": [*change["events"], event]}


def _provisional(row: VehicleRow, municipality: str, plate: str, since: date) -> VehicleRow:
    residence_from = format_jalali(since)
    return VehicleRow(
        municipality=municipality,
        plate=plate,
        vehicle_id=row.vehicle_id,
        version=PROVISIONAL_VERSION,
        facts={**row.facts, "residence_from_jalali": residence_from},
        vin=row.vin,
        chassis=row.chassis,
        engine=row.engine,
        residence_from_jalali=residence_from,
        provisional=True,
    )


def _demand_day(row: VehicleRow, since: date, entered: Entered) -> None:
    begun = row.residence.since
    if since > tehran_today(entered.now) or (begun is not None and since <= begun):
        raise _refused("/from_jalali", "date_out_of_range", "A day after this residence began, not after today.",
                       "روزی پس از آغاز سکونت کنونی و نه پس از امروز.")  # fmt: skip


def _demand_free(changes: Changes, to: VehicleRow) -> None:
    there = changes.rows(to.municipality, to.plate)
    if any(not other.ended and other.vehicle_id != to.vehicle_id for other in there):
        raise RollConflict(
            "This plate stands on another vehicle of this city.", "این پلاک در این شهر روی خودروی دیگری است."
        )
    if any(other.vehicle_id == to.vehicle_id for other in there):
        raise VehicleChangeConflict(
            "The city's roll has this vehicle on this plate; its own roll has to say so.",
            "این خودرو با همین پلاک در فهرست شهر هست؛ تغییر باید با فهرست همان شهر بیاید.",
        )


def _demand_open(change: Change, by: str) -> None:
    if change["status"] not in OPEN:
        raise VehicleChangeConflict(extra={"status": change["status"]})
    if by == change["created_by"]:
        raise SecondPersonRequired()


def _done(done: bool, change: Change) -> Change:
    if not done:
        raise VehicleChangeConflict()
    return change


def _refused_facts(unknown: list[str]) -> InvalidInput:
    names = ", ".join(sorted(CORRECTABLE))
    at = f"/facts/{unknown[0]}" if unknown else "/facts"
    return _refused(at, "facts_invalid", f"Give at least one fact that differs, of {names}.",
                    f"دست‌کم یک مشخصهٔ تغییریافته از {names} بدهید.")  # fmt: skip


def _refused(pointer: str, code: str, message_en: str, message_fa: str) -> InvalidInput:
    return InvalidInput(errors=[FieldError(pointer, code, message_en, message_fa)])
