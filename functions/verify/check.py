"""The use case: what is shown is judged against our keys and our record, and always gets a verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Protocol

from avarez.certificates.document import NoMessage, message_in_pdf
from avarez.certificates.jwks import KeySet
from avarez.certificates.short_code import read_short_code
from avarez.certificates.verification import (
    IssuedRecord,
    LoggedBefore,
    Outcome,
    Reason,
    Verdict,
    check_message,
    check_record,
    check_text,
)
from avarez.errors import ServiceBusy
from avarez.ids import is_id
from avarez.plates import read_plate


class Issued(Protocol):
    """The register, as a check sees it. Each raises `ServiceBusy` when it cannot be reached."""

    def find(self, certificate_id: str) -> IssuedRecord | None: ...

    def certificate_of_code(self, code: str, plate: str) -> str | None: ...

    def keys(self, *, fresh: bool = False) -> KeySet: ...

    def logged_before(self, message: bytes, instant: datetime) -> bool | None:
        """Whether the log held the message before `instant`: yes, it never held it, or None: since later."""
        ...


@dataclass(frozen=True, slots=True)
class Judgement:
    """The outcome, and since when it stands; no instant where no status was read.

    `file_sha256` is that of the PDF as it was issued, for whoever holds a file and checks it himself.
    """

    outcome: Outcome
    status_as_of: datetime | None = None
    file_sha256: str | None = None


def check_shown_text(text: str, *, issued: Issued, now: datetime) -> Judgement:
    """The verdict on a link, a fragment or digits."""
    signed = _with_known_key(lambda keys: check_text(text, keys, _log_of(issued)), issued)
    return _with_record(signed, issued, now)


def check_shown_pdf(pdf: bytes, *, issued: Issued, now: datetime) -> Judgement:
    """The verdict on a PDF: its attached message counts, and the file must be the one that was issued."""
    try:
        message = message_in_pdf(pdf)
    except NoMessage:
        return Judgement(Outcome(Verdict.UNREADABLE, Reason.NO_MESSAGE_IN_FILE, 1))
    signed = _with_known_key(lambda keys: check_message(message, keys, _log_of(issued)), issued)
    return _with_record(signed, issued, now, file_sha256=sha256(pdf).hexdigest())


def check_number(certificate_id: str, *, issued: Issued, now: datetime) -> Judgement:
    """The verdict on an id alone: the message that we keep under it is judged like one that was shown."""
    if not is_id("ce", certificate_id):
        return Judgement(Outcome(Verdict.UNREADABLE, Reason.NOT_A_CERTIFICATE, 1))
    try:
        record = issued.find(certificate_id)
    except ServiceBusy:
        return Judgement(_UNREACHABLE)
    if record is None:
        return Judgement(Outcome(Verdict.UNKNOWN, Reason.CERTIFICATE_UNKNOWN, 7), now)
    if record.message is None:
        return Judgement(Outcome(Verdict.CANNOT_TELL, Reason.IN_PREPARATION, 10), now)
    message = record.message
    signed = _with_known_key(lambda keys: check_message(message, keys, _log_of(issued)), issued)
    return Judgement(check_record(signed, record), now, record.pdf_sha256)


def check_code(code: str, plate: str, *, issued: Issued, now: datetime) -> Judgement:
    """The verdict on a typed short code with the plate of the car: without the right plate nothing is found."""
    digits = read_short_code(code)
    if digits is None:
        return Judgement(Outcome(Verdict.UNREADABLE, Reason.CODE_MISTYPED, 1))
    car = read_plate(plate)
    try:
        certificate_id = None if car is None else issued.certificate_of_code(digits, car.key)
    except ServiceBusy:
        return Judgement(_UNREACHABLE)
    if certificate_id is None:
        return Judgement(Outcome(Verdict.UNKNOWN, Reason.CERTIFICATE_UNKNOWN, 7), now)
    return check_number(certificate_id, issued=issued, now=now)


_UNREACHABLE = Outcome(Verdict.CANNOT_TELL, Reason.RECORD_UNREACHABLE, 7)


def _with_known_key(check: Callable[[KeySet], Outcome], issued: Issued) -> Outcome:
    """The outcome with the keys at hand; a key that is not among them is looked for once more."""
    try:
        outcome = check(issued.keys())
        if outcome.reason in (Reason.KEY_UNKNOWN, Reason.KEYS_MISSING):
            outcome = check(issued.keys(fresh=True))
    except ServiceBusy:
        return Outcome(Verdict.CANNOT_TELL, Reason.KEYS_MISSING, 3)
    return outcome


def _log_of(issued: Issued) -> LoggedBefore:
    """The log's register as obligation 6 asks it; out of reach, nothing can be told."""

    def logged_before(message: bytes, instant: datetime) -> bool | None:
        try:
            return issued.logged_before(message, instant)
        except ServiceBusy:
            return None

    return logged_before


def _with_record(signed: Outcome, issued: Issued, now: datetime, *, file_sha256: str | None = None) -> Judgement:
    if not signed.signature_good or signed.payload is None:
        return Judgement(signed)
    try:
        record = issued.find(signed.payload.certificate_id)
    except ServiceBusy:
        return Judgement(
            replace(signed, verdict=Verdict.CANNOT_TELL, reason=Reason.RECORD_UNREACHABLE, obligation=7)
        )
    return Judgement(check_record(signed, record, file_sha256=file_sha256), now)
