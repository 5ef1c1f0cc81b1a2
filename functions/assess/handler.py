"""HTTP: municipalities, vehicles and assessments."""

from __future__ import annotations

import functools
import hashlib
import hmac
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from avarez.assessment.differences import changes_between, year_comparisons
from avarez.assessment.trace import Line
from avarez.clock import SystemClock
from avarez.errors import AssessmentNotFound, FieldError, InvalidInput, MunicipalityUnknown, VehicleNotFound
from avarez.http import Request, Response, Router, json_response
from avarez.http.idempotency import idempotent
from avarez.identifiers import read_stamped_number, read_vin
from avarez.ids import is_id
from avarez.money import format_rial
from avarez.municipalities import all_municipalities, is_municipality
from avarez.plates import parse_plate
from avarez.quotes.wiring import StoredQuotes, quotes_from_environment
from functions.assess import vehicles, wiring

router = Router("assess")
clock = SystemClock()
MUNICIPALITIES_CACHE_S: Final = 3_600
YEARS_CHOSEN_MAX: Final = 100


@functools.cache
def quotes() -> StoredQuotes:
    """The process's quotes; the tariff stays in memory with it."""
    return quotes_from_environment()


class AssessmentRequest(BaseModel):
    """The body of `POST /v1/assessments`."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    municipality: str = Field(max_length=80)
    plate: str = Field(max_length=64)
    as_of: str | None = Field(default=None, pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
    through_year: int | None = Field(default=None, ge=1300, le=1499)
    years: list[Annotated[int, Field(ge=1300, le=1499)]] = Field(default=[], max_length=YEARS_CHOSEN_MAX)


class Evidence(BaseModel):
    """What the clerk saw: a vehicle card, a sale document, and its number."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    kind: str = Field(min_length=1, max_length=40)
    reference: str = Field(min_length=1, max_length=120)


class VehicleCard(BaseModel):
    """The body of `POST /v1/vehicles`: the roll's columns, and the evidence."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    municipality: str = Field(max_length=80)
    plate: str = Field(default="", max_length=64)
    vin: str = Field(default="", max_length=64)
    chassis: str = Field(default="", max_length=64)
    engine: str = Field(default="", max_length=64)
    vehicle_class: str = Field(alias="class", max_length=20)
    make: str = Field(default="", max_length=120)
    model: str = Field(default="", max_length=120)
    model_year: int = Field(ge=1200, le=2200)
    model_calendar: str = Field(max_length=12)
    origin: str = Field(max_length=12)
    fuel: str = Field(max_length=12)
    cylinders: int | None = Field(default=None, ge=0, le=100)
    displacement_cc: int | None = Field(default=None, ge=0, le=1_000_000)
    base_price_rial: str = Field(max_length=32)
    sale_date_jalali: str = Field(default="", max_length=16)
    residence_from_jalali: str = Field(default="", max_length=16)
    owner_id: str = Field(default="", max_length=32)
    owner_kind: str = Field(default="person", max_length=12)
    evidence: Evidence

    def cells(self) -> dict[str, str]:
        """The card as the cells of a roll's row."""
        fields = self.model_dump(by_alias=True, exclude={"evidence"})
        return {name: "" if value is None else str(value) for name, value in fields.items()}


@router.route("GET", "/v1/municipalities", public=True)
def list_municipalities(request: Request) -> Response:
    """Every municipality: code, names, province."""
    body = {"municipalities": [city.to_json() for city in all_municipalities()]}
    return json_response(body, headers={"cache-control": f"public, max-age={MUNICIPALITIES_CACHE_S}"})


@router.route("GET", "/v1/vehicles/{plate}", scopes=["vehicles.read"])
def vehicle_by_plate(request: Request) -> Response:
    """The national standing of the vehicle on this plate."""
    return _standing(request, "plate", parse_plate(request.params["plate"]).key)


@router.route("GET", "/v1/vehicles", scopes=["vehicles.read"])
def vehicle_by_number(request: Request) -> Response:
    """The national standing of the vehicle with this VIN, chassis or engine number (or plate)."""
    given = [name for name in ("vin", "chassis", "engine", "plate") if request.query.get(name)]
    if len(given) != 1:
        raise _fault(
            "",
            "one_number_required",
            "Give one of vin, chassis, engine.",
            "یکی از vin، chassis یا engine را بدهید.",
        )
    name = given[0]
    text = request.query[name]
    if name == "plate":
        return _standing(request, "plate", parse_plate(text).key)
    value = read_vin(text) if name == "vin" else read_stamped_number(text)
    if value is None:
        raise _fault(f"/query/{name}", f"{name}_malformed", "This number is malformed.", "این شماره درست نیست.")
    return _standing(request, name, value)


def _standing(request: Request, by: str, value: str) -> Response:
    found = vehicles.standing(
        finder=quotes().store,
        quotes=quotes(),
        by=by,
        value=value,
        now=clock.now(),
        reaches=request.principal.reaches,
    )
    return json_response(found, looked_up_by=by, looked_up=_log_digest(value))


