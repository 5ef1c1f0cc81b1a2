"""The use case: one settled payment gives exactly one certificate, however often its event arrives.

Each step may be repeated after a crash at any point, and each leaves the outbox row until the last one:

1. take a place in the status list, once for this certificate
2. sign, and keep the message where none is kept yet; whoever comes second takes the first one's message
3. typeset on each paper: the same record and message give the same bytes
4. store each file under its content's hash, read back, compare
5. in one transaction: the certificate is in force, the outbox row is gone
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Final, Protocol

from avarez.certificates import cose
from avarez.certificates import payload as payloads
from avarez.certificates.jwks import KeyStatus, published, read_keys
from avarez.certificates.status import draw_index
from avarez.certificates.verification import check_message
from avarez.clock import tehran_today
from avarez.errors import CertificateNotFound, ServiceBusy
from avarez.ids import lot
from avarez.jalali import to_jalali
from avarez.ports import Signer
from functions.certify.certificates.outbox import OutboxKey
from functions.certify.certificates.record import CertificateRecord, Paper, RecordUnsound, payload_of

#: With three places of four taken, at the end of a full year, one draw in four succeeds: 64 fail once in 10**8.
DRAWS_MAX: Final = 64
#: A second rotation within one signature is an operator's mistake at most.
SIGNINGS_MAX: Final = 3


class Issue(StrEnum):
    """How a wake-up ended."""

    ISSUED = "issued"
    ALREADY_ISSUED = "already_issued"


class PublicSigner(Signer, Protocol):
    """A signer that also shows its public key."""

    @property
    def jwk(self) -> dict[str, str]:
        """The public key's JWK members kty, crv, x, y."""
        ...


class Certificates(Protocol):
    """The records and the outbox."""

    def certificate_of(self, outbox: OutboxKey) -> str | None:
        """The id of the certificate that this outbox row asks for; None when the row is gone."""
        ...

    def find(self, certificate_id: str) -> CertificateRecord | None:
        """The record, read consistently."""
        ...

    def take_place(self, record: CertificateRecord, index: int) -> CertificateRecord | None:
        """Gives the place `index` of the status list to the certificate, unless it has one already.

        The record as it then stands; None when the place is another certificate's.
        """
        ...

    def keep_message(
        self, record: CertificateRecord, message: bytes, kid: bytes, issued_at: datetime
    ) -> CertificateRecord:
        """Keeps `message` unless one is kept, and makes its code and its log entry possible; the record."""
        ...

    def finish(
        self, record: CertificateRecord, outbox: OutboxKey, files: Mapping[Paper, str], stored_at: datetime
    ) -> None:
        """Puts the certificate in force with the hashes of its files and deletes the outbox row, or neither."""
        ...


class Documents(Protocol):
    """The files, under their content's hash."""

    def keep(self, pdf: bytes, content_sha256: str) -> None:
        """Stores the file and returns only when reading it back gives these bytes."""
        ...


def issue_certificate(
    outbox: OutboxKey,
    *,
    certificates: Certificates,
    documents: Documents,
    signer: Callable[[], PublicSigner],
    typeset: Callable[[CertificateRecord], Mapping[Paper, bytes]],
    now: datetime,
) -> Issue:
    """Issues the certificate that `outbox` asks for; repeating it, at once or later, changes nothing more.

    Raises: ServiceBusy and whatever else a port raises; the outbox row then still stands and is tried again.
    """
    certificate_id = certificates.certificate_of(outbox)
    if certificate_id is None:
        return Issue.ALREADY_ISSUED
    record = certificates.find(certificate_id)
    if record is None:
        raise CertificateNotFound()
    if record.message is None:
        record = _sign(_with_place(record, certificates, now), certificates, signer, now)
    files: dict[Paper, str] = {}
    for paper, pdf in typeset(record).items():
        files[paper] = sha256(pdf).hexdigest()
        documents.keep(pdf, files[paper])
    certificates.finish(record, outbox, files, now)
    return Issue.ISSUED


def _with_place(record: CertificateRecord, certificates: Certificates, now: datetime) -> CertificateRecord:
    """The record with its place in the status list: the one it has, or one drawn among the free ones.

    Raises: ServiceBusy when chance gave only taken places; the next attempt draws others.
    """
    if record.status_index is not None:
        return record
    year = to_jalali(tehran_today(now)).year
    for _ in range(DRAWS_MAX):
        placed = certificates.take_place(record, draw_index(year, lot))
        if placed is not None:
            return placed
    raise ServiceBusy()


def _sign(
    record: CertificateRecord,
    certificates: Certificates,
    signer: Callable[[], PublicSigner],
    now: datetime,
) -> CertificateRecord:
    """The record with its message: ours, or the one that somebody kept a moment earlier.

    The signature is checked before it is kept. Which key signs is asked again after signing: a message of a key
    that was rotated out or stolen meanwhile is thrown away and signed anew.

    Raises: ServiceBusy when the keys change faster than we sign.
    """
    content = payload_of(record, issued_at=now)
    encoded = payloads.encode(content)
    signing = signer()
    for _ in range(SIGNINGS_MAX):
        message = cose.sign(encoded, signing)
        keys = read_keys({"keys": [published(signing.jwk, KeyStatus.ACTIVE)]})
        outcome = check_message(message, keys)
        if not outcome.signature_good or outcome.payload != content:
            raise RecordUnsound("the signer's signature does not verify")
        used, signing = signing, signer()
        if signing.kid == used.kid:
            return certificates.keep_message(record, message, used.kid, content.issued_at)
    raise ServiceBusy()
