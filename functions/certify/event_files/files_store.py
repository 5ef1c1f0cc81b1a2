"""The files in S3, below `events/`, and the row of each day in the ledger table."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from avarez import keys
from avarez.clock import to_rfc3339
from avarez.dynamo import Item, Table, transact
from avarez.events.files import Manifest, manifest_name, token_hash
from avarez.object_store import Bucket
from functions.certify.event_files.making import Last

PREFIX: Final = "events/"
TYPES: Final = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl", "jws": "application/jose"}


class EventObjects:
    """The files of every city and day, under object lock as certificates are."""

    def __init__(self, bucket: str, s3: Any | None = None) -> None:
        self._bucket = Bucket(bucket, s3)

    def keep(self, municipality: str, day: date, name: str, content: bytes) -> None:
        """Stores the file once; what is there under its name is what we would write, or is written over.

        Raises:
            ServiceBusy: S3 does not take it, or does not give back what it took.
        """
        self._keep(f"{PREFIX}{municipality}/{day.isoformat()}/{name}", name, content)

    def keep_manifest(self, municipality: str, day: date, name: str, token: str) -> None:
        """Under the hash of the token, since two signatures of the same day differ."""
        place = manifest_key(municipality, day, token_hash(token))
        self._keep(place, name, token.encode("ascii"))

    def _keep(self, key: str, name: str, content: bytes) -> None:
        self._bucket.keep_once(key, content, TYPES[name.rpartition(".")[2]])


def manifest_key(municipality: str, day: date, manifest_hash: str) -> str:
    """Where the manifest with this hash lies."""
    return f"{PREFIX}{municipality}/{day.isoformat()}/{manifest_hash}/{manifest_name(municipality, day)}"


class DayTable:
    """The days that were made, and the last one of each city."""

    def __init__(self, ledger: Table) -> None:
        self._ledger = ledger

    def last(self, municipality: str) -> Last | None:
        """The last day that was made, read consistently."""
        item = self._ledger.get(keys.event_files_last(municipality))
        return None if item is None else _last_from(item)

    def add(self, before: Last | None, manifest: Manifest, manifest_hash: str) -> None:
        """One transaction of the day's row and of what is the last one.

        Raises:
            TransactionRefused: somebody else made it, or another day, meanwhile.
        """
        last = keys.event_files_last(manifest.municipality)
        after = {
            "day": manifest.day.isoformat(),
            "sequence": manifest.sequence_to,
            "hash": manifest.hash,
            "manifest_sha256": manifest_hash,
        }
        row = self._ledger.put_new(
            keys.event_files(manifest.municipality, manifest.day.isoformat()), _row(manifest, manifest_hash)
        )
        if before is None:
            moved = self._ledger.put_new(last, after)
        else:
            moved = self._ledger.put(last, after, "#day = :day", day=before.day.isoformat())
        transact(
            [row, moved],
            mine=lambda: self.last(manifest.municipality) == _last_from(after),
            dynamodb=self._ledger.dynamodb,
        )


def _last_from(item: Item) -> Last:
    return Last(
        date.fromisoformat(item["day"]), int(item["sequence"]), str(item["hash"]), str(item["manifest_sha256"])
    )


def _row(manifest: Manifest, manifest_hash: str) -> Item:
    return {
        "municipality": manifest.municipality,
        "day": manifest.day.isoformat(),
        "sequence_from": manifest.sequence_from,
        "sequence_to": manifest.sequence_to,
        "late": manifest.late,
        "manifest_sha256": manifest_hash,
        "manifest_key": manifest_key(manifest.municipality, manifest.day, manifest_hash),
        "files": [
            {
                "name": one.name,
                "key": f"{PREFIX}{manifest.municipality}/{manifest.day.isoformat()}/{one.name}",
                "events": one.events,
                "size_bytes": one.size_bytes,
                "sha256": one.sha256,
            }
            for one in manifest.files
        ],
        "made_at": to_rfc3339(manifest.made_at),
    }
