"""The published status lists: which one stands, from DynamoDB, and its bytes, from S3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from avarez import keys
from avarez.dynamo import Table
from avarez.object_store import Bucket


@dataclass(frozen=True, slots=True)
class PublishedList:
    """A list as it is handed out; `issued_s` names the version."""

    token: bytes
    issued_s: int


class PublishedLists:
    """The lists by name; the bytes of the last version of each are kept in the process."""

    def __init__(self, duty: Table, bucket: str, s3: Any | None = None) -> None:
        self._duty = duty
        self._bucket = Bucket(bucket, s3)
        self._kept: dict[str, PublishedList] = {}

    def find(self, name: str) -> PublishedList | None:
        """The list that stands under this name, read consistently; None when none does.

        Raises: ServiceBusy.
        """
        pointer = self._duty.get(keys.status_published(name))
        if pointer is None:
            return None
        kept = self._kept.get(name)
        if kept is not None and kept.issued_s == int(pointer["issued_s"]):
            return kept
        token = self._bucket.read(str(pointer["object"]))
        self._kept[name] = PublishedList(token, int(pointer["issued_s"]))
        return self._kept[name]
