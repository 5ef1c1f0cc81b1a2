"""Signed notes: a text, and under it one line for each signature.

Ed25519 alone: a log's own signature (type 1) and timestamped cosignatures (type 4).
Source: C2SP signed-note v1.0.0, sections Format, Signatures, Verifier keys; C2SP tlog-cosignature, section Format.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

NOTE_BYTES_MAX: Final = 32 * 1024
SIGNATURES_MAX: Final = 64
"""A verifier takes at least 16; a checkpoint of ours may be cosigned by dozens of cities."""
NAME_MAX: Final = 200
KEY_ID_BYTES: Final = 4
KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
_DASH: Final = "\u2014 "
_FIELD_PRIME: Final = (1 << 255) - 19
#: The curve's constant. Source: RFC 8032, section 5.1.
_CURVE_D: Final = -121665 * pow(121666, -1, _FIELD_PRIME) % _FIELD_PRIME
#: The y of every point whose order divides 8: under such a key one constant signature fits every message.
#: Source: RFC 7748, section 6.1, and RFC 8032, section 5.1.7 (the cofactor is 8).
_SMALL_ORDER_Y: Final = frozenset(
    {
        0,
        1,
        _FIELD_PRIME - 1,
        int.from_bytes(
            bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
        ),
        int.from_bytes(
            bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"
        ),
    }
)


class NoteError(ValueError):
    """The text is no signed note, or no key, that is accepted here."""


class KeyKind(IntEnum):
    """What a key's signatures are made over. Source: C2SP signed-note, section Signature types."""

    NOTE = 1
    """The note's text."""
    COSIGNATURE = 4
    """The time, and the text of a checkpoint."""


class NoteSigner(Protocol):
    """Signs with an Ed25519 key."""

    @property
    def public_key(self) -> bytes:
        """The 32 bytes of the public key."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of the signature. Source: RFC 8032, section 5.1.6."""
        ...


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A named public key for one kind of signature; weak keys cannot be had (`verifier_key`)."""

    name: str
    kind: KeyKind
    public_key: bytes

    @property
    def key_id(self) -> bytes:
        """The first four bytes of SHA-256 over name, newline, kind and key."""
        named = self.name.encode() + b"\n" + bytes([self.kind]) + self.public_key
        return sha256(named).digest()[:KEY_ID_BYTES]

    @property
    def text(self) -> str:
        """The key as people pass it on: name+id+key."""
        return f"{self.name}+{self.key_id.hex()}+{_b64(bytes([self.kind]) + self.public_key)}"

    def signed(self, message: bytes, signature: bytes) -> bool:
        """Whether the key's owner signed exactly these bytes."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class Signature:
    """One line under a note; nothing is known yet about its truth."""

    name: str
    key_id: bytes
    content: bytes

    @property
    def line(self) -> str:
        """The line as it stands in the note, with its newline."""
        return f"{_DASH}{self.name} {_b64(self.key_id + self.content)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text that ends in a newline, and its signatures."""

    text: str
    signatures: tuple[Signature, ...]

    @property
    def full_text(self) -> str:
        """The note as it is passed on; `read_note` reads it back."""
        return self.text + "\n" + "".join(one.line for one in self.signatures)

    def by(self, key: VerifierKey) -> list[bytes]:
        """What stands in the lines that bear this key's name and id."""
        return [one.content for one in self.signatures if (one.name, one.key_id) == (key.name, key.key_id)]

    def with_signatures(self, more: Sequence[Signature]) -> Note:
        """The note with these lines added, where they do not stand already."""
        new = [one for one in dict.fromkeys(more) if one not in self.signatures]
        return Note(self.text, (*self.signatures, *new))


def verifier_key(name: str, kind: KeyKind, public_key: bytes) -> VerifierKey:
    """The key under this name.

    Raises: NoteError for a name that no note can bear, and for a weak key.
    """
    if not is_name(name):
        raise NoteError("a key's name has no spaces, no plus and at most 200 characters")
    if is_weak(public_key):
        raise NoteError("the key is weak: not an Ed25519 point of large order")
    return VerifierKey(name, kind, public_key)


def read_verifier_key(text: str, kind: KeyKind) -> VerifierKey:
    """The key in `name+id+key`.

    Raises: NoteError for another kind, an id that is not the key's own, or a weak key.
    """
    parts = text.strip().split("+", 2)
    if len(parts) != 3:
        raise NoteError("a verifier's key is name+id+key")
    content = _from_b64(parts[2])
    if content[:1] != bytes([kind]):
        raise NoteError(f"the key is not of kind {kind.value}")
    key = verifier_key(parts[0], kind, content[1:])
    if key.key_id.hex() != parts[1]:
        raise NoteError("the key's id is not its own")
    return key


def is_name(name: str) -> bool:
    """Whether a key may be called so."""
    return 0 < len(name) <= NAME_MAX and "+" not in name and not any(
        letter.isspace() or ord(letter) < 0x20 for letter in name
    )  # fmt: skip


def is_weak(public_key: bytes) -> bool:
    """Whether the bytes are no point, are not spelt in the one way, or are a point of small order.

    Source: RFC 8032, section 5.1.3 (decoding). `cryptography` takes all of these for keys.
    """
    if len(public_key) != KEY_BYTES:
        return True
    y = int.from_bytes(public_key, "little") & ((1 << 255) - 1)
    if y >= _FIELD_PRIME or y in _SMALL_ORDER_Y:
        return True
    square = (y * y - 1) * (_CURVE_D * y * y + 1)  # x^2 = (y^2 - 1) / (d y^2 + 1) has a root, or there is no point
    return pow(square, (_FIELD_PRIME - 1) // 2, _FIELD_PRIME) != 1


def read_note(text: str) -> Note:
    """The note in `text`; no signature has been checked.

    Raises: NoteError when the text is no note, is longer than NOTE_BYTES_MAX, or bears more lines than are taken.
    """
    if not fits(text, NOTE_BYTES_MAX):
        raise NoteError("too long for a note, or no UTF-8")
    if any(ord(letter) < 0x20 and letter != "\n" for letter in text):
        raise NoteError("a note has no control characters")
    body, separator, lines = text.rpartition("\n\n")
    if not separator or not lines.endswith("\n"):
        raise NoteError("a note has a text, an empty line and signatures")
    signatures = [_signature(line) for line in lines[:-1].split("\n")]
    if len(signatures) > SIGNATURES_MAX:
        raise NoteError("more signatures than are taken")
    return Note(body + "\n", tuple(signatures))


def fits(text: str, bytes_max: int) -> bool:
    """Whether the text can be written as UTF-8 in so many bytes."""
    try:
        return len(text) <= bytes_max and len(text.encode()) <= bytes_max
    except UnicodeEncodeError:
        return False


def _signature(line: str) -> Signature:
    if not line.startswith(_DASH):
        raise NoteError("a signature's line begins with a dash")
    name, separator, encoded = line.removeprefix(_DASH).partition(" ")
    if not separator or not is_name(name):
        raise NoteError("a signature's line names its key")
    content = _from_b64(encoded)
    if len(content) <= KEY_ID_BYTES:
        raise NoteError("a signature's line holds an id and a signature")
    return Signature(name, content[:KEY_ID_BYTES], content[KEY_ID_BYTES:])


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _from_b64(text: str) -> bytes:
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except (ValueError, binascii.Error) as error:
        raise NoteError("not base64") from error
    if _b64(raw) != text:
        raise NoteError("base64 is not spelt in its one way")
    return raw
