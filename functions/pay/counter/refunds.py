"""Refunds over HTTP: asked for, decided by a second person, entered once a bank has transferred them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from avarez.canonical import content_hash
from avarez.clock import to_rfc3339
from avarez.errors import (
    FieldError,
    IdempotencyKeyRequired,
    IdempotencyMismatch,
    InvalidInput,
    MunicipalityUnknown,
    RefundNotFound,
    ServiceBusy,
    TransactionRefused,
)
from avarez.http import Request, Response, Router, json_response
from avarez.ids import is_id
from avarez.journal import YearAmount
from avarez.money import format_rial, parse_rial
from avarez.municipalities import is_municipality
from avarez.plates import parse_plate
from functions.pay.payments import refunding
from functions.pay.payments.joint.opening import NATIONAL
from functions.pay.payments.opening import IDEMPOTENCY_DAYS, find
from functions.pay.rules.records import Replay
from functions.pay.rules.refunds import Refund
from functions.pay.wiring import desk

router = Router("pay-refunds")
ROUTE: Final = "POST /v1/payments/{id}/refunds"
LIST_MAX: Final = 50


class YearPart(BaseModel):
    """A duty year and how much of it is to be given back."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    year: int = Field(ge=1300, le=1500)
    amount_rial: str = Field(max_length=20)


class NewRefund(BaseModel):
    """The body of `POST /v1/payments/{id}/refunds`; without years all that is left goes back."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    reason: str = Field(min_length=3, max_length=500)
    years: Annotated[list[YearPart], Field(min_length=1, max_length=40)] | None = None
    task_id: Annotated[str, Field(max_length=64, pattern=r"^tk_[0-9a-z]{36}$")] | None = None


class Refusal(BaseModel):
    """The body of `POST /v1/refunds/{id}/rejections`."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    reason: str = Field(min_length=3, max_length=500)


class Transfer(BaseModel):
    """The body of `POST /v1/refunds/{id}/transfers`."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    bank_reference: str = Field(min_length=4, max_length=64, pattern=r"^[A-Za-z0-9/_-]+$")


@router.route("POST", ROUTE.partition(" ")[2], scopes=["refunds.write"])
def request_refund(request: Request) -> Response:
    """201 with a refund that waits for its second person."""
    key = request.idempotency_key
    if key is None:
        raise IdempotencyKeyRequired()
    body = request.body_json(NewRefund)
    payment = find(desk(), principal=request.principal, payment_id=request.params["id"])
    caller = request.principal.username
    body_hash = content_hash({"payment_id": payment.payment_id, **body.model_dump(mode="json")})
    if (known := desk().store.replay(caller, ROUTE, key)) is not None:
        return _again(known, body_hash)
    now = desk().clock.now()
    expires_epoch_s = int((now + timedelta(days=IDEMPOTENCY_DAYS)).timestamp())
    replay = Replay(caller, ROUTE, key, body_hash, "", expires_epoch_s)
    try:
        refund = refunding.request(
            desk(),
            payment,
            years=[YearAmount(part.year, _rial(part.amount_rial, of)) for of, part in enumerate(body.years or ())],
            reason=body.reason,
            requested_by=caller,
            replay=replay,
            task_id=body.task_id or "",
        )
    except TransactionRefused:
        if (known := desk().store.replay(caller, ROUTE, key)) is not None:
            return _again(known, body_hash)
        raise ServiceBusy(retry_after_s=1) from None
    return json_response(
        refund_answer(refund), 201, {"location": f"/v1/refunds/{refund.refund_id}"}, refund_id=refund.refund_id
    )


def _again(known: Replay, body_hash: str) -> Response:
    if known.body_hash != body_hash:
        raise IdempotencyMismatch()
    refund = desk().refunds.refund(known.payment_id)
    if refund is None:
        raise ServiceBusy(retry_after_s=1)
    return json_response(refund_answer(refund), 201, {"idempotency-replayed": "true"}, refund_id=refund.refund_id)


def _rial(text: str, position: int) -> int:
    try:
        amount_rial = parse_rial(text)
    except ValueError:
        amount_rial = 0
    if amount_rial <= 0:
        message = "A positive whole number of rial, in digits 0-9.", "عددی صحیح و مثبت به ریال با ارقام 0 تا 9."
        raise InvalidInput(errors=[FieldError(f"/years/{position}/amount_rial", "amount_invalid", *message)])
    return amount_rial


@router.route("GET", "/v1/refunds/{id}", scopes=["refunds.read"])
def read_refund(request: Request) -> Response:
    """The refund as it stands."""
    return json_response(refund_answer(_find(request)))


@router.route("GET", "/v1/municipalities/{code}/refunds", scopes=["refunds.read"])
def list_refunds(request: Request) -> Response:
    """The city's refunds from `cursor` on, oldest first; `status` picks."""
    code = request.params["code"]
    if not (is_municipality(code) or code == NATIONAL) or not request.principal.reaches(code):
        raise MunicipalityUnknown()
    after = request.query.get("cursor", "")
    if after and not is_id("rf", after):
        message = "Not a cursor of this list.", "نشانهٔ ادامهٔ این فهرست نیست."
        raise InvalidInput(errors=[FieldError("/query/cursor", "cursor_invalid", *message)])
    found = desk().refunds.of_city(code, after=after, limit=LIST_MAX)
    wanted = request.query.get("status", "")
    body = {
        "municipality": code,
        "refunds": [refund_answer(refund) for refund in found if wanted in ("", refund.status.value)],
        "cursor": found[-1].refund_id if len(found) == LIST_MAX else None,
    }
    return json_response(body)


