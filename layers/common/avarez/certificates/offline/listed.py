"""Obligation 10 without a network: whether a certificate ended, from signed status lists that were kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from avarez.certificates.jwks import KeySet
from avarez.certificates.payload import SHARD_PLACES
from avarez.certificates.status import CertificateStatus
from avarez.certificates.status_list import LIST_PATH, StatusList, StatusListError, read_list
from avarez.certificates.verification import Outcome, Reason, Verdict, judge_status

#: Ends are for good: an old list that says so is as true as a new one.
_ENDS: Final = (CertificateStatus.REVOKED, CertificateStatus.SUPERSEDED)


@dataclass(frozen=True, slots=True)
class Listed:
    """The outcome, and when the list that decided was issued; None where no list reaches the certificate."""

    outcome: Outcome
    status_as_of: datetime | None = None


def check_listed(signed: Outcome, tokens: Iterable[bytes], keys: KeySet, now: datetime) -> Listed:
    """Obligation 10 on top of an outcome whose signature is good; any other comes back unchanged.

    Of several lists the one that was issued last decides. One that is too old for "in force" leaves the question
    open since it was issued. Obligations 7 to 9 are not asked: that we issued it is what the signature says.
    """
    if not signed.signature_good or signed.payload is None:
        return Listed(signed)
    index, refused = signed.payload.status_index, False
    found: list[tuple[StatusList, CertificateStatus]] = []
    for token in tokens if index is not None else ():
        try:
            known = read_list(token, keys, now=now)
        except StatusListError:
            refused = True
            continue
        status = status_in(known, index or 0)
        if status is not None:
            found.append((known, status))
    if not found:
        reason = Reason.STATUS_LIST_REFUSED if refused else Reason.STATUS_NOT_LISTED
        return Listed(_decided(signed, Verdict.CANNOT_TELL, reason))
    last, status = max(found, key=lambda one: one[0].issued_at)
    if status not in _ENDS and not last.is_fresh(now):
        return Listed(_decided(signed, Verdict.CANNOT_TELL, Reason.STATUS_TOO_OLD), last.issued_at)
    return Listed(_decided(signed, *judge_status(status)), last.issued_at)


def status_in(known: StatusList, index: int) -> CertificateStatus | None:
    """What the list says of this index; None where it is of other certificates, or does not reach."""
    path = urlsplit(known.subject).path
    shard, place = divmod(index, SHARD_PLACES)
    if path == LIST_PATH:
        return known.status(index)
    return known.status(place) if path == f"{LIST_PATH}/{shard}" else None


def _decided(signed: Outcome, verdict: Verdict, reason: Reason) -> Outcome:
    return replace(signed, verdict=verdict, reason=reason, obligation=10)
