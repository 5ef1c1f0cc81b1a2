"""The states that a certificate's record goes through."""

from __future__ import annotations

from enum import StrEnum


class CertificateStatus(StrEnum):
    """The states of our record: `preparing` until the PDF is stored and read back."""

    PREPARING = "preparing"
    IN_FORCE = "in_force"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"
