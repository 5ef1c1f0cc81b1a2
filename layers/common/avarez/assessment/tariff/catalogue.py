"""The catalogue of vehicles: a tree of makes, models and trims, and which make and model stands at which node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final


class Catalogue:
    """Nodes as dotted paths, `iran-khodro.samand.lx`; a row for a node holds for all below it."""

    __slots__ = ("_by_name", "_paths", "held", "nodes")

    def __init__(self, nodes: Mapping[str, tuple[str, str]], by_name: Mapping[tuple[str, str], str]) -> None:
        self.nodes: Final = nodes
        """Names by node: Persian, English."""
        self._by_name: Final = by_name
        self.held: Final = frozenset(by_name.values())
        """Nodes at which some make and model stand."""
        self._paths: Final[dict[tuple[str, str], tuple[str, ...]]] = {}

    def path(self, make: str, model: str) -> tuple[str, ...]:
        """The nodes at which a make and model stand, the deepest first; empty where the catalogue has none.

        A make alone stands at its own node, with any model that has none.
        """
        name = (make, model)
        found = self._paths.get(name)
        if found is None:
            node = self._by_name.get(name) or self._by_name.get((make, ""))
            found = self._paths[name] = () if node is None else ancestry(node)
        return found


def ancestry(node: str) -> tuple[str, ...]:
    """The node and those above it, the deepest first: `a.b.c`, `a.b`, `a`."""
    parts = node.split(".")
    return tuple(".".join(parts[:depth]) for depth in range(len(parts), 0, -1))
