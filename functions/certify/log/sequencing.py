"""The use case: certificates that wait get their place in the log, once each, and a signed checkpoint over them.

A run may die anywhere and another may go on at the same moment; each step is either undone by nobody or done twice
with the same bytes:

1. finish what an earlier run left: its batch is named in the head; stop when files tell of a larger tree than rows
2. read who waits, grow the tree from its right edge, put the batch aside in object storage
3. compare and set the head: from here on this batch is the next one, and whoever read an older head has lost
4. write the tiles and read them back; sign the checkpoint and keep it, the first signature for each size counts
5. publish it; write the leaves' rows, so that no proof leads to a checkpoint that nobody can see; delete the
   waiting rows; then the head names no batch any more

Nothing is signed before step 3, so that two checkpoints which contradict each other are never signed, not even in
a drawer. Between reading who waits and step 3 the head did not move: nobody gets two places.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from avarez.transparency import merkle, tiles
from avarez.transparency.checkpoint import Checkpoint, LogKey, open_checkpoint, read_checkpoint, sign_checkpoint
from avarez.transparency.note import NoteSigner
from avarez.transparency.tiles import Growth, Tile

#: A batch of this size has a staged file of about 250 kB and takes well under a run's time.
BATCH_MAX: Final = 2_000


class LogMoved(Exception):
    """Another run has moved the head meanwhile; it, or the next one, does the work."""


class LogUnsound(Exception):
    """What is stored contradicts itself: nothing more is signed, and a person must look."""


@dataclass(frozen=True, slots=True)
class Tree:
    """The head: the tree, and the batch that is not yet finished (empty when all is published)."""

    size: int = 0
    root: bytes = merkle.EMPTY_ROOT
    batch: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A certificate that waits for its place."""

    certificate_id: str
    entry: bytes


@dataclass(frozen=True, slots=True)
class Leaf:
    """A certificate's place: its index, and the first tree with a checkpoint that holds it."""

    index: int
    waiting: Waiting
    tree_size: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What is put aside before the head moves: the tree as it was, and who comes next."""

    size: int
    root: bytes
    waiting: tuple[Waiting, ...]

    def encoded(self) -> bytes:
        """The staged file; `read_batch` reads it back."""
        rows = [[one.certificate_id, one.entry.hex()] for one in self.waiting]
        return json.dumps({"size": self.size, "root": self.root.hex(), "waiting": rows}).encode()


class Head(Protocol):
    """The rows of the log."""

    def tree(self) -> Tree:
        """The head, read consistently; the empty tree before the first certificate."""
        ...

    def waiting(self, limit: int) -> list[Waiting]:
        """At most `limit` certificates without a place, read consistently, oldest first."""
        ...

    def advance(self, old: Tree, new: Tree) -> None:
        """Sets the head to `new` where it is `old`, with no batch under way. Raises: LogMoved."""
        ...

    def kept_checkpoint(self, size: int) -> str | None:
        """The signed checkpoint of this size."""
        ...

    def keep_checkpoint(self, size: int, note: str) -> str:
        """Keeps the checkpoint where none of this size is kept; the one that stands."""
        ...

    def place(self, leaves: Sequence[Leaf], logged_at: datetime) -> None:
        """Writes the leaves' rows and then deletes the waiting ones; a repetition writes the same."""
        ...

    def publish(self, tree: Tree, note: str, key: str) -> None:
        """Makes `note` the public checkpoint; nothing where the head has gone on."""
        ...

    def end(self, tree: Tree) -> None:
        """The head names no batch any more; nothing where it has gone on."""
        ...


class Objects(Protocol):
    """The files of the log. A file that was taken reads back."""

    def read_tile(self, tile: Tile) -> bytes:
        """The tile's bytes. Raises: LogUnsound when it is missing."""
        ...

    def keep_tiles(self, contents: Mapping[Tile, bytes]) -> None:
        """Stores the tiles and returns only when each reads back."""
        ...

    def stage(self, name: str, content: bytes) -> None:
        """Puts a batch aside, and returns only when it reads back."""
        ...

    def last_checkpoint(self) -> str | None:
        """The checkpoint that was published last, as far as files tell: it shows a rollback of the rows."""
        ...

    def keep_last_checkpoint(self, note: str) -> None:
        """Stores it. A slow run may put an older one over a newer one, which the next run mends."""
        ...

    def staged(self, name: str) -> bytes:
        """A batch that was put aside. Raises: LogUnsound when it is missing."""
        ...


