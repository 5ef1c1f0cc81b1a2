"""The Merkle tree over entries: hashes, roots, paths, and their check.

Source: RFC 6962, section 2.1 (hashes and paths); RFC 9162, sections 2.1.3.2 and 2.1.4.2 (how a path is checked).
A node is named by its height and its index there: node (h, i) covers the leaves from i·2^h to below (i+1)·2^h.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from hmac import compare_digest
from typing import Final

HASH_BYTES: Final = 32
#: A tree of 2^64 leaves has paths of 64 hashes; a longer one is no path.
PATH_MAX: Final = 64
EMPTY_ROOT: Final = sha256(b"").digest()

NodeAt = Callable[[int, int], bytes]


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry: a leaf never equals an inner node."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


def full_root(hashes: Sequence[bytes]) -> bytes:
    """The root over a power of two of hashes."""
    level = list(hashes)
    while len(level) > 1:
        level = [node_hash(level[at], level[at + 1]) for at in range(0, len(level), 2)]
    return level[0]


def complete_subtrees(first: int, beyond: int) -> Iterator[tuple[int, int]]:
    """The nodes (height, index), from left to right, that cover the leaves from `first` to below `beyond`.

    `first` is 0 or a multiple of the power of two that the range spans, as every range in RFC 6962 is.
    """
    while first < beyond:
        height = (beyond - first).bit_length() - 1
        yield height, first >> height
        first += 1 << height


def folded(roots: Sequence[bytes]) -> bytes:
    """One root over the roots of complete subtrees, from left to right; the smallest is the last."""
    result = roots[-1]
    for root in reversed(roots[:-1]):
        result = node_hash(root, result)
    return result


def range_root(first: int, beyond: int, node_at: NodeAt) -> bytes:
    """MTH(D[first:beyond]) of RFC 6962."""
    return folded([node_at(height, index) for height, index in complete_subtrees(first, beyond)])


def tree_root(size: int, node_at: NodeAt) -> bytes:
    """The root of the tree over the first `size` leaves."""
    return range_root(0, size, node_at) if size else EMPTY_ROOT


def inclusion_path(index: int, size: int, node_at: NodeAt) -> list[bytes]:
    """PATH(index, D[0:size]), from the leaf's sibling upward. Source: RFC 6962, section 2.1.1.

    Raises:
        ValueError: there is no such leaf in a tree of that size.
    """
    if not 0 <= index < size:
        raise ValueError("no such leaf in this tree")
    path: list[bytes] = []
    first, beyond = 0, size
    while beyond - first > 1:
        middle = first + _split(beyond - first)
        if index < middle:
            path.append(range_root(middle, beyond, node_at))
            beyond = middle
        else:
            path.append(range_root(first, middle, node_at))
            first = middle
    return path[::-1]


def consistency_path(old_size: int, size: int, node_at: NodeAt) -> list[bytes]:
    """PROOF(old_size, D[0:size]). Source: RFC 6962, section 2.1.2. Empty for equal sizes and for the empty tree.

    Raises:
        ValueError: the old tree is larger than the new one.
    """
    if not 0 <= old_size <= size:
        raise ValueError("the old tree is no part of the new one")
    if old_size in (0, size):
        return []
    path: list[bytes] = []
    first, beyond, whole = 0, size, True
    while old_size != beyond:
        middle = first + _split(beyond - first)
        if old_size <= middle:
            path.append(range_root(middle, beyond, node_at))
            beyond = middle
        else:
            path.append(range_root(first, middle, node_at))
            first, whole = middle, False
    if not whole:
        path.append(range_root(first, beyond, node_at))
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the leaf with this hash stands at `index` in the tree of that size and root."""
    if not 0 <= index < size or not _sound([leaf, root, *path]):
        return False
    below, last, reached = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if below & 1 or below == last:
            reached = node_hash(sibling, reached)
            while below and not below & 1:
                below, last = below >> 1, last >> 1
        else:
            reached = node_hash(reached, sibling)
        below, last = below >> 1, last >> 1
    return last == 0 and compare_digest(reached, root)


def verify_consistency(old_size: int, size: int, path: Sequence[bytes], old_root: bytes, root: bytes) -> bool:
    """Whether the tree of `size` begins with the very leaves of the tree of `old_size`.

    The empty tree is a beginning of every tree.
    """
    if not 0 <= old_size <= size or not _sound([old_root, root, *path]):
        return False
    if old_size == size:
        return not path and compare_digest(old_root, root)
    if old_size == 0:
        return not path and compare_digest(old_root, EMPTY_ROOT)
    if not path:
        return False
    steps = list(path)
    if old_size & (old_size - 1) == 0:
        steps.insert(0, old_root)
    below, last = old_size - 1, size - 1
    while below & 1:
        below, last = below >> 1, last >> 1
    old_reached = reached = steps[0]
    for sibling in steps[1:]:
        if last == 0:
            return False
        if below & 1 or below == last:
            old_reached, reached = node_hash(sibling, old_reached), node_hash(sibling, reached)
            while below and not below & 1:
                below, last = below >> 1, last >> 1
        else:
            reached = node_hash(reached, sibling)
        below, last = below >> 1, last >> 1
    return last == 0 and compare_digest(old_reached, old_root) and compare_digest(reached, root)


def _split(length: int) -> int:
    """The largest power of two below `length`, which is at least 2."""
    return 1 << ((length - 1).bit_length() - 1)


def _sound(hashes: Sequence[bytes]) -> bool:
    return len(hashes) <= PATH_MAX + 3 and all(len(one) == HASH_BYTES for one in hashes)
