"""Checkpoints: the size and the root of the log, signed, with the time; and what witnesses say of them.

The log signs each checkpoint twice with one key: as a note (type 1), which the specification of tiled logs asks
of a public log, and as a cosigner of its own (type 4), which is the one standard form that carries a time. No
extension lines are used.
Source: C2SP tlog-checkpoint v1.0.0; C2SP tlog-cosignature v1, sections Format and Ed25519 signed message.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from avarez.transparency.merkle import HASH_BYTES
from avarez.transparency.note import (
    SIGNATURE_BYTES,
    KeyKind,
    Note,
    NoteError,
    NoteSigner,
    Signature,
    VerifierKey,
    read_note,
    verifier_key,
)

ORIGIN_PATH: Final = "/.well-known/avarez/log"
"""The log's address below its host; host and path together are its origin line."""
_TIME_BYTES: Final = 8
_TIME_LIMIT: Final = 253_402_300_800  # the year 10000, beyond which no date is written
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")


class CheckpointError(ValueError):
    """The text is no checkpoint of this log that anybody has to believe."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The log called `origin` has `size` leaves under `root`."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode('ascii')}\n"


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A witness saw this tree as the log's largest at this time."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint whose log did sign it, at `signed_at` by its own clock, in whole seconds."""

    checkpoint: Checkpoint
    signed_at: datetime
    note: Note


@dataclass(frozen=True, slots=True)
class LogKey:
    """The one log that a reader trusts: its origin line and its public key, got from a trusted place."""

    origin: str
    public_key: bytes

    @property
    def note_key(self) -> VerifierKey:
        """The key of its signatures over the note."""
        return verifier_key(self.origin, KeyKind.NOTE, self.public_key)

    @property
    def time_key(self) -> VerifierKey:
        """The key of its signatures over note and time."""
        return verifier_key(self.origin, KeyKind.COSIGNATURE, self.public_key)


def log_key_of(verifier: VerifierKey) -> LogKey:
    """The log behind the verifier's key that it publishes; the key's name is the origin line."""
    return LogKey(verifier.name, verifier.public_key)


def origin_of(public_origin: str) -> str:
    """The origin line of the log that is served at an origin: its address without `https://`."""
    return public_origin.split("://", 1)[-1].rstrip("/") + ORIGIN_PATH


def sign_checkpoint(checkpoint: Checkpoint, signer: NoteSigner, at: datetime) -> Note:
    """The checkpoint as a note with both of the log's signatures."""
    key = LogKey(checkpoint.origin, signer.public_key)
    text = checkpoint.text
    own = Signature(checkpoint.origin, key.note_key.key_id, signer.sign(text.encode()))
    return Note(text, (own, cosign(text, checkpoint.origin, signer, at)))


def cosign(text: str, name: str, signer: NoteSigner, at: datetime) -> Signature:
    """The line by which `name` says that it saw the tree in this checkpoint's text at this time."""
    key = verifier_key(name, KeyKind.COSIGNATURE, signer.public_key)
    seconds = int(at.timestamp())
    signature = signer.sign(_cosigned(text, seconds))
    return Signature(name, key.key_id, seconds.to_bytes(_TIME_BYTES, "big") + signature)


def read_checkpoint(text: str) -> tuple[Checkpoint, Note]:
    """The checkpoint in a signed note; no signature has been checked.

    Raises: CheckpointError.
    """
    try:
        note = read_note(text)
    except NoteError as error:
        raise CheckpointError(str(error)) from error
    lines = note.text[:-1].split("\n")
    if len(lines) < 3 or not all(lines):
        raise CheckpointError("a checkpoint has an origin, a size and a root")
    if _SIZE.fullmatch(lines[1]) is None:
        raise CheckpointError("the size is no number")
    try:
        root = base64.b64decode(lines[2].encode("ascii"), validate=True)
    except (ValueError, binascii.Error) as error:
        raise CheckpointError("the root is not base64") from error
    if len(root) != HASH_BYTES or base64.b64encode(root).decode("ascii") != lines[2]:
        raise CheckpointError("the root is no hash")
    return Checkpoint(lines[0], int(lines[1]), root), note


def open_checkpoint(text: str, log: LogKey) -> SignedCheckpoint:
    """The checkpoint in `text`, which this log signed, with the time of its signature.

    Raises: CheckpointError when it is another log's, or one of the two signatures is missing or bad.
    """
    checkpoint, note = read_checkpoint(text)
    if checkpoint.origin != log.origin:
        raise CheckpointError("the checkpoint is another log's")
    own = note.by(log.note_key)
    if not own or not all(log.note_key.signed(note.text.encode(), one) for one in own):
        raise CheckpointError("the log's signature is missing or bad")
    return SignedCheckpoint(checkpoint, _time(note, log.time_key), note)


def witnessed(note: Note, witnesses: Sequence[VerifierKey]) -> tuple[Witnessed, ...]:
    """Which of the witnesses cosigned the note, and when; a key counts once, whatever names it goes by.

    The signed words do not name the witness (C2SP tlog-cosignature, section Ed25519 signed message).

    Raises: CheckpointError when a line under a witness's name and key is no signature of it.
    """
    found = {key.public_key: Witnessed(key.name, _time(note, key)) for key in witnesses if note.by(key)}
    return tuple(found.values())


def _time(note: Note, key: VerifierKey) -> datetime:
    """The earliest time that the owner of the key signed for; every line under the key must be true."""
    times = []
    for content in note.by(key):
        seconds = int.from_bytes(content[:_TIME_BYTES], "big")
        signature = content[_TIME_BYTES:]
        if len(signature) != SIGNATURE_BYTES or seconds >= _TIME_LIMIT:
            raise CheckpointError(f"a cosignature of {key.name} is malformed")
        if not key.signed(_cosigned(note.text, seconds), signature):
            raise CheckpointError(f"a cosignature of {key.name} is bad")
        times.append(seconds)
    if not times:
        raise CheckpointError(f"no cosignature of {key.name}")
    return datetime.fromtimestamp(min(times), UTC)


def _cosigned(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()
