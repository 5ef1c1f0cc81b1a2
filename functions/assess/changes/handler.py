"""HTTP: entering, listing and deciding changes of vehicles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from avarez.clock import SystemClock
from avarez.errors import (
    FieldError,
    InvalidInput,
    MunicipalityUnknown,
    VehicleChangeNotFound,
    VehicleNotFound,
)
from avarez.http import Request, Response, Router, json_response
from avarez.http.idempotency import idempotent
from avarez.identifiers import read_legal_id, read_national_id
from avarez.ids import is_id
from avarez.jalali import parse_jalali
from avarez.money import parse_rial
from avarez.municipalities import is_municipality
from avarez.plates import parse_plate
from avarez.quotes.vehicles import VehicleRow, holder
from functions.assess.changes import change as cases
from functions.assess.changes import wiring

router = Router("assess-changes")
clock = SystemClock()


class Evidence(BaseModel):
    """What the clerk saw: a vehicle card, a sale document, a lease, a receipt; and its number."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    kind: str = Field(min_length=1, max_length=40)
    reference: str = Field(min_length=1, max_length=120)


class _Entry(BaseModel):
    """What every change names: the city in which the plate is looked up, and the paper."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    municipality: str = Field(max_length=80)
    evidence: Evidence


class Correction(_Entry):
    """The body of `POST /v1/vehicles/{plate}/corrections`."""

    facts: dict[str, Any] = Field(min_length=1, max_length=10)


class NewPlate(_Entry):
    """The body of `POST /v1/vehicles/{plate}/plates`; `owner_id` where the owner is another one now."""

    new_plate: str = Field(max_length=64)
    from_jalali: str = Field(max_length=16)
    owner_id: str = Field(default="", max_length=32)


class NewResidence(_Entry):
    """The body of `POST /v1/vehicles/{plate}/residences`."""

    new_municipality: str = Field(max_length=80)
    from_jalali: str = Field(max_length=16)
    owner_id: str = Field(default="", max_length=32)


class PriorPayment(_Entry):
    """The body of `POST /v1/vehicles/{plate}/prior-payments`."""

    paid_to: str = Field(max_length=80)
    year: int = Field(ge=1300, le=1499)
    amount_rial: str = Field(pattern=r"^[1-9][0-9]{0,17}$")
    paid_on_jalali: str = Field(max_length=16)
    certificate: str = Field(min_length=1, max_length=60)


class Decision(BaseModel):
    """The body of `POST /v1/vehicle-changes/{id}/decisions`; a rejection has its reason."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    outcome: Literal["confirmed", "rejected"]
    reason: str = Field(default="", max_length=2_000)


@router.route("POST", "/v1/vehicles/{plate}/corrections", scopes=["vehicles.write"])
@idempotent(lambda: clock.now())
def correct(request: Request) -> Response:
    """Facts of the vehicle card put right, in force at once."""
    entry = request.body_json(Correction)
    row = _row(request, entry)
    return _answer(cases.correct(wiring.changes(), row, entry.facts, _entered(request, entry)), 201)


@router.route("POST", "/v1/vehicles/{plate}/plates", scopes=["vehicles.write"])
@idempotent(lambda: clock.now())
def replate(request: Request) -> Response:
    """The vehicle bears another plate from a day on."""
    entry = request.body_json(NewPlate)
    row = _row(request, entry)
    made = cases.replate(
        wiring.changes(),
        row,
        plate=parse_plate(entry.new_plate).key,
        since=parse_jalali(entry.from_jalali, "/from_jalali"),
        owner_id=_owner(entry.owner_id),
        entered=_entered(request, entry),
    )
    return _answer(made, 201)


@router.route("POST", "/v1/vehicles/{plate}/residences", scopes=["vehicles.write"])
@idempotent(lambda: clock.now())
def relocate(request: Request) -> Response:
    """The owner lives in another city from a day on."""
    entry = request.body_json(NewResidence)
    _known(entry.new_municipality)
    row = _row(request, entry)
    made = cases.relocate(
        wiring.changes(),
        row,
        municipality=entry.new_municipality,
        since=parse_jalali(entry.from_jalali, "/from_jalali"),
        owner_id=_owner(entry.owner_id),
        entered=_entered(request, entry),
    )
    return _answer(made, 201)


