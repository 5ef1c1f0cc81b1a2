"""The figures' files in S3 under their content's hash, and in DynamoDB which publication stands."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from avarez import keys
from avarez.dynamo import Table, client, transact
from avarez.errors import FiguresNotFound, ServiceBusy, TransactionRefused
from avarez.figures.files import FiguresUnsound, file_name
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
        self._bucket = bucket
        self._s3 = s3

    @property
    def s3(self) -> Any:
        """The client, made on first use."""
        if self._s3 is None:
            self._s3 = client("s3")
        return self._s3

    def keep(self, content: bytes, form: str) -> str:
        """The name of the file, which is stored and read back.

        Raises: ServiceBusy.
        """
        name = file_name(content, form)
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode("ascii")
        try:
            self.s3.put_object(
                Bucket=self._bucket,
                Key=FILE_PREFIX + name,
                Body=content,
                ContentType=CONTENT_TYPES[form],
                ChecksumSHA256=digest,
            )
        except (ClientError, BotoCoreError) as error:
            raise ServiceBusy() from error
        if self.read(name) != content:
            raise ServiceBusy("The stored file does not read back as it was written.")
        return name

    def read(self, name: str) -> bytes:
        """The content of the file of this name, which is its hash.

        Raises: FiguresNotFound, FiguresUnsound (not what its name says), ServiceBusy.
        """
        try:
            content = bytes(self.s3.get_object(Bucket=self._bucket, Key=FILE_PREFIX + name)["Body"].read())
        except ClientError as error:
            # To a reader who may not list, S3 says 403 of what is not there (API reference, GetObject).
            if error.response["Error"]["Code"] in ("NoSuchKey", "404", "AccessDenied", "403"):
                raise FiguresNotFound() from error
            raise ServiceBusy() from error
        except BotoCoreError as error:
            raise ServiceBusy() from error
        if file_name(content, name.partition(".")[2]) != name:
            raise FiguresUnsound(name)
        return content

    def address(self, name: str) -> str:
        """Where a file that is too large for an answer may be fetched, for a quarter of an hour."""
        return str(
            self.s3.generate_presigned_url(
                "get_object", Params={"Bucket": self._bucket, "Key": FILE_PREFIX + name}, ExpiresIn=ADDRESS_S
            )
        )


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
