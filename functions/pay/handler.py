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
from functions.pay.payments import billing, terminals
from functions.pay.payments.cancellation import cancel
from functions.pay.payments.joint import opening as joint
from functions.pay.payments.joint import parts
from functions.pay.payments.opening import Asked, create, find, instalment_members
from functions.pay.rules.bills import barcode
from functions.pay.rules.records import Event, Payment
from functions.pay.rules.states import Status
from functions.pay.wiring import desk

router = Router("pay")
AssessmentId = Annotated[str, Field(min_length=1, max_length=64)]


ASSESSMENTS_MAX = 10_000
"""The good rows of the largest fleet."""
BODY_BYTES_MAX = 1 << 20
PARTS_SHOWN = 5
"""Chunks of parts in one answer."""


OPENINGS = {"gateway": create, "bill": billing.create, "pos": terminals.create}
"""How a payment of one assessment opens, by channel."""


class NewPayment(BaseModel):
    """The body of `POST /v1/payments`: one assessment, several together, or an agreement's next part."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    assessment_id: AssessmentId | None = None
    assessment_ids: Annotated[list[AssessmentId], Field(min_length=1, max_length=ASSESSMENTS_MAX)] | None = None
    channel: Literal["gateway", "pos", "bill"]
    gateway: Annotated[str, Field(max_length=32, pattern=r"^[a-z0-9_-]*$")] | None = None
    return_url: Annotated[str, Field(max_length=2_000)] | None = None
    agreement_id: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    supersede_bill: bool = False
    terminal: Annotated[str, Field(max_length=32)] | None = None


@router.route("POST", "/v1/payments", scopes=["payments.write"])
def open_payment(request: Request) -> Response:
    """201 with the payment and the address of its page."""
    key = request.idempotency_key
    if key is None:
        raise IdempotencyKeyRequired()
    body = request.body_json(NewPayment, BODY_BYTES_MAX)
    assessment_ids = (body.assessment_id,) if body.assessment_id else tuple(body.assessment_ids or ())
    named = [name for name in (body.assessment_id, body.assessment_ids, body.agreement_id) if name]
    if len(named) != 1:
        raise InvalidInput(
            errors=[
                FieldError(
                    "/assessment_id",
                    "missing",
                    "Send one of assessment_id, assessment_ids and agreement_id.",
                    "تنها یکی از assessment_id، assessment_ids یا agreement_id را بفرستید.",
                )
            ]
        )
    asked = Asked(
        assessment_ids,
        body.channel,
        body.gateway or "",
        body.return_url or "",
        body.supersede_bill,
        body.terminal or "",
        body.agreement_id or "",
    )
    opening = joint.create if len(assessment_ids) > 1 else OPENINGS[body.channel]
    opened = opening(desk(), principal=request.principal, key=key, asked=asked)
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


@router.route("GET", "/v1/payments/{id}/parts", scopes=["payments.read"])
def read_parts(request: Request) -> Response:
    """The parts of a joint payment in the order they were asked for, a hundred at a time."""
    payment = find(desk(), principal=request.principal, payment_id=request.params["id"])
    cursor = request.query.get("cursor", "0")
    chunks = -(-payment.parts // parts.CHUNK_MEMBERS)
    if not cursor.isascii() or not cursor.isdigit() or int(cursor) > chunks:
        message = "Not a cursor of this list.", "نشانهٔ ادامهٔ این فهرست نیست."
        raise InvalidInput(errors=[FieldError("/query/cursor", "cursor_invalid", *message)])
    start = int(cursor)
    following = start + PARTS_SHOWN
    shown = [
        _part_answer(member.assessment_id, member.payment_id, desk().store.payment(member.payment_id))
        for number in range(start, min(following, chunks))
        for member in desk().store.members(payment, number)
    ]
    body = {
        "payment_id": payment.payment_id,
        "parts": shown,
        "cursor": str(following) if following < chunks else None,
    }
    return json_response(body, payment_id=payment.payment_id)


def _part_answer(assessment_id: str, payment_id: str, part: Payment | None) -> dict[str, Any]:
    """A part as it stands; one that is not leased yet is waiting."""
    if part is None:
        return {"payment_id": payment_id, "assessment_id": assessment_id, "status": "waiting"}
    answer = payment_answer(part)
    names = ("payment_id", "assessment_id", "status", "municipality", "plate", "amount_rial", "certificate_id")
    return {name: answer[name] for name in names if name in answer}


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
        **(_of_joint(payment) if payment.parts else _of_one(payment)),
        "amount_rial": format_rial(payment.amount_rial),
        "fee_rial": format_rial(payment.fee_rial),
        "channel": payment.channel,
        "gateway": payment.gateway,
        "created_at": to_rfc3339(payment.created_at),
        "expires_at": to_rfc3339(payment.expires_at),
    }
    if payment.status is Status.PENDING and payment.redirect_url:
        answer["redirect_url"] = payment.redirect_url
    if payment.terminal:
        answer["terminal"] = payment.terminal
        for name, who in (("typed_by", payment.typed_by), ("released_by", payment.released_by)):
            if who:
                answer[name] = who
    if payment.bill_id:
        answer["bill_id"] = payment.bill_id
        answer["payment_code"] = payment.payment_code
        answer["barcode"] = barcode(payment.bill_id, payment.payment_code)
    if payment.reference:
        answer["reference"] = payment.reference
    if payment.settled_at:
        answer["settled_at"] = to_rfc3339(payment.settled_at)
        if payment.certificate_id:
            answer["certificate_id"] = payment.certificate_id
    if payment.refunded_rial:
        answer["refunded_rial"] = format_rial(payment.refunded_rial)
    if payment.parent_id:
        answer["parent_id"] = payment.parent_id
    if payment.tracking:
        answer["tracking"] = payment.tracking
    return answer


def _of_one(payment: Payment) -> dict[str, Any]:
    if not payment.years:  # money that was found
        return {"municipality": payment.municipality}
    return {
        "assessment_id": payment.assessment_id,
        "municipality": payment.municipality,
        "plate": parse_plate(payment.plate).to_json(),
        "years": [{"year": part.year, "amount_rial": format_rial(part.amount_rial)} for part in payment.years],
        "rounding_rial": format_rial(payment.rounding_rial),
        "tariff_version": payment.tariff_version,
        **instalment_members(payment),
    }


def _of_joint(payment: Payment) -> dict[str, Any]:
    """Of a joint payment: how many parts, how far they are, and which one was refused if one was."""
    answer: dict[str, Any] = {"parts": payment.parts}
    if payment.failure:
        answer["failure"] = dict(payment.failure)
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
