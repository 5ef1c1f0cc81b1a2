"""Payments over HTTP: open, read, history, cancel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from avarez.clock import to_rfc3339
from avarez.errors import FieldError, IdempotencyKeyRequired, InvalidInput
from avarez.http import Request, Response, Router, json_response
from avarez.money import format_rial
from avarez.plates import parse_plate
from functions.pay.payments.cancellation import cancel
from functions.pay.payments.opening import Asked, create, find
from functions.pay.rules.records import Event, Payment
from functions.pay.rules.states import Status
from functions.pay.wiring import desk

router = Router("pay")
AssessmentId = Annotated[str, Field(min_length=1, max_length=64)]


class NewPayment(BaseModel):
    """The body of `POST /v1/payments`; `assessment_ids` takes one until payments of a fleet exist."""

    model_config = ConfigDict(extra="forbid", strict=True)

    assessment_id: AssessmentId | None = None
    assessment_ids: Annotated[list[AssessmentId], Field(min_length=1, max_length=1)] | None = None
    channel: Literal["gateway", "pos", "bill"]
    gateway: Annotated[str, Field(max_length=32, pattern=r"^[a-z0-9_-]*$")] | None = None
    return_url: Annotated[str, Field(max_length=2_000)] | None = None


@router.route("POST", "/v1/payments", scopes=["payments.write"])
def open_payment(request: Request) -> Response:
    """201 with the payment and the address of its page."""
    key = request.idempotency_key
    if key is None:
        raise IdempotencyKeyRequired()
    body = request.body_json(NewPayment)
    assessment_id = body.assessment_id or (body.assessment_ids or [""])[0]
    if not assessment_id or (body.assessment_id and body.assessment_ids):
        raise InvalidInput(
            errors=[
                FieldError(
                    "/assessment_id",
                    "missing",
                    "Send assessment_id, or assessment_ids, but not both.",
                    "یکی از assessment_id یا assessment_ids را بفرستید، نه هر دو را.",
                )
            ]
        )
    asked = Asked(assessment_id, body.channel, body.gateway or "", body.return_url or "")
    opened = create(desk(), principal=request.principal, key=key, asked=asked)
    headers = {"location": f"/v1/payments/{opened.payment_id}"}
    if opened.replayed:
        headers["idempotency-replayed"] = "true"
    return json_response(opened.answer, 201, headers, payment_id=opened.payment_id)


@router.route("GET", "/v1/payments/{id}", scopes=["payments.read"])
def read_payment(request: Request) -> Response:
    """The payment as it stands."""
    payment = find(desk(), principal=request.principal, payment_id=request.params["id"])
    return json_response(payment_answer(payment), payment_id=payment.payment_id)


@router.route("GET", "/v1/payments/{id}/events", scopes=["payments.read"])
def read_events(request: Request) -> Response:
    """Everything that happened to the payment, oldest first."""
    payment = find(desk(), principal=request.principal, payment_id=request.params["id"])
    events = [event_answer(event) for event in desk().store.events(payment)]
    return json_response({"payment_id": payment.payment_id, "events": events}, payment_id=payment.payment_id)


@router.route("POST", "/v1/payments/{id}/cancellations", scopes=["payments.write"])
def cancel_payment(request: Request) -> Response:
    """200 with the cancelled payment; its duties are free again."""
    payment = find(desk(), principal=request.principal, payment_id=request.params["id"])
    return json_response(payment_answer(cancel(desk(), payment, request.principal)), payment_id=payment.payment_id)


def payment_answer(payment: Payment) -> dict[str, Any]:
    """The public form of a payment; the page's address only while it can be paid on."""
    answer: dict[str, Any] = {
        "payment_id": payment.payment_id,
        "status": payment.status.value,
        "assessment_id": payment.assessment_id,
        "municipality": payment.municipality,
        "plate": parse_plate(payment.plate).to_json(),
        "years": [{"year": part.year, "amount_rial": format_rial(part.amount_rial)} for part in payment.years],
        "rounding_rial": format_rial(payment.rounding_rial),
        "amount_rial": format_rial(payment.amount_rial),
        "fee_rial": format_rial(payment.fee_rial),
        "channel": payment.channel,
        "gateway": payment.gateway,
        "tariff_version": payment.tariff_version,
        "created_at": to_rfc3339(payment.created_at),
        "expires_at": to_rfc3339(payment.expires_at),
    }
    if payment.status is Status.PENDING:
        answer["redirect_url"] = payment.redirect_url
    if payment.reference:
        answer["reference"] = payment.reference
    if payment.settled_at:
        answer["settled_at"] = to_rfc3339(payment.settled_at)
        answer["certificate_id"] = payment.certificate_id
    return answer


def event_answer(event: Event) -> dict[str, Any]:
    """The public form of one event."""
    return {
        "occurrence": event.occurrence.value,
        "source": event.source,
        "at": to_rfc3339(event.at),
        "status_before": event.before.value if event.before else None,
        "status_after": event.after.value,
        "note": dict(event.note),
    }


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point."""
    return router.handle(event, context)
