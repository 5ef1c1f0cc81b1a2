"""Hashes, roots and paths against RFC 6962's own tree and what two other implementations published."""

from __future__ import annotations

import json
from base64 import b64decode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from avarez.transparency import merkle, tiles

DATA = Path(__file__).resolve().parents[2] / "data"
VECTORS: dict[str, list[dict[str, Any]]] = json.loads((DATA / "merkle_vectors.json").read_text("utf-8"))
TREES: list[dict[str, Any]] = json.loads((DATA / "tlog_vectors.json").read_text("utf-8"))["trees"]

#: Source: the reference trees of Certificate Transparency (transparency-dev/merkle, testonly/constants.go).
INPUTS = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def hashes(vector: dict[str, Any], name: str = "proof") -> list[bytes]:
    return [b64decode(one) for one in vector[name] or []]


def _id(vector: dict[str, Any]) -> str:
    return str(vector["name"])


@pytest.mark.parametrize("size", range(9))
def test_root_of_the_reference_trees(size: int) -> None:
    leaves = [merkle.leaf_hash(bytes.fromhex(one)) for one in INPUTS]

    def node_at(height: int, index: int) -> bytes:
        return merkle.full_root(leaves[index << height : (index + 1) << height])

    assert merkle.tree_root(size, node_at).hex() == ROOTS[size]


@pytest.mark.parametrize("vector", VECTORS["inclusion"], ids=_id)
def test_inclusion_is_judged_as_others_judge_it(vector: dict[str, Any]) -> None:
    leaf, root = b64decode(vector["leafHash"]), b64decode(vector["root"])
    good = merkle.verify_inclusion(leaf, vector["leafIdx"], vector["treeSize"], hashes(vector), root)
    assert good is not vector["wantErr"]


@pytest.mark.parametrize("vector", VECTORS["consistency"], ids=_id)
def test_consistency_is_judged_as_others_judge_it(vector: dict[str, Any]) -> None:
    roots = b64decode(vector["root1"]), b64decode(vector["root2"])
    good = merkle.verify_consistency(vector["size1"], vector["size2"], hashes(vector), *roots)
    are_hashes = all(len(root) == merkle.HASH_BYTES for root in roots)  # one vector is lenient where we are not
    assert good is (not vector["wantErr"] and are_hashes)


@pytest.mark.parametrize("tree", TREES, ids=lambda tree: str(tree["size"]))
def test_tree_root_paths_and_tiles_are_those_of_another_implementation(tree: dict[str, Any]) -> None:
    size = tree["size"]
    entries = [sha256(str(number).encode()).digest() for number in range(size)]
    grown = tiles.grow(0, merkle.EMPTY_ROOT, entries, tiles.nothing)
    assert grown.root == b64decode(tree["root"])
    assert grown.size == size

    contents = {f"tile/{tile.path}": content for tile, content in grown.tiles.items()}
    named = "".join(f"{path}{sha256(content).hexdigest()}" for path, content in sorted(contents.items()))
    theirs = b"".join(path.encode() + sha256(content).digest() for path, content in sorted(contents.items()))
    assert sha256(theirs).hexdigest() == tree["tiles_sha256"], named[:2_000]
    assert tree["tiles"].items() <= {path: sha256(one).hexdigest() for path, one in contents.items()}.items()

    read = tiles.TileTree(size, dict(grown.tiles).__getitem__)
    assert read.root() == grown.root
    for index, path in tree["inclusion"].items():
        made = merkle.inclusion_path(int(index), size, read.node_at)
        assert made == [b64decode(one) for one in path]
        assert merkle.verify_inclusion(merkle.leaf_hash(entries[int(index)]), int(index), size, made, grown.root)
    for older, path in tree["consistency"].items():
        made = merkle.consistency_path(int(older), size, read.node_at)
        assert made == [b64decode(one) for one in path]


def test_path_of_a_leaf_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="no such leaf"):
        merkle.inclusion_path(3, 3, lambda height, index: b"")
    with pytest.raises(ValueError, match="no part"):
        merkle.consistency_path(4, 3, lambda height, index: b"")
