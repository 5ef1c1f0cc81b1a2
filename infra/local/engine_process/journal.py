"""The journal of the tables: a killed engine loses no acknowledged write, and no transaction is torn."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from infra.local.engine_process.states import CorruptState, write_atomically

# A journal segment is folded into the snapshot once it is larger than this and than half the snapshot.
JOURNAL_FOLD_BYTES = 32 * 1024 * 1024


class TableJournal:
    """Every acknowledged write to the tables, one line per call, on disk before the answer.

    `segment-NNNNNN.journal` lines are `crc32(hex) json`, the JSON being a list of
    `[account, region, table, partition key, sort key, item or null]` with whole items: replaying a line
    twice, or over a snapshot that holds it already, changes nothing. Lines go to the operating system's
    cache, so a killed process loses none; they are synced to disk every checkpoint, so a power cut loses
    at most that.
    """

    def __init__(self, state_dir: Path, dynamodb: Any, snapshot: Callable[[], bytes]) -> None:
        self._dir = state_dir
        self._dynamodb = dynamodb
        self._snapshot = snapshot
        self._names: dict[str, tuple[str, str, str]] = {}
        self._entries: list[list[Any]] = []
        self._fd = -1
        self._size = 0
        self._number = 0
        self._unsynced = False
        self._lock = threading.Lock()
        self._main_thread = threading.get_ident()
        self._folding = 0
        self.settings_changed = False

    def segments(self) -> list[Path]:
        """The segments, oldest first."""
        return sorted(self._dir.glob("segment-*.journal"))

    def install(self) -> None:
        """From here on item changes are noted; call once, before the engine serves."""
        set_item, remove_item = self._dynamodb._set_item, self._dynamodb._remove_item

        def journalled_set(table: dict[str, Any], pk: str, sk: str, item: dict[str, Any]) -> Any:
            old = set_item(table, pk, sk, item)
            self._note(table, pk, sk, item)
            return old

        def journalled_remove(table: dict[str, Any], pk: str, sk: str) -> Any:
            old = remove_item(table, pk, sk)
            if old is not None:
                self._note(table, pk, sk, None)
            return old

        self._dynamodb._set_item = journalled_set
        self._dynamodb._remove_item = journalled_remove

    def _note(self, table: dict[str, Any], pk: str, sk: str, item: dict[str, Any] | None) -> None:
        arn = table["TableArn"]
        name = self._names.get(arn)
        if name is None:
            parts = arn.split(":")
            name = self._names[arn] = (parts[4], parts[3], parts[5].removeprefix("table/"))
        entry = [*name, pk, sk, item]
        if threading.get_ident() == self._main_thread:
            self._entries.append(entry)
        else:  # the engine's time-to-live thread: an entry of its own
            self._append([entry])

    def flush(self) -> None:
        """What was noted since the last call is one line on disk. Call after each write call."""
        if self._entries:
            entries, self._entries = self._entries, []
            self._append(entries)

    def _append(self, entries: list[list[Any]]) -> None:
        body = json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode()
        line = b"%08x %s\n" % (zlib.crc32(body), body)
        with self._lock:
            written = os.write(self._fd, line)
            if written != len(line):
                raise OSError(f"journal: {written} of {len(line)} bytes written")
            self._size += len(line)
            self._unsynced = True

    def replay(self) -> int:
        """The tables hold every journalled write; answers how many lines were applied.

        Raises: CorruptState when a line that is not the last of its segment is damaged.
        """
        applied = 0
        for path in self.segments():
            lines = path.read_bytes().split(b"\n")
            for index, line in enumerate(lines):
                if not line:
                    continue
                body = line[9:]
                if len(line) < 10 or line[:8] != b"%08x" % zlib.crc32(body):
                    if index >= len(lines) - 1:
                        break  # the line that was being written when the process died
                    raise CorruptState(path, f"line {index + 1} is damaged")
                for account, region, name, pk, sk, item in json.loads(body):
                    table = self._dynamodb._tables.get_scoped(account, region, name)
                    if table is None:
                        continue
                    if item is None:
                        self._dynamodb._remove_item(table, pk, sk)
                    else:
                        self._dynamodb._set_item(table, pk, sk, item)
                applied += 1
        return applied

    def open(self) -> None:
        """A fresh segment takes the writes from here on."""
        self._main_thread = threading.get_ident()
        existing = self.segments()
        self._number = int(existing[-1].stem.split("-")[1]) + 1 if existing else 1
        self._start_segment()

    def _start_segment(self) -> None:
        path = self._dir / f"segment-{self._number:06d}.journal"
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with self._lock:
            old, self._fd, self._size = self._fd, fd, 0
        if old >= 0:
            os.fsync(old)
            os.close(old)

    def sync(self) -> None:
        """What was appended so far survives a power cut. Safe from any thread."""
        if self._unsynced and self._fd >= 0:
            self._unsynced = False
            with contextlib.suppress(OSError):
                os.fdatasync(self._fd) if sys.platform == "linux" else os.fsync(self._fd)

    def fold(self) -> None:
        """The snapshot holds everything and the journal is empty. On the loop's thread, calls waiting."""
        old = self.segments()
        self._number += 1
        self._start_segment()
        write_atomically(self._dir / "dynamodb.json", self._snapshot())
        for path in old:
            path.unlink(missing_ok=True)
        self.settings_changed = False

    def fold_in_background(self) -> None:
        """As `fold`, by a forked copy of this process, so that calls wait for the fork only."""
        if self._folding:
            with contextlib.suppress(ChildProcessError):
                pid, _ = os.waitpid(self._folding, os.WNOHANG)
                if pid == 0:
                    return
            self._folding = 0
        snapshot = self._dir / "dynamodb.json"
        limit = max(JOURNAL_FOLD_BYTES, snapshot.stat().st_size // 2 if snapshot.exists() else 0)
        if not self.settings_changed and self._size < limit:
            return
        old = self.segments()
        self._number += 1
        self._start_segment()
        self.settings_changed = False
        pid = os.fork()
        if pid == 0:
            try:
                write_atomically(snapshot, self._snapshot())
                for path in old:
                    path.unlink(missing_ok=True)
            finally:
                os._exit(0)
        self._folding = pid

    def wait(self) -> None:
        """No background fold is going on any more."""
        if self._folding:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self._folding, 0)
            self._folding = 0
