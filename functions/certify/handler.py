"""Certificates over HTTP: the record, and the PDF once it is stored."""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from avarez.certificates import link
from avarez.certificates.short_code import printed
from avarez.certificates.status import CertificateStatus
from avarez.clock import SystemClock, to_rfc3339
from avarez.dynamo import Table
from avarez.errors import CertificateInPreparation, CertificateNotFound, FieldError, InvalidInput
from avarez.http import Request, Response, Router, json_response
from avarez.ids import is_id
from avarez.money import format_rial
from avarez.observability import log
from avarez.plates import parse_plate
from avarez.settings import setting
from functions.certify.certificates.record import CertificateRecord, Paper, YearPaid, file_of
from functions.certify.certificates.reissuing import ReissueReason, reissue_certificate
from functions.certify.stores.certificate_store import CertificateTable
from functions.certify.stores.document_store import LINK_LIFETIME, DocumentBucket
from functions.certify.stores.reissue_store import ReissueTable

router = Router("certify")
clock = SystemClock()

#: A certificate takes about half a second; a clerk's page asks again after this.
WAIT_S: Final = 8.0
PAUSES_S: Final = (0.05, 0.1, 0.15, 0.25)
RETRY_AFTER_S: Final = 2


@functools.cache
def certificates() -> CertificateTable:
    """The process's certificates."""
    return CertificateTable(Table(setting("DUTY_TABLE")))


@functools.cache
def documents() -> DocumentBucket:
    """The process's PDFs."""
    return DocumentBucket(setting("DOCUMENTS_BUCKET"))


@functools.cache
def reissues() -> ReissueTable:
    """The process's reissues."""
    return ReissueTable(Table(setting("DUTY_TABLE")), Table(setting("LEDGER_TABLE")))


class ReissueAsked(BaseModel):
    """The body of `POST /v1/certificates/{id}/reissues`."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    reason: ReissueReason


@router.route("GET", "/v1/owner/certificates/{id}", owner=True)
@router.route("GET", "/v1/certificates/{id}", scopes=["certificates.read"])
def read_certificate(request: Request) -> Response:
    """The record as it stands; `link` is what its QR says."""
    record = _find(request)
    return json_response(certificate_answer(record), certificate_id=record.certificate_id)


@router.route("GET", "/v1/owner/certificates", owner=True)
def list_owners_certificates(request: Request) -> Response:
    """The certificates of the owner's car in his cities, newest first."""
    reach = request.principal.owner
    if reach is None:
        raise CertificateNotFound()
    found = [record for place in reach.places for record in certificates().of_car(*place, reach.vehicle_id)]
    newest = sorted(found, key=lambda record: record.certificate_id, reverse=True)
    return json_response({"certificates": [_listed(record) for record in newest]})


@router.route("GET", "/v1/owner/certificates/{id}/pdf", owner=True)
@router.route("GET", "/v1/certificates/{id}/pdf", scopes=["certificates.read"])
def read_pdf(request: Request) -> Response:
    """302 to the PDF in object storage, waiting a little for one that is being made.

    A page cannot read where a redirect to another origin leads: `?redirect=false` gets 200 with
    `{url, expires_at}` instead. `?format=a4` (the default) or `a5` names the paper.
    """
    paper = _paper(request)
    record = _find(request)
    deadline = time.monotonic() + WAIT_S
    pauses = iter(PAUSES_S)
    while (content_sha256 := file_of(record, paper)) is None:
        if time.monotonic() >= deadline:
            raise CertificateInPreparation(retry_after_s=RETRY_AFTER_S)
        time.sleep(next(pauses, PAUSES_S[-1]))
        record = _find(request)
    address = documents().address(content_sha256, _filename(record, paper))
    if request.query.get("redirect") == "false":
        body = {"url": address, "expires_at": to_rfc3339(clock.now() + LINK_LIFETIME)}
        return json_response(body, certificate_id=record.certificate_id)
    headers = {"location": address, "cache-control": "no-store", "referrer-policy": "no-referrer"}
    return Response(302, "", headers, log_fields={"certificate_id": record.certificate_id})