@router.route("POST", "/v1/refunds/{id}/approvals", scopes=["refunds.approve"])
def approve_refund(request: Request) -> Response:
    """200 with the refund, approved by a second person and on its way."""
    refund = refunding.approve(desk(), _find(request), approved_by=request.principal.username)
    return json_response(refund_answer(refund), refund_id=refund.refund_id)


@router.route("POST", "/v1/refunds/{id}/rejections", scopes=["refunds.approve"])
def reject_refund(request: Request) -> Response:
    """200 with the refund, turned down."""
    body = request.body_json(Refusal)
    refund = refunding.reject(desk(), _find(request), rejected_by=request.principal.username, reason=body.reason)
    return json_response(refund_answer(refund), refund_id=refund.refund_id)


@router.route("POST", "/v1/refunds/{id}/transfers", scopes=["refunds.approve"])
def enter_transfer(request: Request) -> Response:
    """200 with the refund, done by bank transfer."""
    body = request.body_json(Transfer)
    refund = refunding.transferred(
        desk(), _find(request), bank_reference=body.bank_reference, entered_by=request.principal.username
    )
    return json_response(refund_answer(refund), refund_id=refund.refund_id)


def _find(request: Request) -> Refund:
    """The refund, for a caller whom its city concerns.

    Raises: RefundNotFound.
    """
    refund_id = request.params["id"]
    refund = desk().refunds.refund(refund_id) if is_id("rf", refund_id) else None
    if refund is None or not request.principal.reaches(refund.municipality):
        raise RefundNotFound()
    return refund


def refund_answer(refund: Refund) -> dict[str, Any]:
    """The public form of a refund."""
    answer: dict[str, Any] = {
        "refund_id": refund.refund_id,
        "payment_id": refund.payment_id,
        "status": refund.status.value,
        "municipality": refund.municipality,
        "of": "suspense" if refund.of_suspense else "payment",
        "years": [{"year": part.year, "amount_rial": format_rial(part.amount_rial)} for part in refund.years],
        "rounding_rial": format_rial(refund.rounding_rial),
        "fee_rial": format_rial(refund.fee_rial),
        "amount_rial": format_rial(refund.amount_rial),
        "gateway": refund.gateway,
        "reference": refund.reference,
        "reason": refund.reason,
        "requested_by": refund.requested_by,
        "requested_at": to_rfc3339(refund.requested_at),
    }
    if refund.plate:
        answer["plate"] = parse_plate(refund.plate).to_json()
    for name, instant in (("decided_at", refund.decided_at), ("done_at", refund.done_at)):
        if instant is not None:
            answer[name] = to_rfc3339(instant)
    for name, text in (
        ("decided_by", refund.decided_by),
        ("bank_reference", refund.bank_reference),
        ("task_id", refund.task_id),
    ):
        if text:
            answer[name] = text
    return answer


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point."""
    return router.handle(event, context)
