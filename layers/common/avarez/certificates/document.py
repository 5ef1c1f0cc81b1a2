"""The signed message inside a certificate's PDF: the attachment `certificate.cose`.

Nobody should read the page itself: text extraction loses letters, and the look of a page proves nothing.
"""

from __future__ import annotations

from io import BytesIO
from typing import Final

from avarez.certificates.cbor import MAX_BYTES

ATTACHMENT: Final = "certificate.cose"
#: A certificate's PDF has about 95 kB.
PDF_BYTES_MAX: Final = 4 * 1024 * 1024


class NoMessage(ValueError):
    """The file holds no certificate message: it is no PDF, or none of ours."""


def message_in_pdf(pdf: bytes) -> bytes:
    """The COSE message attached to `pdf`; nothing about its signature is known yet.

    Raises: NoMessage when there is none, several, or the file cannot be read.
    """
    if len(pdf) > PDF_BYTES_MAX or b"%PDF-" not in pdf[:1024]:
        raise NoMessage("not a PDF of a certificate's size")
    # Loaded here since only those who were given a file need it.
    from pypdf import PdfReader

    try:
        found = PdfReader(BytesIO(pdf)).attachments.get(ATTACHMENT, [])
    except Exception as error:  # a hostile file fails a parser in more ways than it documents
        raise NoMessage("the file cannot be read") from error
    if len(found) != 1 or not 0 < len(found[0]) <= MAX_BYTES:
        raise NoMessage("the file carries no certificate")
    return bytes(found[0])
