"""The clearance of whatever vehicle bears a plate today, in DynamoDB, for reading."""

from __future__ import annotations

from avarez import keys
from avarez.dynamo import Table
from avarez.quotes.store import DutyStore
from avarez.quotes.vehicles import holder
from functions.certify.certificates.record import CertificateRecord, parse_record


class ClearanceRegister:
    """A plate leads to its vehicle by an index, the vehicle to its clearance by a consistent read."""

    def __init__(self, duty: Table) -> None:
        self._duty = duty

    def of_plate(self, plate: str) -> tuple[str, CertificateRecord | None]:
        """The vehicle, and its clearance if it says this very plate."""
        bearer = holder(DutyStore(self._duty).find("plate", plate))
        if bearer is None:
            return "", None
        item = self._duty.follow(keys.clearance(bearer.vehicle_id))
        record = None if item is None else parse_record(item)
        return bearer.vehicle_id, record if record is not None and record.plate == plate else None
