"""A reissue in DynamoDB: one transaction over both certificates, the outbox and the status list."""

from __future__ import annotations

from collections.abc import Mapping

from avarez import keys
from avarez.certificates.payload import Kind
from avarez.certificates.status import CertificateStatus
from avarez.certificates.succession import inherited
from avarez.clock import to_rfc3339
from avarez.dynamo import Item, Table, transact
from avarez.endings import ending_writes
from avarez.errors import CertificateNotInForce, ServiceBusy, TransactionRefused
from avarez.events.certificates import ended_event
from avarez.events.log import waiting_write
from avarez.ids import new_id
from functions.certify.certificates.record import CertificateRecord
from functions.certify.certificates.reissuing import Reissue


class ReissueTable:
    """The certificate items of the duty table, and the outbox of the ledger table."""

    def __init__(self, duty: Table, ledger: Table) -> None:
        self._duty = duty
        self._ledger = ledger

    def supersede(self, old: CertificateRecord, reissue: Reissue) -> None:
        """Ends the old certificate and asks for the new one, both or neither.

        Raises: CertificateNotInForce when somebody else ended it at this moment.
        """
        key = keys.certificate(old.municipality, old.plate, old.certificate_id)
        item = self._duty.get(key)
        if item is None:
            raise ServiceBusy()
        at = to_rfc3339(reissue.at)
        new_key = keys.certificate(old.municipality, old.plate, reissue.certificate_id)
        new = inherited(item) | {
            "certificate_id": reissue.certificate_id,
            "status": CertificateStatus.PREPARING.value,
            "supersedes": old.certificate_id,
            "reissue_reason": reissue.reason.value,
            "reissued_by": reissue.by,
            "reissued_at": at,
            "reissued_office": reissue.office or None,
        }
        ended = {
            "status": CertificateStatus.SUPERSEDED.value,
            "superseded_by": reissue.certificate_id,
            "superseded_at": at,
        }
        event_id = new_id("ev", reissue.at)
        asked_for = old.payment_id or reissue.certificate_id
        row = {
            "event_id": event_id,
            "type": "certificate.superseded",
            "payment_id": old.payment_id,
            "municipality": old.municipality,
            "certificate_id": reissue.certificate_id,
            "superseded": old.certificate_id,
            "created_at": at,
            "pending_shard": str(keys.shard_of(asked_for)),
        }
        told = ended_event(
            certificate_id=old.certificate_id,
            municipality=old.municipality,
            plate=old.plate,
            payment_id=old.payment_id,
            superseded_by=reissue.certificate_id,
            because=reissue.reason.value,
            event_id=new_id("ev", reissue.at),
            now=reissue.at,
        )
        place = {**keys.leading_to(new_key), "municipality": old.municipality}
        in_force = CertificateStatus.IN_FORCE.value
        writes = [
            self._duty.update(key, ended, "#status = :in_force", in_force=in_force),
            self._duty.put_new(new_key, new),
            self._duty.put_new(keys.pointer(reissue.certificate_id), place),
            self._ledger.put_new(keys.outbox(old.municipality, asked_for, event_id), row),
            waiting_write(self._ledger, told),
            *ending_writes(item, CertificateStatus.SUPERSEDED, duty=self._duty, ledger=self._ledger),
            *self._clearance_moves(old, place | {"certificate_id": reissue.certificate_id}),
        ]
        try:
            transact(
                writes,
                mine=lambda: self._duty.get(keys.pointer(reissue.certificate_id)) is not None,
                dynamodb=self._duty.dynamodb,
            )
        except TransactionRefused as refused:
            raise CertificateNotInForce() from refused

    def _clearance_moves(self, old: CertificateRecord, place: Mapping[str, str]) -> list[Item]:
        """The vehicle's one clearance is the new one from now on."""
        if old.kind is not Kind.CLEARANCE:
            return []
        key = keys.clearance(old.vehicle_id)
        return [self._duty.update(key, place, "certificate_id = :old", old=old.certificate_id)]
