"""What the builder of the figures reads and writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from avarez.events.chain import Event, Head

PAGE: Final = 1_000
"""Events read at once."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A publication by its number and the name of its manifest."""

    number: int
    manifest: str


class Chains(Protocol):
    """The cities' chains of events, read."""

    def head(self, municipality: str) -> Head: ...

    def read(self, municipality: str, *, after: int, limit: int) -> Sequence[Event]: ...


class Files(Protocol):
    """What was published, by content."""

    def keep(self, content: bytes, form: str) -> str: ...

    def read(self, name: str) -> bytes: ...
