"""Payments over HTTP: open, read, history, cancel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from avarez.clock import tehran_today, to_rfc3339
from avarez.errors import FieldError, Forbidden, IdempotencyKeyRequired, InvalidInput
from avarez.http import Request, Response, Router, json_response
from avarez.ids import is_id
from avarez.jalali import format_jalali, parse_jalali
from functions.pay.counter.answers import payment_answer
from functions.pay.payments.opening import Asked, Opened, create, find
from functions.pay.rules.records import Event, Payment
from functions.pay.wiring import desk

router = Router("pay")
AssessmentId = Annotated[str, Field(min_length=1, max_length=64)]


ASSESSMENTS_MAX = 10_000
"""The good rows of the largest fleet."""
BODY_BYTES_MAX = 1 << 20
PARTS_SHOWN = 5
"""Chunks of parts in one answer."""
DAY_SHOWN = 50
"""Payments of an office's day in one answer."""


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
    opened = _opening(asked)(desk(), principal=request.principal, key=key, asked=asked)
    headers = {"location": f"/v1/payments/{opened.payment_id}"}
    if opened.replayed:
        headers["idempotency-replayed"] = "true"
    return json_response(opened.answer, 201, headers, payment_id=opened.payment_id)


def _opening(asked: Asked) -> Callable[..., Opened]:
    """How it opens, by channel and number. Most are one car's at a gateway; the rest is loaded when asked for."""
    if len(asked.assessment_ids) > 1:
        from functions.pay.payments.joint.opening import create as create_joint

        return create_joint
    if asked.channel == "bill":
        from functions.pay.payments.billing import create as create_bill

        return create_bill
    if asked.channel == "pos":
        from functions.pay.payments.terminals import create as create_sale

        return create_sale
    return create


class OwnersPayment(BaseModel):
    """The body of `POST /v1/owner/payments`: an owner pays one quote of his car, at a gateway and nowhere else."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    assessment_id: AssessmentId
    gateway: Annotated[str, Field(max_length=32, pattern=r"^[a-z0-9_-]*$")] | None = None
    return_url: Annotated[str, Field(max_length=2_000)] | None = None


@router.route("POST", "/v1/owner/payments", owner=True)
def open_owners_payment(request: Request) -> Response:
    """201 with the payment and the address of its page, as an office gets them."""
    key = request.idempotency_key
    if key is None:
        raise IdempotencyKeyRequired()
    body = request.body_json(OwnersPayment)
    asked = Asked((body.assessment_id,), "gateway", body.gateway or "", body.return_url or "")
    opened = create(desk(), principal=request.principal, key=key, asked=asked)
    headers = {"location": f"/v1/owner/payments/{opened.payment_id}"}
    if opened.replayed:
        headers["idempotency-replayed"] = "true"
    return json_response(opened.answer, 201, headers, payment_id=opened.payment_id)


@router.route("GET", "/v1/payments", scopes=["payments.read"])
def list_payments(request: Request) -> Response:
    """What the caller's office opened on a day, newest first, fifty at a time; `cursor` goes on from there."""
    office = request.principal.office
    if not office:
        raise Forbidden("An office reads its own day.", "هر دفتر روز کاری خود را می‌خواند.")
    today = tehran_today(desk().clock.now())
    day = (
        parse_jalali(request.query["day_jalali"], "/query/day_jalali") if "day_jalali" in request.query else today
    )
    before = request.query.get("cursor", "")
    if before and not is_id("py", before):
        message = "Not a cursor of this list.", "نشانهٔ ادامهٔ این فهرست نیست."
        raise InvalidInput(errors=[FieldError("/query/cursor", "cursor_invalid", *message)])
    found = desk().store.opened_by_office(office, day, before=before, limit=DAY_SHOWN)
    body = {
        "office": office,
        "day_jalali": format_jalali(day),
        "payments": [payment_answer(payment) for payment in found],
        "cursor": found[-1].payment_id if len(found) == DAY_SHOWN else None,
    }
    return json_response(body)


@router.route("GET", "/v1/owner/payments/{id}", owner=True)
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
    from functions.pay.payments.joint import parts

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


@router.route("POST", "/v1/owner/payments/{id}/cancellations", owner=True)
@router.route("POST", "/v1/payments/{id}/cancellations", scopes=["payments.write"])
def cancel_payment(request: Request) -> Response:
    """200 with the cancelled payment; its duties are free again."""
    from functions.pay.payments.cancellation import cancel

    payment = find(desk(), principal=request.principal, payment_id=request.params["id"])
    return json_response(payment_answer(cancel(desk(), payment, request.principal)), payment_id=payment.payment_id)


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