def _log_digest(value: str) -> str:
    """Tells equal look-ups from different ones in the log, without the plate in clear."""
    key = wiring.owner_seals().owner_hash("look-up log").encode()
    return hmac.new(key, value.encode(), hashlib.sha256).hexdigest()[:16]


@router.route("POST", "/v1/vehicles", scopes=["vehicles.write"])
@idempotent(lambda: clock.now())
def register_vehicle(request: Request) -> Response:
    """A car in no roll, from its vehicle card: provisional and payable."""
    card = request.body_json(VehicleCard)
    _known(card.municipality)
    if not request.principal.reaches(card.municipality):
        raise VehicleNotFound()
    vehicle, created = vehicles.register_from_card(
        quotes=quotes(),
        register=wiring.vehicle_register(),
        card=card.cells(),
        evidence=card.evidence.model_dump(),
        municipality=card.municipality,
        created_by=request.principal.username,
        now=clock.now(),
    )
    body = {"municipality": card.municipality, "vehicle": vehicle}
    return json_response(body, 201 if created else 200, municipality=card.municipality)


@router.route("POST", "/v1/assessments", scopes=["assessments.write"])
@idempotent(lambda: clock.now())
def create_assessment(request: Request) -> Response:
    """A quote: what the plate owes to the city, line by line."""
    wanted = request.body_json(AssessmentRequest)
    if wanted.years and wanted.through_year is not None:
        raise _fault(
            "/years",
            "years_and_through_year",
            "Give years or through_year, not both.",
            "یکی از years یا through_year را بدهید، نه هر دو را.",
        )
    plate = parse_plate(wanted.plate)
    _known(wanted.municipality)
    if not request.principal.reaches(wanted.municipality):
        raise VehicleNotFound()
    known_as = vehicles.plate_in_city(
        finder=quotes().store,
        quotes=quotes(),
        municipality=wanted.municipality,
        plate=plate.key,
    )
    answer = quotes().make(
        municipality=wanted.municipality,
        plate=known_as,
        now=clock.now(),
        created_by=request.principal.username,
        as_of=_as_of(wanted.as_of),
        through_year=wanted.through_year,
        years=wanted.years,
    )
    location = {"location": f"/v1/assessments/{answer['assessment_id']}"}
    return json_response(answer, 201, location, municipality=wanted.municipality,
                         assessment_id=answer["assessment_id"])  # fmt: skip


@router.route("GET", "/v1/assessments/{id}", scopes=["assessments.read"])
def read_assessment(request: Request) -> Response:
    """A stored quote, word for word as it was given."""
    assessment_id = request.params["id"]
    found = quotes().store.quote(assessment_id) if is_id("as", assessment_id) else None
    if found is None or not request.principal.reaches(found[0]):
        raise AssessmentNotFound()
    return json_response(found[1])


@router.route("GET", "/v1/assessments/{id}/differences", scopes=["assessments.read"])
def explain_differences(request: Request) -> Response:
    """Why each year costs something else than the one before it; with `beside`, why another quote differs."""
    assessment_id = request.params["id"]
    lines = _lines(request, assessment_id)
    body: dict[str, Any] = {
        "assessment_id": assessment_id,
        "years": [compared.to_json() for compared in year_comparisons(lines)],
    }
    if beside := request.query.get("beside"):
        before = _lines(request, beside)
        owed = [sum(line.amount_rial for line in one) for one in (before, lines)]
        body["beside"] = {
            "assessment_id": beside,
            "before_rial": format_rial(owed[0]),
            "after_rial": format_rial(owed[1]),
            "difference_rial": format_rial(owed[1] - owed[0]),
            "changes": [change.to_json() for change in changes_between(before, lines)],
        }
    return json_response(body)


def _lines(request: Request, assessment_id: str) -> list[Line]:
    """The lines of a stored quote.

    Raises:
        AssessmentNotFound: there is none, or not for the caller.
    """
    found = quotes().store.quote(assessment_id) if is_id("as", assessment_id) else None
    if found is None or not request.principal.reaches(found[0]):
        raise AssessmentNotFound()
    return [Line.from_json(line) for line in found[1]["lines"]]


def _known(municipality: str) -> None:
    if not is_municipality(municipality):
        raise MunicipalityUnknown()


def _as_of(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or not date(2000, 1, 1) <= day <= date(2100, 1, 1):
        raise _fault("/as_of", "date_invalid", "Not a date that can be assessed.", "این تاریخ درست نیست.")
    return day


def _fault(pointer: str, code: str, message_en: str, message_fa: str) -> InvalidInput:
    return InvalidInput(message_en, message_fa, errors=[FieldError(pointer, code, message_en, message_fa)])


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point."""
    return router.handle(event, context)
