"""SOAP 1.1 as one gateway speaks it: a call with flat arguments, an answer with one text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from avarez.errors import OutcomeUnknown

_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_DECLARED = re.compile(r"<!(?!\[CDATA\[|--)")
"""A document type or an entity; a SOAP message must not have one (SOAP 1.1, section 3)."""
_TEXT_LENGTH_MAX = 200


def call(namespace: str, name: str, arguments: Mapping[str, str | int]) -> bytes:
    """The envelope of a call."""
    leaves = "".join(f"<{argument}>{escape(str(value))}</{argument}>" for argument, value in arguments.items())
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<soap:Envelope xmlns:soap="{_ENVELOPE}" xmlns:ns="{namespace}"><soap:Body>'
        f"<ns:{name}>{leaves}</ns:{name}></soap:Body></soap:Envelope>"
    ).encode()


def returned(answer: bytes, namespace: str, name: str) -> str:
    """The text of `return` in the answer to the call `name`.

    Raises:
        OutcomeUnknown: no such answer, or one that declares anything: entities are never expanded here.
    """
    try:
        text = answer.decode("utf-8")
        if _DECLARED.search(text):
            raise OutcomeUnknown()
        root = ElementTree.fromstring(text)  # noqa: S314 - nothing is declared, and exchange.py bounds the size
    except (ValueError, LookupError, RecursionError, ElementTree.ParseError) as error:
        raise OutcomeUnknown() from error
    path = f"{{{_ENVELOPE}}}Body/{{{namespace}}}{name}Response/return"
    found = root.findall(path) if root.tag == f"{{{_ENVELOPE}}}Envelope" else []
    if len(found) != 1 or len(found[0]):
        raise OutcomeUnknown()
    return (found[0].text or "").strip()[:_TEXT_LENGTH_MAX]
