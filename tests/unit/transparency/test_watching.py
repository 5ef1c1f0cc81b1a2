"""Monitors and witnesses: growth is seen as growth, a fork as a fork, and damage on the way as neither."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from avarez.transparency import merkle, tiles
from avarez.transparency.checkpoint import Checkpoint, CheckpointError, open_checkpoint, sign_checkpoint, witnessed
from avarez.transparency.note import KeyKind, read_verifier_key
from avarez.transparency.proof import LogProof, entry_of
from avarez.transparency.tiles import Tile, TilesUnsound
from avarez.transparency.watching import Sight, watch
from avarez_cli import api
from avarez_cli import log as command
from avarez_cli.main import main
from tests.unit.transparency.test_checkpoints import AT, KEY, LOG, ORIGIN, WITNESS


class Written:
    """A log that the writer's library grew: its tiles, and a checkpoint after each step."""

    def __init__(self, *steps: int, fork_from: int | None = None) -> None:
        self.stored: dict[Tile, bytes] = {}
        self.notes: dict[int, str] = {}
        size, root = 0, merkle.EMPTY_ROOT
        for step in steps:
            added = [self.entry(size + number, fork_from) for number in range(step)]
            growth = tiles.grow(size, root, added, self.stored.__getitem__)
            self.stored.update(growth.tiles)
            size, root = growth.size, growth.root
            self.notes[size] = sign_checkpoint(Checkpoint(ORIGIN, size, root), LOG, AT).full_text

    @staticmethod
    def entry(number: int, fork_from: int | None) -> bytes:
        """A leaf; from `fork_from` on others than in the honest log."""
        forked = fork_from is not None and number >= fork_from
        return sha256(f"{'forked' if forked else 'honest'} {number}".encode()).digest()


HONEST = Written(3, 1, 300, 13)
FORKED = Written(3, 1, 300, 13, fork_from=3)
SIZES = (3, 4, 304, 317)


def test_first_checkpoint_is_kept() -> None:
    watched = watch(None, HONEST.notes[304], KEY, HONEST.stored.__getitem__)
    assert (watched.sight, watched.keep) == (Sight.FIRST, HONEST.notes[304])


@pytest.mark.parametrize(("old", "new"), list(itertools.combinations(SIZES, 2)))
def test_growth_is_seen_as_growth_and_the_way_back_as_older(old: int, new: int) -> None:
    read = HONEST.stored.__getitem__
    grown = watch(HONEST.notes[old], HONEST.notes[new], KEY, read)
    assert (grown.sight, grown.keep) == (Sight.GREW, HONEST.notes[new])
    older = watch(HONEST.notes[new], HONEST.notes[old], KEY, read)
    assert (older.sight, older.keep) == (Sight.OLDER, HONEST.notes[new])
    assert watch(HONEST.notes[new], HONEST.notes[new], KEY, read).sight is Sight.SAME


@pytest.mark.parametrize(("kept", "shown"), list(itertools.product(SIZES[1:], SIZES[1:])))
def test_fork_is_seen_whichever_tree_is_larger_and_the_kept_checkpoint_stays(kept: int, shown: int) -> None:
    read = (FORKED if shown >= kept else HONEST).stored.__getitem__
    watched = watch(HONEST.notes[kept], FORKED.notes[shown], KEY, read)
    assert (watched.sight, watched.keep) == (Sight.FORKED, HONEST.notes[kept])


def test_tree_before_the_fork_is_in_both() -> None:
    assert watch(HONEST.notes[3], FORKED.notes[317], KEY, FORKED.stored.__getitem__).sight is Sight.GREW


@pytest.mark.parametrize(("old", "new"), list(itertools.combinations(SIZES, 2)))
def test_tiles_of_the_honest_log_do_not_hide_a_fork(old: int, new: int) -> None:
    """Whoever mixes both logs' tiles cannot lead from the signed root to the other log's beginning."""
    if old == 3:
        return
    for change in range(1, 2 ** len(SIZES)):
        mixed = {
            tile: (HONEST if change >> (number % len(SIZES)) & 1 else FORKED).stored[tile]
            for number, tile in enumerate(sorted(FORKED.stored, key=lambda one: one.path))
        }
        try:
            sight = watch(HONEST.notes[old], FORKED.notes[new], KEY, mixed.__getitem__).sight
        except TilesUnsound:
            continue
        assert sight is Sight.FORKED


def test_damage_on_the_way_is_no_fork() -> None:
    damaged = {tile: bytes([content[0] ^ 1]) + content[1:] for tile, content in HONEST.stored.items()}
    for kept in (None, HONEST.notes[4]):
        with pytest.raises(TilesUnsound):
            watch(kept, HONEST.notes[317], KEY, damaged.__getitem__)


def test_checkpoint_of_a_stranger_is_not_looked_at() -> None:
    strange = sign_checkpoint(Checkpoint(ORIGIN, 4, bytes(32)), WITNESS, AT).full_text
    with pytest.raises(CheckpointError):
        watch(HONEST.notes[3], strange, KEY, HONEST.stored.__getitem__)


