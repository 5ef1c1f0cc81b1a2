"""HTTP: a mobile number given with consent, by the owner or at a counter; and the link that ends its messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from avarez.clock import SystemClock
from avarez.dynamo import Table
from avarez.errors import FieldError, InvalidInput, OwnerUnknown, VehicleNotFound
from avarez.http import Request, Response, json_response
from avarez.identifiers import read_mobile
from avarez.plates import parse_plate
from avarez.quotes.vehicles import VehicleRow, holder
from avarez.settings import setting
from functions.assess import wiring
from functions.assess.online.attempts_store import AttemptTable, Limit
from functions.assess.reminders.contacts import ContactTable
from functions.assess.reminders.rules import masked

MOBILE_GIVEN_MAX = 5
"""Times in an hour that one number is given: nobody's telephone becomes a toy."""
CAR_GIVEN_MAX = 5
"""Times in an hour that a number is given for one car."""

clock = SystemClock()


class MobileNumber(BaseModel):
    """A number and the wish to be told; without the wish nothing is kept."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    mobile: str = Field(max_length=32)
    consent: Literal[True]
    language: Literal["fa", "en"] = "fa"


class MobileAtCounter(MobileNumber):
    """The same at a counter, for a car of this city's roll."""

    municipality: str = Field(max_length=80)


class Stop(BaseModel):
    """The body of `POST /v1/reminders/stops`."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    token: str = Field(min_length=20, max_length=100)


def contacts() -> ContactTable:
    """Over DUTY_TABLE."""
    return ContactTable(Table(setting("DUTY_TABLE")), wiring.owner_seals())


def given(row: VehicleRow) -> str | None:
    """The masked number that the owner of the row gave and did not stop."""
    contact = contacts().of(row.vehicle_id, row.owner_hash)
    mobile = contacts().mobile_of(contact) if contact else None
    return masked(mobile) if mobile else None


def keep(row: VehicleRow, wanted: MobileNumber, *, given_by: str) -> Response:
    """201 with the masked number, kept for the owner whom the row names.

    Raises:
        InvalidInput, OwnerUnknown, TooManyAttempts.
    """
    mobile = read_mobile(wanted.mobile)
    if mobile is None:
        message = "This is no mobile number; it begins with 09.", "این شمارهٔ همراه نیست؛ با ۰۹ آغاز می‌شود."
        raise InvalidInput(errors=[FieldError("/mobile", "mobile_malformed", *message)])
    if not row.owner_hash:
        raise OwnerUnknown()
    seals, now = wiring.owner_seals(), clock.now()
    limits = (
        Limit("MOBILE", seals.owner_hash(f"mobile {mobile}"), MOBILE_GIVEN_MAX),
        Limit("CAR", seals.owner_hash(f"car {row.vehicle_id}"), CAR_GIVEN_MAX),
    )
    AttemptTable(Table(setting("DUTY_TABLE"))).take(limits, now)
    contacts().keep(
        vehicle_id=row.vehicle_id,
        owner_hash=row.owner_hash,
        mobile=mobile,
        language=wanted.language,
        given_by=given_by,
        now=now,
    )
    return json_response({"mobile": masked(mobile)}, 201)


def remove(row: VehicleRow) -> Response:
    """200: the number is forgotten, and nothing more is sent to it."""
    contact = contacts().of(row.vehicle_id, row.owner_hash)
    if contact is not None:
        contacts().end(row.vehicle_id, row.owner_hash, contact.mobile_hash, contact.contact_id, clock.now())
    return json_response({"mobile": None})


def keep_at_counter(request: Request, rows_of: Callable[[str, str], list[VehicleRow]]) -> Response:
    """201 as for an owner; the clerk heard his consent."""
    wanted = request.body_json(MobileAtCounter)
    if not request.principal.reaches(wanted.municipality):
        raise VehicleNotFound()
    row = holder(rows_of(wanted.municipality, parse_plate(request.params["plate"]).key))
    if row is None:
        raise VehicleNotFound()
    return keep(row, wanted, given_by=request.principal.username)


def stop(request: Request) -> Response:
    """200: every message to the number behind the link has ended; again says the same."""
    contacts().stop(request.body_json(Stop).token, clock.now())
    return json_response({"stopped": True})
