"""The signed message inside a certificate's PDF: the attachment `certificate.cose`.

Nobody should read the page itself: text extraction loses letters, and the look of a page proves nothing.

A whole PDF reader is neither needed nor wanted here: a stream always stands outside of compressed objects, so the
attached file is found by its own `/Type /EmbeddedFile`, however the rest was rewritten.
Source: ISO 32000-2, sections 7.3.8 (streams), 7.5.7 (no stream inside an object stream), 7.11.4 (embedded files).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import Final

from avarez.certificates.cbor import MAX_BYTES
from avarez.certificates.cose import TAG_SIGN1

ATTACHMENT: Final = "certificate.cose"
#: A certificate's PDF has 71 to 98 kB.
PDF_BYTES_MAX: Final = 4 * 1024 * 1024
#: A certificate's has one; a file with more than this is none.
ATTACHMENTS_MAX: Final = 64
#: How far an attachment's dictionary reaches before and behind its type; typst writes some 100 bytes.
_REACH: Final = 2048
_TYPE: Final = re.compile(rb"/Type\s*/EmbeddedFile(?![A-Za-z0-9])")
_STREAM: Final = re.compile(rb"stream\r?\n")
_LENGTH: Final = re.compile(rb"/Length\s+(\d{1,7})(?!\d)(?!\s+\d+\s+R)")
_FILTER: Final = re.compile(rb"/Filter\s*(?:\[\s*)?/([A-Za-z0-9]+)")


class NoMessage(ValueError):
    """The file holds no certificate message: it is no PDF, or none of ours."""


def message_in_pdf(pdf: bytes) -> bytes:
    """The COSE message attached to `pdf`; nothing about its signature is known yet.

    Raises: NoMessage when there is none, or there are several that differ.
    """
    if len(pdf) > PDF_BYTES_MAX or b"%PDF-" not in pdf[:1024]:
        raise NoMessage("not a PDF of a certificate's size")
    found = {content for content in _attachments(pdf) if content[:1] == TAG_SIGN1 and len(content) <= MAX_BYTES}
    if len(found) != 1:
        raise NoMessage("the file carries no certificate, or several")
    return found.pop()


def _attachments(pdf: bytes) -> Iterator[bytes]:
    """The content of each attached file; of larger ones the first MAX_BYTES + 1 bytes."""
    for number, named in enumerate(_TYPE.finditer(pdf)):
        if number == ATTACHMENTS_MAX:
            raise NoMessage("more attachments than any certificate has")
        begin = pdf.rfind(b"obj", max(0, named.start() - _REACH), named.start())
        stream = _STREAM.search(pdf, named.end(), named.end() + _REACH)
        if begin < 0 or stream is None:
            continue
        content = _content(pdf[begin : stream.start()], pdf, stream.end())
        if content is not None:
            yield content


def _content(dictionary: bytes, pdf: bytes, start: int) -> bytes | None:
    length, encoding = _LENGTH.search(dictionary), _FILTER.search(dictionary)
    end = start + int(length[1]) if length else pdf.find(b"endstream", start)
    raw = pdf[start : max(start, end)]
    if encoding is None:
        return raw[: MAX_BYTES + 1]
    if encoding[1] != b"FlateDecode":
        return None
    try:
        return zlib.decompressobj().decompress(raw, MAX_BYTES + 1)
    except zlib.error:
        return None
