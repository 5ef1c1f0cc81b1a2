"""Rows that nobody changes any more, such as three years of a ledger: packed, in files of their own.

An item is some six kilobytes in the engine's memory and one in a file. Packed rows stay compressed until somebody
reads them, are no part of the snapshot, and cost a start no parsing. Whoever reads a partition gets whole items.
"""

from __future__ import annotations

import base64
import json
import threading
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from infra.local.engine_process.states import CorruptState

FOLDER = "archive"
REMOVED = "removed.jsonl"
BLOCKS_UNPACKED = 64
FORMS = ("", " AND sk > :beyond", " AND sk <= :upto", " AND begins_with(sk, :prefix)")
"""Of a key condition, behind `pk = :pk`: those that `avarez.dynamo` writes."""
REAPER = "dynamodb-ttl-reaper"
"""The engine's thread that looks for items whose time is over: no archive holds such items."""


@lru_cache(BLOCKS_UNPACKED)
def unpacked(block: bytes) -> list[dict[str, Any]]:
    """The items of a block."""
    items: list[dict[str, Any]] = json.loads(zlib.decompress(block))
    return items


class Partition(dict[str, Any]):
    """The items of a partition by their sort keys; of packed ones the block and the place in it."""

    asked: Callable[[Sequence[str]], Sequence[str]] | None = None
    """Which sort keys the query under way means, of all in their order."""
    narrowed = False
    """Whether the query under way got those alone: its condition holds of each then."""

    def __init__(self, rows: dict[str, Any], gone: Callable[[str], None]) -> None:
        super().__init__(rows)
        self._gone = gone
        self._order: list[str] | None = None

    def keep(self, sk: str, block: bytes, place: int) -> bool:
        """Takes a packed row, if nothing newer stands in its place."""
        if sk in self:
            return False
        super().__setitem__(sk, (block, place))
        self._order = None
        return True

    def loose(self) -> dict[str, Any]:
        """What is not packed."""
        return {sk: item for sk, item in super().items() if type(item) is not tuple}

    def __getitem__(self, sk: str) -> Any:
        return _whole(super().__getitem__(sk))

    def __setitem__(self, sk: str, item: Any) -> None:
        if sk not in self:
            self._order = None
        super().__setitem__(sk, item)

    def get(self, sk: str, default: Any = None) -> Any:
        return _whole(super().get(sk, default))

    def pop(self, sk: str, default: Any = None) -> Any:
        kept = super().pop(sk, default)
        self._order = None
        if type(kept) is tuple:
            self._gone(sk)
        return _whole(kept)

    def values(self) -> Any:
        asked = Partition.asked
        if asked is None:
            return [_whole(item) for item in super().values()]
        if self._order is None:
            self._order = sorted(self)
        Partition.narrowed = True
        return [self[sk] for sk in asked(self._order)]

    def items(self) -> Any:
        if threading.current_thread().name == REAPER:
            return self.loose().items()
        return [(sk, _whole(item)) for sk, item in super().items()]


def _whole(item: Any) -> Any:
    return unpacked(item[0])[item[1]] if type(item) is tuple else item


def asked_of(call: dict[str, Any]) -> Callable[[Sequence[str]], Sequence[str]] | None:
    """Which sort keys a query of the table means; None where it is none of the forms that the system uses.

    The engine would read its condition anew for each item of the partition.
    """
    pk, _, of_sk = call.get("KeyConditionExpression", "").partition("pk = :pk")
    if "IndexName" in call or "FilterExpression" in call or pk or of_sk not in FORMS:
        return None
    values = {name: value.get("S", "") for name, value in call.get("ExpressionAttributeValues", {}).items()}
    start = call.get("ExclusiveStartKey", {}).get("sk", {}).get("S")
    forward, limit = call.get("ScanIndexForward", True), call.get("Limit")

    def asked(order: Sequence[str]) -> Sequence[str]:
        first, last = 0, len(order)
        if of_sk == " AND sk > :beyond":
            first = bisect_right(order, values[":beyond"])
        elif of_sk == " AND sk <= :upto":
            last = bisect_right(order, values[":upto"])
        elif of_sk == " AND begins_with(sk, :prefix)":
            first = bisect_left(order, values[":prefix"])
            last = bisect_right(order, values[":prefix"], key=lambda sk: sk[: len(values[":prefix"])])
        # The key that the last page ended with is left out by the engine, and one more says that more follow.
        if start is not None and forward:
            first = max(first, bisect_left(order, start))
        elif start is not None:
            last = min(last, bisect_right(order, start))
        if limit is not None and forward:
            last = min(last, first + limit + 2)
        elif limit is not None:
            first = max(first, last - limit - 2)
        return order[first:last]

    return asked


