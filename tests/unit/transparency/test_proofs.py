"""Proof files: what they show, since when, and that a key's thief cannot make one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from avarez.transparency import merkle, tiles
from avarez.transparency.checkpoint import Checkpoint, LogKey, cosign, sign_checkpoint
from avarez.transparency.note import KeyKind, VerifierKey, read_note, verifier_key
from avarez.transparency.proof import (
    Evidence,
    Finding,
    LogProof,
    ProofError,
    check_proof,
    entry_of,
    logged_before,
    read_proof,
)
from avarez.transparency.register import LogRegister
from tests.unit.transparency.test_checkpoints import AT, KEY, LOG, ORIGIN, WITNESS

MESSAGES = [f"certificate {number}".encode() for number in range(300)]
WITNESS_KEY = verifier_key("witness.example/tehran", KeyKind.COSIGNATURE, WITNESS.public_key)
SECOND = timedelta(seconds=1)
LOGGED_AT = AT.replace(microsecond=0)


def proof_of(number: int, size: int = 300, *, cosigned_at: datetime | None = None) -> str:
    """The proof file of a certificate in a log of `size` of them."""
    grown = tiles.grow(0, merkle.EMPTY_ROOT, [entry_of(one) for one in MESSAGES[:size]], tiles.nothing)
    note = sign_checkpoint(Checkpoint(ORIGIN, size, grown.root), LOG, AT)
    if cosigned_at:
        note = note.with_signatures([cosign(note.text, WITNESS_KEY.name, WITNESS, cosigned_at)])
    tree = tiles.TileTree(size, dict(grown.tiles).__getitem__)
    return LogProof(number, tuple(merkle.inclusion_path(number, size, tree.node_at)), note.full_text).text


@pytest.mark.parametrize(("number", "size"), [(0, 1), (0, 2), (255, 256), (256, 257), (299, 300), (17, 300)])
def test_proof_of_a_logged_certificate_is_good(number: int, size: int) -> None:
    evidence = check_proof(MESSAGES[number], proof_of(number, size), KEY)
    assert (evidence.finding, evidence.index, evidence.logged_at) == (Finding.LOGGED, number, LOGGED_AT)
    assert evidence.checkpoint is not None
    assert evidence.checkpoint.size == size


def test_proof_of_another_certificate_shows_nothing() -> None:
    assert check_proof(MESSAGES[4], proof_of(3), KEY) == Evidence(Finding.NOT_INCLUDED)
    assert check_proof(b"", proof_of(3), KEY).finding is Finding.NOT_INCLUDED
    moved = proof_of(3).replace("index 3", "index 4")
    assert check_proof(MESSAGES[3], moved, KEY).finding is Finding.NOT_INCLUDED


def test_proof_under_a_key_that_is_not_pinned_shows_nothing() -> None:
    for key in (LogKey(ORIGIN, WITNESS.public_key), LogKey("other.example/log", LOG.public_key)):
        assert check_proof(MESSAGES[3], proof_of(3), key).finding is Finding.CHECKPOINT_NOT_SIGNED


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-1],
        lambda text: text.replace("tlog-proof@v1", "tlog-proof@v2"),
        lambda text: text.replace("index 3", "index 03"),
        lambda text: text.replace("index 3\n", ""),
        lambda text: text.replace("index 3\n", "index 3\nAAAA\n"),
        lambda text: text.replace("index 3\n", "index 3\n????\n"),
        lambda text: text.replace("index 3\n", "index 3\n" + "A" * 43 + "=\n" * 1 + ("A" * 43 + "=\n") * 64),
        lambda text: text.replace("\n\n", "\n"),
        lambda text: text + "\ud800",
        lambda text: "x" * 60_000,
        lambda text: "",
    ],
)
def test_file_that_is_no_proof_is_a_finding_and_no_exception(change: Any) -> None:
    assert check_proof(MESSAGES[3], change(proof_of(3)), KEY) == Evidence(Finding.PROOF_UNREADABLE)


def test_extra_line_of_the_format_is_passed_over() -> None:
    text = proof_of(3).replace("index 3", "extra AAAA\nindex 3")
    assert check_proof(MESSAGES[3], text, KEY).finding is Finding.LOGGED
    with pytest.raises(ProofError):
        read_proof("c2sp.org/tlog-proof@v1\nextra AAAA\n\nx")
    assert read_proof(proof_of(3)).text == proof_of(3)


def test_logged_before_counts_whole_seconds_only() -> None:
    """A checkpoint of 08:00:00 may have been signed at 08:00:00.9: at 08:00:00.95 nothing is sure."""
    text = proof_of(3)
    assert not logged_before(MESSAGES[3], text, KEY, LOGGED_AT)
    assert not logged_before(MESSAGES[3], text, KEY, LOGGED_AT + SECOND * 0.95)
    assert logged_before(MESSAGES[3], text, KEY, LOGGED_AT + SECOND)
    assert not logged_before(MESSAGES[4], text, KEY, LOGGED_AT + SECOND * 3600)


def test_witness_that_is_asked_for_must_have_seen_the_tree_in_time() -> None:
    seen_at = LOGGED_AT + timedelta(minutes=1)
    evidence = check_proof(MESSAGES[3], proof_of(3, cosigned_at=seen_at), KEY, witnesses=[WITNESS_KEY])
    assert [(one.name, one.at) for one in evidence.witnesses] == [(WITNESS_KEY.name, seen_at)]
    assert evidence.before(seen_at + SECOND, witnesses_min=1)
    assert not evidence.before(seen_at, witnesses_min=1)
    assert not evidence.before(seen_at + SECOND, witnesses_min=2)
    assert evidence.before(seen_at)


def test_witness_under_two_names_counts_once() -> None:
    text = proof_of(3, cosigned_at=LOGGED_AT)
    proof = read_proof(text)
    note = read_note(proof.checkpoint_text)
    again = note.with_signatures([cosign(note.text, "witness.example/again", WITNESS, LOGGED_AT)])
    twice = LogProof(proof.index, proof.path, again.full_text).text
    keys: list[VerifierKey] = [
        WITNESS_KEY,
        verifier_key("witness.example/again", KeyKind.COSIGNATURE, WITNESS.public_key),
    ]
    assert len(check_proof(MESSAGES[3], twice, KEY, witnesses=keys).witnesses) == 1


def test_forged_line_of_a_witness_refuses_the_checkpoint() -> None:
    text = proof_of(3, cosigned_at=LOGGED_AT)
    line = text.splitlines()[-1]
    forged = text.replace(line, line[:-8] + ("AAAAAA==" if not line.endswith("AAAAAA==") else "BAAAAA=="))
    assert forged != text
    finding = check_proof(MESSAGES[3], forged, KEY, witnesses=[WITNESS_KEY]).finding
    assert finding in (Finding.CHECKPOINT_NOT_SIGNED, Finding.PROOF_UNREADABLE)


class Rows:
    """The one table, as far as the register asks."""

    def __init__(self, rows: dict[tuple[str, str], dict[str, Any]]) -> None:
        self._rows = rows

    def get(self, key: tuple[str, str]) -> dict[str, Any] | None:
        return self._rows.get(key)


def test_register_says_since_when_a_certificate_is_logged() -> None:
    leaf = (f"LOG#LEAF#{entry_of(MESSAGES[3]).hex()}", "LEAF")
    row = {"index": 3, "tree_size": 300, "logged_at": "2026-11-27T08:00:00.000Z"}
    register = LogRegister(Rows({leaf: row}))  # type: ignore[arg-type]
    found = register.find(MESSAGES[3])
    assert found is not None
    assert (found.index, found.tree_size, found.logged_at) == (3, 300, datetime(2026, 11, 27, 8, tzinfo=UTC))
    assert register.logged_before(MESSAGES[3], LOGGED_AT + SECOND)
    assert not register.logged_before(MESSAGES[3], LOGGED_AT)
    assert not register.logged_before(MESSAGES[4], LOGGED_AT + SECOND * 60)
