"""The state of everything but the tables, on disk every two seconds if it changed."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from infra.local.engine_process.journal import TableJournal
from infra.local.engine_process.states import write_atomically

CHECKPOINT_SECONDS = 2.0
# A checkpoint may take at most this share of the engine's time; the interval grows instead.
CHECKPOINT_TIME_SHARE = 0.05
# Rebuilt or worthless after a restart, and large.
NOT_CHECKPOINTED = frozenset({"dynamodb", "cloudwatch_logs", "cloudwatch", "cloudtrail", "sts"})


class Checkpoints:
    """The state of the other services on disk, at most one interval old."""

    def __init__(self, engine: Any, persistence: Any, state_dir: Path, journal: TableJournal) -> None:
        self._engine = engine
        self._persistence = persistence
        self._dir = state_dir
        self._journal = journal
        self._dirty: set[str] = set()
        self._hashes: dict[str, bytes] = {}
        self._keys = {module: key for key, module in engine._state_map.items()}

    def mark(self, module: str) -> None:
        """The service has changed and is written at the next checkpoint."""
        key = self._keys.get(module)
        if key is not None and key not in NOT_CHECKPOINTED:
            self._dirty.add(key)

    def _encode(self, key: str, get_state: Callable[[], Any]) -> bytes | None:
        state = get_state()
        if state is None:
            return None
        if key == "cloudwatch_logs":
            for group in state["log_groups"]._data.values():
                for stream in group.get("streams", {}).values():
                    stream["events"] = []
        version = self._persistence._state_format_version(key)
        return json.dumps(
            {"__ministack_format__": version, "payload": state}, default=self._persistence._json_default
        ).encode()

    def _collect(self, keys: set[str] | None) -> list[tuple[str, bytes]]:
        changed = []
        for key, get_state in self._engine._build_persistence_save_dict().items():
            if key == "dynamodb" or (keys is not None and key not in keys):
                continue
            try:
                content = self._encode(key, get_state)
            except RuntimeError:  # another thread changed a dictionary under the copy: next time
                self._dirty.add(key)
                continue
            if content is None:
                continue
            digest = hashlib.blake2b(content).digest()
            if self._hashes.get(key) != digest:
                self._hashes[key] = digest
                changed.append((key, content))
        return changed

    def collect_dirty(self) -> list[tuple[str, bytes]]:
        """Contents of the services that changed since the last call. On the loop's thread."""
        dirty, self._dirty = self._dirty, set()
        return self._collect(dirty) if dirty else []

    def write(self, contents: list[tuple[str, bytes]]) -> None:
        """Each service's file is replaced. The stacks' file comes last: it says that the rest is there."""
        for key, content in sorted(contents, key=lambda pair: pair[0] == "cloudformation"):
            write_atomically(self._dir / f"{key}.json", content)

    def write_all(self) -> None:
        """Everything is on disk."""
        contents = self._collect(None)
        self._journal.wait()
        if self._journal.settings_changed:
            self._journal.fold()
        self._journal.sync()
        self.write(contents)

    async def run(self) -> None:
        """Checkpoints for as long as the engine lives."""
        interval = CHECKPOINT_SECONDS
        while True:
            await asyncio.sleep(interval)
            started = time.monotonic()
            contents = self.collect_dirty()
            self._journal.fold_in_background()
            spent = time.monotonic() - started
            try:
                await asyncio.to_thread(self._journal.sync)
                await asyncio.to_thread(self.write, contents)
            except OSError as error:
                print(f"checkpoint failed: {error}", file=sys.stderr, flush=True)
            interval = max(CHECKPOINT_SECONDS, spent / CHECKPOINT_TIME_SHARE)
