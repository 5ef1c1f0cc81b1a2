"""Certificates in DynamoDB, for reading."""

from __future__ import annotations

from avarez import keys
from avarez.dynamo import Table
from functions.certify.certificates.record import CertificateRecord, parse_record


class CertificateTable:
    """The certificate items of the duty table."""

    def __init__(self, duty: Table) -> None:
        self._duty = duty

    def find(self, certificate_id: str) -> CertificateRecord | None:
        """The record behind a public id, read consistently."""
        pointer = self._duty.get(keys.pointer(certificate_id))
        if pointer is None:
            return None
        item = self._duty.get((str(pointer["target_pk"]), str(pointer["target_sk"])))
        return None if item is None else parse_record(item)
