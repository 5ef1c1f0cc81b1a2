"""What a certificate takes over from the one that it replaces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

#: Each certificate is signed, stored and listed by itself.
OWN: Final = frozenset(
    (
        *("pk", "sk", "cose", "kid", "issued_at", "pdf_sha256", "pdf_a5_sha256", "stored_at"),
        *("status_index", "supersedes"),
        *("reissue_reason", "reissued_by", "reissued_at", "reissued_office"),
    )
)


def inherited(old: Mapping[str, Any]) -> dict[str, Any]:
    """The members of `old`'s item that hold for its successor too; what is its own is left out."""
    return {name: value for name, value in old.items() if name not in OWN}
