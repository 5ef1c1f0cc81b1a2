"""What makes a certificate valid: ten obligations, checked in this order; the first that fails gives the verdict.

 1. The text holds all digits of one message.                                    else `unreadable`
 2. The message is a COSE_Sign1 in its one spelling.                             else `unreadable`
 3. Its key id names one of our keys.                                            else `unknown`
 4. That key signed exactly these bytes, r and s in range and s low.             else `tampered`
 5. The payload is a certificate of a version that is known here.                else `unreadable`, `cannot_tell`
 6. The key is not compromised, or the log held the message before it was.       else `tampered`, `cannot_tell`
 7. We issued a certificate with this id.                                        else `unknown`, `cannot_tell`
 8. What we issued under this id is this very message.                           else `tampered`
 9. The file that carried it, if there was one, is a file that was issued.       else `tampered`
10. Its status is known, recent, and "in force".          else `revoked`, `superseded`, `cannot_tell`

1 to 6 need nothing but the keys (`check_text`, `check_message`) and, of a compromised key's certificate, the log's
word; 7 to 10 need our record (`check_record`), or 10 alone a signed status list (`offline.listed`). A verdict is a
value: nothing here raises for a bad certificate. The browser's page carries out the same list under the same
numbers and reasons (`tests/data/certificate_vectors.json`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from hmac import compare_digest
from typing import assert_never

from avarez.certificates import cose, link
from avarez.certificates import payload as payloads
from avarez.certificates.jwks import KeySet, KeyStatus, SigningKey
from avarez.certificates.payload import CertificatePayload
from avarez.certificates.status import CertificateStatus


class Verdict(StrEnum):
    """The seven answers. Only `valid` means: accept it."""

    VALID = "valid"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"
    TAMPERED = "tampered"
    UNREADABLE = "unreadable"
    UNKNOWN = "unknown"
    CANNOT_TELL = "cannot_tell"


class Reason(StrEnum):
    """Why the verdict is what it is; `docs/certificates.md` lists them with the obligation they belong to."""

    IN_FORCE = "in_force"
    SIGNATURE_GOOD_STATUS_NOT_CHECKED = "signature_good_status_not_checked"
    TEXT_INCOMPLETE = "text_incomplete"
    NO_MESSAGE_IN_FILE = "no_message_in_file"
    NOT_A_CERTIFICATE = "not_a_certificate"
    CODE_MISTYPED = "code_mistyped"
    MESSAGE_MALFORMED = "message_malformed"
    KEY_UNKNOWN = "key_unknown"
    KEYS_MISSING = "keys_missing"
    SIGNATURE_BAD = "signature_bad"
    PAYLOAD_MALFORMED = "payload_malformed"
    VERSION_UNKNOWN = "version_unknown"
    KEY_COMPROMISED = "key_compromised"
    NOT_LOGGED_BEFORE_COMPROMISE = "not_logged_before_compromise"
    RECORD_UNREACHABLE = "record_unreachable"
    CERTIFICATE_UNKNOWN = "certificate_unknown"
    MESSAGE_DIFFERS = "message_differs"
    FILE_DIFFERS = "file_differs"
    FOREIGN_ORIGIN = "foreign_origin"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"
    IN_PREPARATION = "in_preparation"
    STATUS_TOO_OLD = "status_too_old"
    STATUS_NOT_LISTED = "status_not_listed"
    STATUS_LIST_REFUSED = "status_list_refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A verdict with its reason, the number of the obligation that decided, and what the certificate says.

    `payload` is set only when the signature over it is good (obligations 1 to 5). `superseded_by` names the
    certificate that took the place of this one, where our record says so.
    """

    verdict: Verdict
    reason: Reason
    obligation: int
    payload: CertificatePayload | None = None
    message: bytes | None = None
    superseded_by: str | None = None

    @property
    def signature_good(self) -> bool:
        """Whether obligations 1 to 6 hold, so that only our record is left to ask."""
        return self.reason is Reason.SIGNATURE_GOOD_STATUS_NOT_CHECKED


@dataclass(frozen=True, slots=True)
class IssuedRecord:
    """What we, or a status list, know of a certificate id; None where the source does not say."""

    status: CertificateStatus
    message: bytes | None = None
    pdf_sha256: str | None = None
    pdf_a5_sha256: str | None = None
    superseded_by: str | None = None

    def issued_file(self, file_sha256: str) -> bool:
        """Whether a file with this hash was issued, on either paper; true where no hash is known."""
        known = [one for one in (self.pdf_sha256, self.pdf_a5_sha256) if one]
        return not known or any(compare_digest(file_sha256, one) for one in known)


