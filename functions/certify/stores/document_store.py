"""The PDFs in S3, under their content's hash."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from avarez.object_store import Bucket

DOCUMENT_PREFIX: Final = "certificates/"
#: How long a handed-out address of a PDF works: a page that follows the redirect needs seconds.
LINK_LIFETIME: Final = timedelta(minutes=5)


class DocumentBucket:
    """The PDFs, under `certificates/{sha256}.pdf`, in a versioned bucket with object lock."""

    def __init__(self, bucket: str, s3: Any | None = None, *, prefix: str = DOCUMENT_PREFIX) -> None:
        self._bucket = Bucket(bucket, s3)
        self._prefix = prefix

    def keep(self, pdf: bytes, content_sha256: str) -> None:
        """Stores the file once and returns only when reading it back gives these very bytes.

        Raises: ServiceBusy when S3 does not take it, or does not give back what it took.
        """
        self._bucket.keep_once(document_key(content_sha256, self._prefix), pdf, "application/pdf")

    def address(self, content_sha256: str, filename: str) -> str:
        """An address at which anyone may fetch the PDF for LINK_LIFETIME, under a friendly file name."""
        return self._bucket.address(
            document_key(content_sha256, self._prefix),
            int(LINK_LIFETIME.total_seconds()),
            ResponseContentType="application/pdf",
            ResponseContentDisposition=f'inline; filename="{filename}"',
        )


def document_key(content_sha256: str, prefix: str = DOCUMENT_PREFIX) -> str:
    """Where the PDF with this hash lies in the bucket."""
    return f"{prefix}{content_sha256}.pdf"
