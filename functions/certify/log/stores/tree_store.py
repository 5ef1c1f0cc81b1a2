"""The rows of the log in DynamoDB: who waits, the head, the checkpoints, the leaves."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Final

from avarez import keys
from avarez.clock import from_rfc3339, to_rfc3339
from avarez.dynamo import Item, Table, to_item, transact, translated
from avarez.errors import ServiceBusy, TransactionRefused
from avarez.transparency.note import SIGNATURES_MAX
from functions.certify.log.sequencing import Leaf, LogMoved, Tree, Waiting

BATCH_WRITE_MAX: Final = 25
"""Source: DynamoDB API reference, BatchWriteItem."""
BATCH_ATTEMPTS_MAX: Final = 8
BATCH_PAUSE_S: Final = 0.03
WRITERS: Final = 8
OWN_SIGNATURES: Final = 2
"""The log's lines under each checkpoint; witnesses' come after them, as many as a reader takes."""


class LogTable:
    """The log's rows in the duty table, under keys of their own."""

    def __init__(self, duty: Table) -> None:
        self._duty = duty

    def tree(self) -> Tree:
        """The head; the empty tree before the first certificate."""
        row = self._duty.get(keys.log_head())
        if row is None:
            return Tree()
        return Tree(int(row["size"]), bytes.fromhex(row["root"]), str(row.get("batch") or ""))

    def waiting(self, limit: int) -> list[Waiting]:
        """At most `limit` certificates without a place, the oldest of each shard first."""
        each = -(-limit // keys.SHARDS)
        with ThreadPoolExecutor(WRITERS) as readers:
            rows = readers.map(
                lambda shard: self._duty.query(keys.log_pending_partition(shard), limit=each), range(keys.SHARDS)
            )
        found = [Waiting(str(row["sk"]), bytes.fromhex(row["entry"])) for shard in rows for row in shard]
        return sorted(found, key=lambda one: one.certificate_id)[:limit]

    def oldest_waiting_since(self) -> datetime | None:
        """Since when the oldest of the first of each shard waits; None when nobody does."""
        firsts = [self._duty.query(keys.log_pending_partition(shard), limit=1) for shard in range(keys.SHARDS)]
        times = [from_rfc3339(row["created_at"]) for rows in firsts for row in rows]
        return min(times, default=None)

    def advance(self, old: Tree, new: Tree) -> None:
        """Compares and sets the head; a lost answer to our own write is success."""
        changes = {"size": new.size, "root": new.root.hex(), "batch": new.batch}
        if old.size == 0 and self._duty.get(keys.log_head()) is None:
            write = self._duty.put_new(keys.log_head(), changes)
        else:
            write = self._duty.update(
                keys.log_head(),
                changes,
                "#size = :old_size AND #root = :old_root AND #batch = :none",
                old_size=old.size,
                old_root=old.root.hex(),
                none="",
            )
        try:
            transact([write], mine=lambda: self.tree() == new, dynamodb=self._duty.dynamodb)
        except TransactionRefused as refused:
            raise LogMoved() from refused

    def kept_checkpoint(self, size: int) -> str | None:
        """The signed checkpoint of this size."""
        row = self._duty.get(keys.log_checkpoint(size))
        return None if row is None else str(row["note"])

    def cosigned_checkpoint(self, size: int) -> str | None:
        """The checkpoint of this size, with the lines of every witness that sent one."""
        note = self.kept_checkpoint(size)
        if note is None:
            return None
        rows = self._duty.query(keys.log_cosignatures(size), limit=SIGNATURES_MAX - OWN_SIGNATURES)
        return note + "".join(str(row["line"]) for row in rows)

    def keep_checkpoint(self, size: int, note: str) -> str:
        """The first checkpoint that was kept for this size: ours, or somebody's a moment earlier."""
        with contextlib.suppress(TransactionRefused):  # read back below
            put = self._duty.put_new(keys.log_checkpoint(size), {"note": note})
            transact([put], dynamodb=self._duty.dynamodb)
        kept = self.kept_checkpoint(size)
        if kept is None:
            raise ServiceBusy()
        return kept

    def place(self, leaves: Sequence[Leaf], logged_at: datetime) -> None:
        """First every leaf's row, then the waiting ones are deleted."""
        at = to_rfc3339(logged_at)
        puts: list[Item] = []
        for leaf in leaves:
            pk, sk = keys.log_leaf(leaf.waiting.entry.hex())
            row = {"index": leaf.index, "tree_size": leaf.tree_size, "logged_at": at}
            puts.append({"PutRequest": {"Item": to_item({"pk": pk, "sk": sk, **row})}})
        deletes: list[Item] = []
        for leaf in leaves:
            pk, sk = keys.log_pending(leaf.waiting.certificate_id)
            deletes.append({"DeleteRequest": {"Key": to_item({"pk": pk, "sk": sk})}})
        for requests in (puts, deletes):
            groups = [requests[at : at + BATCH_WRITE_MAX] for at in range(0, len(requests), BATCH_WRITE_MAX)]
            with ThreadPoolExecutor(WRITERS) as writers:
                list(writers.map(self._write, groups))

    def _write(self, requests: Sequence[Item]) -> None:
        pending: dict[str, Any] = {self._duty.name: list(requests)}
        for attempt in range(BATCH_ATTEMPTS_MAX):
            with translated():
                answer = self._duty.dynamodb.batch_write_item(RequestItems=pending)
            pending = answer.get("UnprocessedItems") or {}
            if not pending:
                return
            time.sleep(BATCH_PAUSE_S * 2**attempt)
        raise ServiceBusy(retry_after_s=1)

    def publish(self, tree: Tree, note: str, key: str) -> None:
        """Shows the checkpoint of the batch under way. Where the head went on, somebody has done so already."""
        self._finishing(tree, {"published": note, "published_size": tree.size, "key": key})

    def end(self, tree: Tree) -> None:
        """The batch is done."""
        self._finishing(tree, {"batch": ""})

    def _finishing(self, tree: Tree, changes: Item) -> None:
        write = self._duty.update(
            keys.log_head(),
            changes,
            "#size = :size AND #root = :root AND #batch = :batch",
            size=tree.size,
            root=tree.root.hex(),
            batch=tree.batch,
        )
        with contextlib.suppress(TransactionRefused):
            transact([write], dynamodb=self._duty.dynamodb)

    def published(self) -> Item | None:
        """The head's row, once there is a public checkpoint: `published`, `published_size` and `key`."""
        row = self._duty.get(keys.log_head())
        return row if row is not None and row.get("published") else None
