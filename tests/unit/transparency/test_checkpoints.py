"""Notes, checkpoints and cosignatures: what another implementation signed is read, what is bad is refused."""

from __future__ import annotations

import json
from base64 import b64decode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from avarez.transparency import note as notes
from avarez.transparency.checkpoint import (
    Checkpoint,
    CheckpointError,
    LogKey,
    Witnessed,
    cosign,
    log_key_of,
    open_checkpoint,
    origin_of,
    read_checkpoint,
    sign_checkpoint,
    witnessed,
)
from avarez.transparency.note import KeyKind, NoteError, read_note, read_verifier_key, verifier_key

DATA = Path(__file__).resolve().parents[2] / "data"
THEIRS: dict[str, Any] = json.loads((DATA / "tlog_vectors.json").read_text("utf-8"))
AT = datetime(2026, 11, 27, 8, 0, 0, 900_000, tzinfo=UTC)
ROOT = bytes(range(32))


class Seeded:
    """A NoteSigner whose key is in this repository."""

    def __init__(self, first: int) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(bytes(range(first, first + 32)))

    @property
    def public_key(self) -> bytes:
        return self._private.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)


LOG, WITNESS = Seeded(0), Seeded(32)
ORIGIN = "avarez.example/.well-known/avarez/log"
KEY = LogKey(ORIGIN, LOG.public_key)


def signed(size: int = 7, root: bytes = ROOT, origin: str = ORIGIN, signer: Seeded = LOG) -> str:
    return sign_checkpoint(Checkpoint(origin, size, root), signer, AT).full_text


def test_note_of_the_specification_verifies() -> None:
    """Source: C2SP signed-note v1.0.0, section Verifier keys, Example."""
    vkey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
    key = read_verifier_key(vkey, KeyKind.NOTE)
    text = (
        "This is an example message.\n\n"
        "\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHj"
        "G1Yu72IneyaQM=\n"
    )
    note = read_note(text)
    assert note.full_text == text
    assert [key.signed(note.text.encode(), one) for one in note.by(key)] == [True]


def test_checkpoint_of_another_implementation_is_read_whole() -> None:
    log = log_key_of(read_verifier_key(THEIRS["log_vkey"], KeyKind.NOTE))
    witness = read_verifier_key(THEIRS["witness_vkey"], KeyKind.COSIGNATURE)
    opened = open_checkpoint(THEIRS["checkpoint"], log)
    tree = next(one for one in THEIRS["trees"] if one["size"] == 7)
    assert opened.checkpoint == Checkpoint(log.origin, 7, b64decode(tree["root"]))
    assert opened.signed_at == datetime.fromtimestamp(THEIRS["signed_at"], UTC)
    assert witnessed(opened.note, [witness]) == (
        Witnessed(witness.name, datetime.fromtimestamp(THEIRS["witnessed_at"], UTC)),
    )
    assert log.note_key.text == THEIRS["log_vkey"]


def test_checkpoint_of_ours_is_theirs_to_the_byte() -> None:
    at = datetime.fromtimestamp(THEIRS["signed_at"], UTC)
    seen_at = datetime.fromtimestamp(THEIRS["witnessed_at"], UTC)
    theirs, _ = read_checkpoint(THEIRS["checkpoint"])
    note = sign_checkpoint(theirs, LOG, at)
    cosigned = note.with_signatures([cosign(note.text, "witness.example/tehran", WITNESS, seen_at)])
    assert cosigned.full_text == THEIRS["checkpoint"]
    assert cosigned.with_signatures(cosigned.signatures) == cosigned


def test_time_is_cut_to_the_second() -> None:
    assert open_checkpoint(signed(), KEY).signed_at == AT.replace(microsecond=0)


