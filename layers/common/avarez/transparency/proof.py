"""That a certificate is in the log, as a file that anybody checks without a network; and since when.

Source: C2SP tlog-proof v1. The entry is SHA-256 of the certificate's COSE message, so nothing has to be said
besides the certificate itself.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Final

from avarez.transparency import merkle
from avarez.transparency.checkpoint import (
    Checkpoint,
    CheckpointError,
    LogKey,
    Witnessed,
    open_checkpoint,
    read_checkpoint,
    witnessed,
)
from avarez.transparency.note import VerifierKey, fits

PROOF_BYTES_MAX: Final = 48 * 1024
_HEAD: Final = "c2sp.org/tlog-proof@v1"
_INDEX: Final = re.compile(r"index (0|[1-9][0-9]{0,18})")
#: Times in checkpoints are whole seconds, cut off: only when the second is over did it surely lie before.
_SECOND: Final = timedelta(seconds=1)


class ProofError(ValueError):
    """The text is no proof file."""


class Finding(StrEnum):
    """What a proof comes to. Only `logged` means: this certificate is in the log."""

    LOGGED = "logged"
    PROOF_UNREADABLE = "proof_unreadable"
    CHECKPOINT_NOT_SIGNED = "checkpoint_not_signed"
    NOT_INCLUDED = "not_included"


@dataclass(frozen=True, slots=True)
class LogProof:
    """A proof taken apart; nothing has been checked."""

    index: int
    path: tuple[bytes, ...]
    checkpoint_text: str

    @property
    def text(self) -> str:
        """The file; `read_proof` reads it back."""
        path = "".join(base64.b64encode(one).decode("ascii") + "\n" for one in self.path)
        return f"{_HEAD}\nindex {self.index}\n{path}\n{self.checkpoint_text}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a proof shows of one certificate. `logged_at` is the log's own word, each witness's time is its own."""

    finding: Finding
    index: int | None = None
    checkpoint: Checkpoint | None = None
    logged_at: datetime | None = None
    witnesses: tuple[Witnessed, ...] = ()

    def before(self, instant: datetime, *, witnesses_min: int = 0) -> bool:
        """Whether the certificate surely was in the log before `instant`, by the log's signed time.

        Whoever does not take the log's word alone asks for witnesses that had seen the tree by then as well.
        """
        if self.finding is not Finding.LOGGED or self.logged_at is None:
            return False
        seen = sum(one.at + _SECOND <= instant for one in self.witnesses)
        return self.logged_at + _SECOND <= instant and seen >= witnesses_min


def entry_of(message: bytes) -> bytes:
    """What the log holds of a certificate: SHA-256 of its COSE message."""
    return sha256(message).digest()


def read_proof(text: str) -> LogProof:
    """The proof in a file.

    Raises: ProofError.
    """
    if not fits(text, PROOF_BYTES_MAX):
        raise ProofError("too long for a proof, or no UTF-8")
    head, separator, checkpoint_text = text.partition("\n\n")
    lines = head.split("\n")
    if not separator or lines[0] != _HEAD:
        raise ProofError(f"a proof begins with {_HEAD}")
    if len(lines) > 1 and lines[1].startswith("extra "):  # never trusted, and nothing of ours
        del lines[1]
    index = _INDEX.fullmatch(lines[1]) if len(lines) > 1 else None
    if index is None or len(lines) - 2 > merkle.PATH_MAX:
        raise ProofError("a proof has an index and at most 64 hashes")
    return LogProof(int(index[1]), tuple(_hash(line) for line in lines[2:]), checkpoint_text)


def check_proof(message: bytes, text: str, log: LogKey, *, witnesses: Sequence[VerifierKey] = ()) -> Evidence:
    """What the proof file shows of the certificate whose COSE message this is. Never raises for a bad file.

    1. The file can be read.                                     else `proof_unreadable`
    2. The pinned log signed its checkpoint, and the time; every line of a known witness is true.
                                                                 else `checkpoint_not_signed`
    3. The path leads from the certificate to the signed root.   else `not_included`
    """
    try:
        proof = read_proof(text)
        read_checkpoint(proof.checkpoint_text)
    except (ProofError, CheckpointError):
        return Evidence(Finding.PROOF_UNREADABLE)
    try:
        signed = open_checkpoint(proof.checkpoint_text, log)
        seen = witnessed(signed.note, witnesses)
    except CheckpointError:
        return Evidence(Finding.CHECKPOINT_NOT_SIGNED)
    tree = signed.checkpoint
    leaf = merkle.leaf_hash(entry_of(message))
    if not merkle.verify_inclusion(leaf, proof.index, tree.size, proof.path, tree.root):
        return Evidence(Finding.NOT_INCLUDED)
    return Evidence(Finding.LOGGED, proof.index, tree, signed.signed_at, seen)


def logged_before(
    message: bytes, text: str, log: LogKey, instant: datetime, *, witnesses: Sequence[VerifierKey] = ()
) -> bool:
    """Whether the proof file shows that the certificate was in the log before `instant`.

    So a certificate outlives the compromise of its key at `instant`: whoever took the key can sign as of any time,
    but cannot put a leaf under a root that the log had signed before.
    """
    return check_proof(message, text, log, witnesses=witnesses).before(instant)


def _hash(line: str) -> bytes:
    try:
        raw = base64.b64decode(line.encode("ascii"), validate=True)
    except (ValueError, binascii.Error) as error:
        raise ProofError("a hash is not base64") from error
    if len(raw) != merkle.HASH_BYTES or base64.b64encode(raw).decode("ascii") != line:
        raise ProofError("a hash has 32 bytes")
    return raw
