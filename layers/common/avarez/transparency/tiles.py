"""The tree as tiles of 256 hashes, and how it grows: only the right edge is ever read or written.

Source: C2SP tlog-tiles, sections Merkle Tree and Log entries. A tile at level l holds nodes of height 8·l; a
bundle holds the entries of a tile at level 0. Ours are SHA-256 digests of certificates, 32 bytes each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from avarez.transparency import merkle

TILE_HEIGHT: Final = 8
TILE_WIDTH: Final = 256
ENTRY_BYTES: Final = merkle.HASH_BYTES
ENTRIES: Final = -1
"""The level under which bundles of entries are named."""
LEVELS_MAX: Final = 8
"""Eight levels hold 2^64 leaves."""

_LENGTH_BYTES: Final = 2
_PATH: Final = re.compile(
    r"(?P<level>entries|[0-7])/(?P<index>(?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


class TilesUnsound(Exception):
    """What was read is not the tree that it should be: nothing may be built on it."""


@dataclass(frozen=True, slots=True)
class Tile:
    """The name of a tile, or of a bundle when `level` is ENTRIES; `width` is 1 to 256 hashes."""

    level: int
    index: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """Its address below `tile/`: `0/x001/234`, `entries/000.p/7`."""
        level = "entries" if self.level == ENTRIES else str(self.level)
        digits = str(self.index)
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        parts = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        index = "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]])
        return f"{level}/{index}" + (f".p/{self.width}" if self.width < TILE_WIDTH else "")

    @property
    def size_bytes(self) -> int:
        """How many bytes it has, exactly."""
        return self.width * (ENTRY_BYTES + (_LENGTH_BYTES if self.level == ENTRIES else 0))


def tile_of(path: str) -> Tile | None:
    """The tile whose `path` this is, spelt in its one way; None for any other text."""
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    level = ENTRIES if match["level"] == "entries" else int(match["level"])
    tile = Tile(level, int(match["index"].replace("/", "").replace("x", "")), int(match["width"] or TILE_WIDTH))
    return tile if tile.path == path else None


def edge_width(size: int, level: int) -> int:
    """How many hashes stand in the unfinished tile of this level in a tree of that size; 0 when there is none."""
    return (size >> (TILE_HEIGHT * max(level, 0))) % TILE_WIDTH


def edge(size: int) -> list[Tile]:
    """The unfinished tiles of the tree, from level 0 upward, and the unfinished bundle as the last."""
    tiles = []
    for level in range(LEVELS_MAX):
        if width := edge_width(size, level):
            tiles.append(Tile(level, size >> (TILE_HEIGHT * (level + 1)), width))
    if width := edge_width(size, 0):
        tiles.append(Tile(ENTRIES, size >> TILE_HEIGHT, width))
    return tiles


def hashes_of(tile: Tile, content: bytes) -> list[bytes]:
    """The hashes in a tile, or the entries in a bundle.

    Raises: TilesUnsound when it has another length than its name says, or an entry has.
    """
    if len(content) != tile.size_bytes:
        raise TilesUnsound(f"tile {tile.path} has {len(content)} bytes")
    if tile.level != ENTRIES:
        return [content[at : at + ENTRY_BYTES] for at in range(0, len(content), ENTRY_BYTES)]
    step = _LENGTH_BYTES + ENTRY_BYTES
    prefix = ENTRY_BYTES.to_bytes(_LENGTH_BYTES, "big")
    if any(content[at : at + _LENGTH_BYTES] != prefix for at in range(0, len(content), step)):
        raise TilesUnsound(f"bundle {tile.path} has an entry of another length")
    return [content[at + _LENGTH_BYTES : at + step] for at in range(0, len(content), step)]


def content_of(tile: Tile, hashes: Sequence[bytes]) -> bytes:
    """The bytes of a tile or bundle; `hashes_of` reads them back."""
    prefix = ENTRY_BYTES.to_bytes(_LENGTH_BYTES, "big") if tile.level == ENTRIES else b""
    return b"".join(prefix + one for one in hashes)


@dataclass(frozen=True, slots=True)
class Growth:
    """A tree with what has to be written for it: every tile that is new or has another width."""

    size: int
    root: bytes
    tiles: Mapping[Tile, bytes]


def grow(size: int, root: bytes, entries: Sequence[bytes], read: Callable[[Tile], bytes]) -> Growth:
    """The tree of `size` and `root`, `entries` appended. Reads the right edge alone, at most nine tiles.

    Raises: TilesUnsound when what was read is not the edge of the tree of that root.
    """
    held = {tile: hashes_of(tile, read(tile)) for tile in edge(size)}
    rows = {level: held_at(held, size, level) for level in (ENTRIES, *range(LEVELS_MAX))}
    if edge_root(size, rows) != root:
        raise TilesUnsound("the tiles at the right edge do not give the root of the last checkpoint")
    if [merkle.leaf_hash(entry) for entry in rows[ENTRIES]] != rows[0]:
        raise TilesUnsound("the last bundle's entries are not those of the last tile")
    written: dict[Tile, bytes] = {}
    new_rows = dict(rows)
    new_rows[ENTRIES], _ = _fill(ENTRIES, size, rows[ENTRIES], entries, written)
    added = [merkle.leaf_hash(entry) for entry in entries]
    for level in range(LEVELS_MAX):
        if not added:
            break
        new_rows[level], added = _fill(level, size >> (TILE_HEIGHT * level), rows[level], added, written)
    new_size = size + len(entries)
    return Growth(new_size, edge_root(new_size, new_rows), written)


def nothing(tile: Tile) -> bytes:
    """What a log reads of its right edge before its first leaf.

    Raises: TilesUnsound, since the empty tree has no tile.
    """
    raise TilesUnsound(f"the empty tree has no tile {tile.path}")


def held_at(held: Mapping[Tile, list[bytes]], size: int, level: int) -> list[bytes]:
    """The hashes of the unfinished tile of a level; none when there is no such tile."""
    return next((hashes for tile, hashes in held.items() if tile.level == level), [])


def edge_root(size: int, rows: Mapping[int, Sequence[bytes]]) -> bytes:
    """The root that the unfinished tiles' hashes give, level by level; the empty tree's where there are none."""
    if size == 0:
        return merkle.EMPTY_ROOT
    roots = []
    for level in reversed(range(LEVELS_MAX)):
        for height, index in merkle.complete_subtrees(0, len(rows[level])):
            roots.append(merkle.full_root(rows[level][index << height : (index + 1) << height]))
    return merkle.folded(roots)


def _fill(
    level: int, count: int, row: Sequence[bytes], added: Sequence[bytes], written: dict[Tile, bytes]
) -> tuple[list[bytes], list[bytes]]:
    """Puts `added` after the `count` hashes of a level: the new unfinished row, the roots of finished tiles."""
    hashes, index = [*row, *added], count // TILE_WIDTH
    roots = []
    while len(hashes) >= TILE_WIDTH:
        full, hashes = hashes[:TILE_WIDTH], hashes[TILE_WIDTH:]
        tile = Tile(level, index)
        written[tile] = content_of(tile, full)
        if level != ENTRIES:
            roots.append(merkle.full_root(full))
        index += 1
    if hashes:
        tile = Tile(level, index, len(hashes))
        written[tile] = content_of(tile, hashes)
    return hashes, roots


class TileTree:
    """The nodes of a tree of `size` leaves, read from its tiles as they are asked for, each tile once."""

    def __init__(self, size: int, read: Callable[[Tile], bytes]) -> None:
        self.size = size
        self._read = read
        self._kept: dict[Tile, list[bytes]] = {}

    def tile(self, level: int, index: int) -> list[bytes]:
        """The hashes of a tile (entries of a bundle) as the tree of this size has it."""
        count = self.size >> (TILE_HEIGHT * max(level, 0))
        name = Tile(level, index, min(TILE_WIDTH, count - index * TILE_WIDTH))
        if name not in self._kept:
            self._kept[name] = hashes_of(name, self._read(name))
        return self._kept[name]

    def node_at(self, height: int, index: int) -> bytes:
        """The hash of a complete node."""
        level, rest = divmod(height, TILE_HEIGHT)
        first = index << rest
        row = self.tile(level, first // TILE_WIDTH)
        at = first % TILE_WIDTH
        return merkle.full_root(row[at : at + (1 << rest)])

    def root(self) -> bytes:
        """The root of the tree."""
        return merkle.tree_root(self.size, self.node_at)
