"""An upload becomes a preview: read as a stream, refused rows apart, accepted ones staged chunk by chunk.

Nothing that is read by anybody changes here: rows are written under the roll's version, which nobody sees yet.
"""

from __future__ import annotations

import base64
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from avarez.clock import to_rfc3339
from avarez.errors import InvalidInput
from avarez.fleet.columns import ColumnWriter
from avarez.quotes.vehicles import VehicleRow
from avarez.roll.refusals import Refusal, refused_lines
from avarez.roll.rows import RollReader, RollRow
from functions.assess.owners import OwnerSeals
from functions.assess.roll.service import Roll, finish
from functions.assess.roll.store import RollFiles, RollStore, StageQueue, chunk_key, upload_key
from functions.assess.vehicle_store import VehicleRegister, numbers_of, row_item

CHUNK_ROWS: Final = 500
"""Rows a message: a few seconds of staging, so that a failed one is cheap to repeat."""
PROGRESS_CHUNKS: Final = 40
"""The rows read so far are told every 20,000 rows."""
UPLOAD_BYTES_MAX: Final = 2 << 30
"""Five million rows of 400 bytes."""
MEMORY_FILE_BYTES: Final = 8 << 20
_UPLOAD_KEY = re.compile(r"uploads/([A-Z0-9-]{2,80})/(ro_[0-9a-z]{36})\.csv")


@dataclass(slots=True)
class Checker:
    """Reads an upload and prepares its staging."""

    store: RollStore
    files: RollFiles
    queue: StageQueue
    seals: OwnerSeals

    def check(self, key: str, *, size_bytes: int, etag: str, now: datetime) -> str:
        """Checks the upload at `key`; returns what became of it. May be repeated for the same upload.

        A second, different upload to the same roll is not looked at: its first one stands.
        """
        matched = _UPLOAD_KEY.fullmatch(key)
        roll = self.store.get(matched[1], matched[2]) if matched else None
        if roll is None:
            return "no_such_roll"
        if roll["status"] == "awaiting_upload":
            base = self.store.versions(roll["municipality"])
            begun = {"status": "checking", "upload_etag": etag, "shown_from": base, "checked_at": to_rfc3339(now)}
            self.store.move(roll, begun, "awaiting_upload")
            roll = self.store.get(roll["municipality"], roll["roll_id"]) or roll
        if roll["status"] != "checking" or roll.get("upload_etag") != etag or "chunks_total" in roll:
            return "ignored"
        if size_bytes > UPLOAD_BYTES_MAX:
            return self._fail(roll, "file_too_large", "The file is too large.", "فایل بیش از اندازه بزرگ است.")
        try:
            self._read(roll)
        except InvalidInput as fault:
            code = fault.errors[0].code if fault.errors else fault.code
            return self._fail(roll, code, fault.detail_en, fault.detail_fa)
        finish(self.store, roll)
        return "checked"

    def _fail(self, roll: Roll, code: str, detail_en: str, detail_fa: str) -> str:
        fault = {"code": code, "detail_en": detail_en, "detail_fa": detail_fa}
        self.store.move(roll, {"status": "failed", "fault": fault}, "checking")
        return code

    def _read(self, roll: Roll) -> None:
        city, roll_id = roll["municipality"], roll["roll_id"]
        reader = RollReader(city)
        rows: list[RollRow] = []
        facts = ColumnWriter()
        chunks = 0
        with tempfile.SpooledTemporaryFile(MEMORY_FILE_BYTES) as refused:
            refused.writelines(line.encode() for line in refused_lines(()))
            for outcome in reader.read(self.files.lines(upload_key(city, roll_id))):
                if isinstance(outcome, RollRow):
                    rows.append(outcome)
                    facts.add_row(outcome)
                    if len(rows) == CHUNK_ROWS:
                        self._send(roll, chunks, rows)
                        chunks, rows = chunks + 1, []
                        if chunks % PROGRESS_CHUNKS == 0:
                            self.store.move(roll, {"rows_read": reader.counts.rows_read}, "checking")
                else:
                    refused.writelines(line.encode() for line in _refused(outcome))
            if rows:
                self._send(roll, chunks, rows)
                chunks += 1
            refused.seek(0)
            self.files.put_refused(city, roll_id, refused)
        with tempfile.SpooledTemporaryFile(MEMORY_FILE_BYTES) as columns:
            facts.write(columns)
            columns.seek(0)
            self.files.put_facts(city, roll["version"], columns)
        totals = {
            "rows_read": reader.counts.rows_read,
            "refused": reader.counts.rows_refused,
            "refused_by_code": dict(reader.counts.by_code),
            "chunks_total": chunks,
        }
        self.store.move(roll, totals, "checking")

    def _send(self, roll: Roll, number: int, rows: Sequence[RollRow]) -> None:
        key = chunk_key(roll["municipality"], roll["roll_id"], number)
        packed = [_packed(row, self.seals, roll["roll_id"]) for row in rows]
        self.files.put_chunk(key, {"roll_id": roll["roll_id"], "number": number, "rows": packed})
        message = {"roll_id": roll["roll_id"], "municipality": roll["municipality"], "chunk": number}
        self.queue.send([message])


