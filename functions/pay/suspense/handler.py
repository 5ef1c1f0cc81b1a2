"""HTTP: open money in suspense with its age, and its match to a duty by two people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from avarez.clock import SystemClock, tehran_today, to_rfc3339
from avarez.errors import AssessmentNotFound, FieldError, InvalidInput, MunicipalityUnknown, PaymentNotFound
from avarez.http import Request, Response, Router, json_response
from avarez.ids import is_id
from avarez.money import format_rial
from avarez.municipalities import is_municipality
from functions.pay.rules.records import Payment
from functions.pay.suspense import match as matching
from functions.pay.suspense.match import Match
from functions.pay.suspense.store import suspense
from functions.pay.three_way.days import NATIONAL
from functions.pay.three_way.matching import age_days, bucket

router = Router("pay-suspense")
clock = SystemClock()
LIST_MAX: Final = 100


class NewMatch(BaseModel):
    """The body of `POST /v1/suspense/{id}/matches`."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    assessment_id: Annotated[str, Field(max_length=64)]
    reason: Annotated[str, Field(min_length=3, max_length=500)]


class Refusal(BaseModel):
    """The body of `POST /v1/suspense/{id}/rejections`."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    reason: Annotated[str, Field(min_length=3, max_length=500)]


@router.route("GET", "/v1/municipalities/{code}/suspense", scopes=["ledger.read"])
def list_open(request: Request) -> Response:
    """The city's open money in suspense, oldest first, each with its age and what was proposed."""
    code = request.params["code"]
    if not (is_municipality(code) or code == NATIONAL) or not request.principal.reaches(code):
        raise MunicipalityUnknown()
    after = request.query.get("cursor", "")
    if after and not is_id("py", after):
        message = "Not a cursor of this list.", "نشانهٔ ادامهٔ این فهرست نیست."
        raise InvalidInput(errors=[FieldError("/query/cursor", "cursor_invalid", *message)])
    found = suspense().open_of(code, after=after or "!", limit=LIST_MAX)
    proposals = suspense().matches([payment.payment_id for payment in found])
    body = {
        "municipality": code,
        "suspense": [_row(payment, proposals.get(payment.payment_id)) for payment in found],
        "cursor": found[-1].payment_id if len(found) == LIST_MAX else None,
    }
    return json_response(body)


@router.route("POST", "/v1/suspense/{id}/matches", scopes=["refunds.approve"])
def propose(request: Request) -> Response:
    """201 with a proposal that waits for its second person."""
    body = request.body_json(NewMatch)
    payment = _find(request)
    quote = suspense().quote(body.assessment_id) if is_id("as", body.assessment_id) else None
    if quote is None or not request.principal.reaches(quote.municipality):
        raise AssessmentNotFound()
    made = matching.propose(
        suspense(),
        payment,
        assessment_id=body.assessment_id,
        reason=body.reason,
        by=request.principal.username,
        now=clock.now(),
    )
    return json_response(_row(payment, made), 201, payment_id=payment.payment_id)


@router.route("POST", "/v1/suspense/{id}/approvals", scopes=["refunds.approve"])
def approve(request: Request) -> Response:
    """200 with the proposal, carried out: `settled_payment_id` is the payment that the money became."""
    payment = _find(request)
    made = matching.approve(suspense(), payment, by=request.principal.username, now=clock.now())
    return json_response(_row(payment, made), payment_id=payment.payment_id)


@router.route("POST", "/v1/suspense/{id}/rejections", scopes=["refunds.approve"])
def reject(request: Request) -> Response:
    """200 with the proposal, turned down."""
    body = request.body_json(Refusal)
    payment = _find(request)
    by = request.principal.username
    made = matching.reject(suspense(), payment, reason=body.reason, by=by, now=clock.now())
    return json_response(_row(payment, made), payment_id=payment.payment_id)


def _find(request: Request) -> Payment:
    """The payment, for a caller whom its book concerns.

    Raises: PaymentNotFound.
    """
    payment_id = request.params["id"]
    payment = suspense().payment(payment_id) if is_id("py", payment_id) else None
    if payment is None or not request.principal.reaches(payment.municipality):
        raise PaymentNotFound()
    return payment


def _row(payment: Payment, made: Match | None) -> dict[str, Any]:
    days = age_days(tehran_today(payment.created_at), clock.now())
    return {
        "payment_id": payment.payment_id,
        "municipality": payment.municipality,
        "amount_rial": format_rial(payment.confirmed_rial),
        "since_at": to_rfc3339(payment.created_at),
        "age_days": days,
        "age_bucket": bucket(days),
        "channel": payment.channel,
        "gateway": payment.gateway,
        "reference": payment.reference,
        "tracking": payment.tracking,
        "match": None if made is None else _match_json(made),
    }


def _match_json(made: Match) -> dict[str, Any]:
    return {
        "status": made.status.value,
        "assessment_id": made.assessment_id,
        **({"settled_payment_id": made.settled_payment_id} if made.settled_payment_id else {}),
        "steps": [
            {"what": step.what.value, "by": step.by, "at": to_rfc3339(step.at), "reason": step.reason}
            for step in made.steps
        ],
    }


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point."""
    return router.handle(event, context)
