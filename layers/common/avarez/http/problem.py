"""RFC 9457 problem documents, in the language asked for."""

from __future__ import annotations

from typing import Any

from avarez.errors import AvarezError
from avarez.http.request import Language

CONTENT_TYPE = "application/problem+json; charset=utf-8"


def problem_document(error: AvarezError, language: Language, instance: str) -> dict[str, Any]:
    """The problem's members; `title` is fixed by the code, `detail` says what happened here.

    Source: RFC 9457, section 3.
    """
    persian = language == "fa"
    document: dict[str, Any] = {
        "type": f"urn:avarez:problem:{error.code}",
        "status": error.status,
        "code": error.code,
        "title": error.title_fa if persian else error.title_en,
        "detail": error.detail_fa if persian else error.detail_en,
        "instance": instance,
    }
    if error.errors:
        document["errors"] = [
            {
                "pointer": fault.pointer,
                "code": fault.code,
                "message": fault.message_fa if persian else fault.message_en,
            }
            for fault in error.errors
        ]
    return {**error.extra, **document}


def problem_headers(error: AvarezError, language: Language) -> dict[str, str]:
    headers = {"content-type": CONTENT_TYPE, "content-language": language, "cache-control": "no-store"}
    if error.retry_after_s is not None:
        headers["retry-after"] = str(error.retry_after_s)
    return headers
