"""The figures' files in S3 under their content's hash, and in DynamoDB which publication stands."""

from __future__ import annotations

import re
from typing import Any, Final

from avarez import keys
from avarez.dynamo import Table, transact
from avarez.errors import FiguresNotFound, ServiceBusy, TransactionRefused
from avarez.figures.files import FiguresUnsound, file_name
from avarez.object_store import Bucket
from functions.report.ports import Standing

FILE_PREFIX: Final = "files/"
FILE_NAME: Final = re.compile(r"[0-9a-f]{64}\.(csv|json|parquet)", re.ASCII)
CONTENT_TYPES: Final = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}
ADDRESS_S: Final = 900
"""For how long an address of object storage is good."""


class Shelf:
    """Every file that was ever published; none is changed or removed."""

    def __init__(self, bucket: str, s3: Any | None = None) -> None:
        self._bucket = Bucket(bucket, s3)

    def keep(self, content: bytes, form: str) -> str:
        """The name of the file, which is stored and read back.

        Raises: ServiceBusy.
        """
        name = file_name(content, form)
        self._bucket.put(FILE_PREFIX + name, content, CONTENT_TYPES[form])
        if self.read(name) != content:
            raise ServiceBusy("The stored file does not read back as it was written.")
        return name

    def read(self, name: str) -> bytes:
        """The content of the file of this name, which is its hash.

        Raises: FiguresNotFound, FiguresUnsound (not what its name says), ServiceBusy.
        """
        content = self._bucket.find(FILE_PREFIX + name)
        if content is None:
            raise FiguresNotFound()
        if file_name(content, name.partition(".")[2]) != name:
            raise FiguresUnsound(name)
        return content

    def address(self, name: str) -> str:
        """Where a file that is too large for an answer may be fetched, for a quarter of an hour."""
        return self._bucket.address(FILE_PREFIX + name, ADDRESS_S)


class Register:
    """Which publication stands; compared and set, so that no publication is lost to another."""

    def __init__(self, ledger: Table) -> None:
        self._ledger = ledger

    def standing(self) -> Standing | None:
        """The publication that stands; None before the first."""
        item = self._ledger.get(keys.figures_head())
        return None if item is None else Standing(int(item["number"]), str(item["manifest"]))

    def replace(self, before: Standing | None, after: Standing) -> bool:
        """Whether the publication now stands in place of `before`."""
        key, item = keys.figures_head(), {"number": after.number, "manifest": after.manifest}
        if before is None:
            write = self._ledger.put_new(key, item)
        else:
            write = self._ledger.put(key, item, "manifest = :manifest", manifest=before.manifest)
        try:
            transact([write], mine=lambda: self.standing() == after, dynamodb=self._ledger.dynamodb)
        except TransactionRefused:
            return False
        return True


class Cities:
    """The cities that have settings, which are all that take payments."""

    def __init__(self, duty: Table) -> None:
        self._duty = duty

    def codes(self) -> list[str]:
        partition, first = keys.municipality_setting("")
        return [str(item["sk"]).removeprefix(first) for item in self._duty.query(partition, first, limit=10_000)]
