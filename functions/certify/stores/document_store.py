"""The PDFs in S3, under their content's hash."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from avarez.dynamo import client
from avarez.errors import ServiceBusy

DOCUMENT_PREFIX: Final = "certificates/"
#: How long a handed-out address of a PDF works: a page that follows the redirect needs seconds.
LINK_LIFETIME: Final = timedelta(minutes=5)


class DocumentBucket:
    """The PDFs, under `certificates/{sha256}.pdf`, in a versioned bucket with object lock."""

    def __init__(self, bucket: str, s3: Any | None = None, *, prefix: str = DOCUMENT_PREFIX) -> None:
        self._bucket = bucket
        self._prefix = prefix
        self._s3 = s3

    @property
    def s3(self) -> Any:
        """The client, made on first use."""
        if self._s3 is None:
            self._s3 = client("s3")
        return self._s3

    def keep(self, pdf: bytes, content_sha256: str) -> None:
        """Stores the file once and returns only when reading it back gives these very bytes.

        The first put is refused when the key is taken, so that a repetition makes no second version under
        object lock; if what is there is not what we wrote, a second put heals it.

        Raises: ServiceBusy when S3 does not take it, or does not give back what it took.
        """
        key = document_key(content_sha256, self._prefix)
        checksum = base64.b64encode(hashlib.sha256(pdf).digest()).decode("ascii")
        for once in ({"IfNoneMatch": "*"}, {}):
            try:
                self.s3.put_object(
                    Bucket=self._bucket,
                    Key=key,
                    Body=pdf,
                    ContentType="application/pdf",
                    ChecksumSHA256=checksum,
                    **once,
                )
            except ClientError as error:
                if not (once and _is_taken(error)):
                    raise ServiceBusy() from error
            except BotoCoreError as error:
                raise ServiceBusy() from error
            if self._reads_back(key, content_sha256):
                return
        raise ServiceBusy("The stored file does not read back as it was written.")

    def _reads_back(self, key: str, content_sha256: str) -> bool:
        try:
            body = self.s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except (ClientError, BotoCoreError):  # a put that was acknowledged and lost, or a corrupt answer
            return False
        return hashlib.sha256(body).hexdigest() == content_sha256

    def address(self, content_sha256: str, filename: str) -> str:
        """An address at which anyone may fetch the PDF for LINK_LIFETIME, under a friendly file name."""
        url: str = self.s3.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self._bucket,
                "Key": document_key(content_sha256, self._prefix),
                "ResponseContentType": "application/pdf",
                "ResponseContentDisposition": f'inline; filename="{filename}"',
            },
            ExpiresIn=int(LINK_LIFETIME.total_seconds()),
        )
        return url


def document_key(content_sha256: str, prefix: str = DOCUMENT_PREFIX) -> str:
    """Where the PDF with this hash lies in the bucket."""
    return f"{prefix}{content_sha256}.pdf"


def _is_taken(error: ClientError) -> bool:
    return error.response["Error"]["Code"] in ("PreconditionFailed", "412")
