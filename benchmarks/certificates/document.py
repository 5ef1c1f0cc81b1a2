"""What a certificate costs: the page, its QR, and checking its signature."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from avarez.certificates import cose, jwks, link
from avarez.certificates import payload as payloads
from avarez.certificates.payload import Kind
from avarez.certificates.status import CertificateStatus
from avarez.certificates.verification import IssuedRecord, Verdict, check_record, check_text
from avarez.ids import new_id
from benchmarks.report import Figure, at_most, plain
from functions.certify.certificates.record import CertificateRecord, YearPaid, payload_of
from functions.certify.document.page import MunicipalityName, PageContent, page_content
from functions.certify.document.render import qr_svg, render

Made = TypeVar("Made")
GROUP = "a certificate of 11 years"
ORIGIN = "https://avarez.example"
AT = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
WHOLE_OVER_BARE = 3.0
"""All that is parsed, decoded and compared may cost twice what the curve costs, and no more."""
YEARS = tuple(YearPaid(year, 2_400_000 + year) for year in range(1395, 1406))


class LocalSigner:
    """A Signer with a key of its own, for this process alone."""

    def __init__(self) -> None:
        self._private = ec.generate_private_key(ec.SECP256R1())
        public = self._private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.jwk = jwks.key_from_der(public)

    @property
    def kid(self) -> bytes:
        return jwks.key_id(self.jwk)

    def sign(self, message: bytes) -> bytes:
        return cose.raw_from_der(self._private.sign(message, ec.ECDSA(SHA256())))


def unsigned(certificate_id: str, at: datetime, plate: str, years: tuple[YearPaid, ...]) -> CertificateRecord:
    """A settled payment's record, as the issuer finds it."""
    return CertificateRecord(
        certificate_id=certificate_id,
        payment_id="py_" + "0" * 36,
        kind=Kind.PAYMENT,
        status=CertificateStatus.PREPARING,
        municipality="TEHRAN",
        plate=plate,
        vehicle_id="ve_1",
        years=years,
        rounding_rial=0,
        fee_rial=0,
        amount_rial=sum(paid.amount_rial for paid in years),
        paid_at=at,
        trace_hash="ab" * 32,
        reference="1795491390157502431934",
        gateway="sandbox",
        message=None,
        issued_at=None,
        pdf_sha256=None,
        status_index=24_000_000,
    )


def sample(signer: LocalSigner) -> tuple[PageContent, str]:
    """The content of a page, and the link that its QR says."""
    record = unsigned(new_id("ce", AT), AT, "12B345-67", YEARS)
    message = cose.sign(payloads.encode(payload_of(record, issued_at=AT)), signer)
    signed = replace(record, message=message, issued_at=AT)
    content = page_content(signed, origin=ORIGIN, name_of=lambda _: MunicipalityName("تهران", "Tehran"))
    return content, link.to_link(message, ORIGIN)


def figures(root: Path, rounds: int) -> list[Figure]:
    """Milliseconds for each part, and the size of the file."""
    signer = LocalSigner()
    contents = [sample(signer) for _ in range(rounds)]
    render(contents[0][0])
    pdfs = [_timed(partial(render, content)) for content, _ in contents]
    cold = [_cold(root) for _ in range(3)]
    return [
        plain(GROUP, "PDF, warm", [ms for ms, _ in pdfs], "ms"),
        plain(GROUP, "PDF, first of a process (with imports)", cold, "ms", 0),
        plain(GROUP, "PDF, size", [len(pdf) / 1000 for _, pdf in pdfs], "kB"),
        plain(GROUP, "of which the QR", [_timed(partial(qr_svg, text))[0] for _, text in contents], "ms", 2),
        plain(GROUP, "signed message", [float(len(contents[0][0].message))], "bytes", 0),
    ]


def signatures(rounds: int, count: int) -> list[Figure]:
    """Signatures and verifications of one core's second, and the whole verification over its bare signature check.

    The whole is all ten obligations, from the scanned link to the record at hand; bare is OpenSSL's check of the
    same signature over the same bytes, parsed beforehand. Both take turns, and each turn gives one ratio.
    """
    signer = LocalSigner()
    content, text = sample(signer)
    keys = jwks.read_keys({"keys": [jwks.published(signer.jwk, jwks.KeyStatus.ACTIVE)]})
    record = IssuedRecord(CertificateStatus.IN_FORCE, content.message)
    parts = cose.parse(content.message)
    key, signed = keys[parts.key_id].public_key, cose.signing_input(parts.protected, parts.payload)
    r, s = int.from_bytes(parts.signature[:32], "big"), int.from_bytes(parts.signature[32:], "big")
    der, algorithm = encode_dss_signature(r, s), ec.ECDSA(SHA256())

    def whole() -> None:
        if check_record(check_text(text, keys), record).verdict is not Verdict.VALID:
            raise RuntimeError("a genuine certificate is refused")

    whole_us, bare_us, signing_us = list[float](), list[float](), list[float]()
    for _ in range(rounds):
        bare_us.append(_each_us(partial(key.verify, der, signed, algorithm), count))
        whole_us.append(_each_us(whole, count))
        signing_us.append(_each_us(partial(cose.sign, parts.payload, signer), count))
    ratios = [one / other for one, other in zip(whole_us, bare_us, strict=True)]
    return [
        plain(GROUP, "signed by a key in this process", [1_000_000 / us for us in signing_us], "a second", 0),
        plain(GROUP, "verified, link to verdict", [1_000_000 / us for us in whole_us], "a second", 0),
        plain(GROUP, "the bare check of a signature", [1_000_000 / us for us in bare_us], "a second", 0),
        at_most(GROUP, "the whole verification over its bare check", ratios, "times", WHOLE_OVER_BARE, 2),
    ]


def _each_us(work: Callable[[], object], count: int) -> float:
    """Microseconds of this process's CPU for one of `count`: what else the machine does is not in it."""
    started = time.process_time()
    for _ in range(count):
        work()
    return (time.process_time() - started) / count * 1_000_000


def _timed(work: Callable[[], Made]) -> tuple[float, Made]:
    started = time.perf_counter()
    made = work()
    return (time.perf_counter() - started) * 1000, made


def _cold(root: Path) -> float:
    started = time.perf_counter()
    code = "from benchmarks.certificates import document as d; d.render(d.sample(d.LocalSigner())[0])"
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True)
    return (time.perf_counter() - started) * 1000
