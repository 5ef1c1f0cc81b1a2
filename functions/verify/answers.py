"""A judgement as it is answered: verdict, reason, since when, and what the signed payload says."""

from __future__ import annotations

from typing import Any

from avarez.certificates.payload import CertificatePayload
from avarez.certificates.short_code import printed, short_code
from avarez.clock import to_rfc3339
from avarez.jalali import format_jalali
from avarez.money import format_rial
from avarez.plates import parse_plate
from functions.verify.check import Judgement


def judgement_answer(judgement: Judgement, *, masked: bool) -> dict[str, Any]:
    """The answer's members; the certificate only where its signature is good."""
    outcome = judgement.outcome
    answer: dict[str, Any] = {
        "verdict": outcome.verdict.value,
        "reason": outcome.reason.value,
        "status_as_of": to_rfc3339(judgement.status_as_of) if judgement.status_as_of else None,
    }
    if outcome.superseded_by:
        answer["superseded_by"] = outcome.superseded_by
    if outcome.payload is not None:
        answer["certificate"] = certificate_answer(outcome.payload, masked=masked)
        if judgement.file_sha256 is not None:
            answer["file_sha256"] = judgement.file_sha256
    return answer


def certificate_answer(content: CertificatePayload, *, masked: bool) -> dict[str, Any]:
    """What the signed payload says. No owner stands in it; a masked plate has no key."""
    plate = parse_plate(content.plate)
    answer: dict[str, Any] = {
        "certificate_id": content.certificate_id,
        "short_code": printed(short_code(content.certificate_id)),
        "kind": content.kind.text,
        "municipality": content.municipality,
        "plate": plate.masked().to_json() if masked else plate.to_json(),
        "years": list(content.years),
        "amount_rial": format_rial(content.amount_rial),
        "paid_on": content.paid_on.isoformat(),
        "paid_on_jalali": format_jalali(content.paid_on),
        "issued_at": to_rfc3339(content.issued_at),
        "status_index": content.status_index,
    }
    if content.paid_through is not None:
        answer["paid_through_year"] = content.paid_through
    return answer
