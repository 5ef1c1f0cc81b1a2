"""Obligation 10 without a network: whether a certificate ended, from signed status lists that were kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from avarez.certificates.jwks import KeySet
from avarez.certificates.status import SHARD_PLACES, CertificateStatus
from avarez.certificates.status_list import LIST_PATH, StatusList, StatusListError, read_list
from avarez.certificates.verification import Outcome, Reason, Verdict, judge_status

#: Ends are for good: an old list that says so is as true as a new one.
_ENDS: Final = (CertificateStatus.REVOKED, CertificateStatus.SUPERSEDED)


@dataclass(frozen=True, slots=True)
class Listed:
    """The outcome, and when the list that decided was issued; None where no list reaches the certificate."""

    outcome: Outcome
    status_as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class KeptLists:
    """The lists at hand whose signatures are good, and whether there were others."""

    known: tuple[StatusList, ...] = ()
    refused: bool = False


def read_lists(tokens: Iterable[bytes], keys: KeySet, now: datetime) -> KeptLists:
    """Each token that is a list of ours, by a key that is not stolen; once for any number of certificates."""
    known, refused = [], False
    for token in tokens:
        try:
            known.append(read_list(token, keys, now=now))
        except StatusListError:
            refused = True
    return KeptLists(tuple(known), refused)


def check_listed(signed: Outcome, lists: KeptLists, now: datetime) -> Listed:
    """Obligation 10 on top of an outcome whose signature is good; any other comes back unchanged.

    Of several lists the one that was issued last decides. One that is too old for "in force" leaves the question
    open since it was issued. Obligations 7 to 9 are not asked: that we issued it is what the signature says.
    """
    if not signed.signature_good or signed.payload is None:
        return Listed(signed)
    index = signed.payload.status_index
    if index is None:
        return Listed(_decided(signed, Verdict.CANNOT_TELL, Reason.STATUS_NOT_LISTED))
    said = [(known, status_in(known, index)) for known in lists.known]
    found = [(known, status) for known, status in said if status is not None]
    if not found:
        reason = Reason.STATUS_LIST_REFUSED if lists.refused else Reason.STATUS_NOT_LISTED
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
