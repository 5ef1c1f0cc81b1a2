"""Tiles: their names, their growth, and what is refused."""

from __future__ import annotations

from hashlib import sha256

import pytest

from avarez.transparency import merkle, tiles
from avarez.transparency.tiles import ENTRIES, Tile, TilesUnsound, tile_of


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "0/000"),
        (Tile(1, 1_234_067), "1/x001/x234/067"),
        (Tile(0, 273, 112), "0/273.p/112"),
        (Tile(ENTRIES, 1_000, 7), "entries/x001/000.p/7"),
    ],
)
def test_tile_path_is_that_of_the_specification(tile: Tile, path: str) -> None:
    assert tile.path == path
    assert tile_of(path) == tile


@pytest.mark.parametrize(
    "path",
    ["", "0/0", "0/0000", "8/000", "0/x000/001", "0/000.p/0", "0/000.p/256", "0/000.p/07", "0/000/", "00/000",
     "entries/../000", "0/x000/000", "-1/000", "0/۰۰۰", "0/000.p/1/../x", "0/x001"],
)  # fmt: skip
def test_path_spelt_in_another_way_names_nothing(path: str) -> None:
    assert tile_of(path) is None


def test_tree_of_70_000_has_the_tiles_of_the_specification() -> None:
    """Source: C2SP tlog-tiles, section Partial Tiles, the worked example."""
    assert [(tile.level, tile.index, tile.width) for tile in tiles.edge(70_000)] == [
        (0, 273, 112),
        (1, 1, 17),
        (2, 0, 1),
        (ENTRIES, 273, 112),
    ]
    assert [(tile.level, tile.width) for tile in tiles.edge(256)] == [(1, 1)]


def entries(size: int, salt: str = "") -> list[bytes]:
    return [sha256(f"{salt}{number}".encode()).digest() for number in range(size)]


def test_growth_reads_the_right_edge_alone() -> None:
    stored: dict[Tile, bytes] = {}
    first = tiles.grow(0, merkle.EMPTY_ROOT, entries(70_000), stored.__getitem__)
    stored.update(first.tiles)
    read: list[Tile] = []

    def reading(tile: Tile) -> bytes:
        read.append(tile)
        return stored[tile]

    second = tiles.grow(first.size, first.root, entries(1, "more"), reading)
    assert read == tiles.edge(70_000)
    assert sorted(tile.path for tile in second.tiles) == ["0/273.p/113", "entries/273.p/113"]


def test_growth_on_a_foreign_or_damaged_edge_is_refused() -> None:
    first = tiles.grow(0, merkle.EMPTY_ROOT, entries(300), tiles.nothing)
    damaged = {tile: bytes([content[0] ^ 1]) + content[1:] for tile, content in first.tiles.items()}
    with pytest.raises(TilesUnsound):
        tiles.grow(first.size, first.root, entries(1), damaged.__getitem__)
    with pytest.raises(TilesUnsound, match="root"):
        tiles.grow(first.size, merkle.EMPTY_ROOT, entries(1), dict(first.tiles).__getitem__)
    bundle = next(tile for tile in first.tiles if tile.level == ENTRIES and tile.width < 256)
    other = {**first.tiles, bundle: tiles.content_of(bundle, entries(bundle.width, "other"))}
    with pytest.raises(TilesUnsound, match="entries"):
        tiles.grow(first.size, first.root, entries(1), other.__getitem__)
    short = {**first.tiles, bundle: first.tiles[bundle][:-1]}
    with pytest.raises(TilesUnsound, match="bytes"):
        tiles.grow(first.size, first.root, entries(1), short.__getitem__)


def test_bundle_with_an_entry_of_another_length_is_refused() -> None:
    tile = Tile(ENTRIES, 0, 1)
    with pytest.raises(TilesUnsound, match="length"):
        tiles.hashes_of(tile, b"\x00\x1f" + bytes(32))
