"""Certificates in memory: what the real issuer of `functions/certify` needs, over the simulator's store.

The signer is a real P-256 key of this process; the page is not typeset, since its bytes matter to nobody here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from avarez import keys
from avarez.certificates import cose, jwks
from avarez.certificates.payload import Kind
from avarez.certificates.status import CertificateStatus
from functions.certify.certificates.outbox import OutboxKey
from functions.certify.certificates.record import CertificateRecord, Paper, YearPaid
from simulation.store import MemoryStore


class LocalSigner:
    """Signs with a key that this process made, as KMS does with one that never leaves it."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    @cached_property
    def jwk(self) -> dict[str, str]:
        public = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return jwks.key_from_der(public)

    @cached_property
    def kid(self) -> bytes:
        return jwks.key_id(self.jwk)

    def sign(self, message: bytes) -> bytes:
        return cose.raw_from_der(self._key.sign(message, ec.ECDSA(SHA256())))


class MemoryDocuments:
    """The files, under their content's hash."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def keep(self, pdf: bytes, content_sha256: str) -> None:
        if sha256(pdf).hexdigest() != content_sha256:
            raise ValueError("the file is not what its name says")
        self.files[content_sha256] = pdf


@dataclass
class MemoryCertificates:
    """The records of what the store has settled, and its outbox."""

    store: MemoryStore
    records: dict[str, CertificateRecord] = field(default_factory=dict)
    places: dict[int, str] = field(default_factory=dict)
    done: dict[str, datetime] = field(default_factory=dict)
    """Since when a row's certificate is in force, by the row's event."""

    def key_of(self, event_id: str) -> OutboxKey:
        payment = self.store.payments[self.store.outbox[event_id]]
        return OutboxKey(*keys.outbox(payment.municipality, payment.payment_id, event_id))

    def certificate_of(self, outbox: OutboxKey) -> str | None:
        if outbox.event_id in self.done:
            return None
        payment_id = self.store.outbox.get(outbox.event_id)
        return None if payment_id is None else self.store.payments[payment_id].certificate_id

    def find(self, certificate_id: str) -> CertificateRecord | None:
        payment_id = self.store.certificates.get(certificate_id)
        if payment_id is None:
            return None
        return self.records.setdefault(certificate_id, self._reserved(certificate_id, payment_id))

    def _reserved(self, certificate_id: str, payment_id: str) -> CertificateRecord:
        payment = self.store.payments[payment_id]
        if payment.settled_at is None:
            raise ValueError(f"{payment_id} has a certificate and is not settled")
        return CertificateRecord(
            certificate_id=certificate_id,
            payment_id=payment_id,
            kind=Kind.PAYMENT,
            status=CertificateStatus.PREPARING,
            municipality=payment.municipality,
            plate=payment.plate,
            vehicle_id=payment.vehicle_id,
            years=tuple(YearPaid(part.year, part.amount_rial) for part in payment.years),
            rounding_rial=payment.rounding_rial,
            fee_rial=payment.fee_rial,
            amount_rial=payment.amount_rial,
            paid_at=payment.settled_at,
            trace_hash=payment.trace_hash,
            reference=payment.reference,
            gateway=payment.gateway,
            message=None,
            issued_at=None,
            pdf_sha256=None,
        )

    def take_place(self, record: CertificateRecord, index: int) -> CertificateRecord | None:
        stands = self.records[record.certificate_id]
        if stands.status_index is not None:
            return stands
        if self.places.setdefault(index, record.certificate_id) != record.certificate_id:
            return None
        self.records[record.certificate_id] = replace(stands, status_index=index)
        return self.records[record.certificate_id]

    def keep_message(
        self, record: CertificateRecord, message: bytes, kid: bytes, issued_at: datetime
    ) -> CertificateRecord:
        stands = self.records[record.certificate_id]
        if stands.message is None:
            stands = replace(stands, message=message, issued_at=issued_at)
            self.records[record.certificate_id] = stands
        return stands

    def finish(
        self, record: CertificateRecord, outbox: OutboxKey, files: Mapping[Paper, str], stored_at: datetime
    ) -> None:
        if outbox.event_id in self.done:
            return
        self.records[record.certificate_id] = replace(
            self.records[record.certificate_id], status=CertificateStatus.IN_FORCE, pdf_sha256=files[Paper.A4]
        )
        self.done[outbox.event_id] = stored_at