class Archive:
    """The packed rows of a state folder: `archive/{table}/*.jsonl`, lines of `crc32(hex) json`.

    The JSON is `{"keys": [[pk, sk], …], "block": …}`: the block is the same items, as a list in JSON, compressed,
    in base64. A row that was deleted is named in `archive/removed.jsonl`; one that was written again stands in the
    snapshot or in the journal, which come on top.
    """

    def __init__(self, state_dir: Path, dynamodb: Any, account: str, region: str) -> None:
        self._dir = state_dir / FOLDER
        self._dynamodb = dynamodb
        self._place = account, region
        self._attached: set[Path] = set()

    def install(self) -> None:
        """Queries look at what they can mean; call once, before the engine serves."""
        query, evaluate = self._dynamodb._query, self._dynamodb._evaluate_condition

        def narrowed(call: dict[str, Any]) -> Any:
            Partition.asked = asked_of(call)
            try:
                return query(call)
            finally:
                Partition.asked, Partition.narrowed = None, False

        def evaluated(*told: Any, **named: Any) -> Any:
            if Partition.narrowed and named.get("slot") == "KeyConditionExpression":
                return True
            return evaluate(*told, **named)

        self._dynamodb._query, self._dynamodb._evaluate_condition = narrowed, evaluated

    def attach(self) -> int:
        """How many rows of files that were not attached yet the tables hold now.

        Raises: CorruptState naming the file that cannot be read.
        """
        attached = 0
        for path in sorted(self._dir.glob("*/*.jsonl")):
            table = self._dynamodb._tables.get_scoped(*self._place, path.parent.name)
            if path in self._attached or table is None:
                continue
            # Whole before the rows come: what builds it looks at every item, and no packed one is a member.
            self._dynamodb._index_members(table)
            try:
                attached += self._rows(path, table)
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise CorruptState(path, str(error)) from error
            self._attached.add(path)
        return attached

    def _rows(self, path: Path, table: dict[str, Any]) -> int:
        name, removed = path.parent.name, self._removed(path.parent.name)
        items, count = table["items"], 0
        for number, line in enumerate(path.read_bytes().splitlines(), 1):
            if line[:8] != b"%08x" % zlib.crc32(line[9:]):
                raise ValueError(f"line {number} is damaged")
            told = json.loads(line[9:])
            block = base64.b64decode(told["block"])
            for place, (pk, sk) in enumerate(told["keys"]):
                if (pk, sk) in removed:
                    continue
                rows = items.get(pk)
                if not isinstance(rows, Partition):
                    rows = items[pk] = Partition(rows or {}, self._gone(name, pk))
                count += rows.keep(sk, block, place)
        table["ItemCount"] = table.get("ItemCount", 0) + count
        table["TableSizeBytes"] = table["ItemCount"] * 200  # as the engine reckons
        return count

    def _gone(self, name: str, pk: str) -> Callable[[str], None]:
        def gone(sk: str) -> None:
            with open(self._dir / REMOVED, "a", encoding="utf-8") as file:
                file.write(json.dumps([name, pk, sk]) + "\n")

        return gone

    def _removed(self, name: str) -> set[tuple[str, str]]:
        path = self._dir / REMOVED
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        return {(pk, sk) for table, pk, sk in map(json.loads, lines) if table == name}
