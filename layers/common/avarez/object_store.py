"""A bucket in S3 as this system uses it: whole objects, found or told missing, kept once they read back."""

from __future__ import annotations

import base64
import hashlib
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from avarez.dynamo import client
from avarez.errors import ServiceBusy

_MISSING: Final = ("NoSuchKey", "404", "AccessDenied", "403")
"""To a reader who may not list, S3 says 403 of what is not there. Source: S3 API reference, GetObject."""
_TAKEN: Final = ("PreconditionFailed", "412")
"""Source: S3 API reference, PutObject, If-None-Match."""
_RETRY_AFTER_S: Final = 1
_UNLIKE: Final = "The stored file does not read back as it was written."


class Bucket:
    """One bucket; every failure of S3 is ServiceBusy."""

    def __init__(self, name: str, s3: Any | None = None) -> None:
        self.name = name
        self._s3 = s3

    @property
    def s3(self) -> Any:
        """The client that was given, or the process's one, made on first use."""
        return self._s3 or client("s3")

    def find(self, key: str) -> bytes | None:
        """The content of the object; None where there is none."""
        try:
            return bytes(self.s3.get_object(Bucket=self.name, Key=key)["Body"].read())
        except ClientError as error:
            if is_missing(error):
                return None
            raise ServiceBusy(retry_after_s=_RETRY_AFTER_S) from error
        except BotoCoreError as error:
            raise ServiceBusy(retry_after_s=_RETRY_AFTER_S) from error

    def read(self, key: str) -> bytes:
        """The content of an object that must be there: one that is missing is ServiceBusy too."""
        content = self.find(key)
        if content is None:
            raise ServiceBusy(retry_after_s=_RETRY_AFTER_S)
        return content

    def put(self, key: str, content: bytes, content_type: str, *, once: bool = False) -> None:
        """Stores the object, whose body S3 holds to its checksum; with `once`, only where there is none."""
        checksum = base64.b64encode(hashlib.sha256(content).digest()).decode("ascii")
        condition = {"IfNoneMatch": "*"} if once else {}
        try:
            self.s3.put_object(
                Bucket=self.name,
                Key=key,
                Body=content,
                ContentType=content_type,
                ChecksumSHA256=checksum,
                **condition,
            )
        except ClientError as error:
            if not (once and error.response["Error"]["Code"] in _TAKEN):
                raise ServiceBusy(retry_after_s=_RETRY_AFTER_S) from error
        except BotoCoreError as error:
            raise ServiceBusy(retry_after_s=_RETRY_AFTER_S) from error

    def keep(self, key: str, content: bytes, content_type: str) -> None:
        """Stores the object and returns only when reading it back gives these very bytes."""
        self.put(key, content, content_type)
        if self.find(key) != content:
            raise ServiceBusy(_UNLIKE)

    def keep_once(self, key: str, content: bytes, content_type: str) -> None:
        """As `keep`, under object lock: a repetition makes no second version.

        The first put is refused when the key is taken; if what is there is not what we wrote, or the put was
        acknowledged and lost, a second one heals it.
        """
        for once in (True, False):
            self.put(key, content, content_type, once=once)
            if self._reads_back(key, content):
                return
        raise ServiceBusy(_UNLIKE)

    def _reads_back(self, key: str, content: bytes) -> bool:
        try:
            return self.find(key) == content
        except ServiceBusy:  # a corrupt answer
            return False

    def address(self, key: str, lifetime_s: int, **answer: str) -> str:
        """Where anybody may fetch the object for so long, with these headers of the answer (`Response…`)."""
        place = {"Bucket": self.name, "Key": key, **answer}
        return str(self.s3.generate_presigned_url("get_object", Params=place, ExpiresIn=lifetime_s))


def is_missing(error: ClientError) -> bool:
    """Whether S3 says that there is no such object."""
    return error.response["Error"]["Code"] in _MISSING
