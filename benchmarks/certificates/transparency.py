"""The transparency log: certificates appended a second, proofs made and checked, time to inclusion."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from avarez.transparency import merkle
from avarez.transparency.checkpoint import LogKey
from avarez.transparency.proof import LogProof, check_proof, entry_of
from avarez.transparency.tiles import Tile, TileTree
from benchmarks.report import Figure, at_least, at_most, spread
from benchmarks.running.desk import Desk
from functions.certify.log.sequencing import Leaf, Log, Tree, Waiting, sequence

GROUP = "the transparency log"
ORIGIN = "avarez.example/.well-known/avarez/log"
AT = datetime(2026, 11, 27, 8, tzinfo=UTC)
APPENDS_FLOOR = 1_000.0
"""A second, in batches: the peak that the system is designed for."""
INCLUSION_FLOOR_S = 10.0
LOG_ADDRESS = "/.well-known/avarez/log"


class Memory:
    """Rows and files of the log in this process: what is left is the writer's own work."""

    def __init__(self) -> None:
        self.head, self.pending = Tree(), list[Waiting]()
        self.files: dict[Tile, bytes] = {}
        self.batches: dict[str, bytes] = {}
        self.notes: dict[int, str] = {}
        self._private = Ed25519PrivateKey.generate()

    def tree(self) -> Tree:
        return self.head

    def waiting(self, limit: int) -> list[Waiting]:
        return self.pending[:limit]

    def advance(self, old: Tree, new: Tree) -> None:
        self.head = new

    def kept_checkpoint(self, size: int) -> str | None:
        return self.notes.get(size)

    def keep_checkpoint(self, size: int, note: str) -> str:
        return self.notes.setdefault(size, note)

    def place(self, leaves: Sequence[Leaf], logged_at: datetime) -> None:
        del self.pending[: len(leaves)]

    def publish(self, tree: Tree, note: str, key: str) -> None:
        pass

    def end(self, tree: Tree) -> None:
        self.head = Tree(tree.size, tree.root)

    def read_tile(self, tile: Tile) -> bytes:
        return self.files[tile]

    def keep_tiles(self, contents: Mapping[Tile, bytes]) -> None:
        self.files.update(contents)

    def stage(self, name: str, content: bytes) -> None:
        self.batches[name] = content

    def staged(self, name: str) -> bytes:
        return self.batches[name]

    def last_checkpoint(self) -> str | None:
        return self.notes.get(self.head.size)

    def keep_last_checkpoint(self, note: str) -> None:
        pass

    @property
    def public_key(self) -> bytes:
        return self._private.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)


def message(number: int) -> bytes:
    return b"certificate %d" % number


def figures(*, rounds: int, count: int) -> list[Figure]:
    """Appends a second in batches of 1,000 and one by one, each signed; then proofs of the log that came of it."""
    batched, single, proofs, checks = list[float](), list[float](), list[float](), list[float]()
    for _ in range(rounds):
        memory = Memory()
        log = Log(ORIGIN, memory, memory, memory)
        batched.append(_rate(log, memory, 0, count, 1_000))
        single.append(_rate(log, memory, count, count // 50, 1))
        made, checked = _proofs(memory, 200)
        proofs += made
        checks += checked
    return [
        at_least(GROUP, f"appended in batches of 1,000, to {count:,}", batched, "a second", APPENDS_FLOOR),
        Figure(
            GROUP,
            "one by one, each with its checkpoint",
            f"{statistics.median(single):,.0f} a second",
            spread(single),
        ),
        Figure(GROUP, "a proof made", f"{statistics.median(proofs):,.2f} ms", spread(proofs, 2)),
        Figure(GROUP, "a proof checked", f"{statistics.median(checks):,.2f} ms", spread(checks, 2)),
    ]


def _rate(log: Log, memory: Memory, first: int, count: int, batch: int) -> float:
    started = time.perf_counter()
    for at in range(first, first + count, batch):
        memory.pending += [
            Waiting(f"ce_{number}", sha256(message(number)).digest()) for number in range(at, at + batch)
        ]
        sequence(log, now=lambda: AT, batch_max=batch)
    return count / (time.perf_counter() - started)


def _proofs(memory: Memory, samples: int) -> tuple[list[float], list[float]]:
    """Milliseconds to make and to check proofs, tiles in memory."""
    key, size = LogKey(ORIGIN, memory.public_key), memory.head.size
    made, checked = [], []
    for at in range(samples):
        index = at * size // samples
        started = time.perf_counter()
        path = merkle.inclusion_path(index, size, TileTree(size, memory.read_tile).node_at)
        text = LogProof(index, tuple(path), memory.notes[size]).text
        between = time.perf_counter()
        if check_proof(message(index), text, key).finding != "logged":
            raise RuntimeError("a proof of the log's own does not hold")
        made.append((between - started) * 1000)
        checked.append((time.perf_counter() - between) * 1000)
    return made, checked


def inclusion(desk: Desk, issue: Callable[[], tuple[str, bytes]], samples: int) -> list[Figure]:
    """Seconds from a certificate in force to its public proof; `issue` gives its id and COSE message."""
    took_s = []
    for _ in range(samples):
        _, signed = issue()
        started = time.perf_counter()
        address = f"{LOG_ADDRESS}/proof/{entry_of(signed).hex()}"
        while time.perf_counter() - started < 6 * INCLUSION_FLOOR_S:
            if desk.call("GET", address, accepted=(200, 404))[1].startswith(b"c2sp.org/tlog-proof"):
                break
            time.sleep(0.05)
        took_s.append(time.perf_counter() - started)
    return [at_most(GROUP, f"in force to included ({samples})", took_s, "s", INCLUSION_FLOOR_S, 1)]
