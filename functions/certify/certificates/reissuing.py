"""The use case: the paper is lost, and another one says the same; the old one is superseded at that moment.

At most one certificate is in force for a duty, so the old one ends in the transaction that asks for the new one.
What replaced what stays in both records.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from avarez.certificates.status import CertificateStatus
from avarez.errors import CertificateInPreparation, CertificateNotInForce
from avarez.ids import new_id
from functions.certify.certificates.record import CertificateRecord


class ReissueReason(StrEnum):
    """Why another paper is wanted: a closed set, so that nobody's name comes into a log."""

    LOST = "lost"
    DAMAGED = "damaged"
    STOLEN = "stolen"
    NEVER_RECEIVED = "never_received"


@dataclass(frozen=True, slots=True)
class Reissue:
    """Who asked for another paper, where and why; kept with the new certificate."""

    certificate_id: str
    reason: ReissueReason
    by: str
    office: str
    at: datetime


class Reissues(Protocol):
    """What a reissue writes."""

    def supersede(self, old: CertificateRecord, reissue: Reissue) -> None:
        """Ends `old` and asks for its successor, both or neither.

        Raises: TransactionRefused when `old` is not in force any more.
        """
        ...


def reissue_certificate(
    old: CertificateRecord, *, reason: ReissueReason, by: str, office: str, reissues: Reissues, now: datetime
) -> str:
    """The id of the certificate that takes the place of `old`; its PDF comes within seconds.

    Raises:
        CertificateInPreparation: the paper is being made for the first time.
        CertificateNotInForce: it ended already; `superseded_by` names what took its place.
    """
    if old.status is CertificateStatus.PREPARING:
        raise CertificateInPreparation(retry_after_s=2)
    if old.status is not CertificateStatus.IN_FORCE:
        extra = {"superseded_by": old.superseded_by} if old.superseded_by else {}
        raise CertificateNotInForce(extra=extra)
    reissue = Reissue(new_id("ce", now), reason, by, office, now)
    reissues.supersede(old, reissue)
    return reissue.certificate_id
