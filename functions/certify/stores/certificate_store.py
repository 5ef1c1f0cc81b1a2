"""Certificates in DynamoDB, for reading."""

from __future__ import annotations

from typing import Final

from avarez import keys
from avarez.dynamo import Table
from functions.certify.certificates.record import CertificateRecord, parse_record

OF_CAR_MAX: Final = 50
"""Certificates of one plate in one city: twenty years of payments, each with a lost paper."""


class CertificateTable:
    """The certificate items of the duty table."""

    def __init__(self, duty: Table) -> None:
        self._duty = duty

    def find(self, certificate_id: str) -> CertificateRecord | None:
        """The record behind a public id, read consistently."""
        item = self._duty.follow(keys.pointer(certificate_id))
        return None if item is None else parse_record(item)

    def of_car(self, municipality: str, plate: str, vehicle_id: str) -> list[CertificateRecord]:
        """The vehicle's certificates in one collection, newest first; ids sort by time."""
        pk, prefix = keys.certificate(municipality, plate, "")
        items = self._duty.query(pk, prefix, limit=OF_CAR_MAX, descending=True)
        return [parse_record(item) for item in items if item["vehicle_id"] == vehicle_id]