@router.route("POST", "/v1/vehicles/{plate}/prior-payments", scopes=["vehicles.write"])
@idempotent(lambda: clock.now())
def prior_payment(request: Request) -> Response:
    """A year that was paid outside this system, until the city that took it has confirmed it."""
    entry = request.body_json(PriorPayment)
    _known(entry.paid_to)
    row = _row(request, entry)
    made = cases.prior_payment(
        wiring.changes(),
        row,
        paid_to=entry.paid_to,
        year=entry.year,
        amount_rial=parse_rial(entry.amount_rial),
        paid_on=parse_jalali(entry.paid_on_jalali, "/paid_on_jalali"),
        certificate=entry.certificate,
        entered=_entered(request, entry),
    )
    return _answer(made, 201)


@router.route("GET", "/v1/municipalities/{code}/vehicle-changes", scopes=["vehicles.read"])
def listed(request: Request) -> Response:
    """The newest changes that are shown to a city; `?status=` picks."""
    municipality = request.params["code"]
    if not is_municipality(municipality) or not request.principal.reaches(municipality):
        raise VehicleChangeNotFound()
    status = request.query.get("status")
    found = [one for one in wiring.changes().listed(municipality) if status in (None, one["status"])]
    return json_response({"municipality": municipality, "changes": [cases.change_json(one) for one in found]})


@router.route("GET", "/v1/vehicle-changes/{id}", scopes=["vehicles.read"])
def read(request: Request) -> Response:
    """One change with every step, who and when."""
    return _answer(_change(request), 200)


@router.route("POST", "/v1/vehicle-changes/{id}/decisions", scopes=["vehicles.decide"])
def decide(request: Request) -> Response:
    """An officer of the city that is charged with it confirms or rejects; never whoever entered it."""
    decision = request.body_json(Decision)
    found, by = _change(request), request.principal.username
    if not request.principal.reaches(found["municipality"]):
        raise VehicleChangeNotFound()
    if decision.outcome == "confirmed":
        return _answer(cases.confirm(wiring.changes(), found, by=by, now=clock.now()), 200)
    if not decision.reason.strip():
        raise _fault("/reason", "reason_required", "A rejection has its reason.", "رد کردن دلیل می‌خواهد.")
    return _answer(cases.reject(wiring.changes(), found, reason=decision.reason, by=by, now=clock.now()), 200)


def _row(request: Request, entry: _Entry) -> VehicleRow:
    _known(entry.municipality)
    plate = parse_plate(request.params["plate"]).key
    reached = request.principal.reaches(entry.municipality)
    row = holder(wiring.changes().rows(entry.municipality, plate)) if reached else None
    if row is None:
        raise VehicleNotFound()
    return row


def _change(request: Request) -> cases.Change:
    change_id = request.params["id"]
    found = wiring.changes().find(change_id) if is_id("vc", change_id) else None
    if found is None or not any(request.principal.reaches(city) for city in found["listed_to"]):
        raise VehicleChangeNotFound()
    return found


def _entered(request: Request, entry: _Entry) -> cases.Entered:
    return cases.Entered(request.principal.username, clock.now(), entry.evidence.model_dump())


def _owner(text: str) -> str:
    if not text:
        return ""
    owner = read_national_id(text) or read_legal_id(text)
    if owner is None:
        raise _fault("/owner_id", "national_id_invalid", "The owner's id does not pass its check digit.",
                     "شناسهٔ مالک با رقم کنترل نمی‌خواند.")  # fmt: skip
    return owner


def _known(municipality: str) -> None:
    if not is_municipality(municipality):
        raise MunicipalityUnknown()


def _fault(pointer: str, code: str, message_en: str, message_fa: str) -> InvalidInput:
    return InvalidInput(errors=[FieldError(pointer, code, message_en, message_fa)])


def _answer(change: cases.Change, status: int) -> Response:
    location = {"location": f"/v1/vehicle-changes/{change['change_id']}"} if status == 201 else {}
    return json_response(cases.change_json(change), status, location, change_id=change["change_id"])


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point."""
    return router.handle(event, context)