def test_origin_of_the_log_is_its_address_without_the_scheme() -> None:
    assert origin_of("https://avarez.example/") == ORIGIN
    assert origin_of("http://127.0.0.1:8080") == "127.0.0.1:8080/.well-known/avarez/log"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (signed(origin="other.example/log"), "another log"),
        (signed(signer=WITNESS), "missing or bad"),
        (signed().replace("\n7\n", "\n8\n"), "missing or bad"),
        (signed().replace("\n7\n", "\n07\n"), "no number"),
        (signed().replace("\n7\n", "\n-7\n"), "no number"),
        (signed().replace("\n7\n", "\n7\n\n"), "origin, a size and a root"),
        (signed(root=ROOT[:31]), "no hash"),
        (signed().replace("AAECAw", "AAECA!"), "not base64"),
        (signed().replace("\n\n", "\n"), "an empty line"),
        (signed()[:-1], "an empty line"),
        (signed() + "x", "an empty line"),
        (signed().replace("\u2014", "-"), "dash"),
        (signed().replace("\n7\n", "\n7\r\n"), "control"),
        ("x" * 40_000, "too long"),
        ("\ud800" + signed(), "no UTF-8"),
        (signed() + "\u2014 a YWJjZGVm\n" * 70, "more signatures"),
        (signed() + "\u2014 a+b YWJjZGVm\n", "names its key"),
        (signed() + "\u2014 a YWJj\n", "id and a signature"),
        (signed() + "\u2014 a YWJjZGVmZx==\n", "one way"),
    ],
)  # fmt: skip
def test_checkpoint_that_is_none_of_this_log_is_refused(text: str, reason: str) -> None:
    with pytest.raises(CheckpointError, match=reason):
        open_checkpoint(text, KEY)


def test_checkpoint_without_its_time_is_refused() -> None:
    note = read_note(signed())
    without = notes.Note(note.text, note.signatures[:1]).full_text
    with pytest.raises(CheckpointError, match="no cosignature"):
        open_checkpoint(without, KEY)
    own, time = note.signatures
    later = notes.Signature(time.name, time.key_id, (1).to_bytes(8, "big") + time.content[8:])
    with pytest.raises(CheckpointError, match="is bad"):
        open_checkpoint(notes.Note(note.text, (own, later)).full_text, KEY)
    short = notes.Signature(time.name, time.key_id, time.content[:-1])
    with pytest.raises(CheckpointError, match="malformed"):
        open_checkpoint(notes.Note(note.text, (own, short)).full_text, KEY)


def test_signature_of_a_stranger_is_passed_over_and_a_forged_one_of_a_witness_refuses_all() -> None:
    note = read_note(signed())
    line = cosign(note.text, "witness.example/tehran", WITNESS, AT)
    witness = verifier_key("witness.example/tehran", KeyKind.COSIGNATURE, WITNESS.public_key)
    assert witnessed(note.with_signatures([line]), []) == ()
    forged = notes.Signature(line.name, line.key_id, line.content[:-1] + bytes([line.content[-1] ^ 1]))
    with pytest.raises(CheckpointError, match="is bad"):
        witnessed(note.with_signatures([forged]), [witness])


WEAK = [
    bytes(32),
    (1).to_bytes(32, "little"),
    (2**255 - 20).to_bytes(32, "little"),
    (2**255 - 19).to_bytes(32, "little"),
    (2**255 - 18).to_bytes(32, "little"),
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
]
WEAK += [one[:31] + bytes([one[31] | 0x80]) for one in WEAK]


@pytest.mark.parametrize("public_key", WEAK, ids=lambda one: one.hex()[:6] + one.hex()[-2:])
def test_weak_key_is_refused_whatever_its_sign(public_key: bytes) -> None:
    with pytest.raises(NoteError, match="weak"):
        verifier_key("witness.example/w", KeyKind.COSIGNATURE, public_key)


def test_weak_key_would_take_one_signature_for_every_message() -> None:
    """Why: the identity as key, R the identity, s zero; `cryptography` says that it signed anything."""
    identity = (1).to_bytes(32, "little")
    for message in (b"one", b"another"):
        Ed25519PublicKey.from_public_bytes(identity).verify(identity + bytes(32), message)


@pytest.mark.parametrize("wrong", [bytes(31), bytes(33), (2).to_bytes(32, "little"), b"\xff" * 32])
def test_key_that_is_no_point_in_its_one_spelling_is_refused(wrong: bytes) -> None:
    with pytest.raises(NoteError, match="weak"):
        verifier_key("witness.example/w", KeyKind.COSIGNATURE, wrong)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("witness", "name.id.key"),
        (KEY.note_key.text, "not of kind"),
        (KEY.time_key.text.replace(KEY.time_key.key_id.hex(), "00000000"), "not its own"),
        (KEY.time_key.text.replace("avarez", "a varez"), "no spaces"),
        ("w+00000000+!", "not base64"),
    ],
)
def test_verifier_key_that_cannot_be_trusted_is_refused(text: str, reason: str) -> None:
    with pytest.raises(NoteError, match=reason):
        read_verifier_key(text, KeyKind.COSIGNATURE)
