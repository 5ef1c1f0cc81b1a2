"""What issuing a certificate reads and writes in DynamoDB: the record, its place, its code, the outbox row."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import datetime

from avarez import keys
from avarez.certificates.jwks import b64url
from avarez.certificates.status import SHARD_PLACES, CertificateStatus
from avarez.clock import to_rfc3339
from avarez.dynamo import Item, Table, transact
from avarez.errors import ServiceBusy, TransactionRefused
from avarez.events.log import waiting_write
from avarez.transparency.proof import entry_of
from functions.certify.certificates.outbox import OutboxKey
from functions.certify.certificates.record import CertificateRecord, Paper, issued_event
from functions.certify.stores.certificate_store import CertificateTable


class IssuingTable(CertificateTable):
    """The certificate items of the duty table, and the outbox of the ledger table."""

    def __init__(self, duty: Table, ledger: Table) -> None:
        super().__init__(duty)
        self._ledger = ledger

    def certificate_of(self, outbox: OutboxKey) -> str | None:
        """The certificate id that the outbox row names, or None when the row is gone."""
        row = self._ledger.get((outbox.partition, outbox.event_id))
        return None if row is None else str(row["certificate_id"])

    def take_place(self, record: CertificateRecord, index: int) -> CertificateRecord | None:
        """The record with a place in the status list; None when the place `index` is another certificate's.

        Both items change or neither, so that a certificate never holds two places.
        """
        shard, place = divmod(index, SHARD_PLACES)
        writes = [
            self._duty.put_new(keys.status_place(shard, place), {"certificate_id": record.certificate_id}),
            self._duty.update(
                _key_of(record),
                {"status_index": index},
                "attribute_exists(pk) AND attribute_not_exists(status_index) AND attribute_not_exists(cose)",
            ),
        ]
        # Not free, or the answer was lost: what stands is read back.
        with contextlib.suppress(TransactionRefused, ServiceBusy):
            transact(writes, dynamodb=self._duty.dynamodb)
        placed = self.find(record.certificate_id)
        return placed if placed is not None and placed.status_index is not None else None

    def keep_message(
        self, record: CertificateRecord, message: bytes, kid: bytes, issued_at: datetime
    ) -> CertificateRecord:
        """Keeps the message where none is kept, and asks for a place in the log; the record as it stands.

        A refused condition means that another worker was first, or that our own first attempt was: either way
        what stands is the certificate, and this attempt's message was never shown to anybody.
        """
        changes = {"cose": message, "kid": b64url(kid), "issued_at": to_rfc3339(issued_at)}
        keep_first = self._duty.update(
            _key_of(record), changes, "attribute_not_exists(cose) AND attribute_exists(pk)"
        )
        code = keys.certificate_code(record.short_code, record.plate, record.certificate_id)
        waits = {"entry": entry_of(message).hex(), "created_at": to_rfc3339(issued_at)}
        writes = [
            keep_first,
            self._duty.put(code, {"certificate_id": record.certificate_id}),
            self._duty.put(keys.log_pending(record.certificate_id), waits),
        ]
        # Refused, or its answer lost: what stands is read back below.
        with contextlib.suppress(TransactionRefused, ServiceBusy):
            transact(writes, dynamodb=self._duty.dynamodb)
        kept = self.find(record.certificate_id)
        if kept is None or kept.message is None or kept.issued_at is None:
            raise ServiceBusy()
        return kept

    def finish(
        self, record: CertificateRecord, outbox: OutboxKey, files: Mapping[Paper, str], stored_at: datetime
    ) -> None:
        """The certificate is in force, the outbox row gone and the city's event waiting, in one transaction.

        Repeatable: when the certificate carries a PDF already, nothing is left to do.
        """
        changes = {
            "status": CertificateStatus.IN_FORCE.value,
            "pdf_sha256": files[Paper.A4],
            "pdf_a5_sha256": files[Paper.A5],
            "stored_at": to_rfc3339(stored_at),
        }
        transact(
            [
                self._duty.update(
                    _key_of(record),
                    changes,
                    "attribute_exists(cose) AND attribute_not_exists(pdf_sha256) AND #status = :preparing",
                    preparing=CertificateStatus.PREPARING.value,
                ),
                self._ledger.delete((outbox.partition, outbox.event_id)),
                waiting_write(self._ledger, issued_event(record, files[Paper.A4], stored_at)),
                *self._reminder(record, stored_at),
            ],
            mine=lambda: self._is_finished(record.certificate_id),
            dynamodb=self._duty.dynamodb,
        )

    def _reminder(self, record: CertificateRecord, stored_at: datetime) -> list[Item]:
        """The outbox row by which the owner is told, where somebody gave a number for the car; most gave none."""
        pk, _ = keys.contact(record.vehicle_id, "")
        if not self._duty.query(pk, keys.CONTACT_PREFIX, limit=1):
            return []
        row = {
            "certificate_id": record.certificate_id,
            "vehicle_id": record.vehicle_id,
            "municipality": record.municipality,
            "plate_key": record.plate,
            "created_at": to_rfc3339(stored_at),
            "pending_shard": f"{keys.TO_REMIND_PREFIX}{keys.shard_of(record.certificate_id)}",
        }
        return [self._ledger.put_new(keys.to_remind(record.municipality, record.certificate_id), row)]

    def _is_finished(self, certificate_id: str) -> bool:
        record = self.find(certificate_id)
        return record is not None and record.pdf_sha256 is not None


def _key_of(record: CertificateRecord) -> keys.Key:
    return keys.certificate(record.municipality, record.plate, record.certificate_id)
