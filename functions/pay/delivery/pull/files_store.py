"""The daily files of a city's events, as they are listed; each with an address at which it may be fetched."""

from __future__ import annotations

from typing import Any, Final

from avarez import keys
from avarez.dynamo import Item, Table
from avarez.object_store import Bucket

LINK_SECONDS: Final = 900
"""Long enough to fetch a day's files one after the other over a slow line."""


class EventFiles:
    """Days in the ledger table, files in the bucket of documents."""

    def __init__(self, ledger: Table, bucket: str) -> None:
        self._ledger = ledger
        self._bucket = Bucket(bucket)

    def days(self, municipality: str, *, before: str, limit: int) -> list[Item]:
        """At most `limit` days before `before` (a date, or nothing), the newest first."""
        partition, first = keys.event_files(municipality, "")
        if not before:
            return self._ledger.query(partition, first, limit=limit, descending=True)
        place = f"{first}{before}"
        items = self._ledger.query(partition, limit=limit + 1, descending=True, upto=place)
        return [item for item in items if str(item["sk"]).startswith(first) and item["sk"] != place][:limit]

    def link(self, key: str, name: str) -> str:
        """An address at which anybody may fetch the file for a quarter of an hour, under its name."""
        return self._bucket.address(key, LINK_SECONDS, ResponseContentDisposition=f'attachment; filename="{name}"')


def shown(item: Item, files: EventFiles) -> dict[str, Any]:
    """A day as it is listed."""
    manifest = str(item["manifest_key"])
    return {
        "day": item["day"],
        "sequence_from": item["sequence_from"],
        "sequence_to": item["sequence_to"],
        "late": item["late"],
        "made_at": item["made_at"],
        "manifest": {
            "name": manifest.rpartition("/")[2],
            "sha256": item["manifest_sha256"],
            "url": files.link(manifest, manifest.rpartition("/")[2]),
        },
        "files": [
            {
                "name": one["name"],
                "events": one["events"],
                "size_bytes": one["size_bytes"],
                "sha256": one["sha256"],
                "url": files.link(str(one["key"]), str(one["name"])),
            }
            for one in item["files"]
        ],
    }