@router.route("POST", "/v1/certificates/{id}/reissues", scopes=["certificates.reissue"])
def reissue(request: Request) -> Response:
    """201 with a new certificate for lost paper, at any office; the old one is superseded at that moment."""
    asked = request.body_json(ReissueAsked)
    old = _find(request)
    certificate_id = reissue_certificate(
        old,
        reason=asked.reason,
        by=request.principal.username,
        office=request.principal.office or "",
        reissues=reissues(),
        now=clock.now(),
    )
    log(
        "certificate_reissued",
        certificate_id=certificate_id,
        supersedes=old.certificate_id,
        reason=asked.reason.value,
        office=request.principal.office or "",
    )
    body = {"certificate_id": certificate_id, "status": "preparing", "supersedes": old.certificate_id}
    return json_response(body, 201, {"location": f"/v1/certificates/{certificate_id}"})


def _find(request: Request) -> CertificateRecord:
    """The record the caller asks for; one of a city, or of a car, that does not concern the caller does not exist.

    Raises: CertificateNotFound.
    """
    certificate_id = request.params["id"]
    record = certificates().find(certificate_id) if is_id("ce", certificate_id) else None
    if record is None or not request.principal.concerns(record.municipality, record.plate, record.vehicle_id):
        raise CertificateNotFound()
    return record


def _paper(request: Request) -> Paper:
    """The paper asked for.

    Raises: InvalidInput for one that nothing is printed on.
    """
    try:
        return Paper(request.query.get("format", Paper.A4.value))
    except ValueError:
        message = "The format is a4 or a5.", "قالب باید a4 یا a5 باشد."
        raise InvalidInput(errors=[FieldError("/query/format", "format_unknown", *message)]) from None


def _filename(record: CertificateRecord, paper: Paper) -> str:
    return (
        f"certificate-{record.plate}.pdf" if paper is Paper.A4 else f"certificate-{record.plate}-{paper.value}.pdf"
    )


def certificate_answer(record: CertificateRecord) -> dict[str, Any]:
    """The public form of a certificate, to those who may read it whole."""
    answer: dict[str, Any] = {
        "certificate_id": record.certificate_id,
        "short_code": printed(record.short_code),
        "status": record.status.value,
        "kind": record.kind.text,
        "payment_id": record.payment_id,
        "municipality": record.municipality,
        "plate": parse_plate(record.plate).to_json(),
        "years": [_year_answer(paid) for paid in record.years],
        "rounding_rial": format_rial(record.rounding_rial),
        "fee_rial": format_rial(record.fee_rial),
        "amount_rial": format_rial(record.amount_rial),
        "paid_at": to_rfc3339(record.paid_at),
        "reference": record.reference,
        "gateway": record.gateway,
        "trace_hash": record.trace_hash,
    }
    chain = {
        "supersedes": record.supersedes,
        "superseded_by": record.superseded_by,
        "ended_at": to_rfc3339(record.ended_at) if record.ended_at else "",
        "reissue_reason": record.reissue_reason,
    }
    answer |= {name: text for name, text in chain.items() if text}
    if record.paid_through is not None:
        answer |= {
            "paid_through_year": record.paid_through,
            "as_of": record.as_of,
            "not_assessed_before": record.not_assessed_before,
            "cities": list(record.cities),
        }
    if record.message is not None and record.issued_at is not None:
        answer["issued_at"] = to_rfc3339(record.issued_at)
    if record.message is not None and record.status is not CertificateStatus.PREPARING:
        answer["link"] = link.to_link(record.message, setting("PUBLIC_ORIGIN"))
        answer["pdf_sha256"] = record.pdf_sha256
        answer["pdf_a5_sha256"] = record.pdf_a5_sha256
    return answer


def _listed(record: CertificateRecord) -> dict[str, Any]:
    return {
        "certificate_id": record.certificate_id,
        "status": record.status.value,
        "kind": record.kind.text,
        "municipality": record.municipality,
        "years": [paid.year for paid in record.years],
        "amount_rial": format_rial(record.amount_rial),
        "paid_at": to_rfc3339(record.paid_at),
    }


def _year_answer(paid: YearPaid) -> dict[str, Any]:
    answer: dict[str, Any] = {"year": paid.year, "amount_rial": format_rial(paid.amount_rial)}
    if paid.municipality:
        answer |= {
            "municipality": paid.municipality,
            "paid_on": paid.paid_on.isoformat() if paid.paid_on else None,
            "reference": paid.reference,
            "waived_rial": format_rial(paid.waived_rial),
        }
    return answer


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The Lambda entry point."""
    return router.handle(event, context)