# --- the command line ---


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Callable[[Written, int], None]:
    """Lets the command line see this log at this size, in place of the network."""

    def serve(log: Written, size: int) -> None:
        files = {f"tile/{tile.path}": content for tile, content in log.stored.items()}
        files["checkpoint"] = log.notes[size].encode()

        def fetched(address: str) -> bytes:
            path = address.removeprefix("https://avarez.example/.well-known/avarez/log/")
            if path not in files:
                raise api.Refused("404")
            return files[path]

        monkeypatch.setattr(command, "_fetched", fetched)

    return serve


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, Any]:
    code = main(["log", *map(str, arguments), "--json"])
    out = capsys.readouterr().out
    return code, json.loads(out) if out else None


def watching(folder: Path, task: str = "monitor") -> list[object]:
    origin = "https://avarez.example"
    return [task, origin, "--log-key", KEY.note_key.text, "--state", folder / "kept"]


def test_monitor_keeps_checkpoints_and_exits_1_on_a_fork(
    served: Callable[[Written, int], None], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    seen = []
    for log, size in ((HONEST, 4), (HONEST, 4), (HONEST, 317), (HONEST, 304), (FORKED, 317)):
        served(log, size)
        code, told = run(capsys, *watching(tmp_path))
        seen.append((code, told["sight"]))
    assert seen == [(0, "first"), (0, "same"), (0, "grew"), (0, "older"), (1, "forked")]
    assert (tmp_path / "kept").read_text("utf-8") == HONEST.notes[317]
    assert (tmp_path / "kept.fork").read_text("utf-8") == FORKED.notes[317]
    assert main([str(one) for one in ["log", *watching(tmp_path)]]) == 1
    assert "FORKED: the log signed two trees that contradict each other" in capsys.readouterr().out


def test_witness_cosigns_what_it_compared_and_never_a_fork(
    served: Callable[[Written, int], None], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    key_file, name = tmp_path / "witness.pem", "tehran.example/witness"
    code, made = run(capsys, "new-key", "--key", key_file, "--name", name)
    key = read_verifier_key(made["key"], KeyKind.COSIGNATURE)
    assert (code, key_file.stat().st_mode & 0o777) == (0, 0o600)
    assert load_pem_private_key(key_file.read_bytes(), None)
    assert run(capsys, "new-key", "--key", key_file, "--name", name)[0] == 2, "no key is written over"

    asked = [*watching(tmp_path, "witness"), "--key", key_file, "--name", name]
    served(HONEST, 304)
    code, told = run(capsys, *asked)
    assert code == 0
    opened = open_checkpoint(told["cosigned"], KEY)
    assert [one.name for one in witnessed(opened.note, [key])] == [name]
    assert (tmp_path / "kept").read_text("utf-8") == HONEST.notes[304]
    for log, size, sight in ((FORKED, 317, "forked"), (HONEST, 4, "older")):
        served(log, size)
        code, told = run(capsys, *asked)
        assert (code, told["sight"], "cosigned" in told) == (1, sight, False)


def test_verify_reads_a_proof_without_a_network(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from avarez.certificates.link import to_digits

    message = b"\xd2a certificate's message"
    growth = tiles.grow(0, merkle.EMPTY_ROOT, [Written.entry(0, None), entry_of(message)], tiles.nothing)
    note = sign_checkpoint(Checkpoint(ORIGIN, 2, growth.root), LOG, AT).full_text
    proof = tmp_path / "one.tlog-proof"
    proof.write_text(LogProof(1, (merkle.leaf_hash(Written.entry(0, None)),), note).text, "utf-8")
    key = tmp_path / "log-key"
    key.write_text(KEY.note_key.text + "\n", "utf-8")
    asked = ["verify", to_digits(message), "--proof", proof, "--log-key", key]
    code, told = run(capsys, *asked)
    assert (code, told["finding"], told["logged_at"]) == (0, "logged", "2026-11-27T08:00:00.000Z")
    assert run(capsys, *asked, "--before", "2026-11-27T08:00:01Z")[0] == 0
    assert run(capsys, *asked, "--before", "2026-11-27T08:00:00Z")[0] == 1
    witness = "tehran.example/witness+" + "00000000+AAAA"
    assert run(capsys, *asked, "--witness", witness)[0] == 2
    asked[1] = to_digits(b"\xd2another message")
    assert run(capsys, *asked)[1]["finding"] == "not_included"
    assert main([str(one) for one in ["log", *asked]]) == 1
    assert "NOT IN THE LOG" in capsys.readouterr().out
    for wrong in (
        ["x", proof, key],
        [to_digits(message), proof, "no key"],
        [to_digits(message), tmp_path / "no", key],
    ):
        asked[1], asked[3], asked[5] = wrong
        assert run(capsys, *asked)[0] == 2