def _refused(refusals: Sequence[Refusal]) -> list[str]:
    return list(refused_lines(refusals))[1:]


def _packed(row: RollRow, seals: OwnerSeals, roll_id: str) -> dict[str, Any]:
    """The row for a chunk object: the owner's id sealed, so that no object but the upload holds one."""
    fields = row.to_json()
    sealed = seals.seal_in_transit(row.owner_id, roll_id)
    return {**fields, "owner_id": base64.b64encode(sealed).decode("ascii")}


def _unpacked(fields: dict[str, Any], seals: OwnerSeals, roll_id: str) -> RollRow:
    owner_id = seals.open_in_transit(base64.b64decode(fields["owner_id"]), roll_id)
    return RollRow.from_json({**fields, "owner_id": owner_id})


@dataclass(slots=True)
class Stager:
    """Writes one chunk's rows under the roll's version."""

    store: RollStore
    files: RollFiles
    register: VehicleRegister

    def stage(self, municipality: str, roll_id: str, number: int, *, now: datetime) -> str:
        """Stages one chunk and counts it once; a repetition changes nothing."""
        roll = self.store.get(municipality, roll_id)
        if roll is None or roll["status"] != "checking":
            return "ignored"
        if not self.store.chunk_done(roll, number):
            chunk = self.files.chunk(chunk_key(municipality, roll_id, number))
            rows = [_unpacked(fields, self.register.seals, roll_id) for fields in chunk["rows"]]
            self.store.count_chunk(roll, number, self._write(roll, rows, now))
        finish(self.store, roll)
        return "staged"

    def _write(self, roll: Roll, rows: Sequence[RollRow], now: datetime) -> dict[str, int]:
        """Writes the rows that are new or different from what the city sees now; returns the three counts."""
        ids = self.register.vehicle_ids(rows, now)
        city = roll["municipality"]
        known = self._known(city, [(row.plate, ids[numbers_of(row)]) for row in rows], roll["shown_from"])
        owners = self.register.sealed_owners(row.owner_id for row in rows)
        counts = {"added": 0, "changed": 0, "unchanged": 0}
        items = []
        for row in rows:
            vehicle_id = ids[numbers_of(row)]
            item = row_item(row, vehicle_id, roll["version"], owners.get(row.owner_id))
            before = known.get((row.plate, vehicle_id))
            if before is not None and before.content_hash == item["content_hash"] and not before.provisional:
                counts["unchanged"] += 1
                continue
            counts["added" if before is None else "changed"] += 1
            items.append(item)
        self.register.put_rows(items)
        return counts

    def _known(
        self, city: str, vehicles: Sequence[tuple[str, str]], versions: Sequence[int]
    ) -> dict[tuple[str, str], VehicleRow]:
        if not versions:  # a city's first roll: only vehicle cards can be there, at keys that are known
            return self.register.provisional_rows(city, vehicles)
        return self.register.current_rows(city, [plate for plate, _ in vehicles], versions)
