"""Obligation 6 from a proof file: the certificate was in the log before its key was compromised."""

from __future__ import annotations

from datetime import datetime

from avarez.certificates.verification import LoggedBefore
from avarez.transparency.checkpoint import LogKey
from avarez.transparency.proof import check_proof


def by_proof(proof: str, log: LogKey) -> LoggedBefore:
    """What this proof file shows, under the log's key that the verifier pinned.

    Never no: a file that shows nothing of this certificate does not show that the log lacks it, and a later
    checkpoint does not show that the log lacked it before.
    """

    def logged_before(message: bytes, instant: datetime) -> bool | None:
        return True if check_proof(message, proof, log).before(instant) else None

    return logged_before
