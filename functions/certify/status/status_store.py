"""The status list's items in DynamoDB and its files in S3."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from avarez import keys
from avarez.certificates.status import SHARD_PLACES, CertificateStatus
from avarez.certificates.status_list import TYPE
from avarez.clock import from_rfc3339, to_rfc3339
from avarez.dynamo import Table, transact
from avarez.errors import ServiceBusy, TransactionRefused
from avarez.object_store import Bucket
from functions.certify.status.publishing import Mark

#: What one run takes; the rest waits for the next, which follows at once while marks stand.
MARKS_MAX: Final = 1_000
_CLAIMS_MAX: Final = 5
_CLEAR_BATCH: Final = 100  # what a transaction takes


class StatusLists:
    """Ends and marks, the clock of issue, and the lists under `status/{name}/{seconds}.cwt`."""

    def __init__(self, duty: Table, ledger: Table, bucket: str, s3: Any | None = None) -> None:
        self._duty = duty
        self._ledger = ledger
        self._bucket = Bucket(bucket, s3)

    def marks(self) -> Sequence[Mark]:
        rows = self._ledger.query(keys.status_mark(0, "")[0], limit=MARKS_MAX)
        return [Mark(int(row["sk"].partition("#")[0]), str(row["certificate_id"])) for row in rows]

    def last_round(self) -> tuple[datetime, bytes, str] | None:
        item = self._duty.get(keys.status_round())
        if item is None:
            return None
        return from_rfc3339(item["signed_at"]), bytes(item["kid"]), str(item.get("origin", ""))

    def note_round(self, issued_at: datetime, kid: bytes, origin: str) -> None:
        item = {"signed_at": to_rfc3339(issued_at), "kid": kid, "origin": origin}
        transact([self._duty.put(keys.status_round(), item)], dynamodb=self._duty.dynamodb)

    def claim(self, now: datetime) -> datetime:
        """A second of its own for this run.

        Raises: ServiceBusy when other runs are faster each time.
        """
        for _ in range(_CLAIMS_MAX):
            item = self._duty.get(keys.status_clock())
            last_s = 0 if item is None else int(item["issued_s"])
            mine_s = max(int(now.timestamp()), last_s + 1)
            unmoved = "attribute_not_exists(pk)" if item is None else "issued_s = :last"
            values = {} if item is None else {"last": last_s}
            write = self._duty.put(keys.status_clock(), {"issued_s": mine_s}, unmoved, **values)
            with contextlib.suppress(TransactionRefused):  # another run took it: the next second then
                transact([write], dynamodb=self._duty.dynamodb)
                return datetime.fromtimestamp(mine_s, UTC)
        raise ServiceBusy()

    def ends(self, shard: int) -> Mapping[int, CertificateStatus]:
        rows = self._duty.query(keys.status_end(shard, 0)[0], limit=SHARD_PLACES)
        return {int(row["sk"]): CertificateStatus(row["status"]) for row in rows}

    def publish(self, name: str, token: bytes, issued_at: datetime) -> None:
        """Stores the list and points to it.

        Raises: ServiceBusy when S3 does not take it.
        """
        seconds = int(issued_at.timestamp())
        key = f"status/{name}/{seconds}.cwt"
        self._bucket.put(key, token, TYPE)
        newer = "attribute_not_exists(pk) OR issued_s < :mine"
        write = self._duty.put(
            keys.status_published(name), {"issued_s": seconds, "object": key}, newer, mine=seconds
        )
        with contextlib.suppress(TransactionRefused):  # a later list stands, or ours already does
            transact([write], dynamodb=self._duty.dynamodb)

    def clear(self, marks: Sequence[Mark]) -> None:
        for start in range(0, len(marks), _CLEAR_BATCH):
            deletes = [
                self._ledger.delete(keys.status_mark(mark.shard, mark.certificate_id))
                for mark in marks[start : start + _CLEAR_BATCH]
            ]
            transact(deletes, dynamodb=self._ledger.dynamodb)
