"""Trees of any size, grown in any steps: every proof holds, and no changed proof does."""

from __future__ import annotations

import os
from hashlib import sha256

from hypothesis import given, settings
from hypothesis import strategies as st

from avarez.transparency import merkle, tiles
from avarez.transparency.tiles import Tile

EXAMPLES = 2_000 if os.environ.get("AVAREZ_PROVE") else 60


def entry(number: int) -> bytes:
    return sha256(number.to_bytes(8, "big")).digest()


def grown(steps: list[int]) -> tuple[dict[Tile, bytes], list[tuple[int, bytes]]]:
    """The tiles after all steps, and size and root after each."""
    stored: dict[Tile, bytes] = {}
    trees = [(0, merkle.EMPTY_ROOT)]
    for step in steps:
        size, root = trees[-1]
        growth = tiles.grow(size, root, [entry(size + number) for number in range(step)], stored.__getitem__)
        stored.update(growth.tiles)
        trees.append((growth.size, growth.root))
    return stored, trees


def reference_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, word by word."""
    if len(leaves) < 2:
        return merkle.leaf_hash(leaves[0]) if leaves else merkle.EMPTY_ROOT
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return merkle.node_hash(reference_root(leaves[:half]), reference_root(leaves[half:]))


STEPS = st.lists(st.one_of(st.integers(1, 9), st.integers(1, 600)), min_size=1, max_size=6)


@given(steps=STEPS)
@settings(max_examples=EXAMPLES, deadline=None)
def test_tree_grown_in_any_steps_has_the_root_of_its_leaves(steps: list[int]) -> None:
    stored, trees = grown(steps)
    size, root = trees[-1]
    assert root == reference_root([entry(number) for number in range(size)])
    once, _ = grown([size])
    assert once.items() <= stored.items()
    assert {tile for tile in stored if tile.width == tiles.TILE_WIDTH} == {
        tile for tile in once if tile.width == tiles.TILE_WIDTH
    }


@given(steps=STEPS, data=st.data())
@settings(max_examples=EXAMPLES, deadline=None)
def test_every_leaf_of_every_published_tree_has_a_proof(steps: list[int], data: st.DataObject) -> None:
    stored, trees = grown(steps)
    size, root = data.draw(st.sampled_from(trees[1:]))
    index = data.draw(st.integers(0, size - 1))
    path = merkle.inclusion_path(index, size, tiles.TileTree(size, stored.__getitem__).node_at)
    leaf = merkle.leaf_hash(entry(index))
    assert merkle.verify_inclusion(leaf, index, size, path, root)
    wrong = data.draw(st.integers(0, size + 2))
    assert wrong == index or not merkle.verify_inclusion(leaf, wrong, size, path, root)
    assert not merkle.verify_inclusion(merkle.leaf_hash(b"another"), index, size, path, root)
    assert not merkle.verify_inclusion(leaf, index, size, [*path, root], root)
    if path:
        at = data.draw(st.integers(0, len(path) - 1))
        bit = 1 << data.draw(st.integers(0, 7))
        changed = [*path[:at], bytes([path[at][0] ^ bit]) + path[at][1:], *path[at + 1 :]]
        assert not merkle.verify_inclusion(leaf, index, size, changed, root)
        assert not merkle.verify_inclusion(leaf, index, size, path[:-1], root)


@given(steps=STEPS, data=st.data())
@settings(max_examples=EXAMPLES, deadline=None)
def test_every_two_published_trees_are_consistent_and_no_fork_is(steps: list[int], data: st.DataObject) -> None:
    stored, trees = grown(steps)
    older, newer = sorted(data.draw(st.tuples(st.sampled_from(trees), st.sampled_from(trees))))
    tree = tiles.TileTree(newer[0], stored.__getitem__)
    path = merkle.consistency_path(older[0], newer[0], tree.node_at)
    assert merkle.verify_consistency(older[0], newer[0], path, older[1], newer[1])
    fork = sha256(older[1]).digest()
    assert not merkle.verify_consistency(older[0], newer[0], path, fork, newer[1])
    if older[0]:  # the empty tree is a beginning of every tree
        assert not merkle.verify_consistency(older[0], newer[0], path, older[1], fork)


@given(level=st.integers(-1, 7), index=st.integers(0, 10**12), width=st.integers(1, 256))
@settings(max_examples=EXAMPLES * 3, deadline=None)
def test_tile_path_is_read_back(level: int, index: int, width: int) -> None:
    tile = Tile(level, index, width)
    assert tiles.tile_of(tile.path) == tile


@given(path=st.text(alphabet="0123456789xpentris./", max_size=24))
@settings(max_examples=EXAMPLES * 3, deadline=None)
def test_any_text_names_one_tile_or_none(path: str) -> None:
    tile = tiles.tile_of(path)
    assert tile is None or tile.path == path