@dataclass(frozen=True, slots=True)
class Log:
    """What the sequencer works on."""

    origin: str
    head: Head
    objects: Objects
    signer: NoteSigner


@dataclass(frozen=True, slots=True)
class Sequenced:
    """What a run did: how many got a place, and whether an earlier run's batch was finished first."""

    size: int
    added: int = 0
    healed: bool = False


def sequence(log: Log, *, now: Callable[[], datetime], batch_max: int = BATCH_MAX) -> Sequenced:
    """One batch: everything that waits, at most `batch_max`, is in a published checkpoint afterwards.

    Raises: LogMoved when another run was faster; LogUnsound; ServiceBusy.
    """
    shown = log.objects.last_checkpoint()
    tree = log.head.tree()
    if shown is not None and read_checkpoint(shown)[0].size > tree.size:
        raise LogUnsound(
            "a larger tree was published than the rows tell of: they were restored to an earlier time"
        )
    healed = bool(tree.batch)
    if healed:
        tree = _finish(log, tree, read_batch(log.objects.staged(tree.batch)), now)
    waiting = log.head.waiting(batch_max)
    if not waiting:
        return Sequenced(tree.size, healed=healed)
    batch = Batch(tree.size, tree.root, tuple(waiting))
    growth = _grown(log, batch)
    name = f"{growth.size}-{growth.root.hex()}.json"
    log.objects.stage(name, batch.encoded())
    advanced = Tree(growth.size, growth.root, name)
    log.head.advance(tree, advanced)
    _finish(log, advanced, batch, now, growth)
    return Sequenced(growth.size, len(waiting), healed)


def _finish(log: Log, tree: Tree, batch: Batch, now: Callable[[], datetime], growth: Growth | None = None) -> Tree:
    """The tree, published: tiles, checkpoint, leaves and head are as the batch under way asks for."""
    if growth is None:
        growth = _grown(log, batch)
    if (growth.size, growth.root) != (tree.size, tree.root):
        raise LogUnsound("the batch under way does not lead to the head")
    log.objects.keep_tiles(growth.tiles)
    key = LogKey(log.origin, log.signer.public_key)
    note = log.head.kept_checkpoint(tree.size)
    if note is None:
        signed = sign_checkpoint(Checkpoint(log.origin, tree.size, tree.root), log.signer, now())
        note = log.head.keep_checkpoint(tree.size, signed.full_text)
    opened = open_checkpoint(note, key)
    if opened.checkpoint.root != tree.root:
        raise LogUnsound("the kept checkpoint is of another tree")
    leaves = [Leaf(batch.size + number, one, tree.size) for number, one in enumerate(batch.waiting)]
    log.objects.keep_last_checkpoint(note)
    log.head.publish(tree, note, key.note_key.text)
    log.head.place(leaves, opened.signed_at)
    log.head.end(tree)
    return Tree(tree.size, tree.root)


def _grown(log: Log, batch: Batch) -> Growth:
    try:
        return tiles.grow(batch.size, batch.root, [one.entry for one in batch.waiting], log.objects.read_tile)
    except tiles.TilesUnsound as error:
        raise LogUnsound(str(error)) from error


def read_batch(content: bytes) -> Batch:
    """The batch in a staged file.

    Raises: LogUnsound when it is none.
    """
    try:
        staged = json.loads(content)
        waiting = tuple(Waiting(str(name), bytes.fromhex(entry)) for name, entry in staged["waiting"])
        return Batch(int(staged["size"]), bytes.fromhex(staged["root"]), waiting)
    except (KeyError, TypeError, ValueError) as error:
        raise LogUnsound("the batch under way cannot be read") from error
