"""What the simulators add to a local gateway: fixed credentials, a report in the provider's own columns."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Mapping
from typing import ClassVar

from aiohttp import web

from infra.local.gateways.common.server import Answer, LocalGateway, table

MASKED_CARD = "621986******8080"
"""The one card that everybody pays with here."""


class Simulator(LocalGateway):
    """One gateway under `/{name}`; its report is `GET /{name}/report?day=2026-11-23`."""

    report_columns: ClassVar[tuple[str, ...]]
    report_delimiter: ClassVar[str] = ","

    def report_row(self, row: sqlite3.Row) -> tuple[str, ...]:
        raise NotImplementedError

    async def report(self, request: web.Request) -> web.StreamResponse:
        """Every payment that was paid on this UTC day, as the provider's own file."""
        rows = self.rows_of(request.query.get("day", self.today()))
        if rows is None:
            raise web.HTTPBadRequest(text="day")
        lines = [dict(zip(self.report_columns, self.report_row(row), strict=True)) for row in self.listed(rows)]
        return table(list(self.report_columns), lines, self.report_delimiter)

    def listed(self, rows: list[sqlite3.Row]) -> list[sqlite3.Row]:
        """Those of a day's payments that this provider's report has."""
        return rows

    def verify_once(self, row: sqlite3.Row) -> bool:
        """Whether this verify is the first; a failure on demand changes the amount that was taken."""
        changed: dict[str, object] = {"state": "verified", "verified_at": self.book.now()}
        if self.control.due("verify", "wrong_amount_verify"):
            changed["amount"] = row["amount"] + 1
        return self.book.change(row["token"], "paid", **changed)

    def age_s(self, since: float | None) -> float:
        """Seconds since this instant on the gateway's own clock."""
        return self.book.now() - (since or 0.0)


def rrn(reference: str) -> str:
    """The twelve digits that the bank statement shows for this reference."""
    return f"{zlib.crc32(reference.encode()):012d}"


def text(members: Mapping[str, object] | Answer, name: str) -> str:
    """The member as text; empty where there is none."""
    value = members.get(name)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def whole(members: Mapping[str, object] | Answer, name: str) -> int:
    """The member as a whole number; 0 where it is none."""
    value = text(members, name)
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 18 else 0


def is_address(value: str) -> bool:
    return value.startswith(("http://", "https://")) and len(value) <= 2_000
