"""PDFs of certificates, damaged and rebuilt in the ways that a forger or a bad copy does."""

from __future__ import annotations

import hashlib
import io
import random
import re
from collections import Counter
from datetime import UTC, datetime
from functools import cache
from typing import Final

import pikepdf

from avarez.certificates import payload
from avarez.certificates.document import ATTACHMENT
from avarez.certificates.jwks import KeySet
from avarez.certificates.status import CertificateStatus
from avarez.certificates.verification import IssuedRecord, Verdict
from benchmarks.certificates.document import YEARS
from functions.certify.certificates.record import YearPaid
from functions.verify.check import check_shown_pdf
from tests.data.certificate_vectors import STRANGER, message_of
from tests.properties.forgeries import KEYS, random_payload
from tests.unit.certificates.test_document import pdf_of, record

NOW: Final = datetime(2026, 11, 27, tzinfo=UTC)


@cache
def genuine() -> tuple[tuple[bytes, bytes], ...]:
    """Files as issued, each with its signed message."""
    records = [record(), record("123-45678", (YearPaid(1404, 1_000),)), record("X-NAAM01CA8DE123456", YEARS[:3])]
    return tuple((pdf_of(signed), signed.message or b"") for signed in records)


class _Issued:
    """The register: this one file under every id."""

    def __init__(self, pdf: bytes) -> None:
        self._record = IssuedRecord(CertificateStatus.IN_FORCE, pdf_sha256=hashlib.sha256(pdf).hexdigest())

    def find(self, certificate_id: str) -> IssuedRecord:
        return self._record

    def certificate_of_code(self, code: str, plate: str) -> str | None:
        return None

    def keys(self, *, fresh: bool = False) -> KeySet:
        return KEYS

    def logged_before(self, message: bytes, instant: datetime) -> bool:
        return False


def judge_files(seed: str, count: int) -> tuple[Counter[tuple[str, str]], list[str]]:
    """How often each way met each verdict; and what was accepted, or carried a message that we did not sign."""
    draw, seen, accepted = random.Random(seed), Counter[tuple[str, str]](), list[str]()
    for number in range(count):
        way, file, pdf, message = _changed(draw)
        verdict = check_shown_pdf(file, issued=_Issued(pdf), now=NOW).outcome
        seen[way, verdict.verdict.value] += 1
        if verdict.verdict is Verdict.VALID:
            accepted.append(f"{seed} {number}: {way}")
        if verdict.payload is not None and verdict.message not in _signed_by_us(message, way):
            accepted.append(f"{seed} {number}: {way} carries another message")
    return seen, accepted


def changed(draw: random.Random) -> tuple[str, bytes]:
    """The way by its name, and a file that is not the one that was issued."""
    way, file, _, _ = _changed(draw)
    return way, file


def _changed(draw: random.Random) -> tuple[str, bytes, bytes, bytes]:
    pdf, message = draw.choice(genuine())
    way, file = _change(draw, pdf)
    while file == pdf:
        way, file = _change(draw, pdf)
    return way, file, pdf, message


def _signed_by_us(message: bytes, way: str) -> tuple[bytes, ...]:
    return tuple(kept for _, kept in genuine()) if way in ("spliced", "other_certificate") else (message,)


def _change(draw: random.Random, pdf: bytes) -> tuple[str, bytes]:
    share = draw.random()
    if share < 0.06:
        return _rebuilt(draw, pdf)
    place = _place(draw, pdf)
    if share < 0.45:
        changed = bytearray(pdf)
        for _ in range(draw.choice((1, 1, 4, 64))):
            changed[_place(draw, pdf)] ^= 1 << draw.randrange(8)
        return "bits_flipped", bytes(changed)
    if share < 0.6:
        return "inserted", pdf[:place] + draw.randbytes(draw.choice((1, 7, 1000))) + pdf[place:]
    if share < 0.75:
        return "removed", pdf[:place] + pdf[place + draw.choice((1, 7, 1000, 40_000)) :]
    if share < 0.85:
        return "cut", pdf[:place]
    if share < 0.9:
        return "appended", pdf + draw.choice((b"\n", b"%", draw.randbytes(100), pdf[-500:]))
    if share < 0.95:
        digits = [match.span() for match in re.finditer(rb"\d+", pdf)]
        start, end = draw.choice(digits)
        return "number_changed", pdf[:start] + str(draw.randrange(10 ** (end - start + 1))).encode() + pdf[end:]
    other, _ = draw.choice(genuine())
    return "spliced", pdf[:place] + other[place:]


def _place(draw: random.Random, pdf: bytes) -> int:
    """Anywhere, but every second time in the file's structure, where a parser has most to go wrong."""
    if draw.random() < 0.5:
        return draw.randrange(len(pdf))
    return draw.choice([match.start() for match in re.finditer(rb" obj|stream|xref|trailer|EOF|/", pdf)])


def _rebuilt(draw: random.Random, pdf: bytes) -> tuple[str, bytes]:
    """A sound file whose attachment is another: what a forger with an editor makes."""
    ways: dict[str, tuple[bytes, ...]] = {
        "other_certificate": (draw.choice(genuine())[1],),
        "stranger_signed": (message_of(payload.encode(random_payload(draw)), STRANGER),),
        "no_attachment": (),
        "noise_attached": (draw.randbytes(draw.choice((0, 1, 200, 2000))),),
    }
    way = draw.choice(sorted(ways))
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        del opened.attachments[ATTACHMENT]
        for content in ways[way]:
            opened.attachments[ATTACHMENT] = pikepdf.AttachedFileSpec(opened, content, filename=ATTACHMENT)
        saved = io.BytesIO()
        opened.save(saved)
    return way, saved.getvalue()