LoggedBefore = Callable[[bytes, datetime], bool | None]
"""Whether the log held a message before an instant: yes; no, it never held it; None where it cannot be told."""


def log_not_seen(message: bytes, instant: datetime) -> None:
    """What is known of the log by somebody who has neither asked it nor has a proof file."""


def check_text(text: str, keys: KeySet, logged_before: LoggedBefore = log_not_seen) -> Outcome:
    """Obligations 1 to 6 for what a camera or a person read: whole link, fragment or digits."""
    try:
        scanned = link.read(text)
    except link.Unreadable:
        return Outcome(Verdict.UNREADABLE, Reason.TEXT_INCOMPLETE, 1)
    return check_message(scanned.message, keys, logged_before)


def check_message(message: bytes, keys: KeySet, logged_before: LoggedBefore = log_not_seen) -> Outcome:
    """Obligations 2 to 6. `valid` here means: signature good, status not checked.

    `logged_before` is asked only about certificates of a compromised key, once the signature is good.
    """
    try:
        parts = cose.parse(message)
    except cose.CoseError:
        return Outcome(Verdict.UNREADABLE, Reason.MESSAGE_MALFORMED, 2)
    if not keys:
        return Outcome(Verdict.CANNOT_TELL, Reason.KEYS_MISSING, 3)
    key = keys.get(parts.key_id)
    if key is None:
        return Outcome(Verdict.UNKNOWN, Reason.KEY_UNKNOWN, 3)
    if not cose.verify(parts, key.public_key):
        return Outcome(Verdict.TAMPERED, Reason.SIGNATURE_BAD, 4)
    try:
        content = payloads.decode(parts.payload)
    except payloads.NewerVersion:
        return Outcome(Verdict.CANNOT_TELL, Reason.VERSION_UNKNOWN, 5)
    except payloads.PayloadError:
        return Outcome(Verdict.UNREADABLE, Reason.PAYLOAD_MALFORMED, 5)
    verdict, reason = _judge_key(key, message, logged_before)
    return Outcome(verdict, reason, 6, content, message)


def _judge_key(key: SigningKey, message: bytes, logged_before: LoggedBefore) -> tuple[Verdict, Reason]:
    """Obligation 6: a thief can sign as of any day, but puts nothing under a root that was signed before."""
    if key.status is not KeyStatus.COMPROMISED:
        return Verdict.VALID, Reason.SIGNATURE_GOOD_STATUS_NOT_CHECKED
    in_time = None if key.compromised_at is None else logged_before(message, key.compromised_at)
    if in_time is None:
        return Verdict.CANNOT_TELL, Reason.KEY_COMPROMISED
    if in_time:
        return Verdict.VALID, Reason.SIGNATURE_GOOD_STATUS_NOT_CHECKED
    return Verdict.TAMPERED, Reason.NOT_LOGGED_BEFORE_COMPROMISE


def check_record(
    signed: Outcome,
    record: IssuedRecord | None,
    *,
    file_sha256: str | None = None,
) -> Outcome:
    """Obligations 7 to 10 on top of an outcome whose signature is good; any other comes back unchanged.

    `file_sha256` (lower-case hex) is the hash of the whole PDF, when a PDF was shown.
    """
    if not signed.signature_good:
        return signed
    if record is None:
        return replace(signed, verdict=Verdict.UNKNOWN, reason=Reason.CERTIFICATE_UNKNOWN, obligation=7)
    if record.message is not None and not compare_digest(record.message, signed.message or b""):
        return replace(signed, verdict=Verdict.TAMPERED, reason=Reason.MESSAGE_DIFFERS, obligation=8)
    if file_sha256 and not record.issued_file(file_sha256):
        return replace(signed, verdict=Verdict.TAMPERED, reason=Reason.FILE_DIFFERS, obligation=9)
    verdict, reason = judge_status(record.status)
    successor = record.superseded_by if verdict is Verdict.SUPERSEDED else None
    return replace(signed, verdict=verdict, reason=reason, obligation=10, superseded_by=successor)


def judge_status(status: CertificateStatus) -> tuple[Verdict, Reason]:
    """Obligation 10: the verdict that a status gives to a certificate whose signature is good."""
    match status:
        case CertificateStatus.IN_FORCE:
            return Verdict.VALID, Reason.IN_FORCE
        case CertificateStatus.REVOKED:
            return Verdict.REVOKED, Reason.REVOKED
        case CertificateStatus.SUPERSEDED:
            return Verdict.SUPERSEDED, Reason.SUPERSEDED
        case CertificateStatus.PREPARING:
            return Verdict.CANNOT_TELL, Reason.IN_PREPARATION
        case _:
            assert_never(status)
