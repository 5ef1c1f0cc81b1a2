"""Builds `tlog_vectors.json` with an independent implementation, and has that implementation check our writer.

The implementation is the package `aics-tlog` 0.2.1, which needs Python 3.12 and is therefore no part of the test
environment. In an environment that has it and `cryptography`, with the project's root and `layers/common` on the
path, `python -m tests.data.tlog_vectors` audits logs that `avarez.transparency` grew, then writes the file.
"""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import aics_tlog as other
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from avarez.transparency import merkle, tiles
from avarez.transparency.checkpoint import Checkpoint, cosign, sign_checkpoint

PATH = Path(__file__).with_name("tlog_vectors.json")
ORIGIN = "avarez.example/.well-known/avarez/log"
WITNESS = "witness.example/tehran"
SIZES = (1, 2, 3, 7, 255, 256, 257, 511, 65_535, 65_536, 65_537, 70_000)
AT = 1_795_000_000
LOG_SEED, WITNESS_SEED = bytes(range(32)), bytes(range(32, 64))


class Seeded:
    """A NoteSigner with a published key: for tests only."""

    def __init__(self, seed: bytes) -> None:
        self.private = Ed25519PrivateKey.from_private_bytes(seed)

    @property
    def public_key(self) -> bytes:
        return self.private.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(message)


def entries(size: int) -> list[bytes]:
    return [sha256(str(number).encode()).digest() for number in range(size)]


def b64(raw: bytes) -> str:
    return b64encode(raw).decode()


def audited(size: int, step: int) -> None:
    """Our writer's tiles for `size` leaves, grown by `step` at a time, pass the other's audit and its proofs."""
    stored: dict[tiles.Tile, bytes] = {}
    grown, root, every = 0, merkle.EMPTY_ROOT, entries(size)
    while grown < size:
        growth = tiles.grow(grown, root, every[grown : grown + step], stored.__getitem__)
        stored.update(growth.tiles)
        grown, root = growth.size, growth.root
    reader = other.MemoryTileReader({f"tile/{tile.path}": content for tile, content in stored.items()})
    report = other.audit_tiles(reader, size, root)
    note = sign_checkpoint(Checkpoint(ORIGIN, size, root), Seeded(LOG_SEED), datetime.fromtimestamp(AT, UTC))
    line = cosign(note.text, WITNESS, Seeded(WITNESS_SEED), datetime.fromtimestamp(AT, UTC))
    answer = other.verify_checkpoint(
        other.parse_note(note.with_signatures([line]).full_text),
        other.vkey_from_ed25519(ORIGIN, Seeded(LOG_SEED).public_key),
        [other.cosignature_vkey(WITNESS, Seeded(WITNESS_SEED).public_key)],
        1,
    )
    if not answer.log_ok or answer.error:
        raise SystemExit(f"{size}: {answer}")
    print(size, step, report)


def vectors() -> dict[str, object]:
    every = entries(max(SIZES))
    made = []
    for size in SIZES:
        tree = other.MerkleTree(every[:size])
        shown = sorted({0, size // 2, size - 1})
        older = [one for one in SIZES if one < size]
        written = other.TileWriter(every[:size]).materialise()
        made.append(
            {
                "size": size,
                "root": b64(tree.root()),
                "inclusion": {index: [b64(one) for one in tree.inclusion_proof(index)] for index in shown},
                "consistency": {one: [b64(step) for step in tree.consistency_proof(one)] for one in older},
                "tiles": {path: sha256(content).hexdigest() for path, content in sorted(written.items())[:12]},
                "tiles_sha256": sha256(
                    b"".join(path.encode() + sha256(content).digest() for path, content in sorted(written.items()))
                ).hexdigest(),
            }
        )
    log, witness = Seeded(LOG_SEED), Seeded(WITNESS_SEED)
    checkpoint = other.Checkpoint(ORIGIN, 7, other.MerkleTree(every[:7]).root())
    own_time = other.sign_cosignature(log.private, ORIGIN, AT, ORIGIN, 7, checkpoint.root)[1]
    seen = other.sign_cosignature(witness.private, WITNESS, AT + 60, ORIGIN, 7, checkpoint.root)[1]
    signed = other.sign_checkpoint(checkpoint, log.private, ORIGIN)
    note = other.Note(signed.text, (*signed.signatures, own_time, seen))
    return {
        "made_by": "aics-tlog 0.2.1",
        "trees": made,
        "checkpoint": note.serialise(),
        "signed_at": AT,
        "witnessed_at": AT + 60,
        "log_vkey": other.format_vkey(other.vkey_from_ed25519(ORIGIN, log.public_key)),
        "witness_vkey": other.format_vkey(other.cosignature_vkey(WITNESS, witness.public_key)),
    }


if __name__ == "__main__":
    for size, step in ((1, 1), (255, 7), (257, 256), (1_000, 1), (70_000, 1_000)):
        audited(size, step)
    PATH.write_text(json.dumps(vectors(), indent=1) + "\n", "utf-8")
