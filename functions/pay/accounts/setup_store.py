"""What stands of a city, read from the tables: one read for each thing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from avarez import keys
from avarez.changes.change import Subject
from avarez.dynamo import Table
from functions.pay.accounts.deciding import ChangeStore
from functions.pay.accounts.onboarding import Setup
from functions.pay.delivery.endpoints.store import EndpointTable

OFFICERS_MAX = 500


class SetupTables:
    """The three tables, as onboarding asks them."""

    def __init__(self, duty: Table, ledger: Table, identity: Table, changes: ChangeStore) -> None:
        self._duty, self._ledger, self._identity, self._changes = duty, ledger, identity, changes

    def officers(self, municipality: str) -> list[dict[str, Any]]:
        """The city's officers, by name."""
        partition, _ = keys.officer(municipality, "")
        rows = self._identity.query(partition, limit=OFFICERS_MAX)
        return [
            {"username": row["username"], "name": row["name"], "role": row["role"], "since_at": row["since"]}
            for row in rows
        ]

    def settings(self, municipality: str) -> Mapping[str, Any]:
        """The city's settings."""
        return self._duty.get(keys.municipality_setting(municipality)) or {}

    def setup(self, municipality: str, settings: Mapping[str, Any], officers: int, now: datetime) -> Setup:
        """What stands at this moment."""
        endpoint = EndpointTable(self._ledger).find(municipality)
        files = self._ledger.get(keys.event_files_last(municipality)) or {}
        return Setup(
            account=self._changes.in_force(municipality, Subject.ACCOUNT, now) is not None,
            account_open=self._changes.open(municipality, Subject.ACCOUNT) is not None,
            officers=officers,
            webhook="" if endpoint is None else endpoint.state.value,
            file_day=str(files.get("day", "")),
            tariff=self._duty.get(keys.tariff_pointer()) is not None,
            roll=self._duty.get(keys.roll_pointer(municipality)) is not None,
            emblem=bool(settings.get("emblem_svg")),
            contact=bool(settings.get("contact")),
        )
