"""What somebody who kept a checkpoint sees in the next one: growth, nothing new, an older tree, or a fork.

Monitors and witnesses both rest on this; neither believes anything but tiles that lead to signed roots.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from avarez.transparency import merkle
from avarez.transparency.checkpoint import LogKey, SignedCheckpoint, open_checkpoint
from avarez.transparency.tiles import Tile, TilesUnsound, TileTree


class Sight(StrEnum):
    """What was seen. Only `forked` is proof of a lie: two checkpoints, both signed, that contradict each other."""

    FIRST = "first"
    SAME = "same"
    GREW = "grew"
    OLDER = "older"
    FORKED = "forked"


@dataclass(frozen=True, slots=True)
class Watched:
    """What was seen, and the checkpoint that was shown."""

    sight: Sight
    shown: SignedCheckpoint
    kept: SignedCheckpoint | None = None

    @property
    def keep(self) -> str:
        """The checkpoint to be kept from now on: the larger one, and after a fork the one that was kept."""
        if self.kept is not None and self.sight in (Sight.OLDER, Sight.FORKED):
            return self.kept.note.full_text
        return self.shown.note.full_text


def watch(kept: str | None, shown: str, log: LogKey, read: Callable[[Tile], bytes]) -> Watched:
    """Compares the checkpoint that is shown now with the one that was kept; `read` gives tiles from anywhere.

    Tiles that do not lead to the larger root prove nothing against anybody: they may be damaged on the way, so
    they are refused and not called a fork. What does lead there has one beginning: the smaller tree, or a lie.

    Raises:
        CheckpointError: one of them is not signed by the log.
        TilesUnsound: the tiles are not those of the larger tree.
    """
    new = open_checkpoint(shown, log)
    if kept is None:
        _beginning(new, new.checkpoint.size, read)
        return Watched(Sight.FIRST, new)
    old = open_checkpoint(kept, log)
    smaller, larger = sorted((old, new), key=lambda one: one.checkpoint.size)
    if smaller.checkpoint.size == larger.checkpoint.size:
        same = smaller.checkpoint.root == larger.checkpoint.root
        return Watched(Sight.SAME if same else Sight.FORKED, new, old)
    beginning = _beginning(larger, smaller.checkpoint.size, read)
    if beginning != smaller.checkpoint.root:
        return Watched(Sight.FORKED, new, old)
    return Watched(Sight.GREW if larger is new else Sight.OLDER, new, old)


def _beginning(signed: SignedCheckpoint, size: int, read: Callable[[Tile], bytes]) -> bytes:
    """The root over the first `size` leaves of the signed tree; a proof binds it to the signed root.

    Raises: TilesUnsound.
    """
    whole = signed.checkpoint
    tree = TileTree(whole.size, read)
    root = merkle.tree_root(size, tree.node_at)
    path = merkle.consistency_path(size, whole.size, tree.node_at)
    if not merkle.verify_consistency(size, whole.size, path, root, whole.root):
        raise TilesUnsound("the tiles do not lead to the signed root")
    return root
