"""Another record with a few members changed, held to the checks of its class."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from itertools import repeat
from operator import attrgetter, call
from typing import Any, TypeAlias, TypeVar

Record = TypeVar("Record")
_Members: TypeAlias = tuple[
    Callable[[Any], tuple[Any, ...]],
    Mapping[str, int],
    tuple[Callable[[Any, Any], None], ...],
    Callable[[Any], None] | None,
]


def changed(record: Record, /, **changes: Any) -> Record:
    """The dataclass `record` with these members changed: as `dataclasses.replace`, in a third of its time.

    For frozen records with slots and many members, which are changed at every step. What the class checks of a new
    record (`__post_init__`) is checked of this one.

    Raises:
        KeyError: it has no such member.
    """
    kind: Any = type(record)
    read, places, writers, check = _members(kind)
    values = list(read(record))
    for name, value in changes.items():
        values[places[name]] = value
    made: Record = object.__new__(kind)
    deque(map(call, writers, repeat(made), values), maxlen=0)
    if check is not None:
        check(made)
    return made


@cache
def _members(kind: type[Any]) -> _Members:
    """What reads all members at once, the place of each, what writes each, and the class's own check."""
    names = [member.name for member in fields(kind)]
    writers = tuple(getattr(kind, name).__set__ for name in names)
    places = {name: place for place, name in enumerate(names)}
    return attrgetter(*names), places, writers, getattr(kind, "__post_init__", None)
